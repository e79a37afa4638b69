"""A gated endpoint never serves what its gate refused or nobody approved, from its first deployment on."""

from __future__ import annotations

import random

import pytest

from retrain_hooks.gate.inputs import AWAITING, HELD, PASSED
from tests.unit.gated_world import Gated
from tests.unit.promotion_world import address, key

KIND = pytest.mark.parametrize("kind", ["classic", "new"])
BY = pytest.mark.parametrize("by", [{}, {"label": "arr_delay >= 15"}], ids=["evaluation", "holdout"])
CANDIDATE = pytest.mark.parametrize("candidate", ["base", "new"], ids=["baseline", "another"])
SKILL = {"base": 0.4, "new": 0.45, "good": 0.9, "better": 0.95, "worse": 0.3}


def gated(kind: str = "classic", **skill: float) -> Gated:
    world = Gated(kind)
    for name, auc in (SKILL | skill).items():
        world.trained(name, auc)
    return world


@KIND
@BY
@CANDIDATE
def test_a_first_candidate_that_is_held_is_served_by_nothing(kind, by, candidate):
    """Green; the next update has nothing to do; once a model passes, endpoint and binding are made."""
    world = gated(kind)
    held = {"onRejected": "hold", **by}
    assert world.deploy(candidate, **held) is None
    promotion, live, binding = (world.resources[name].outputs for name in ("promotion", "live", "binding"))
    assert (promotion["verdict"], promotion["model"]) == (HELD, {"address": "", "sha256": ""})
    assert (live["withheld"], live.get("url", "")) == ("no model has passed its gate yet", "")
    assert (binding["address"], binding["serving"], world.gated) == ("", {}, {})
    assert "live serves nothing until a model passes" in "\n".join(world.told.lines)
    world.refresh()
    assert world.deploy(candidate, **held) is None
    assert set(world.steps.values()) == {"same"}
    assert world.deploy("good", **held) is None
    assert world.gated == {"live": address("good")}
    assert world.resources["live"].outputs["url"] == "http://live"
    assert world.steps["live"] == world.steps["binding"] == "update"
    assert world.deploy(candidate, **held) is None
    assert world.gated == {"live": address("good")}
    assert world.resources["promotion"].outputs["verdict"] == HELD


@KIND
@BY
@CANDIDATE
def test_a_first_candidate_that_is_refused_is_served_by_nothing(kind, by, candidate):
    """Red, and what is said is true: there is nothing that could be unchanged."""
    world = gated(kind)
    for _ in range(2):
        error = world.deploy(candidate, **by)
        assert error is not None
        assert "live serves nothing until a model passes" in error.cause
        assert "unchanged" not in error.cause
        assert world.gated == {}
    assert world.deploy("good", **by) is None
    assert world.gated == {"live": address("good")}


@KIND
@BY
@CANDIDATE
def test_a_first_candidate_that_nobody_approved_is_served_by_nothing(kind, by, candidate):
    """It waits; the approval alone makes the endpoint."""
    world = gated(kind, base=0.9, new=0.95)
    assert world.deploy(candidate, approval=True, **by) is None
    assert (world.resources["promotion"].outputs["verdict"], world.gated) == (AWAITING, {})
    assert world.deploy(candidate, approval=True, **by) is None
    assert set(world.steps.values()) == {"same"}
    assert world.deploy(candidate, approval=True, approve=key(candidate)[:12], **by) is None
    assert (world.resources["promotion"].outputs["verdict"], world.gated) == (
        PASSED,
        {"live": address(candidate)},
    )


@KIND
def test_rings_are_made_with_the_first_model_that_passes(kind):
    """None of them before, and none ever serves the baseline."""
    world = gated(kind)
    rings = {"rings": ("pilot",), "onRejected": "hold"}
    assert world.deploy("base", **rings) is None
    assert world.gated == {}
    assert world.deploy("good", **rings) is None
    assert world.gated == {"pilot": address("good"), "live": address("good")}


def test_a_withheld_endpoint_can_be_renamed_and_one_that_serves_takes_its_champion_along():
    """A replacement of what is not there makes nothing; a candidate that is held stays held under the new name."""
    world = gated()
    assert world.deploy("base", onRejected="hold") is None
    world.live_name = "second"
    assert world.deploy("base", onRejected="hold") is None
    assert (world.steps["live"], world.gated) == ("replace", {})
    assert world.deploy("good", onRejected="hold") is None
    assert world.gated == {"second": address("good")}
    world.live_name = "third"
    assert world.deploy("worse", onRejected="hold") is None
    assert world.gated == {"third": address("good")}


def test_an_endpoint_that_cannot_be_given_its_model_is_not_left_behind():
    """A copy of the default endpoint would serve a model that no gate has let through."""
    world = gated()
    world.services.deaf_to = {"live"}
    assert world.deploy("good") is not None
    assert world.gated == {}
    world.services.deaf_to = set()
    assert world.deploy("good") is None
    assert world.gated == {"live": address("good")}


def test_an_endpoint_that_was_deleted_by_hand_comes_back_with_its_champion():
    """Not with the baseline, as a copy of the default endpoint."""
    world = gated()
    assert world.deploy("good") is None
    del world.services.serving["live"]
    world.refresh()
    assert world.deploy("worse", onRejected="hold") is None
    assert world.gated == {"live": address("good")}


@pytest.mark.parametrize("seed", range(40))
def test_whatever_happens_no_gated_endpoint_serves_a_model_that_was_not_let_through(seed):
    """Histories of candidates, modes, names, rings, failing services and endpoints that somebody deletes."""
    drawn = random.Random(seed)
    world = gated(drawn.choice(["classic", "new"]), base=drawn.choice([0.4, 0.9]))
    skill = SKILL | {"base": world.services.skill[address("base")]}
    by = drawn.choice([{}, {"label": "arr_delay >= 15"}])
    let_through: set[str] = set()
    for _ in range(8):
        candidate = drawn.choice(list(skill))
        mode = drawn.choice(["hold", "fail", "approval", "approved"])
        gate = {"onRejected": drawn.choice(["hold", "fail"]) if "appro" in mode else mode, **by}
        if "appro" in mode:
            gate |= {"approval": True, "approve": key(candidate) if mode == "approved" else ""}
        rules = drawn.choice([("auc >= 0.65",), ("auc >= 0.65", "auc >= champion - 0.5")])
        world.live_name = drawn.choice(["live", "live", "second"])
        world.services.deaf_to = (
            {drawn.choice(["live", "pilot", "second"])} if drawn.random() < 0.3 else set()
        )
        if drawn.random() < 0.1 and world.gated:
            del world.services.serving[drawn.choice(list(world.gated))]
            world.refresh()
        if skill[candidate] >= 0.65 and mode != "approval":
            let_through.add(address(candidate))
        world.deploy(candidate, rings=drawn.choice([(), ("pilot",)]), rules=rules, **gate)
        assert set(world.gated.values()) <= let_through, (seed, mode, candidate)
