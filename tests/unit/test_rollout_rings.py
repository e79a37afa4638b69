"""A model on its way through rings: in order, put back with those before, gone on with where it was killed."""

from __future__ import annotations

import json
from contextlib import suppress
from itertools import count

import pytest

from clients.errors import BindingFailed, ConfigurationError, EngineGone, UpdateCancelled
from retrain_hooks.rollout import TakenOver
from retrain_hooks.run_key import digest
from tests.unit.promotion_world import RESOURCE, SERVICE
from tests.unit.rollout_world import NEW, OLD, OTHER, RINGS, ROWS, Killed, World, ring


@pytest.fixture
def world() -> World:
    return World()


BAKING = (ring("pilot", "60s"), ring("live", "60s"))


def test_a_ring_gets_the_model_when_the_one_before_it_has_baked(world):
    """The live endpoint is not written before the pilot's minute is over."""
    live = world.endpoints["live"]
    written: list[float] = []
    write = live.write
    live.write = lambda model: (written.append(world.clock.monotonic()), write(model))
    outputs = world.up(NEW, *BAKING)
    assert outputs["serving"] == {"pilot": NEW, "live": NEW}
    assert written[0] >= 65.0
    assert world.clock.monotonic() >= 130.0
    assert world.rollouts == []


def test_a_second_ring_that_fails_takes_the_first_one_back_with_it(world):
    """The last first."""
    world.endpoints["live"].faults = ["stale"]
    cause = world.fails(NEW, *RINGS)
    assert cause.endswith(f"live serves {OLD} again; pilot serves {OLD} again")
    assert world.seen() == [OLD, OLD]
    assert world.rollouts == []


def test_a_first_ring_that_fails_leaves_the_second_untouched(world):
    """No write to the live endpoint at all."""
    world.endpoints["pilot"].faults = ["incompatible"]
    assert world.fails(NEW, *RINGS).endswith(f"pilot serves {OLD}")
    assert world.endpoints["live"].writes == []


def test_one_endpoint_that_cannot_be_put_back_does_not_keep_the_others(world):
    """Each is named."""
    world.endpoints["live"].faults = ["stale", *["unchanged"] * 3]
    cause = world.fails(NEW, *RINGS)
    assert f"live could not be put back to {OLD}" in cause
    assert cause.endswith(f"pilot serves {OLD} again")
    assert world.seen() == [OLD, f"{OLD} for {NEW}"]


def test_a_ring_of_two_endpoints_gets_the_model_together(world):
    """And goes back together."""
    both = {"name": "both", "endpoints": ["pilot", "live"], "bake": "0", "rules": []}
    world.endpoints["live"].faults = ["unchanged"]
    assert world.fails(NEW, both).endswith(f"live serves {OLD}; pilot serves {OLD} again")
    assert world.up(NEW, both)["serving"] == {"pilot": NEW, "live": NEW}


def test_a_model_that_is_rolled_back_while_it_bakes_fails_the_update(world):
    """Both rings serve the old one."""
    world.endpoints["live"].faults = ["rolled-back 30"]
    cause = world.fails(NEW, *BAKING)
    assert f"'live' took {NEW} and went back to {OLD}" in cause
    assert world.seen() == [OLD, OLD]


def test_an_old_model_that_comes_back_while_the_new_one_bakes_fails_the_update(world):
    """The endpoint goes on saying that it serves the new one."""
    live = world.endpoints["live"]
    live.faults = [""]
    write = live.write

    def lagging(model: str) -> None:
        write(model)
        if model == NEW:
            live.later.append((world.clock.monotonic() + 40, lambda: setattr(live, "answers", OLD)))

    live.write = lagging
    assert "answers as before again" in world.fails(NEW, *BAKING)
    assert world.seen() == [OLD, OLD]


def test_a_first_ring_that_is_rolled_back_while_the_second_bakes_fails_the_update(world):
    """It is looked at once more at the end."""
    world.endpoints["pilot"].faults = ["rolled-back 30"]
    cause = world.fails(NEW, ring("pilot"), ring("live", "60s"))
    assert f"'pilot' took {NEW} and went back to {OLD}" in cause
    assert world.seen() == [OLD, OLD]


