"""All deployments that run in this server, by their ids: what serves them, their files, their place in a split.

What runs follows what is kept: whichever way the document of a deployment went (with its endpoint, workspace or resource
group), its processes end a moment later.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import shutil
from collections import defaultdict
from collections.abc import Callable, Coroutine, Mapping
from pathlib import Path
from typing import Any

from localcloud.azureml.serving.plan import Plan
from localcloud.azureml.serving.replicas import Replicas
from localcloud.azureml.serving.traffic import Copies, Split

_log = logging.getLogger("localcloud.azureml.serving")

_FOLLOW_SECONDS = 1.0
_LOG, _STORAGE_LOG = "log", "storage-log"


class Serving:
    """Used from the event loop only. `kept` gives the document of an id."""

    def __init__(self, directory: Path, kept: Callable[[str], Mapping[str, Any] | None]) -> None:
        self._directory = directory
        self._kept = kept
        self._deployed: dict[str, Replicas] = {}
        self._starting: dict[str, Replicas] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self.splits: defaultdict[str, Split] = defaultdict(Split)
        self.copies: defaultdict[str, Copies] = defaultdict(Copies)
        # By rules of faults: the traffic that still holds, and the one that is shown, by the endpoint's id.
        self.stale: dict[str, tuple[dict[str, int], dict[str, int]]] = {}

    def home(self, guid: str, attempt: str) -> Path:
        """Where the files of one attempt to serve a deployment are; the guid is the deployment's own."""
        return self._directory / guid / attempt

    def log(self, guid: str) -> Path:
        """Where its instances write."""
        return self._directory / guid / _LOG

    def storage_log(self, guid: str) -> Path:
        """Where it is written how its files were brought."""
        return self._directory / guid / _STORAGE_LOG

    def find(self, deployment: str) -> Replicas | None:
        """What serves the deployment of that id."""
        return self._deployed.get(deployment.lower())

    async def start(self, deployment: str, guid: str, plan: Plan) -> None:
        """Start what can serve a deployment, until it does so or its document is gone. Raises `NotServing`."""
        deployed = Replicas(plan, self.log(guid))
        await deployed.start()
        self._starting[deployment.lower()] = deployed

    def serve(self, deployment: str) -> None:
        """Let what was started answer the calls of a deployment; what did so before ends after its last call."""
        deployed = self._starting.pop(deployment.lower(), None)
        before = self._deployed.get(deployment.lower())
        if deployed is not None:
            self._deployed[deployment.lower()] = deployed
            if before is not None:
                self.soon(self._leave(before))

    def resume(self, deployment: str, guid: str, plan: Plan) -> None:
        """Serve again, in the background, what served before the server ended."""
        deployed = self._deployed[deployment.lower()] = Replicas(plan, self.log(guid))
        deployed.resume()

    def follow(self) -> None:
        """End what serves deployments that are no more, now and from now on each second."""
        self.end_gone()
        self.soon(self._follow_for_ever())

    def end_gone(self) -> None:
        """End what serves deployments that are no more."""
        for running in (self._deployed, self._starting):
            for deployment, deployed in list(running.items()):
                folder = deployed.plan.home.parent
                document = self._kept(deployment)
                if document is None or document["local"]["guid"] != folder.name:
                    del running[deployment]
                    self.soon(self._go(deployed, folder))

    async def _follow_for_ever(self) -> None:
        while True:
            await asyncio.sleep(_FOLLOW_SECONDS)
            self.end_gone()

    def keep_only(self, homes: Mapping[str, str]) -> None:
        """Delete the files of deployments that are no more, and of attempts that serve nothing; homes by guid."""
        for folder in self._directory.iterdir() if self._directory.exists() else ():
            if folder.name not in homes:
                shutil.rmtree(folder, ignore_errors=True)
                continue
            for attempt in folder.iterdir():
                if attempt.is_dir() and str(attempt) != homes[folder.name]:
                    shutil.rmtree(attempt, ignore_errors=True)

    async def discard(self, home: Path) -> None:
        """Delete the files of an attempt that failed."""
        await asyncio.to_thread(shutil.rmtree, home, ignore_errors=True)

    def soon(self, work: Coroutine[Any, Any, None]) -> None:
        """Do something in the background; what comes of it is nobody's."""
        task = asyncio.create_task(_quietly(work))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def stop(self) -> None:
        """End all processes."""
        for task in self._tasks:
            task.cancel()
        ends = (one.end() for one in (*self._deployed.values(), *self._starting.values()))
        await asyncio.gather(*ends, *self._tasks, return_exceptions=True)

    async def _go(self, deployed: Replicas, folder: Path) -> None:
        await deployed.end()
        await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)

    async def _leave(self, before: Replicas) -> None:
        await before.drain()
        await asyncio.to_thread(shutil.rmtree, before.plan.home, ignore_errors=True)


async def _quietly(work: Coroutine[Any, Any, None]) -> None:
    with contextlib.suppress(asyncio.CancelledError):
        try:
            await work
        except Exception:
            _log.exception("work in the background met an unexpected error")
