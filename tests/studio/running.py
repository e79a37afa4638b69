"""A real studio in a process of its own, before a real Azurite, for tests that speak HTTP to it."""

from __future__ import annotations

import base64
import json
import os
import signal
import socket
import subprocess
import sys
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import psutil
from azure.storage.blob import BlobServiceClient

from tests import guard
from tests.waiting import DEADLINE, eventually, own_port

ROOT = Path(__file__).parents[2]
ACCOUNT = "retrainlocal"
ARM_TOKEN = "arm-token-of-these-tests"
SUBSCRIPTION = "5d0c3f5e-2a44-4c55-9a7b-0f5a1b2c3d4e"
VERSION = {"api-version": "2.0"}
_WORKER = "localcloud.works.batch.worker"


@dataclass
class Azurite:
    """A running Azurite: where it listens and its account's key."""

    port: int
    key: str = field(repr=False)


@dataclass
class Running:
    """One studio with its two ports and its data directory; it can be killed and started again."""

    directory: Path
    azurite: Azurite
    port: int = field(default_factory=own_port)
    blob_port: int = field(default_factory=own_port)
    process: subprocess.Popen[bytes] | None = None
    http: httpx.Client = field(default_factory=lambda: httpx.Client(timeout=30, trust_env=False))

    @property
    def url(self) -> str:
        """The studio's base address."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def blob(self) -> str:
        """The blob proxy's address of the account."""
        return f"http://127.0.0.1:{self.blob_port}/{ACCOUNT}"

    @property
    def connection_string(self) -> str:
        """As a client configures it."""
        return (
            f"DefaultEndpointsProtocol=http;AccountName={ACCOUNT};AccountKey={self.azurite.key};"
            f"BlobEndpoint={self.blob}"
        )

    @property
    def log(self) -> str:
        """All that the studio has written to standard error."""
        return (self.directory / "studio.log").read_text()

    def command(self) -> list[str]:
        """How it is started."""
        cloud = self.directory / "cloud.json"
        cloud.write_text(
            json.dumps(
                {
                    "studio": self.url,
                    "blob": self.blob,
                    "azurite": f"http://127.0.0.1:{self.azurite.port}/{ACCOUNT}",
                    "account": ACCOUNT,
                    "accountKey": self.azurite.key,
                    "armToken": ARM_TOKEN,
                    "subscription": SUBSCRIPTION,
                }
            )
        )
        options = {
            "--cloud-file": cloud,
            "--port": self.port,
            "--blob-port": self.blob_port,
            "--data-dir": self.directory / "data",
            "--workers": 1,
        }
        return [sys.executable, "-m", "localcloud", *(str(part) for pair in options.items() for part in pair)]

    def start(self) -> Running:
        """Start it and wait until both ports serve."""
        with (self.directory / "studio.log").open("ab") as log:
            self.process = subprocess.Popen(self.command(), cwd=ROOT, stderr=log, stdout=log)
        guard.entrust(self.process.pid)
        eventually(self.healthy, "the studio's health")
        return self

    def healthy(self) -> bool:
        """Whether both ports serve."""
        assert self.process is not None
        if self.process.poll() is not None:
            raise AssertionError(f"the studio ended: {self.log}")
        try:
            return self.http.get(f"{self.url}/_local/health").status_code == 200
        except httpx.TransportError:
            return False

    def workers(self) -> list[psutil.Process]:
        """Its worker processes; the cloud has others: jobs and deployments of Azure ML v2."""
        assert self.process is not None
        found = []
        for child in psutil.Process(self.process.pid).children():
            with suppress(psutil.NoSuchProcess):
                found += [child] if _WORKER in child.cmdline() else []
        return found

    def stop(self, how: signal.Signals = signal.SIGTERM) -> int:
        """End it; its exit status."""
        assert self.process is not None
        self.process.send_signal(how)
        status = self.process.wait(DEADLINE)
        self.process = None
        return status

    def close(self) -> None:
        """End it if it runs, and close the client."""
        if self.process is not None:
            self.stop(signal.SIGKILL)
        self.http.close()

    def blobs(self) -> BlobServiceClient:
        """A client through the proxy; close it."""
        return BlobServiceClient.from_connection_string(self.connection_string, retry_total=0)

    def upload(self, container: str, name: str, content: bytes) -> None:
        """Put a blob, and its container when that is missing."""
        with self.blobs() as service:
            if not service.get_container_client(container).exists():
                service.create_container(container)
            service.get_blob_client(container, name).upload_blob(content, overwrite=True)

    def download(self, container: str, name: str) -> bytes:
        """The content of a blob."""
        with self.blobs() as service:
            return service.get_blob_client(container, name).download_blob().readall()

    def journal(self, effect: str | None = None, service: str | None = None) -> list[dict[str, Any]]:
        """The journal's entries, of one effect and service perhaps."""
        entries: list[dict[str, Any]] = self.http.get(f"{self.url}/_local/journal").json()
        return [
            entry
            for entry in entries
            if effect in (None, entry["effect"]) and service in (None, entry["service"])
        ]

    def workspace(self, name: str) -> Workspace:
        """A new classic workspace, made as a program makes it: through ARM."""
        path = (
            f"{self.url}/subscriptions/{SUBSCRIPTION}/resourceGroups/tests/providers"
            f"/Microsoft.MachineLearning/workspaces/{name}"
        )
        headers = {"Authorization": f"Bearer {ARM_TOKEN}"}
        version = {"api-version": "2019-10-01"}
        group = path.split("/providers/")[0]
        self.http.put(
            group, params={"api-version": "2021-04-01"}, headers=headers, json={"location": "westeurope"}
        ).raise_for_status()
        account = f"{group}/providers/Microsoft.Storage/storageAccounts/teststorage"
        self.http.put(
            account,
            params={"api-version": "2023-01-01"},
            headers=headers,
            json={"location": "westeurope", "sku": {"name": "Standard_LRS"}, "kind": "StorageV2"},
        ).raise_for_status()
        body = {
            "location": "westeurope",
            "properties": {"userStorageAccountId": account[len(self.url) :], "ownerEmail": "a@example.org"},
        }
        made = self.http.put(path, params=version, headers=headers, json=body).raise_for_status().json()
        keys = self.http.post(f"{path}/listWorkspaceKeys", params=version, headers=headers)
        return Workspace(
            self, made["properties"]["workspaceId"], keys.raise_for_status().json()["primaryToken"], path
        )


