"""One Azurite and one studio that was started with faults allowed, with models trained and bound once."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from tests.studio.conftest import job_request
from tests.studio.houses import PREDICTIVE, RESOURCE, TRAINING, houses
from tests.studio.running import Azurite, Endpoint, Running, Workspace, start_azurite


class Faulty(Running):
    """A studio that can be told to misbehave."""

    def command(self) -> list[str]:
        return [*super().command(), "--allow-faults"]

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


@pytest.fixture(scope="session")
def azurite(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Azurite]:
    process, started = start_azurite(tmp_path_factory.mktemp("azurite"), os.urandom(64))
    yield started
    process.kill()
    process.wait()


@pytest.fixture(scope="session")
def running(azurite: Azurite, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Faulty]:
    studio = Faulty(tmp_path_factory.mktemp("faulty"), azurite)
    studio.start()
    yield studio
    studio.close()


@pytest.fixture
def studio(running: Faulty) -> Iterator[Faulty]:
    """The studio, without faults and with an empty journal."""
    running.forget()
    yield running
    running.quiet()


@dataclass
class Houses:
    """The houses' training endpoint, two models of theirs, and the scoring web service's id."""

    training: Endpoint
    baseline: dict[str, Any]
    dearer: dict[str, Any]
    service: str

    @property
    def workspace(self) -> Workspace:
        return self.training.workspace

    def order(self) -> dict[str, Any]:
        """A job's request."""
        return job_request(self.workspace.studio, "houses.csv", output1="models/again.ilearner")


@pytest.fixture(scope="session")
def published(running: Faulty) -> Houses:
    running.upload("data", "houses.csv", houses())
    running.upload("data", "dearer.csv", houses(1.1))
    workspace = running.workspace("houses")
    training = workspace.endpoint(workspace.publish("houses-training", TRAINING))
    models = [
        training.run(job_request(running, f"{name}.csv", output1=f"models/{name}.ilearner"))["Results"][
            "output1"
        ]
        for name in ("houses", "dearer")
    ]
    baseline = {"Name": RESOURCE, "Kind": "TrainedModel", "Location": models[0]}
    return Houses(training, *models, workspace.publish("houses-predictive", PREDICTIVE, [baseline]))


@pytest.fixture
def trained(published: Houses, studio: Faulty) -> Houses:
    """What is published, before a test with a quiet studio."""
    studio.forget()
    return published


@pytest.fixture
def endpoint(published: Houses, studio: Faulty, request: pytest.FixtureRequest) -> Endpoint:
    """A further endpoint of the scoring web service, of this test alone."""
    name = f"t{abs(hash(request.node.nodeid)) % 10**12}"
    found = published.workspace.endpoint(published.service, name)
    studio.forget()
    return found
