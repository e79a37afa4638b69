"""From a run key to a model: reuse a finished run, attach to a running one, or start the one job."""

from __future__ import annotations

import hashlib
import threading
from base64 import b64encode
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from clients.clock import Clock
from clients.errors import DeadlineExceeded, JobFailed, LedgerError, NotFound, ServiceError
from clients.poller import wait
from clients.protocols import Jobs, JobState, JobStatus
from clients.storage import Container
from retrain_hooks.evaluation import read_metrics
from retrain_hooks.ledger import Entry, Job, Ledger, Run, same_inputs
from retrain_hooks.lifecycle import Guard, Progress

# Several resources of one program may stand for the same run: within a process one of them asks the service and
# reports, the others wait for it.
_turns: defaultdict[str, threading.Lock] = defaultdict(threading.Lock)
_told: set[tuple[str, int]] = set()


@dataclass(frozen=True)
class Request:
    """What a run is made of: *key* with the *inputs* it covers, and how to ask *workspace*'s *service* for it.

    *outputs* names the web service outputs for ``model`` and ``evaluation``; *deadline* is in seconds.
    """

    key: str
    experiment: str
    inputs: dict[str, Any]
    blob: str
    input: str
    outputs: Mapping[str, str]
    parameters: Mapping[str, str]
    service: str
    workspace: dict[str, str]
    deadline: float


