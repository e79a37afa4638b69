"""A workspace of Azure ML v2 in the run's cloud, as somebody sees it who speaks plain HTTP."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import httpx
from azure.storage.blob import ContainerClient

from tests.studio.running import ARM_TOKEN, SUBSCRIPTION, Running
from tests.waiting import eventually

VERSION = "2024-10-01"
OVER = ("Completed", "Failed", "Canceled")
SHORT = 30.0


@dataclass
class Aml:
    """One workspace; `path` is its id."""

    cloud: Running
    group: str
    name: str
    environment: str = field(default="", init=False)

    @property
    def path(self) -> str:
        return f"{self.scope}/providers/Microsoft.MachineLearningServices/workspaces/{self.name}"

    @property
    def scope(self) -> str:
        return f"/subscriptions/{SUBSCRIPTION}/resourceGroups/{self.group}"

    def arm(self, method: str, path: str, body: Any = None, **query: str) -> httpx.Response:
        """A call of Resource Manager below the group."""
        return self.call(method, f"{self.scope}{path}", body, **{"api-version": VERSION, **query})

    def ws(
        self, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None, **query: str
    ) -> httpx.Response:
        """A call below the workspace."""
        return self.call(
            method, f"{self.path}/{path}", body, headers=headers, **{"api-version": VERSION, **query}
        )

    def call(
        self,
        method: str,
        path: str,
        body: Any = None,
        token: str = ARM_TOKEN,
        headers: dict[str, str] | None = None,
        **query: Any,
    ) -> httpx.Response:
        return self.cloud.http.request(
            method,
            f"{self.cloud.url}{path}",
            params=query or None,
            json=body,
            headers={"Authorization": f"Bearer {token}", **(headers or {})},
        )

    def mlflow(self, method: str, path: str, token: str = ARM_TOKEN, **given: Any) -> httpx.Response:
        """A call of the tracking server."""
        url = f"/mlflow/v1.0{self.path}/api/2.0/mlflow/{path}"
        if method == "GET":
            return self.call(method, url, token=token, **given)
        return self.call(method, url, given, token=token)

    def create(self) -> Aml:
        """The workspace with all that it stands on, and an environment without packages."""
        where = {"location": "westeurope"}
        self.arm("PUT", "", where, **{"api-version": "2021-04-01"}).raise_for_status()
        ids = {}
        for name, place, body in (
            (
                "storageAccount",
                f"Microsoft.Storage/storageAccounts/sa{self.name}",
                {"kind": "StorageV2", "sku": {"name": "Standard_LRS"}},
            ),
            (
                "keyVault",
                f"Microsoft.KeyVault/vaults/kv-{self.name}",
                {
                    "properties": {
                        "tenantId": "5d0c3f5e-2a44-4c55-9a7b-0f5a1b2c3d4e",
                        "sku": {"family": "A", "name": "standard"},
                    }
                },
            ),
            (
                "applicationInsights",
                f"Microsoft.Insights/components/appi-{self.name}",
                {"kind": "web", "properties": {"Application_Type": "web"}},
            ),
        ):
            answer = self.arm("PUT", f"/providers/{place}", {**where, **body})
            ids[name] = answer.raise_for_status().json()["id"]
        body = {**where, "identity": {"type": "SystemAssigned"}, "properties": ids}
        made = self.call("PUT", self.path, body, **{"api-version": VERSION})
        assert made.is_success, made.text
        self.environment = self.put("environments", "plain", "1", image="python:3")["id"]
        return self

    def put(self, kind: str, name: str, version: str, **properties: Any) -> dict[str, Any]:
        """A version of an asset."""
        answer = self.ws("PUT", f"{kind}/{name}/versions/{version}", {"properties": properties})
        assert answer.is_success, answer.text
        found: dict[str, Any] = answer.json()
        return found

    def code(self, name: str, **files: str) -> str:
        """Files as a version of code, uploaded as the SDK does; its id. `train_py` is train.py."""
        upload = self.ws("POST", f"codes/{name}/versions/1/startPendingUpload", {}).raise_for_status().json()
        place = upload["blobReferenceForConsumption"]
        with ContainerClient.from_container_url(place["credential"]["sasUri"]) as container:
            for file, content in files.items():
                container.upload_blob(f"src/{file.replace('_', '.')}", content, overwrite=True)
        code = self.put("codes", name, "1", codeUri=f"{place['blobUri']}/src", isAnonymous=True)
        return str(code["id"])

    def job(self, name: str, command: str, **properties: Any) -> httpx.Response:
        """Submit a command job in the environment without packages."""
        body = {
            "jobType": "Command",
            "command": command,
            "environmentId": self.environment,
            "experimentName": "tests",
            **properties,
        }
        return self.ws("PUT", f"jobs/{name}", {"properties": body})

    def run(self, name: str, command: str, **properties: Any) -> dict[str, Any]:
        """Submit a job and wait for its end; its details."""
        answer = self.job(name, command, **properties)
        assert answer.status_code == 201, answer.text
        return self.wait(name)

    def wait(self, name: str, *states: str) -> dict[str, Any]:
        """A job's details once it is in one of the states, or over."""
        wanted = states or OVER

        def look() -> dict[str, Any] | None:
            found = self.details(name)
            return found if found["status"] in wanted else None

        found: dict[str, Any] = eventually(look, f"one of the states {wanted} of the job {name}")
        return found

    def details(self, name: str) -> dict[str, Any]:
        answer = self.call("GET", f"/history/v1.0{self.path}/runs/{name}/details")
        found: dict[str, Any] = answer.raise_for_status().json()
        return found

    def log(self, name: str) -> str:
        """The log, by the address that the details give."""
        files = self.details(name)["logFiles"]
        return self.cloud.http.get(files["user_logs/std_log.txt"]).text if files else ""

    def container(self, datastore: str) -> str:
        """The container of a datastore, which is there once its secrets were asked for."""
        secrets = self.ws("POST", f"datastores/{datastore}/listSecrets", {}).raise_for_status().json()
        assert secrets["secretsType"] == "AccountKey"
        found = self.ws("GET", f"datastores/{datastore}").raise_for_status().json()
        return str(found["properties"]["containerName"])

    def blobs(self, datastore: str, path: str) -> dict[str, bytes]:
        """The blobs below a path of a datastore, by their names within it."""
        container = self.container(datastore)
        with self.cloud.blobs() as service, service.get_container_client(container) as client:
            return {
                name[len(path) :].strip("/"): client.download_blob(name).readall()
                for name in client.list_blob_names(name_starts_with=path)
            }
