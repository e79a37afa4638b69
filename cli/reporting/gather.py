"""The facts of a report: runs, verdicts and bindings as they are on record, and what the gate asks."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from cli.reporting.sources import Sources
from cli.stacks.resources import OURS
from reports.facts import Bound, Judged, Member, Report, RunFacts

if TYPE_CHECKING:
    from retrain_hooks.registry.summaries import Summary

_UPDATES = 200  # of the stack's history that are looked through for bindings
_JUDGED = 50  # runs whose verdicts are told: the newest


def gathered(sources: Sources, compared: Sequence[str] = ()) -> Report:
    """The report; *compared* are the keys of the runs to compare, which else are the one that serves and its candidate."""
    from cli.reporting.scored import columns_of, scored
    from retrain_hooks.gate.rules import MetricRule
    from retrain_hooks.registry.markers import recorded
    from retrain_hooks.registry.run_key import key_of

    used = recorded(sources.registry.container)
    serving = key_of(str(sources.binding.get("address") or "")) or ""
    promotion = sources.promotion
    candidate = promotion.candidate.run_key if promotion else ""
    bindings = list(_bindings(sources))
    before = next((each.key for each in bindings if each.key != serving), "")
    finished = [run.key for run in sources.summaries if run.state == "finished"]
    trained = [str(each.get("runKey") or "") for each in sources.of("TrainedModel")] or finished[::-1]
    told = filter(None, () if sources.members else (serving, candidate, *trained, before))
    keys = list(compared) or list(dict.fromkeys(told))[:2]
    fleet = sources.fleet
    rules = promotion.gate.rules if promotion else fleet.gate.rules if fleet else ()
    limits: dict[str, list[float]] = {}
    for rule in map(MetricRule.parse, rules):
        if not rule.champion and not rule.measure.on_rows:
            limits.setdefault(rule.metric, []).append(float(rule.number))
    columns, said = (
        ([], "Each member has data of its own.") if sources.members else columns_of(sources, serving)
    )
    return Report(
        stack=sources.stack,
        made=datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        endpoint=str(sources.binding.get("endpointName") or "not made yet"),
        serving=serving,
        runs=[_facts(run, used.where.get(run.address, [])) for run in sources.summaries],
        verdicts=list(_verdicts(sources)),
        bindings=bindings,
        rules=rules,
        limits=limits,
        scores=scored(sources, keys) if keys else None,
        columns=columns,
        columns_of=said,
        rate_per_hour=next(
            (each["ratePerHour"] for each in sources.of("TrainedModel") if each.get("ratePerHour")), None
        ),
        compared=keys,
        members=[Member(one.member, one.endpoint, one.state, one.key, one.error) for one in sources.members],
        notes=_notes(sources),
    )


def _facts(run: Summary, bound: Sequence[str]) -> RunFacts:
    return RunFacts(
        run.key,
        run.experiment,
        run.data_version,
        run.data_digest,
        run.state,
        run.when,
        run.seconds,
        run.metrics,
        bound,
        run.error,
    )


def _verdicts(sources: Sources) -> Iterator[Judged]:
    from retrain_hooks.gate.verdicts import Verdicts

    found = Verdicts(sources.registry.container).of([run.key for run in sources.summaries[-_JUDGED:]])
    for one in sorted(found, key=lambda each: str(each["judgedAt"]), reverse=True):
        champion = (one["champion"] or {}).get("key", "")
        yield Judged(one["candidate"]["key"], champion, one["outcome"], one["judgedAt"], one["rules"])


def _bindings(sources: Sources) -> Iterator[Bound]:
    """What each update bound, the newest first; only that which changed something."""
    from cli.project import backend_of
    from retrain_hooks.registry.run_key import key_of

    backend = backend_of(sources.stack)
    files = (
        sorted(backend.history.glob("*.checkpoint.json"))[-_UPDATES:]
        if backend and backend.history.is_dir()
        else []
    )
    found: list[Bound] = []
    last: dict[str, str] = {}
    for file in files:
        try:
            latest = json.loads(file.read_text(encoding="utf-8"))["checkpoint"].get("latest") or {}
        except (OSError, ValueError, KeyError, AttributeError):
            continue
        when = str((latest.get("manifest") or {}).get("time") or "")[:19]
        for each in latest.get("resources") or []:
            if each.get("type") != f"{OURS}ModelBinding":
                continue
            outputs = each.get("outputs") or {}
            name, key = str(outputs.get("endpointName")), key_of(str(outputs.get("address") or "")) or ""
            if key and last.get(name) != key:
                last[name] = key
                found.append(Bound(when, name, key))
    return reversed(found)


def _notes(sources: Sources) -> list[str]:
    from cli.project import backend_of

    notes = [f"Left out: {cause}." for cause in sources.damaged]
    if backend_of(sources.stack) is None:
        notes.append(
            "The stack's state is not on this machine: what it binds, and what its gate asks, is not told."
        )
    return notes
