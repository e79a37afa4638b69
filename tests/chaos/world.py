"""One local cloud for a campaign's histories: a real Azurite, a real studio that may misbehave, warm providers.

Each history has containers and workspaces of its own in it; studio and faults are shared, so one history at a time.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import json
import os
import secrets
import signal
import socket
import subprocess
import threading
import time
import uuid
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import httpx
import psutil
from azure.core import MatchConditions
from azure.core.exceptions import ResourceModifiedError, ResourceNotFoundError
from azure.storage.blob import BlobServiceClient, ContentSettings

from tests.chaos.forks import Forked, Forks
from tests.waiting import DEADLINE, eventually, own_port

ACCOUNT = "retrainlocal"
# After so many seconds Azurite has written down what it acknowledged.
_WRITTEN = 6.0

Json = dict[str, Any]


class World:
    """A local cloud below *directory*, from ``start`` to ``close``."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.key = base64.b64encode(secrets.token_bytes(64)).decode()
        self.arm_token = secrets.token_urlsafe(32)
        self.subscription = str(uuid.uuid4())
        self.azurite_port, self.port, self.blob_port = own_port(), own_port(), own_port()
        # No connection is kept: the studio may be killed between any two requests.
        unkept = httpx.Limits(max_keepalive_connections=0)
        self.http = httpx.Client(timeout=60, trust_env=False, limits=unkept)
        self.models: dict[str, str] = {}  # inputs by model and model by inputs, of all histories that held
        self._made: dict[str, dict[str, str]] = {}  # workspaces by their ids
        self._studio: Forked | None = None
        self._azurite: subprocess.Popen[bytes] | None = None
        self.forks: Forks | None = None
        self._lock = threading.Lock()
        self._blobs: BlobServiceClient | None = None

    @property
    def url(self) -> str:
        """The studio's address."""
        return f"http://127.0.0.1:{self.port}"

    def cloud(self, registry: str = "registry", data: str = "data") -> Json:
        """The content of a ``cloud.json`` that names these containers."""
        return {
            "version": 1,
            "studio": self.url,
            "blob": f"http://127.0.0.1:{self.blob_port}/{ACCOUNT}",
            "azurite": f"http://127.0.0.1:{self.azurite_port}/{ACCOUNT}",
            "azureNative": 1,
            "account": ACCOUNT,
            "accountKey": self.key,
            "armToken": self.arm_token,
            "subscription": self.subscription,
            "dataContainer": data,
            "registryContainer": registry,
        }

    # Processes

    def start(self) -> World:
        """Start everything and wait until it answers."""
        self.directory.mkdir(parents=True, exist_ok=True)
        (self.directory / "cloud.json").write_text(json.dumps(self.cloud()))
        self.forks = Forks(self.directory, _environment())
        self._start_azurite()
        self.start_studio()
        account = f"http://127.0.0.1:{self.azurite_port}/{ACCOUNT}"
        credential = {"account_name": ACCOUNT, "account_key": self.key}
        self._blobs = BlobServiceClient(account, credential=credential)
        return self

    def _start_azurite(self) -> None:
        from cli.cloud.azurite import HOME, MAIN, install, node

        install(lambda _text: None)
        command = [node(), str(HOME / MAIN), "--blobHost", "127.0.0.1", "--blobPort", str(self.azurite_port)]
        command += [
            "--location",
            str(self.directory / "azurite"),
            "--disableTelemetry",
            "--skipApiVersionCheck",
        ]
        self._azurite = subprocess.Popen(
            [*command, "--silent"],
            env=_environment() | {"AZURITE_ACCOUNTS": f"{ACCOUNT}:{self.key}"},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        self._entrust()
        eventually(lambda: _answers(self.azurite_port), "Azurite")

    def start_studio(self) -> None:
        """Start the studio and wait until both of its ports serve."""
        options = {
            "--cloud-file": self.directory / "cloud.json",
            "--port": self.port,
            "--blob-port": self.blob_port,
            "--data-dir": self.directory / "studio",
            "--workers": 1,
        }
        arguments = ["--allow-faults", *(str(part) for pair in options.items() for part in pair)]
        assert self.forks is not None
        self._studio = self.forks.studio(arguments, self.directory / "studio.log")
        self._entrust()
        eventually(self._healthy, "the studio")

    def _entrust(self) -> None:
        """Ctrl-C is for the campaign only, which ends these in its order; if it is killed, they end too."""
        assert self.forks is not None
        azurite, studio = self._azurite, self._studio
        pids = [azurite.pid] if azurite is not None and azurite.poll() is None else []
        pids += [studio.pid] if studio is not None and not studio.gone.is_set() else []
        self.forks.entrust(*pids)

    def _healthy(self) -> bool:
        assert self._studio is not None
        if self._studio.gone.is_set():
            raise AssertionError(f"the studio ended: {self.studio_log[-2000:]}")
        with contextlib.suppress(httpx.TransportError):
            return self.http.get(f"{self.url}/_local/health").status_code == 200
        return False

    def restart_studio(
        self, how: signal.Signals = signal.SIGKILL, meanwhile: Callable[[], None] = lambda: None
    ) -> None:
        """End the studio and start it again at once, as a service comes back, or after what happens *meanwhile*."""
        with self._lock:
            assert self._studio is not None
            self._studio.send_signal(how)
            if not self._studio.gone.wait(DEADLINE):
                raise AssertionError(f"the studio does not end on {how.name}")
            self._studio.end()
            meanwhile()
            self.start_studio()

    def restart_azurite(self, *others: int) -> None:
        """``kill -9`` of the blob store, and start it again at once.

        Everybody else, and the processes *others*, hold still until it has written down what it acknowledged: it does so
        every five seconds, and Azure's loses nothing.
        """
        with self._lock:
            assert self._azurite is not None
            assert self._studio is not None
            studio = psutil.Process(self._studio.pid)
            held = [studio, *studio.children(recursive=True), *map(psutil.Process, others)]
            for process in held:
                process.suspend()
            try:
                time.sleep(_WRITTEN)
                self._azurite.kill()
                self._azurite.wait(DEADLINE)
                self._start_azurite()
            finally:
                for process in held:
                    process.resume()

    def close(self) -> None:
        """End all that was started."""
        if self._blobs is not None:
            self._blobs.close()
        if self.forks is not None:
            self.forks.close()
        if self._studio is not None:
            self._studio.end()
        if self._azurite is not None:
            self._azurite.kill()
            self._azurite.wait(DEADLINE)
        self.http.close()

    @property
    def studio_log(self) -> str:
        """All that the studio has written."""
        return (self.directory / "studio.log").read_text(errors="replace")

    # Studio

    def journal(self) -> list[Json]:
        """What was asked of studio and blobs since the journal was emptied."""
        return list(self.http.get(f"{self.url}/_local/journal").raise_for_status().json())

    def clear_journal(self) -> None:
        """Empty the journal."""
        self.http.delete(f"{self.url}/_local/journal").raise_for_status()

    def put_faults(self, seed: int, rules: Sequence[Json]) -> None:
        """Let the studio misbehave."""
        body = {"seed": seed, "rules": list(rules)}
        self.http.put(f"{self.url}/_local/faults", json=body).raise_for_status()

    def faults(self) -> list[Json]:
        """The rules in force, with how often each has fired."""
        return list(self.http.get(f"{self.url}/_local/faults").raise_for_status().json()["rules"])

    def await_faults(self) -> None:
        """Wait until all that faults do later has been done."""
        eventually(
            lambda: self.http.get(f"{self.url}/_local/faults").json()["later"] == 0, "what faults do later"
        )

    def clear_faults(self) -> None:
        """Let it behave."""
        self.http.delete(f"{self.url}/_local/faults").raise_for_status()

    def workspace(self, name: str) -> dict[str, str]:
        """A new machine learning workspace, made through ARM: ``{"resource", "id"}``."""
        group = f"/subscriptions/{self.subscription}/resourceGroups/chaos"
        account = f"{group}/providers/Microsoft.Storage/storageAccounts/chaosstorage"
        path = f"{group}/providers/Microsoft.MachineLearning/workspaces/{name}"
        self.arm("PUT", group, "2021-04-01", {"location": "westeurope"})
        sku = {"sku": {"name": "Standard_LRS"}, "kind": "StorageV2"}
        self.arm("PUT", account, "2023-01-01", {"location": "westeurope", **sku})
        properties = {"userStorageAccountId": account, "ownerEmail": "owner@example.com"}
        made = self.arm("PUT", path, "2019-10-01", {"location": "westeurope", "properties": properties})
        self._made[path.casefold()] = {"resource": path, "id": made["properties"]["workspaceId"]}
        return self._made[path.casefold()]

    def workspace_token(self, workspace: dict[str, str]) -> str:
        """The token of its management API."""
        return str(
            self.arm("POST", f"{workspace['resource']}/listWorkspaceKeys", "2019-10-01")["primaryToken"]
        )

    def delete_workspace(self, workspace: dict[str, str]) -> None:
        """Delete it with all in it."""
        self.arm("DELETE", workspace["resource"], "2019-10-01")

    def arm(self, method: str, path: str, version: str, body: Json | None = None) -> Any:
        headers = {"Authorization": f"Bearer {self.arm_token}"}
        answer = self.http.request(
            method, f"{self.url}{path}", params={"api-version": version}, headers=headers, json=body
        )
        answer.raise_for_status()
        return answer.json() if answer.content else None

    def manage(self, workspace: dict[str, str], token: str, path: str = "") -> Any:
        """A GET of the management API; None for what is not there."""
        answer = self.http.get(
            f"{self.url}/workspaces/{workspace['id']}/webservices{path}",
            headers={"Authorization": f"Bearer {token}"},
        )
        return None if answer.status_code == 404 else answer.raise_for_status().json()

    def new_services(self, group: str) -> list[Json]:
        """All New web services of a resource group (ARM id), page by page."""
        page = self.arm("GET", f"{group}/providers/Microsoft.MachineLearning/webServices", "2017-01-01")
        found = list(page["value"])
        while following := page.get("nextLink"):
            answer = self.http.get(following, headers={"Authorization": f"Bearer {self.arm_token}"})
            page = answer.raise_for_status().json()
            found += page["value"]
        return found

    def exists(self, service: Json) -> bool:
        """Whether a web service is there."""
        if service["id"].startswith("/"):  # a New one's ARM id
            return self._arm_get(service["id"]) is not None
        return self.manage(*self._workspace(service), f"/{service['id']}") is not None

    def _workspace(self, service: Json) -> tuple[dict[str, str], str]:
        """The workspace of a classic service, and its token."""
        workspace = self._made[service["workspace"]["resource"].casefold()]
        return workspace, self.workspace_token(workspace)

    def _arm_get(self, path: str) -> Any:
        try:
            return self.arm("GET", path, "2017-01-01")
        except httpx.HTTPStatusError as gone:
            if gone.response.status_code == 404:
                return None
            raise

    def served(self, service: Json, endpoint: str) -> str | None:
        """Where the model of an endpoint lies, as the service says; None where the endpoint is not there."""
        if not service["id"].startswith("/"):
            found = self.manage(*self._workspace(service), f"/{service['id']}/endpoints/{endpoint}")
            return str(found["Resources"][0]["Location"]["RelativeLocation"]) if found else None
        found = self._arm_get(f"{service['id']}-{endpoint}")
        if found is None:
            return None
        assets = found["properties"]["assets"].values()
        return next(str(each["locationInfo"]["uri"]) for each in assets if each["type"] == "Resource")

    def job_state(self, endpoint: Json, job: str) -> str:
        """A job's state, ``Lost`` where the endpoint does not know it."""
        answer = self.http.get(
            f"{endpoint['ApiLocation']}/jobs/{job}",
            params={"api-version": "2.0"},
            headers={"Authorization": f"Bearer {endpoint['PrimaryKey']}"},
        )
        return "Lost" if answer.status_code == 404 else str(answer.raise_for_status().json()["StatusCode"])

    # Blobs, past the studio's proxy: what the harness does is neither journalled nor met by a fault.

    @property
    def blobs(self) -> BlobServiceClient:
        """A client of Azurite itself."""
        assert self._blobs is not None
        return self._blobs

    def create_container(self, name: str) -> None:
        """Create a container."""
        self.blobs.create_container(name)

    def delete_container(self, name: str) -> None:
        """Delete a container."""
        with contextlib.suppress(ResourceNotFoundError):
            self.blobs.delete_container(name)

    def upload(
        self, container: str, name: str, content: bytes, *, md5: bool = True, md5_of: bytes | None = None
    ) -> None:
        """Put a blob, with its Content-MD5 unless told not to, or with that of other bytes."""
        blob = self.blobs.get_blob_client(container, name)
        blob.upload_blob(content, overwrite=True, content_settings=_md5(content))
        if md5_of is not None or not md5:
            blob.set_http_headers(_md5(md5_of) if md5_of is not None else ContentSettings())

    def download(self, container: str, name: str) -> bytes | None:
        """A blob's content; None where it is gone."""
        try:
            return self.blobs.get_blob_client(container, name).download_blob().readall()
        except ResourceNotFoundError:
            return None

    def exchange(self, container: str, name: str, other: Callable[[bytes], bytes]) -> None:
        """Put what *other* makes of a blob's content in its place; nothing is written by anybody in between."""
        blob = self.blobs.get_blob_client(container, name)
        while True:
            found = blob.download_blob()
            content, etag = found.readall(), found.properties.etag
            with contextlib.suppress(ResourceModifiedError):
                blob.upload_blob(
                    other(content), overwrite=True, etag=etag, match_condition=MatchConditions.IfNotModified
                )
                return

    def delete_blob(self, container: str, name: str) -> None:
        """Delete a blob."""
        with contextlib.suppress(ResourceNotFoundError):
            self.blobs.get_blob_client(container, name).delete_blob()

    def names(self, container: str, prefix: str = "") -> list[str]:
        """The blobs in a container."""
        return [
            blob.name
            for blob in self.blobs.get_container_client(container).list_blobs(name_starts_with=prefix)
        ]


def _environment() -> dict[str, str]:
    """This environment without what belongs to other stacks and clouds."""
    return {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("PULUMI_", "RETRAIN_", "AZURE_", "ARM_"))
    }


def _answers(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _md5(content: bytes) -> ContentSettings:
    return ContentSettings(content_md5=bytearray(hashlib.md5(content, usedforsecurity=False).digest()))
