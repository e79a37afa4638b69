"""Azure ML v2 through our clients, in the run's cloud."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from tests.azureml.world import World
from tests.cloud.azureml.aml import Aml
from tests.studio.shared import Shared


@pytest.fixture(scope="session")
def kind(cloud: Shared) -> Aml:
    """A workspace in the run's cloud."""
    cloud.upload("registry", "models/wine/note.txt", b"so that the container is there")
    return Aml(cloud, "kindg", "mlkind").create()


@pytest.fixture
def world(kind: Aml, tmp_path: Path, request: pytest.FixtureRequest) -> World:
    """The workspace, with an endpoint of this test alone."""
    digits = hashlib.sha256(request.node.nodeid.encode()).hexdigest()[:10]
    found = World(kind, tmp_path, f"t{digits}")
    found.endpoint.create()
    return found
