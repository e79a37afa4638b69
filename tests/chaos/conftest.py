"""Directed histories, in the worker's world."""

from __future__ import annotations

from collections.abc import Callable
from itertools import count

import pytest

from tests.chaos.campaign import Outcome, play
from tests.chaos.histories import History, Step
from tests.chaos.program import PASSING, Gate
from tests.chaos.world import World

Tell = Callable[..., Outcome]


numbers = count(1)


@pytest.fixture
def tell(world: World) -> Tell:
    """Plays steps, checks all invariants, and answers how it went."""

    def told(*steps: Step, gate: Gate = PASSING, sabotage: str = "") -> Outcome:
        return play(world, History(0, 0, steps, gate), f"t{next(numbers)}", sabotage)

    return told
