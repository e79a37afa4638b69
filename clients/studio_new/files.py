"""Definitions of New web services as files: out of a service, and into one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from clients.arm.resource_manager import Json, ResourceManager
from clients.clock import Clock
from clients.credentials import Target
from clients.errors import ConfigurationError, NotFound
from clients.existing import ExistingService
from clients.http.answers import rows, text
from clients.names import nearest
from clients.protocols import NEW
from clients.storage import Container
from clients.studio_new import definition as definitions
from clients.studio_new.plans import plan_of
from clients.studio_new.store import API_VERSION, WebServiceStore

_TYPE = "Microsoft.MachineLearning/webServices"


class DefinitionFiles:
    """Exports and imports definitions of the services that *target* is signed in to; *registry* holds our models."""

    def __init__(self, target: Target, registry: Container, clock: Clock) -> None:
        self._target, self._registry, self._clock = target, registry, clock
        self._arm = ResourceManager(target.arm, API_VERSION, clock)

    def export(self, name: str) -> Json:
        """The complete definition of a service without secrets. Raises NotFound for an unknown one."""
        service = self._existing(name)
        if service is None:
            raise NotFound(
                f"there is no web service {name!r}; {nearest(name, self._names())}", "name one of these"
            )
        return definitions.exported(self._store(service).read(service)[0])

    def import_(
        self, definition: Mapping[str, Any], name: str, plan: str = "", model: str = "", resource: str = ""
    ) -> str:
        """Create or replace a service by a definition; its resource id.

        *name* is a name or a resource id, else the definition's own name. *model*, an address in the registry or a URL,
        takes the place of the trained model *resource*, where the definition has several. Raises ConfigurationError,
        BindingFailed where there is no such trained model, ServiceError with what the service finds wrong.
        """
        if not definitions.properties(definition):
            raise ConfigurationError(
                "the file holds no definition: it has no properties",
                "name a file that ./dev definition export wrote",
            )
        name = name or str(definitions.member(definition, "name") or "")
        if not name:
            raise ConfigurationError(
                "the file does not say which web service it is of", "name the service: --name NAME"
            )
        service = self._existing(name)
        body: Json = dict(definition)
        if service is None:
            service = self._new(name)
        else:
            body = self._onto(service, body)
        own_plan = plan or plan_of(self._target.arm, service, self._clock)
        if not own_plan:
            raise ConfigurationError(
                f"the web service {name!r} has no commitment plan",
                "name one: --plan /subscriptions/…/providers/Microsoft.MachineLearning/commitmentPlans/NAME",
            )
        if model:
            body = self._with_model(body, model, resource)
        self._store(service, own_plan).put(service, body)
        return service

    def _onto(self, service: str, body: Json) -> Json:
        """The definition for a service that is there: in its place, with its storage account."""
        present = self._arm.get(service)
        own = definitions.properties(present)
        if definitions.member(own, "readOnly"):
            raise ConfigurationError(
                f"the web service {service.rpartition('/')[2]!r} is read-only: it can be deleted, and not updated",
                "import the definition as another service: --name RESOURCE-ID",
            )
        definitions.put_member(body, "location", definitions.member(present, "location"))
        given = definitions.properties(body)
        definitions.put_member(given, "storageAccount", {"name": definitions.account_name(present)})
        definitions.put_member(body, "properties", given)
        return body

    def _with_model(self, body: Json, model: str, resource: str) -> Json:
        """The definition with exactly one trained model's address replaced."""
        models = definitions.models(body)
        if not resource and len(models) != 1:
            raise ConfigurationError(
                f"the definition has {len(models)} trained models: {', '.join(models) or 'none'}",
                "name the one to be replaced: --resource NAME" if models else "leave out --model",
            )
        return definitions.with_model(body, resource or next(iter(models)), self._uri(body, model))

    def _uri(self, body: Json, model: str) -> str:
        """The address of a model; one of the registry's is opened by a signature, unless the service has its account."""
        if "://" in model:
            return model
        address = model.removeprefix(f"{self._registry.name}/")
        if self._registry.stat(address) is None:
            raise ConfigurationError(
                f"there is no model {address!r} in the registry",
                "see ./dev runs show KEY for a model's address",
            )
        found = self._registry.readable(address)
        account = definitions.account_name(body)
        services = f"AccountName={account};"
        ours = not account or services in f"{self._target.connection_string};"
        return found.url if ours else found.opened

    def _existing(self, name: str) -> str | None:
        """The resource id of a service that is there, by its name or id. Raises ConfigurationError for one of several."""
        if "/" in name:
            found = ExistingService.parse(name)
            if found.kind != NEW:
                raise ConfigurationError(
                    f"{name} is a classic web service, which shows no definition", "name a New web service"
                )
            return found.id if self._arm.find(found.id) else None
        matching = [each for each in self._all() if each.rpartition("/")[2].casefold() == name.casefold()]
        if len(matching) > 1:
            raise ConfigurationError(
                f"{len(matching)} web services are called {name!r}: {', '.join(matching)}",
                "give the resource id of one of them",
            )
        return matching[0] if matching else None

    def _new(self, name: str) -> str:
        """The id of a service that is to be created."""
        if "/" in name:
            return ExistingService.parse(name).id
        raise ConfigurationError(
            f"there is no web service {name!r}; {nearest(name, self._names())}",
            "name one of these, or, to create one, its resource id: "
            f"/subscriptions/…/resourceGroups/…/providers/{_TYPE}/{name}",
        )

    def _all(self) -> list[str]:
        page = self._target.arm.get("/subscriptions", **{"api-version": "2021-01-01"})
        return [
            text(found, "id")
            for one in rows(page, "value")
            for found in self._arm.list(f"/subscriptions/{text(one, 'subscriptionId')}/providers/{_TYPE}")
        ]

    def _names(self) -> list[str]:
        return [one.rpartition("/")[2] for one in self._all()]

    def _store(self, service: str, plan: str | None = None) -> WebServiceStore:
        place = {"resource": service.partition("/providers/")[0], "id": ""}
        return WebServiceStore(self._target, place, self._clock, plan)
