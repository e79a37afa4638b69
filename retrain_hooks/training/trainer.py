"""From a run key to a model: reuse a finished run, attach to a running one, or start the one job."""

from __future__ import annotations

import hashlib
import math
import threading
from base64 import b64encode
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cached_property

from clients.errors import (
    DeadlineExceeded,
    EngineGone,
    JobFailed,
    LedgerError,
    NotFound,
    RetrainError,
    ServiceError,
    UpdateCancelled,
)
from clients.poller import Pace, wait
from clients.protocols import Jobs, JobState, JobStatus
from graph.flow import Column
from retrain_hooks.data.learnt import by_data, by_model
from retrain_hooks.data.training_data import DataChanged, TrainingData, unchanged
from retrain_hooks.host.lifecycle import Context
from retrain_hooks.host.references import ServiceRef
from retrain_hooks.registry.history import History
from retrain_hooks.registry.ledger import Entry, Job, Ledger, Run, as_keyed
from retrain_hooks.registry.records import Corrupt
from retrain_hooks.registry.run_key import Covered, attempt_of, job_name, key_of
from retrain_hooks.training.cancelled_jobs import CANCELLED, belongs_to, cancel, job_of
from retrain_hooks.training.evaluation import read_metrics

_UNKNOWN = Column()
# Several resources of one program may stand for the same run: within a process one of them asks the service and
# reports, the others wait for it.
_turns: defaultdict[str, threading.Lock] = defaultdict(threading.Lock)
_told: set[tuple[str, int]] = set()
# Whoever recorded the plan submits at once; the others give it this long before they do so themselves.
_PLANNERS_TURN_SECONDS = 10.0
# A job that was started and still says NotStarted so long after is queued, or its start was lost.
_START_AGAIN_SECONDS = 30.0


class TrainAnew(JobFailed):
    """The job left no model, through nothing that its inputs are to blame for."""


@dataclass(frozen=True)
class Request:
    """What a run is made of, as its key covers it, and how to ask a training *service* for it.

    *address* is where a check found or expects the model. *outputs* names the web service outputs for ``model`` and
    ``evaluation``; *deadline* is in seconds; *max_jobs* bounds what one update may start; *cancel_job* ends the job when
    the update is interrupted. *label* is what the experiment's graph makes of its data's label.
    """

    covered: Covered
    address: str
    experiment: str
    data: TrainingData
    input: str
    outputs: Mapping[str, str]
    parameters: Mapping[str, str]
    service: ServiceRef
    deadline: float
    max_jobs: int | None = None
    cancel_job: bool = False
    label: Column = _UNKNOWN

    @cached_property
    def key(self) -> str:
        """The run's key."""
        return self.covered.key

    @property
    def workspace(self) -> dict[str, str]:
        """The workspace of the service, as a record names it."""
        return {"resource": self.service.workspace.resource, "id": self.service.workspace.id}

    @property
    def what(self) -> str:
        """The run as a person is told of it."""
        return f"training run {self.key[:12]} of {self.experiment} on {self.data.planned.version}"