@dataclass
class Workspace:
    """A workspace of a running studio, seen as its owner."""

    studio: Running
    id: str
    token: str = field(repr=False)
    arm: str

    @property
    def headers(self) -> dict[str, str]:
        """The owner's header."""
        return {"Authorization": f"Bearer {self.token}"}

    def api(self, method: str, path: str, body: Any = None, **query: str) -> httpx.Response:
        """A call of the Studio API."""
        url = f"{self.studio.url}/api/workspaces/{self.id}/{path}"
        return self.studio.http.request(method, url, headers=self.headers, json=body, params=query)

    def manage(self, method: str, path: str = "", body: Any = None, key: str = "") -> httpx.Response:
        """A call of the management API, with the workspace's token or `key`."""
        url = f"{self.studio.url}/workspaces/{self.id}/webservices{path}"
        headers = {"Authorization": f"Bearer {key}"} if key else self.headers
        return self.studio.http.request(method, url, headers=headers, json=body)

    def save(self, name: str, graph: Any, resources: list[dict[str, Any]] | None = None) -> httpx.Response:
        """Save an experiment."""
        return self.api(
            "POST", "experiments", {"Description": name, "Graph": graph, "Resources": resources or []}
        )

    def publish(self, name: str, graph: Any, resources: list[dict[str, Any]] | None = None) -> str:
        """Save and publish an experiment (again); its web service's id."""
        experiment = self.save(name, graph, resources).raise_for_status().json()["ExperimentId"]
        answer = self.api("POST", f"experiments/{experiment}/webservice", updateExistingWebService="true")
        return str(answer.raise_for_status().json()["WebServiceGroupId"])

    def endpoint(self, service: str, name: str = "default") -> Endpoint:
        """An endpoint, which is created when it is missing."""
        answer = self.manage("GET", f"/{service}/endpoints/{name}")
        if answer.status_code == 404:
            answer = self.manage("PUT", f"/{service}/endpoints/{name}", {"ThrottleLevel": "High"})
        found = answer.raise_for_status().json()
        return Endpoint(self, service, name, found["ApiLocation"], found["PrimaryKey"])


