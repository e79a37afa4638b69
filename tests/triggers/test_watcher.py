"""What the loop of `watch` does: policies, catching up, failures, pauses, force, and that it does nothing twice."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from cli.errors import CliError
from cli.times import local_time
from cli.watching.deploying import TOKEN, Failed, foreseen
from cli.watching.records import Records
from tests.healing import Told
from tests.triggers.simulated import World

START = datetime(2026, 11, 27, 12, tzinfo=UTC)
NEW_DATA = {"newData": {"every": "15m"}}


@pytest.fixture
def world(tmp_path: Path) -> World:
    return made(tmp_path, NEW_DATA)


def made(tmp_path: Path, *triggers: dict[str, Any], policy: str = "auto") -> World:
    """A stack that serves the model of its one data version."""
    world = World(tmp_path / "dev", list(triggers), START, policy)
    world.upload("2026-11-26")
    world.serve()
    return world


def test_new_data_is_trained_once_and_said(world: World) -> None:
    """The first look trains nothing, the second what is new, the third nothing."""
    for expected in (["unchanged"], ["unchanged", "applied"], ["unchanged", "applied"]):
        assert world.watcher().once()
        assert world.outcomes() == expected
        world.upload("2026-11-27")
    [trained] = world.engine.trained
    assert (trained.version, trained.token) == ("2026-11-27", "")


def test_the_same_bytes_again_are_no_new_data(world: World) -> None:
    """A blob that is stored again as it was has another ETag, and is not looked at twice."""
    world.watcher().once()
    world.upload("2026-11-26")
    world.watcher().once()
    assert world.engine.previews == 1


def test_five_missed_nights_are_one_run(tmp_path: Path) -> None:
    """After five days of sleep a cron with force trains once; the reason says what was missed."""
    world = made(tmp_path, {"cron": "0 3 * * *", "force": True})
    watcher = world.watcher()
    watcher.step()
    world.clock.sleep(timedelta(days=5).total_seconds())
    watcher.step()
    watcher.step()
    assert len(world.engine.trained) == 1
    assert "and 4 times since: one run for all" in str(list(world.records.history()))


def test_without_force_an_equal_key_trains_nothing_and_is_said(tmp_path: Path) -> None:
    """A cron whose data is as it was says so, and how to train all the same."""
    world = made(tmp_path, {"cron": "0 3 * * *"})
    watcher = world.watcher()
    watcher.step()
    world.clock.sleep(86400)
    watcher.step()
    assert (world.engine.trained, world.outcomes()) == ([], ["unchanged"])
    assert "force: true beside a trigger" in world.told[-1]


def test_a_forced_model_is_not_undone_by_the_next_look(tmp_path: Path) -> None:
    """Its token stays in force for what comes later, until other data is trained; no file of the stack has it."""
    world = made(tmp_path, {"cron": "0 3 * * *", "force": True}, {"cron": "0 4 * * *"}, NEW_DATA)
    watcher = world.watcher()
    watcher.step()
    world.clock.sleep(timedelta(hours=17).total_seconds())  # three, and four
    watcher.step()
    forced = world.engine.key
    assert world.engine.token.startswith(TOKEN)
    world.clock.sleep(3600)
    watcher.step()
    world.upload("2026-11-27")
    watcher.once()
    keys = [one.key for one in world.engine.trained]
    assert keys[0] == forced
    assert len(keys) == len(set(keys)) == 2
    assert world.engine.token == ""


def test_ask_leaves_a_plan_once_and_takes_it_away_when_it_is_approved(tmp_path: Path) -> None:
    """The plan has run key, reasons and the command that approves it; nothing is trained before."""
    world = made(tmp_path, NEW_DATA, policy="ask")
    world.watcher().once()
    world.upload("2026-11-27")
    for _time in range(3):
        world.watcher().once()
    plan = world.records.plan
    key = plan["runKeys"]["candidate"]
    assert plan["approve"] == f"./dev up -s dev --expect {key}"
    assert plan["reasons"] == ["new data: flights/2026-11-27.csv"]
    assert (world.engine.trained, world.outcomes()) == ([], ["unchanged", "waits"])
    world.engine.up({}, ("--expect", key))
    world.upload("2026-11-20")
    world.watcher().once()
    assert world.records.plan == {}


def test_a_plan_that_waits_is_applied_once_the_policy_is_auto(tmp_path: Path) -> None:
    """With its reasons, and with its token where it was forced; nothing has to fire again."""
    world = made(tmp_path, {"cron": "0 13 * * *", "force": True}, policy="ask")
    watcher = world.watcher()
    watcher.step()
    world.clock.sleep(3600)
    watcher.step()
    assert world.engine.trained == []
    world.policy = "auto"
    for _time in range(3):
        watcher.step()
    [trained] = world.engine.trained
    assert trained.token.startswith(TOKEN)
    assert world.outcomes() == ["waits", "applied"]
    assert "cron 0 13 * * * was due" in str(list(world.records.history())[-1])


@pytest.mark.parametrize("stays", [True, False])
def test_an_approved_plan_is_applied_unless_another_has_come(tmp_path: Path, stays: bool) -> None:
    """Just what was approved, at the next look; newer data is another plan, which waits for an approval of its own."""
    world = made(tmp_path, NEW_DATA, policy="ask")
    world.watcher().once()
    world.upload("2026-11-27")
    world.watcher().once()
    world.records.plan = {**world.records.plan, "approved": True}
    if not stays:
        world.upload("2026-11-28")
    world.watcher().rehearse()
    assert ("it would be applied" in " ".join(world.told)) is stays
    for _time in range(2):
        world.watcher().step()
    assert [one.version for one in world.engine.trained] == (["2026-11-27"] if stays else [])
    assert bool(world.records.plan) is not stays
    assert "approved" not in world.records.plan


def test_never_only_says(tmp_path: Path) -> None:
    """What would be trained is in the history, and nothing else happens."""
    world = made(tmp_path, NEW_DATA, policy="never")
    world.watcher().once()
    world.upload("2026-11-27")
    world.watcher().once()
    assert (world.engine.trained, world.outcomes()) == ([], ["unchanged", "told"])
    assert world.records.plan == {}


def test_a_dry_run_writes_nothing_and_says_what_and_why(world: World) -> None:
    """No folder, no update: the trigger, its reason, the key, and what the policy would do with it."""
    world.upload("2026-11-27")
    world.watcher().rehearse()
    assert not world.folder.exists()
    assert world.engine.trained == []
    assert world.told[0] == "newData: fires: 2 blobs are looked at for the first time"
    assert "under the policy auto it would be applied" in world.told[1]


def test_a_stack_that_is_not_deployed_is_left_alone(world: World) -> None:
    """A first deployment is nobody's retraining: it is said, and all is well."""
    world.deployed = False
    world.watcher().rehearse()
    assert world.watcher().once()
    assert world.engine.previews == 0
    assert all("isn't deployed yet" in line for line in world.told)


