"""A rollout that was killed, cancelled or overtaken: gone on with where it stood, or put back."""

from __future__ import annotations

import json
from contextlib import suppress
from itertools import count
from typing import Any

import pytest

from clients.errors import BindingFailed, EngineGone, UpdateCancelled
from retrain_hooks.binding.roller import TakenOver
from tests.unit.rollout_world import (
    BAKING,
    NEW,
    OLD,
    OTHER,
    RINGS,
    Killed,
    World,
    interrupted,
    record_name,
    ring,
    while_the_last_ring_bakes,
)


@pytest.fixture
def world() -> World:
    return World()


@pytest.mark.parametrize("kind", [UpdateCancelled, EngineGone])
def test_a_cancelled_update_changes_nothing_from_then_on(kind):
    """At each time that it asks: what it leaves, the next update brings to its end."""
    for at in count(1):
        world = World()
        world.guard.at, world.guard.kind = at, kind
        with suppress(kind):
            world.up(NEW, *BAKING)
        if world.outputs:
            break
        world.guard.at = 0
        world.up(NEW, *BAKING)
        assert world.seen() == [NEW, NEW]
        assert world.rollouts == []
        assert all(len(each.writes) <= 2 for each in world.endpoints.values())
    assert at > 100


def test_a_killed_rollout_goes_on_where_it_stood():
    """Killed at each of its changes, it ends as if it had not been, with at most one more write an endpoint."""
    for at in count(1):
        world = World()
        if not world.killed(at, NEW, *BAKING):
            break
        world.up(NEW, *BAKING)
        assert world.seen() == [NEW, NEW]
        assert world.rollouts == []
        assert all(len(each.writes) <= 2 for each in world.endpoints.values())
    assert at > 20


def test_a_killed_rollout_that_then_fails_goes_back_to_what_was_good():
    """Killed at each of its changes, the second ring fails afterwards: both serve the old model."""
    for at in count(1):
        world = World()
        if not world.killed(at, NEW, *RINGS):
            break
        live = world.endpoints["live"]
        if live.says == OLD:
            live.faults = ["stale"]
            assert world.fails(NEW, *RINGS).endswith(f"pilot serves {OLD} again")
            assert world.seen() == [OLD, OLD]
    assert at > 15


def test_a_way_back_that_was_killed_counts_as_nothing_done(world):
    """Killed as the last ring goes back: the next update bakes both rings anew."""
    live = world.endpoints["live"]
    live.faults = ["rolled-back 20"]
    write = live.write

    def killed(model: str) -> None:
        if model == OLD:
            world.stop()
        write(model)

    live.write = killed
    live.broken = lambda: "crashed" if live.says == NEW and world.clock.monotonic() > 75 else ""
    live.faults = []
    rules = (ring("pilot", "60s", "errors <= 0.1"), ring("live", "60s", "errors <= 0.1"))
    with pytest.raises(Killed):
        world.up(NEW, *rules)
    live.write, live.broken = write, str
    began = world.clock.monotonic()
    world.up(NEW, *rules)
    assert world.seen() == [NEW, NEW]
    assert world.clock.monotonic() - began >= 120


def test_a_ring_that_is_done_is_not_baked_again(world):
    """Killed while the second ring bakes: the first one's minute is not repeated."""
    world.guard.at = while_the_last_ring_bakes()
    with pytest.raises(UpdateCancelled):
        world.up(NEW, *BAKING)
    scored = world.scored["pilot"]
    world.guard.at = 0
    world.up(NEW, *BAKING)
    assert world.scored["pilot"] == scored


def test_a_ring_that_was_done_and_is_no_more_is_bound_again(world):
    """Somebody has bound the pilot since."""
    interrupted(world)
    world.endpoints["pilot"].says = world.endpoints["pilot"].answers = OTHER
    world.up(NEW, *BAKING)
    assert world.seen() == [NEW, NEW]


def test_a_bake_goes_on_with_what_is_left_of_it(world):
    """Killed after forty looks of the second ring's minute: the rest is less than that minute."""
    world.guard.at = while_the_last_ring_bakes()
    with pytest.raises(UpdateCancelled):
        world.up(NEW, *BAKING)
    world.guard.at = 0
    before = world.clock.monotonic()
    world.up(NEW, *BAKING)
    assert 20 < world.clock.monotonic() - before < 60


