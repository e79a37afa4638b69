"""Baking: what is measured while a new model serves, and when a rule is judged."""

from __future__ import annotations

import math

import pytest

from retrain_hooks.binding.bake import ENOUGH, Tally
from retrain_hooks.binding.inputs import RingInputs
from retrain_hooks.serving.probe import Look
from tests.unit.rollout_world import NEW, OLD, World, ring


def tally(*rules: str, old: tuple[float, ...] = (0.1, 0.2)) -> Tally:
    return Tally(
        RingInputs.parse({"name": "r", "endpoints": ["pilot"], "bake": "60s", "rules": list(rules)}),
        "pilot",
        NEW,
        old,
    )


GOOD = Look("a", (0.2, 0.4), 0.1)
BAD = Look("", (), 9.0, "away", passing=True)


def test_what_was_seen_is_counted():
    """Errors as a share, the 95th percentile of those that answered in milliseconds, the shift of the last scores."""
    found = tally()
    for number in range(20):
        found.add(Look("a", (0.2, 0.4), (number + 1) / 100))
    for _ in range(5):
        found.add(BAD)
    told = found.observation()
    assert (told.ring, told.endpoint, told.address, told.looks) == ("r", "pilot", NEW, 25)
    assert (told.errors, told.p95, told.shift) == (0.2, pytest.approx(190.0), pytest.approx(0.15))
    assert (told.scores, told.old_scores) == ((0.2, 0.4), (0.1, 0.2))


def test_what_was_not_seen_is_not_known():
    """Nothing asked is no probe; nothing answered has no percentile and no shift."""
    found = tally("errors <= 1", "p95 <= 1000", "shift <= 1")
    found.add(Look(""))
    told = found.observation()
    assert told.looks == 0
    assert all(map(math.isnan, (told.errors, told.p95, told.shift)))
    assert found.broken(ended=True) == (
        "errors is not known, not <= 1; p95 is not known, not <= 1000; shift is not known, not <= 1"
    )


def test_a_rule_is_judged_once_enough_was_seen():
    """One failed probe of two is not a rate; at the end it is all there is."""
    found = tally("errors <= 0.5")
    for number in range(ENOUGH):
        assert found.broken(ended=False) == "", number
        found.add(BAD)
    assert found.broken(ended=False) == "errors is 1, not <= 0.5"
    short = tally("errors <= 0.5")
    short.add(BAD)
    assert short.broken(ended=True)


RULED = (ring("pilot", "60s", "errors <= 0.1", "p95 <= 250", "shift <= 0.2"), ring("live"))


@pytest.fixture
def world() -> World:
    return World()


def test_a_ring_that_holds_its_rules_lets_the_model_through(world):
    """Errors, p95 and shift, on real looks."""
    world.endpoints["pilot"].seconds = 0.2
    assert world.up(NEW, *RULED)["serving"] == {"pilot": NEW, "live": NEW}


def test_a_ring_whose_probes_fail_stops_the_model(world):
    """Half of them: judged before the minute is over."""
    pilot, turns = world.endpoints["pilot"], iter(range(10_000))
    pilot.broken = lambda: "busy" if world.clock.monotonic() > 6 and next(turns) % 2 else ""
    cause = world.fails(NEW, *RULED)
    assert "the ring 'pilot' does not hold on 'pilot': errors is 0." in cause
    assert world.seen() == [OLD, OLD]
    assert world.endpoints["live"].writes == []


def test_a_slow_model_stops(world):
    """More than a quarter of a second."""
    world.endpoints["pilot"].seconds = 0.3
    assert "p95 is 300, not <= 250" in world.fails(NEW, *RULED)


def test_a_model_that_scores_otherwise_stops(world):
    """By more than the rule allows, against the old one."""
    world.shift[NEW] = 0.25
    assert "shift is 0.25, not <= 0.2" in world.fails(NEW, *RULED)
    assert world.seen() == [OLD, OLD]


def test_a_shift_from_an_unknown_model_is_not_known(world):
    """The old model could not score."""
    pilot = world.endpoints["pilot"]
    pilot.broken = lambda: "refused" if pilot.answers == OLD else ""
    assert "shift is not known" in world.fails(NEW, *RULED)


def test_a_ring_without_rows_cannot_hold_a_rule(world):
    """Its data is gone: nothing was probed, so nothing holds."""
    assert "errors is not known" in world.fails(NEW, *RULED, probe={"blobs": ["gone.csv"]})
    assert world.seen() == [OLD, OLD]


def test_a_ring_without_rows_and_rules_bakes_and_is_read_back(world):
    """And fails where it is rolled back meanwhile."""
    rings = (ring("pilot", "60s"), ring("live"))
    world.up(NEW, *rings, stagingEndpoint="")
    assert world.clock.monotonic() >= 60
    again = World()
    again.endpoints["pilot"].faults = ["rolled-back 30"]
    assert f"went back to {OLD}" in again.fails(NEW, *rings, stagingEndpoint="")
