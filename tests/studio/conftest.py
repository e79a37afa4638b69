"""The run's cloud, as the services of studio are tested in it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from clients.clock import SystemClock
from clients.credentials import Target, resolve_target
from clients.storage import Container
from clients.studio_new.files import DefinitionFiles
from clients.studio_new.services import NewServices
from tests.studio.houses import PREDICTIVE, RESOURCE
from tests.studio.new_services import GROUP, Arm, Service, completed, exported
from tests.studio.running import Azurite, Endpoint, Running, Workspace
from tests.studio.shared import Shared, Trained


@pytest.fixture(scope="session")
def studio(cloud: Shared) -> Running:
    """The run's cloud."""
    return cloud


@pytest.fixture(scope="session")
def trained(models: Trained) -> Trained:
    """The run's models."""
    return models


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


# New web services, and our own clients of them.


@pytest.fixture(scope="module")
def arm(studio: Running) -> Arm:
    side = Arm(studio)
    side.group()
    return side


@pytest.fixture(scope="module")
def plan(arm: Arm) -> str:
    return arm.plan("clients")


@pytest.fixture(scope="module")
def definition(workspace: Workspace, trained: Trained, plan: str, studio: Running) -> dict[str, Any]:
    resource = {"Name": RESOURCE, "Kind": "TrainedModel", "Location": trained.baseline}
    return completed(exported(workspace, "clients", PREDICTIVE, [resource]), plan, studio.azurite.key)


@pytest.fixture
def service(arm: Arm, definition: dict[str, Any], request: pytest.FixtureRequest) -> Service:
    """A scoring service of this test alone, made by somebody else's client."""
    made = arm.service(f"c{abs(hash(request.node.nodeid)) % 10**12}")
    made.put(definition)
    return made


@pytest.fixture
def target(studio: Running) -> Target:
    return resolve_target("local", {"RETRAIN_CLOUD_FILE": str(studio.directory / "cloud.json")})


@pytest.fixture
def services(target: Target) -> NewServices:
    return NewServices(target, {"resource": GROUP, "id": ""}, SystemClock())


@pytest.fixture
def files(target: Target, studio: Running) -> DefinitionFiles:
    studio.upload("registry", "models/houses/note.txt", b"so that the container is there")
    registry = Container(target.connection_string, "registry", "")
    return DefinitionFiles(target, registry, SystemClock())
