"""A candidate that is judged: by which rules, against which champion, and what follows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from plans.facts import Fact, named, several, text, texts, whether
from plans.facts import number as count
from plans.phrases import Does, Words, mapping, number, short
from plans.stages.trained_model import measured
from plans.steps import UNKNOWN, Step

TITLE = "gate"
FACTS: dict[str, Fact] = {
    "endpoint": text("The endpoint that it is judged for"),
    "candidate": text("The candidate's run key"),
    "dataVersion": text("Which version of the data the candidate is trained from"),
    "metrics": named("What the candidate measured"),
    "champion": text("The run key of what is bound"),
    "championMetrics": named("What that measured"),
    "rules": texts("What must hold"),
    "oldRules": texts("What had to hold"),
    "minimumRows": count("On how many rows it must be measured"),
    "holdout": text("Which version of the data both are judged on"),
    "holdoutDigest": text("What its bytes come to"),
    "onRejected": text("What follows where it does not pass: fail, or hold"),
    "approval": whether("Whether somebody must approve it once it has passed"),
    "approve": text("The run key that was approved"),
    "verdict": text("pending, or what was judged"),
    "judged": several("Each rule, and what came of it"),
}


def facts(step: Step) -> dict[str, Any]:
    """See Kind."""
    old, new = step.old, step.new
    gate, candidate = mapping(new.get("gate")), mapping(new.get("candidate"))
    champion, before = mapping(new.get("champion")), mapping(old.get("candidate"))
    holdout = mapping(new.get("holdout"))
    serving = before if before.get("runKey") == champion.get("runKey") else {}
    found = {
        "endpoint": new.get("endpointName", UNKNOWN),
        "candidate": candidate.get("runKey", UNKNOWN),
        "dataVersion": candidate.get("dataVersion", UNKNOWN),
        "metrics": candidate.get("metrics"),
        "champion": champion.get("runKey", ""),
        "championMetrics": serving.get("metrics"),
        "rules": gate.get("rules", UNKNOWN),
        "oldRules": mapping(old.get("gate")).get("rules", []),
        "minimumRows": gate.get("minimumRows"),
        "holdout": holdout.get("version", ""),
        "holdoutDigest": holdout.get("digest", ""),
        "onRejected": gate.get("onRejected", UNKNOWN),
        "approval": gate.get("approval", False),
        "approve": gate.get("approve", ""),
        "verdict": new.get("verdict", UNKNOWN),
        "judged": new.get("rules"),
    }
    return {name: value for name, value in found.items() if value not in (None, "", [])}


def does(facts: Mapping[str, Any]) -> Does:
    """See Kind."""
    return "judge for", "judged for"


def words(facts: Mapping[str, Any]) -> Words:
    """See Kind."""
    rules = facts.get("rules")
    rules = rules if isinstance(rules, list) else []
    asked = [*rules] or ["the default of the task"]
    if facts.get("minimumRows"):
        asked.append(f"measured on {number(facts['minimumRows'])} rows at least")
    judged = facts.get("judged")
    refused = (
        "the update fails" if facts["onRejected"] == "fail" else "the update goes on, the champion stays"
    )
    return [
        ("candidate", _run(facts["candidate"], facts["dataVersion"])),
        ("champion", _champion(facts)),
        ("rules", "; ".join(asked) + _before(facts, rules)),
        (
            "rows",
            f"holdout {facts['holdout']} ({short(facts.get('holdoutDigest'))})" if "holdout" in facts else "",
        ),
        ("else", refused if facts["verdict"] == "pending" else ""),
        (
            "waits",
            "for an approval, once it has passed"
            if facts.get("approval") and not facts.get("approve")
            else "",
        ),
        ("verdict", _verdict(facts["verdict"], judged)),
    ]


def _champion(facts: Mapping[str, Any]) -> str:
    if not facts.get("champion"):
        return "none"
    told = measured(facts.get("championMetrics"))
    return f"run {short(facts['champion'])}" + (f": {told}" if told else "")


def _before(facts: Mapping[str, Any], rules: list[Any]) -> str:
    old = facts.get("oldRules")
    return f" (before: {'; '.join(map(str, old))})" if old and old != rules else ""


def _verdict(verdict: str, judged: Any) -> str:
    if verdict in ("pending", UNKNOWN):
        return "known when the model is trained"
    rules = [mapping(rule) for rule in judged] if isinstance(judged, list) else []
    failed = [rule for rule in rules if rule.get("passed") is False]
    told = "; ".join(str(rule.get("reason")) for rule in failed or rules)
    return f"{verdict}: {told}" if told else verdict


def _run(key: str, version: str) -> str:
    return f"run {short(key)} (data version {version})" if key != UNKNOWN else "not known yet"
