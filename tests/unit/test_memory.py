"""What one run has asked already is not asked again, until it may be another answer."""

from __future__ import annotations

import pytest

from retrain_hooks.host.memory import FRESH_SECONDS, Memory
from tests.unit.fakes import ManualClock


class Asked:
    """Answers with how often it was asked."""

    def __init__(self) -> None:
        self.times = 0

    def __call__(self) -> int:
        self.times += 1
        return self.times


def test_a_question_is_asked_once_until_its_answer_is_forgotten_or_old():
    """Others are left alone; after half a minute somebody else may have changed it."""
    clock = ManualClock()
    memory, here, there = Memory(clock), Asked(), Asked()
    assert [memory.once(("endpoint", "a"), here) for _ in range(2)] == [1, 1]
    assert memory.once(("endpoint", "b"), there) == 1
    memory.forget("endpoint", "a")
    assert (memory.once(("endpoint", "a"), here), memory.once(("endpoint", "b"), there)) == (2, 1)
    clock.sleep(FRESH_SECONDS + 1)
    assert memory.once(("endpoint", "a"), here) == 3
    memory.forget("endpoint")
    assert memory.once(("endpoint", "b"), there) == 2


def test_what_could_not_be_answered_is_asked_again():
    """A failure is not kept."""
    memory = Memory(ManualClock())
    with pytest.raises(ZeroDivisionError):
        memory.once(("a",), lambda: 1 // 0)
    assert memory.once(("a",), lambda: 1) == 1
