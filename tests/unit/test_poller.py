"""The one poller: notices ends soon, asks seldom, and never waits for ever."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clients.clock import ManualClock
from clients.errors import DeadlineExceeded
from clients.poller import Pace, wait


@given(st.floats(0.1, 3000))
def test_an_end_is_noticed_within_a_second_or_a_twentieth(seconds):
    """However long the job takes."""
    clock = ManualClock()
    wait(lambda waited: waited >= seconds or None, what="x", deadline=4000, clock=clock)
    assert clock.monotonic() - seconds <= max(1.0, 0.051 * seconds)


def test_a_job_of_an_hour_that_is_expected_to_take_one_is_looked_at_sixty_times_at_most():
    """Services count requests."""
    clock, looks = ManualClock(), []
    wait(
        lambda waited: looks.append(waited) or (waited >= 3600 or None),
        what="x",
        deadline=7200,
        clock=clock,
        pace=Pace(expected=3500),
    )
    assert len(looks) <= 60
    assert clock.monotonic() - 3600 <= 180


def test_a_wait_ends_at_its_deadline_and_names_what_it_waited_for():
    """No loop without an end."""
    clock = ManualClock()
    with pytest.raises(DeadlineExceeded, match="the job took longer than 10 s"):
        wait(lambda _waited: None, what="the job", deadline=10, clock=clock)
    assert clock.monotonic() == pytest.approx(10)


def test_what_a_look_raises_ends_the_wait():
    """Cancelling does not wait for the deadline."""

    def look(_waited: float) -> None:
        raise KeyError

    with pytest.raises(KeyError):
        wait(look, what="x", deadline=10, clock=ManualClock())


@pytest.mark.parametrize("pace", [{"shortest": 0}, {"shortest": 2, "longest": 1}, {"share": 1}])
def test_a_half_made_pace_is_refused(pace):
    """Value objects refuse nonsense."""
    with pytest.raises(ValueError, match="a Pace needs"):
        Pace(**pace)
