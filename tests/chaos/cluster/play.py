"""Plays jobs while the cluster's processes are killed, and looks at what came of each."""

from __future__ import annotations

import hashlib
import random
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from localcloud.works.batch.computing import TableBlob, Task, compute
from tests.chaos.cluster.house import House
from tests.studio.houses import houses, slow_training
from tests.studio.shared import job_request

FAILED, WRONG, TWICE, BOOKS = (
    "jobs that failed or never ended",
    "models with other bytes than without Dask",
    "outputs written more than once",
    "jobs that the books have not, or twice, or not finished",
)
KINDS = (FAILED, WRONG, TWICE, BOOKS)
WORKER, SCHEDULER = "worker", "scheduler"
_INPUTS = 20
_LOOKS = 10
_LOOK = 0.2
_DEADLINE = 900.0


@dataclass(frozen=True)
class Kill:
    """Whom it strikes, once so many jobs have finished."""

    after: int
    victim: str
    number: int = 0


@dataclass
class Outcome:
    """How a campaign went."""

    figures: Counter[str] = field(default_factory=Counter)
    violations: list[tuple[str, str]] = field(default_factory=list)
    seconds: float = 0.0


def drawn(jobs: int, workers: int, kills: int, seed: int) -> tuple[list[int], list[Kill]]:
    """The trees of each job, and when who is killed: *kills* of workers and one of the scheduler."""
    dice = random.Random(f"cluster/{seed}")
    trees = [200 + 50 * dice.randrange(_INPUTS) for _ in range(jobs)]
    moments = sorted(dice.sample(range(1, max(kills + 2, jobs - workers)), kills + 1))
    scheduler = dice.randrange(kills + 1)
    return trees, [
        Kill(after, SCHEDULER) if index == scheduler else Kill(after, WORKER, dice.randrange(workers))
        for index, after in enumerate(moments)
    ]


def play(
    house: House, trees: list[int], kills: list[Kill], told: Callable[[str], None] = lambda _line: None
) -> Outcome:
    """Start all jobs at once, kill, and hold every job against what it must be."""
    began, outcome, cloud = time.monotonic(), Outcome(), house.cloud
    cloud.upload("data", "houses.csv", houses())
    workspace = cloud.workspace("cluster")
    endpoint = workspace.endpoint(workspace.publish("slow-training", slow_training()))
    jobs: dict[str, int] = {}
    for number, each in enumerate(trees):
        request = job_request(cloud, "houses.csv", output1=f"models/{number}.ilearner")
        request["GlobalParameters"] = {"Trees": str(each)}
        job = endpoint.submit(request).raise_for_status().json()
        endpoint.call("POST", f"jobs/{job}/start").raise_for_status()
        jobs[job] = number
    ended: dict[str, dict[str, object]] = {}
    waiting = list(kills)
    while len(ended) < len(jobs) and time.monotonic() - began < _DEADLINE:
        for job in [each for each in jobs if each not in ended][:_LOOKS]:
            status = endpoint.call("GET", f"jobs/{job}").raise_for_status().json()
            if status["StatusCode"] in ("Finished", "Failed"):
                ended[job] = status
        house.dask.tend()
        if waiting and len(ended) >= waiting[0].after:
            kill = waiting.pop(0)
            if kill.victim == SCHEDULER:
                house.dask.kill_scheduler()
            else:
                house.dask.kill_worker(kill.number)
            outcome.figures[f"killed: {kill.victim}"] += 1
            told(
                f"{time.monotonic() - began:.0f} s: {len(ended)} of {len(jobs)} jobs done: the {kill.victim} is killed"
            )
        time.sleep(_LOOK)
    outcome.seconds = time.monotonic() - began
    _judge(house, jobs, trees, ended, outcome)
    return outcome


def _judge(
    house: House,
    jobs: dict[str, int],
    trees: list[int],
    ended: dict[str, dict[str, object]],
    outcome: Outcome,
) -> None:
    outcome.figures["jobs"] = len(jobs)
    outcome.figures["jobs submitted again"] = house.cloud.log.count("it is submitted again")
    wanted = {each: _alone(each) for each in set(trees)}
    outcome.figures["distinct models"] = len(wanted)
    for job, number in jobs.items():
        status = ended.get(job, {})
        if status.get("StatusCode") != "Finished":
            outcome.violations.append((FAILED, f"{job}: {status.get('Details') or 'no end'}"))
        elif (
            hashlib.sha256(house.cloud.download("data", f"models/{number}.ilearner")).hexdigest()
            != wanted[trees[number]]
        ):
            outcome.violations.append((WRONG, job))
    written = Counter(
        entry["path"].partition("?")[0]
        for entry in house.cloud.journal("write", "blob")
        if entry["path"].partition("?")[0].endswith(".ilearner") and entry["status"] == 201
    )
    outcome.figures["models written"] = written.total()
    outcome.violations += [(TWICE, f"{path}: {count} times") for path, count in written.items() if count > 1]
    books = Counter(entry["id"] for entry in house.books() if entry["state"] == "Finished")
    outcome.figures["jobs in the books, finished"] = books.total()
    outcome.violations += [
        (BOOKS, job) for job in books.keys() | jobs.keys() if books[job] != 1 or job not in jobs
    ]


def _alone(trees: int) -> str:
    """The hash of the model that this process makes, without a cluster."""
    table = TableBlob(houses(), ".csv", "houses.csv")
    task = Task(slow_training(), {"Trees": str(trees)}, {}, {"input1": table}, {"output1": ".csv"})
    return hashlib.sha256(compute(task, lambda _progress: None)["output1"]).hexdigest()


def figures(outcome: Outcome) -> dict[str, str]:
    """The figures by name, in the order in which they are shown."""
    counted = Counter(kind for kind, _text in outcome.violations)
    found = {name: str(outcome.figures[name]) for name in sorted(outcome.figures)}
    return found | {"seconds": f"{outcome.seconds:.0f}"} | {kind: str(counted[kind]) for kind in KINDS}
