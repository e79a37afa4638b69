"""Forecasts are right as often as they say, whatever the histories are like."""

from __future__ import annotations

import pytest

from plans.forecasts import FEWEST, chance, distribution, forecast, interval, quantile
from tests.plans.histories import REGIMES, Told, told


@pytest.fixture(scope="module")
def figures() -> dict[str, Told]:
    """Of 300 retrainings of each regime."""
    return told(seed=7, count=300 * len(REGIMES))


@pytest.mark.parametrize("regime", ["all", *REGIMES])
def test_nine_of_ten_lie_in_their_intervals(figures: dict[str, Told], regime: str) -> None:
    """85 to 95 % of durations and metrics, of each regime as of all."""
    assert 0.85 <= figures[regime].within <= 0.95


def test_chances_of_the_gate_are_told_well(figures: dict[str, Told]) -> None:
    """A Brier score of 0.15 at most, though a fifth of the gates lie so near that nobody can know; these better than not to say."""
    assert figures["all"].brier <= 0.15
    assert figures["near the gate"].brier < 0.25


def test_with_too_few_runs_nothing_is_said() -> None:
    """No interval and no chance."""
    few = [0.7] * (FEWEST - 1)
    assert interval(few) is None
    assert chance(few, ">=", 0.5) is None
    assert forecast(few, [{"auc": each} for each in few], ["auc >= 0.5"]).chance is None


def test_what_never_differs_is_told_as_it_is() -> None:
    """And a gate beside it is certain."""
    same = [0.75] * FEWEST
    found = interval(same)
    assert found
    assert found.low == pytest.approx(found.high) == pytest.approx(0.75)
    assert (chance(same, ">=", 0.7), chance(same, ">=", 0.8), chance(same, "<=", 0.8)) == (1.0, 0.0, 1.0)


@pytest.mark.parametrize(("freedom", "value"), [(3, 2.353), (4, 2.132), (10, 1.812), (19, 1.729)])
def test_quantiles_are_those_of_the_tables(freedom: int, value: float) -> None:
    """Student's t at 95 %, and back."""
    assert quantile(0.95, freedom) == pytest.approx(value, abs=0.02)
    assert distribution(value, freedom) == pytest.approx(0.95, abs=0.01)