def test_failures_are_tried_again_ever_later_and_said(world: World) -> None:
    """One minute, two, four, … at most an hour; equal failures are one line of the history; then it is trained, once."""
    watcher = world.watcher()
    watcher.step()
    world.upload("2026-11-27")
    world.engine.out = True
    assert not watcher.once()
    for _minute in range(300):
        world.clock.sleep(60)
        watcher.step()
    again = [line for line in world.told if "in a row; again at" in line]
    assert [line.partition("again at ")[2][:19] for line in again[:4]] == [
        f"2026-11-27 12:{minute:02}:00" for minute in (1, 3, 7, 15)
    ]
    assert len(again) <= 12
    assert world.outcomes() == ["unchanged", "failed"]
    world.engine.out = False
    world.clock.sleep(3600)
    watcher.step()
    assert [one.version for one in world.engine.trained] == ["2026-11-27"]


def test_a_cron_of_each_minute_waits_for_the_pause_after_a_failure(tmp_path: Path) -> None:
    """It fires once until that is done: three hours of outage are a few tries, one reason, and one run."""
    world = made(tmp_path, {"cron": "* * * * *", "force": True})
    watcher = world.watcher()
    watcher.step()
    world.engine.out = True
    for _minute in range(180):
        world.clock.sleep(60)
        watcher.step()
    assert len([line for line in world.told if "in a row" in line]) == 8
    world.engine.out = False
    world.clock.sleep(3600)
    watcher.step()
    assert len(world.engine.trained) == 1
    assert len(list(world.records.history())[-1]["reasons"]) == 1


def test_new_data_does_not_wait_for_the_pause_after_a_failure(world: World) -> None:
    """A refused version is tried again ever later; the next version is trained as it comes."""
    world.engine.bad = {"2026-11-27"}
    watcher = world.watcher()
    watcher.once()
    world.upload("2026-11-27")
    for _hour in range(5):
        world.clock.sleep(3600)
        watcher.step()
    world.upload("2026-11-28")
    world.clock.sleep(900)
    watcher.step()
    assert [one.version for one in world.engine.trained] == ["2026-11-27", "2026-11-28"]
    assert world.outcomes()[-1] == "applied"


