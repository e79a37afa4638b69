"""What a PUT of a job says: checked, and completed with what the service fills in."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from typing import Any

from localcloud.arm.operation import section, text
from localcloud.azureml.assets.blobs import Place
from localcloud.azureml.assets.places import BLOB_STORE, Document, Workspace
from localcloud.azureml.assets.workspace import not_found, refused
from localcloud.azureml.durations import seconds

_NAME = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9\-_]{0,254}")
_PORT = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")
PLACEHOLDER = re.compile(r"\$\{\{\s*(inputs|outputs)\.([^\s}]+)\s*\}\}")
_ASSET = re.compile(r"(?:.*/)?(environments|codes)/([^/]+)/versions/([^/]+)/?", re.IGNORECASE)
_REGISTRY = "azureml://registries/"
LITERAL, FILE = "literal", "uri_file"
MODELS = ("custom_model", "mlflow_model", "triton_model")
_OUTPUTS = ("uri_folder", FILE, "mltable", *MODELS)
_INPUTS = (LITERAL, *_OUTPUTS)
# What of a job may change once it is there; `properties` can be added to.
CHANGEABLE = ("tags", "description", "isArchived", "services", "notificationSetting", "properties")
_IGNORED = ("status", "parameters", "provisioningState")
_MAPS = ("tags", "properties", "environmentVariables", "inputs", "outputs")


def completed(workspace: Workspace, name: str, sent: Document) -> Document:
    """The properties of a job as it is kept. Raises ArmError for what cannot be run."""
    if not _NAME.fullmatch(name):
        raise refused(f"'{name}' is no name of a job: letters, digits, - and _, at most 255.", "name")
    given = {
        key: value
        for key, value in section(sent, "properties").items()
        if value is not None and key not in _IGNORED
    }
    if given.get("jobType") != "Command":
        raise refused(
            f"This local cloud runs jobs of the type Command, not '{given.get('jobType')}'.", "jobType"
        )
    for field in ("command", "environmentId"):
        if not (text(given, field, f"properties.{field}") or "").strip():
            raise refused(f"The property '{field}' of a command job is required.", f"properties.{field}")
    for field in _MAPS:
        given[field] = section(given, field)
    _check_references(workspace, given)
    _check_strings(given["environmentVariables"], "properties.environmentVariables")
    _check_strings(given["tags"], "properties.tags")
    given["inputs"] = {port: _input(port, value) for port, value in given["inputs"].items()}
    given["outputs"] = {port: _output(name, port, value) for port, value in given["outputs"].items()}
    _check_placeholders(given)
    for port, output in given["outputs"].items():
        _check_own(workspace, name, port, workspace.place(output["uri"]))
    limit_of(given)
    _check_alone(given)
    return {
        "description": None,
        "displayName": name,
        "experimentName": "Default",
        "isArchived": False,
        "codeId": None,
        "computeId": None,
        "limits": None,
        "identity": None,
        "resources": {"instanceCount": 1},
        **given,
        "services": {"Studio": _service("Studio"), "Tracking": _service("Tracking")},
    }


def limit_of(properties: Mapping[str, Any]) -> float | None:
    """How many seconds the command may run. Raises ArmError for what is no duration."""
    timeout = section(properties, "limits").get("timeout")
    if timeout is None:
        return None
    try:
        return seconds(str(timeout))
    except ValueError as error:
        raise refused(f"limits.timeout: {error}.", "properties.limits.timeout") from None


def changed(kept: Document, sent: Document) -> Document:
    """A job's properties after another PUT under its name. Raises ArmError where it is another job."""
    for field, value in sent.items():
        if field not in CHANGEABLE and value != kept.get(field):
            message = f"A job with this name already exists; its property '{field}' cannot be changed."
            raise refused(message, f"properties.{field}")
    for field, value in sent["properties"].items():
        if kept["properties"].get(field, value) != value:
            message = f"The property '{field}' of a job exists and cannot be changed."
            raise refused(message, f"properties.properties.{field}")
    named = {field: sent[field] for field in ("tags", "description", "isArchived")}
    return {**kept, **named, "properties": {**kept["properties"], **sent["properties"]}}


