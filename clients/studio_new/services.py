"""The New web services of a resource group, behind the protocol that every kind of service has.

A New web service has no endpoints: the service itself owns a model. So an endpoint of one is a service of its own, a
copy of its definition under the name ``<service>-<endpoint>``; the ``default`` one is the service itself.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from typing import Any

from clients.arm.resource_manager import Json
from clients.clock import Clock
from clients.credentials import Target
from clients.errors import NotFound
from clients.http.answers import text
from clients.http.transport import Transport
from clients.protocols import DEFAULT_ENDPOINT, Binding, Contract, Deployable, EndpointFound, Published
from clients.sign_in import Bearer, Token
from clients.storage import BlobRef
from clients.studio_classic.publishing import Publishing
from clients.studio_data_plane.jobs import StudioJobs
from clients.studio_data_plane.scoring import StudioScoring
from clients.studio_new import definition as definitions
from clients.studio_new.bindings import NewBindings, models_of
from clients.studio_new.contract import contract_of
from clients.studio_new.store import API_VERSION, WebServiceStore, name_of, regions_of

_TYPE = "Microsoft.MachineLearning/webServices"
_SWAGGER = "/swagger.json"


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
        self._store = WebServiceStore(target, workspace, clock, plan, regions)
        self._arm = self._store.arm

    @cached_property
    def _experiments(self) -> Publishing:
        resource = self._workspace["resource"]
        workspace = self._workspace.get("id") or self._target.workspace_id(resource)
        return Publishing(self._target.studio(resource), workspace, self._clock)

    def find(self, name: str) -> tuple[str, EndpointFound | None] | None:
        """The ARM id of the web service called *name*, and itself as an endpoint; None where there is none."""
        found = self.endpoint(self._id(name), DEFAULT_ENDPOINT)
        return None if found is None else (self._id(name), found)

    def exists(self, service: str) -> bool:
        """Whether the web service is there."""
        return self._arm.find(service) is not None

    def definition(self, service: str) -> Json:
        """The complete definition of a web service, without what the service hides. Raises NotFound."""
        return self._store.read(service)[0]

    def contract(self, service: str) -> Contract | None:
        """What the service's definition says; None where the service is not there."""
        found = self._arm.find(service)
        return None if found is None else contract_of(text(found, "name"), self._store.whole(found))

    def services(self) -> list[str]:
        """The ARM ids of all web services of the resource group."""
        return [text(found, "id") for found in self._arm.list(f"{self._store.group}/providers/{_TYPE}")]

    def publish(
        self,
        name: str,
        experiment: Deployable,
        models: Mapping[str, BlobRef],
        before_write: Callable[[], None] = lambda: None,
    ) -> Published:
        """Save the experiment, take its definition, give it storage account and plan, and create the service of it."""
        before_write()
        saved = self._experiments.save(name, experiment.graph, models)
        definition = self._experiments.definition(saved)
        before_write()
        self._store.put(self._id(name), definition)
        return Published(saved, self._id(name), "")

    def unpublish(self, service: str, experiment: str) -> None:
        """Delete a web service, and the experiment it was made from, where one is named."""
        self._arm.delete(service, f"the web service {name_of(service)!r}")
        if experiment:
            self._experiments.delete(experiment)

    def endpoint(self, service: str, name: str) -> EndpointFound | None:
        """The service that is the endpoint *name* of *service*; None where there is none."""
        found = self._arm.find(_endpoint_id(service, name))
        if found is None:
            return None
        url = _data_plane_url(found)
        return EndpointFound(
            name=name,
            url=url,
            update_url=f"{self._arm.base_url}{_endpoint_id(service, name)}?api-version={API_VERSION}",
            help_url=url and f"{url}{_SWAGGER}",
            description=_description(found),
            region_urls={
                region: self._regional_url(text(found, "id"), region) for region in regions_of(found)
            },
            models=tuple(models_of(self._store, self._store.whole(found))),
        )

    def _regional_url(self, service: str, region: str) -> str:
        return _data_plane_url(self._arm.get(service, region=region))

    def key(self, service: str, name: str) -> str:
        """The primary key of the data plane. Raises NotFound."""
        return text(self._arm.get(f"{_endpoint_id(service, name)}/listKeys"), "primary")

    def put_endpoint(self, service: str, name: str, description: str) -> None:
        """Create an endpoint as a copy of the service, or change the description of one that is there."""
        endpoint = _endpoint_id(service, name)
        if self._arm.find(endpoint) is not None:
            body = {"properties": {"packageType": "Graph", "description": description}}
            self._arm.patch(endpoint, body, f"the web service {name_of(endpoint)!r}")
            return
        copy = self._named(self.definition(service), service, name, description)
        self._store.put(endpoint, copy, like=service)

    def _named(self, definition: Json, service: str, name: str, description: str) -> Json:
        """A service's definition, titled as the one of its endpoint *name*."""
        own = definitions.properties(definition)
        definitions.put_member(own, "title", f"{name_of(service)} {name}")
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
        self._store.put(endpoint, fresh, like=service)

    def delete_endpoint(self, service: str, name: str) -> None:
        """Delete the service that is an endpoint; one that is gone is not an error."""
        endpoint = _endpoint_id(service, name)
        self._arm.delete(endpoint, f"the web service {name_of(endpoint)!r}")

    def jobs(self, service: str) -> StudioJobs:
        """Batch jobs of a training service."""
        return StudioJobs(self._data_plane(service, DEFAULT_ENDPOINT))

    def bindings(self, service: str, endpoint: str) -> NewBindings:
        """The model that an endpoint serves."""
        return NewBindings(self._store, _endpoint_id(service, endpoint))

    def served(self, service: str) -> dict[str, list[Binding]]:
        """The models that all endpoints of a service serve, by the endpoint's name. Raises NotFound."""
        return {name: self.bindings(service, name).read() for name in self.listed(service)}

    def listed(self, service: str) -> dict[str, None]:
        """All endpoints of a service, in one list call, which doesn't tell their models."""
        own = len(service) + 1
        others = [found for found in self.services() if found.lower().startswith(f"{service.lower()}-")]
        return dict.fromkeys((DEFAULT_ENDPOINT, *(found[own:] for found in others)))

    def scoring(self, service: str, endpoint: str) -> StudioScoring:
        """Scoring by an endpoint. Raises NotFound."""
        return StudioScoring(self._data_plane(service, endpoint), self._input)

    def _data_plane(self, service: str, endpoint: str) -> Transport:
        found = self._arm.find(_endpoint_id(service, endpoint))
        if found is None:
            raise NotFound(
                f"there is no web service {name_of(_endpoint_id(service, endpoint))!r}",
                "run ./dev refresh to see what is there, then ./dev up",
                status=404,
            )
        key = Bearer(lambda: Token(self.key(service, endpoint)))
        return replace(
            self._store.transport,
            service="the web service",
            base_url=_data_plane_url(found),
            authorize=key.headers,
            renew=key.renew,
        )

    def _id(self, name: str) -> str:
        return f"{self._store.group}/providers/{_TYPE}/{name}"


def _endpoint_id(service: str, endpoint: str) -> str:
    return service if endpoint == DEFAULT_ENDPOINT else f"{service}-{endpoint}"


def _data_plane_url(definition: Mapping[str, Any]) -> str:
    swagger = definitions.member(definitions.properties(definition), "swaggerLocation")
    return str(swagger or "").removesuffix(_SWAGGER)


def _description(definition: Mapping[str, Any]) -> str:
    return str(definitions.member(definitions.properties(definition), "description") or "")
