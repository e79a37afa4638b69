"""A good call of each operation and route of Azure ML, to a local cloud with one of each and no blobs behind it.

What needs blobs is left out. Nothing that is asked for here comes to run: the environment is one that can't be made, and
the deployment's code has no script.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any
from uuid import UUID

from starlette.routing import Route

from localcloud.azureml import registered
from localcloud.azureml.assets.workspace import PATH
from localcloud.azureml.tracking import logged_models, operations

_PLACE = {"location": "westeurope", "tags": {"a": "b"}}
_NAMES = {"group": "rg", "workspace": "one", "endpoint": "one", "deployment": "one", "version": "1"}
_GUID = str(UUID(int=7))
_NEEDS_BLOBS = ("listSecrets", "startPendingUpload", "containers/{name}", "containers")
_PATCHED = {"onlineEndpoints": ("identity",), "deployments": ("sku",)}
_TRACKING = (*operations.OPERATIONS, *logged_models.OPERATIONS)
_PATHS = {"codes": "codeUri", "data": "dataUri", "models": "modelUri"}


class Learning:
    """Calls of somebody with a token, which the endpoint takes as its key, too."""

    def __init__(self, subscription: str, token: str) -> None:
        self._token = token
        self._scope = f"/subscriptions/{subscription}"
        self.experiment = ""  # its id, once there is one
        self._workspace = PATH.format(subscription=subscription, **_NAMES)

    def creates(self) -> Iterator[tuple[str, Any]]:
        """What has to be there, in order: path and body."""
        for path in (
            *("KeyVault/vaults", "Insights/components", "MachineLearningServices/workspaces"),
            *("MachineLearningServices/workspaces/one/computes",),
        ):
            whole = f"{self._scope}/resourceGroups/rg/providers/Microsoft.{path}"
            yield f"{whole}/one", self._body("PUT", f"{whole}/{{name}}")
        for kind in ("environments", "codes", "data", "models"):
            path = f"{self._workspace}/{kind}/one/versions/1"
            yield path, self._body("PUT", path)
        for kind in ("datastores/one", "jobs/one", "schedules/one"):
            yield f"{self._workspace}/{kind}", self._body("PUT", f"{self._workspace}/{kind}")
        endpoint = f"{self._workspace}/onlineEndpoints/one"
        yield endpoint, {**_PLACE, "properties": {"authMode": "Key", "keys": {"primaryKey": self._token}}}
        deployment = f"{endpoint}/deployments/one"
        yield deployment, self._body("PUT", deployment)

    def calls(self) -> Iterator[tuple[str, str, Any]]:
        """Method, path with its query, and body."""
        for operation in registered.OPERATIONS:
            if operation.path.endswith(_NEEDS_BLOBS):
                continue
            path = operation.path.format(
                subscription=self._scope.rpartition("/")[2],
                name=_named(operation.path),
                namespace="Microsoft.KeyVault",
                kind="vaults",
                resource="one",
                location="westeurope",
                operation="oeidp:none:none",
                about="none:none:none",
                account="one",
                **_NAMES,
            )
            query = "?api-version=2024-10-01&underlyingResourceAction=Delete"
            yield operation.method, f"{path}{query}", self._body(operation.method, operation.path)
        for route in registered.routes():
            assert isinstance(route, Route)
            for method in sorted((route.methods or set()) - {"HEAD"}):
                yield from self._routed(method, route.path)

    def _routed(self, method: str, path: str) -> Iterator[tuple[str, str, Any]]:
        if "mlflow-artifacts" in path:
            return
        tracking = [name for known, name in _TRACKING if known == method]
        for operation in tracking if path.endswith("{operation:path}") else [""]:
            filled = path.replace("{scope:path}", self._workspace.lstrip("/")).replace(
                "{operation:path}", operation
            )
            filled = re.sub(r"{\w+}", "one", filled.replace("{region}", "westeurope"))
            body = {
                "name": "one",
                "experiment_name": "one",
                "experiment_id": self.experiment,
                "experiment_ids": [self.experiment],
                "run_id": "one",
                "runId": "one",
                "key": "a",
                "value": 1.5,
                "timestamp": 1,
                "step": 1,
                "metrics": [{"key": "a", "value": 1.5, "timestamp": 1, "step": 1}],
                "params": [{"key": "a", "value": "b"}],
                "tags": [{"key": "a", "value": "b"}] if "mlflow" in path else {"a": "b"},
                "filter": "metrics.a > 1",
                "max_results": 5,
                "order_by": ["metrics.a DESC"],
                "status": "RUNNING",
                "start_time": 1,
                "displayName": "one",
                "values": ["azureml://jobs/one/outputs/model"],
            }
            yield method, filled, body

    def _body(self, method: str, path: str) -> Any:
        """What is sent to a path, which may be a template."""
        before = path.split("/")[-2]
        if method in ("GET", "DELETE"):
            return None
        if method == "POST":
            return {
                "keyType": "Secondary",
                "keyValue": "k" * 32,
                "tail": 5,
                "scheduleTime": "2026-01-02T03:04:05",
                "containerType": "InferenceServer",
            }
        if before == "versions":
            kind = path.split("/")[-4]
            return {"properties": self._version(kind)}
        if before in ("environments", "codes", "data", "models"):
            return {"properties": {"description": "d", "tags": {"a": "b"}, "dataType": "uri_file"}}
        if before == "jobs":
            return {"properties": self._job()}
        if before == "schedules":
            return {"properties": self._schedule()}
        if before == "datastores":
            properties = {"datastoreType": "AzureBlob", "accountName": "one", "containerName": "c"}
            return {"properties": {**properties, "credentials": {"credentialsType": "None"}}}
        if before == "roleAssignments":
            role = f"{self._scope}/providers/Microsoft.Authorization/roleDefinitions"
            reader = "acdd72a7-3385-48ef-bd42-f606fba81ae7"
            return {"properties": {"roleDefinitionId": f"{role}/{reader}", "principalId": _GUID}}
        found = self._tracked(before)
        if method == "PATCH" and before in _PATCHED:
            return {key: value for key, value in found.items() if key in _PATCHED[before]}
        return {**_PLACE, **found}

    def _tracked(self, kind: str) -> Any:
        group = f"{self._scope}/resourceGroups/rg/providers/Microsoft."
        stands_on = {
            "storageAccount": f"{group}Storage/storageAccounts/one",
            "keyVault": f"{group}KeyVault/vaults/one",
            "applicationInsights": f"{group}Insights/components/one",
        }
        sku: Any = {"name": "Default", "capacity": 2}
        probe = {"initialDelay": "PT1S", "period": "PT1S", "timeout": "PT1S", "failureThreshold": 2}
        declared: dict[str, Any] = {
            "vaults": {"properties": {"tenantId": _GUID, "sku": {"family": "A", "name": "standard"}}},
            "components": {"kind": "web", "properties": {"Application_Type": "web"}},
            "registries": {"sku": {"name": "Basic"}, "properties": {"adminUserEnabled": False}},
            "workspaces": {"identity": {"type": "SystemAssigned"}, "properties": stands_on},
            "computes": {
                "properties": {
                    "computeType": "AmlCompute",
                    "properties": {"vmSize": "STANDARD_DS3_V2", "scaleSettings": {"maxNodeCount": 2}},
                }
            },
            "onlineEndpoints": {
                "identity": {"type": "SystemAssigned"},
                "properties": {
                    "authMode": "Key",
                    "traffic": {"one": 0},
                    "mirrorTraffic": {},
                    "properties": {"a": "b"},
                },
            },
            "deployments": {
                "sku": sku,
                "properties": {
                    "endpointComputeType": "Managed",
                    "codeConfiguration": {"scoringScript": "none.py"},
                    "environmentId": f"{self._workspace}/environments/one/versions/1",
                    "environmentVariables": {"A": "b"},
                    "instanceType": "Standard_DS3_v2",
                    "requestSettings": {
                        "requestTimeout": "PT5S",
                        "maxConcurrentRequestsPerInstance": 2,
                        "maxQueueWait": "PT0.5S",
                    },
                    "livenessProbe": probe,
                    "startupProbe": probe,
                    "scaleSettings": {"scaleType": "Default"},
                },
            },
        }
        return declared.get(kind, {})

    def _version(self, kind: str) -> Any:
        said = {"description": "d", "tags": {"a": "b"}, "properties": {"a": "b"}}
        if kind == "environments":
            return {**said, "image": "an/image:of-which-nothing-is-known"}
        address = "azureml://datastores/workspaceblobstore/paths/one/"
        return {**said, _PATHS[kind]: address, "dataType": "uri_folder", "modelType": "custom_model"}

    def _job(self) -> Any:
        return {
            "jobType": "Command",
            "command": "echo ${{inputs.a}} ${{outputs.model}}",
            "environmentId": f"{self._workspace}/environments/one/versions/1",
            "environmentVariables": {"A": "b"},
            "experimentName": "one",
            "tags": {"a": "b"},
            "inputs": {"a": {"jobInputType": "literal", "value": "3"}},
            "outputs": {"model": {"jobOutputType": "uri_folder", "mode": "ReadWriteMount"}},
            "limits": {"jobLimitsType": "Command", "timeout": "PT1M"},
            "resources": {"instanceCount": 1},
        }

    def _schedule(self) -> Any:
        pattern = {"hours": [3], "minutes": [0, 30], "weekDays": ["Monday"], "monthDays": []}
        when = {"startTime": "2024-01-01T00:00:00", "endTime": "2024-02-01T00:00:00", "timeZone": "UTC"}
        job = self._job()
        return {
            "displayName": "one",
            "tags": {"a": "b"},
            "properties": {"a": "b"},
            "isEnabled": True,
            "trigger": {
                "triggerType": "Recurrence",
                "frequency": "Week",
                "interval": 2,
                "expression": "0 3 * * *",
                "schedule": pattern,
                **when,
            },
            "action": {"actionType": "CreateJob", "jobDefinition": job},
        }


def _named(path: str) -> str:
    if "roleAssignments" in path:
        return _GUID
    return "registry" if "registries" in path else "one"