def test_a_bake_that_nobody_watched_is_watched_for_ten_looks(world):
    """The update comes back a day later: the minute is over, but nobody looked."""
    world.guard.at = while_the_last_ring_bakes()
    with pytest.raises(UpdateCancelled):
        world.up(NEW, *BAKING)
    world.guard.at = 0
    world.clock.sleep(86_400)
    before = world.clock.monotonic()
    world.up(NEW, *BAKING)
    assert world.clock.monotonic() - before >= 5 + 9 * 60 / 60


def test_a_clock_that_was_ahead_does_not_prolong_a_bake(world):
    """It began in the future, says the record of another machine: it bakes its whole minute, and no more."""
    world.guard.at = while_the_last_ring_bakes()
    with pytest.raises(UpdateCancelled):
        world.up(NEW, *BAKING)
    world.guard.at = 0
    name = world.rollouts[0]
    record = json.loads(world.registry.blobs[name][0])
    world.registry.put(name, json.dumps(record | {"since": "2027-01-01T00:00:00+00:00"}).encode())
    before = world.clock.monotonic()
    world.up(NEW, *BAKING)
    assert 60 <= world.clock.monotonic() - before < 75


def test_another_model_after_an_interrupted_rollout_goes_back_to_the_last_good_one(world):
    """Not to the one that was half bound."""
    world.guard.at = while_the_last_ring_bakes()
    with pytest.raises(UpdateCancelled):
        world.up(NEW, *BAKING)
    world.guard.at = 0
    assert world.seen() == [NEW, NEW]
    world.endpoints["live"].faults = ["unchanged"]
    cause = world.fails(OTHER, *RINGS)
    assert cause.endswith(f"live serves {OLD} again; pilot serves {OLD} again")
    assert world.seen() == [OLD, OLD]


def test_a_record_that_a_race_has_left_is_no_way_back(world):
    """NEW was bound by an update that succeeded: what fails goes back to that, not to what was before it."""
    interrupted(world)
    (name,) = world.rollouts
    left = world.registry.blobs[name][0]
    world.up(NEW, *BAKING)
    world.registry.put(name, left)
    world.endpoints["live"].faults = ["unchanged"]
    cause = world.fails(OTHER, *RINGS)
    assert f"pilot serves {NEW} again" in cause
    assert world.seen() == [NEW, NEW]


def settled(world: World, model: str) -> None:
    """An update to *model* as an engine makes it, which changes nothing where nothing has changed."""
    props, life = world.props(model, *RINGS), world.lifecycle()
    checked = life.check(props, world.outputs)
    if life.diff(world.outputs, checked).changes:
        world.outputs = life.update("id", world.outputs, checked)
    assert world.seen() == [model, model]
    assert world.rollouts == []
    assert "found" not in world.lifecycle().check(props, world.outputs)


@pytest.mark.parametrize("then", [OLD, NEW, OTHER])
def test_the_record_of_a_killed_rollout_is_closed_by_the_next_update(then):
    """Killed at each of its changes, also before the first: the next one to whatever model, the former included, closes it."""
    for at in count(1):
        world = World()
        world.up(OLD, *RINGS)
        if not world.killed(at, NEW, *RINGS):
            break
        settled(world, then)
    assert at > 20


def test_a_record_that_cannot_be_read_is_closed_as_well(world):
    """The preview says so, and the next update leaves none."""
    world.up(NEW, *RINGS)
    world.registry.put(record_name(world, world.props()), b"half a rec")
    found = world.lifecycle().check(world.props(NEW, *RINGS), world.outputs)["found"]
    assert found == {"live": "unfinished"}
    settled(world, NEW)


def raced(world: World, at: int, other_ends: int) -> dict[str, Any]:
    """Two updates from one state: at the *at*-th change of one to NEW comes another to OTHER, which is killed at the
    *other_ends*-th of its own. The outputs of those that succeeded.
    """
    before, done = world.outputs, {}

    def up(model: str) -> None:
        life = world.lifecycle()
        with suppress(BindingFailed):
            done[model] = life.update("id", before, life.check(world.props(model, *RINGS), before))

    def struck() -> None:
        world.kill_at, world.strike = world.ticks + other_ends, world.stop
        with suppress(Killed):
            up(OTHER)
        world.kill_at = 0

    world.kill_at, world.ticks, world.strike = at, 0, struck
    up(NEW)
    return done


