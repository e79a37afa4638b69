"""A run as JSON for scripts: what `pulumi preview --json` has, and what changed and why.

Source: `PreviewDigest` in `sdk/go/common/display/json.go`, `pkg/backend/display/json.go` of Pulumi 3.260.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any

from backend.checkpoint import State, dump_state
from backend.values import UNKNOWN_TEXT, blinded
from cli.console import print_json
from cli.views.outcomes import counted, of_step
from engine.events import Diagnostic, Event, Result, Step, StepFailed
from engine.property_changes import Detail
from plans.plan import Plan


class JsonView:
    """Prints one JSON document when the run is over; `config` is what it says the run was configured with, `plan` makes its
    plan of the document.
    """

    def __init__(
        self,
        config: Mapping[str, str],
        plan: Callable[[Mapping[str, Any], Result], Plan],
        *,
        takes_over: bool = False,
    ) -> None:
        self._config, self._plan, self._takes_over = config, plan, takes_over
        self._told: list[Event] = []

    def __call__(self, event: Event) -> None:
        """Keep what is told."""
        self._told.append(event)

    def finish(self, result: Result) -> None:
        """Print it."""
        document = digest(result, self._told, self._config, takes_over=self._takes_over)
        print_json(document | {"plan": self._plan(document, result).json()})

    def close(self) -> None:
        """Nothing is open."""


def digest(
    result: Result,
    told: Iterable[Event] = (),
    config: Mapping[str, str] | None = None,
    *,
    takes_over: bool = False,
) -> dict[str, Any]:
    """The keys of `pulumi preview --json`, and outputs, outcomes, failures; secrets masked.

    Outputs of before are left out of a run that failed. `told` is what the run told, of which messages are kept; `duration` is in nanoseconds, as the CLI's.
    """
    return {
        "config": dict(config or {}),
        "steps": [_step(step, of_step(step, takes_over=takes_over)) for step in result.steps],
        "diagnostics": [said for event in told if (said := _said(event))],
        "outputs": {k: v for k, v in result.outputs.items() if result.ok or v != result.old_outputs.get(k)},
        "changeSummary": result.changes,
        "outcomes": counted(result, takes_over=takes_over),
        "duration": round(result.duration * 1e9),
        "failures": result.failures,
    }


def _said(event: Event) -> dict[str, str] | None:
    if isinstance(event, StepFailed):
        event = Diagnostic("error", event.message, event.step.urn)
    if not isinstance(event, Diagnostic) or event.ephemeral or event.severity == "debug":
        return None
    head = f"{event.severity}: " if event.severity in ("warning", "error") else ""
    said = {"urn": event.urn, "message": f"{head}{event.message}\n", "severity": event.severity}
    return {key: value for key, value in said.items() if value}


def _blind(state: State | None) -> dict[str, Any] | None:
    if state is None:
        return None
    blind = replace(state, inputs=blinded(state.inputs), outputs=blinded(state.outputs))
    return dump_state(blind, None)


def _step(step: Step, said: str) -> dict[str, Any]:
    """The CLI's keys, and outcome, old, new (inputs), diff, cause."""
    compared = step.compared
    details = compared.details if compared else None
    return {
        "op": step.op,
        "outcome": said,
        "urn": step.urn,
        "type": step.type,
        "name": step.name,
        "old": step.old,
        "new": step.new,
        "diff": [{**vars(d), "new": UNKNOWN_TEXT if d.unknown else d.new} for d in step.diff],
        "replaceKeys": step.replace_keys,
        "cause": step.cause,
        "provider": next((s.provider for s in (step.after, step.before) if s), ""),
        "oldState": _blind(step.before),
        "newState": _blind(step.after),
        "diffReasons": compared.changed_keys if compared else [],
        "replaceReasons": step.replace_keys,
        "detailedDiff": None if details is None else {path: _detail(d) for path, d in details.items()},
    }


def _detail(detail: Detail) -> dict[str, Any]:
    kind = f"{detail.kind}-replace" if detail.replaces else detail.kind
    return {"kind": kind, "inputDiff": detail.input}
