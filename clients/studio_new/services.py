"""The New web services of a resource group, behind the protocol that every kind of service has.

A New web service has no endpoints: the service itself owns a model. So an endpoint of one is a service of its own, a
copy of its definition under the name ``<service>-<endpoint>``; the ``default`` one is the service itself.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from typing import Any

from clients.blobs import Blobs
from clients.clock import Clock
from clients.credentials import Target
from clients.errors import NotFound
from clients.protocols import DEFAULT_ENDPOINT, Binding, Contract, EndpointFound, Published
from clients.resource_manager import Json, ResourceManager
from clients.sign_in import Bearer, Token
from clients.studio_classic.publishing import Publishing
from clients.studio_data_plane.jobs import StudioJobs
from clients.studio_data_plane.scoring import StudioScoring
from clients.studio_new import definition as definitions
from clients.studio_new.bindings import NewBindings
from clients.studio_new.contract import contract_of
from clients.studio_new.plans import plan_of
from clients.studio_new.storage_account import StorageAccount
from clients.transport import Transport

API_VERSION = "2017-01-01"
_TYPE = "Microsoft.MachineLearning/webServices"
_SWAGGER = "/swagger.json"
# The service does not say in which regions it was published, so it carries that with it.
_REGIONS_TAG = "regions"


class NewServices:
    """The services in the resource group of *workspace* (``{"resource": ARM id, "id": 32 hex}``).

    *plan* is the ARM id of the commitment plan that pays for what is created (none: the one that pays for what it is
    copied from), *regions* where each is published besides its own, *input_name* the input of what is scored.
    """

    def __init__(
        self,
        target: Target,
        workspace: Mapping[str, str],
        clock: Clock,
        *,
        plan: str | None = None,
        regions: Sequence[str] = (),
        input_name: str = "input1",
    ) -> None:
        self._input = input_name
        self._target, self._workspace, self._clock = target, workspace, clock
        self._plan, self._regions = plan, tuple(regions)
        self._group = workspace["resource"].partition("/providers/")[0]
        self._transport = target.resource_manager()
        self._arm = ResourceManager(self._transport, API_VERSION, clock)

    @cached_property
    def _experiments(self) -> Publishing:
        return Publishing(
            self._target.studio(self._workspace["resource"]), self._workspace["id"], self._clock
        )

    @cached_property
    def _account(self) -> StorageAccount:
        return StorageAccount.parse(self._target.connection_string)

    @cached_property
    def _blobs(self) -> Blobs:
        return Blobs(self._target, self._group.split("/")[2])

    def find(self, name: str) -> str | None:
        """The ARM id of the web service called *name*; None where there is none."""
        return self._id(name) if self._arm.find(self._id(name)) else None

    def exists(self, service: str) -> bool:
        """Whether the web service is there."""
        return self._arm.find(service) is not None

    def definition(self, service: str) -> Json:
        """The complete definition of a web service, without what the service hides. Raises NotFound."""
        return self._whole(self._arm.get(service))

    def _whole(self, definition: Json) -> Json:
        place = definitions.payload_location(definition)
        if place is None:
            return definition
        return definitions.inlined(definition, json.loads(self._blobs.read(*place)))

    def contract(self, service: str) -> Contract | None:
        """What the service's definition says; None where the service is not there."""
        found = self._arm.find(service)
        return None if found is None else contract_of(str(found["name"]), self._whole(found))

    def services(self) -> list[str]:
        """The ARM ids of all web services of the resource group."""
        return [str(found["id"]) for found in self._arm.list(f"{self._group}/providers/{_TYPE}")]

    def publish(
        self,
        name: str,
        graph: Mapping[str, Any],
        resources: Sequence[Mapping[str, Any]],
        before_write: Callable[[], None] = lambda: None,
    ) -> Published:
        """Save the experiment, take its definition, give it storage account and plan, and create the service of it."""
        before_write()
        experiment = self._experiments.save(name, graph, resources)
        definition = self._experiments.definition(experiment)
        before_write()
        self.put(self._id(name), definition)
        return Published(experiment, self._id(name), "")

    def put(self, service: str, definition: Mapping[str, Any], *, like: str = "", etag: str = "") -> None:
        """Create or replace a web service by a definition that lacks what the service hides: account key and plan.

        *like* is the service that it is a copy of, or itself, whose plan pays for it. With the *etag* that was read it
        is replaced only if nobody else has changed it since. Raises ServiceError with what the service finds wrong
        (such as that nobody pays for it), Conflict.
        """
        account = self._blobs.key(definitions.account_name(definition))
        plan = self._plan or plan_of(self._transport, like or service, self._clock)
        body = definitions.complete(definition, account.credential(), plan)
        if not definitions.member(body, "location"):
            definitions.put_member(body, "location", self._location())
        if self._regions:
            tags = definitions.member(body, "tags") or {}
            definitions.put_member(body, "tags", {**tags, _REGIONS_TAG: ",".join(self._regions)})
        self._arm.put(service, body, f"the web service {_name(service)!r}", etag)
        self._prepare_regions(service, body)

    def _prepare_regions(self, service: str, definition: Mapping[str, Any]) -> None:
        """Bring what the service is now to the other regions that its tag names."""
        for region in regions_of(definition):
            what = f"the web service {_name(service)!r} in {region}"
            self._arm.post(f"{service}/CreateRegionalBlob", what, region=region)

    def _location(self) -> str:
        workspaces = ResourceManager(self._transport, "2019-10-01", self._clock)
        return str(workspaces.get(self._workspace["resource"])["location"])

    def unpublish(self, service: str, experiment: str) -> None:
        """Delete a web service, and the experiment it was made from."""
        self._arm.delete(service, f"the web service {_name(service)!r}")
        self._experiments.delete(experiment)

    def endpoint(self, service: str, name: str) -> EndpointFound | None:
        """The service that is the endpoint *name* of *service*; None where there is none."""
        found = self._arm.find(_endpoint_id(service, name))
        if found is None:
            return None
        own = definitions.properties(found)
        swagger = str(definitions.member(own, "swaggerLocation") or "")
        return EndpointFound(
            name=name,
            url=swagger.removesuffix(_SWAGGER),
            update_url=f"{self._arm.base_url}{_endpoint_id(service, name)}?api-version={API_VERSION}",
            help_url=swagger,
            description=_description(found),
            region_urls={region: self._regional_url(found["id"], region) for region in regions_of(found)},
        )

    def _regional_url(self, service: str, region: str) -> str:
        own = definitions.properties(self._arm.get(service, region=region))
        return str(definitions.member(own, "swaggerLocation") or "").removesuffix(_SWAGGER)

    def key(self, service: str, name: str) -> str:
        """The primary key of the data plane. Raises NotFound."""
        return str(self._arm.get(f"{_endpoint_id(service, name)}/listKeys")["primary"])

    def put_endpoint(self, service: str, name: str, description: str) -> None:
        """Create an endpoint as a copy of the service, or change the description of one that is there."""
        endpoint = _endpoint_id(service, name)
        if self._arm.find(endpoint) is not None:
            body = {"properties": {"packageType": "Graph", "description": description}}
            self._arm.patch(endpoint, body, f"the web service {_name(endpoint)!r}")
            return
        copy = self._named(self.definition(service), service, name, description)
        self.put(endpoint, copy, like=service)

    def _named(self, definition: Json, service: str, name: str, description: str) -> Json:
        """A service's definition, titled as the one of its endpoint *name*."""
        own = definitions.properties(definition)
        definitions.put_member(own, "title", f"{_name(service)} {name}")
        definitions.put_member(own, "description", description)
        definitions.put_member(definition, "properties", own)
        return definition

    def refresh_endpoint(self, service: str, name: str) -> None:
        """Give an endpoint the graph that its service has now; it keeps the model that it serves."""
        endpoint = _endpoint_id(service, name)
        present = self.definition(endpoint)
        fresh = self._named(self.definition(service), service, name, _description(present))
        for model, uri in definitions.models(present).items():
            if model in definitions.models(fresh):
                fresh = definitions.with_model(fresh, model, uri)
        self.put(endpoint, fresh, like=service)

    def delete_endpoint(self, service: str, name: str) -> None:
        """Delete the service that is an endpoint; one that is gone is no error."""
        endpoint = _endpoint_id(service, name)
        self._arm.delete(endpoint, f"the web service {_name(endpoint)!r}")

    def jobs(self, service: str) -> StudioJobs:
        """Batch jobs of a training service."""
        return StudioJobs(self._data_plane(service, DEFAULT_ENDPOINT))

    def bindings(self, service: str, endpoint: str) -> NewBindings:
        """The model that an endpoint serves."""
        return NewBindings(
            self._arm,
            _endpoint_id(service, endpoint),
            self._account,
            self._whole,
            lambda definition, etag: self.put(_endpoint_id(service, endpoint), definition, etag=etag),
            lambda definition: self._prepare_regions(_endpoint_id(service, endpoint), definition),
        )

    def served(self, service: str) -> dict[str, list[Binding]]:
        """The models that all endpoints of a service serve, by the endpoint's name. Raises NotFound."""
        names = {DEFAULT_ENDPOINT: service} | {
            found[len(service) + 1 :]: found
            for found in self.services()
            if found.lower().startswith(f"{service.lower()}-")
        }
        return {name: self.bindings(service, name).read() for name in names}

    def scoring(self, service: str, endpoint: str) -> StudioScoring:
        """Scoring by an endpoint. Raises NotFound."""
        return StudioScoring(self._data_plane(service, endpoint), self._input)

    def _data_plane(self, service: str, endpoint: str) -> Transport:
        found = self.endpoint(service, endpoint)
        if found is None:
            raise NotFound(
                f"there is no web service {_name(_endpoint_id(service, endpoint))!r}",
                "run ./dev refresh to see what is there, then ./dev up",
                status=404,
            )
        key = Bearer(lambda: Token(self.key(service, endpoint)))
        return replace(
            self._transport,
            service="the web service",
            base_url=found.url,
            authorize=key.headers,
            renew=key.renew,
        )

    def _id(self, name: str) -> str:
        return f"{self._group}/providers/{_TYPE}/{name}"


def _endpoint_id(service: str, endpoint: str) -> str:
    return service if endpoint == DEFAULT_ENDPOINT else f"{service}-{endpoint}"


def regions_of(definition: Mapping[str, Any]) -> list[str]:
    """Where a service is published besides its own region, as its tag says."""
    tags = definitions.member(definition, "tags") or {}
    return [region for region in str(tags.get(_REGIONS_TAG) or "").split(",") if region]


def _description(definition: Mapping[str, Any]) -> str:
    return str(definitions.member(definitions.properties(definition), "description") or "")


def _name(service: str) -> str:
    return service.rpartition("/")[2]
