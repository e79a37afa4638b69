"""What Azure ML v2 adds to the local cloud: its types of resources, and the routes of its data plane."""

from __future__ import annotations

import os
from dataclasses import dataclass

from starlette.routing import BaseRoute

from localcloud.arm.operation import Operation
from localcloud.arm.tracked import ResourceType
from localcloud.arm.types.neighbours import Components, Identities, Registries, Vaults
from localcloud.arm.types.role_assignments import RoleAssignments
from localcloud.azureml.assets import datastores
from localcloud.azureml.assets import operations as assets
from localcloud.azureml.environments.making import Environments
from localcloud.azureml.history import routes as history
from localcloud.azureml.jobs import operations as jobs
from localcloud.azureml.jobs.runner import JobRunner
from localcloud.azureml.jobs.state import Jobs
from localcloud.azureml.tracking import routes as tracking
from localcloud.azureml.tracking.state import Tracking
from localcloud.azureml.workspaces import discovery
from localcloud.azureml.workspaces.computes import Computes
from localcloud.azureml.workspaces.workspaces import Workspaces
from localcloud.works.context import Works


@dataclass(frozen=True)
class AzureMl:
    """What works behind the operations of one local cloud; `runner` is started and stopped with the server."""

    environments: Environments
    runner: JobRunner


def open_azureml(works: Works) -> AzureMl:
    """Open it. Nothing runs yet."""
    directory = works.store.data_dir / "azureml"
    environments = Environments(directory / "environments")
    kept = Jobs(works.store, works.cloud, Tracking(works.store))
    return AzureMl(environments, JobRunner(kept, environments, directory / "jobs", os.cpu_count() or 1))


TYPES: tuple[ResourceType, ...] = (
    Workspaces(),
    Computes(),
    Vaults(),
    Components(),
    Registries(),
    Identities(),
    RoleAssignments(),
)
OPERATIONS: tuple[Operation, ...] = (
    *(operation for kind in TYPES for operation in kind.operations()),
    *datastores.OPERATIONS,
    *assets.OPERATIONS,
    *jobs.OPERATIONS,
)


def routes() -> list[BaseRoute]:
    """The routes of the data plane."""
    return [*discovery.routes(), *history.routes(), *tracking.routes()]