class Trainer:
    """Brings a run to its end, exactly once whoever asks."""

    def __init__(
        self,
        ledger: Ledger,
        data: Container,
        jobs: Callable[[Mapping[str, str], str], Jobs],
        clock: Clock,
        progress: Progress,
        guard: Guard,
    ) -> None:
        """*jobs* answers for a workspace and the id of a training service in it."""
        self._ledger = ledger
        self._data = data
        self._jobs = jobs
        self._clock = clock
        self._progress = progress
        self._guard = guard

    def train(self, request: Request) -> tuple[Run, bool]:
        """The finished run of *request*, and whether it was there already.

        Raises JobFailed with the service's own error, DeadlineExceeded, UpdateCancelled (the job goes on and is
        attached to next time), LedgerError where the key was recorded for other inputs.
        """
        with _turns[request.key]:
            entry = self._ledger.find(request.key)
            reused = entry is not None and entry.run.state == "finished"
            if entry is not None and not same_inputs(entry.run, request.inputs):
                raise LedgerError(
                    f"run {request.key[:12]} is recorded with other inputs",
                    "do not trust the registry: find out who wrote that record",
                )
            if entry is None:
                self._guard.check()
                entry = self._ledger.plan(
                    Run(request.key, request.experiment, request.inputs, planned_at=self._now())
                )
            elif entry.run.state == "failed":
                if (request.key, entry.run.attempt) in _told:
                    raise JobFailed(
                        f"the training run {request.key[:12]} failed, as reported above",
                        "correct it there; nothing was bound",
                    )
                entry = self._replan(entry)
            elif reused and not self._ledger.intact(entry.run):
                self._progress.info(
                    f"the model of run {request.key[:12]} is lost or altered: training it again"
                )
                entry, reused = self._replan(entry), False
            while entry.run.state != "finished":
                entry = self._step(entry, request)
            return entry.run, reused

    def _step(self, entry: Entry, request: Request) -> Entry:
        if entry.run.state == "planned":
            return self._submit(entry, request)
        if entry.run.state == "failed":
            raise self._failure(entry.run)
        return self._follow(entry, request)

    def _submit(self, entry: Entry, request: Request) -> Entry:
        self._guard.check()
        run = entry.run
        jobs = self._jobs(request.workspace, request.service)
        job = jobs.create(
            {request.input: self._data.readable(request.blob)},
            {
                request.outputs["model"]: self._ledger.registry.writable(run.address),
                request.outputs["evaluation"]: self._ledger.registry.writable(_evaluation(run)),
            },
            request.parameters,
        )
        submitted = replace(
            run, state="submitted", job=Job(job, request.service, request.workspace), started_at=self._now()
        )
        entry, ours = self._ledger.advance(entry, submitted)
        if not ours:
            jobs.cancel(job)
        return entry

    def _follow(self, entry: Entry, request: Request) -> Entry:
        """Start the recorded job if nobody did, and look at it until it ends."""
        run = entry.run
        job = _job(run)
        try:
            jobs = self._jobs(job.workspace, job.service)
        except NotFound:
            return self._lost(entry)
        what = f"training run {request.key[:12]} of {request.experiment} on {request.blob}"

        def look(waited: float) -> JobStatus | None:
            self._guard.check()
            status = jobs.status(job.id)
            if status.state is JobState.NOT_STARTED:
                jobs.start(job.id)
            if status.state.ended:
                return status
            rows = f", {status.rows:,} rows" if status.rows is not None else ""
            module = f", {status.progress}{rows}" if status.progress else ""
            self._progress.status(f"{what}: {status.state.value}, {waited:.0f} s{module}")
            return None

        self._progress.info(f"{what}: job {job.id}")
        try:
            status = wait(look, what=what, deadline=request.deadline, clock=self._clock)
        except DeadlineExceeded as error:
            raise DeadlineExceeded(
                f"{error.cause}; job {job.id} goes on", "run the update again to attach to it"
            ) from None
        if status.state is JobState.LOST:
            return self._lost(entry)
        if status.state is not JobState.FINISHED:
            failed = replace(
                run, state="failed", ended_at=self._now(), error=status.details or status.state.value
            )
            return self._ledger.advance(entry, failed)[0]
        finished = self._finished(jobs, run, status, request)
        self._progress.info(f"{what}: Finished after {finished.seconds:.1f} s")
        return self._ledger.advance(entry, finished)[0]

    def _finished(self, jobs: Jobs, run: Run, status: JobStatus, request: Request) -> Run:
        results = {name: status.results.get(request.outputs[name]) for name in ("model", "evaluation")}
        if results["model"] is None or results["evaluation"] is None:
            raise JobFailed(
                f"job {_job(run).id} finished without a trained model and an evaluation",
                "look at the training experiment's web service outputs; nothing was bound",
            )
        metrics = read_metrics(jobs.fetch(results["evaluation"]))
        try:
            model, _etag = self._ledger.registry.read(run.address)
        except ServiceError as error:
            raise JobFailed(
                f"job {_job(run).id} finished, but its model is not to be found: {error.cause}", error.remedy
            ) from None
        ended = self._clock.now()
        return replace(
            run,
            state="finished",
            ended_at=ended.isoformat(),
            seconds=(ended - type(ended).fromisoformat(run.started_at)).total_seconds(),
            sha256=hashlib.sha256(model).hexdigest(),
            md5=b64encode(hashlib.md5(model, usedforsecurity=False).digest()).decode(),
            bytes=len(model),
            metrics=metrics,
        )

    def _lost(self, entry: Entry) -> Entry:
        self._progress.info(f"the service lost job {_job(entry.run).id}: training again")
        return self._replan(entry)

    def _replan(self, entry: Entry) -> Entry:
        self._guard.check()
        return self._ledger.advance(entry, entry.run.next_attempt(self._now()))[0]

    def _failure(self, run: Run) -> JobFailed:
        _told.add((run.key, run.attempt))
        return JobFailed(
            f"training run {run.key[:12]} failed: {run.error}",
            "correct the data or the experiment, then run the update again; what was bound still serves",
        )

    def _now(self) -> str:
        return self._clock.now().isoformat()


def _job(run: Run) -> Job:
    if run.job is None:
        raise LedgerError(
            f"the record of run {run.key[:12]} is {run.state} and names no job",
            f"look at the registry's runs/{run.key}.json; delete it to train again",
        )
    return run.job


def _evaluation(run: Run) -> str:
    return run.address.removesuffix(".ilearner") + ".evaluation.csv"
