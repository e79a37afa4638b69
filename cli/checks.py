"""The checks that `./dev lint` and `./dev test` run, one after the other: a failure doesn't hide the next."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence

from cli.console import say
from cli.errors import FAILED
from cli.project import ROOT

Check = tuple[str, list[str]]


def linters() -> list[Check]:
    """Style, form, types."""
    python = [sys.executable, "-m"]
    return [
        ("ruff check", [*python, "ruff", "check"]),
        ("ruff format", [*python, "ruff", "format", "--check"]),
        ("mypy", [*python, "mypy"]),
    ]


def pytest(arguments: Sequence[str]) -> Check:
    """The tests, two at a time unless the arguments say otherwise."""
    own = any(each.startswith(("-n", "--numprocesses", "--pdb", "--trace", "--dist")) for each in arguments)
    # By file, as a file's tests share a running cloud (by group, pytest-xdist 3.8 can't under pytest 9.2: its #1386).
    workers = [] if own else ["-n", "2", "--dist", "loadfile"]
    return "pytest", [sys.executable, "-m", "pytest", *workers, *arguments]


def run_all(checks: Sequence[Check]) -> int:
    """Run every check; 0 when all passed, else 1, the failed ones named at the end."""
    failed: list[str] = []
    for name, command in checks:
        say(f"== {name}")
        if subprocess.run(command, cwd=ROOT, check=False).returncode:
            failed.append(name)
    say(f"failed: {', '.join(failed)}" if failed else f"passed: {', '.join(name for name, _ in checks)}")
    return FAILED if failed else 0
