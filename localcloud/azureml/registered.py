"""What Azure ML v2 adds to the local cloud: its types of resources, and the routes of its data plane."""

from __future__ import annotations

import os
from dataclasses import dataclass

from starlette.routing import BaseRoute

from localcloud.arm.operation import Operation
from localcloud.arm.tracked import ResourceType
from localcloud.arm.types.neighbours import Components, Identities, Registries
from localcloud.arm.types.role_assignments import RoleAssignments
from localcloud.arm.types.vaults import Vaults
from localcloud.azureml import operations
from localcloud.azureml.assets import datastores
from localcloud.azureml.assets import operations as assets
from localcloud.azureml.assets.containers import BlobContainers
from localcloud.azureml.endpoints import provisioning, scoring
from localcloud.azureml.endpoints.online_deployments import OnlineDeployments
from localcloud.azureml.endpoints.online_endpoints import OnlineEndpoints
from localcloud.azureml.environments.making import Environments
from localcloud.azureml.history import routes as history
from localcloud.azureml.jobs import operations as jobs
from localcloud.azureml.jobs.runner import JobRunner
from localcloud.azureml.jobs.state import Jobs
from localcloud.azureml.schedules import operations as schedules
from localcloud.azureml.schedules.firing import Clockwork
from localcloud.azureml.serving.state import Serving
from localcloud.azureml.tracking import routes as tracking
from localcloud.azureml.tracking.state import Tracking
from localcloud.azureml.workspaces import discovery, going, quotas
from localcloud.azureml.workspaces.computes import Computes
from localcloud.azureml.workspaces.workspaces import Workspaces
from localcloud.works.context import Works


@dataclass(frozen=True)
class AzureMl:
    """What works behind the operations of one local cloud; jobs and deployments run while the server does."""

    environments: Environments
    runner: JobRunner
    serving: Serving
    clockwork: Clockwork

    def start(self, works: Works) -> None:
        """Go on with what ran before."""
        self.runner.start()
        self.clockwork.start()
        provisioning.resume(works, self.serving, self.environments)
        going.resume(works.operations)
        self.serving.follow()

    async def stop(self) -> None:
        """End all processes; they begin again with the next start."""
        await self.clockwork.stop()
        await self.runner.stop()
        await self.serving.stop()


def open_azureml(works: Works) -> AzureMl:
    """Open it. Nothing runs yet."""
    directory = works.store.data_dir / "azureml"
    environments = Environments(directory / "environments")
    kept = Jobs(works.store, works.cloud, Tracking(works.store))
    runner = JobRunner(kept, environments, directory / "jobs", os.cpu_count() or 1)
    serving = Serving(directory / "deployments", works.store.arm_get)
    return AzureMl(environments, runner, serving, Clockwork(kept, runner.submit))


TYPES: tuple[ResourceType, ...] = (
    Workspaces(),
    Computes(),
    BlobContainers(),
    Vaults(),
    Components(),
    Registries(),
    Identities(),
    RoleAssignments(),
    OnlineEndpoints(),
    OnlineDeployments(),
)
OPERATIONS: tuple[Operation, ...] = (
    *(operation for kind in TYPES for operation in kind.operations()),
    *datastores.OPERATIONS,
    *assets.OPERATIONS,
    *jobs.OPERATIONS,
    *schedules.OPERATIONS,
    *quotas.OPERATIONS,
    *operations.OPERATIONS,
)


def routes() -> list[BaseRoute]:
    """The routes of the data plane."""
    return [*discovery.routes(), *history.routes(), *tracking.routes(), *scoring.routes()]
