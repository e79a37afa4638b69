"""What a stack may declare as its triggers, and what it is told otherwise."""

from __future__ import annotations

from typing import Any

import pytest

from clients.errors import ConfigurationError
from retrain_hooks.triggers.declared import declared, judge_policy, kinds
from tests.healing import Told, case

GOOD: list[dict[str, Any]] = [
    {"cron": "0 3 * * *", "zone": "Europe/Berlin"},
    {"newData": {"every": "15m"}},
    {"age": "30d", "force": True},
    {"drift": {"psi": 0.2}},
    {"feedback": {"path": "feedback/*.csv", "rule": "auc >= 0.6"}},
    {"schedule": "0 3 * * SUN", "zone": "Europe/Berlin"},
]
MONTHLY = {"frequency": "month", "monthDays": [1], "hours": [3], "minutes": [0]}


def test_each_kind_is_found_by_itself_and_declared_in_its_short_form() -> None:
    """The kinds are the modules of the room; a duration may be in days."""
    assert set(kinds()) == {"cron", "newData", "age", "drift", "feedback", "schedule"}
    found = declared(GOOD)
    assert [one.kind.name for one in found] == ["cron", "newData", "age", "drift", "feedback", "schedule"]
    assert found[2].settings.props() == {"age": "2592000s"}
    assert [one.force for one in found] == [False, False, True, False, False, False]


def test_what_stands_below_a_kind_may_stand_beside_it() -> None:
    """Both forms are one trigger, and so the same twice."""
    below, beside = {"cron": {"cron": "0 3 * * *", "zone": "UTC"}}, {"cron": "0 3 * * *"}
    assert declared([below])[0].name == declared([beside])[0].name


def one(entry: object) -> None:
    declared([entry])


