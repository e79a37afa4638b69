"""Each kind of trigger as a function: state in, decision out."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from retrain_hooks.gate.rules import Evidence
from retrain_hooks.triggers import age, cron, drift, feedback, new_data

NOON = datetime(2026, 11, 27, 12, tzinfo=UTC)
DAY = timedelta(days=1)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


def due(expression: str, zone: str, first: str, last: str) -> list[str]:
    """When it is due between two moments, as clocks in that zone show it."""
    from zoneinfo import ZoneInfo

    settings = cron.Settings.parse({"cron": expression, "zone": zone})
    found = []
    for moment in cron.times(settings, at(first)):
        if moment > at(last):
            return found
        found.append(f"{moment.astimezone(ZoneInfo(zone)):%d. %H:%M %Z}")
    return found


def test_clocks_that_go_forward() -> None:
    """What is due in the missing hour is due as it ends, once a day; hourly things follow real time."""
    night = "2026-03-28T12:00+01:00", "2026-03-30T12:00+02:00"
    assert due("30 2 * * *", "Europe/Berlin", *night) == ["29. 03:00 CEST", "30. 02:30 CEST"]
    hourly = due("0 * * * *", "Europe/Berlin", "2026-03-29T00:30+01:00", "2026-03-29T04:30+02:00")
    assert hourly == ["29. 01:00 CET", "29. 03:00 CEST", "29. 04:00 CEST"]


def test_clocks_that_go_back() -> None:
    """What is due in the hour that comes twice is due the first time only, also where it was looked at in between."""
    night = "2026-10-24T12:00+02:00", "2026-10-26T12:00+01:00"
    assert due("30 2 * * *", "Europe/Berlin", *night) == ["25. 02:30 CEST", "26. 02:30 CET"]
    assert due("45 2 * * *", "Europe/Berlin", "2026-10-25T02:30+01:00", "2026-10-26T12:00+01:00") == [
        "26. 02:45 CET"
    ]
    hourly = due("0 * * * *", "Europe/Berlin", "2026-10-25T01:30+02:00", "2026-10-25T03:30+01:00")
    assert hourly == ["25. 02:00 CEST", "25. 02:00 CET", "25. 03:00 CET"]


def test_missed_times_are_one_run() -> None:
    """Five nights asleep: one decision, that says so; the same moment is not due again."""
    settings = cron.Settings("0 3 * * *")
    slept = cron.decide(settings, cron.Facts(NOON - 5 * DAY), NOON)
    assert slept.fire
    assert "due at 2026-11-23 03:00 UTC, and 4 times since: one run for all" in slept.reason
    assert slept.next_look == at("2026-11-28T03:00+00:00")
    again = cron.decide(settings, cron.Facts(datetime.fromisoformat(slept.keep["since"])), NOON)
    assert not again.fire
    year = cron.decide(cron.Settings("* * * * *"), cron.Facts(NOON - 300 * DAY), NOON)
    assert "more than 100 times" in year.reason


FIRST = {"flights/1.csv": "a", "flights/2.csv": "b"}


@pytest.mark.parametrize(
    ("there", "before", "fire", "told"),
    [
        (FIRST, None, True, "2 blobs are looked at for the first time"),
        (FIRST, FIRST, False, "as they were"),
        (FIRST | {"flights/3.csv": "c"}, FIRST, True, "new data: flights/3.csv"),
        (FIRST | {"flights/2.csv": "x"}, FIRST, True, "other bytes: flights/2.csv"),
        ({"flights/1.csv": "a"}, FIRST, False, "as they were"),
    ],
)
def test_new_data(there: Any, before: Any, fire: bool, told: str) -> None:
    """What is new or has other bytes is a reason; what is gone is none. The cause is what is there."""
    settings = new_data.Settings()
    found = new_data.decide(settings, new_data.Facts(there, before), NOON)
    assert (found.fire, told in found.reason) == (fire, True)
    assert found.next_look == NOON + timedelta(minutes=15)
    assert found.keep == {"blobs": there}
    assert found.cause == (new_data.decide(settings, new_data.Facts(there, {}), NOON).cause if fire else "")


def test_age() -> None:
    """A model is too old from the moment on; one that nothing is known of is not."""
    settings = age.Settings.parse({"age": "30d"})
    young = age.decide(settings, age.Facts("m", NOON - 29 * DAY), NOON)
    old = age.decide(settings, age.Facts("m", NOON - 30 * DAY), NOON)
    assert (young.fire, young.next_look) == (False, NOON + DAY)
    assert (old.fire, old.cause) == (True, "m")
    assert "30 days old" in old.reason
    assert not age.decide(settings, age.Facts("", None), NOON).fire


def test_psi_and_ks_see_a_shift_and_no_noise() -> None:
    """Ten columns of chance stay under the usual limits; a shift by a standard deviation is over them, with texts too."""
    print("seed", seed := 14)
    chance = random.Random(seed)

    def column(mean: float) -> list[str | None]:
        return [f"{chance.gauss(mean, 1):.3f}" for _row in range(2000)]

    before = {f"c{n}": column(0) for n in range(10)} | {
        "carrier": ["UA"] * 900 + ["AA"] * 1000 + [None] * 100
    }
    same = {f"c{n}": column(0) for n in range(10)} | {"carrier": ["UA"] * 930 + ["AA"] * 970 + [None] * 100}
    for settings in (drift.Settings(psi=0.1), drift.Settings(ks=0.1)):
        still = drift.decide(settings, drift.compare(settings, before, same), NOON)
        moved = drift.decide(
            settings, drift.compare(settings, before, same | {"c3": column(1)}, "data"), NOON
        )
        assert not still.fire, still
        assert (moved.fire, moved.cause) == (True, "data")
        assert "of c3 " in moved.reason
    texts = drift.Settings(psi=0.1)
    other = drift.compare(texts, before, same | {"carrier": ["UA"] * 900 + ["ZZ"] * 1100})
    assert "of carrier " in drift.decide(texts, other, NOON).reason


def test_psi_is_the_sum_that_textbooks_have() -> None:
    """Two values, shares 0.5 and 0.5, then 0.8 and 0.2: 0.3 ln 1.6 - 0.3 ln 0.4."""
    assert drift.psi(["a", "b"] * 50, ["a"] * 80 + ["b"] * 20) == pytest.approx(0.41588830833)


def test_a_column_that_was_constant_and_is_no_more_is_a_shift() -> None:
    """January's rows all have month 1, December's 12: few numbers are compared as they are."""
    assert drift.psi(["1"] * 200, ["12"] * 200) > 5


def test_drift_that_cannot_be_told_is_no_reason() -> None:
    """Few rows, and a column that is missing."""
    settings = drift.Settings(psi=0.2)
    few = drift.compare(settings, {"a": ["1"] * 99}, {"a": ["2"] * 99})
    missing = drift.compare(settings, {"a": ["1"] * 200}, {"b": ["2"] * 200})
    assert [drift.decide(settings, one, NOON).fire for one in (few, missing)] == [False, False]
    assert "no column 'a'" in missing.problem


@pytest.mark.parametrize(
    ("evidence", "fire", "told"),
    [
        (Evidence({"auc": 0.55, "rows": 500}), True, "on 500 rows of feedback: auc is 0.55, must be >= 0.6"),
        (Evidence({"auc": 0.6, "rows": 500}), False, "auc 0.6 >= 0.6"),
        (Evidence({"auc": 0.2, "rows": 99}), False, "99 rows of feedback are too few, 100 are wanted"),
        (Evidence({"rows": 500}, "all 500 rows are positive"), False, "all 500 rows are positive"),
    ],
)
def test_feedback(evidence: Evidence, fire: bool, told: str) -> None:
    """A rule that is broken on enough rows is a reason; what can't be measured is none."""
    settings = feedback.Settings("feedback/*.csv", "auc >= 0.6")
    found = feedback.decide(settings, feedback.Facts(evidence, "rows"), NOON)
    assert (found.fire, found.cause) == (fire, "rows" if fire else "")
    assert told in found.reason
