"""What clients get: a service as each api-version shows it, with nothing in it that opens anything.

Keys, the storage account's key, the commitment plan, credentials and signatures are left out. The exception is the
answer to a creation in 2016-05-01-preview, which repeats all that was sent; 2017-01-01 answers with next to nothing.
Source: azure-powershell's recorded sessions (STUDIO notes 4.2, 4.6).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from localcloud.facilities.regions import region_name
from localcloud.studio.web_services.definition import parameter_value

PREVIEW, CURRENT = "2016-05-01-preview", "2017-01-01"
VERSIONS = (CURRENT, PREVIEW)

LARGE = ("assets", "input", "output", "package", "parameters", "exampleRequest")
_ENVELOPE = ("id", "name", "type", "location", "tags")
_SECRET = ("keys", "commitmentPlan")
_SPARSE = ("payloadsInBlobStorage", "provisioningState")


def full(document: Mapping[str, Any], version: str, state: str, swagger: str) -> dict[str, Any]:
    """What GET answers."""
    properties = {
        name: value
        for name, value in document["properties"].items()
        if name not in _SECRET and (not document.get("payload") or name not in LARGE)
    }
    if isinstance(properties.get("storageAccount"), Mapping):
        properties["storageAccount"] = {
            name: value for name, value in properties["storageAccount"].items() if name != "key"
        }
    if isinstance(properties.get("assets"), Mapping):
        properties["assets"] = {key: shown_asset(asset) for key, asset in properties["assets"].items()}
    return _resource(document, _in_version(properties, version), version, state, swagger)


def sparse(document: Mapping[str, Any], version: str, state: str, swagger: str) -> dict[str, Any]:
    """What the start of an operation answers: in the preview all that was sent, else that it goes on."""
    if version == PREVIEW:
        properties = _in_version(document["properties"], version)
        return _resource(document, properties, version, state, swagger)
    shown = {"payloadsInBlobStorage": bool(document.get("payload")), "provisioningState": state}
    return {**_envelope(document), "properties": shown}


def listed(document: Mapping[str, Any], version: str, state: str, swagger: str) -> dict[str, Any]:
    """A service in a list: all but its graph."""
    shown = full(document, version, state, swagger)
    for name in LARGE:
        shown["properties"].pop(name, None)
    return shown


def _envelope(document: Mapping[str, Any]) -> dict[str, Any]:
    shown = {name: document[name] for name in _ENVELOPE}
    return {**shown, "location": region_name(document["location"])}


def _resource(
    document: Mapping[str, Any], properties: dict[str, Any], version: str, state: str, swagger: str
) -> dict[str, Any]:
    properties |= {"provisioningState": state, "swaggerLocation": swagger}
    if version != PREVIEW:
        payload = document.get("payload")
        properties["payloadsInBlobStorage"] = bool(payload)
        if payload:
            properties["payloadsLocation"] = {"uri": payload, "credentials": None}
    return {**_envelope(document), "properties": properties}


def shown_asset(asset: Mapping[str, Any]) -> dict[str, Any]:
    """An asset without credentials and without the signature of its address."""
    location = dict(asset["locationInfo"])
    if location.get("credentials") is not None:
        location["credentials"] = None
    place, _, query = location["uri"].partition("?")
    if "sig=" in query:
        location["uri"] = place
    return {**asset, "locationInfo": location}


def _in_version(properties: Mapping[str, Any], version: str) -> dict[str, Any]:
    """Parameters as the version has them: plain text in the preview, objects with a value since."""
    result = dict(properties)
    if isinstance(result.get("parameters"), Mapping):
        result["parameters"] = _parameters(result["parameters"], version)
    nodes = result["package"].get("nodes") if isinstance(result.get("package"), Mapping) else None
    if isinstance(nodes, Mapping):
        shown = {key: _node(node, version) for key, node in nodes.items()}
        result["package"] = {**result["package"], "nodes": shown}
    return result


def _node(node: Any, version: str) -> Any:
    if not isinstance(node, Mapping) or not isinstance(node.get("parameters"), Mapping):
        return node
    return {**node, "parameters": _parameters(node["parameters"], version)}


def _parameters(values: Mapping[str, Any], version: str) -> dict[str, Any]:
    if version == PREVIEW:
        return {name: parameter_value(value) for name, value in values.items()}
    return {
        name: value if isinstance(value, Mapping) or value is None else {"value": value}
        for name, value in values.items()
    }
