"""Where jobs run: worker processes as there is work for them, or a Dask cluster that may be away or another's."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from distributed import LocalCluster

from localcloud.facilities.errors import StartError
from localcloud.works.batch import dask_cluster
from localcloud.works.batch.computing import JobFailure, TableBlob, Task, compute, signature
from localcloud.works.batch.dask_cluster import DaskCluster, compute_there
from localcloud.works.batch.processes import ProcessPool
from tests.chaos.cluster.house import DaskProcesses
from tests.healing import Told
from tests.studio.houses import TRAINING, houses
from tests.waiting import own_port

TASK = Task(
    TRAINING,
    {"Ridge": "0.001"},
    {},
    {"input1": TableBlob(houses(), ".csv", "houses.csv")},
    {"output1": ".csv", "output2": ".csv"},
)


def quiet(_progress: Any) -> None:
    """Nobody listens."""


@asynccontextmanager
async def dask_here() -> AsyncIterator[LocalCluster]:
    """A Dask cluster within this process, with one worker."""
    async with LocalCluster(
        n_workers=1,
        threads_per_worker=1,
        processes=False,
        asynchronous=True,
        protocol="tcp",
        dashboard_address=None,
    ) as found:
        yield found


async def soon(look: Callable[[], object]) -> None:
    """Let others go on until something is so."""
    async with asyncio.timeout(30):
        while not look():
            await asyncio.sleep(0.01)


def played(play: Callable[[LocalCluster, DaskCluster], Coroutine[Any, Any, None]]) -> None:
    """Play something with a cluster that is there."""

    async def main() -> None:
        async with dask_here() as there:
            cluster = DaskCluster(there.scheduler_address)
            await cluster.check()
            cluster.start()
            try:
                await play(there, cluster)
            finally:
                await cluster.stop()

    asyncio.run(main())


def test_a_cluster_computes_the_same_bytes_and_says_how_far_it_is() -> None:
    """As this process does; a task that the graph refuses fails in the graph's words."""

    async def play(_there: LocalCluster, cluster: DaskCluster) -> None:
        heard: list[Any] = []
        assert await cluster.compute(TASK, heard.append) == compute(TASK, quiet)
        await soon(lambda: heard)
        assert heard[0]["Total"] >= 1
        wrong = Task(TRAINING, {"Ridge": "0.001"}, {}, {"input1": TableBlob(b"", ".csv", "empty.csv")}, {})
        with pytest.raises(JobFailure, match=r"empty\.csv"):
            await cluster.compute(wrong, quiet)

    played(play)


def test_a_cancelled_job_is_gone_from_the_cluster(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its future is cancelled: the scheduler forgets it, and its room is free."""
    running, go_on = threading.Event(), threading.Event()

    def stuck(*_arguments: object) -> dict[str, bytes]:
        running.set()
        go_on.wait(30)
        return {}

    monkeypatch.setattr(dask_cluster, "compute", stuck)

    async def play(there: LocalCluster, cluster: DaskCluster) -> None:
        job = asyncio.create_task(cluster.compute(TASK, quiet))
        await soon(running.is_set)
        assert there.scheduler.tasks
        job.cancel()
        with pytest.raises(asyncio.CancelledError):
            await job
        go_on.set()
        await soon(lambda: not there.scheduler.tasks)

    played(play)


def test_jobs_wait_for_a_cluster_that_is_away_and_not_for_ever() -> None:
    """Nobody answers: the job fails once the deadline has passed, with a line that says so."""

    async def main() -> None:
        cluster = DaskCluster(f"tcp://127.0.0.1:{own_port()}", away_seconds=0.1)
        with pytest.raises(JobFailure, match=r"has been away, or without workers, for \d+ s"):
            await cluster.compute(TASK, quiet)

    asyncio.run(main())


@pytest.mark.heals(
    "start its scheduler and workers (docs/cluster.md), or ./dev cloud start --executor processes"
)
@pytest.mark.heals(
    "install this version there, with the packages of requirements.lock (docs/cluster.md), or ./dev cloud start --executor processes"
)
def test_a_cluster_that_is_not_there_or_not_like_this_machine(
    remedy: Told, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody listens, or its processes have not this package: a line each; one that is there and alike will do."""
    monkeypatch.setattr(dask_cluster, "_CONNECT_SECONDS", 0.5)
    foreign = DaskProcesses(tmp_path / "dask", 1, where=tmp_path)

    async def checked(address: str) -> None:
        cluster = DaskCluster(address)
        try:
            await cluster.check()
        finally:
            await cluster.stop()

    remedy.fails(lambda: asyncio.run(checked(foreign.address)))
    monkeypatch.setattr(dask_cluster, "_CONNECT_SECONDS", 60.0)
    foreign.start()
    try:
        told = remedy.fails(lambda: asyncio.run(checked(foreign.address)))
    finally:
        foreign.close()
    assert isinstance(told, StartError)
    assert "No module named 'localcloud'" in told.cause
    assert len(told.cause.splitlines()) == 1
    played(lambda _there, cluster: asyncio.sleep(0))


def test_a_worker_of_another_version_computes_nothing() -> None:
    """One that came later, say: what it has and what is wanted are in the line."""
    outcome = compute_there(TASK, signature() | {"numpy": "1.0"}, "")
    assert outcome["failure"].startswith("a worker of the Dask cluster has numpy ")
    assert outcome["failure"].endswith(", not 1.0")


def test_the_pool_grows_while_jobs_wait_and_not_further() -> None:
    """Two rooms are two processes; the third is that of a worker that was given back."""

    async def main() -> None:
        pool = ProcessPool(2)
        pool.start()
        try:
            first, second = await pool.room(), await pool.room()
            assert first.process.pid != second.process.pid
            third = asyncio.create_task(pool.room())
            await asyncio.sleep(0)
            assert not third.done()
            second.give_back()
            assert (await third).process.pid == second.process.pid
        finally:
            await pool.stop()
        assert [each.process.returncode for each in (first, second)] == [-9, -9]

    asyncio.run(main())


def test_a_worker_that_cannot_be_understood_is_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    """What it said was too long for a line, say: its job fails, and there is room again."""

    async def main() -> None:
        pool = ProcessPool(1)
        pool.start()
        try:
            first = await pool.room()

            async def too_long() -> None:
                raise ValueError

            monkeypatch.setattr(first, "hear", too_long)
            with pytest.raises(ValueError):
                await first.run({}, quiet)
            async with asyncio.timeout(60):
                assert (await pool.room()).process.pid != first.process.pid
        finally:
            await pool.stop()

    asyncio.run(main())