@pytest.mark.parametrize(
    ("act", "wrong", "right"),
    [
        case("write a list, such as [{newData: {every: 15m}}]", declared, {"age": "1d"}, [{"newData": {"every": "15m"}}]),
        case("leave out one of the two", declared, [GOOD[0], GOOD[0]], [GOOD[0]]),
        case("name one of {} in each entry", one, {"corn": "0 3 * * *"}, GOOD[0]),
        case("name one of {} in each entry", one, {"age": "1d", "drift": {"psi": 1}}, {"age": "1d"}, name="two kinds"),
        case("name one of {} in each entry", one, "cron", GOOD[0], name="a text"),
        case("write force: true, or leave it out", one, {"age": "1d", "force": "yes"}, {"age": "1d", "force": True}),
        case("leave it out, or write one of {}", one, {"age": "1d", "zone": "UTC"}, {"age": "1d"}),
        case("write auto (apply), ask (leave a plan to approve) or never (only say)", judge_policy, "yes", "auto"),
        case(
            "write minute, hour, day, month, weekday: 0 3 * * * is every day at three",
            one, {"cron": "0 0 3 * * *"}, {"cron": "0 3 * * *"},
        ),
        case("correct that field: 0 3 * * MON is Mondays at three", one, {"cron": "0 3 * * MOO"}, {"cron": "0 3 * * MON"}),
        case("name a day that some month has", one, {"cron": "0 3 30 2 *"}, {"cron": "0 3 29 2 *"}),
        case("write an IANA name, such as {}", one, {"cron": "0 3 * * *", "zone": "Europe/Berln"}, GOOD[0]),
        case("write an IANA name, such as {}", one, {"cron": "0 3 * * *", "zone": "../etc"}, GOOD[0], name="a path"),
        case(
            "write host:port, such as 127.0.0.1:8790",
            one, {"newData": {"listen": "here", "keyFrom": "K"}}, {"newData": {"listen": "127.0.0.1:8790", "keyFrom": "K"}},
        ),
        case(
            "name the environment variable that holds the key: keyFrom: RETRAIN_EVENT_KEY",
            one, {"newData": {"listen": "127.0.0.1:8790"}},
            {"newData": {"listen": "127.0.0.1:8790", "keyFrom": "RETRAIN_EVENT_KEY"}},
        ),
        case("write psi: 0.2, or ks: 0.1", one, {"drift": {}}, {"drift": {"psi": 0.2}}),
        case("write psi: 0.2, or ks: 0.1", one, {"drift": {"psi": 1, "ks": 1}}, {"drift": {"ks": 0.1}}, name="two limits"),
        case(
            "write a number: auc >= 0.6",
            one, {"feedback": {"path": "f.csv", "rule": "auc >= champion"}}, {"feedback": {"path": "f.csv", "rule": "auc >= 0.6"}},
        ),
        case("write frequency: month, with its days, hours and minutes", one, {"schedule": "0 3 1 * *"}, {"schedule": MONTHLY}),
        case("name them by 0 (Sunday) to 6, or SUN to SAT", one, {"schedule": "0 3 * * 7"}, {"schedule": "0 3 * * 0"}),
        case(
            "write an IANA name that it has, such as {}",
            one, {"schedule": "0 3 * * *", "zone": "Europe/Berln"}, {"schedule": "0 3 * * *", "zone": "Europe/Berlin"},
        ),
        case(
            "write it without an offset: 2026-01-31T03:00:00",
            one, {"schedule": "0 3 * * *", "end": "2026-01-31T03:00:00+01:00"}, {"schedule": "0 3 * * *", "end": "2026-01-31T03:00:00"},
        ),
        case("write it without an offset: 2026-01-31T03:00:00", one, {"schedule": {**MONTHLY, "start": "soon"}}, {"schedule": MONTHLY}, name="no time"),
        case("use letters, digits and dashes, 40 at most, a letter first", one, {"schedule": "0 3 * * *", "name": "a b"}, {"schedule": "0 3 * * *", "name": "a-b"}),
        case('write one of them: schedule: "0 3 * * SUN" is Sundays at three', one, {"schedule": {}}, {"schedule": "0 3 * * SUN"}),
        case('write one of them: schedule: "0 3 * * SUN" is Sundays at three', one, {"schedule": {**MONTHLY, "existing": "theirs"}}, {"schedule": {"existing": "theirs"}}, name="two ways"),
        case("write a later one, or leave it out", one, {"schedule": "0 3 * * *", "end": "2020-01-01"}, {"schedule": "0 3 * * *", "end": "2030-01-01"}),
        case("leave them out, or change frequency", one, {"schedule": {"frequency": "day", "weekDays": ["Monday"]}}, {"schedule": {"frequency": "week", "weekDays": ["Monday"]}}),
        case("leave them out, or change frequency", one, {"schedule": "0 3 * * *", "hours": [3], "minutes": [0]}, {"schedule": "0 3 * * *"}, name="hours of a cron"),
        case("write both: hours: [3], minutes: [0]", one, {"schedule": {"frequency": "day", "hours": [3]}}, {"schedule": {"frequency": "day", "hours": [3], "minutes": [0]}}),
        case("leave out one of the two", declared, [{"schedule": "0 3 * * *"}, {"schedule": "0 4 * * *"}], [{"schedule": "0 3 * * *"}, {"schedule": "0 4 * * *", "name": "four"}], name="one name for two"),
    ],
)  # fmt: skip
def test_what_is_no_trigger_is_refused_in_a_line(
    act: Any, wrong: object, right: object, remedy: Told
) -> None:
    """The remedy, done, is taken; the error is one line and names the entry where it is in a list."""
    error = remedy.fails(lambda: act(wrong))
    assert "\n" not in error.cause
    act(right)


def test_a_cron_that_never_comes_is_told_from_one_that_cannot_be_read() -> None:
    """30 February never comes; there is no 40th of any month."""
    for cron, told in (
        ("0 3 30 2 *", "never comes"),
        ("0 3 31 4,6,9,11 *", "never comes"),
        ("0 3 40 * *", "can't be read"),
    ):
        with pytest.raises(ConfigurationError, match=told):
            declared([{"cron": cron}])
