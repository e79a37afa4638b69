"""New web services as a client of Resource Manager sees them, for tests that speak HTTP to a running studio."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import httpx

from tests.studio.running import ARM_TOKEN, SUBSCRIPTION, VERSION, Running, Workspace
from tests.waiting import eventually

CURRENT, PREVIEW = "2017-01-01", "2016-05-01-preview"
GROUP = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/tests"
PROVIDER = f"{GROUP}/providers/Microsoft.MachineLearning"


@dataclass
class Arm:
    """Resource Manager of a running studio, with a resource group."""

    studio: Running

    def __call__(
        self, method: str, path: str, body: Any = None, version: str = CURRENT, **options: Any
    ) -> httpx.Response:
        """One call, signed in; `path` is whole, or an address."""
        url = path if path.startswith("http") else f"{self.studio.url}{path}"
        headers = {"Authorization": f"Bearer {ARM_TOKEN}", **options.get("headers", {})}
        params = None if "api-version=" in path else {"api-version": version} | options.get("params", {})
        return self.studio.http.request(method, url, headers=headers, params=params, json=body)

    def group(self) -> None:
        """The resource group of these tests."""
        self("PUT", GROUP, {"location": "westeurope"}, "2021-04-01").raise_for_status()

    def plan(self, name: str = "plan") -> str:
        """A commitment plan's id."""
        body = {"location": "southcentralus", "sku": {"name": "S1", "tier": "Standard", "capacity": 1}}
        made = self("PUT", f"{PROVIDER}/commitmentPlans/{name}", body, PREVIEW).raise_for_status()
        return str(made.json()["id"])

    def end(self, begun: httpx.Response) -> dict[str, Any]:
        """The operation that a call began, at its end."""
        begun.raise_for_status()
        address = begun.headers["azure-asyncoperation"]
        first = self("GET", address).raise_for_status().json()
        assert first["status"] == "Provisioning"

        def look() -> dict[str, Any] | None:
            status: dict[str, Any] = self("GET", address).raise_for_status().json()
            return None if status["status"] == "Provisioning" else status

        ended: dict[str, Any] = eventually(look, "the operation's end")
        return ended

    def service(self, name: str) -> Service:
        """A web service, whether or not it is there."""
        return Service(self, f"{PROVIDER}/webServices/{name}")


@dataclass
class Service:
    """One New web service."""

    arm: Arm
    id: str
    keys: dict[str, str] = field(default_factory=dict, repr=False)

    def call(self, method: str, below: str = "", body: Any = None, **options: Any) -> httpx.Response:
        """One call about it."""
        return self.arm(method, f"{self.id}{below}", body, **options)

    def put(self, definition: dict[str, Any], **options: Any) -> dict[str, Any]:
        """Create or update it; the operation's end."""
        ended = self.arm.end(self.call("PUT", body=definition, **options))
        assert ended["status"] == "Succeeded", ended
        return ended

    def get(self, **options: Any) -> dict[str, Any]:
        """What GET shows."""
        shown: dict[str, Any] = self.call("GET", **options).raise_for_status().json()
        return shown

    @property
    def url(self) -> str:
        """Its data plane."""
        return str(self.get()["properties"]["swaggerLocation"]).removesuffix("/swagger.json")

    def plane(self, method: str, path: str, body: Any = None) -> httpx.Response:
        """A call of its data plane, with its key."""
        if not self.keys:
            self.keys = self.call("GET", "/listKeys").raise_for_status().json()
        headers = {"Authorization": f"Bearer {self.keys['primary']}"}
        return self.arm.studio.http.request(
            method, f"{self.url}/{path}", headers=headers, json=body, params=VERSION
        )

    def price(self, surface: float) -> float:
        """What it predicts for a house."""
        rows = {"ColumnNames": ["surface"], "Values": [[surface]]}
        answer = self.plane("POST", "execute", {"Inputs": {"input1": rows}}).raise_for_status().json()
        return float(answer["Results"]["output1"]["value"]["Values"][0][-1])

    def model(self) -> tuple[str, dict[str, Any]]:
        """The trained model's asset: its id, and the asset."""
        assets = self.get()["properties"]["assets"]
        return next((key, asset) for key, asset in assets.items() if asset["type"] == "Resource")

    def patch_model(self, uri: str, credentials: str | None = None) -> httpx.Response:
        """Give the trained model another place, by the smallest PATCH."""
        key, asset = self.model()
        moved = {**asset, "locationInfo": {"uri": uri, "credentials": credentials}}
        return self.call("PATCH", body={"properties": {"packageType": "Graph", "assets": {key: moved}}})


def exported(workspace: Workspace, name: str, graph: Any, resources: Any = None) -> dict[str, Any]:
    """The definition of an experiment as Studio exports it."""
    saved = workspace.save(name, graph, resources).raise_for_status().json()["ExperimentId"]
    definition: dict[str, Any] = (
        workspace.api("GET", f"experiments/{saved}/webservicedefinition").raise_for_status().json()
    )
    return definition


def completed(definition: dict[str, Any], plan: str, key: str) -> dict[str, Any]:
    """An exported definition with account and plan, as a user adds them."""
    added = {"StorageAccount": {"Name": "teststorage", "Key": key}, "CommitmentPlan": {"Id": plan}}
    return {**definition, "Location": "southcentralus", "Properties": {**definition["Properties"], **added}}
