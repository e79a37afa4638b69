"""What is published of an experiment's ``job.yml`` or ``deployment.yml``, as Resource Manager takes it.

A *recipe* is such a file, read and resolved: the fields of JobSpec or DeploymentSpec as plain values, without the code.
Source: the schemas commandJob and managedOnlineDeployment of azure-ai-ml 1.35.2; Microsoft.MachineLearningServices 2024-10-01.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from clients.arm.resource_manager import Json

Recipe = Mapping[str, Any]
LITERAL, FILE = "literal", "uri_file"
_MODES = {
    "ro_mount": "ReadOnlyMount",
    "rw_mount": "ReadWriteMount",
    "mount": "ReadWriteMount",
    "download": "Download",
    "upload": "Upload",
    "direct": "Direct",
    "eval_mount": "EvalMount",
    "eval_download": "EvalDownload",
}
_PROBES = {
    "liveness_probe": "livenessProbe",
    "readiness_probe": "readinessProbe",
    "startup_probe": "startupProbe",
}
_PROBE = {
    "initial_delay": "initialDelay",
    "period": "period",
    "timeout": "timeout",
    "failure_threshold": "failureThreshold",
    "success_threshold": "successThreshold",
}
_TIMES = ("initial_delay", "period", "timeout")


def job(
    recipe: Recipe,
    *,
    workspace: str,
    compute: str | None,
    seconds: float,
    code: str,
    environment: str,
    uris: Mapping[str, str],
    parameters: Mapping[str, str],
    tags: Mapping[str, str],
) -> Json:
    """The properties of a command job: *uris* are those of inputs and outputs that come from the stack, by their names."""
    resources = recipe["resources"]
    inputs = {
        name: {
            "jobInputType": port["type"],
            "uri": uris.get(name) or named(port["path"], "data", workspace),
            "mode": _MODES.get(port.get("mode") or "", "ReadOnlyMount"),
        }
        for name, port in recipe["inputs"].items()
    }
    literals = {
        one["input"]: {"jobInputType": LITERAL, "value": _literal(one, parameters.get(name, one["default"]))}
        for name, one in recipe["parameters"].items()
    }
    outputs = {
        name: {
            "jobOutputType": port["type"],
            **({"uri": uris[name]} if name in uris else {}),
            "mode": _MODES.get(port.get("mode") or "", "ReadWriteMount"),
        }
        for name, port in recipe["outputs"].items()
    }
    return {
        "jobType": "Command",
        "command": recipe["command"],
        "codeId": code or None,
        "environmentId": environment,
        "environmentVariables": dict(recipe["environment_variables"]),
        "computeId": compute,
        "experimentName": recipe.get("experiment_name") or "Default",
        "displayName": recipe.get("display_name") or None,
        "description": recipe.get("description") or None,
        "tags": {**recipe["tags"], **tags},
        "inputs": inputs | literals,
        "outputs": outputs,
        "resources": {
            "instanceCount": resources["instance_count"],
            **({"instanceType": resources["instance_type"]} if resources.get("instance_type") else {}),
            **({"shmSize": resources["shm_size"]} if resources.get("shm_size") else {}),
        },
        "limits": {"jobLimitsType": "Command", "timeout": f"PT{seconds:.0f}S"}
        if math.isfinite(seconds)
        else None,
        # Without a compute of the workspace there is no identity of its own.
        "identity": {"identityType": "Managed"} if compute else None,
    }


def deployment(recipe: Recipe, *, code: str, environment: str, model: str) -> Json:
    """The properties of a managed online deployment of the model version *model* (its id)."""
    found: Json = {
        "endpointComputeType": "Managed",
        "model": model,
        "instanceType": recipe["instance_type"],
        "environmentVariables": dict(recipe["environment_variables"]),
        "appInsightsEnabled": recipe["app_insights_enabled"],
        "scaleSettings": {"scaleType": "Default"},
    }
    if recipe["scoring_script"]:
        found["codeConfiguration"] = {"codeId": code, "scoringScript": recipe["scoring_script"]}
    if environment:
        found["environmentId"] = environment
    found |= {wire: _probe(recipe[name]) for name, wire in _PROBES.items() if recipe.get(name)}
    if settings := recipe.get("request_settings"):
        milliseconds = {"requestTimeout": "request_timeout_ms", "maxQueueWait": "max_queue_wait_ms"}
        times = {
            wire: _seconds(settings[name] / 1000) for wire, name in milliseconds.items() if settings.get(name)
        }
        concurrent = settings.get("max_concurrent_requests_per_instance")
        found["requestSettings"] = times | (
            {"maxConcurrentRequestsPerInstance": concurrent} if concurrent else {}
        )
    return found


def environment(given: Mapping[str, Any]) -> Json:
    """The properties of an environment's version."""
    return {"image": given["image"], "condaFile": given["conda"] or None}


def named(reference: str, kind: str, workspace: str) -> str:
    """The id of an asset that is there already: ``azureml:name:version``, or an address as it is."""
    if not reference.startswith("azureml:") or reference.startswith("azureml://"):
        return reference
    name, _, version = reference.partition(":")[2].partition(":")
    return f"{workspace}/{kind}/{name}/versions/{version}"


def _literal(parameter: Mapping[str, Any], value: str) -> str:
    """A parameter's value: percent-encoded where no shell may read it."""
    return quote(value, safe="") if parameter["escaped"] else value


def _probe(given: Mapping[str, Any]) -> Json:
    return {
        wire: _seconds(given[name]) if name in _TIMES else given[name]
        for name, wire in _PROBE.items()
        if given.get(name) is not None
    }


def _seconds(value: float) -> str:
    return f"PT{value:g}S"
