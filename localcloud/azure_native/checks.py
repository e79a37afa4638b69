"""`Check`: what azure-native fills in where the program is silent, and what it refuses.

Source: azure-native 3.x: automatic names, the default location (of the old inputs, of the provider's config,
of the resource group, in this order), its words for what is missing.
"""

from __future__ import annotations

import hmac
import secrets
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from localcloud.azure_native.arm import ArmClient
from localcloud.azure_native.catalog.resources import RESOURCE_GROUP
from localcloud.azure_native.sessions import Session
from localcloud.azure_native.shape import resource_id
from localcloud.azure_native.spec import ResourceType
from localcloud.azure_native.wire import UNKNOWN, has_unknown, plain

# Set where the name is made up: a replacement may then be created before the old one is deleted.
CREATE_BEFORE_DELETE = "__createBeforeDelete"


@dataclass(frozen=True, slots=True)
class Naming:
    """How the engine wants a name made up: from `seed`, or `proposed`; `allowed` False: not at all."""

    logical_name: str
    seed: bytes = b""
    proposed: str | None = None
    allowed: bool = True

    def name(self) -> str:
        """The logical name and eight hex digits: the same for the same seed, so that preview and update agree."""
        if self.proposed:
            return self.proposed
        if not self.seed:
            return self.logical_name + secrets.token_hex(4)
        return self.logical_name + self._digest().hex()[:8]

    def guid(self) -> str:
        """A guid: the same for the same seed."""
        return str(uuid.UUID(bytes=self._digest()[:16] if self.seed else secrets.token_bytes(16), version=4))

    def _digest(self) -> bytes:
        return hmac.digest(self.seed, self.logical_name.encode(), "sha256")


def with_defaults(
    kind: ResourceType,
    olds: Mapping[str, Any],
    news: Mapping[str, Any],
    naming: Naming,
    session: Session,
    arm: ArmClient,
) -> dict[str, Any]:
    """The inputs with name, location and API version filled in. `olds` are plain, `news` may have marks."""
    inputs = dict(news)
    parameter = kind.name.parameter
    if parameter not in inputs:
        if parameter in olds:
            inputs[parameter] = olds[parameter]
            if olds.get(CREATE_BEFORE_DELETE) is True:
                inputs[CREATE_BEFORE_DELETE] = True
        elif naming.allowed:
            inputs[parameter] = naming.guid() if kind.name.guid else naming.name()
            inputs[CREATE_BEFORE_DELETE] = True
    if "location" not in inputs and any(field.name == "location" for field in kind.body):
        location = _default_location(olds, inputs, session, arm)
        if location is not None:
            inputs["location"] = location
    inputs.setdefault("azureApiVersion", kind.api_version)
    return inputs


def problems(kind: ResourceType, inputs: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """What is wrong with the inputs: property and reason."""
    for parameter in kind.path_parameters:
        if parameter not in inputs:
            yield parameter, f"missing required property '{parameter}'"
    for field in kind.body:
        if field.required and field.name not in inputs:
            reason = f"missing required property '{field.name}'"
            if field.name == "location":
                reason += (
                    ". Either set it explicitly or configure it with"
                    " 'pulumi config set azure-native:location <value>'."
                )
            yield field.name, reason
    name = plain(inputs.get(kind.name.parameter))
    if isinstance(name, str):
        for reason in kind.name.problems(name):
            yield kind.name.parameter, reason


def _default_location(
    olds: Mapping[str, Any], inputs: Mapping[str, Any], session: Session, arm: ArmClient
) -> Any:
    if "location" in olds:
        return olds["location"]
    if session.location is not None:
        return session.location
    if "resourceGroupName" not in inputs:
        return None
    if has_unknown(inputs["resourceGroupName"]):
        return UNKNOWN
    group_id = resource_id(RESOURCE_GROUP, session.cloud.subscription, plain(inputs))
    group = arm.find(session.cloud, group_id, RESOURCE_GROUP.api_version)
    return None if group is None else group.get("location")
