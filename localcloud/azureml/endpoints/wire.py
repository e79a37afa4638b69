"""Requests read into complete documents, and documents as they are shown."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from localcloud.arm.errors import invalid_content
from localcloud.arm.operation import section, text
from localcloud.azureml.endpoints.access import MODES
from localcloud.azureml.endpoints.rules import refused
from localcloud.azureml.endpoints.state import LOCAL, Document

_PROBE = {
    "failureThreshold": 30,
    "initialDelay": "PT10S",
    "period": "PT10S",
    "successThreshold": 1,
    "timeout": "PT2S",
}
_DEFAULTS: dict[str, dict[str, Any]] = {
    "requestSettings": {
        "maxConcurrentRequestsPerInstance": 1,
        "maxQueueWait": "PT0.5S",
        "requestTimeout": "PT5S",
    },
    "scaleSettings": {"scaleType": "Default"},
    "livenessProbe": _PROBE,
    "readinessProbe": _PROBE,
}
_INSTANCE_TYPE = "Standard_DS3_v2"
_ACCESS = ("Enabled", "Disabled")


def endpoint_properties(document: Mapping[str, Any]) -> dict[str, Any]:
    """The properties of an endpoint as they are kept, from a PUT; keys are not among them."""
    sent = section(document, "properties")
    return {
        "authMode": _one_of(sent, "authMode", MODES, None),
        "description": text(sent, "description"),
        "publicNetworkAccess": _one_of(sent, "publicNetworkAccess", _ACCESS, _ACCESS[0]),
        "properties": strings(sent, "properties"),
        "traffic": section(sent, "traffic"),
        "mirrorTraffic": section(sent, "mirrorTraffic"),
    }


def deployment_properties(document: Mapping[str, Any]) -> dict[str, Any]:
    """The properties of a deployment from a PUT, with what the service fills in."""
    sent = section(document, "properties")
    complete = {name: {**default, **_given(section(sent, name))} for name, default in _DEFAULTS.items()}
    startup = section(sent, "startupProbe")
    code = section(sent, "codeConfiguration")
    return {
        "endpointComputeType": text(sent, "endpointComputeType") or "",
        "description": text(sent, "description"),
        "model": text(sent, "model"),
        "modelMountPath": text(sent, "modelMountPath"),
        "codeConfiguration": {
            "codeId": text(code, "codeId"),
            "scoringScript": _required(code, "scoringScript", "properties.codeConfiguration.scoringScript"),
        }
        if code
        else None,
        "environmentId": text(sent, "environmentId"),
        "environmentVariables": strings(sent, "environmentVariables"),
        "instanceType": text(sent, "instanceType") or _INSTANCE_TYPE,
        "appInsightsEnabled": bool(sent.get("appInsightsEnabled")),
        "egressPublicNetworkAccess": _one_of(sent, "egressPublicNetworkAccess", _ACCESS, _ACCESS[0]),
        "properties": strings(sent, "properties"),
        **complete,
        "startupProbe": {**_PROBE, **_given(startup)} if startup else None,
    }


def shown_endpoint(document: Document, base_url: str) -> Document:
    """An endpoint as it is answered: never with its keys, always with the address that scores."""
    address = f"{base_url}/inference/{document['location']}/{document['name']}"
    shown = {name: value for name, value in document.items() if name != LOCAL}
    properties = {
        **document["properties"],
        "scoringUri": f"{address}/score",
        "swaggerUri": f"{address}/swagger.json",
    }
    return {**shown, "properties": properties}


def shown_deployment(document: Document) -> Document:
    """A deployment as it is answered."""
    return {name: value for name, value in document.items() if name != LOCAL}


def strings(holder: Mapping[str, Any], name: str) -> dict[str, str]:
    """A member that maps names to strings, or is absent (then empty)."""
    found = section(holder, name)
    for key, value in found.items():
        if not isinstance(value, str):
            raise invalid_content(f"'{name}.{key}' is not a string", f"{name}.{key}")
    return found


def _given(holder: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in holder.items() if value is not None}


def _required(holder: Mapping[str, Any], name: str, place: str) -> str:
    found = text(holder, name, place)
    if not found:
        raise refused(f"The property '{place}' is required.", place)
    return found


def _one_of(holder: Mapping[str, Any], name: str, known: tuple[str, ...], default: str | None) -> str:
    """A member that is one of some words, in any case."""
    given = text(holder, name, f"properties.{name}") or default
    for one in known:
        if given is not None and given.lower() == one.lower():
            return one
    raise refused(f"{name} is {given!r}; it is one of {', '.join(known)}.", f"properties.{name}")
