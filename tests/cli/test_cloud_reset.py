"""`./dev cloud reset` deletes everything local: only for a yes, and only where nothing runs in the local cloud."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from typer.testing import CliRunner

from backend.errors import LockedError
from backend.files import Backend
from cli import project
from cli.app import build
from cli.stacks.held import all_local_stacks

NAME = "project"


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A checkout with a local stack, and one that lives elsewhere."""
    (tmp_path / "Pulumi.yaml").write_text(
        f"name: {NAME}\nruntime: python\nbackend: {{url: 'file://./state'}}\nconfig: {{target: {{default: local}}}}\n"
    )
    (tmp_path / "Pulumi.dev.yaml").write_text("config: {}\n")
    (tmp_path / "Pulumi.prod.yaml").write_text(f"config: {{'{NAME}:target': environment}}\n")
    (tmp_path / "state").mkdir()
    monkeypatch.setattr(project, "ROOT", tmp_path)
    monkeypatch.setenv("RETRAIN_CLOUD_FILE", str(tmp_path / "cloud" / "cloud.json"))
    monkeypatch.setenv("PULUMI_BACKEND_URL", f"file://{tmp_path}/state")
    return tmp_path


def held(checkout: Path, stack: str, pid: int) -> Path:
    """A lock as a run of that process writes it."""
    backend = Backend(checkout / "state", NAME, stack)
    lock = backend.locks / "lock.json"
    lock.parent.mkdir(parents=True)
    lock.write_text(
        json.dumps(
            {
                "pid": pid,
                "username": "ada",
                "hostname": os.uname().nodename,
                "timestamp": "9999-01-01T00:00:00Z",
            }
        )
    )
    return lock


@pytest.mark.parametrize("stack", ["dev", "without-a-file"])
def test_a_run_in_the_local_cloud_is_named(checkout: Path, stack: str) -> None:
    """While a stack is held by a process that lives, nothing is deleted, and the message says who holds it."""
    held(checkout, stack, os.getpid())
    with (
        pytest.raises(LockedError, match=f"stack {stack} is locked by ada@.*process {os.getpid()}"),
        all_local_stacks(print),
    ):
        pytest.fail("held by another")


def test_who_runs_elsewhere_or_is_dead_is_in_nobodys_way(checkout: Path) -> None:
    """A stack of another target does not count, and a lock whose process has ended is freed."""
    held(checkout, "prod", os.getpid())
    dead = held(checkout, "dev", 2**22 + 1)
    said: list[str] = []
    with all_local_stacks(said.append):
        assert not dead.exists()
        with (
            pytest.raises(LockedError, match="stack dev is locked"),
            Backend(checkout / "state", NAME, "dev").locked(print),
        ):
            pytest.fail("the reset holds it")
    assert "is dead" in said[0]


def test_a_pipe_is_no_yes(checkout: Path) -> None:
    """Without a terminal and without --yes nothing is deleted, whatever the pipe says."""
    kept = checkout / "cloud" / "azurite"
    kept.mkdir(parents=True)
    done = CliRunner().invoke(build(), ["cloud", "reset"], input="y\n")
    assert (done.exit_code, "--yes" in done.output) == (2, True)
    assert kept.exists()
    held(checkout, "dev", os.getpid())
    done = CliRunner().invoke(build(), ["cloud", "reset", "--yes"])
    assert (done.exit_code, "locked by ada" in done.output) == (1, True)
    assert kept.exists()
