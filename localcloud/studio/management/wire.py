"""Classic management on the wire: PascalCase JSON. Source: azuremlps code/Contracts.cs."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from localcloud.facilities.errors import BadArgument
from localcloud.facilities.wire import member
from localcloud.works.services import (
    DEFAULT_CALLS,
    DEFAULT_ENDPOINT,
    LOW_CALLS,
    MOST_CALLS,
    Endpoint,
    Resource,
    WebService,
)

_ENDPOINT_NAME = re.compile(r"[a-z0-9]{1,24}")
_TRACE_LEVELS = ("None", "Error", "All")


def service_json(service: WebService) -> dict[str, Any]:
    """A WebService."""
    return {
        "Id": service.id,
        "Name": service.name,
        "Description": service.description,
        "CreationTime": service.created,
        "WorkspaceId": service.workspace_id,
        "DefaultEndpointName": DEFAULT_ENDPOINT,
        "EndpointCount": service.endpoints,
    }


def endpoint_json(endpoint: Endpoint, base: str) -> dict[str, Any]:
    """An Endpoint with its keys. Its models' locations say what was bound; a SAS is never handed back."""
    workspace = endpoint.workspace_id
    return {
        "Name": endpoint.name,
        "Description": endpoint.description,
        "CreationTime": endpoint.created,
        "WebServiceId": endpoint.service_id,
        "WorkspaceId": workspace,
        "HelpLocation": f"{base}/apihelp/workspaces/{workspace}/webservices/{endpoint.service_id}"
        f"/endpoints/{endpoint.id}",
        "PrimaryKey": endpoint.primary_key,
        "SecondaryKey": endpoint.secondary_key,
        "ApiLocation": f"{base}/workspaces/{workspace}/services/{endpoint.id}",
        "Version": None,
        "PreventUpdate": endpoint.prevent_update,
        "SampleDataEnabled": False,
        "ExperimentLocation": None,
        "MaxConcurrentCalls": endpoint.max_concurrent_calls,
        "DiagnosticsTraceLevel": endpoint.diagnostics_trace_level,
        "ThrottleLevel": endpoint.throttle_level,
        "Resources": [resource_json(resource) for resource in endpoint.resources],
    }


def resource_json(resource: Resource) -> dict[str, Any]:
    """An updatable model and where its bytes came from."""
    return {
        "Name": resource.name,
        "Kind": resource.kind,
        "Location": {
            "BaseLocation": resource.base,
            "RelativeLocation": resource.relative,
            "SasBlobToken": None,
        },
    }


@dataclass(frozen=True)
class EndpointSettings:
    """The body of PUT endpoint (AddEndpoint), checked."""

    description: str
    throttle_level: str
    max_concurrent_calls: int
    prevent_update: bool
    diagnostics_trace_level: str


def endpoint_name(name: str) -> str:
    """The name of an endpoint to create. Raises BadParameterValue for a name Studio would refuse."""
    if not _ENDPOINT_NAME.fullmatch(name):
        raise BadArgument(
            "BadParameterValue",
            f"an endpoint's name has 1 to 24 lower-case letters and digits, not {name!r}",
            "EndpointName",
        )
    return name


def endpoint_settings(body: Mapping[str, Any], now: Endpoint | None) -> EndpointSettings:
    """Read PUT endpoint; what is absent or null stays as it is at `now`, or gets Studio's default."""
    throttle = member(body, "ThrottleLevel")
    throttle = throttle if throttle is not None else (now.throttle_level if now else "High")
    if throttle not in ("High", "Low"):
        raise BadArgument("BadParameterValue", "ThrottleLevel is High or Low", "ThrottleLevel")
    calls = member(body, "MaxConcurrentCalls")
    if calls is None:
        calls = now.max_concurrent_calls if now and now.throttle_level == throttle else DEFAULT_CALLS
    if throttle == "Low":
        # A level of its own: the number that a client sends with it is ignored, not refused.
        calls = LOW_CALLS
    elif not isinstance(calls, int) or isinstance(calls, bool) or calls < 1:
        raise BadArgument(
            "WebServiceConcurrentRequestRequirementInvalid",
            f"MaxConcurrentCalls is a number from 1 to {MOST_CALLS}",
            "MaxConcurrentCalls",
        )
    elif calls > MOST_CALLS:
        raise BadArgument(
            "WebServiceTooManyConcurrentRequestRequirement",
            f"MaxConcurrentCalls is at most {MOST_CALLS}",
            "MaxConcurrentCalls",
        )
    trace = member(body, "DiagnosticsTraceLevel")
    trace = trace if trace is not None else (now.diagnostics_trace_level if now else "None")
    if trace not in _TRACE_LEVELS:
        raise BadArgument(
            "BadParameterValue",
            f"DiagnosticsTraceLevel is one of {', '.join(_TRACE_LEVELS)}",
            "DiagnosticsTraceLevel",
        )
    description = member(body, "Description")
    prevent = member(body, "PreventUpdate")
    return EndpointSettings(
        description=str(description) if description is not None else (now.description if now else ""),
        throttle_level=throttle,
        max_concurrent_calls=calls,
        prevent_update=flag(prevent, "PreventUpdate")
        if prevent is not None
        else (now.prevent_update if now else False),
        diagnostics_trace_level=trace,
    )


def flag(value: Any, name: str) -> bool:
    """A boolean, or C#'s ``"True"`` and ``"False"``."""
    if isinstance(value, bool):
        return value
    if isinstance(value, str) and value.lower() in ("true", "false"):
        return value.lower() == "true"
    raise BadArgument("BadParameterValue", f"{name} is True or False", name)


@dataclass(frozen=True)
class GivenResource:
    """A model as a request names it: `location` is a blob reference, not yet resolved."""

    name: str
    location: Mapping[str, Any]


def given_resources(body: Mapping[str, Any]) -> list[GivenResource]:
    """``Resources`` of a PATCH or of a published experiment; empty where it is absent or null."""
    entries = member(body, "Resources")
    if entries is None:
        return []
    if not isinstance(entries, list):
        raise BadArgument("RequestBodyInvalid", "Resources is not a list", "Resources")
    given = []
    for entry in entries:
        name = member(entry, "Name") if isinstance(entry, dict) else None
        location = member(entry, "Location") if isinstance(entry, dict) else None
        if not isinstance(name, str) or not isinstance(location, dict):
            raise BadArgument(
                "RequestBodyInvalid", "each of Resources has a Name and a Location", "Resources"
            )
        given.append(GivenResource(name, location))
    names = [resource.name.casefold() for resource in given]
    if len(set(names)) != len(names):
        raise BadArgument("RequestBodyInvalid", "Resources names a model twice", "Resources")
    return given