class Trainer:
    """Brings a run to its end, exactly once whoever asks."""

    def __init__(self, context: Context, target: str) -> None:
        self._context, self._target = context, target
        self._ledger = Ledger(context.registry(target))
        self._clock, self._progress, self._guard = context.clock, context.progress, context.guard
        # What to do about a run that failed here, by key and attempt; records keep the cause alone.
        self._advice: dict[tuple[str, int], str] = {}
        self._anew: set[tuple[str, int]] = set()

    def _jobs(self, job: Job | ServiceRef) -> Jobs:
        """The jobs of the service that a recorded job belongs to, or that is asked for a new one."""
        if isinstance(job, ServiceRef):
            id_, reference = job.id, job.props()
        else:
            id_, reference = job.service, {"id": job.service, "workspace": job.workspace}
        return self._context.services(self._target, reference).jobs(id_)

    def train(self, request: Request) -> tuple[Run, bool]:
        """The finished run of *request*, and whether it was there already.

        Raises JobFailed with the service's own error, DeadlineExceeded, UpdateCancelled (the job goes on and is
        attached to next time), LedgerError where the key was recorded for other inputs.
        """
        with _turns[request.key]:
            self._guard.check()
            entry, ours = self._enter(request)
            reused = entry.run.state == "finished"
            while entry.run.state != "finished":
                entry = self._step(entry, request, ours)
            return entry.run, reused

    def _enter(self, request: Request) -> tuple[Entry, bool]:
        """The run's record, made or renewed where needed, and whether the plan in it is this process's own."""
        try:
            entry = self._ledger.find(request.key)
        except Corrupt as error:
            self._guard.check()
            self._progress.info(f"{error.cause}: it is set aside under corrupt/ in the registry")
            return self._ledger.set_aside(
                request.key, request.experiment, request.covered.inputs, error, self._now()
            ), True
        if entry is None:
            self._guard.check()
            return self._begin(request)
        if not as_keyed(entry.run):
            raise LedgerError(
                f"run {request.key[:12]} is recorded with other inputs",
                f"find out who wrote the registry's runs/{request.key}.json; delete it, and the next update trains again",
            )
        if entry.run.state == "failed":
            if (request.key, entry.run.attempt) in _told:
                raise JobFailed(
                    f"the training run {request.key[:12]} failed, as reported above",
                    "correct it there; nothing was bound",
                )
            return self._replan(entry), True
        if entry.run.state == "retired":
            return self._replan(entry), True
        if entry.run.state == "finished" and not self._ledger.intact(entry.run):
            self._progress.info(f"the model of run {request.key[:12]} is gone or altered: training it again")
            return self._replan(entry), True
        return entry, False

    def _begin(self, request: Request) -> tuple[Entry, bool]:
        """The record of a run that has none under its key: a plan, or what is on record under the key of FORMAT 1."""
        before = key_of(request.address)
        if before not in ("", request.key) and (adopted := self._ledger.adopt(request.key, before)):
            return adopted, False
        attempt = attempt_of(request.address) if before == request.key else 1
        run = Run(
            request.key, request.experiment, request.covered.inputs, attempt=attempt, planned_at=self._now()
        )
        entry = self._ledger.plan(run)
        return entry, entry.run == run

    def _step(self, entry: Entry, request: Request, ours: bool) -> Entry:
        if entry.run.state == "planned":
            return self._submit(entry if ours else self._yield_to_planner(entry, request), request)
        if entry.run.state == "submitted":
            return self._follow(entry, request)
        raise self._failure(entry.run)

    def _yield_to_planner(self, entry: Entry, request: Request) -> Entry:
        """Wait for whoever planned the run to submit it, unless that takes so long that they must be gone."""
        age = self._since(entry.run.planned_at)

        def look(waited: float) -> Entry | None:
            self._guard.check()
            found = self._ledger.find(request.key)
            if found is None or found.run != entry.run or waited + age >= _PLANNERS_TURN_SECONDS:
                return found or entry
            return None

        return wait(look, what=request.what, deadline=2 * _PLANNERS_TURN_SECONDS, clock=self._clock)

    def _submit(self, entry: Entry, request: Request) -> Entry:
        """Create the job, record it, and only then let it be started."""
        run = entry.run
        if run.state != "planned":
            return entry
        snapshot = request.data.snapshot()
        reference = request.data.reference()
        self._context.budget.take(request.max_jobs)
        self._guard.check()
        jobs = self._jobs(request.service)
        job = jobs.create(
            job_name(run.experiment, run.key, run.attempt),
            {request.input: reference},
            {
                request.outputs["model"]: self._ledger.registry.writable(run.address),
                request.outputs["evaluation"]: self._ledger.registry.writable(_evaluation(run)),
            },
            request.parameters,
            request.deadline,
        )
        submitted = replace(
            run,
            state="submitted",
            data=snapshot,
            job=Job(job, request.service.id, request.workspace),
            started_at=self._now(),
        )
        entry, ours = self._ledger.advance(entry, submitted)
        if not ours and (entry.run.job is None or entry.run.job.id != job):
            jobs.cancel(job)
        return entry

    def _follow(self, entry: Entry, request: Request) -> Entry:
        """Start the recorded job if nobody did, and look at it until it ends."""
        run = entry.run
        job = job_of(run)
        try:
            jobs = self._jobs(job)
        except NotFound:
            return self._lost(entry)
        history = History(self._ledger.registry, run.experiment)
        expected = history.expected()
        self._progress.info(f"{request.what}: job {job.id}")
        try:
            status = wait(
                self._watch(jobs, job.id, request.what, history.takes()),
                what=request.what,
                deadline=request.deadline,
                clock=self._clock,
                pace=Pace(expected=expected),
            )
        except DeadlineExceeded as error:
            raise DeadlineExceeded(
                f"{error.cause}; job {job.id} goes on", "run the update again to attach to it"
            ) from None
        except EngineGone:
            raise
        except UpdateCancelled as error:
            raise self._interrupted(entry, jobs, request, error) from None
        if status.state in (JobState.LOST, JobState.CANCELLED) and run.error:
            return self._failed(entry, run.error)
        if status.state is JobState.LOST:
            return self._lost(entry)
        if status.state is not JobState.FINISHED:
            return self._failed(entry, status.details or status.state.value)
        try:
            finished = self._finished(jobs, run, status, request)
        except DataChanged as error:
            if not request.data.as_planned():
                return self._failed(entry, error.cause, error.remedy)
            # Whether the job read this content or another, which came and went, nobody knows.
            self._progress.info(f"{error.cause}, and has the planned content: training again")
            return self._replan(entry)
        except JobFailed as error:
            if isinstance(error, TrainAnew):
                self._anew.add((entry.run.key, entry.run.attempt))
            return self._failed(entry, error.cause, error.remedy)
        after = "" if finished.seconds is None else f" after {finished.seconds:.1f} s"
        self._progress.info(f"{request.what}: Finished{after}")
        entry, ours = self._ledger.advance(entry, finished)
        if ours and finished.seconds is not None:
            History(self._ledger.registry, run.experiment).add(finished.seconds, finished.metrics)
        return entry

    def _watch(self, jobs: Jobs, job: str, what: str, takes: str) -> Callable[[float], JobStatus | None]:
        """Looks at a job, given the seconds waited; starts it where nobody did. A queued one says NotStarted, too."""
        started: float | None = None

        def look(waited: float) -> JobStatus | None:
            nonlocal started
            self._guard.check()
            status = jobs.status(job)
            if status.state.ended:
                return status
            if status.state is JobState.NOT_STARTED and (
                started is None or waited - started >= _START_AGAIN_SECONDS
            ):
                jobs.start(job)
                started = waited
            self._tell(status, what, waited, takes)
            return None

        return look

    def _tell(self, status: JobStatus, what: str, waited: float, takes: str) -> None:
        rows = f", {status.rows:,} rows" if status.rows is not None else ""
        module = f", {status.progress}{rows}" if status.progress else ""
        self._progress.status(f"{what}: {status.state.value}, {waited:.0f}{takes}{module}")

    def _finished(self, jobs: Jobs, run: Run, status: JobStatus, request: Request) -> Run:
        results = {name: status.results.get(request.outputs[name]) for name in ("model", "evaluation")}
        if results["model"] is None or results["evaluation"] is None:
            raise JobFailed(
                f"job {job_of(run).id} finished without a trained model and an evaluation",
                "look at the training experiment's web service outputs; nothing was bound",
            )
        metrics = read_metrics(jobs.fetch(results["evaluation"]))
        reference = self._ledger.registry.writable(run.address)
        jobs.gather(reference)
        try:
            model, _etag = self._ledger.registry.read(run.address)
        except ServiceError as error:
            raise TrainAnew(
                f"job {job_of(run).id} finished, but its model is not to be found: {error.cause}",
                "see who deletes blobs from the registry, then run the update again to train anew",
            ) from None
        if run.data:
            unchanged(self._context.data(self._target, run.data["container"]), run.data["etags"])
        label = request.label
        learnt = by_data(
            self._context, self._target, by_model(model), request.data.planned, label.source, label.values
        )
        left = self._ledger.registry.stat(run.address)
        # A job that ended while nobody waited did not take until now; its model's own time is in whole seconds.
        ended = self._clock.now()
        if left and left.modified:
            ended = min(ended, left.modified + timedelta(seconds=1))
        finished = replace(
            run,
            state="finished",
            ended_at=ended.isoformat(),
            seconds=self._since(run.started_at, ended) if run.started_at else None,
            sha256=hashlib.sha256(model).hexdigest(),
            md5=b64encode(hashlib.md5(model, usedforsecurity=False).digest()).decode(),
            bytes=len(model),
            metrics=metrics,
            learnt=learnt,
            error="",
        )
        jobs.register(reference, finished.told())
        return finished

    def _interrupted(
        self, entry: Entry, jobs: Jobs, request: Request, error: UpdateCancelled
    ) -> UpdateCancelled:
        """What a cancelled update says of its job, which is cancelled with it where that was asked for."""
        job = job_of(entry.run)
        if not request.cancel_job or not belongs_to(entry.run, request.workspace):
            return UpdateCancelled(
                f"{error.cause}; job {job.id} goes on", "run ./dev up again: it attaches to the job"
            )
        try:
            cancel(self._ledger, entry, jobs, self._clock)
        except RetrainError as problem:
            return UpdateCancelled(
                f"{error.cause}; job {job.id} could not be cancelled: {problem.cause}",
                "cancel it with ./dev cancel --jobs, or run ./dev up again: it attaches to the job",
            )
        return UpdateCancelled(
            f"{error.cause}, and job {job.id} with it", "run ./dev up again: it trains anew"
        )

    def _failed(self, entry: Entry, error: str, remedy: str = "") -> Entry:
        if remedy:
            self._advice[entry.run.key, entry.run.attempt] = remedy
        failed = replace(entry.run, state="failed", ended_at=self._now(), error=error)
        return self._ledger.advance(entry, failed)[0]

    def _lost(self, entry: Entry) -> Entry:
        self._progress.info(f"the service lost job {job_of(entry.run).id}: training again")
        return self._replan(entry)

    def _replan(self, entry: Entry) -> Entry:
        self._guard.check()
        return self._ledger.advance(entry, entry.run.next_attempt(self._now()))[0]

    def _failure(self, run: Run) -> JobFailed:
        _told.add((run.key, run.attempt))
        remedy = self._advice.get((run.key, run.attempt)) or (
            "correct the data or the experiment, then run the update again; what was bound still serves"
        )
        if run.error.startswith(CANCELLED):
            remedy = "run the update again to train anew; what was bound still serves"
            self._anew.add((run.key, run.attempt))
        kind = TrainAnew if (run.key, run.attempt) in self._anew else JobFailed
        return kind(f"training run {run.key[:12]} failed: {run.error}", remedy)

    def _since(self, time: str, until: datetime | None = None) -> float:
        """Seconds from a recorded *time*, by a clock that may have been ahead of this one; endless where it isn't known."""
        if not time:
            return math.inf
        return max(0.0, ((until or self._clock.now()) - datetime.fromisoformat(time)).total_seconds())

    def _now(self) -> str:
        return self._clock.now().isoformat()


def _evaluation(run: Run) -> str:
    return run.address.removesuffix(".ilearner") + ".evaluation.csv"
