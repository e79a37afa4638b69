"""A workspace of Azure ML v2 in a campaign's local cloud, with online endpoints, and who scores there all the time."""

from __future__ import annotations

import contextlib
import json
import shutil
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import httpx

from clients.azureml.deployments import MODEL
from retrain_hooks.host import interruption as cancellation
from tests.chaos import program
from tests.chaos.azureml import code
from tests.chaos.engine import Engine, Run, State
from tests.chaos.forks import RATE, Provider
from tests.chaos.world import World
from tests.waiting import eventually

API = "2024-10-01"
LOCATION = "westeurope"
DEPLOYMENT = "azureml-model-deployment"
# Of each call of the client: some rows, so that an answer is a model's.
ASKED = {
    "input_data": {
        "columns": ["sched_dep_time"],
        "index": [0, 1, 2],
        "data": [[600], [1400], [2200]],
    }
}

# Within so many seconds a provider notices that its engine is gone.
_NOTICED = 10

Json = dict[str, Any]
Traffic = dict[str, int]


class House:
    """A workspace called *name* in *world* with its own containers, from ``open`` to ``close``."""

    def __init__(self, world: World, name: str) -> None:
        self.world, self.name = world, name
        self.folder = world.directory / name
        self.cloud_file = self.folder / "cloud.json"
        self.data, self.registry = f"data-{name}", f"registry-{name}"
        self.group = f"/subscriptions/{world.subscription}/resourceGroups/{name}"
        self.workspace = f"{self.group}/providers/Microsoft.MachineLearningServices/workspaces/{name}"
        self.providers: list[Provider] = []
        self.outlived: list[int] = []  # those that did not notice that their engine was gone

    def open(self, *endpoints: str) -> House:
        """Workspace, *endpoints*, containers, and the experiment."""
        self.folder.mkdir()
        code.write(self.folder)
        self.cloud_file.write_text(json.dumps(self.world.cloud(self.registry, self.data)))
        for container in (self.data, self.registry):
            self.world.create_container(container)
        self.world.arm("PUT", self.group, "2021-04-01", {"location": LOCATION})
        providers = f"{self.group}/providers"
        stands_on: dict[str, tuple[str, Json]] = {
            "storageAccount": (
                f"Microsoft.Storage/storageAccounts/sa{self.name}",
                {"kind": "StorageV2", "sku": {"name": "Standard_LRS"}},
            ),
            "keyVault": (
                f"Microsoft.KeyVault/vaults/kv-{self.name}",
                {
                    "properties": {
                        "tenantId": self.world.subscription,
                        "sku": {"family": "A", "name": "standard"},
                    }
                },
            ),
            "applicationInsights": (
                f"Microsoft.Insights/components/appi-{self.name}",
                {"kind": "web", "properties": {"Application_Type": "web"}},
            ),
        }
        ids = {
            part: self.world.arm("PUT", f"{providers}/{place}", API, {"location": LOCATION, **body})["id"]
            for part, (place, body) in stands_on.items()
        }
        identity = {"type": "SystemAssigned"}
        self.put(self.workspace, {"location": LOCATION, "identity": identity, "properties": ids})
        for endpoint in endpoints:
            body = {"location": LOCATION, "identity": identity, "properties": {"authMode": "Key"}}
            self.put(self.endpoint_id(endpoint), body)
        return self

    def close(self) -> None:
        """End the providers that still run, and remove what was made."""
        for provider in self.providers:
            provider.end()
        self.world.clear_faults()
        with contextlib.suppress(httpx.HTTPStatusError):
            self.world.arm("DELETE", self.group, "2021-04-01")
        for container in (self.data, self.registry):
            self.world.delete_container(container)
        shutil.rmtree(self.folder, ignore_errors=True)

    def run(
        self,
        state: State,
        verb: Callable[[Run], object],
        *,
        engine: Engine | None = None,
        rate: float = RATE,
        triggers: tuple[Json, ...] = (),
        on_trigger: Callable[[int], str] = lambda _index: "go",
        on_late: Callable[[str], None] = lambda _request: None,
    ) -> list[str]:
        """One run of an *engine* with a provider process of its own; what it said. Raises StepFailed, EngineKilled."""
        engine = engine or Engine()
        cancellation._mark(engine.address).unlink(missing_ok=True)  # as a program does when it starts
        assert self.world.forks is not None
        provider = self.world.forks.provider(
            engine.address,
            self.folder,
            self.cloud_file,
            triggers=triggers,
            on_trigger=on_trigger,
            on_late=on_late,
            rate=rate,
        )
        self.providers.append(provider)
        try:
            engine.connect(provider.port)
            verb(Run(engine, state))
        finally:
            if not engine.dead.is_set():
                engine.close()
            elif engine.asked:
                provider.listener.join(_NOTICED)
                if not provider.gone.is_set():
                    self.outlived.append(provider.pid)
            provider.end()
        return engine.messages

    # What is there

    def endpoint_id(self, endpoint: str) -> str:
        """The ARM id of an endpoint."""
        return f"{self.workspace}/onlineEndpoints/{endpoint}"

    def put(self, resource: str, body: Json) -> None:
        """Make or change a resource, and wait until that is done."""
        self.world.arm("PUT", resource, API, body)

        def settled() -> bool:
            found = self.get(resource)
            return found["properties"].get("provisioningState") in (None, "Succeeded")

        eventually(settled, f"the end of PUT {resource}")

    def get(self, resource: str) -> Json:
        """A resource."""
        found: Json = self.world.arm("GET", resource, API)
        return found

    def list(self, collection: str) -> list[Json]:
        """All resources of a collection of the workspace or one of its endpoints, by the collection's id."""
        found: list[Json] = self.world.arm("GET", collection, API)["value"]
        return found

    def traffic(self, endpoint: str) -> Traffic:
        """How an endpoint shares its calls, by the deployments that get some."""
        shares = self.get(self.endpoint_id(endpoint))["properties"].get("traffic") or {}
        return {name: share for name, share in shares.items() if share}

    def models(self, endpoint: str) -> dict[str, str]:
        """The address of the model that each deployment of an endpoint serves, by its name; empty for one of somebody else's."""
        deployments = self.list(f"{self.endpoint_id(endpoint)}/deployments")
        return {one["name"]: (one.get("tags") or {}).get(MODEL, "") for one in deployments}

    def served(self, endpoint: str) -> dict[str, int]:
        """The share of each model, by its address."""
        models = self.models(endpoint)
        return {models.get(name, ""): share for name, share in self.traffic(endpoint).items()}

    def address(self, endpoint: str) -> tuple[str, dict[str, str]]:
        """Where an endpoint scores, and the headers that it asks for."""
        key = self.world.arm("POST", f"{self.endpoint_id(endpoint)}/listKeys", API)["primaryKey"]
        uri = self.get(self.endpoint_id(endpoint))["properties"]["scoringUri"]
        return str(uri), {"Authorization": f"Bearer {key}"}

    def upload_version(self, version: str, content: bytes) -> None:
        """Put a table where the data version has it."""
        self.world.upload(self.data, program.DATA_PATH.format(version=version), content)


