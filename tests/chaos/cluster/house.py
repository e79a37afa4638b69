"""A local cloud whose jobs run on a Dask cluster of this machine, each process of which can be killed."""

from __future__ import annotations

import os
import signal
import socket
import sqlite3
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests import guard
from tests.studio.running import ROOT, Running, start_azurite
from tests.waiting import eventually, own_port


@dataclass
class OnDask(Running):
    """A local cloud with an executor."""

    executor: str = ""

    def command(self) -> list[str]:
        return [*super().command(), "--executor", self.executor]


@dataclass
class DaskProcesses:
    """A scheduler and its workers; what ended is started again by `tend`, as Kubernetes would."""

    directory: Path
    workers: int
    where: Path = ROOT
    port: int = field(default_factory=own_port)
    scheduler: subprocess.Popen[bytes] | None = None
    found: list[subprocess.Popen[bytes] | None] = field(default_factory=list)

    @property
    def address(self) -> str:
        """Where the scheduler listens."""
        return f"tcp://127.0.0.1:{self.port}"

    def start(self) -> DaskProcesses:
        """Start all of it."""
        self.directory.mkdir(parents=True, exist_ok=True)
        self.found = [None] * self.workers
        self.tend()
        return self

    def tend(self) -> None:
        """Start what does not run."""
        if self.scheduler is None or self.scheduler.poll() is not None:
            where = ["--host", "127.0.0.1", "--port", str(self.port)]
            self.scheduler = self._spawn("scheduler", *where)
        for number, worker in enumerate(self.found):
            if worker is None or worker.poll() is not None:
                how = ["--no-nanny", "--nthreads", "1", "--host", "127.0.0.1"]
                self.found[number] = self._spawn("worker", self.address, *how)

    def answers(self) -> bool:
        """Whether the scheduler listens."""
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def kill_worker(self, number: int) -> None:
        """``kill -9`` of a worker."""
        worker = self.found[number]
        assert worker is not None
        _end(worker)

    def kill_scheduler(self) -> None:
        """``kill -9`` of the scheduler; its workers end by themselves when they miss it."""
        assert self.scheduler is not None
        _end(self.scheduler)

    def close(self) -> None:
        """End all of it."""
        for process in (*self.found, self.scheduler):
            if process is not None:
                _end(process)

    def _spawn(self, kind: str, *arguments: str) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", f"distributed.cli.dask_{kind}", *arguments]
        command += ["--dashboard-address", "127.0.0.1:0"]
        env = os.environ | {"DASK_TEMPORARY_DIRECTORY": str(self.directory)}
        with (self.directory / f"{kind}.log").open("ab") as log:
            process = subprocess.Popen(command, cwd=self.where, env=env, stdout=log, stderr=log)
        guard.entrust(process.pid)
        return process


class House:
    """Both, below *directory*."""

    def __init__(self, directory: Path, workers: int) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self.dask = DaskProcesses(directory / "dask", workers).start()
        self._azurite, azurite = start_azurite(directory / "azurite", os.urandom(64))
        eventually(self.dask.answers, "the Dask scheduler")
        self.cloud = OnDask(directory, azurite, executor=self.dask.address).start()

    def books(self) -> list[dict[str, Any]]:
        """Stop the local cloud; the jobs as its database has them."""
        self.cloud.stop(signal.SIGTERM)
        with sqlite3.connect(self.cloud.directory / "data" / "studio.db") as connection:
            connection.row_factory = sqlite3.Row
            found = [dict(row) for row in connection.execute("SELECT id, state, details FROM jobs")]
        connection.close()
        return found

    def close(self) -> None:
        """End all processes."""
        self.cloud.close()
        self.dask.close()
        _end(self._azurite)


def _end(process: subprocess.Popen[bytes]) -> None:
    process.kill()
    process.wait()
