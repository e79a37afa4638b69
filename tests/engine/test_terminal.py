"""Live progress on a terminal: rows come, go, and nothing of them is left, not even after Ctrl-C; elsewhere plain lines."""

from __future__ import annotations

import os
import pty
import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest

import engine
from tests.engine.playing import Embedded
from tests.engine.scenarios import Scenario
from tests.engine.test_same_as_cli import embedded

__all__ = ["embedded"]

PROGRAM = Scenario(
    "slow",
    """
quick = Thing("quick", {"value": "v"})
slow = Thing("slow", {"value": "v", "slow_create": "ends"}, Options(depends_on=[quick]))
other = Thing("other", {"value": "v", "slow_create": "ends"}, Options(depends_on=[quick]))
Thing("never", {"value": slow.echo})
""",
)
UP = """
import sys, pathlib, typer
from cli.planning import Planning
from cli.runners import embedded
from cli.runners.run import Run
from cli.wishes import Wishes
embedded.ROOT = pathlib.Path(sys.argv[1])
run = Run("dev", {}, {"PULUMI_DEBUG_PROVIDERS": f"things:{sys.argv[2]}", "PULUMI_CONFIG_PASSPHRASE": "correct horse"})
try:
    embedded.EmbeddedRunner(run).up(Wishes(), Planning("dev", Wishes(), {}, lambda: None))
except typer.Exit as end:
    sys.exit(end.exit_code)
"""
PART = re.compile(r"\x1b\[([?\d;]*)([A-Za-z])|([\r\n])|([^\x1b\r\n]+)")


@dataclass
class Screen:
    """What a terminal shows of what was written to it: lines, and whether the cursor is."""

    lines: list[str] = field(default_factory=lambda: [""])
    row: int = 0
    column: int = 0
    cursor: bool = True

    def write(self, text: str) -> None:
        """Take text with the few control sequences that a live display needs."""
        for number, command, control, plain in PART.findall(text):
            if plain:
                line = self.lines[self.row].ljust(self.column)
                self.lines[self.row] = line[: self.column] + plain + line[self.column + len(plain) :]
                self.column += len(plain)
            elif control == "\r":
                self.column = 0
            elif control == "\n":
                self.row += 1
                self.lines += [""] * (self.row + 1 - len(self.lines))
            elif command == "A":
                self.row = max(self.row - int(number or 1), 0)
            elif command == "K":
                self.lines[self.row] = "" if number == "2" else self.lines[self.row][: self.column]
            elif number == "?25":
                self.cursor = command == "h"


@dataclass
class Terminal:
    """A process on a terminal of its own."""

    process: int
    file: int
    screen: Screen = field(default_factory=Screen)

    def read(self, until: Callable[[str], bool] = lambda _: False) -> None:
        """Show what comes, until the screen is as wanted or the process has ended."""
        while not until("\n".join(self.screen.lines)):
            try:
                self.screen.write(os.read(self.file, 65536).decode(errors="replace"))
            except OSError:  # the other end is closed
                return

    def end(self) -> int:
        """Read all there is; the exit status."""
        self.read()
        return os.waitstatus_to_exitcode(os.waitpid(self.process, 0)[1])


@pytest.fixture
def command(embedded: Embedded, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What runs an update that waits for its cancellation."""
    embedded.write(PROGRAM, 1)
    monkeypatch.setenv("PYTHONPATH", str(Path(engine.__file__).parents[1]))
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("COLUMNS", "120")
    monkeypatch.setenv("PULUMI_CONFIG_PASSPHRASE", "correct horse")
    for name in ("NO_COLOR", "FORCE_COLOR", "CI"):
        monkeypatch.delenv(name, raising=False)
    return [sys.executable, "-c", UP, str(embedded.root), str(embedded.served.port)]


def test_rows_are_live_and_leave_nothing_behind_after_ctrl_c(command: list[str]) -> None:
    """While two resources are made each has its row; after Ctrl-C the lines of what was done are left, and the cursor."""
    process, file = pty.fork()
    if process == 0:
        os.execv(command[0], command)
    terminal = Terminal(process, file)
    terminal.read(lambda screen: all(f"{name} creating (" in screen for name in ("slow", "other")))
    assert not terminal.screen.cursor
    os.write(file, b"\x03")
    assert terminal.end() == 130
    assert terminal.screen.cursor
    shown = [line.strip() for line in terminal.screen.lines]
    assert not [line for line in shown if "creating (" in line]
    done = sorted(line.split()[2] for line in shown if " created (" in line and "Thing" in line)
    assert done == ["other", "quick", "slow"]
    assert any("cancelling" in line for line in shown)


def test_elsewhere_there_are_plain_lines(command: list[str], embedded: Embedded) -> None:
    """No control sequence in a pipe; SIGTERM cancels like Ctrl-C."""
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert all(embedded.served.things.waiting.acquire(timeout=30) for _ in range(2))
        process.terminate()
        out, _ = process.communicate(timeout=30)
    assert process.returncode == 130
    assert "\x1b" not in out
    assert "creating (" not in out
    assert out.count(" created (") == 4  # with the stack
