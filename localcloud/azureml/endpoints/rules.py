"""What the service refuses: names, traffic, settings out of bounds, changes of what only a creation sets.

Source: Azure's documentation of managed online endpoints and its limits; the marks in brackets are the limits' names there.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from typing import Any

from localcloud.arm.errors import ArmError
from localcloud.azureml.durations import seconds
from localcloud.azureml.endpoints.state import Document

MOST_DEPLOYMENTS = 20  # of an endpoint
MOST_ENDPOINTS = 100  # of a subscription in a region
MOST_INSTANCES = 50  # of a deployment
_LONGEST_REQUEST = 180.0
_MOST_MIRRORED = 50
_NAME = re.compile(r"[a-zA-Z](-?[a-zA-Z0-9])*")
_DURATIONS = {
    "requestSettings": ("requestTimeout", "maxQueueWait"),
    "livenessProbe": ("initialDelay", "period", "timeout"),
    "readinessProbe": ("initialDelay", "period", "timeout"),
    "startupProbe": ("initialDelay", "period", "timeout"),
}
_NUMBERS = {
    "requestSettings": ("maxConcurrentRequestsPerInstance",),
    "livenessProbe": ("failureThreshold", "successThreshold"),
    "readinessProbe": ("failureThreshold", "successThreshold"),
    "startupProbe": ("failureThreshold", "successThreshold"),
}


def refused(message: str, target: str | None = None, code: str = "BadArgument") -> ArmError:
    """400: the request breaks a rule of the service."""
    return ArmError(400, code, message, target=target)


def check_name(kind: str, name: str) -> None:
    """Names of endpoints and deployments: 3 to 32 letters, digits and single dashes; a letter first, no dash last."""
    if not 3 <= len(name) <= 32 or not _NAME.fullmatch(name):
        message = (
            f"The name '{name}' of the {kind} is not valid: it has 3 to 32 letters, digits and single dashes,"
            " begins with a letter and does not end with a dash."
        )
        raise refused(message, "name")


def check_traffic(
    traffic: Mapping[str, Any], mirror: Mapping[str, Any], deployments: Collection[str]
) -> None:
    """Whole percentages of deployments that exist: 0 or 100 in sum; a mirror of one without live traffic, up to 50."""
    known = {name.lower() for name in deployments}
    for member, shares in (("traffic", traffic), ("mirrorTraffic", mirror)):
        for name, share in shares.items():
            if not isinstance(share, int) or isinstance(share, bool) or not 0 <= share <= 100:
                raise refused(f"{member} of '{name}' is {share!r}: it is a whole percentage.", member)
            if name.lower() not in known:
                message = f"{member} names the deployment '{name}', which the endpoint does not have."
                raise refused(message, member, "InvalidTraffic")
    total = sum(traffic.values())
    if total not in (0, 100):
        message = f"The traffic of an endpoint sums up to 0 or to 100 percent, not to {total}."
        raise refused(message, "traffic", "InvalidTraffic")
    mirrored = {name: share for name, share in mirror.items() if share}
    if len(mirrored) > 1:
        raise refused("Traffic is mirrored to one deployment at most.", "mirrorTraffic", "InvalidTraffic")
    for name, share in mirrored.items():
        if share > _MOST_MIRRORED:
            message = f"At most {_MOST_MIRRORED} percent of the traffic are mirrored, not {share}."
            raise refused(message, "mirrorTraffic", "InvalidTraffic")
        if any(live and other.lower() == name.lower() for other, live in traffic.items()):
            message = f"The deployment '{name}' has live traffic; its mirror would answer twice."
            raise refused(message, "mirrorTraffic", "InvalidTraffic")


def check_deployment(document: Document) -> None:
    """Settings of a complete deployment within their bounds."""
    properties = document["properties"]
    if str(properties.get("endpointComputeType", "")).lower() != "managed":
        raise refused(
            "This local cloud has managed online endpoints only (endpointComputeType Managed).",
            "properties.endpointComputeType",
        )
    if properties["scaleSettings"].get("scaleType") != "Default":
        raise refused(
            "The scaleType of a managed deployment is Default.", "properties.scaleSettings.scaleType"
        )
    capacity: Any = document["sku"].get("capacity")
    if not _is_number(capacity) or not 1 <= capacity <= MOST_INSTANCES:
        raise refused(
            f"sku.capacity is {capacity!r}; a deployment has 1 to {MOST_INSTANCES} instances.", "sku.capacity"
        )
    for section, names in _NUMBERS.items():
        for name in names:
            value: Any = (properties.get(section) or {name: 1}).get(name)
            if not _is_number(value) or value < 1:
                raise refused(
                    f"{section}.{name} is {value!r}; it is a number from 1 on.",
                    f"properties.{section}.{name}",
                )
    for section, names in _DURATIONS.items():
        for name in names:
            _check_duration(section, name, (properties.get(section) or {name: "PT1S"}).get(name))


def _check_duration(section: str, name: str, value: Any) -> None:
    place = f"properties.{section}.{name}"
    try:
        length = seconds(value)
    except (TypeError, ValueError):
        raise refused(f"{section}.{name} is {value!r}; it is a duration such as PT5S.", place) from None
    if name == "requestTimeout" and not 0 < length <= _LONGEST_REQUEST:
        raise refused(f"{section}.{name} is {value}; it is at most PT3M.", place)
    if name in ("period", "timeout") and not length > 0:
        raise refused(f"{section}.{name} is {value}; it is longer than nothing.", place)


def check_unchanged(old: Document, new: Document) -> None:
    """Refuse a change of what only the creation of a deployment sets."""
    for name in ("instanceType", "codeConfiguration", "modelMountPath"):
        before, now = old["properties"].get(name), new["properties"].get(name)
        if before != now:
            message = (
                f"The property '{name}' of a deployment is set when it is created and cannot be changed"
                f" (from {before!r} to {now!r}): make another deployment."
            )
            raise refused(message, f"properties.{name}", "ImmutableProperty")


def check_no_traffic(endpoint: Document, name: str) -> None:
    """Refuse to delete a deployment that has live or mirrored traffic."""
    for member in ("traffic", "mirrorTraffic"):
        for other, share in endpoint["properties"][member].items():
            if share and other.lower() == name.lower():
                message = f"The deployment '{name}' has {share} percent of the endpoint's {member}: set it to 0 first."
                raise refused(message, member, "DeploymentHasTraffic")


def _is_number(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)
