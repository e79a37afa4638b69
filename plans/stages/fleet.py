"""A fleet: what happens to its members, a kind of change a line."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from plans.facts import Fact, named, text, texts
from plans.phrases import Does, Words, number, short
from plans.steps import UNKNOWN, Step

TITLE = "fleet"
FACTS: dict[str, Fact] = {
    "plan": texts("What happens to its members, a kind of change a line"),
    "planKey": text("The digest of what happens to each member"),
    "leaves": texts("Members that leave it"),
    "stuck": texts("Members that failed before and stay as they are"),
    "counts": named("How many members came to what"),
    "failed": texts("Members that failed, and why"),
}


def facts(step: Step) -> dict[str, Any]:
    """See Kind."""
    new = step.new
    names = ("plan", "planKey", "leaves", "stuck", "counts", "failed")
    found = {name: new[name] for name in names if new.get(name)}
    return found or {"plan": UNKNOWN}


def does(facts: Mapping[str, Any]) -> Does:
    """See Kind."""
    return "bring up to date", "brought up to date"


def words(facts: Mapping[str, Any]) -> Words:
    """See Kind."""
    plan = facts.get("plan")
    lines = [("members", line) for line in plan] if isinstance(plan, list) else [("members", "not known yet")]
    if "planKey" in facts:
        lines.append(("plan", short(facts["planKey"])))
    if isinstance(counts := facts.get("counts"), Mapping):
        lines.append(("now", ", ".join(f"{number(count)} {what}" for what, count in counts.items())))
    for name in ("stuck", "failed"):
        lines += [(name, str(line)) for line in facts.get(name, ())]
    return lines
