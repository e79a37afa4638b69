"""One Azurite and one studio for all of these tests, with houses published, trained and bound once."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.studio.houses import PREDICTIVE, RESOURCE, TRAINING, houses
from tests.studio.running import Azurite, Endpoint, Running, Workspace, start_azurite


@pytest.fixture(scope="session")
def azurite(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Azurite]:
    process, started = start_azurite(tmp_path_factory.mktemp("azurite"), os.urandom(64))
    yield started
    process.kill()
    process.wait()


@pytest.fixture(scope="session")
def studio(azurite: Azurite, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    running = Running(tmp_path_factory.mktemp("studio"), azurite).start()
    yield running
    running.close()


@pytest.fixture(scope="session")
def workspace(studio: Running) -> Workspace:
    return studio.workspace("houses")


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


@pytest.fixture(scope="session")
def trained(workspace: Workspace) -> Trained:
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


@pytest.fixture(scope="session")
def scoring(workspace: Workspace, trained: Trained) -> str:
    """The scoring web service's id; its default endpoint serves the baseline."""
    resource = {"Name": RESOURCE, "Kind": "TrainedModel", "Location": trained.baseline}
    return workspace.publish("houses-predictive", PREDICTIVE, [resource])


@pytest.fixture
def endpoint(workspace: Workspace, scoring: str, request: pytest.FixtureRequest) -> Endpoint:
    """A further endpoint of the scoring web service, of this test alone."""
    name = f"t{abs(hash(request.node.nodeid)) % 10**12}"
    return workspace.endpoint(scoring, name)


@pytest.fixture
def own_studio(azurite: Azurite, tmp_path: Path) -> Iterator[Running]:
    """A studio of this test alone, not started."""
    running = Running(tmp_path, azurite)
    yield running
    running.close()