@pytest.mark.parametrize("kept", [NEW, OTHER], ids=["new", "other"])
@pytest.mark.parametrize("other_ends", [2, 3, 4, 7, 12, 20, 1000])
def test_the_record_of_a_race_is_closed_by_the_next_update(other_ends, kept):
    """At each change, whichever of the two has left the state: the next update reaches what it declares, and no record is left."""
    for at in count(1):
        world = World()
        before = world.up(OLD, *RINGS)
        done = raced(world, at, other_ends)
        if world.ticks < at:
            break
        world.outputs = done.get(kept, before)
        settled(world, kept if kept in done else OLD)
    assert at > 20


def test_the_half_bound_model_is_not_taken_for_another_one_either(world):
    """Both endpoints go on answering as NEW, and staging does too."""
    interrupted(world)
    for endpoint in world.endpoints.values():
        endpoint.faults = ["stale", "stale"]
    cause = world.fails(OTHER, *RINGS)
    assert "another model still answers" in cause


def test_going_back_after_an_interrupted_rollout_is_verified_as_well(world):
    """The half bound model is cached everywhere: the old one is not reported."""
    interrupted(world)
    for endpoint in world.endpoints.values():
        endpoint.faults = ["stale", "stale"]
    assert "another model still answers" in world.fails(OLD, *RINGS)
    world.up(OLD, *RINGS)
    assert world.seen() == [OLD, OLD]


def test_a_rollout_that_another_one_takes_up_puts_nothing_back(world):
    """The other one decides; both know."""
    saved = []

    def meddle() -> None:
        name = world.rollouts[0]
        saved.append(name)
        world.registry.put(name, world.registry.blobs[name][0])

    pilot = world.endpoints["pilot"]
    write = pilot.write

    def meeting(model: str) -> None:
        write(model)
        meddle()

    pilot.write = meeting
    with pytest.raises(TakenOver) as failed:
        world.up(NEW, *RINGS)
    assert "another update brings a model to the endpoints of 'live'" in failed.value.cause
    assert world.seen() == [NEW, OLD]
    assert world.rollouts == saved


def test_of_two_rollouts_that_begin_at_once_one_changes_nothing(world):
    """Not even staging."""
    other = world.props(OTHER, *RINGS)
    world.registry.before_write = lambda: world.registry.put(record_name(world, other), b"theirs")
    with pytest.raises(TakenOver):
        world.up(NEW, *RINGS)
    assert [each.writes for each in world.endpoints.values()] == [[], [], []]


def test_of_two_that_go_on_with_a_rollout_one_changes_nothing(world):
    """It is taken up before anything is bound."""
    pilot = world.endpoints["pilot"]
    pilot.write = lambda _model: world.stop()
    with pytest.raises(Killed):
        world.up(NEW, *RINGS)
    del pilot.write
    name = world.rollouts[0]
    world.registry.before_write = lambda: world.registry.put(name, world.registry.blobs[name][0])
    with pytest.raises(TakenOver):
        world.up(NEW, *RINGS)
    assert pilot.writes == []


def test_an_update_that_is_cancelled_on_its_way_back_stops(world):
    """At each time that it asks: nothing is changed any more, and the next one goes on."""
    for at in count(1):
        world = World()
        world.endpoints["live"].faults = ["unchanged"]
        world.guard.at = at
        try:
            world.up(NEW, *RINGS)
        except UpdateCancelled:
            asked = world.guard.asked
        except BindingFailed:
            assert world.guard.asked < at
            break
        assert asked == at
        world.guard.at, world.endpoints["live"].faults = 0, []
        world.up(NEW, *RINGS)
        assert world.seen() == [NEW, NEW]
    assert at > 20


def test_the_record_of_another_rollout_is_not_deleted(world):
    """It was taken up after the last change of this one."""
    name = record_name(world, world.props())
    world.endpoints["live"].write, write = None, world.endpoints["live"].write

    def taken(model: str) -> None:
        write(model)
        world.registry.put(name, b"theirs")

    world.endpoints["live"].write = taken
    world.up(NEW)
    assert world.rollouts == [name]
