"""The resource types of the local cloud. A new one is a file here and a line below.

Microsoft.MachineLearning/webServices and /commitmentPlans, the New web services, belong here too.
"""

from __future__ import annotations

from studio.arm.operation import Operation
from studio.arm.tracked import TrackedType
from studio.arm.types import resource_groups, subscriptions
from studio.arm.types.storage_accounts import StorageAccounts
from studio.arm.types.workspaces import Workspaces

RESOURCE_TYPES: tuple[TrackedType, ...] = (StorageAccounts(), Workspaces())

OPERATIONS: tuple[Operation, ...] = (
    *subscriptions.OPERATIONS,
    *resource_groups.OPERATIONS,
    *(operation for kind in RESOURCE_TYPES for operation in kind.operations()),
)
