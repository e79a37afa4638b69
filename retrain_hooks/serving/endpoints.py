"""The endpoints of a web service and the model that each serves: where they are, and what they say, asked once a run."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from urllib.parse import unquote

from clients.protocols import Binding, EndpointFound, Services
from clients.storage import Container
from retrain_hooks.host.inputs import Inputs, prop
from retrain_hooks.host.lifecycle import Context, known
from retrain_hooks.host.references import ServiceRef
from retrain_hooks.registry.adoption import Adopted, adopted_model
from retrain_hooks.registry.markers import Marker


@dataclass(frozen=True, kw_only=True)
class Place(Inputs):
    """Where a model is served: on endpoints of a web service, as one of its updatable resources."""

    target: str = prop("name of the target", identity=True)
    service: ServiceRef = prop("the predictive web service", identity=True)
    endpoint: str = prop(
        "name of the live endpoint, the last to get a model", name="endpointName", identity=True
    )
    staging: str = prop(
        "name of the endpoint where a model is scored first; empty: none", name="stagingEndpoint", default=""
    )
    resource: str = prop("name of the trained model that is replaced", identity=True)
    graph: str = prop("digest of what the service publishes, where its models are served by it", default="")

    @property
    def placed(self) -> bool:
        """Whether it is known where it is."""
        return known(self.target, self.service, self.endpoint, self.resource)

    def marker(self, endpoint: str, address: str) -> Marker:
        """That *endpoint* serves the model at *address*, as the registry keeps it."""
        service = self.service
        workspace = {name: str(value) for name, value in service.workspace.props().items()}
        return Marker(self.target, service.id, workspace, endpoint, self.resource, address)


def found_endpoint(context: Context, target: str, service: ServiceRef, name: str) -> EndpointFound | None:
    """An endpoint with what it serves, asked once a run; None where there is none.

    Whoever changes one tells ``changed_endpoint``.
    """
    services = context.services(target, service.props())
    return context.memory.once(_question(target, service, name), lambda: services.endpoint(service.id, name))


def changed_endpoint(context: Context, target: str, service: ServiceRef, name: str) -> None:
    """An endpoint was changed, or is about to be: what was known of it is forgotten."""
    context.memory.forget(*_question(target, service, name))


def changed_service(context: Context, target: str, service: str) -> None:
    """A service (its id) was published or deleted, and so were its endpoints: what was known of them is forgotten."""
    context.memory.forget("endpoint", target, service.casefold())


def _question(target: str, service: ServiceRef, name: str) -> tuple[str, ...]:
    return "endpoint", target, service.id.casefold(), name


class Endpoints:
    """What is known of the endpoints of *place*.

    *models* are addresses that may be meant by what an endpoint says: one that was adopted can be served from elsewhere.
    """

    def __init__(self, context: Context, place: Place, *models: str) -> None:
        self.context = context
        self.place = place
        self._models = tuple(dict.fromkeys(model for model in models if model and isinstance(model, str)))

    @cached_property
    def services(self) -> Services:
        """The web services that ours is one of."""
        return self.context.services(self.place.target, self.place.service.props())

    @cached_property
    def registry(self) -> Container:
        """Where the models are."""
        return self.context.registry(self.place.target)

    def location(self, name: str) -> str | None:
        """Where the model lies that an endpoint says it serves; empty where it serves none, None where it is not there."""
        found = found_endpoint(self.context, self.place.target, self.place.service, name)
        if found is None:
            return None
        binding = self.binding(found.models)
        return binding.location if binding else ""

    def served(self, name: str) -> str | None:
        """The address of the model that an endpoint says it serves; None where it is not there."""
        location = self.location(name)
        return None if location is None else self.address_of(location)

    def binding(self, models: tuple[Binding, ...]) -> Binding | None:
        """Which of an endpoint's models is ours; of several, that with the largest share."""
        return next(iter(self.bindings(models)), None)

    def bindings(self, models: tuple[Binding, ...]) -> list[Binding]:
        """Those of an endpoint's models that are in the place of ours."""
        resource = self.place.resource.casefold()
        return [one for one in models if one.resource.casefold() in ("", resource)]

    def split(self, name: str) -> str:
        """How an endpoint shares its calls among several models, in words; empty where one gets all."""
        found = found_endpoint(self.context, self.place.target, self.place.service, name)
        return self.in_words(self.bindings(found.models)) if found else ""

    def in_words(self, bindings: list[Binding]) -> str:
        """The models of *bindings* with their shares; empty where one gets all calls."""
        if len(bindings) < 2:
            return ""
        return ", ".join(f"{one.share} % {self.address_of(one.location)}" for one in bindings)

    def address_of(self, location: str) -> str:
        """A model's address by its location: an adopted one's, or without the registry's name."""
        written = location.removeprefix(f"{self.registry.name}/")
        if not location or written in self._models:
            return written
        address = unquote(written)  # as a service may say it: a part of an address
        adopted = (self.adopted(model) for model in self._models)
        return next((one.address for one in adopted if one and location in (one.location, one.uri)), address)

    def adopted(self, address: str) -> Adopted | None:
        """What is on record of the model at *address*, if it was adopted."""
        question = ("adopted", self.place.target, address)
        return self.context.memory.once(question, lambda: adopted_model(self.registry, address))

    def changed(self, name: str) -> None:
        """Ask anew what an endpoint serves."""
        changed_endpoint(self.context, self.place.target, self.place.service, name)
