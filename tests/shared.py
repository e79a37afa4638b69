"""What many tests share: a local cloud with trained models once a run, and two clouds once a worker.

All tests with the run's cloud are one group (`tests/spread.py`). They name their own workspaces, services and blobs; a
test that kills a cloud or reads its whole journal starts one of its own. Imports wait until something is wanted.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.chaos.world import World
    from tests.e2e.checkouts import Checkouts
    from tests.studio.running import Azurite, Workspace
    from tests.studio.shared import Shared, Trained


@pytest.fixture(scope="session")
def azurite(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Azurite]:
    """The run's blob store."""
    from tests.studio.running import start_azurite

    process, started = start_azurite(tmp_path_factory.mktemp("azurite"), os.urandom(64))
    yield started
    process.kill()
    process.wait()


@pytest.fixture(scope="session")
def cloud(azurite: Azurite, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shared]:
    """The run's cloud."""
    from tests.studio.shared import Shared

    running = Shared(tmp_path_factory.mktemp("cloud"), azurite)
    running.start()
    yield running
    running.close()


@pytest.fixture(scope="session")
def workspace(cloud: Shared) -> Workspace:
    """Its workspace with the houses."""
    return cloud.workspace("houses")


@pytest.fixture(scope="session")
def models(workspace: Workspace) -> Trained:
    """Its two models of houses."""
    from tests.studio.shared import train

    return train(workspace)


@pytest.fixture(scope="session")
def scoring(models: Trained) -> str:
    """The scoring web service's id; its default endpoint serves the baseline."""
    from tests.studio.shared import publish_scoring

    return publish_scoring(models)


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """The local cloud of this worker's histories (`tests/chaos`); each has its own workspaces and containers."""
    from tests.chaos.world import World

    found = World(tmp_path_factory.mktemp("world"))
    try:
        yield found.start()
    finally:
        found.close()


@pytest.fixture(scope="session")
def checkouts(tmp_path_factory: pytest.TempPathFactory) -> Checkouts:
    """The checkouts of this worker's end-to-end tests (`tests/e2e`), with a cloud that they have in turn."""
    from tests.e2e.checkouts import Checkouts

    return Checkouts(tmp_path_factory.mktemp("checkouts"))
