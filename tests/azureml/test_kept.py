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