@dataclass
class Endpoint:
    """An endpoint seen by the bearer of its key."""

    workspace: Workspace
    service: str
    name: str
    url: str
    key: str = field(repr=False)

    @property
    def headers(self) -> dict[str, str]:
        """The key's header."""
        return {"Authorization": f"Bearer {self.key}"}

    def call(self, method: str, path: str, body: Any = None, **query: str) -> httpx.Response:
        """A call of the data plane."""
        return self.workspace.studio.http.request(
            method, f"{self.url}/{path}", headers=self.headers, json=body, params=VERSION | query
        )

    def submit(self, body: Any) -> httpx.Response:
        """Submit a job."""
        return self.call("POST", "jobs", body)

    def run(self, body: Any) -> dict[str, Any]:
        """Submit a job, start it, wait for its end; its status."""
        job = self.submit(body).raise_for_status().json()
        self.call("POST", f"jobs/{job}/start").raise_for_status()
        return self.wait(job, "Finished", "Failed")

    def wait(self, job: str, *states: str) -> dict[str, Any]:
        """The job's status once it is in one of `states`."""

        def look() -> dict[str, Any] | None:
            status: dict[str, Any] = self.call("GET", f"jobs/{job}").raise_for_status().json()
            return status if status["StatusCode"] in states else None

        found: dict[str, Any] = eventually(look, f"one of the states {states}")
        return found

    def patch(self, resource: str, location: dict[str, Any]) -> httpx.Response:
        """Bind a model, by the endpoint's own key."""
        body = {"Resources": [{"Name": resource, "Location": location}]}
        return self.workspace.manage("PATCH", f"/{self.service}/endpoints/{self.name}", body, self.key)

    def score(self, *surfaces: object, **query: str) -> httpx.Response:
        """Score rows of the example below."""
        table = {"ColumnNames": ["surface"], "Values": [[surface] for surface in surfaces]}
        return self.call("POST", "execute", {"Inputs": {"input1": table}, "GlobalParameters": {}}, **query)

    def price(self, surface: float) -> float:
        """The price that the endpoint predicts."""
        answer = self.score(surface).raise_for_status().json()
        return float(answer["Results"]["output1"]["value"]["Values"][0][-1])


def start_azurite(
    directory: Path, key: bytes, port: int | None = None
) -> tuple[subprocess.Popen[bytes], Azurite]:
    """Start Azurite, installed by its lock file, with an account of that key."""
    from cli.cloud.azurite import HOME, MAIN, install, node

    install(lambda _text: None)
    azurite = Azurite(port or own_port(), base64.b64encode(key).decode())
    command = [node(), str(HOME / MAIN), "--blobHost", "127.0.0.1", "--blobPort", str(azurite.port)]
    command += ["--location", str(directory), "--disableTelemetry", "--skipApiVersionCheck", "--silent"]
    process = subprocess.Popen(
        command,
        env=os.environ | {"AZURITE_ACCOUNTS": f"{ACCOUNT}:{azurite.key}"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )

    guard.entrust(process.pid)

    def listening() -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", azurite.port)) == 0

    eventually(listening, "Azurite")
    return process, azurite
