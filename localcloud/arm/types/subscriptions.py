"""Subscriptions: the local cloud has one."""

from __future__ import annotations

from typing import Any

from localcloud.arm.operation import Answer, Call, Operation


def _shown(call: Call) -> dict[str, Any]:
    subscription = call.state.cloud.subscription
    return {
        "id": call.state.subscription_id,
        "subscriptionId": subscription,
        "tenantId": call.state.cloud.tenant,
        "displayName": "Local cloud",
        "state": "Enabled",
    }


def _list(call: Call) -> Answer:
    """List the subscriptions: there is one."""
    return Answer(200, {"value": [_shown(call)]})


def _get(call: Call) -> Answer:
    """Get the subscription."""
    return Answer(200, _shown(call))


OPERATIONS = (
    Operation("GET", "/subscriptions", _list),
    Operation("GET", "/subscriptions/{subscription}", _get),
)
