"""`./dev` in environments that its user may have: it works, in one encoding, with the rooms beside the script."""

from __future__ import annotations

import os
import resource
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize(
    "given",
    [
        {"PYTHONSAFEPATH": "1"},
        {"LC_ALL": "POSIX", "PYTHONUTF8": "0"},
        {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0", "PYTHONIOENCODING": ""},
        {"HOME": "/proc"},  # nothing can be written there, by nobody
        {"HOME": ""},
    ],
    ids=lambda given: " ".join(f"{name}={value}" for name, value in given.items()),
)
def test_a_verb_works_in_any_environment(given: dict[str, str]) -> None:
    """What Python, its locale or the home are like."""
    done = _dev(given)
    assert done.returncode == 0, done.stderr
    assert "Write one value" in done.stdout
    assert "\u2500" in done.stdout  # a frame, in UTF-8
    assert done.stderr == ""


def test_a_verb_works_with_few_file_descriptors() -> None:
    """Sixteen are enough."""
    done = _dev({}, lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (16, 16)))
    assert done.returncode == 0, done.stderr


def _dev(given: dict[str, str], before=None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["./dev", "config", "--help"],
        cwd=ROOT,
        env={**os.environ, **given},
        capture_output=True,
        encoding="utf-8",
        check=False,
        preexec_fn=before,
    )
