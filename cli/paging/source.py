"""What the pages about a stack tell (`pages.facts.Source`)."""

from __future__ import annotations

import tempfile
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from starlette.concurrency import run_in_threadpool

from cli.options import Engine
from cli.paging import endpoints, registry
from cli.paging.fresh import Fresh
from cli.paging.registry import Recorded, TargetRegistry
from cli.paging.tasks import Tasks, problem_of
from pages import facts
from pages.facts import Problem

if TYPE_CHECKING:
    from plans.contract import Contract

T = TypeVar("T")
_ROWS_FAULT = (400, 413, 422, 424)
_LIMIT = 0.2  # the population stability index that drift is told by, where the stack declares no limit


class StackSource:
    """A *stack*, looked up by whoever asks. Nothing is written but by `carry_out` and `approve`, where they are allowed."""

    def __init__(
        self, stack: str, engine: Engine, *, may_approve: bool, target: TargetRegistry | None = None
    ) -> None:
        from cli.project import is_local

        self._stack, self._engine, self._may_approve = stack, engine, may_approve
        self._target = target or TargetRegistry(stack)
        self._tasks, self._looks = Tasks(), Tasks()
        self._plan: Contract | None = None
        self._drift = facts.Drift()
        self._folder = tempfile.TemporaryDirectory(prefix="retraining-page-")
        self._recorded = Fresh(self._target.recorded)
        self._overview = Fresh(self._look)
        self._jobs = Fresh(lambda: self._target.jobs(self._recorded.get().runs))
        self._parts: tuple[facts.Part, ...] = ("runs", "jobs", "plan", "drift", "score")
        self._parts += ("journal",) if is_local(stack) else ()

    @property
    def title(self) -> str:
        """What the pages are about."""
        return f"Stack {self._stack}"

    @property
    def parts(self) -> Sequence[facts.Part]:
        """What it can tell."""
        return self._parts

    def begin(self) -> None:
        """Look things up before anybody asks: the first look at many runs takes a while."""
        threading.Thread(target=self._known_runs, daemon=True).start()

    def close(self) -> None:
        """End what goes on, as Ctrl-C would, and forget its files."""
        for tasks in (self._tasks, self._looks):
            tasks.stop()
        self._folder.cleanup()

    # -- what is read

    async def overview(self) -> facts.Overview:
        """The endpoints, and what they serve; what can't be told is a note."""
        return await _asked(self._overview.get)

    async def runs(self, offset: int, limit: int) -> facts.Runs:
        """At most *limit* runs; none, and a note, where the registry can't be read."""
        recorded, notes = await run_in_threadpool(self._known_runs)
        told = recorded.told
        return facts.Runs(told[offset : offset + limit], len(told), offset, [*notes, *recorded.notes])

    async def run(self, key: str) -> facts.RunDetail:
        """The run whose key begins so."""
        return await _asked(lambda: self._run(key))

    async def jobs(self) -> facts.Jobs:
        """The jobs at work."""
        try:
            return await _asked(self._jobs.get)
        except Problem as problem:
            return facts.Jobs([], [_said(problem)])

    async def journal(self, limit: int) -> Sequence[facts.Call]:
        """The last calls of the local cloud."""
        found = await _asked(lambda: registry.journal(limit))
        names = facts.Call.__dataclass_fields__
        return [facts.Call(**{name: value for name, value in one.items() if name in names}) for one in found]

    async def columns(self, endpoint: str) -> Mapping[str, str]:
        """The experiment's sample row; that of a fleet's members is the same."""
        return await _asked(lambda: endpoints.columns_of(endpoints.resources_of(self._stack)))

    async def score(self, endpoint: str, row: Mapping[str, Any]) -> Mapping[str, str]:
        """What an endpoint answers to a row; its key is fetched for that, and shown to nobody."""
        return await _asked(lambda: self._score(endpoint, row))

    # -- the plan

    async def planning(self) -> facts.Planning:
        """The plan as it stands."""
        waits: Sequence[facts.Candidate] = ()
        with suppress(Problem):
            waits = await _asked(self._waiting)
        task, plan = self._tasks.task, self._plan
        told = _plan(plan) if plan and task.state != "running" else None
        if told and task.kind == "Preview":
            task = replace(task, said=())  # the plan itself
        return facts.Planning(task, told, waits, self._may_approve)

    def _waiting(self) -> list[facts.Candidate]:
        from cli.approving import waiting
        from cli.approving.settings import present

        approved = present(self._stack, "approve")
        return [
            facts.Candidate(
                one.key,
                one.data_version,
                one.words,
                one.planned,
                not one.planned and bool(approved) and one.key.startswith(approved),
            )
            for one in waiting(self._stack)
        ]

    async def make_plan(self) -> None:
        """Begin `./dev preview --save-plan`."""
        file = self._file("next")
        self._tasks.verb(
            "Preview", ["preview", *self._options(), "--save-plan", str(file)], lambda: self._take(file)
        )
        self._plan = None

    async def carry_out(self, key: str) -> None:
        """Begin `./dev up --plan` with the plan that was shown."""
        self._refuse_unallowed()
        plan = self._plan
        if plan is None or plan.key != key or not plan.plan.stages:
            raise Problem(
                "This is not the plan that stands here now.", "Look at the plan again, or make another.", 409
            )
        file = self._file("approved")
        file.write_text(plan.text(), encoding="utf-8")
        self._tasks.verb("Update", ["up", *self._options(), "--plan", str(file)], self._forget)
        self._plan = None

    async def approve(self, key: str) -> None:
        """Approve what waits under this run key, as `./dev approve` does."""
        from cli.approving import approval

        self._refuse_unallowed()
        if not key:
            raise Problem("Nothing is named that waits.", "Choose what is to be approved on the page.", 400)
        await _asked(lambda: approval(self._stack, key).carry_out())
        self._plan = None

    def _refuse_unallowed(self) -> None:
        if not self._may_approve:
            raise Problem(
                "This page only reads.", f"Start it with ./dev ui -s {self._stack} --allow-approve.", 403
            )

    def _take(self, file: Path) -> None:
        from plans.contract import Contract

        self._plan = Contract.read(file.read_text(encoding="utf-8"))

    def _forget(self) -> None:
        for each in (self._recorded, self._overview, self._jobs):
            each.forget()

    def _options(self) -> list[str]:
        return ["--stack", self._stack, "--engine", self._engine.value]

    def _file(self, name: str) -> Path:
        return Path(self._folder.name, f"{name}.json")

    # -- drift

    async def drift(self) -> facts.Drift:
        """What was found out about the data."""
        found, task = self._drift, self._looks.task
        return facts.Drift(task, found.told, found.measure, found.shifts)

    async def look_for_drift(self) -> None:
        """Begin to read it."""
        self._looks.act("The comparison of the data", self._compare)

    def _compare(self) -> None:
        from cli.watching.situation import situation
        from retrain_hooks.triggers import drift

        now = self._target.open().context.clock.now()
        there = situation(self._stack, self._engine)
        scene = there.scene({}, now)
        settings = next(
            (one.settings for one in there.triggers if isinstance(one.settings, drift.Settings)),
            drift.Settings(psi=_LIMIT),
        )
        seen = drift.look(settings, scene)
        limit = settings.psi if settings.psi is not None else settings.ks or 0.0
        measure = "population stability index" if settings.psi is not None else "Kolmogorov-Smirnov statistic"
        shifts = sorted(seen.shifts.items(), key=lambda one: -one[1])
        told = drift.decide(settings, seen, now).reason
        self._drift = facts.Drift(
            told=f"{told[:1].upper()}{told[1:]}.",
            measure=measure,
            shifts=[facts.Shift(name, shift, shift > limit) for name, shift in shifts],
        )

    # -- the parts

    def _look(self) -> facts.Overview:
        notes: list[str] = []
        resources: list[Mapping[str, Any]] = []
        try:
            resources = _translated(lambda: endpoints.resources_of(self._stack))
        except Problem as problem:
            notes.append(_said(problem))
        else:
            if not resources:
                notes.append(f"The stack was never deployed: ./dev up -s {self._stack}")
        recorded, away = self._known_runs()
        notes += away
        opened = None
        if not away:
            opened = self._target.open()
        found = _translated(lambda: endpoints.found_in(self._stack, resources, opened))
        shown = endpoints.shown(opened, found, recorded)
        return facts.Overview(shown, datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"), notes)

    def _known_runs(self) -> tuple[Recorded, list[str]]:
        try:
            return _translated(self._recorded.get), []
        except Problem as problem:
            return Recorded(), [_said(problem)]

    def _run(self, key: str) -> facts.RunDetail:
        from retrain_hooks.gate.verdicts import Verdicts
        from retrain_hooks.registry.catalogue import find
        from retrain_hooks.registry.markers import recorded

        opened = self._target.open()
        run = find(opened.ledger, key.lower())
        used = recorded(opened.container).where.get(run.address, [])
        told = {
            "experiment": run.experiment,
            "data": run.data_version,
            "read from": ", ".join(sorted(run.data.get("etags") or ())),
            "attempt": str(run.attempt),
            "job": run.job.id if run.job else "",
            "seconds": f"{run.seconds:.1f}" if run.seconds is not None else "",
            "model": run.address if run.state == "finished" else "",
        }
        metrics = {name: str(value) for name, value in run.metrics.items()}
        verdicts = [
            (
                str(one.get("problem") or one.get("outcome")),
                [str(rule["reason"]) for rule in one.get("rules") or ()],
            )
            for one in Verdicts(opened.container).on(run.key)
        ]
        present = {name: text for name, text in told.items() if text}
        return facts.RunDetail(registry.told(run.summary, used), present, metrics, verdicts)

    def _score(self, endpoint: str, row: Mapping[str, Any]) -> dict[str, str]:
        from clients.errors import ServiceError

        opened = self._target.open()
        found = endpoints.found_in(self._stack, endpoints.resources_of(self._stack), opened)
        try:
            return endpoints.score(opened, found, endpoint, row)
        except ServiceError as error:
            how = "Correct the row, and score it again." if error.status in _ROWS_FAULT else error.remedy
            raise Problem(error.cause, how, 424) from None


def _plan(contract: Contract) -> facts.Plan:
    from plans.words import headline, word

    plan = contract.plan
    stages = [facts.Stage(stage.title, plan.words(stage)) for stage in plan.told]
    others = [
        (word(operation, done=False), ", ".join(stage.name for stage in each))
        for operation, each in plan.others.items()
    ]
    if plan.drifted:
        others.append(("changed by others", ", ".join(plan.drifted)))
    line = headline(plan)
    return facts.Plan(contract.key, f"{line[:1].upper()}{line[1:]}", stages, others, bool(plan.stages))


def _said(problem: Problem) -> str:
    cause = problem.cause
    return f"{cause[:1].upper()}{cause[1:]}{f': {problem.remedy}' if problem.remedy else ''}"


async def _asked(look: Callable[[], T]) -> T:
    """What was found, in a thread. Raises Problem for every error that knows its cause."""
    return await run_in_threadpool(_translated, look)


def _translated(look: Callable[[], T]) -> T:
    try:
        return look()
    except Exception as error:
        if not getattr(error, "cause", None):
            raise
        raise problem_of(error) from None
