"""What Azure ML v2 adds to the local cloud: its types of resources, and the routes of its data plane."""

from __future__ import annotations

from starlette.routing import BaseRoute

from localcloud.arm.tracked import ResourceType
from localcloud.azureml.workspaces import discovery
from localcloud.azureml.workspaces.computes import Computes
from localcloud.azureml.workspaces.workspaces import Workspaces

TYPES: tuple[ResourceType, ...] = (Workspaces(), Computes())


def routes() -> list[BaseRoute]:
    """The routes of the data plane."""
    return [*discovery.routes()]
