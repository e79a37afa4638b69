"""What an endpoint serves: shares that add up, what others put there, and what is left of a rollout that fails."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clients.azureml.traffic import Traffic, merged
from clients.errors import BindingFailed, Conflict
from tests.azureml.world import RESOURCE, Meanwhile, World

NAMES = st.text("abc", min_size=1, max_size=3)


@st.composite
def traffics(draw: st.DrawFn) -> dict[str, int]:
    """A traffic as a service has it: shares that add up to 100, or nothing at all."""
    names = draw(st.lists(NAMES, unique=True, max_size=6))
    if not names:
        return {}
    cuts = sorted(draw(st.lists(st.integers(0, 100), min_size=len(names) - 1, max_size=len(names) - 1)))
    return {
        name: high - low
        for name, low, high in zip(names, [0, *cuts], [*cuts, 100], strict=True)
        if high > low
    }


@given(traffics(), NAMES, st.integers(1, 100))
def test_shares_add_up_and_the_others_keep_theirs_in_proportion(
    present: dict[str, int], name: str, share: int
) -> None:
    """The new one has exactly its share where another is served too; each other one is within 1 % of its part."""
    found = merged(present, name, share)
    others = {other: part for other, part in present.items() if other != name}
    assert sum(found.values()) == 100
    assert all(part > 0 for part in found.values())
    assert set(found) <= {*present, name}
    if not others:
        assert found == {name: 100}
        return
    assert found[name] == share
    total = sum(others.values())
    assert all(abs(found.get(other, 0) - (100 - share) * part / total) < 1 for other, part in others.items())


@given(traffics(), NAMES, st.integers(1, 100))
def test_shares_that_are_there_are_left(present: dict[str, int], name: str, share: int) -> None:
    """Asked again for the same share, nothing is changed: whoever reads it back writes nothing."""
    once = merged(present, name, share)
    assert merged(once, name, once[name]) == once


def own(world: World, service: str) -> str:
    """A deployment that somebody else made; its name."""
    code = world.aml.code(f"{world.name}-theirs", score_py="def init(): pass\ndef run(raw): return [0]\n")
    world.endpoint.deploy("theirs", code)
    return "theirs"


def test_what_somebody_else_serves_beside_keeps_its_part(world: World) -> None:
    """It is named in what is read, stays when a model gets its share, and is not deleted with ours."""
    service = world.publish()
    theirs = own(world, service)
    world.endpoint.traffic(**{theirs: 100})
    traffic = world.traffic(service)
    assert [(one.location, one.share) for one in traffic.read()] == [("deployment:theirs", 100)]
    traffic.move(RESOURCE, world.model(1), 40)
    shares = world.shares()
    assert shares.pop(theirs) == 60
    assert list(shares.values()) == [40]
    traffic.put_back()
    traffic.retire(0)
    assert world.shares() == {theirs: 100}
    assert world.names() == [theirs]


def test_what_somebody_else_changes_of_the_endpoint_at_the_same_moment_stays(world: World) -> None:
    """The write is refused by its ETag; read and merged again, both are there."""
    service = world.publish()
    old = world.model(1)
    world.traffic(service).write(RESOURCE, old)
    new = world.model(2)
    traffic = meeting(world, service, 1)
    traffic.move(RESOURCE, new, 30)
    assert sorted(world.shares().values()) == [30, 70]
    assert world.endpoint.get()["tags"] == {"look": "1"}


def meeting(world: World, service: str, times: int) -> Traffic:
    """Traffic where somebody else changes the endpoint between our read and our write, so many times."""
    traffic = world.traffic(service)
    read, met = traffic._workspace.arm.read, 0

    def meets(resource: str, **query: str) -> Any:
        nonlocal met
        found = read(resource, **query)
        if met < times:
            met += 1
            body = {**world.endpoint.get(), "tags": {"look": str(met)}}
            world.endpoint.done(world.aml.ws("PUT", world.endpoint.path, body))
        return found

    traffic._workspace.arm.read = meets  # type: ignore[method-assign]
    return traffic


def test_an_endpoint_that_never_holds_still_is_a_conflict(world: World) -> None:
    """It is told so after some attempts, and nothing of it was changed."""
    service = world.publish()
    world.traffic(service).write(RESOURCE, world.model(1))
    before, new = world.shares(), world.model(2)
    with pytest.raises(Conflict) as refused:
        meeting(world, service, 99).move(RESOURCE, new, 30)
    assert refused.value.status == 412
    assert world.shares() == before


def test_a_rollout_that_somebody_else_takes_out_of_our_hands_leaves_it_to_them(world: World) -> None:
    """In the middle of a step; the error says what is served now, and neither goes on nor back."""
    service = world.publish()
    world.up(service, 1)
    [old] = world.shares()

    def takes() -> None:
        world.endpoint.traffic(**{name: 99 if name == old else 1 for name in world.shares()})

    rings = [{"endpoints": [world.name], "bake": 0.3}]
    with pytest.raises(BindingFailed) as failed:
        world.up(service, 2, Meanwhile(takes), steps=[50, 100], rings=rings)
    assert sorted(world.shares().values()) == [1, 99]
    assert "somebody else has changed" in failed.value.cause
    assert "it is left so" in failed.value.cause


def test_a_part_that_somebody_takes_once_the_model_has_all_calls_is_no_success(world: World) -> None:
    """While the ring bakes: the model has the most calls still, and the update doesn't say that it is served; it is left so."""
    service = world.publish()
    world.up(service, 1)

    def takes() -> None:
        [ours] = world.shares()
        [other] = set(world.names()) - {ours}
        world.endpoint.traffic(**{ours: 80, other: 20})

    rings = [{"endpoints": [world.name], "bake": 0.3}]
    with pytest.raises(BindingFailed) as failed:
        world.up(service, 2, Meanwhile(takes, "ring"), steps=[100], rings=rings)
    assert sorted(world.shares().values()) == [20, 80]
    assert f"20 % {world.address(1)}" in failed.value.cause
    assert "it is left so" in failed.value.cause


def test_models_that_were_served_stay_deployed_for_going_back(world: World) -> None:
    """So many as are to be kept; going back makes no deployment."""
    service = world.publish()
    for number in (1, 2, 3):
        world.up(service, number, keepPrevious=1)
    names = world.names()
    assert len(names) == 2
    assert [name for name in names if name not in world.shares()] == [deployed(world, service, 2)]
    world.up(service, 2, keepPrevious=1)
    assert world.names() == names
    assert world.says(service) == "2.0"
    world.up(service, 2, keepPrevious=0)


def deployed(world: World, service: str, number: int) -> str:
    """The name of the deployment of a model that is deployed already."""
    return world.deployments(service).make(RESOURCE, world.registry.writable(world.address(number)))


def test_a_first_deployment_that_fails_leaves_nothing_served(world: World) -> None:
    """There was nothing before: the endpoint's traffic is none again."""
    service = world.publish()
    with pytest.raises(BindingFailed) as failed:
        world.up(
            service, 1, steps=[100], rings=[{"endpoints": [world.name], "bake": 0.2, "rules": ["p95 <= 0"]}]
        )
    assert world.shares() == {}
    assert "serves nothing again" in failed.value.cause
    world.up(service, 1)
    assert world.says(service) == "1.0"
