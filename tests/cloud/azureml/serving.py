"""Endpoints and deployments of a workspace, as somebody makes and calls them who speaks plain HTTP."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import httpx

from tests.cloud.azureml.aml import Aml
from tests.waiting import eventually

SCORE = """
import json, os

def init():
    print("loaded by", os.environ.get("NAME"))

def run(raw):
    asked = json.loads(raw)
    if asked == "die":
        os._exit(3)
    return [os.environ.get("NAME"), asked]
"""
HEADER = "azureml-model-deployment"


@dataclass
class Endpoint:
    """One endpoint of a workspace."""

    aml: Aml
    name: str

    @property
    def path(self) -> str:
        return f"onlineEndpoints/{self.name}"

    def create(self, **properties: Any) -> Endpoint:
        """Make it."""
        self.done(self.put(**properties))
        return self

    def put(self, headers: dict[str, str] | None = None, **properties: Any) -> httpx.Response:
        """Create or replace it."""
        body = {"location": "westeurope", "properties": {"authMode": "Key", **properties}}
        return self.aml.ws("PUT", self.path, body, headers=headers)

    def get(self) -> dict[str, Any]:
        found: dict[str, Any] = self.aml.ws("GET", self.path).raise_for_status().json()
        return found

    def traffic(self, mirror: dict[str, int] | None = None, **shares: int) -> None:
        """Split its traffic."""
        self.done(self.put(traffic=shares, mirrorTraffic=mirror or {}))

    def deployment(self, name: str, *, capacity: int = 1, **properties: Any) -> httpx.Response:
        """Create or replace a deployment."""
        body = {
            "location": "westeurope",
            "sku": {"name": "Default", "capacity": capacity},
            "properties": {
                "endpointComputeType": "Managed",
                "environmentId": self.aml.environment,
                "environmentVariables": {"NAME": name},
                **properties,
            },
        }
        return self.aml.ws("PUT", f"{self.path}/deployments/{name}", body)

    def deploy(self, name: str, code: str, **properties: Any) -> None:
        """Have a scoring script deployed, with all that it needs."""
        configuration = {"codeId": code, "scoringScript": "score.py"}
        self.done(self.deployment(name, codeConfiguration=configuration, **properties))

    def done(self, begun: httpx.Response) -> dict[str, Any]:
        """Wait for the end of what was begun, which is no failure; the operation as it ended."""
        ended = self.ended(begun)
        assert ended["status"] == "Succeeded", ended
        return ended

    def ended(self, begun: httpx.Response) -> dict[str, Any]:
        """Wait for the end of what was begun; the operation as it ended."""
        assert begun.is_success, begun.text
        if begun.status_code == 202:
            return self._settled(begun.headers["Location"])

        def look() -> dict[str, Any] | None:
            said = self._look(begun.headers["Azure-AsyncOperation"]).json()
            return None if said["status"] in ("InProgress", "Updating") else said

        found: dict[str, Any] = eventually(look, f"the end of {begun.request.method} {self.name}")
        return found

    def _settled(self, at: str) -> dict[str, Any]:
        answer = eventually(lambda: (one := self._look(at)).status_code != 202 and one, f"the end of {at}")
        return {"status": "Succeeded" if answer.is_success else "Failed", "answer": answer}

    def _look(self, at: str) -> httpx.Response:
        return self.aml.call("GET", at.removeprefix(self.aml.cloud.url))

    def key(self) -> str:
        """Its primary key."""
        return str(self.aml.ws("POST", f"{self.path}/listKeys").raise_for_status().json()["primaryKey"])

    def score(
        self, asked: Any, deployment: str = "", key: str | None = None, http: httpx.Client | None = None
    ) -> httpx.Response:
        """A call of its address, of one deployment perhaps."""
        headers = {HEADER: deployment} if deployment else {}
        token = self.key() if key is None else key
        return (http or self.aml.cloud.http).post(
            f"{self.aml.cloud.url}/inference/westeurope/{self.name}/score",
            json=asked,
            headers={"Authorization": f"Bearer {token}", **headers},
        )

    def delete(self, deployment: str = "") -> httpx.Response:
        """Delete it, or one of its deployments."""
        return self.aml.ws("DELETE", f"{self.path}/deployments/{deployment}" if deployment else self.path)
