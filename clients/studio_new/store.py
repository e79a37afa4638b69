"""New web services in Resource Manager: their definitions, whole, read and written with their ETags."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any

from clients.arm.resource_manager import Json, ResourceManager
from clients.clock import Clock
from clients.credentials import Target
from clients.errors import ServiceError
from clients.http.answers import text
from clients.storage.account import StorageAccount
from clients.storage.blobs import Blobs
from clients.studio_new import definition as definitions
from clients.studio_new.plans import plan_of

API_VERSION = "2017-01-01"
# The service does not say in which regions it was published, so it carries that with it.
_REGIONS_TAG = "regions"


class WebServiceStore:
    """The definitions of New web services; *workspace*, *plan* and *regions* as of NewServices."""

    def __init__(
        self,
        target: Target,
        workspace: Mapping[str, str],
        clock: Clock,
        plan: str | None = None,
        regions: Sequence[str] = (),
    ) -> None:
        self._target, self._workspace, self._clock = target, workspace, clock
        self._plan, self._regions = plan, tuple(regions)
        self.group = workspace["resource"].partition("/providers/")[0]
        self.transport = target.arm
        self.arm = ResourceManager(self.transport, API_VERSION, clock)

    @cached_property
    def account(self) -> StorageAccount:
        """The storage account that models are read from."""
        return StorageAccount.parse(self._target.connection_string)

    @cached_property
    def _blobs(self) -> Blobs:
        return Blobs(self._target, self.group.split("/")[2])

    def read(self, service: str) -> tuple[Json, str]:
        """The whole definition of a web service, without what the service hides, and its ETag. Raises NotFound."""
        definition, etag = self.arm.read(service)
        return self.whole(definition), etag

    def whole(self, definition: Json) -> Json:
        """A definition with its large part, which may be in a blob."""
        place = definitions.payload_location(definition)
        if place is None:
            return definition
        content = self._blobs.read(*place)
        try:
            payload = json.loads(content)
        except ValueError:
            payload = None
        if not isinstance(payload, dict):
            raise ServiceError(
                f"the large part of a web service's definition, {place[0]}, is not a JSON object",
                "publish the web service again from its exported definition: ./dev definition import",
            )
        return definitions.inlined(definition, payload)

    def put(self, service: str, definition: Mapping[str, Any], *, like: str = "", etag: str = "") -> None:
        """Create or replace a web service by a definition that lacks what the service hides: account key and plan.

        *like* is the service that it is a copy of, or itself, whose plan pays for it. With the *etag* that was read it
        is replaced only if nobody else has changed it since. Raises ServiceError with what the service finds wrong
        (such as that nobody pays for it), Conflict.
        """
        account = self._blobs.key(definitions.account_name(definition))
        plan = self._plan or plan_of(self.transport, like or service, self._clock)
        body = definitions.complete(definition, account.credential(), plan)
        if not definitions.member(body, "location"):
            definitions.put_member(body, "location", self._location())
        if self._regions:
            tags = definitions.member(body, "tags")
            kept = tags if isinstance(tags, Mapping) else {}
            definitions.put_member(body, "tags", {**kept, _REGIONS_TAG: ",".join(self._regions)})
        self.arm.put(service, body, f"the web service {name_of(service)!r}", etag)
        self._prepare_regions(service, body)

    def patch(self, service: str, definition: Mapping[str, Any], etag: str) -> None:
        """Change the assets of a web service to those of *definition*, if it has *etag* still. Raises Conflict."""
        patch = definitions.patch_of(definition)
        self.arm.patch(service, patch, f"the web service {name_of(service)!r}", etag)
        self._prepare_regions(service, definition)

    def _prepare_regions(self, service: str, definition: Mapping[str, Any]) -> None:
        """Bring what the service is now to the other regions that its tag names."""
        for region in regions_of(definition):
            what = f"the web service {name_of(service)!r} in {region}"
            self.arm.post(f"{service}/CreateRegionalBlob", what, region=region)

    def _location(self) -> str:
        workspaces = ResourceManager(self.transport, "2019-10-01", self._clock)
        return text(workspaces.get(self._workspace["resource"]), "location")


def name_of(service: str) -> str:
    """The name in a web service's ARM id."""
    return service.rpartition("/")[2]


def regions_of(definition: Mapping[str, Any]) -> list[str]:
    """Where a service is published besides its own region, as its tag says."""
    said = definitions.member(definitions.member(definition, "tags"), _REGIONS_TAG)
    return [region for region in str(said or "").split(",") if region]
