"""Which deployments stay when a model is rolled out."""

from __future__ import annotations

from tests.azureml.world import World


def test_what_stays_is_what_served_last(world: World) -> None:
    """A model that was refused on staging is not kept in the place of the one that served; a return counts as serving."""
    service = world.publish()

    def bound(number: int) -> str:
        world.traffic(service).write("model", world.model(number))
        world.traffic(service).retire(1)
        [name] = world.shares()
        return name

    first = bound(1)
    world.traffic(service, staging=True).write("model", world.model(2))
    second = bound(3)
    assert world.names() == sorted([first, second])
    assert bound(1) == first
    assert world.names() == sorted([first, second])
    third = bound(4)
    assert world.names() == sorted([first, third])
    world.traffic(service).retire(0)
    assert world.names() == [third]


def test_of_candidates_that_are_refused_in_a_row_the_last_alone_stays(world: World) -> None:
    """Each would go on costing an instance, until an endpoint has as many deployments as it can have.

    What serves, and what served before, is not touched, nor is one that has a part of the calls.
    """
    service = world.publish()
    live, staging = world.traffic(service), world.traffic(service, staging=True)
    for number in (1, 2):
        live.write("model", world.model(number))
        live.retire(1)
    kept = world.names()
    for number in (3, 4, 5):
        staging.write("model", world.model(number))
    [last] = set(world.names()) - set(kept)
    assert staging.read()[0].location.endswith(world.model(5).path)
    world.traffic(service).move("model", world.model(5), 10)
    staging.write("model", world.model(6))
    assert {*kept, last} < set(world.names())
    assert len(world.names()) == len(kept) + 2
