"""A version of the data that is looked up."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from plans.phrases import Words, changed, short, size
from plans.steps import UNKNOWN, Step

TITLE = "data"


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


def words(facts: Mapping[str, Any]) -> Words:
    """See Kind."""
    if facts["digest"] == UNKNOWN:
        return [("version", str(facts["version"]))]
    blobs = f"{facts['blobs']} blob" + "s" * (facts["blobs"] != 1)
    old = f"{facts['oldVersion']} ({short(facts['oldDigest'])})" if facts.get("oldDigest") else ""
    return [
        ("version", changed(old, f"{facts['version']} ({short(facts['digest'])})")),
        ("size", f"{size(facts['bytes'])} in {blobs} of {facts['path']}"),
    ]
