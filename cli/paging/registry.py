"""What the registry and the services of a stack's target hold, as its pages ask again and again; nothing is started for them."""

from __future__ import annotations

import socket
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from statistics import median
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from cli.errors import CliError
from pages.facts import Job, Jobs, Run

if TYPE_CHECKING:
    from cli.services.registry import Registry
    from retrain_hooks.registry import ledger
    from retrain_hooks.registry.markers import InUse
    from retrain_hooks.registry.summaries import Summary

_ASKED = 20  # jobs whose service is asked how they stand


@dataclass(frozen=True)
class Recorded:
    """The runs that are on record, the newest first, and where their models are bound; *notes* say what is not known."""

    runs: list[Summary] = field(default_factory=list)
    used: InUse | None = None
    notes: tuple[str, ...] = ()

    @cached_property
    def told(self) -> list[Run]:
        """The runs in words."""
        return [told(run, self.used.where.get(run.address, []) if self.used else []) for run in self.runs]


class TargetRegistry:
    """The registry of a stack's target."""

    def __init__(self, stack: str) -> None:
        self._stack = stack
        self._recorded = Recorded()

    def open(self) -> Registry:
        """How the services of the target are reached now. Raises CliError where the local cloud does not run."""
        from cli.project import LOCAL_TARGET, project, stack_config
        from cli.services.registry import registry_of

        target = str(stack_config(self._stack).get(f"{project()['name']}:target", LOCAL_TARGET))
        if target == LOCAL_TARGET:
            _refuse_away()
        return registry_of(target)

    def recorded(self) -> Recorded:
        """The runs, by one listing."""
        from retrain_hooks.registry.catalogue import distinct
        from retrain_hooks.registry.markers import recorded
        from retrain_hooks.registry.records import Unreadable

        registry = self.open()
        found = list(registry.ledger.summaries())
        used = recorded(registry.container)
        read: list[Summary] = [one for one in found if not isinstance(one, Unreadable)]
        runs = sorted(distinct(read), key=lambda run: (run.when, run.key), reverse=True)
        if runs != self._recorded.runs or used != self._recorded.used:
            causes = [one.cause for one in found if isinstance(one, Unreadable)]
            self._recorded = Recorded(runs, used, (*causes, *used.unreadable))
        return self._recorded

    def jobs(self, runs: list[Summary]) -> Jobs:
        """The jobs that are not known to be over, by their services."""
        from clients.errors import RetrainError

        found, notes = [], []
        registry = self.open()
        for run in [one for one in runs if one.state == "submitted"][:_ASKED]:
            try:
                entry = registry.ledger.find(run.key)
                if entry is not None and entry.run.job is not None:
                    found.append(_job(registry, entry.run, _usual(runs, run.experiment)))
            except RetrainError as error:
                notes.append(f"The job of run {run.key[:12]} can't be asked: {error.cause}")
        return Jobs(found, notes)


def _job(registry: Registry, run: ledger.Run, usual: float | None) -> Job:
    assert run.job is not None
    place: dict[str, Any] = {"id": run.job.service, "workspace": run.job.workspace}
    status = registry.context.services(registry.target, place).jobs(run.job.service).status(run.job.id)
    since = run.started_at or run.planned_at
    doing = status.progress and f"{status.progress}{f', {status.rows:,} rows' if status.rows else ''}"
    share = None
    if usual and since and not status.state.ended:
        from datetime import datetime

        took = (registry.context.clock.now() - datetime.fromisoformat(since)).total_seconds()
        share = min(max(took / usual, 0.0), 0.99)
        doing = f"{doing or 'a job'}; {took:.0f} s of about {usual:.0f} s"
    name = f"run {run.key[:12]} of {run.experiment}, data {run.data_version or 'not told'}"
    return Job(run.job.id, name, status.state.value, status.state.ended, since, doing, share, status.details)


def _usual(runs: list[Summary], experiment: str) -> float | None:
    """How long jobs of an experiment take: the median of the last twenty, in seconds."""
    took = [run.seconds for run in runs if run.experiment == experiment and run.seconds][:20]
    return median(took) if took else None


def told(run: Summary, bound: list[str]) -> Run:
    """A run in words."""
    from tasks import measured_as

    task = measured_as(set(run.metrics))
    metric = task.headline if task else ""
    value = run.metrics.get(metric)
    return Run(
        run.key,
        run.experiment,
        run.state,
        run.data_version,
        run.when,
        run.seconds,
        metric,
        float(value) if isinstance(value, int | float) else None,
        bound,
        run.error,
    )


def _refuse_away() -> None:
    """Whoever asks a cloud that is away would ask several times, and wait."""
    from cli.cloud import settings
    from cli.project import cloud_file

    found = settings.load(cloud_file())
    if found is not None and all(map(_answers, (found.studio, found.blob))):
        return
    raise CliError("the local cloud does not run", "start it, and look again: ./dev cloud start")


def _answers(url: str) -> bool:
    place = urlsplit(url)
    try:
        with socket.create_connection((place.hostname or "", place.port or 80), timeout=2):
            return True
    except OSError:
        return False


def journal(limit: int) -> list[Mapping[str, Any]]:
    """The last calls that the local cloud answered, the newest first. Raises CliError, RetrainError."""
    from cli.cloud import settings
    from cli.project import cloud_file
    from clients.http.transport import Transport

    _refuse_away()
    cloud = settings.load(cloud_file())
    assert cloud is not None
    found = Transport("the local cloud", cloud.studio).get("_local/journal", last=str(limit))
    return list(reversed(found))
