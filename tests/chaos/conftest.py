"""One world for the directed histories of a file."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import count

import pytest

from tests.chaos.campaign import Outcome, play
from tests.chaos.histories import History, Step
from tests.chaos.program import PASSING, Gate
from tests.chaos.world import World

Tell = Callable[..., Outcome]


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A local cloud of this file's own."""
    found = World(tmp_path_factory.mktemp("world"))
    try:
        yield found.start()
    finally:
        found.close()


@pytest.fixture(scope="module")
def tell(world: World) -> Tell:
    """Plays steps, checks all invariants, and answers how it went."""
    numbers = count(1)

    def told(*steps: Step, gate: Gate = PASSING, sabotage: str = "") -> Outcome:
        return play(world, History(0, 0, steps, gate), f"t{next(numbers)}", sabotage)

    return told
