"""A model on its way through rings: in order, put back with those before."""

from __future__ import annotations

import pytest

from clients.errors import ConfigurationError
from tests.unit.promotion_world import RESOURCE, SERVICE
from tests.unit.rollout_world import (
    BAKING,
    NEW,
    OLD,
    OTHER,
    RINGS,
    ROWS,
    Killed,
    World,
    interrupted,
    ring,
)


@pytest.fixture
def world() -> World:
    return World()


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
