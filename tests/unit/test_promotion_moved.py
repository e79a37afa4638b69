"""The champion goes along: what replaces an endpoint inherits what the old one served, and what is known to be refused is refused."""

from __future__ import annotations

import pytest

from clients.errors import ConfigurationError, CredentialError, GateRefused
from retrain_hooks.gate.lifecycle import AWAITING, HELD, PASSED
from retrain_hooks.host.lifecycle import UNKNOWN
from tests.unit.promotion_world import SERVICE, World, address, key

BEAT = ("auc >= champion",)
HOLD = {"onRejected": "hold"}
NEW_SERVICE = {"id": "s2", "workspace": {"resource": "/w2", "id": "w2"}}


@pytest.fixture
def world() -> World:
    """A stack whose endpoint serves GOOD, which is better than the baseline that a new endpoint starts with."""
    world = World()
    world.trained("good", 0.8)
    world.trained("bad", 0.4)
    world.trained("middle", 0.75)
    world.up(world.props("good", BEAT))
    assert world.live == address("good")
    return world


def renamed(world: World, name: str = "second") -> None:
    """The new endpoint is there, a copy of the default one."""
    world.services.serving[name] = world.services.serving["default"]


def test_a_renamed_endpoint_serves_the_champion_while_its_candidate_is_held(world):
    """It is not the baseline that goes on serving, and the line for a person says what is to be served."""
    props = world.props("bad", **HOLD) | {"endpointName": "second"}
    promised = world.preview(props)
    assert (promised["verdict"], promised["model"]["address"]) == (HELD, address("good"))
    renamed(world)
    found = world.up(props)
    assert (found["verdict"], found["model"]) == (
        HELD,
        {"address": address("good"), "sha256": "hash of good"},
    )
    assert world.services.serving["second"] == f"registry/{address('good')}"
    assert f"is held, second is to serve the champion, {address('good')}" in world.told.lines[-1]
    del world.services.serving["live"]
    assert world.preview(props) is found


def test_a_rename_lets_nothing_through_that_was_refused(world):
    """A rule against the champion is judged against what the replaced endpoint serves, in the preview and in the update."""
    props = world.props("middle", BEAT) | {"endpointName": "second"}
    for _ in range(2):
        with pytest.raises(
            GateRefused, match=r"auc is 0\.75, must be >= 0\.8 .*endpoint that would be replaced is unchanged"
        ):
            world.preview(props)
        renamed(world)
    with pytest.raises(GateRefused):
        world.up(props)


def test_a_rename_alone_changes_no_model(world):
    """The model that serves goes on serving, without being judged or approved again."""
    gate = {"approval": True}
    world.trained("best", 0.9)
    world.up(world.props("best", BEAT, approval=True, approve=key("best")))
    props = world.props("best", BEAT, **gate) | {"endpointName": "second"}
    renamed(world)
    assert world.preview(props)["model"]["address"] == address("best")
    found = world.up(props)
    assert (found["verdict"], found["model"]["address"]) == (PASSED, address("best"))
    assert found["champion"]["address"] == address("good")
    assert world.preview(props) is found


@pytest.mark.parametrize("approve", ["", key("best")[:7]])
def test_a_rename_that_was_interrupted_before_it_was_bound_goes_on_with_the_champion(world, approve):
    """The new endpoint serves what it was created with, which nobody chose; and going back to the old name is no trouble."""
    world.trained("best", 0.9)
    world.up(world.props("best", BEAT, approval=True, approve=key("best")))
    renamed(world)
    props = world.props("best", BEAT, approval=True, approve=approve) | {"endpointName": "second"}
    world.promote(props)
    assert world.services.serving["second"] == world.services.serving["default"]
    for _ in range(2):  # interrupted twice
        assert world.promote(props)["model"]["address"] == address("best")
    held = world.props("bad", BEAT, **HOLD)
    assert world.preview(held | {"endpointName": "second"})["model"]["address"] == address("best")
    assert world.preview(held)["model"]["address"] == address("best")
    assert world.up(props)["model"]["address"] == address("best")
    assert world.services.serving["second"] == f"registry/{address('best')}"


