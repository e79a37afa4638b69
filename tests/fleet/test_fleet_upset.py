"""A fleet that is meddled with, cut off or declared otherwise: nobody loses the model that it has, and nothing is left behind."""

from __future__ import annotations

import json
from typing import Any

import pytest

from clients.errors import UpdateCancelled
from retrain_hooks.fleet.records import record_name
from retrain_hooks.training import trainer
from tests.fleet.world import PATH, Fleet


def listed(*members: dict[str, Any]) -> dict[str, Any]:
    """Members by name."""
    return {"path": PATH, "list": list(members)}


ANN, BOB = {"name": "ann"}, {"name": "bob"}
ANNA = {"name": "anna", "formerly": "ann", "path": "shops/ann/{version}.csv"}


@pytest.fixture
def fleet() -> Fleet:
    """Ann and Bob, deployed."""
    world = Fleet()
    for name in ("ann", "bob"):
        world.shop(name)
    world.up(members=listed(ANN, BOB))
    return world


def owners(fleet: Fleet) -> set[str]:
    """Who owns an endpoint of a member."""
    marks = [
        json.loads(fleet.registry.read(one)[0]) for one in fleet.registry.blobs if one.startswith("owners/")
    ]
    names = {str(mark["owner"]["name"]).removeprefix("fleet/") for mark in marks}
    return {name for name in names if not name.startswith("staging")}


def cut_off(fleet: Fleet, endpoint: str, **given: Any) -> None:
    """An update that ends when the endpoint of a member was made, and not bound: nothing is recorded any more."""
    fleet.services.errors[endpoint] = lambda: UpdateCancelled("the update was cancelled", "run it again")
    with pytest.raises(UpdateCancelled):
        fleet.up(**given)
    fleet.services.errors.clear()
    assert endpoint in fleet.live


def test_a_renamed_member_may_keep_its_address(fleet: Fleet) -> None:
    """The endpoint has another owner, and serves all the while."""
    served, calls = fleet.serves("ann"), len(fleet.services.calls)
    members = listed({**ANNA, "endpoint": "ann"}, BOB)
    outputs = fleet.up(members=members)
    assert outputs["failed"] == []
    assert json.loads(outputs["addresses"])["anna"] == "http://ann"
    assert fleet.serves("ann") == served
    assert "delete" not in fleet.services.calls[calls:]
    assert owners(fleet) == {"anna/endpoint", "bob/endpoint"}
    assert fleet.preview(members=members) == ["2 unchanged"]


@pytest.mark.parametrize("says", ["broken", "auc=0.1"])
def test_a_renamed_member_whose_new_data_fails_keeps_its_champion(fleet: Fleet, says: str) -> None:
    """By the endpoint that it had, until it has a model: then it moves."""
    served = fleet.serves("ann")
    fleet.shop("ann", says=says)
    members = listed(ANNA, BOB)
    outputs = fleet.up(members=members)
    assert [line.partition(":")[0] for line in outputs["failed"]] == ["anna"]
    assert fleet.live == {"ann", "bob"}
    assert fleet.serves("ann") == served
    assert fleet.preview(members=members) == ["1 unchanged", "1 failed: anna"]
    fleet.shop("ann", says="auc=0.9")
    fleet.up(members=members)
    assert fleet.live == {"anna", "bob"}
    assert owners(fleet) == {"anna/endpoint", "bob/endpoint"}


def test_a_renamed_member_without_data_keeps_its_champion(fleet: Fleet) -> None:
    """What it served goes on, also where somebody else bound another."""
    served = fleet.serves("ann")
    del fleet.data.blobs["shops/ann/1.csv"]
    members = listed(ANNA, BOB)
    fleet.up(members=members)
    at_rest = ["1 unchanged", "1 stays (anna takes its place): ann", "1 failed: anna"]
    assert fleet.preview(members=members) == at_rest
    fleet.services.serving["ann"] = fleet.services.serving["default"]
    fleet.up(members=members)
    assert fleet.serves("ann") == served
    assert fleet.preview(members=members) == at_rest


def test_a_member_that_is_renamed_when_its_successor_serves_already_leaves(fleet: Fleet) -> None:
    """There is nothing to take over."""
    fleet.up(members=listed(ANN, BOB, {"name": "anna", "path": ANNA["path"]}))
    members = listed(BOB, ANNA)
    assert fleet.preview(members=members) == ["2 unchanged", "1 leaves: ann"]
    fleet.up(members=members)
    assert fleet.live == {"anna", "bob"}
    assert fleet.preview(members=members) == ["2 unchanged"]


@pytest.mark.parametrize("gone", [False, True])
def test_a_champion_that_somebody_else_replaced_is_bound_again(fleet: Fleet, gone: bool) -> None:
    """Also where its member can't get another model, in the update that finds that out and in a later one."""
    served = fleet.serves("ann")

    def meddle() -> None:
        if gone:
            fleet.services.serving.pop("ann")
        else:
            fleet.services.serving["ann"] = fleet.services.serving["default"]

    meddle()
    fleet.shop("ann", says="broken")
    members = listed(ANN, BOB)
    fleet.up(members=members)
    assert fleet.serves("ann") == served
    assert fleet.preview(members=members) == ["1 unchanged", "1 failed: ann"]
    meddle()
    assert fleet.preview(members=members) == ["1 unchanged", "1 its champion is bound again: ann"]
    outputs = fleet.up(members=members, schedule={"maxFailures": "0"})
    assert fleet.serves("ann") == served
    assert outputs["counts"] == {"members": 2, "serving": 1, "failed": 1}
    assert len(fleet.services.batch.created) == 3


