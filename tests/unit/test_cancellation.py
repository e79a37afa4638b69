"""An interrupted or orphaned update does nothing more."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import tempfile

import pytest

from clients.errors import EngineGone, UpdateCancelled
from retrain_hooks.host import interruption as cancellation
from retrain_hooks.host.interruption import CancellableClock, EngineGuard
from tests.waiting import own_port


@pytest.fixture
def engine(tmp_path, monkeypatch):
    """The address of something that answers, as an engine does."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"127.0.0.1:{server.getsockname()[1]}"


def test_an_update_that_nobody_interrupts_goes_on(engine):
    """No mark and an engine that answers."""
    EngineGuard(engine).check()


def test_a_mark_of_this_run_stops_it(engine):
    """The program leaves the mark when it is interrupted."""
    guard = EngineGuard(engine)
    cancellation._mark(engine).touch()
    with pytest.raises(UpdateCancelled, match="the update was cancelled"):
        guard.check()


def test_a_mark_of_an_earlier_run_at_the_same_address_does_not(engine):
    """Ports are used again, and a destroy has no program that would remove what an earlier run left."""
    mark = cancellation._mark(engine)
    mark.touch()
    os.utime(mark, (0, 0))
    guard = EngineGuard(engine)
    guard.check()
    mark.touch()
    with pytest.raises(UpdateCancelled):
        guard.check()


def test_a_mark_of_another_run_does_not(engine):
    """Marks are named after the engine's address."""
    cancellation._mark("127.0.0.1:1").touch()
    EngineGuard(engine).check()


def test_an_engine_that_is_gone_stops_it(tmp_path, monkeypatch):
    """A provider that outlived a killed engine changes nothing."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with pytest.raises(EngineGone, match="engine of this update is gone"):
        EngineGuard(f"127.0.0.1:{own_port()}").check()


def test_a_cancelled_update_ends_a_sleep(engine):
    """However long the next look at a job is away."""
    guard = EngineGuard(engine)
    cancellation._mark(engine).touch()
    with pytest.raises(UpdateCancelled):
        CancellableClock(guard).sleep(3600)


def test_marks_of_runs_long_gone_are_forgotten(tmp_path, monkeypatch):
    """And one that an earlier run left at the same address; those of other runs stay."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    own, other, old = (cancellation._mark(f"127.0.0.1:{port}") for port in (1, 2, 3))
    for mark in (own, other, old):
        mark.touch()
    os.utime(old, (0, 0))
    cancellation._forget_old_marks(own)
    assert [mark.exists() for mark in (own, other, old)] == [False, True, False]


PROGRAM = """
import signal, sys
from retrain_hooks.host.interruption import stop_on_interrupt
stop_on_interrupt()
print("ready", flush=True)
signal.pause()
"""


@pytest.mark.parametrize(
    ("arguments", "marked"),
    [
        (["--engine", "127.0.0.1:4711", "--dry_run", "false"], True),
        (["--engine", "127.0.0.1:4711", "--dry_run", "true"], False),
        (['{"engine": "127.0.0.1:4711", "dry_run": false}'], True),
        (['{"engine": "127.0.0.1:4711", "dry_run": true}'], False),
    ],
)
def test_an_interrupted_program_ends_quietly_and_marks_an_update_only(tmp_path, arguments, marked):
    """SIGINT ends the program without a traceback; a preview leaves no mark. The CLI and the embedded engine each
    have their own way to name their address.
    """
    environment = os.environ | {"TMPDIR": str(tmp_path)}
    with subprocess.Popen(
        [sys.executable, "-c", PROGRAM, *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment,
    ) as program:
        assert program.stdout.readline() == b"ready\n"
        program.send_signal(signal.SIGINT)
        _out, errors = program.communicate(timeout=20)
    assert (program.returncode, errors) == (130, b"")
    assert bool(list(tmp_path.rglob("127.0.0.1-4711"))) is marked
