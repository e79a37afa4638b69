"""Subscriptions: the local cloud has one."""

from __future__ import annotations

from typing import Any

from studio.arm.operation import Answer, Call, Operation


def _shown(call: Call) -> dict[str, Any]:
    subscription = call.state.cloud.subscription
    return {
        "id": call.state.subscription_id,
        "subscriptionId": subscription,
        "tenantId": call.state.cloud.tenant,
        "displayName": "Local cloud",
        "state": "Enabled",
    }


OPERATIONS = (
    Operation("GET", "/subscriptions", lambda call: Answer(200, {"value": [_shown(call)]})),
    Operation("GET", "/subscriptions/{subscription}", lambda call: Answer(200, _shown(call))),
)