def test_a_ring_with_nothing_to_change_does_not_bake(world):
    """Somebody has bound the pilot: it alone is put right, and no rule is judged on the live endpoint."""
    strict = (ring("pilot", "60s", "shift <= 0.5"), ring("live", "60s", "shift <= 0.5"))
    world.up(NEW, *strict)
    world.endpoints["pilot"].says = world.endpoints["pilot"].answers = OTHER
    began = world.clock.monotonic()
    world.up(NEW, *strict)
    assert world.seen() == [NEW, NEW]
    assert 60 <= world.clock.monotonic() - began < 120


def test_nothing_to_change_writes_nothing(world):
    """An update for another reason: probed, read back, and that is all."""
    world.up(NEW, *BAKING)
    writes, began = list(world.registry.writes), world.clock.monotonic()
    world.lifecycle().update("id", world.outputs, world.props(NEW, *BAKING))
    markers = [name for name in world.registry.writes[len(writes) :] if not name.startswith("bound/")]
    assert markers == []
    assert [world.endpoints[name].writes for name in ("pilot", "live", "staging")] == [[NEW]] * 3
    assert world.clock.monotonic() == began


# Killed


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


def while_the_last_ring_bakes() -> int:
    """The forty-first time that an update's guard is asked after the live endpoint was bound."""
    trial = World()
    seen: list[int] = []
    check = trial.guard.check

    def counting() -> None:
        check()
        if trial.endpoints["live"].writes and not seen:
            seen.append(trial.guard.asked)

    trial.guard.check = counting
    trial.up(NEW, *BAKING)
    return seen[0] + 40


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


def interrupted(world: World, **more) -> None:
    """A rollout of NEW that was interrupted while its last ring baked."""
    world.guard.at = while_the_last_ring_bakes()
    with pytest.raises(UpdateCancelled):
        world.up(NEW, *BAKING, **more)
    world.guard.at = 0


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


def test_what_was_answered_to_other_rows_is_not_compared(world):
    """Another model is probed with rows of its own: the way back is seen by what answers no more."""
    interrupted(world)
    world.data.put("holdout.csv", ROWS.replace("\n0.", "\n1.").encode())
    world.endpoints["live"].faults = ["unchanged"]
    cause = world.fails(OTHER, *RINGS)
    assert cause.endswith(f"live serves {OLD} again; pilot serves {OLD} again")
    assert world.clock.monotonic() < 400


@pytest.mark.parametrize("first", ["", "stale"])
def test_a_way_back_to_unknown_answers_is_not_believed_while_others_answer(world, first):
    """The new model, or the half bound one, is cached on the pilot: it is not said to serve the old one."""
    interrupted(world)
    world.data.put("holdout.csv", ROWS.replace("\n0.", "\n1.").encode())
    world.endpoints["live"].faults = ["unchanged"]
    world.endpoints["pilot"].faults = [first, *["stale"] * 3]
    cause = world.fails(OTHER, *RINGS)
    assert f"pilot could not be put back to {OLD}" in cause


def test_what_was_answered_to_other_rows_is_not_compared_for_the_same_model_either(world):
    """Its holdout is another one now: the way back is seen all the same."""
    interrupted(world)
    world.data.put("holdout.csv", ROWS.replace("\n0.", "\n1.").encode())
    began = world.clock.monotonic()
    cause = world.fails(NEW, ring("pilot"), ring("live", "60s", "shift <= 9"))
    assert "shift is not known" in cause
    assert cause.endswith(f"live serves {OLD} again; pilot serves {OLD} again")
    assert world.clock.monotonic() - began < 200


def test_scores_of_other_rows_are_no_measure_of_a_shift(world):
    """It is not known, and what is not known does not hold."""
    interrupted(world)
    world.data.put("holdout.csv", ROWS.replace("\n0.", "\n1.").encode())
    assert "shift is not known" in world.fails(OTHER, ring("pilot", "60s", "shift <= 9"), ring("live"))


