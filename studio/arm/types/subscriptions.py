"""Subscriptions: the local cloud has one."""

from __future__ import annotations

import uuid
from typing import Any

from studio.arm.operation import Answer, Call, Operation


def tenant_of(subscription: str) -> str:
    """The tenant of the local cloud: made from the subscription, so that it is as stable."""
    return str(uuid.uuid5(uuid.NAMESPACE_OID, f"tenant:{subscription}"))


def _shown(call: Call) -> dict[str, Any]:
    subscription = call.state.cloud.subscription
    return {
        "id": call.state.subscription_id,
        "subscriptionId": subscription,
        "tenantId": tenant_of(subscription),
        "displayName": "Local cloud",
        "state": "Enabled",
    }


OPERATIONS = (
    Operation("GET", "/subscriptions", lambda call: Answer(200, {"value": [_shown(call)]})),
    Operation("GET", "/subscriptions/{subscription}", lambda call: Answer(200, _shown(call))),
)
