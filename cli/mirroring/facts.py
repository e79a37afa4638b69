"""What is mirrored, as plain values: the runs of a registry, and the models that its endpoints serve."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from clients.storage import Container
    from retrain_hooks.registry.ledger import Run
    from retrain_hooks.registry.markers import Marker

_STATUS: Final = {"planned": "SCHEDULED", "submitted": "RUNNING", "failed": "FAILED"}
_NOT_IN_NAMES = re.compile(r"[^\w\-. :/]")
_LONGEST_NAME, _LONGEST_VALUE, _LONGEST_TAG = 250, 500, 5000
CHAMPION = "champion"


@dataclass(frozen=True)
class MirroredRun:
    """A run as MLflow has runs: times in milliseconds, and its *model*: where it lies (empty: there is none), at the *address*
    in the registry.
    """

    key: str
    experiment: str
    name: str
    status: str
    start: int
    end: int | None
    attempt: int
    params: Mapping[str, str]
    metrics: Mapping[str, float]
    tags: Mapping[str, str]
    model: str
    address: str

    @property
    def digest(self) -> str:
        """Of all of it: what was mirrored with the same one needs nothing."""
        from dataclasses import asdict

        from retrain_hooks.registry.run_key import digest

        return digest(asdict(self))


@dataclass(frozen=True)
class Facts:
    """All that is mirrored of a *registry* (its address): *runs*, the oldest first, and by experiment the *aliases*, each with
    the place of the model that has it. *unread* are records that can't be read, each as its cause.
    """

    registry: str
    runs: list[MirroredRun]
    aliases: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    unread: list[str] = field(default_factory=list)


def facts_of(container: Container) -> Facts:
    """What a registry has to mirror."""
    from retrain_hooks.gate.verdicts import Verdicts
    from retrain_hooks.registry.catalogue import distinct, newest_first
    from retrain_hooks.registry.ledger import Ledger
    from retrain_hooks.registry.markers import Markers
    from retrain_hooks.registry.records import Unreadable

    found = list(Ledger(container).runs())
    runs = list(reversed(newest_first(distinct([run for run in found if not isinstance(run, Unreadable)]))))
    judged = {
        str(each["candidate"]["key"]): each
        for each in sorted(Verdicts(container).all(), key=lambda one: str(one["judgedAt"]))
    }
    markers = list(Markers(container).all())
    unread = [each.cause for each in (*found, *markers) if isinstance(each, Unreadable)]
    bound = [marker for marker in markers if not isinstance(marker, Unreadable)]
    return Facts(
        container.url("runs").removesuffix("/runs"),
        [_mirrored(run, judged.get(run.key), container) for run in runs],
        _aliases(runs, bound, container),
        unread,
    )


def _mirrored(run: Run, verdict: Mapping[str, Any] | None, container: Container) -> MirroredRun:
    from retrain_hooks.registry.catalogue import when

    numbers = {
        _name(name): float(value)
        for name, value in run.metrics.items()
        if isinstance(value, int | float) and not isinstance(value, bool)
    }
    start = _milliseconds(run.started_at or run.planned_at or when(run)) or 0
    has_model = run.state == "finished" and run.sha256
    return MirroredRun(
        key=run.key,
        experiment=run.experiment,
        name=f"{run.data_version or 'run'} {run.key[:7]}",
        status=_STATUS.get(run.state, "FINISHED"),
        start=start,
        end=_milliseconds(run.ended_at),
        attempt=run.attempt,
        params=_params(run),
        metrics=numbers,
        tags=_tags(run, verdict),
        model=container.url(run.address) if has_model else "",
        address=run.address,
    )


def _params(run: Run) -> dict[str, str]:
    from retrain_hooks.gate.rules import evaluation
    from tasks import measured_as

    task = measured_as(set(run.metrics))
    rows = evaluation(run.metrics).metrics.get("rows")
    known = {
        "data_version": run.data_version,
        "data_digest": str(run.inputs.get("data") or ""),
        "code_digest": str(run.inputs.get("experiment") or ""),
        "task": task.name if task else "",
        "rows": "" if rows is None else f"{rows:.0f}",
        "seed": str(run.inputs.get("seed", "")),
        "force": str(run.inputs.get("force") or ""),
    }
    given = run.inputs.get("parameters") or {}
    known |= {f"parameter.{name}": str(value) for name, value in given.items()}
    return {_name(name): value[:_LONGEST_VALUE] for name, value in known.items() if value}


def _tags(run: Run, verdict: Mapping[str, Any] | None) -> dict[str, str]:
    found = {
        "state": run.state,
        "sha256": run.sha256,
        "error": run.error,
        "job": run.job.id if run.job else "",
    }
    if verdict:
        found |= {
            "verdict": str(verdict["outcome"]),
            "rules": "; ".join(map(str, verdict["gate"].get("rules") or ())),
            "reasons": "; ".join(str(rule["reason"]) for rule in verdict["rules"]),
            "champion": str((verdict["champion"] or {}).get("key") or "none"),
            "judged_at": str(verdict["judgedAt"]),
        }
    return {name: " ".join(value.split())[:_LONGEST_TAG] for name, value in found.items() if value}


def _aliases(
    runs: Iterable[Run], markers: Iterable[Marker], container: Container
) -> dict[str, dict[str, str]]:
    """By experiment: what each endpoint serves that a stack has bound, and what all of them serve where that is one model."""
    experiments = {run.address: run.experiment for run in runs}
    found: dict[str, dict[str, set[str]]] = {}
    for marker in markers:
        if marker.owners and marker.address in experiments:
            served = found.setdefault(experiments[marker.address], {})
            for alias in (CHAMPION, *_called(marker)):
                served.setdefault(alias, set()).add(container.url(marker.address))
    # Two models of one name are nobody's: calls to an endpoint may be answered by both for a while.
    return {
        experiment: {alias: next(iter(models)) for alias, models in served.items() if len(models) == 1}
        for experiment, served in found.items()
    }


def _called(marker: Marker) -> set[str]:
    """What an endpoint's model is called: by each stack that has bound it."""
    return {
        re.sub(r"[^a-z0-9]+", "-", f"{CHAMPION}-{owner.stack}-{marker.endpoint}".lower()).strip("-")
        for owner in marker.owners
    }


def _milliseconds(time: str) -> int | None:
    return int(datetime.fromisoformat(time).timestamp() * 1000) if time else None


def _name(text: str) -> str:
    """A name that MLflow takes."""
    return _NOT_IN_NAMES.sub("_", text)[:_LONGEST_NAME]
