"""Members that share an online endpoint: bound together, judged each for itself, and none by another's fault."""

from __future__ import annotations

import itertools
import json
from typing import Any

import pytest

from clients.azureml.slots import Slot
from clients.errors import BindingFailed, ConfigurationError, UpdateCancelled
from tests.fleet.shared_world import ONLINE, SharedFleet
from tests.fleet.world import PATH

NAMES = ("ann", "bob", "cid")


@pytest.fixture
def fleet() -> SharedFleet:
    return SharedFleet(*NAMES)


def listed(*members: dict[str, Any]) -> dict[str, Any]:
    return {"path": PATH, "list": list(members)}


def model(fleet: SharedFleet, member: str) -> bytes:
    return fleet.serves(member).encode("latin-1")


@pytest.mark.parametrize("member", ["", "ann", "staging", "live", "San Francisco", "a:b?c"])
@pytest.mark.parametrize("staging", [True, False])
def test_a_slot_is_read_as_it_was_written(member: str, staging: bool) -> None:
    """Whatever a member is called."""
    slot = Slot(ONLINE, staging, member)
    assert Slot.parse(str(slot)) == slot


def test_one_deployment_answers_for_all(fleet: SharedFleet) -> None:
    """By a model of each member's own data; a second update writes nothing."""
    assert fleet.preview() == ["3 new: ann, bob, cid"]
    outputs = fleet.up()
    assert outputs["counts"] == {"members": 3, "serving": 3, "failed": 0}
    assert len({fleet.serves(name) for name in NAMES}) == 3
    assert len(fleet.services.made) == 1
    assert json.loads(outputs["addresses"]) == dict.fromkeys(NAMES, "http://online/score")
    assert fleet.marked() == 3
    writes = len(fleet.registry.writes)
    assert fleet.up() is outputs
    assert fleet.preview() == ["3 unchanged"]
    assert len(fleet.registry.writes) == writes


def test_new_data_of_one_changes_the_answers_of_that_one(fleet: SharedFleet) -> None:
    """Nobody else is trained, and what served before is let go of."""
    fleet.up()
    before = {name: fleet.serves(name) for name in NAMES}
    fleet.shop("bob", says="auc=0.9")
    assert fleet.preview() == ["2 unchanged", "1 retrain (data): bob"]
    fleet.up()
    assert {name for name in NAMES if fleet.serves(name) != before[name]} == {"bob"}
    assert fleet.services.batch.created[3:] == ["shops/bob/1.csv"]
    assert len(fleet.services.packs) == len(fleet.packs()) == 1


@pytest.mark.parametrize("says", ["broken", "auc=0.1"])
def test_who_fails_keeps_the_champion_and_the_others_go_on(fleet: SharedFleet, says: str) -> None:
    """Be it the job that fails or the gate that refuses; and it is not tried again as it is."""
    fleet.up()
    before = {name: fleet.serves(name) for name in NAMES}
    fleet.shop("ann", says="auc=0.9")
    fleet.shop("bob", says=says)
    outputs = fleet.up()
    assert [line.partition(":")[0] for line in outputs["failed"]] == ["bob"]
    assert {name for name in NAMES if fleet.serves(name) != before[name]} == {"ann"}
    assert fleet.preview() == ["2 unchanged", "1 failed: bob"]


def test_who_fails_at_first_is_not_answered_for(fleet: SharedFleet) -> None:
    """There is no model that could."""
    fleet.shop("bob", says="broken")
    fleet.up()
    assert [name for name in NAMES if fleet.serves(name)] == ["ann", "cid"]
    assert fleet.marked() == 2


@pytest.mark.heals(
    "look at what its run left (./dev fleet explain), and at its data; the next update tries it again"
)
def test_a_model_that_does_not_answer_is_left_out_before_the_traffic_moves(
    fleet: SharedFleet, remedy: Any
) -> None:
    """Its member keeps the one of before; the next update tries it again."""
    fleet.up()
    before = model(fleet, "bob")
    world = SharedFleet(*NAMES)
    for each in (fleet, world):
        each.shop("ann", says="auc=0.85")
        each.shop("bob", says="auc=0.9")
    world.up()
    fleet.services.silent.add(model(world, "bob"))
    outputs = fleet.up()
    assert len(outputs["failed"]) == 1
    assert "does not answer in the deployment that members share" in outputs["failed"][0]
    found = fleet.records.find("bob")
    assert found is not None
    remedy(found.value)
    assert (model(fleet, "ann"), model(fleet, "bob")) == (model(world, "ann"), before)
    assert fleet.states() == {"ann": "serving", "bob": "unfinished", "cid": "serving"}
    fleet.services.silent.clear()
    assert fleet.up()["failed"] == []
    assert model(fleet, "bob") == model(world, "bob")


