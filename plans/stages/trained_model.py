"""A model that is trained, or whose run is used again."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from plans.phrases import Words, changed, mapping, number, short
from plans.steps import UNKNOWN, Step
from tasks import measured_as

TITLE = "model"
_DIGITS = re.compile(r"\b([0-9a-f]{7})[0-9a-f]+\b")
_TRAINS = "train"


def facts(step: Step) -> dict[str, Any]:
    """See Kind."""
    old, new = step.old, step.new
    data = mapping(new.get("data"))
    plan = str(new.get("plan") or UNKNOWN)
    found = {
        "experiment": mapping(new.get("experiment")).get("name", UNKNOWN),
        "action": plan.split(" ", 1)[0] if plan != UNKNOWN else UNKNOWN,
        "why": new.get("why", UNKNOWN),
        "dataVersion": data.get("version", UNKNOWN),
        "dataDigest": data.get("digest", UNKNOWN),
        "blobs": data.get("blobs", UNKNOWN),
        "runKey": new.get("runKey", UNKNOWN),
        "model": new.get("address", UNKNOWN),
        "oldRunKey": old.get("runKey", ""),
        "oldDataVersion": mapping(old.get("data")).get("version", ""),
        "parameters": new.get("parameters") or {},
        "deadlineMinutes": new.get("deadlineMinutes"),
        "ratePerHour": new.get("ratePerHour"),
        "plan": plan,
    }
    measured = {name: new[name] for name in ("metrics", "seconds", "job", "reused") if name in new}
    return {name: value for name, value in (found | measured).items() if value not in (None, "", {})}


def words(facts: Mapping[str, Any]) -> Words:
    """See Kind."""
    if facts["runKey"] == UNKNOWN:
        return [("does", "not known before what it is trained from is there")]
    parameters = " ".join(f"{name}={number(value)}" for name, value in facts.get("parameters", {}).items())
    lines = [
        ("why", _why(facts["why"])),
        ("data", f"{_blobs(facts['blobs'])} (version {facts['dataVersion']}, {short(facts['dataDigest'])})"),
        ("with", parameters),
        ("run", changed(short(facts.get("oldRunKey")), short(facts["runKey"]))),
        (
            "model",
            f"{facts['model'].rpartition('/')[2]} of run {short(facts['runKey'])}"
            if facts["model"] != UNKNOWN
            else "",
        ),
    ]
    if "seconds" in facts:
        took = "nothing was trained" if facts.get("reused") else f"{facts['seconds']:.1f} s"
        lines.append(("took", took + (f" (job {facts['job']})" if facts.get("job") else "")))
    else:
        lines.append(("does", _DIGITS.sub(r"\1", facts["plan"])))
    lines.append(("metrics", measured(facts.get("metrics"))))
    return lines


def measured(metrics: Any) -> str:
    """The usual metrics of the task that they are of."""
    if not isinstance(metrics, Mapping):
        return ""
    task = measured_as(set(metrics))
    usual = [one.name for one in task.metrics if one.name in metrics] if task else sorted(metrics)
    return ", ".join(f"{name} {number(metrics[name])}" for name in usual)


def _why(why: str) -> str:
    """`DATA 2013-01 (9f606ee3) → …` → `data 2013-01 (9f606ee) → …`."""
    return _DIGITS.sub(r"\1", re.sub(r"\b[A-Z]{3,}\b", lambda found: found[0].lower(), why))


def _blobs(blobs: Any) -> str:
    if not isinstance(blobs, list):
        return str(blobs)
    return (
        blobs[0]
        if len(blobs) == 1
        else f"{len(blobs):,} blobs from {blobs[0]} to {blobs[-1]}"
        if blobs
        else ""
    )
