"""The promotion: what a candidate must pass, what the next preview promises, and what stays when it does not pass."""

from __future__ import annotations

import json

import pytest

from clients.errors import GateRefused
from retrain_hooks.gate.lifecycle import AWAITING, HELD, PASSED, PENDING
from retrain_hooks.host.lifecycle import UNKNOWN
from tests.unit.promotion_world import World, address, key


@pytest.fixture
def world() -> World:
    return World()


BOTH = pytest.mark.parametrize("gate", [{}, {"label": "arr_delay >= 15"}], ids=["evaluation", "holdout"])


def test_a_candidate_that_passes_is_the_model_to_serve(world):
    """With its numbers as outputs and its verdict on record."""
    world.trained("new", 0.75)
    found = world.up(world.props())
    assert found["verdict"] == PASSED
    assert found["model"] == {"address": address("new"), "sha256": "hash of new"}
    assert found["champion"] == {"address": address("base"), "runKey": key("base")}
    ruling = found["rules"][-1]
    assert (ruling["text"], ruling["value"], ruling["bound"], ruling["passed"]) == (
        "auc >= 0.65",
        0.75,
        0.65,
        True,
    )
    (name,) = world.verdicts
    assert name.startswith(f"verdicts/{key('new')}/{key('base')}-")
    assert json.loads(world.registry.read(name)[0])["outcome"] == "passed"
    assert "passed: " in world.told.lines[-1]


@BOTH
def test_a_refused_candidate_is_an_error_that_names_rule_and_numbers(world, gate):
    """The endpoint goes on serving what it served."""
    world.trained("new", 0.4)
    with pytest.raises(
        GateRefused, match=r"run .* \(data version 2013-02\): auc is 0\.\d+, must be >= 0.65"
    ) as error:
        world.up(world.props(**gate))
    assert "the endpoint is unchanged" in error.value.cause
    assert world.live == address("base")


@BOTH
def test_a_refused_candidate_is_not_promised_again(world, gate):
    """The next preview is red too, and nothing is measured a second time."""
    world.trained("new", 0.4)
    with pytest.raises(GateRefused):
        world.up(world.props(**gate))
    patches, scored = list(world.services.patches), list(world.services.scored)
    with pytest.raises(GateRefused, match=r"must be >= 0\.65"):
        world.preview(world.props(**gate))
    with pytest.raises(GateRefused):
        world.up(world.props(**gate))
    assert (world.services.patches, world.services.scored) == (patches, scored)


@BOTH
def test_a_refused_candidate_can_be_held(world, gate):
    """The update is green, the champion stays, and the next preview promises nothing."""
    world.trained("new", 0.4)
    props = world.props(onRejected="hold", **gate)
    found = world.up(props)
    assert (found["verdict"], found["model"]) == (
        HELD,
        {"address": address("base"), "sha256": "hash of base"},
    )
    assert world.live == address("base")
    assert "is held, the champion stays: auc is" in world.told.lines[-1]
    writes = list(world.registry.writes)
    assert world.preview(props) is world.outputs
    assert world.up(props) is found
    assert world.registry.writes == writes


@BOTH
def test_after_a_promotion_nothing_flips(world, gate):
    """The candidate is what is served then; its old champion stays its champion."""
    world.trained("new", 0.9)
    props = world.props(rules=("auc >= champion",), **gate)
    found = world.up(props)
    assert (found["verdict"], world.live) == (PASSED, address("new"))
    for _ in range(3):
        assert world.preview(props) is found
        assert world.up(props) is found


def test_an_unknown_run_is_promised_as_pending(world):
    """A model that is still to be trained has its address, and no hash and no verdict yet."""
    found = world.preview(world.props("untrained"))
    assert found["verdict"] == PENDING
    assert found["model"] == {"address": address("untrained"), "sha256": UNKNOWN}
    assert found["champion"]["address"] == address("base")


def test_a_first_preview_knows_the_address_before_there_is_a_service(world):
    """Champion and verdict are not known; the model's address is."""
    found = world.preview(world.props("untrained") | {"service": UNKNOWN})
    assert (found["verdict"], found["champion"]) == (PENDING, UNKNOWN)
    assert found["model"]["address"] == address("untrained")


@pytest.mark.parametrize("name", ["address", "runKey"])
def test_an_unknown_candidate_is_not_judged(world, name):
    """Nothing unknown is ever compared."""
    props = world.props()
    assert "verdict" not in world.preview(props | {"candidate": props["candidate"] | {name: UNKNOWN}})


def test_what_can_be_judged_by_reading_is_judged_in_the_preview(world):
    """A past run that would be refused is refused before anything is done."""
    world.trained("new", 0.5)
    with pytest.raises(GateRefused):
        world.preview(world.props())
    assert world.preview(world.props(onRejected="hold"))["verdict"] == HELD
    world.trained("good", 0.8)
    assert world.preview(world.props("good"))["verdict"] == PASSED