@pytest.mark.parametrize("content", [b"{", b"[]", b'{"version": 99}', b'{"version": 1, "address": "x"}'])
def test_a_record_that_cannot_be_read_is_none(world, content):
    """The rollout begins anew."""
    interrupted(world)
    world.registry.put(world.rollouts[0], content)
    world.up(NEW, *BAKING)
    assert world.seen() == [NEW, NEW]
    assert world.rollouts == []


# Raced


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
    world.registry.before_write = lambda: world.registry.put(_name(world, other), b"theirs")
    with pytest.raises(TakenOver):
        world.up(NEW, *RINGS)
    assert [each.writes for each in world.endpoints.values()] == [[], [], []]


def _name(world: World, props) -> str:
    return (
        f"rollouts/{digest([props[name] for name in ('target', 'service', 'endpointName', 'resource')])}.json"
    )


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
    name = _name(world, world.props())
    world.endpoints["live"].write, write = None, world.endpoints["live"].write

    def taken(model: str) -> None:
        write(model)
        world.registry.put(name, b"theirs")

    world.endpoints["live"].write = taken
    world.up(NEW)
    assert world.rollouts == [name]


# What the engine asks


def test_rings_that_are_none_are_refused_before_anything_is_changed(world):
    """An endpoint in two of them."""
    with pytest.raises(ConfigurationError, match="in more than one place"):
        world.lifecycle().check(world.props(NEW, ring("live"), ring("live") | {"name": "again"}), {})


def test_a_binding_whose_check_is_gone_can_still_be_read_and_deleted(world):
    """Its endpoints are known without their rules."""
    props = world.props(NEW, ring("pilot", "1s", "gone_checks:steady"), ring("live"))
    old = world.up(NEW, *RINGS) | {"rings": props["rings"]}
    life = world.lifecycle()
    assert life.read("id", old)[0]["serving"] == {"pilot": NEW, "live": NEW}
    assert not life.diff(old, world.props(NEW, *RINGS)).changes
    life.delete("id", old)
    assert not [name for name in world.registry.blobs if name.startswith("bound/")]


def test_a_binding_that_is_deleted_leaves_no_rollout(world):
    """Whoever binds to a service of the same name later has nothing to go back to."""
    interrupted(world)
    world.lifecycle().delete("id", world.props(NEW, *BAKING))
    assert world.rollouts == []


def test_a_ring_that_deviates_is_found_by_the_next_preview(world):
    """And by a refresh, with the address that is served."""
    world.up(NEW, *RINGS)
    assert "found" not in world.lifecycle().check(world.props(NEW, *RINGS), world.outputs)
    world.endpoints["pilot"].says = world.endpoints["pilot"].answers = OTHER
    checked = world.lifecycle().check(world.props(NEW, *RINGS), world.outputs)
    assert checked["found"] == {"pilot": OTHER}
    assert world.lifecycle().diff(world.outputs, checked).changes
    read, inputs = world.lifecycle().read("id", world.outputs)
    assert (read["address"], inputs["address"], read["serving"]["pilot"]) == (OTHER, OTHER, OTHER)


def test_an_unfinished_binding_is_found_by_the_next_preview(world):
    """It says the right thing, and something may still be on its way."""
    world.up(NEW, *RINGS)
    world.endpoints["pilot"].write = lambda _model: world.stop()
    with pytest.raises(Killed):
        world.up(OTHER, *RINGS)
    assert world.lifecycle().check(world.props(NEW, *RINGS), world.outputs)["found"]["pilot"] == "unfinished"


def test_a_ring_more_is_news(world):
    """So is one less."""
    old = world.up(NEW, *RINGS)
    assert world.lifecycle().diff(old, world.props(NEW, RINGS[1])).changes
    assert SERVICE["id"] in world.lifecycle().create(world.props(NEW, *RINGS))[0]
    assert RESOURCE in world.lifecycle().create(world.props(NEW, *RINGS))[0]