@pytest.mark.parametrize("step", ["before_preview", "before_up"])
def test_what_fired_before_a_crash_is_done_after_it(world: World, step: str) -> None:
    """It is kept before anything is done about it."""
    world.watcher().once()
    world.upload("2026-11-27")

    def crash() -> None:
        raise KeyboardInterrupt

    setattr(world.engine, step, crash)
    with pytest.raises(KeyboardInterrupt):
        world.watcher().once()
    setattr(world.engine, step, lambda: None)
    world.watcher().step()
    assert [one.version for one in world.engine.trained] == ["2026-11-27"]
    assert list(world.records.history())[-1]["reasons"] == ["new data: flights/2026-11-27.csv"]


def test_an_update_that_was_cut_off_is_gone_on_with(world: World) -> None:
    """Trained, and not bound yet: no key changes any more, and it is applied all the same; only then it is done."""
    world.watcher().once()
    world.upload("2026-11-27")

    def die() -> None:
        _version, world.engine.data, world.engine.key = world.engine._key({})
        world.engine.others = ("endpoint-binding",)
        raise Failed("the endpoint did not answer")

    world.engine.before_up = die
    watcher = world.watcher()
    assert not watcher.once()
    world.engine.before_up = lambda: None
    world.clock.sleep(60)
    watcher.step()
    assert world.engine.others == ()
    assert world.outcomes() == ["unchanged", "failed", "applied"]
    world.engine.others = ("endpoint-binding",)  # somebody else's change
    world.upload("2026-11-20")
    watcher.once()
    assert world.engine.others == ("endpoint-binding",)
    assert "./dev up has other things to do: endpoint-binding" in world.told[-1]


def test_an_update_that_outlived_its_watch_is_told_of(world: World) -> None:
    """The watch was killed, and the update that it had begun ended well: that is what the next look says."""
    world.watcher().once()
    world.upload("2026-11-27")
    update, world.engine.up = world.engine.up, lambda config, expect: die()  # type: ignore[method-assign]

    def die() -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        world.watcher().once()
    update({}, world.engine.preview({}).expect)
    world.watcher().once()
    assert world.outcomes() == ["unchanged", "applied"]
    assert "by an update that was begun before" in list(world.records.history())[-1]["detail"]


def test_a_retry_says_what_is_new_by_then(world: World) -> None:
    """It trains the latest data, whenever that was to be listed next."""
    world.engine.bad = {"2026-11-27"}
    watcher = world.watcher()
    watcher.once()
    world.upload("2026-11-27")
    watcher.once()
    world.upload("2026-11-28")
    world.clock.sleep(60)
    watcher.step()
    applied = list(world.records.history())[-1]
    assert applied["reasons"] == ["new data: flights/2026-11-27.csv", "new data: flights/2026-11-28.csv"]


def test_events_are_hints_only(world: World) -> None:
    """A hint looks before the time; repeated and in vain it lists, and trains nothing twice."""
    watcher = world.watcher()
    watcher.step()
    world.upload("2026-11-27")
    world.clock.sleep(1)
    for _time in range(20):
        watcher.step(hinted=True)
    assert [one.version for one in world.engine.trained] == ["2026-11-27"]
    assert world.engine.previews == 2


def test_one_trigger_that_fails_does_not_keep_the_others(tmp_path: Path) -> None:
    """Whatever its error: it is said, tried again ever later, and is a failure; a cron beside it trains."""
    world = made(tmp_path, NEW_DATA, {"cron": "0 13 * * *", "force": True})
    broken, whole = world._declared

    def look(_settings: Any, _scene: Any) -> Any:
        raise ZeroDivisionError("of a team's own kind")

    world._declared = (replace(broken, kind=replace(broken.kind, look=look)), whole)
    watcher = world.watcher()
    assert not watcher.once()
    again = [line for line in world.told if line.startswith("newData can't be looked at: ZeroDivisionError")]
    assert again[0].endswith(f"again at {local_time(START + timedelta(minutes=1))}")
    world.clock.sleep(3600)
    assert not watcher.once()
    assert len(world.engine.trained) == 1