def test_an_endpoint_that_is_still_to_be_made_will_copy_the_default_one(world):
    """So the champion of a new endpoint is known in the preview."""
    del world.services.serving["live"]
    assert world.preview(world.props("untrained"))["champion"]["address"] == address("base")


def test_a_first_deployment_of_the_baseline_has_no_champion_to_beat(world):
    """Baseline and candidate are one run: the rules without a champion must hold, the others can't be asked."""
    assert world.up(world.props("base", ("auc > champion", "auc >= 0.65")))["verdict"] == PASSED
    other = World()
    with pytest.raises(GateRefused, match=r"auc is 0\.7, must be >= 0\.8"):
        other.up(other.props("base", ("auc >= 0.8",)))


@pytest.mark.parametrize(
    ("metrics", "words"),
    [
        ({"auc": "nan"}, "auc is 'nan', not a number"),
        ({}, "there is no evaluation that can be read"),
        ({"accuracy": 0.9, "rows": 10}, "auc is missing"),
        ({"auc": 0.9}, "rows is missing"),
        ("AUC 0.9", "there is no evaluation that can be read"),
    ],
)
def test_metrics_that_cannot_be_read_are_refused(world, metrics, words):
    """Fails closed."""
    props = world.props()
    props["candidate"] |= {"metrics": metrics, "sha256": "s"}
    with pytest.raises(GateRefused, match=words):
        world.up(props)


def test_metrics_that_never_came_are_refused(world):
    """An update that knows no metrics at all does not promote."""
    props = world.props()
    props["candidate"] |= {"metrics": None, "sha256": "s"}
    assert world.preview(props)["verdict"] == PENDING
    with pytest.raises(GateRefused, match="no evaluation that can be read"):
        world.up(props)


@BOTH
def test_with_approval_a_candidate_that_passed_waits(world, gate):
    """The champion stays, the update is green, and the key to approve is told."""
    world.trained("new", 0.9)
    waiting = world.props(approval=True, **gate)
    found = world.up(waiting)
    assert (found["verdict"], world.live) == (AWAITING, address("base"))
    assert f"set `approve` to {key('new')}" in world.told.lines[-1]
    assert world.preview(waiting) is found
    for wrong in (key("base"), key("base")[:12]):
        assert world.up(world.props(approval=True, approve=wrong, **gate))["verdict"] == AWAITING
    approved = world.props(approval=True, approve=key("new")[:12], **gate)
    assert world.preview(approved)["model"]["address"] == address("new")
    assert (world.up(approved)["verdict"], world.live) == (PASSED, address("new"))
    assert world.preview(approved) is world.outputs


def test_an_approval_is_no_pass(world):
    """A refused candidate can't be approved."""
    world.trained("new", 0.3)
    with pytest.raises(GateRefused):
        world.up(world.props(approval=True, approve=key("new")))
    assert world.up(world.props(approval=True, approve=key("new"), onRejected="hold"))["verdict"] == HELD
    assert world.live == address("base")


def test_what_was_approved_stays_when_the_approval_is_taken_out(world):
    """The config need not keep every key that was ever approved."""
    world.trained("new", 0.9)
    world.up(world.props(approval=True, approve=key("new")))
    assert world.up(world.props(approval=True))["verdict"] == PASSED
    assert world.live == address("new")


def test_one_approval_does_not_approve_the_next_candidate(world):
    """Each run key is approved by itself."""
    world.trained("new", 0.9)
    world.trained("newer", 0.95)
    world.up(world.props(approval=True, approve=key("new")))
    assert world.up(world.props("newer", approval=True, approve=key("new")))["verdict"] == AWAITING
    assert world.live == address("new")


@BOTH
def test_a_candidate_is_named_by_the_data_of_its_own_run(world, gate):
    """A pin names another run than the data version that is asked for; so may the same bytes by another name."""
    world.trained("new", 0.4, version="2013-10")
    with pytest.raises(GateRefused, match=r"run .* \(data version 2013-10\): "):
        world.up(world.props(**gate))
    assert world.preview(world.props(onRejected="hold", **gate))["candidate"]["dataVersion"] == "2013-10"


def test_a_run_of_the_latest_data_is_named_with_its_blobs(world):
    """`latest` does not say which."""
    props = world.props()
    data = {"container": "data", "version": "latest", "digest": "d", "blobs": ["f/2013-12.csv"]}
    props["candidate"] |= {"dataVersion": "latest", "data": data}
    assert world.preview(props)["candidate"]["dataVersion"] == "latest (f/2013-12.csv)"
