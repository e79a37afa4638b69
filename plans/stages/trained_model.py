"""A model that is trained, or whose run is used again."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from plans.facts import Fact, named, text, texts, whether
from plans.facts import number as count
from plans.phrases import Does, Words, changed, mapping, number, short
from plans.steps import UNKNOWN, Step
from tasks import measured_as

TITLE = "model"
FACTS: dict[str, Fact] = {
    "experiment": text("What is trained"),
    "action": text("train, reuse, attach to a run, or other words for what happens"),
    "why": text("In a word what has changed, old and new"),
    "dataVersion": text("Which version of the data it is trained from"),
    "oldDataVersion": text("Which version it was trained from"),
    "dataDigest": text("What the data's bytes come to"),
    "blobs": texts("The blobs of the data"),
    "runKey": text("The digest of all that it is trained from"),
    "oldRunKey": text("What that was"),
    "model": text("The model's address in the registry"),
    "parameters": named("The web service's parameters"),
    "deadlineMinutes": count("How long the job may take"),
    "ratePerHour": count("What an hour of it costs"),
    "plan": text("What happens, in words"),
    "metrics": named("What it measured"),
    "seconds": count("How long the job took"),
    "job": text("The job's id"),
    "reused": whether("Whether an earlier run's model was taken"),
}
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
        "ratePerHour": _amount(new.get("ratePerHour")),
        "plan": plan,
    }
    measured = {name: new[name] for name in ("metrics", "seconds", "job", "reused") if name in new}
    return {name: value for name, value in (found | measured).items() if value not in (None, "", {})}


def does(facts: Mapping[str, Any]) -> Does:
    """See Kind."""
    if facts["action"] == "reuse" or facts.get("reused"):
        return "take a finished run for", "took a finished run for"
    if facts["action"] == "adopt":
        return "adopt the model of", "adopted the model of"
    if facts["action"] == "attach":
        return "wait for the job of", "waited for the job of"
    return "retrain", "retrained"


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


def _amount(value: Any) -> Any:
    """A number, also where configuration has it as text."""
    try:
        return float(value) if isinstance(value, str) and value != UNKNOWN else value
    except ValueError:
        return None


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