@dataclass(frozen=True)
class Call:
    """A call of the client: when it was *begun* and *ended*, its *status* (0: no answer), which *deployment* answered, and
    the *model* that the answer names.
    """

    begun: float
    ended: float
    status: int
    deployment: str
    model: str = ""


class Client:
    """Scores by an endpoint's plain address without pause, or every *pause* seconds, from ``start`` to ``stop``."""

    def __init__(self, house: House, endpoint: str, pause: float = 0.0) -> None:
        self._address, self._headers = house.address(endpoint)
        self._pause = pause
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._score, name="client", daemon=True)
        self.calls: list[Call] = []

    def start(self) -> Client:
        """Begin."""
        self._thread.start()
        return self

    def stop(self) -> list[Call]:
        """End; all calls."""
        self._stopped.set()
        self._thread.join()
        return self.calls

    def _score(self) -> None:
        with httpx.Client(timeout=60, trust_env=False) as http:
            while not self._stopped.is_set():
                self.calls.append(self._call(http))
                self._stopped.wait(self._pause)

    def _call(self, http: httpx.Client) -> Call:
        begun = time.monotonic()
        try:
            answer = http.post(self._address, json=ASKED, headers=self._headers)
        except httpx.TransportError:
            return Call(begun, time.monotonic(), 0, "")
        ended, deployment = time.monotonic(), answer.headers.get(DEPLOYMENT, "")
        model = answer.json()[0][code.MODEL] if answer.status_code == 200 else ""
        return Call(begun, ended, answer.status_code, deployment, model)


class Watcher:
    """Reads how an endpoint shares its calls, again and again, from ``start`` to ``stop``."""

    def __init__(self, house: House, endpoint: str, pause: float = 0.05) -> None:
        self._house, self._endpoint, self._pause = house, endpoint, pause
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="watcher", daemon=True)
        self.seen: list[tuple[float, Traffic]] = []

    def start(self) -> Watcher:
        """Begin."""
        self._thread.start()
        return self

    def stop(self) -> list[tuple[float, Traffic]]:
        """End; what was seen, with the time when it was asked for."""
        self._stopped.set()
        self._thread.join()
        return self.seen

    def _watch(self) -> None:
        while not self._stopped.is_set():
            asked = time.monotonic()
            self.seen.append((asked, self._house.traffic(self._endpoint)))
            self._stopped.wait(self._pause)