def test_an_endpoint_that_answers_otherwise_gets_its_traffic_back(fleet: SharedFleet) -> None:
    """What was answered at 0 % is not what is answered by the endpoint's address."""
    fleet.up()
    before = {name: fleet.serves(name) for name in NAMES}
    fleet.shop("ann", says="auc=0.9")
    fleet.services.astray = True
    outputs = fleet.up()
    assert "before the traffic moved" in outputs["failed"][0]
    assert {name: fleet.serves(name) for name in NAMES} == before
    assert len(fleet.services.packs) == 1


def test_a_deployment_that_does_not_come_up_changes_nothing(fleet: SharedFleet) -> None:
    """The wave has failed, and goes on with the next update."""
    fleet.up()
    before = {name: fleet.serves(name) for name in NAMES}
    fleet.shop("ann", says="auc=0.9")
    fleet.shop("bob", says="auc=0.9")
    fleet.services.breaks = lambda: BindingFailed("no image", "see its log")
    outputs = fleet.up()
    assert outputs["failed"] == ["ann: no image", "bob: no image"]
    assert {name: fleet.serves(name) for name in NAMES} == before
    fleet.services.breaks = None
    jobs = len(fleet.services.batch.created)
    assert fleet.preview() == ["1 unchanged", "2 goes on: ann, bob"]
    assert fleet.up()["failed"] == []
    assert len(fleet.services.batch.created) == jobs


def test_each_wave_is_a_deployment(fleet: SharedFleet) -> None:
    """The first has its members only, the last all."""
    fleet.up(schedule={"waves": ["1", "100%"]})
    assert len(fleet.services.made) == 2
    assert all(fleet.serves(name) for name in NAMES)


def test_who_leaves_is_not_answered_for_any_more(fleet: SharedFleet) -> None:
    """The last one takes the deployment with it."""
    fleet.up(members=listed(*({"name": name} for name in NAMES)))
    now = listed({"name": "ann"}, {"name": "cid"})
    assert fleet.preview(members=now) == ["2 unchanged", "1 leaves: bob"]
    fleet.up(members=now)
    assert [name for name in NAMES if fleet.serves(name)] == ["ann", "cid"]
    assert fleet.marked() == 2
    assert fleet.states() == {"ann": "serving", "cid": "serving"}
    assert fleet.preview(members=now) == ["2 unchanged"]


def test_who_leaves_stays_on_record_until_nobody_is_answered_by_it(fleet: SharedFleet) -> None:
    """A deployment that does not come up is tried again."""
    fleet.up(members=listed(*({"name": name} for name in NAMES)))
    now = listed({"name": "ann"}, {"name": "cid"})
    fleet.services.breaks = lambda: BindingFailed("no image", "see its log")
    assert fleet.up(members=now)["failed"] == [f"{ONLINE}: no image"]
    assert fleet.serves("bob")
    fleet.services.breaks = None
    assert fleet.preview(members=now) == ["2 unchanged", "1 leaves: bob"]
    fleet.up(members=now)
    assert not fleet.serves("bob")


def test_a_renamed_member_is_answered_for_by_its_new_name(fleet: SharedFleet) -> None:
    """By the same model, which nothing is trained for."""
    fleet.up(members=listed({"name": "ann"}, {"name": "bob"}))
    served, jobs = fleet.serves("ann"), len(fleet.services.batch.created)
    renamed = listed({"name": "anna", "formerly": "ann", "path": "shops/ann/{version}.csv"}, {"name": "bob"})
    assert fleet.up(members=renamed)["failed"] == []
    assert (fleet.serves("anna"), fleet.serves("ann")) == (served, "")
    assert len(fleet.services.batch.created) == jobs
    assert fleet.marked() == 2
    assert fleet.preview(members=renamed) == ["2 unchanged"]


def test_a_renamed_member_that_fails_keeps_its_model(fleet: SharedFleet) -> None:
    """By its new name, and nothing of it comes and goes with each update."""
    fleet.up(members=listed({"name": "ann"}, {"name": "bob"}))
    served = fleet.serves("ann")
    fleet.shop("ann", says="broken")
    renamed = listed({"name": "anna", "formerly": "ann", "path": "shops/ann/{version}.csv"}, {"name": "bob"})
    fleet.up(members=renamed)
    assert fleet.serves("anna") == served
    assert fleet.preview(members=renamed) == ["1 unchanged", "1 failed: anna"]