def test_a_member_that_stays_without_data_is_bound_again(fleet: Fleet) -> None:
    """Nobody asked for another model."""
    fleet.up()
    served = fleet.serves("ann")
    del fleet.data.blobs["shops/ann/1.csv"]
    fleet.services.serving["ann"] = fleet.services.serving["default"]
    assert fleet.preview() == ["1 unchanged", "1 its champion is bound again: ann"]
    fleet.up()
    assert fleet.serves("ann") == served
    assert fleet.preview() == ["1 unchanged", "1 stays (no data): ann"]


def test_what_a_cut_off_update_made_goes_with_its_member(fleet: Fleet) -> None:
    """It leaves before the next update: its record says the endpoint's name, and the mark whose it is."""
    fleet.shop("cid")
    cut_off(fleet, "cid", members=listed(ANN, BOB, {"name": "cid"}))
    fleet.up(members=listed(ANN, BOB))
    assert fleet.live == {"ann", "bob"}
    assert owners(fleet) == {"ann/endpoint", "bob/endpoint"}


def test_what_a_cut_off_update_made_goes_with_another_name(fleet: Fleet) -> None:
    """An endpoint that was to be called so, and is called otherwise now; or as before."""
    for endpoint in ("third", "ann"):
        cut_off(fleet, "other", members=listed({**ANN, "endpoint": "other"}, BOB))
        members = listed({**ANN, "endpoint": endpoint}, BOB)
        fleet.up(members=members)
        assert fleet.live == {endpoint, "bob"}
        assert fleet.preview(members=members) == ["2 unchanged"]
    assert owners(fleet) == {"ann/endpoint", "bob/endpoint"}


def test_what_a_cut_off_update_made_goes_where_no_model_passes(fleet: Fleet) -> None:
    """It would serve what no gate has judged."""
    fleet.shop("cid")
    members = listed(ANN, BOB, {"name": "cid"})
    cut_off(fleet, "cid", members=members)
    fleet.shop("cid", says="broken")
    fleet.up(members=members)
    assert fleet.live == {"ann", "bob"}


def test_a_member_whose_record_is_lost_keeps_its_endpoint_where_no_model_passes(fleet: Fleet) -> None:
    """It was bound to a model that had passed."""
    served = fleet.serves("ann")
    fleet.registry.delete(f"fleets/{fleet.outputs['fleet']}/{record_name('ann')}.json")
    fleet.shop("ann", says="broken")
    fleet.up(members=listed(ANN, BOB))
    assert fleet.serves("ann") == served


def test_a_leavers_endpoint_is_given_to_another_member(fleet: Fleet) -> None:
    """In one update: who leaves goes first."""
    fleet.shop("cid")
    members = listed({"name": "cid", "endpoint": "ann"}, BOB)
    outputs = fleet.up(members=members)
    assert outputs["failed"] == []
    assert owners(fleet) == {"cid/endpoint", "bob/endpoint"}
    assert fleet.preview(members=members) == ["2 unchanged"]


def test_an_endpoint_of_somebody_else_is_asked_for_again(fleet: Fleet) -> None:
    """It can be let go of at any time."""
    fleet.shop("cid")
    fleet.services.serving["cid"] = fleet.services.serving["default"]
    members = listed(ANN, BOB, {"name": "cid"})
    outputs = fleet.up(members=members)
    assert "no stack is known to have made it" in outputs["failed"][0]
    del fleet.services.serving["cid"]
    assert fleet.up(members=members)["failed"] == []


def test_what_a_killed_update_could_not_say_the_next_one_says(fleet: Fleet) -> None:
    """All members were done, and the stack's state was not saved."""
    inputs, outputs = fleet.inputs, fleet.outputs
    fleet.shop("cid")
    members = listed(ANN, BOB, {"name": "cid"})
    fleet.up(members=members)
    fleet.inputs, fleet.outputs = inputs, outputs
    assert set(json.loads(fleet.up(members=members)["addresses"])) == {"ann", "bob", "cid"}
    said = fleet.outputs
    assert fleet.up(members=members) is said


def test_a_binding_that_is_let_go_of_leaves_the_staging_endpoint_alone(fleet: Fleet) -> None:
    """The next member may be scored on it at that moment."""

    def notes() -> set[str]:
        return {name for name in fleet.registry.blobs if name.startswith("binding/")}

    before = notes()
    fleet.up(members=listed({**ANN, "endpoint": "other"}, BOB))
    assert len(before & notes()) == len(before) - 1  # ann's own


def test_a_job_whose_model_is_lost_is_no_fault_of_its_member(fleet: Fleet) -> None:
    """The next update trains it anew, as the message says."""
    fleet.shop("ann", says="auc=0.9")
    fleet.services.batch.loses.add("shops/ann/1.csv")
    members = listed(ANN, BOB)
    assert "its model is not to be found" in fleet.up(members=members)["failed"][0]
    fleet.services.batch.loses.clear()
    trainer._told.clear()  # as another process
    assert fleet.preview(members=members) == ["1 unchanged", "1 goes on: ann"]
    assert fleet.up(members=members)["failed"] == []
