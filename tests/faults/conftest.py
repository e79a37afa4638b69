"""The run's cloud, told to misbehave."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from tests.studio.running import Endpoint, Workspace
from tests.studio.shared import Shared, Trained, job_request


@pytest.fixture(scope="session")
def running(cloud: Shared) -> Shared:
    """The run's cloud."""
    return cloud


@pytest.fixture
def studio(running: Shared) -> Iterator[Shared]:
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
def published(models: Trained, scoring: str) -> Houses:
    """The run's models and services."""
    return Houses(models.endpoint, models.baseline, models.dearer, scoring)


@pytest.fixture
def trained(published: Houses, studio: Shared) -> Houses:
    """What is published, before a test with a quiet studio."""
    studio.forget()
    return published


@pytest.fixture
def endpoint(published: Houses, studio: Shared, request: pytest.FixtureRequest) -> Endpoint:
    """A further endpoint of the scoring web service, of this test alone."""
    name = f"t{abs(hash(request.node.nodeid)) % 10**12}"
    found = published.workspace.endpoint(published.service, name)
    studio.forget()
    return found
