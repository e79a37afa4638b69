"""Somebody else at work on our endpoints: traffic for a deployment of their own, or for one of ours that served before."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx

from tests.chaos.azureml.house import LOCATION, House, Traffic

THEIRS = "theirs"
_SERVING = ("model", "codeConfiguration", "environmentId", "instanceType")


def change(house: House, endpoint: str, how: str, passed: Callable[[str], bool]) -> bool:
    """Change the traffic of an *endpoint* that serves, as *how* says (`drawn.FOREIGN`); whether that was done.

    Never for a model that has not *passed*: what callers then get of it would be nobody's fault here.
    """
    traffic = house.traffic(endpoint)
    wanted = (
        _before(house, endpoint, traffic, passed) if how == "back" else _own(house, endpoint, traffic, how)
    )
    return bool(wanted) and _sent(house, house.endpoint_id(endpoint), properties={"traffic": wanted})


def _before(house: House, endpoint: str, traffic: Traffic, passed: Callable[[str], bool]) -> Traffic:
    """All for a model of ours without calls, if there is one that could have them."""
    models = house.models(endpoint)
    there = house.list(f"{house.endpoint_id(endpoint)}/deployments")
    ready = [each["name"] for each in there if each["properties"]["provisioningState"] == "Succeeded"]
    found = [name for name in ready if name not in traffic and models.get(name) and passed(models[name])]
    return {found[0]: 100} if traffic and found else {}


def _own(house: House, endpoint: str, traffic: Traffic, how: str) -> Traffic:
    """A part, or the whole, for a deployment of their own, which answers as one of ours."""
    ours = next((name for name in traffic if name != THEIRS), "")
    if not ours or not _deployed(house, endpoint, ours):
        return {}
    return {THEIRS: 100} if how == "whole" else {ours: 80, THEIRS: 20}


def _deployed(house: House, endpoint: str, like: str) -> bool:
    place = f"{house.endpoint_id(endpoint)}/deployments"
    there = {each["name"]: each["properties"] for each in house.list(place)}
    if THEIRS in there:
        return there[THEIRS]["provisioningState"] == "Succeeded"
    properties = {name: there[like][name] for name in _SERVING}
    sku = {"name": "Default", "capacity": 1}
    return _sent(house, f"{place}/{THEIRS}", {"sku": sku}, {"endpointComputeType": "Managed", **properties})


def _sent(
    house: House, resource: str, body: dict[str, Any] | None = None, properties: dict[str, Any] | None = None
) -> bool:
    """A PUT that may be refused, while something else goes on there."""
    if body is None:
        body = {"identity": {"type": "SystemAssigned"}, "tags": house.get(resource).get("tags") or {}}
        properties = {"authMode": "Key", **(properties or {})}
    try:
        house.put(resource, {"location": LOCATION, **body, "properties": properties})
    except httpx.HTTPStatusError:
        return False
    return True
