"""What the CLI's event log tells of a run: why it failed, and what its steps came to.

One JSON object a line (`apitype.EngineEvent`, which the Automation API reads as well). Source: `sdk/go/common/apitype/events.go`
of Pulumi 3.260.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from backend.urns import is_stack, urn_name
from backend.values import UNKNOWN_TEXT, UNKNOWNS
from cli.views.outcomes import outcome

_COLOUR = re.compile(r"<\{%.*?%\}>")
_EMPTY = re.compile(r"(update|preview|refresh|destroy) failed|program exited with non-zero exit code")


@dataclass(frozen=True)
class Told:
    """The errors of a run, each as it was said, the outcome of each step with its resource's name, the stack's outputs."""

    errors: list[str]
    outcomes: list[tuple[str, str]]
    outputs: dict[str, Any]

    @classmethod
    def read(cls, log: Path, *, preview: bool, takes_over: bool) -> Told:
        """Read a log, of an update without the preview before it; one that isn't there tells nothing."""
        errors: dict[str, None] = {}
        outcomes: list[tuple[str, str]] = []
        outputs: dict[str, Any] = {}
        for event in _events(log):
            if said := _error(event.get("diagnosticEvent") or {}):
                errors[said] = None
            done = event.get("resOutputsEvent") or {}
            if (step := done.get("metadata")) and bool(done.get("planning")) == preview:
                word = outcome(step["op"], step.get("old"), step.get("new"), takes_over=takes_over)
                outcomes.append((word, urn_name(step["urn"])))
                if is_stack(step["urn"]):
                    outputs = (step.get("new") or {}).get("outputs") or {}
        telling = [each for each in errors if not _EMPTY.search(each.splitlines()[0])]
        return cls(telling or list(errors), outcomes, _without_unknowns(outputs))


def _events(log: Path) -> Iterator[dict[str, Any]]:
    lines = log.read_text(encoding="utf-8", errors="replace").splitlines() if log.exists() else []
    for line in lines:
        try:
            yield json.loads(line)
        except ValueError:  # the CLI was killed while it wrote
            return


def _without_unknowns(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_unknowns(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_without_unknowns(each) for each in value]
    return UNKNOWN_TEXT if isinstance(value, str) and value in UNKNOWNS else value


def _error(diagnostic: dict[str, Any]) -> str:
    from engine.providers.messages import provider_message

    if diagnostic.get("severity") != "error" or diagnostic.get("ephemeral"):
        return ""
    text = provider_message(
        _COLOUR.sub("", str(diagnostic.get("message", ""))).strip().removeprefix("error: ")
    )
    urn = str(diagnostic.get("urn") or "")
    return f"{urn_name(urn)}: {text}" if text and urn and not is_stack(urn) else text
