"""The resource types of the local cloud. A new one is a file here and a line below."""

from __future__ import annotations

from studio.arm.operation import Operation
from studio.arm.tracked import ResourceType
from studio.arm.types import machine_learning, providers, resource_groups, subscriptions
from studio.arm.types.commitment_plans import CommitmentPlans
from studio.arm.types.storage_accounts import StorageAccounts
from studio.arm.types.web_services import WebServices
from studio.arm.types.workspaces import Workspaces

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
