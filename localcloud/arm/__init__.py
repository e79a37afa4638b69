"""The local cloud's Azure Resource Manager side: resource groups, storage accounts, workspaces, New web services.

`routes(store, cloud, operations, directory)` is mounted by the local cloud. Shape: `gateway` is the door (bearer token,
role, api-version, headers, dispatch), `roles` says who may do what, `errors` the envelopes, `state` what is kept,
`tracked` what every resource type in a group does alike, and `types/` has one file for each resource type.
"""

from __future__ import annotations

from collections.abc import Sequence

from starlette.routing import BaseRoute

from localcloud.arm.gateway import ArmRoute, Gateway
from localcloud.arm.operation import Operation
from localcloud.arm.state import ArmState
from localcloud.arm.tracked import ResourceType
from localcloud.arm.types import OPERATIONS, RESOURCE_TYPES
from localcloud.directory.state import Directory
from localcloud.facilities.cloud import Cloud
from localcloud.facilities.long_operations import LongOperations
from localcloud.facilities.store import Store

__all__ = ["routes"]


def routes(
    store: Store,
    cloud: Cloud,
    operations: LongOperations | None = None,
    directory: Directory | None = None,
    more: Sequence[ResourceType] = (),
    further: Sequence[Operation] = (),
) -> list[BaseRoute]:
    """The routes below `/subscriptions` and `/providers`, whatever the case of their segments.

    The data plane of New web services (`/subscriptions/{id}/services/…`) is not among them. `operations` are those
    that take their time; without them, web services cannot be changed. Tokens are those that `directory` issues;
    without one, only the static ones of `cloud`. `more` are resource types beside those of `types/`, and
    `further` operations, theirs included.
    """
    kinds = {kind.type.lower(): kind for kind in (*RESOURCE_TYPES, *more)}
    served = (*OPERATIONS, *further)
    state = ArmState(store, cloud, kinds, operations or LongOperations(store, cloud.subscription))
    return [ArmRoute(Gateway(state, served, directory or Directory(cloud)))]
