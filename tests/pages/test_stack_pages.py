"""The pages of a stack: what is wrong when they are started or looked at, and what goes on behind them."""

from __future__ import annotations

import json
import socket
import threading
from contextlib import closing
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from cli.app import build
from cli.cloud.settings import new_cloud
from cli.options import Engine
from cli.paging import serving, tasks
from cli.paging.fresh import Fresh
from cli.paging.registry import TargetRegistry
from cli.paging.source import StackSource
from cli.paging.tasks import Tasks
from pages.facts import Problem
from tests.pages.known import Browser
from tests.waiting import eventually, own_port


def test_a_stack_that_is_none_has_no_page(capsys: pytest.CaptureFixture[str]) -> None:
    """It is said before anything is served."""
    with pytest.raises(SystemExit) as left:
        build()(["ui", "-s", "nowhere"], prog_name="./dev")
    assert left.value.code == 1
    assert "the stack nowhere has no file" in capsys.readouterr().err


@pytest.mark.heals("leave out --port, and a free one is taken")
def test_a_port_that_is_taken_is_told_of(remedy: Any) -> None:
    """Without one there is always one that is free."""
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        taken = other.getsockname()[1]
        remedy.fails(
            lambda: serving.serve("dev", Engine.embedded, taken, may_approve=False, say=lambda _link: None)
        )
    with closing(serving.listening(0)) as free:
        assert free.getsockname()[0] == "127.0.0.1"


@pytest.mark.heals("start it, and look again: ./dev cloud start")
def test_a_cloud_that_is_away_is_told_of_at_once(
    remedy: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The page opens all the same, and tells more when it is there again."""
    port = own_port()
    place = f"http://127.0.0.1:{port}"
    file = tmp_path / "cloud.json"
    file.write_text(json.dumps(asdict(new_cloud(tmp_path)) | {"studio": place, "blob": f"{place}/account"}))
    monkeypatch.setenv("RETRAIN_CLOUD_FILE", str(file))
    with closing(StackSource("dev", Engine.embedded, may_approve=False)) as source:
        browser = Browser(source)
        for path in ("/", "/runs", "/jobs", "/plan", "/drift", "/score"):
            answer = browser.get(path)
            assert answer.status_code == 200, path
        assert "The local cloud does not run" in browser.get("/").text
        assert browser.get("/journal").status_code == 424
    remedy.fails(TargetRegistry("dev").open)
    with socket.create_server(("127.0.0.1", port)):
        assert TargetRegistry("dev").open().target == "local"


def test_a_page_that_only_reads_refuses_to_write(tmp_path: Path) -> None:
    """Whatever is sent to it."""
    with closing(StackSource("dev", Engine.embedded, may_approve=False)) as source:
        browser = Browser(source)
        for path in ("/plan/carry-out", "/plan/approve", "/api/plan/carry-out", "/api/plan/approve"):
            sent: Any = browser.give if path.startswith("/api") else browser.send
            answer = sent(path, {"key": "ab12"}) if path.startswith("/api") else sent(path, key="ab12")
            assert answer.status_code == 403
            assert "--allow-approve" in answer.text


def test_a_plan_that_is_not_there_any_more_is_not_carried_out() -> None:
    """Of two tabs one may show an older plan."""
    with closing(StackSource("dev", Engine.embedded, may_approve=True)) as source:
        answer = Browser(source).give("/api/plan/carry-out", {"key": "ab12"})
        assert answer.status_code == 409
        assert "not the plan" in answer.json()["cause"]


def test_what_runs_is_told_line_by_line_and_how_it_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    """The verb's own cause and remedy."""
    found = Tasks()
    found.verb("Preview", ["config", "get", "no-such-key"], lambda: None)
    with pytest.raises(Problem, match="still runs"):
        found.verb("Update", [], lambda: None)
    eventually(lambda: found.task.state != "running", "the end of a verb")
    assert found.task.state == "failed"
    assert found.task.cause
    assert found.task.remedy
    assert any(line.startswith("error: ") for line in found.task.said)


def test_what_runs_ends_with_its_page() -> None:
    """As Ctrl-C ends it."""
    found = Tasks()
    found.verb("Preview", ["cloud", "logs", "--follow"], lambda: None)
    eventually(lambda: found.running, "a verb that runs")
    found.stop()
    eventually(lambda: found.task.state == "failed", "the end of a verb")


def test_who_fails_unexpectedly_says_what() -> None:
    """A look at data that is no data, say."""
    found = Tasks()

    def fail() -> None:
        raise ValueError("one\ntwo")

    found.act("A look", fail)
    eventually(lambda: found.task.state == "failed", "the end of a look")
    assert found.task.cause == "ValueError: one two"


def test_many_who_look_at_once_have_it_looked_up_once() -> None:
    """The first waits; who comes a moment later is told what was found, while somebody looks again."""
    now, looks = [0.0], []
    looked = threading.Event()

    def load() -> int:
        looks.append(now[0])
        if len(looks) > 1:
            looked.set()
        return len(looks)

    fresh = Fresh(load, lambda: now[0])
    assert [fresh.get() for _ in range(5)] == [1] * 5
    now[0] = 5.0
    assert fresh.get() == 1
    assert looked.wait(10)
    eventually(lambda: fresh.get() == 2, "what was found again")
    now[0] = 100.0
    assert fresh.get() == 3
    fresh.forget()
    assert fresh.get() == 4


def test_what_could_not_be_looked_up_is_looked_up_again() -> None:
    """An error is kept as long as an answer."""
    now, there = [0.0], [False]

    def load() -> str:
        if not there[0]:
            raise ValueError("away")
        return "there"

    fresh = Fresh(load, lambda: now[0])
    with pytest.raises(ValueError, match="away"):
        fresh.get()
    there[0], now[0] = True, 50.0
    assert fresh.get() == "there"


def test_a_reason_is_the_last_that_was_told() -> None:
    """And what ended without a word says that."""
    told = ["error: a", "remedy: b", "error: c", "remedy: d", "more"]
    assert tasks.reason(told) == ("c", "d")
    assert tasks.reason(["only this"]) == ("only this", "")
    assert tasks.reason([])[0]
