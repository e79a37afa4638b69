"""The regions in which Azure ML v2 is offered."""

from __future__ import annotations

from clients.arm.resource_manager import ResourceManager
from clients.errors import ConfigurationError
from clients.http.answers import rows
from clients.names import nearest

API_VERSION = "2021-04-01"
_PROVIDER = "/providers/Microsoft.MachineLearningServices"


def refuse_region(arm: ResourceManager, location: str) -> None:
    """Raise ConfigurationError for a *location* without workspaces. Source: Resource Manager's Providers, 2021-04-01."""
    found = arm.get(_PROVIDER)
    offered = [
        str(place)
        for kind in rows(found, "resourceTypes")
        if str(kind.get("resourceType")).lower() == "workspaces"
        for place in kind.get("locations") or []
    ]
    if offered and _plain(location) not in map(_plain, offered):
        raise ConfigurationError(
            f"Azure ML is not offered in the region {location!r}; {nearest(_plain(location), sorted(map(_plain, offered)))}",
            "set `location` to a region that has it",
        )


def _plain(region: str) -> str:
    return region.replace(" ", "").lower()
