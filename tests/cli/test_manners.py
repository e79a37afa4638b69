"""What is shown fits who reads it: a terminal's width and colours, a pipe, the user's zone."""

from __future__ import annotations

import fcntl
import io
import json
import os
import pty
import re
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from rich.console import Console

from cli.times import local, local_time, title, utc
from cli.views.display import Held, Renderer
from engine.events import Diagnostic
from retrain_hooks.registry.history import History
from tests.unit.fakes import MemoryContainer

ROOT = Path(__file__).resolve().parents[2]
ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
TABLE = """
from cli.console import print_table
row = ("0123456789ab", "flights", "finished", "2013-02", "2026-11-28 12:39", "0.6", "auc 0.744", "1", "pilot of one, live of two")
titles = ("key", "experiment", "state", "data version", "when (UTC)", "seconds", "metric", "attempt", "bound at")
print_table(titles, [row] * 2, right=("seconds",), spare=("attempt", "seconds", "experiment"))
"""


@pytest.fixture
def tokyo(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A user nine hours ahead of UTC."""
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


def at_a_terminal(code: str, columns: int, **environ: str) -> str:
    """What Python code shows at a terminal that is so wide."""
    held, terminal = pty.openpty()
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 50, columns, 0, 0))
    kept = {
        key: value for key, value in os.environ.items() if key not in ("NO_COLOR", "COLUMNS", "FORCE_COLOR")
    }
    process = subprocess.Popen(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env={**kept, "TERM": "xterm-256color", **environ},
        stdin=terminal,
        stdout=terminal,
        stderr=terminal,
    )
    os.close(terminal)
    shown = b""
    while True:
        try:
            part = os.read(held, 65536)
        except OSError:  # the process has closed its end
            break
        if not part:
            break
        shown += part
    os.close(held)
    assert process.wait() == 0, shown
    return shown.decode()


@pytest.mark.parametrize("columns", [40, 80, 100, 200])
def test_a_table_fits_the_terminal_and_cuts_nothing(columns: int) -> None:
    """First the last column is folded, then spare ones are left out, and at last each row is a block."""
    lines = [line.rstrip() for line in ESCAPES.sub("", at_a_terminal(TABLE, columns)).splitlines()]
    text = " ".join(" ".join(lines).split())
    assert "…" not in text
    assert all(len(line) <= columns for line in lines)
    assert text.count("0123456789ab") == text.count("2026-11-28 12:39") == text.count("auc 0.744") == 2
    assert "pilot" in text
    assert "live" in text
    assert ("attempt" in text) is (columns in (40, 200))
    assert any(line.startswith("key  ") for line in lines) is (columns < 80)


def test_a_table_in_a_pipe_is_plain() -> None:
    """However wide, with no escape codes, and with nothing after the last word of a line."""
    done = subprocess.run(
        [sys.executable, "-c", TABLE], cwd=ROOT, capture_output=True, text=True, check=True,
        env={**os.environ, "COLUMNS": "40"},
    )  # fmt: skip
    assert "\x1b" not in done.stdout
    assert "auc 0.744" in done.stdout
    assert all(line == line.rstrip() for line in done.stdout.splitlines())
    assert len([line for line in done.stdout.splitlines() if "pilot of one, live of two" in line]) == 2


def test_no_color_is_heard() -> None:
    """Neither results nor errors are coloured then, nor where the terminal knows no colours."""
    code = """
from cli.console import out
from cli.errors import show, warn
out().print("[red]result[/]"); warn("careful"); show("cause", "remedy")
"""
    coloured = re.compile(r"\x1b\[3[0-9]m")
    assert len(coloured.findall(at_a_terminal(code, 80))) == 4
    assert not coloured.search(at_a_terminal(code, 80, NO_COLOR="1"))
    assert not coloured.search(at_a_terminal(code, 80, TERM="dumb"))


def test_no_progress_leaves_out_what_only_passes() -> None:
    """Neither a spinner nor a line; what stays is shown all the same."""
    passing, staying = (
        Diagnostic("", "info", "Running, 3 of about 8 s", ephemeral=True),
        Diagnostic("", "info", "candidate: job 7", ephemeral=False),
    )
    for progress in (True, False):
        text = io.StringIO()
        view = Renderer(Console(file=text, width=80), "up", interactive=False, progress=progress)
        view(passing)
        view(staying)
        view.close()
        assert ("Running, 3 of about 8 s" in text.getvalue()) is progress
        assert "candidate: job 7" in text.getvalue()
    screen = io.StringIO()
    held = Held(lambda: view, Console(file=screen, force_terminal=True), "")
    held.close()
    assert screen.getvalue() == ""


def test_a_job_says_how_long_such_jobs_take() -> None:
    """Nothing at first, then the median, and from five on what nine of ten lie within."""
    container = MemoryContainer()
    history = History(container, "flights")  # type: ignore[arg-type]
    assert history.takes() == " s"
    for seconds in (8.0, 9.0, 7.0, 8.5, 7.5):
        history.add(seconds, {})
        told = history.takes()
        assert told.startswith(" of about ")
    low, high = map(float, re.findall(r"\d+", told)[1:3])
    assert told.startswith(" of about 8 s (")
    assert 4 <= low < 7 < 9 < high <= 14


def test_times_are_in_the_users_zone(tokyo: None) -> None:
    """In tables and sentences; programs get UTC."""
    at = datetime(2026, 11, 28, 23, 30, 15, tzinfo=UTC)
    assert local(at.isoformat()) == "2026-11-29 08:30"
    assert local("2026-11-28T23:30:15Z") == local("2026-11-28T23:30:15") == "2026-11-29 08:30"
    assert local("") == ""
    assert local_time(at) == "2026-11-29 08:30:15 JST"
    assert title("when") == "when (JST)"
    assert utc(at.astimezone()) == utc("2026-11-29T08:30:15+09:00") == "2026-11-28T23:30:15Z"
    assert utc("never") == "never"


def test_a_list_of_stacks_is_in_the_users_zone_and_its_json_in_utc(project_root: Path) -> None:
    """One time, said in both ways."""
    from tests.cli.test_verbs import a_state

    a_state(project_root, manifest={"time": "2026-11-28T23:30:15Z"}, resources=[])
    code = f"""
import sys
from pathlib import Path
from cli import project
project.ROOT = Path({str(project_root)!r})
from cli.app import main
main(sys.argv[1:])
"""

    def shown(*more: str) -> str:
        return subprocess.run(
            [sys.executable, "-c", code, "stack", "ls", *more], cwd=ROOT, capture_output=True, text=True, check=True,
            env={**os.environ, "TZ": "Asia/Tokyo", "PULUMI_BACKEND_URL": f"file://{project_root}"},
        ).stdout  # fmt: skip

    assert "2026-11-29 08:30" in shown()
    [stack] = json.loads(shown("--json"))
    assert stack["lastUpdate"] == "2026-11-28T23:30:15.000Z"
