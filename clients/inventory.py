"""What there is to adopt: workspaces with their classic web services, and New web services. Reads only."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from clients.arm.resource_manager import Json, ResourceManager
from clients.clock import Clock
from clients.credentials import Target
from clients.errors import ConfigurationError, CredentialError, RetrainError
from clients.http.answers import rows, text
from clients.names import nearest
from clients.protocols import CLASSIC, NEW, Binding, Contract
from clients.studio_classic.services import ClassicServices
from clients.studio_new import definition as definitions
from clients.studio_new.plans import associations
from clients.studio_new.services import NewServices
from clients.studio_new.store import API_VERSION, regions_of

_WORKSPACES = "2019-10-01"
_PROVIDER = "providers/Microsoft.MachineLearning"


@dataclass(frozen=True)
class FoundEndpoint:
    """An endpoint: its *name*, what it *serves*, and how ``Endpoint(existing=…)`` names it; *address* is the path that it
    is called at, ``/workspaces/…/services/…`` or ``/subscriptions/…/services/…``, where it is told.
    """

    name: str
    existing: str
    serves: tuple[Binding, ...] = ()
    address: str = ""


@dataclass(frozen=True)
class FoundService:
    """A web service: its *kind* and *id*, what it says of itself, and its endpoints. Of a New one also *location*, the
    further *regions* that its tag names, and *plan*. *problem* is why it could not be read to the end.
    """

    kind: str
    id: str
    contract: Contract
    endpoints: tuple[FoundEndpoint, ...] = ()
    location: str = ""
    regions: tuple[str, ...] = ()
    plan: str = ""
    read_only: bool = False
    problem: str = ""

    @property
    def trains(self) -> bool:
        """Whether it may be a training service: it has outputs, and no model that could be replaced."""
        return not self.contract.resources


@dataclass(frozen=True)
class FoundWorkspace:
    """A workspace, or (without *id*) a resource group that holds New web services: its resource id, and what is in it.

    *problem* is why its classic web services could not be listed.
    """

    resource: str
    id: str = ""
    location: str = ""
    services: tuple[FoundService, ...] = ()
    problem: str = ""

    @property
    def name(self) -> str:
        """The last part of its resource id."""
        return self.resource.rpartition("/")[2]

    @property
    def group(self) -> str:
        """Its resource group's id."""
        return self.resource.partition("/providers/")[0]


def _called(url: str) -> str:
    """The path of an endpoint in the address of something that belongs to it."""
    found = re.search(r"/(?:workspaces|subscriptions)/[^/?]+/services/[^/?]+", url)
    return found[0] if found else ""


class Inventory:
    """Looks through the subscriptions that *target* is signed in to."""

    def __init__(self, target: Target, clock: Clock) -> None:
        self._target, self._clock = target, clock
        self._arm = target.arm

    def workspaces(self, wanted: str = "") -> list[FoundWorkspace]:
        """All workspaces with their web services, and groups that hold New ones only; or those called *wanted*.

        New web services are listed with the first workspace of their resource group. Raises ConfigurationError where
        nothing is called *wanted*.
        """
        found = [one for subscription in self._subscriptions() for one in self._of(subscription, wanted)]
        if wanted and not found:
            there = [
                text(one, "name")
                for subscription in self._subscriptions()
                for one in self._list(subscription)
            ]
            raise ConfigurationError(
                f"there is no workspace {wanted!r}; {nearest(wanted, there)}",
                "name one of these, by its name or its resource id",
            )
        return found

    def _subscriptions(self) -> list[str]:
        page = self._arm.get("/subscriptions", **{"api-version": "2021-01-01"})
        return [text(one, "subscriptionId") for one in rows(page, "value")]

    def _list(self, subscription: str) -> list[Json]:
        workspaces = ResourceManager(self._arm, _WORKSPACES, self._clock)
        return workspaces.list(f"/subscriptions/{subscription}/{_PROVIDER}/workspaces")

    def _of(self, subscription: str, wanted: str) -> Iterator[FoundWorkspace]:
        arm = ResourceManager(self._arm, API_VERSION, self._clock)
        new: dict[str, list[Json]] = {}
        for service in arm.list(f"/subscriptions/{subscription}/{_PROVIDER}/webServices"):
            group = text(service, "id").partition("/providers/")[0]
            new.setdefault(group.casefold(), []).append(service)
        plans = self._plans(subscription) if new else {}
        for workspace in self._list(subscription):
            resource, id_ = text(workspace, "id"), text(workspace, "properties", "workspaceId")
            group = resource.partition("/providers/")[0]
            own = new.pop(group.casefold(), [])
            if wanted.casefold() in ("", resource.casefold(), text(workspace, "name").casefold()):
                classic, problem = self._classic_of(resource, id_)
                services = (*classic, *(self._new(one, plans) for one in own))
                location = str(workspace.get("location") or "")
                yield FoundWorkspace(resource, id_, location, services, problem)
        for services_of_group in new.values():
            group = text(services_of_group[0], "id").partition("/providers/")[0]
            if wanted.casefold() in ("", group.casefold(), group.rpartition("/")[2].casefold()):
                services = tuple(self._new(one, plans) for one in services_of_group)
                yield FoundWorkspace(group, services=services)

    def _plans(self, subscription: str) -> dict[str, str]:
        try:
            return associations(self._arm, subscription, self._clock)
        except CredentialError:
            return {}

    def _classic_of(self, resource: str, workspace: str) -> tuple[tuple[FoundService, ...], str]:
        """The classic services, or why they can't be listed: a reader does not get the workspace's token."""
        try:
            return tuple(self._classic(resource, workspace)), ""
        except CredentialError as error:
            return (), error.cause

    def _classic(self, resource: str, workspace: str) -> Iterator[FoundService]:
        if not self._target.studio_url:
            return
        services = ClassicServices(self._target, resource, workspace, self._clock)
        for id_, name in services.names().items():
            try:
                located = services.located(id_)
                contract = services.contract(id_) or Contract(name)
            except RetrainError as error:
                yield FoundService(CLASSIC, id_, Contract(name), problem=error.cause)
                continue
            endpoints = tuple(
                FoundEndpoint(endpoint, endpoint, tuple(bindings), _called(address))
                for endpoint, (address, bindings) in located.items()
            )
            yield FoundService(CLASSIC, id_, contract, endpoints)

    def _new(self, listed: Json, plans: dict[str, str]) -> FoundService:
        id_, name = text(listed, "id"), text(listed, "name")
        place = {"resource": id_.partition("/providers/")[0], "id": ""}
        services = NewServices(self._target, place, self._clock)
        own = definitions.properties(listed)
        endpoints: tuple[FoundEndpoint, ...] = ()
        contract, problem = Contract(name), ""
        try:
            contract = services.contract(id_) or contract
            bindings = tuple(services.bindings(id_, "default").read())
            address = _called(str(definitions.member(own, "swaggerLocation") or ""))
            endpoints = (FoundEndpoint("default", id_, bindings, address),)
        except RetrainError as error:
            problem = error.cause
        return FoundService(
            NEW,
            id_,
            contract,
            endpoints,
            str(listed.get("location") or ""),
            tuple(regions_of(listed)),
            plans.get(id_.casefold(), ""),
            bool(definitions.member(own, "readOnly")),
            problem,
        )
