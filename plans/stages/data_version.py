"""A version of the data that is looked up."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from plans.facts import Fact, text
from plans.facts import number as count
from plans.phrases import Does, Words, changed, short, size
from plans.steps import UNKNOWN, Step

TITLE = "data"
FACTS: dict[str, Fact] = {
    "path": text("Where its blobs are in the container; {version} stands for the version"),
    "version": text("Which version"),
    "oldVersion": text("Which version it was"),
    "digest": text("What its bytes come to"),
    "oldDigest": text("What they came to"),
    "bytes": count("Its size in bytes"),
    "blobs": count("How many blobs it has"),
}


def facts(step: Step) -> dict[str, Any]:
    """See Kind."""
    old, new = step.old, step.new
    found = {
        "path": new.get("path", UNKNOWN),
        "version": new.get("version", UNKNOWN),
        "oldVersion": old.get("version", ""),
        "digest": new.get("digest", UNKNOWN),
        "oldDigest": old.get("digest", ""),
        "bytes": new.get("bytes", UNKNOWN),
        "blobs": len(new["blobs"]) if isinstance(new.get("blobs"), list) else UNKNOWN,
    }
    return {name: value for name, value in found.items() if value != ""}


def does(facts: Mapping[str, Any]) -> Does:
    """See Kind."""
    return "read", "read"


def words(facts: Mapping[str, Any]) -> Words:
    """See Kind."""
    if facts["digest"] == UNKNOWN:
        return [("version", str(facts["version"]))]
    path = str(facts["path"])
    if facts["blobs"] == 1:
        path = path.replace("{version}", str(facts["version"]))
    blobs = f"{facts['blobs']} blob" + "s" * (facts["blobs"] != 1)
    old = f"{facts['oldVersion']} ({short(facts['oldDigest'])})" if facts.get("oldDigest") else ""
    return [
        ("version", changed(old, f"{facts['version']} ({short(facts['digest'])})")),
        ("size", f"{size(facts['bytes'])} in {blobs} of {path}"),
    ]