@pytest.mark.parametrize("share", [100, 40])
def test_traffic_that_somebody_else_moved_is_seen_and_moved_back(fleet: SharedFleet, share: int) -> None:
    """Also where it is a part of it."""
    fleet.up()
    (pack,) = fleet.services.traffic
    fleet.services.traffic = {"theirs": share} | ({pack: 100 - share} if share < 100 else {})
    assert fleet.preview()[0].startswith("3 bound again")
    fleet.up()
    assert fleet.services.traffic == {pack: 100}
    assert fleet.preview() == ["3 unchanged"]


def test_an_endpoint_that_is_gone_and_made_again_serves_all_again(fleet: SharedFleet) -> None:
    """Nothing is trained for it."""
    fleet.up()
    fleet.services.packs, fleet.services.traffic = [], {}
    jobs = len(fleet.services.batch.created)
    fleet.up()
    assert all(fleet.serves(name) for name in NAMES)
    assert len(fleet.services.batch.created) == jobs


def test_a_model_that_is_lost_is_taken_from_where_it_is_served(fleet: SharedFleet) -> None:
    """Its member has no data any more; another one's new model does not take its answers away."""
    fleet.up()
    served = fleet.serves("ann")
    address = fleet.records.standings()["ann"].address
    fleet.data.blobs.pop("shops/ann/1.csv")
    fleet.registry.blobs.pop(address)
    fleet.shop("bob", says="auc=0.9")
    fleet.up()
    assert fleet.serves("ann") == served
    fleet.services.packs, fleet.services.traffic = [], {}
    for name in [one for one in fleet.registry.blobs if one.startswith("models/members-")]:
        fleet.registry.blobs.pop(name)
    outputs = fleet.up()
    assert any("ann" in line for line in outputs["failed"])
    assert [name for name in NAMES if fleet.serves(name)] == ["bob", "cid"]


def test_destroyed_it_leaves_nothing(fleet: SharedFleet) -> None:
    """But what is shared: models, runs and verdicts."""
    fleet.up()
    fleet.destroy()
    assert fleet.packs() == set()
    assert fleet.marked() == 0
    assert fleet.registry.list("fleets/") == []


class _After:
    """A guard that lets so many things be done."""

    def __init__(self, steps: int) -> None:
        self._left = itertools.count(steps, -1)

    def check(self) -> None:
        if next(self._left) <= 0:
            raise UpdateCancelled("the update was cancelled", "run it again")


def test_cut_off_anywhere_it_is_gone_on_with() -> None:
    """Whoever asks meanwhile is answered by the model of before, or by the new one."""
    old, new = SharedFleet(*NAMES), SharedFleet(*NAMES)
    old.up()
    for name in ("ann", "bob"):
        new.shop(name, says="auc=0.9")
    new.up()
    answers = {name: {old.serves(name), new.serves(name)} for name in NAMES}
    for steps in itertools.count(1):
        fleet = SharedFleet(*NAMES)
        fleet.up()
        for name in ("ann", "bob"):
            fleet.shop(name, says="auc=0.9")
        fleet.guard = _After(steps)  # type: ignore[assignment]
        try:
            fleet.up(schedule={"concurrency": 1})
        except UpdateCancelled:
            assert all(fleet.serves(name) in answers[name] for name in NAMES)
            fleet.guard = _After(10**6)  # type: ignore[assignment]
            assert fleet.up()["failed"] == []
        else:
            break
        assert {name: fleet.serves(name) for name in NAMES} == {name: new.serves(name) for name in NAMES}
        assert len(fleet.services.batch.created) == 5
        assert len(fleet.services.packs) == len(fleet.packs()) == 1
    assert steps > 10


@pytest.mark.heals("leave out holdoutDataVersion, or set `kind` to classic or new")
def test_a_holdout_is_refused_in_the_preview(fleet: SharedFleet, remedy: Any) -> None:
    """A candidate would be scored before it is deployed."""
    gate = {"rules": ["auc >= 0.6"], "label": "number >= 3"}
    error = remedy.fails(lambda: fleet.preview(holdout="1", gate=gate))
    assert isinstance(error, ConfigurationError)
    assert fleet.preview(gate=gate) == ["3 new: ann, bob, cid"]


@pytest.mark.heals("name an experiment that is a graph, or declare an Endpoint for each member")
def test_own_code_is_refused_in_the_preview(fleet: SharedFleet, remedy: Any) -> None:
    """Its scoring script knows one model."""
    error = remedy.fails(lambda: fleet.preview(source="tumours"))
    assert isinstance(error, ConfigurationError)
    assert fleet.preview() == ["3 new: ann, bob, cid"]
