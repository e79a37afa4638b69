"""The studio's Azure Resource Manager side: resource groups, storage accounts, workspaces, New web services.

`routes(store, cloud, operations)` is mounted by the studio. Shape: `gateway` is the door (bearer token, api-version,
headers, dispatch), `errors` the envelopes, `state` what is kept, `tracked` what every resource type in a
group does alike, and `types/` has one file for each resource type.
"""

from __future__ import annotations

from starlette.routing import BaseRoute

from studio.arm.gateway import ArmRoute, Gateway
from studio.arm.state import ArmState
from studio.arm.types import OPERATIONS, RESOURCE_TYPES
from studio.cloud import Cloud
from studio.store import Store
from studio.webservices.operations import Operations

__all__ = ["routes"]


def routes(store: Store, cloud: Cloud, operations: Operations | None = None) -> list[BaseRoute]:
    """The routes below `/subscriptions` and `/providers`, whatever the case of their segments.

    The data plane of New web services (`/subscriptions/{id}/services/…`) is not among them. `operations` are those
    that take their time; without them, web services cannot be changed.
    """
    kinds = {kind.type.lower(): kind for kind in RESOURCE_TYPES}
    state = ArmState(store, cloud, kinds, operations or Operations(store, cloud.subscription))
    return [ArmRoute(Gateway(state, OPERATIONS))]
