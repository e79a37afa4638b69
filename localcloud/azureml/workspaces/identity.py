"""The identity of what runs in a workspace, with what the directory gives one of the system's own."""

from __future__ import annotations

import uuid
from typing import Any

from localcloud.arm.operation import Call, section
from localcloud.azureml.assets.places import Document


def identity_of(call: Call, sent: Document, old: Document | None, default: str = "") -> dict[str, Any] | None:
    """The identity that a PUT declares, or else the *old* one, or else of the *default* type; the system's own keeps its
    principal.
    """
    kept: dict[str, Any] = (old or {}).get("identity") or {}
    identity = section(sent, "identity") or kept or ({"type": default} if default else {})
    if "SystemAssigned" not in str(identity.get("type")):
        return identity or None
    own = kept.get("principalId") or str(uuid.uuid4())
    return {**identity, "principalId": own, "tenantId": call.state.cloud.tenant}
