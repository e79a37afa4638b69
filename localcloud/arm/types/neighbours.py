"""What an Azure ML workspace stands on beside storage and vault: Application Insights, container registries, identities.

They are declarations here: no image is kept in a registry. Names are as strict as in Azure.
Source: azure-rest-api-specs (Insights 2020-02-02, ContainerRegistry 2023-07-01, ManagedIdentity 2023-01-31).
"""

from __future__ import annotations

import re
import uuid
from typing import Any, ClassVar

from localcloud.arm.errors import ArmError
from localcloud.arm.operation import Call, section, text
from localcloud.arm.state import Document
from localcloud.arm.tracked import TrackedType


class Neighbour(TrackedType):
    """A declaration: what was sent, with its defaults and what its creation gave it.

    `named` is the pattern of names with what it says, `needed` the members of ``properties`` that it can't do without,
    `defaults` those that it gets, `unique` whether its name is unique in all of the cloud.
    """

    created_status = 200
    named: ClassVar[tuple[str, str]]
    needed: ClassVar[tuple[str, ...]] = ()
    defaults: ClassVar[dict[str, Any]] = {}
    unique: ClassVar[bool] = True

    def check_name(self, name: str) -> None:
        """As the type has it."""
        pattern, says = self.named
        if not re.fullmatch(pattern, name):
            message = f"The {self.called} name '{name}' is not valid: {says}."
            raise ArmError(400, "InvalidResourceName", message, target="name")

    def made(self, call: Call, name: str) -> dict[str, Any]:
        """What the creation gives: kept as long as it is there."""
        return {}

    def completed(self, call: Call, document: Document, old: Document | None) -> Document:
        """What was declared, with defaults."""
        given, before, name = document["properties"], old["properties"] if old else {}, document["name"]
        for member in self.needed:
            if given.get(member) is None:
                message = f"The {self.called} '{name}' needs the property '{member}'."
                raise ArmError(400, "InvalidRequestPropertyValue", message, target=f"properties.{member}")
        if self.unique and old is None:
            self.check_free(call, name)
        made = {key: before.get(key, value) for key, value in self.made(call, name).items()}
        properties = {**self.defaults, **given, **made, "provisioningState": "Succeeded"}
        return {**document, "properties": properties}

    def patched(self, call: Call, sent: dict[str, Any], old: Document) -> Document:
        """Properties that are named change, others stay; so do the members at the top."""
        body = call.document()
        named = {key: body[key] for key in self.writable if body.get(key) is not None}
        return self.completed(call, {**old, **named, "properties": {**old["properties"], **sent}}, old)

    def check_free(self, call: Call, name: str) -> None:
        """Raise ArmError where another one in the cloud has the name."""
        if any(one["name"].lower() == name.lower() for one in call.state.resources(self.type)):
            message = f"The {self.called} name '{name}' is already in use."
            raise ArmError(409, "AlreadyInUse", message, target="name")


class Components(Neighbour):
    """Application Insights components."""

    type = "Microsoft.Insights/components"
    called = "component"
    writable = ("kind", "etag")
    named = (r"[^<>%&?#\\/]{1,260}", "up to 260 characters, none of <>%&?#\\/")
    needed = ("Application_Type",)
    unique = False
    defaults: ClassVar[dict[str, Any]] = {
        "RetentionInDays": 90,
        "IngestionMode": "LogAnalytics",
        "publicNetworkAccessForIngestion": "Enabled",
        "publicNetworkAccessForQuery": "Enabled",
    }

    def made(self, call: Call, name: str) -> dict[str, Any]:
        """Its keys."""
        key = str(uuid.uuid4())
        return {
            "ApplicationId": name,
            "AppId": str(uuid.uuid4()),
            "InstrumentationKey": key,
            "ConnectionString": f"InstrumentationKey={key}",
            "TenantId": call.state.cloud.tenant,
        }


class Registries(Neighbour):
    """Container registries."""

    type = "Microsoft.ContainerRegistry/registries"
    called = "registry"
    writable = ("sku", "identity")
    named = (r"[a-zA-Z0-9]{5,50}", "5 to 50 letters and digits")
    defaults: ClassVar[dict[str, Any]] = {
        "adminUserEnabled": False,
        "publicNetworkAccess": "Enabled",
        "zoneRedundancy": "Disabled",
    }

    def completed(self, call: Call, document: Document, old: Document | None) -> Document:
        """With its tier."""
        sku = text(section(document, "sku"), "name", "sku.name")
        if sku not in ("Basic", "Standard", "Premium"):
            message = f"sku.name is '{sku}'; it must be one of Basic, Standard, Premium."
            raise ArmError(400, "InvalidRequestPropertyValue", message, target="sku.name")
        return super().completed(call, {**document, "sku": {"name": sku, "tier": sku}}, old)

    def made(self, call: Call, name: str) -> dict[str, Any]:
        """Where it would answer."""
        return {"loginServer": f"{name.lower()}.azurecr.io"}


class Identities(Neighbour):
    """User-assigned managed identities."""

    type = "Microsoft.ManagedIdentity/userAssignedIdentities"
    called = "identity"
    writable = ()
    named = (r"[a-zA-Z0-9][a-zA-Z0-9_-]{2,127}", "3 to 128 letters, digits, '_' and '-'")
    unique = False

    def made(self, call: Call, name: str) -> dict[str, Any]:
        """Who it is."""
        principal, client = str(uuid.uuid4()), str(uuid.uuid4())
        return {"principalId": principal, "clientId": client, "tenantId": call.state.cloud.tenant}
