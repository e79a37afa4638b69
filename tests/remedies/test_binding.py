"""What a binding advises, done, and the new model is served."""

from __future__ import annotations

from typing import Any

import pytest

from tests.healing import Told
from tests.unit.rollout_world import BAKING, NEW, OLD, RINGS, World, raise_for, ring

heals = pytest.mark.heals
ROLLER = "retrain_hooks/binding/roller.py"


@pytest.fixture
def world() -> World:
    """Endpoints that serve OLD."""
    found = World()
    for model in (OLD, NEW):
        found.trained(model, f"hash of {model}")
    return found


def again(world: World, *rings: dict[str, Any], **more: Any) -> None:
    """The next update, once whatever it was is over."""
    for endpoint in world.endpoints.values():
        endpoint.faults, endpoint.later, endpoint.broken = [], [], str
    world.up(NEW, *rings, **more)
    assert set(world.seen("live")) == {NEW}


@heals("run the update again: it closes it")
def test_a_record_that_was_not_closed(remedy: Told, world: World) -> None:
    """The next update closes it."""
    delete, world.registry.delete = world.registry.delete, lambda _name, **_more: raise_for("busy", "")
    remedy.fails(world.up)
    world.registry.delete = delete
    again(world)
    assert world.rollouts == []


@heals("wait until the other one has ended, then run the update again")
def test_two_at_once(remedy: Told, world: World) -> None:
    """When the other one has ended, this one binds."""
    pilot = world.endpoints["pilot"]
    write = pilot.write

    def meeting(model: str) -> None:
        write(model)
        [name] = world.rollouts
        world.registry.put(name, world.registry.blobs[name][0])

    pilot.write = meeting  # type: ignore[method-assign]
    remedy.fails(lambda: world.up(NEW, *RINGS))
    del pilot.write
    again(world, *RINGS)
    assert world.rollouts == []


@pytest.mark.parametrize("way", ["answers", "probeRows"])
@heals("see that it answers, or set probeRows to 0 to go by what is read back; then run the update again")
def test_an_endpoint_that_does_not_answer(remedy: Told, world: World, way: str) -> None:
    """It answers, or nobody asks it."""
    world.endpoints["live"].broken = lambda: "busy"
    remedy.fails(world.up)
    if way == "answers":
        again(world)
    else:
        world.up(NEW, probe={"rows": 0})
        assert world.endpoints["live"].says == NEW


@pytest.mark.parametrize("way", ["again", "others", "probeRows"])
@heals(
    "run the update again; if the two models answer these rows alike, probe with others (a holdout), or set probeRows to 0 to go by what is read back"
)
def test_an_endpoint_that_goes_on_answering_as_before(remedy: Told, world: World, way: str) -> None:
    """It keeps an old model for a while; others tell two alike models apart, and so does what is read back."""
    if way == "again":
        world.endpoints["live"].faults = ["stale"]
        remedy.fails(world.up)
        again(world)
        return
    world.shift[NEW] = world.shift[OLD]
    remedy.fails(world.up)
    if way == "others":
        world.shift[NEW] = 0.3  # on other rows
        again(world, probe={"rows": 9})
    else:
        world.up(NEW, probe={"rows": 0})
        assert world.endpoints["live"].says == NEW


@heals("see who else binds models to it, then run the update again", at=ROLLER)
def test_a_model_that_is_rolled_back(remedy: Told, world: World) -> None:
    """Once nobody does that, it stays."""
    world.endpoints["live"].faults = ["rolled-back 1"]
    remedy.fails(world.up)
    again(world)


@heals("see why the service goes back to an old model, then run the update again")
def test_an_old_model_that_comes_back(remedy: Told, world: World) -> None:
    """Once it does not, the new one bakes to its end."""
    live = world.endpoints["live"]
    write = live.write

    def lagging(model: str) -> None:
        write(model)
        if model == NEW:
            live.later.append((world.clock.monotonic() + 40, lambda: setattr(live, "answers", OLD)))

    live.write = lagging  # type: ignore[method-assign]
    remedy.fails(lambda: world.up(NEW, *BAKING))
    del live.write
    again(world, *BAKING)


@heals("declare another model, or other rules for the ring", at="retrain_hooks/binding/roller.py")
def test_a_ring_that_does_not_hold(remedy: Told, world: World) -> None:
    """With another rule it does."""
    remedy.fails(lambda: world.up(NEW, ring("pilot", "60s", "shift <= 0.01"), ring("live")))
    again(world, ring("pilot", "60s", "shift <= 0.5"), ring("live"))


@heals("look at the endpoint, then run the update again", at="retrain_hooks/serving/live.py")
def test_an_endpoint_that_says_yes_and_does_nothing(remedy: Told, world: World) -> None:
    """Once it does, it serves."""
    world.endpoints["live"].faults = ["unchanged"]
    remedy.fails(world.up)
    again(world)


@heals("publish a predictive experiment that fits the model, or declare the one that trained it")
def test_a_model_that_does_not_fit(remedy: Told, world: World) -> None:
    """It fits another experiment."""
    world.endpoints["live"].faults = ["incompatible"]
    remedy.fails(world.up)
    again(world)
