"""The resource types of the local cloud. A new one is a file here and a line below."""

from __future__ import annotations

from localcloud.arm.operation import Operation
from localcloud.arm.tracked import ResourceType
from localcloud.arm.types import machine_learning, providers, resource_groups, subscriptions
from localcloud.arm.types.commitment_plans import CommitmentPlans
from localcloud.arm.types.storage_accounts import StorageAccounts
from localcloud.arm.types.web_services import WebServices
from localcloud.arm.types.workspaces import Workspaces

RESOURCE_TYPES: tuple[ResourceType, ...] = (
    StorageAccounts(),
    Workspaces(),
    WebServices(),
    CommitmentPlans(),
)

OPERATIONS: tuple[Operation, ...] = (
    *subscriptions.OPERATIONS,
    *providers.OPERATIONS,
    *resource_groups.OPERATIONS,
    *machine_learning.OPERATIONS,
    *(operation for kind in RESOURCE_TYPES for operation in kind.operations()),
)