def test_a_stack_file_that_is_wrong_for_a_while_is_waited_for(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is said, once in the history; when it is put right all goes on."""
    watcher = world.watcher()
    right = world.situation

    def wrong() -> Any:
        raise CliError("the stack's file is wrong", "correct it")

    monkeypatch.setattr(watcher, "_read", wrong)
    for _time in range(3):
        watcher.step()
    assert world.outcomes() == ["failed"]
    assert world.told[-1] == "failed: the stack's file is wrong (remedy: correct it)"
    monkeypatch.setattr(watcher, "_read", right)
    watcher.step()
    assert world.outcomes() == ["failed", "unchanged"]


def test_a_pause_ends_by_itself_and_what_was_due_is_done_once(tmp_path: Path) -> None:
    """Nothing is looked at for two days; then two nights are one run."""
    world = made(tmp_path, {"cron": "0 3 * * *", "force": True})
    watcher = world.watcher()
    watcher.step()
    world.records.paused_until = START + timedelta(days=2)
    for _day in range(2):
        world.clock.sleep(86400 - 60)
        watcher.step()
    assert world.engine.trained == []
    world.clock.sleep(120)
    watcher.step()
    assert len(world.engine.trained) == 1
    assert world.records.paused_until is None


@pytest.mark.heals("leave it to that one, or end it first")
def test_a_second_watch_says_who_watches(tmp_path: Path, remedy: Told) -> None:
    """By the number of its process; what ended leaves no lock behind."""
    import os

    records = Records(tmp_path / "dev")
    with records.alone():
        error = remedy.fails(lambda: Records(tmp_path / "dev").alone().__enter__())
    assert isinstance(error, CliError)
    assert f"by process {os.getpid()}" in error.cause
    with records.alone():
        pass


def test_the_history_is_bounded_and_survives_a_line_that_was_cut_off(tmp_path: Path) -> None:
    """The older half goes at half a megabyte; what a crash left of a line is passed over."""
    records = Records(tmp_path / "dev")
    for number in range(4000):
        records.note({"at": "now", "outcome": "applied", "reasons": [f"{number} {'x' * 200}"]})
    path = tmp_path / "dev/history.jsonl"
    assert path.stat().st_size < 520 * 1024
    path.write_text(path.read_text() + '{"at": "no')
    assert list(records.history())[-1]["reasons"][0].startswith("3999 ")


def test_a_damaged_memory_is_begun_anew(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    """It is said; all triggers are looked at as for the first time, which trains nothing twice."""
    world.watcher().once()
    for damage in ('{"triggers": ', "[]", '{"nonsense": 1}'):
        (world.folder / "memory.json").write_text(damage)
        world.watcher().once()
        assert "memory.json" in capsys.readouterr().err
    assert world.engine.trained == []


def steps(kind: str, op: str, new: dict[str, Any], old: dict[str, Any]) -> list[dict[str, Any]]:
    state = {"type": f"pulumi-python:dynamic/retrain:{kind}"}
    urn = "urn:pulumi:dev::p::t::candidate"
    return [{"op": op, "urn": urn, "newState": state | {"inputs": new}, "oldState": state | {"inputs": old}}]


def test_what_a_preview_tells() -> None:
    """The model whose key can be expected, a token of ours, a fleet, and what changes besides."""
    new, old = {"runKey": "b", "expectRunKey": ""}, {"runKey": "a", "force": f"{TOKEN}1"}
    found = foreseen(steps("TrainedModel", "update", new, old))
    assert (found.keys, found.present, found.forced) == ({"candidate": "b"}, "a", f"{TOKEN}1")
    assert found.expect == ("--expect", "b")
    fleet = foreseen(
        steps("Fleet", "update", {"planKey": "p", "plan": ["3 retrain"]}, {"force": f"{TOKEN}1"})
    )
    assert (fleet.keys, fleet.plan, fleet.forced) == ({"candidate": "p"}, ("3 retrain",), f"{TOKEN}1")
    assert fleet.expect == ("--config", "expectPlan=p")
    assert foreseen(steps("Fleet", "update", {"planKey": ""}, {})).others == ("candidate",)
    data = {"covers": {"key": "b", "data": "other"}}
    assert foreseen(steps("TrainedModel", "update", new | data, old | {"covers": {"data": "d"}})).forced == ""
    same = foreseen(
        steps("TrainedModel", "same", {"runKey": "a", "expectRunKey": ""}, {"runKey": "a", "force": "mine"})
    )
    assert (same.keys, same.expect, same.forced, same.others) == ({}, (), "", ())
    assert foreseen(steps("ModelBinding", "update", {}, {})).others == ("candidate",)
