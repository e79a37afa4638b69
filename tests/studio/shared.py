"""The local cloud that a test run has once, and the models of houses that are trained in it once."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.studio.houses import PREDICTIVE, RESOURCE, TRAINING, houses
from tests.studio.running import Endpoint, Running, Workspace
from tests.waiting import own_port


@dataclass
class Shared(Running):
    """It has a port with HTTPS too, and can be told to misbehave."""

    https_port: int = field(default_factory=own_port)

    @property
    def ca(self) -> Path:
        """Its certificate authority."""
        return self.directory / "tls" / "ca.pem"

    def command(self) -> list[str]:
        command = super().command()
        cloud = self.directory / "cloud.json"
        cloud.write_text(json.dumps({**json.loads(cloud.read_text()), "caFile": str(self.ca)}))
        return [*command, "--allow-faults", "--https-port", str(self.https_port)]

    def faults(self, *rules: dict[str, Any], seed: int = 1) -> None:
        """Put rules in force."""
        body = {"seed": seed, "rules": list(rules)}
        self.http.put(f"{self.url}/_local/faults", json=body).raise_for_status()

    def fired(self) -> list[int]:
        """How often each rule fired."""
        answer = self.http.get(f"{self.url}/_local/faults").raise_for_status().json()
        return [rule["fired"] for rule in answer["rules"]]

    def quiet(self) -> None:
        """End all faults."""
        self.http.delete(f"{self.url}/_local/faults").raise_for_status()

    def forget(self) -> None:
        """Empty the journal."""
        self.http.delete(f"{self.url}/_local/journal").raise_for_status()

    def faulted(self) -> list[dict[str, Any]]:
        """The journal's entries of calls that met a fault."""
        return [entry for entry in self.journal() if "fault" in entry]


@dataclass
class Trained:
    """The training endpoint, and the results of a job for houses at 1 and at 1.1 times their price."""

    endpoint: Endpoint
    baseline: dict[str, Any]
    dearer: dict[str, Any]

    def order(self, data: str = "houses.csv", **outputs: str) -> dict[str, Any]:
        """A job's request."""
        return job_request(self.endpoint.workspace.studio, data, **outputs)


def job_request(studio: Running, data: str, **outputs: str) -> dict[str, Any]:
    def blob(name: str) -> dict[str, Any]:
        return {
            "ConnectionString": studio.connection_string,
            "RelativeLocation": f"/data/{name}",
            "BaseLocation": None,
            "SasBlobToken": None,
        }

    return {
        "Input": None,
        "Inputs": {"input1": blob(data)},
        "Outputs": {name: blob(path) for name, path in outputs.items()} or None,
        "GlobalParameters": None,
    }


def train(workspace: Workspace) -> Trained:
    """Publish the training experiment and train both models."""
    studio = workspace.studio
    studio.upload("data", "houses.csv", houses())
    studio.upload("data", "dearer.csv", houses(1.1))
    endpoint = workspace.endpoint(workspace.publish("houses-training", TRAINING))
    results = [
        endpoint.run(job_request(studio, f"{name}.csv", output1=f"models/{name}.ilearner"))["Results"][
            "output1"
        ]
        for name in ("houses", "dearer")
    ]
    return Trained(endpoint, *results)


def publish_scoring(trained: Trained) -> str:
    """Publish the predictive experiment, which serves the baseline; the web service's id."""
    resource = {"Name": RESOURCE, "Kind": "TrainedModel", "Location": trained.baseline}
    return trained.endpoint.workspace.publish("houses-predictive", PREDICTIVE, [resource])