def asset_of(workspace: Workspace, resource_id: str) -> Document | None:
    """The environment or code of an id, in this workspace."""
    found = _ASSET.fullmatch(resource_id)
    return None if found is None else workspace.asset(found[1].lower(), found[2], found[3])


def _check_references(workspace: Workspace, given: Document) -> None:
    environment = given["environmentId"]
    if not environment.lower().startswith(_REGISTRY) and asset_of(workspace, environment) is None:
        raise not_found("environment", environment)
    if (code := text(given, "codeId", "properties.codeId")) and asset_of(workspace, code) is None:
        raise not_found("code", code)
    compute = text(given, "computeId", "properties.computeId") or ""
    if compute and not compute.endswith("/serverless") and workspace.store.arm_get(compute) is None:
        raise not_found("compute", compute)


def _check_alone(given: Document) -> None:
    """Raise ArmError for a job of more than one process."""
    if given.get("distribution") is not None:
        raise refused(
            "This local cloud runs a job as one process, not distributed.", "properties.distribution"
        )
    if section(given, "resources").get("instanceCount") not in (None, 1):
        message = "This local cloud runs a job as one instance."
        raise refused(message, "properties.resources.instanceCount")


def _check_strings(values: Mapping[str, Any], target: str) -> None:
    for name, value in values.items():
        if not isinstance(value, str):
            raise refused(f"{target}: '{name}' is not a string.", target)
        if not name or "=" in name or "\0" in name + value:
            raise refused(f"{target}: '{name}' is no name or has no value that a process can have.", target)


def _input(port: str, value: Any) -> Document:
    target = f"properties.inputs.{port}"
    kind = _port(port, value, "jobInputType", _INPUTS, target)
    if kind == LITERAL:
        if not isinstance(value.get("value"), str):
            raise refused(f"The input '{port}' is a literal, whose value is a string.", target)
        return {"jobInputType": LITERAL, "value": value["value"]}
    if not text(value, "uri", f"{target}.uri"):
        raise refused(f"The input '{port}' has no uri.", target)
    return {"description": None, "mode": "ReadOnlyMount", **_given(value)}


def _output(job: str, port: str, value: Any) -> Document:
    target = f"properties.outputs.{port}"
    kind = _port(port, value, "jobOutputType", _OUTPUTS, target)
    path = f"azureml/{job}/{port}" + ("" if kind == FILE else "/")
    default = f"azureml://datastores/{BLOB_STORE}/paths/{path}"
    return {"description": None, "mode": "ReadWriteMount", "uri": default, **_given(value)}


def _given(value: Document) -> Document:
    return {name: one for name, one in value.items() if one is not None}


def _port(port: str, value: Any, field: str, kinds: Collection[str], target: str) -> str:
    if not _PORT.fullmatch(port):
        raise refused(f"'{port}' is no name of an input or output: letters, digits and _.", target)
    kind: Any = value.get(field) if isinstance(value, dict) else None
    if kind not in kinds:
        raise refused(f"'{port}' has {field} '{kind}'; it is one of {', '.join(kinds)}.", target)
    return str(kind)


def _check_placeholders(given: Document) -> None:
    for kind, port in PLACEHOLDER.findall(given["command"]):
        if port not in given[kind]:
            known = ", ".join(given[kind]) or "none"
            message = (
                f"The command names {kind}.{port}, which the job does not have; its {kind} are: {known}."
            )
            raise refused(message, "properties.command")


def _check_own(workspace: Workspace, job: str, port: str, place: Place) -> None:
    """Raise ArmError for an output below what is another job's."""
    if place.container not in workspace.built_in.values():
        return
    home, _, rest = place.path.partition("/")
    owner = rest.partition("/")[0].removeprefix("dcid.")
    if home in ("azureml", "ExperimentRun") and owner != job:
        message = f"The output '{port}' would be written to {place.path}, which belongs to the job '{owner}'."
        raise refused(message, f"properties.outputs.{port}")


def _service(kind: str) -> Document:
    return {"jobServiceType": kind, "endpoint": None, "port": None, "properties": None, "status": None}
