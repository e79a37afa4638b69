"""What the CLI's event log tells of a run: why it failed, and what its steps came to.

One JSON object a line (`apitype.EngineEvent`, which the Automation API reads as well). Source: `sdk/go/common/apitype/events.go`
of Pulumi 3.260.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from backend.urns import is_stack, urn_name
from cli.views.outcomes import outcome

_COLOUR = re.compile(r"<\{%.*?%\}>")
_EMPTY = re.compile(r"(update|preview|refresh|destroy) failed|program exited with non-zero exit code")


@dataclass(frozen=True)
class Told:
    """The errors of a run, each as it was said, what else was said, and its steps, as the CLI's preview has them in JSON."""

    errors: list[str] = field(default_factory=list)
    said: list[str] = field(default_factory=list)
    steps: list[dict[str, Any]] = field(default_factory=list)

    @property
    def outcomes(self) -> list[tuple[str, str]]:
        """The outcome of each step, with its resource's name."""
        return [(step["outcome"], urn_name(step["urn"])) for step in self.steps]

    @classmethod
    def read(cls, log: Path, *, preview: bool, takes_over: bool) -> Told:
        """Read a log, of an update without the preview before it; one that isn't there tells nothing."""
        errors: dict[str, None] = {}
        messages: dict[str, None] = {}
        steps: list[dict[str, Any]] = []
        for event in _events(log):
            diagnostic = event.get("diagnosticEvent") or {}
            if said := _said(diagnostic):
                severity = diagnostic["severity"]
                told = errors if severity == "error" else messages
                told[f"warning: {said}" if severity == "warning" else said] = None
            done = event.get("resOutputsEvent") or {}
            if (step := done.get("metadata")) and bool(done.get("planning")) == preview:
                steps.append(step_of(step, takes_over=takes_over))
        telling = [each for each in errors if not _EMPTY.search(each.splitlines()[0])]
        return cls(telling or list(errors), list(messages), steps)


def step_of(told: Mapping[str, Any], *, takes_over: bool) -> dict[str, Any]:
    """A step of an event or of a preview in JSON, with its outcome."""
    old, new = (
        told.get(long) or told.get(short) for long, short in (("oldState", "old"), ("newState", "new"))
    )
    return {
        "op": told["op"],
        "outcome": outcome(told["op"], old, new, takes_over=takes_over),
        "urn": told["urn"],
        "oldState": old,
        "newState": new,
    }


def _events(log: Path) -> Iterator[dict[str, Any]]:
    lines = log.read_text(encoding="utf-8", errors="replace").splitlines() if log.exists() else []
    for line in lines:
        try:
            yield json.loads(line)
        except ValueError:  # the CLI was killed while it wrote
            return


def _said(diagnostic: dict[str, Any]) -> str:
    """What a lasting message says, after the name of its resource."""
    from engine.providers.messages import provider_message

    if diagnostic.get("severity", "debug") == "debug" or diagnostic.get("ephemeral"):
        return ""
    text = provider_message(
        _COLOUR.sub("", str(diagnostic.get("message", ""))).strip().removeprefix("error: ")
    )
    urn = str(diagnostic.get("urn") or "")
    return f"{urn_name(urn)}: {text}" if text and urn and not is_stack(urn) else text
