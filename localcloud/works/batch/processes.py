"""Warm worker processes of this machine, as many as there is work for, up to a bound.

A worker (`localcloud.works.batch.worker`) is started with its imports done and waits for jobs on its standard input;
what it says comes back on its standard output, one JSON document a line. A job is cancelled by killing its worker:
training can't be interrupted in any other way.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import sys
from typing import Any

from localcloud.works.batch.computing import JobFailure
from localcloud.works.batch.executor import NotBegun, OnProgress, Order, Results

_log = logging.getLogger("localcloud.works.batch")

_LINE_LIMIT = 4 * 1024 * 1024
_RESTART_SECONDS = 1.0


class ProcessPool:
    """Starts one worker, and a further one while jobs wait, up to `most`; replaces those that end."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._idle: asyncio.Queue[_Worker] = asyncio.Queue()
        self._keepers: list[asyncio.Task[None]] = []
        self._starting = 0

    async def check(self) -> None:
        """This machine is there."""

    def start(self) -> None:
        """Start the first worker."""
        if self._most:
            self._grow()

    async def stop(self) -> None:
        """Kill the workers."""
        for keeper in self._keepers:
            keeper.cancel()
        await asyncio.gather(*self._keepers, return_exceptions=True)
        self._keepers = []

    async def room(self) -> _Worker:
        """A worker that waits for a job."""
        while True:
            if self._idle.empty() and not self._starting and len(self._keepers) < self._most:
                self._grow()
            worker = await self._idle.get()
            if worker.process.returncode is None:
                return worker

    def _grow(self) -> None:
        self._starting += 1
        self._keepers.append(asyncio.create_task(self._keep()))

    async def _keep(self) -> None:
        """One worker process after the other, for ever."""
        starting = True
        while True:
            if not starting:
                self._starting += 1
            starting = False
            try:
                worker = await self._spawn()
            finally:
                self._starting -= 1
            if worker is None:
                await asyncio.sleep(_RESTART_SECONDS)
                continue
            try:
                await worker.process.wait()
            finally:
                worker.kill()
                await worker.process.wait()
            if worker.process.returncode not in (0, -9):
                _log.warning("a worker process ended with status %s", worker.process.returncode)
                await asyncio.sleep(_RESTART_SECONDS)

    async def _spawn(self) -> _Worker | None:
        """A worker that has said that it is ready; None where there is none."""
        try:
            process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                "localcloud.works.batch.worker",
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                limit=_LINE_LIMIT,
            )
        except OSError as error:
            _log.error("cannot start a worker process: %s", error)
            return None
        worker = _Worker(process, self._idle)
        try:
            if await worker.hear() is not None:
                worker.give_back()
        except asyncio.CancelledError:
            worker.kill()
            await process.wait()
            raise
        return worker


class _Worker:
    """One worker process: room for one job at a time."""

    def __init__(self, process: asyncio.subprocess.Process, idle: asyncio.Queue[_Worker]) -> None:
        self.process = process
        self._idle = idle

    def give_back(self) -> None:
        """It waits for a job."""
        self._idle.put_nowait(self)

    async def run(self, order: Order, on_progress: OnProgress) -> Results:
        """Run a job. Raises `JobFailure`, and `NotBegun` where the process ended while it was idle."""
        begun = False
        try:
            assert self.process.stdin is not None
            self.process.stdin.write(json.dumps(order).encode() + b"\n")
            with contextlib.suppress(ConnectionError):
                await self.process.stdin.drain()
            while (said := await self.hear()) is not None:
                begun = True
                match said["kind"]:
                    case "begun":
                        pass
                    case "progress":
                        on_progress(said["progress"])
                    case "finished":
                        self.give_back()
                        results: Results = said["results"]
                        return results
                    case _:
                        self.give_back()
                        raise JobFailure(said["details"])
        except (
            asyncio.CancelledError,
            ValueError,
        ):  # what it says is no line of ours: it can't be given back
            self.kill()
            raise
        await self.process.wait()
        if not begun:
            raise NotBegun
        raise JobFailure(f"the worker process ended while the job ran (status {self.process.returncode})")

    async def hear(self) -> dict[str, Any] | None:
        """What it says next; None once it has ended."""
        assert self.process.stdout is not None
        line = await self.process.stdout.readline()
        return json.loads(line) if line else None

    def kill(self) -> None:
        """End it."""
        if self.process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                self.process.kill()