def test_an_interrupted_rename_with_a_held_candidate_keeps_the_champion(world):
    """Whatever is declared next."""
    renamed(world)
    moved = {"endpointName": "second"}
    world.promote(world.props("bad", BEAT, **HOLD) | moved)
    assert world.promote(world.props("bad", BEAT, **HOLD) | moved)["model"]["address"] == address("good")
    assert world.preview(world.props("middle", BEAT, **HOLD) | moved)["model"]["address"] == address("good")


@pytest.mark.parametrize(
    "unknown", [{"service": UNKNOWN}, {"service": SERVICE | {"id": UNKNOWN}}, {"endpointName": UNKNOWN}]
)
def test_a_known_refusal_stops_a_preview_that_does_not_know_the_new_place(world, unknown):
    """So nothing is deleted for an update that would be refused: by a verdict on record, or by what the run measured."""
    with pytest.raises(GateRefused, match=r"must be >= 0\.8"):
        world.preview(world.props("middle", BEAT) | unknown)
    world.services.scored.clear()
    judged = world.props("middle", BEAT, label="arr_delay >= 15")
    with pytest.raises(GateRefused):
        world.up(judged)
    scored = list(world.services.scored)
    with pytest.raises(GateRefused, match="auc is"):
        world.preview(judged | unknown)
    assert world.services.scored == scored
    assert world.preview(world.props("good", BEAT) | unknown)["model"]["address"] == address("good")


def test_a_workspace_that_is_replaced_first_leaves_its_champion_behind(world):
    """The old endpoint is gone, or nobody may ask any more, when the new one is judged; its service is new, too."""
    world.services.serving["s2/live"] = world.services.serving["default"]
    props = world.props("bad", BEAT, **HOLD) | {"service": NEW_SERVICE}
    del world.services.serving["live"]
    assert world.promote(props)["model"]["address"] == address("good")
    other = World()
    other.trained("good", 0.8)
    other.trained("bad", 0.4)
    other.up(other.props("good", BEAT))
    there = other.services.endpoint

    def refuse(service: str, name: str):
        if service == SERVICE["id"]:
            raise CredentialError("no workspace", "sign in")
        return there(service, name)

    other.services.endpoint = refuse
    assert other.promote(props)["model"]["address"] == address("good")


def test_what_was_decided_after_the_last_check_is_known_when_the_endpoint_is_gone(world):
    """Inputs say `pending` where the holdout was judged in the update itself: the verdict on record decides."""
    held = world.props("bad", BEAT, label="arr_delay >= 15", **HOLD)
    assert world.up(held)["verdict"] == HELD
    assert world.inputs["verdict"] == "pending"
    del world.services.serving["live"]
    assert world.preview(held | {"service": UNKNOWN})["model"]["address"] == address("good")


def test_a_candidate_that_waits_for_approval_waits_on_after_a_rename(world):
    """The champion serves on the new endpoint meanwhile."""
    world.trained("best", 0.9)
    waiting = world.props("best", BEAT, approval=True)
    assert world.up(waiting)["verdict"] == AWAITING
    renamed(world)
    found = world.up(waiting | {"endpointName": "second"})
    assert (found["verdict"], found["model"]["address"]) == (AWAITING, address("good"))


def test_another_place_is_a_change_of_the_same_promotion(world):
    """It makes nothing that could be replaced; a reference that is spelt another way is the same place."""
    props = world.props("good", BEAT)
    checked = world.life.check(props | {"endpointName": "second"}, world.inputs)
    assert (diff := world.life.diff(world.outputs, checked)).changes
    assert diff.replaces == ()
    respelt = {"service": {"id": "S1", "kind": "classic", "workspace": {"resource": "/W/"}}}
    assert not world.life.diff(world.outputs, world.life.check(props | respelt, world.inputs)).changes


def test_what_a_state_holds_is_read_whatever_became_of_the_rules(world):
    """A gate that would be refused today keeps nobody from correcting it."""
    old = world.inputs | {"gate": world.inputs["gate"] | {"approve": "yes"}}
    assert world.life.check(world.props("good", BEAT), old)["verdict"] == PASSED
    with pytest.raises(ConfigurationError):
        world.life.check(old, old)
