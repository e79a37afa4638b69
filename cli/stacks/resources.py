"""The resources that a stack's state has: which are of a kind of ours, and what came of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

OURS = "pulumi-python:dynamic/retrain:"
"""What the types of our resources begin with; the name of their kind follows."""


def outputs_of(resource: Mapping[str, Any]) -> Mapping[str, Any]:
    """What the state has of a resource; an update that was cut off leaves inputs alone."""
    outputs: Mapping[str, Any] = resource.get("outputs") or resource.get("inputs") or {}
    return outputs


def of_kind(resources: Iterable[Mapping[str, Any]], kind: str) -> list[Mapping[str, Any]]:
    """The outputs of those *resources* of a state that are of a kind of ours."""
    return [outputs_of(each) for each in resources if each.get("type") == f"{OURS}{kind}"]
