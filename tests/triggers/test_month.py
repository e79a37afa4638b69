"""A month of `watch`: thirty data versions, three bad ones, two outages, and the night in which clocks go forward."""

from __future__ import annotations

import random
from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest

from tests.triggers.simulated import Trained, World

MARCH, APRIL = datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 4, 1, tzinfo=UTC)
BAD = {"2026-03-04", "2026-03-17", "2026-03-25"}
# Versions that come while the storage account is out of reach, and while the services are.
IN_OUTAGE_OF_STORAGE, IN_OUTAGE_OF_SERVICES = "2026-03-10", "2026-03-20"
SUNDAYS = [1, 8, 15, 22, 29]


class Over(Exception):
    """The month is."""


def of_a_sunday(one: Trained) -> bool:
    """Whether it was the cron's: uploads come later in the day."""
    return one.at.weekday() == 6 and one.at.hour < 3


@pytest.fixture(scope="module")
def month(tmp_path_factory: pytest.TempPathFactory) -> World:
    print("seed", seed := 14)
    chance = random.Random(seed)
    triggers = [
        {"newData": {"every": "15m"}},
        {"cron": "30 2 * * SUN", "zone": "Europe/Berlin", "force": True},
        {"cron": "0 12 * * *", "zone": "Europe/Berlin"},
    ]
    world = World(tmp_path_factory.mktemp("watch") / "dev", triggers, MARCH)
    world.upload("2026-02-28")
    world.serve()
    world.engine.bad = BAD
    events = []
    for day in range(30):
        at = MARCH + timedelta(days=day, hours=4, minutes=chance.randrange(18 * 60))
        version = f"{at:%Y-%m-%d}"
        events.append((at, lambda version=version: world.upload(version)))
        for outage, what in (
            (IN_OUTAGE_OF_STORAGE, world.storage),
            (IN_OUTAGE_OF_SERVICES, world.engine),
        ):
            if version == outage:
                for when, out in ((at - timedelta(minutes=30), True), (at + timedelta(hours=3), False)):
                    events.append((when, lambda what=what, out=out: setattr(what, "out", out)))
    events.sort(key=lambda event: event[0])
    watcher = world.watcher()

    def wait(seconds: float) -> bool:
        world.clock.sleep(seconds)
        while events and events[0][0] <= world.clock.now():
            events.pop(0)[1]()
        if world.clock.now() >= APRIL:
            raise Over
        return False

    with pytest.raises(Over):
        watcher.run(wait)
    return world


def test_each_version_is_trained_once_and_each_sunday_once(month: World) -> None:
    """Thirty versions and five Sundays: thirty-five runs, no two with one key, none of another cause."""
    trained = month.engine.trained
    assert len({one.key for one in trained}) == len(trained) == 30 + len(SUNDAYS)
    again = [one.version for one in trained if of_a_sunday(one)]
    versions = Counter(one.version for one in trained) - Counter(again)
    assert versions == Counter({f"2026-03-{day + 1:02}": 1 for day in range(30)})


def test_each_has_its_reason(month: World) -> None:
    """What was applied or refused says which new data, or which cron, it was for."""
    reasons: dict[str, list[str]] = {}
    for entry in month.records.history():
        for key in entry.get("runKeys", {}).values():
            if entry["outcome"] == "applied":
                assert key not in reasons
                reasons[key] = entry["reasons"]
    for one in month.engine.trained:
        if one.version in BAD:
            refused = [
                e for e in month.records.history() if f"run {one.key[:12]} was refused" in e.get("error", "")
            ]
            assert any(
                f"new data: flights/{one.version}.csv" in reason for e in refused for reason in e["reasons"]
            )
        elif of_a_sunday(one):
            assert any("cron 30 2 * * SUN was due" in reason for reason in reasons[one.key])
        else:
            assert f"new data: flights/{one.version}.csv" in reasons[one.key]
    assert len(reasons) == len(month.engine.trained) - len(BAD)


def test_the_clock_change_is_one_run_at_its_time(month: World) -> None:
    """Half past two does not exist on the 29th: that Sunday's is at three, which is one in UTC; the others at half past one."""
    at = [one.at for one in month.engine.trained if of_a_sunday(one)]
    assert [f"{one:%d %H:%M}" for one in at] == ["01 01:30", "08 01:30", "15 01:30", "22 01:30", "29 01:00"]


def test_noon_trains_nothing(month: World) -> None:
    """A cron without force says, but on the days after a bad version, that the key would be the same, at noon of Berlin's summer too."""
    unchanged = [entry for entry in month.records.history() if entry["outcome"] == "unchanged"]
    noons = {entry["at"][8:16] for entry in unchanged if any("cron 0 12" in one for one in entry["reasons"])}
    assert {"01T11:00", "28T11:00", "29T10:00", "30T10:00"} <= noons


def test_outages_are_waited_for_ever_longer(month: World) -> None:
    """What came in an outage is trained once it is over, at most an hour later, after few tries; the model of before served on."""
    for version in (IN_OUTAGE_OF_STORAGE, IN_OUTAGE_OF_SERVICES):
        [one] = [one for one in month.engine.trained if one.version == version]
        day = version[-2:]
        failed = [e for e in month.records.history() if e["outcome"] == "failed" and e["at"][8:10] == day]
        assert any("answer" in entry["error"] for entry in failed)
        assert one.at - datetime.fromisoformat(failed[-1]["at"]) < timedelta(hours=4, minutes=31)
    assert month.engine.previews < 31 * 24 + 400


def test_bad_versions_left_the_model_of_before(month: World) -> None:
    """Three refused runs were never served: what was applied after them is the next version."""
    applied = [
        key for e in month.records.history() if e["outcome"] == "applied" for key in e["runKeys"].values()
    ]
    refused = {one.key for one in month.engine.trained if one.version in BAD}
    assert len(refused) == 3
    assert not refused & set(applied)
    assert month.engine.trained[-1].version == "2026-03-30"
    assert month.engine.key == applied[-1]
