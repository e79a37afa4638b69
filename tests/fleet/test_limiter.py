"""How many members are worked on at once."""

from __future__ import annotations

from clients.clock import ManualClock
from retrain_hooks.fleet.scheduling.limiter import Limiter


def answers(limiter: Limiter, count: int, status: int = 200, seconds: float = 0.01) -> None:
    for _answer in range(count):
        limiter.answered("GET", status, seconds)


def test_at_first_each_answer_lets_in_one_more_up_to_the_declared_limit():
    limiter = Limiter(40, ManualClock().monotonic)
    assert limiter.limit == 4
    answers(limiter, 10)
    assert limiter.limit == 14
    answers(limiter, 100)
    assert limiter.limit == 40


def test_an_error_lets_in_nobody():
    limiter = Limiter(40, ManualClock().monotonic)
    answers(limiter, 10, status=500)
    assert limiter.limit == 4


def test_a_plea_for_patience_halves_once_a_round_and_only_members_let_in_more_from_then_on():
    clock = ManualClock()
    limiter = Limiter(40, clock.monotonic)
    answers(limiter, 36)
    answers(limiter, 5, status=429)
    assert limiter.limit == 20
    answers(limiter, 100)
    assert limiter.limit == 20
    for _member in range(21):
        limiter.went_well()
    assert limiter.limit == 21
    clock.sleep(2)
    answers(limiter, 1, status=503)
    assert limiter.limit == 10


def test_answers_that_take_much_longer_than_at_their_best_halve_it():
    limiter = Limiter(40, ManualClock().monotonic)
    answers(limiter, 40)
    answers(limiter, 20, seconds=5.0)
    assert limiter.limit == 20
