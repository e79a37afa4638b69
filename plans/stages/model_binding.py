"""A model that endpoints are pointed at: which, ring by ring, and how that is verified."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from plans.facts import Fact, named, numbers, several, text
from plans.facts import number as count
from plans.phrases import Does, Words, changed, number, short
from plans.steps import UNKNOWN, Step

TITLE = "binding"
FACTS: dict[str, Fact] = {
    "endpoint": text("The endpoint that is bound"),
    "model": text("The address of the model that it is to serve"),
    "oldModel": text("The address of the model that it was to serve"),
    "rings": several("The endpoints that are bound one after the other, and how long each is watched"),
    "shares": numbers("Which shares of the calls it takes, one after the other, in percent"),
    "mirror": count(
        "Which share of the calls is answered by the new model as well, before it serves, in percent"
    ),
    "staging": text("The endpoint where the model is put first"),
    "probeRows": count("How many rows are scored until it answers as the new model"),
    "changedByOthers": named("What endpoints serve that others have changed"),
    "probed": count("How many rows were scored"),
    "bound": text("What the endpoint was bound to"),
}
_RUN = re.compile(r"models/[^/]+/([0-9a-f]{7,64})/")


def facts(step: Step) -> dict[str, Any]:
    """See Kind."""
    old, new = step.old, step.new
    probe = new.get("probe")
    found = {
        "endpoint": new.get("endpointName", UNKNOWN),
        "model": new.get("address", UNKNOWN),
        "oldModel": old.get("address", ""),
        "rings": new.get("rings", []),
        "shares": new.get("steps", [100]),
        "mirror": new.get("mirror"),
        "staging": new.get("stagingEndpoint", ""),
        "probeRows": probe.get("rows") if isinstance(probe, Mapping) else None,
        "changedByOthers": new.get("found"),
        "probed": new.get("probed"),
        "bound": new.get("bound"),
    }
    return {name: value for name, value in found.items() if value not in (None, "", [], {})}


def does(facts: Mapping[str, Any]) -> Does:
    """See Kind."""
    return "bind", "bound"


def words(facts: Mapping[str, Any]) -> Words:
    """See Kind."""
    model = facts.get("model")
    others = facts.get("changedByOthers")
    probe = facts.get("probeRows")
    return [
        (
            "serves",
            changed(_run(facts.get("oldModel")), _run(model))
            if model
            else "nothing before a model has passed",
        ),
        ("others", _others(others) if isinstance(others, Mapping) else ""),
        ("by", _rings(facts)),
        (
            "verified",
            f"with {number(facts['probed'])} rows"
            if "probed" in facts and not facts.get("changedByOthers")
            else "",
        ),
        ("probe", f"{number(probe)} rows, until it answers as the new model" if probe else "read back only"),
    ]


def _others(found: Mapping[str, Any]) -> str:
    told = (f"{endpoint} serves {_run(served) or served}" for endpoint, served in sorted(found.items()))
    return "changed since the last update: " + ", ".join(told)


def _rings(facts: Mapping[str, Any]) -> str:
    shares, rings = facts["shares"], facts.get("rings") or []
    told = []
    if facts.get("mirror"):
        told.append(f"a mirror of {facts['mirror']} % of the calls")
    for ring in rings:
        bakes = "" if ring.get("bake") in ("0", "", None) else f" (watched for {ring['bake']})"
        told.append(", ".join(ring.get("endpoints") or []) + bakes)
    if not rings:
        told.append(str(facts["endpoint"]))
    if list(shares) != [100]:
        told.append("by " + ", ".join(f"{share} %" for share in shares) + " of the calls")
    return ", then ".join(told)


def _run(address: Any) -> str:
    if not address or address == UNKNOWN:
        return "a model that is not known yet" if address else ""
    found = _RUN.search(str(address))
    return f"run {short(found[1])}" if found else str(address)
