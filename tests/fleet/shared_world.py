"""A fleet whose members share one online endpoint, in memory: deployments by packs, their traffic, and who answers."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from clients.azureml.members import members_of, packed
from clients.azureml.slots import Slot
from clients.errors import BindingFailed, NotFound, RetrainError, ServiceError
from clients.protocols import Binding, EndpointFound
from retrain_hooks.host.lifecycle import Props
from tests.fleet.world import RESOURCE, Fleet, Services
from tests.unit.fakes import MemoryContainer

ONLINE = "fleet-online"


class SharedServices(Services):
    """The workspace: *packs* are deployed ones, the last staged last, *traffic* their shares.

    A model that says one of *silent* does not answer, *astray* makes the endpoint answer by another model than it says,
    *breaks* keeps a deployment from coming up.
    """

    def __init__(self, registry: MemoryContainer, data: MemoryContainer) -> None:
        super().__init__(registry, data)
        self.packs: list[str] = []
        self.traffic: dict[str, int] = {}
        self.made: list[str] = []
        self.there = True
        self.silent: set[bytes] = set()
        self.astray = False
        self.breaks: Callable[[], RetrainError] | None = None

    def served(self, place: str) -> list[Binding]:
        """What a slot serves, the most first."""
        slot = Slot.parse(place)
        shares = {self.packs[-1]: 100} if slot.staging and self.packs else self.traffic
        packs = [] if slot.staging and not self.packs else sorted(shares, key=lambda one: -shares[one])
        found = [Binding(RESOURCE, f"registry/{pack}", share=shares[pack], code="g" * 64) for pack in packs]
        if not slot.member:
            return found
        models = members_of(self._registry, packs[0]) if packs else {}
        member = models.get(slot.member)
        return [replace(found[0], location=f"registry/{member}")] if member else []

    def members(self, _service: str, endpoint: str) -> dict[str, list[Binding]]:
        self.calls.append("listed")
        if not self.there:
            raise NotFound("there is no endpoint", "make it", status=404)
        most = next(iter(self.served(endpoint)), None)
        models = members_of(self._registry, most.location.removeprefix("registry/")) if most else {}
        slots = {name: str(Slot(endpoint, member=name)) for name in models}
        return {slot: self.served(slot) if len(self.traffic) == 1 else [] for name, slot in slots.items()}

    def endpoint(self, _service: str, name: str) -> EndpointFound | None:
        self.calls.append("endpoint")
        if not self.there or Slot.parse(name).endpoint != ONLINE:
            return None
        return EndpointFound(name, "http://online/score", "", "", "", {}, tuple(self.served(name)))

    def bindings(self, _service: str, endpoint: str) -> Any:
        return _Traffic(self, endpoint)

    def scoring(self, _service: str, endpoint: str) -> Any:
        slot = Slot.parse(endpoint)
        packs = self.packs[-1:] if slot.staging else list(self.traffic)

        class Scorer:
            def score(_self, rows: Any) -> list[dict[str, str]]:
                model = packed(self._registry, packs[0], slot.member)
                if model in self.silent:
                    raise ServiceError("the model can't be loaded", "correct it", status=424)
                digit = hashlib.sha256(model + b"astray" * (self.astray and not slot.staging)).hexdigest()[:6]
                return [{"Scored Probabilities": f"0.{int(digit, 16)}"} for _row in rows]

        return Scorer()


class _Traffic:
    """The traffic of one place, as a binding writes it."""

    def __init__(self, services: SharedServices, place: str) -> None:
        self._services, self._slot = services, Slot.parse(place)
        self._found: dict[str, int] | None = None

    def read(self) -> list[Binding]:
        if not self._services.there:
            raise BindingFailed("there is no endpoint", "make it")
        return self._services.served(str(self._slot))

    def write(self, resource: str, model: Any) -> None:
        self.move(resource, model, 100)

    def move(self, _resource: str, model: Any, _share: int) -> None:
        services, pack = self._services, model.path.removeprefix("registry/")
        if self._slot.staging:
            if services.breaks:
                raise services.breaks()
            services.packs = [one for one in services.packs if one != pack] + [pack]
            services.made.append(pack)
            return
        services.calls.append("move")
        self._found = self._found if self._found is not None else services.traffic
        services.traffic = {pack: 100}

    def mirror(self, resource: str, model: Any, share: int) -> None:
        raise AssertionError("nothing is mirrored to members")

    def withdraw(self) -> None:
        self._services.traffic = {}

    def put_back(self) -> bool:
        found, self._found = self._found, None
        if found is not None:
            self._services.traffic = found
        return found is not None

    def retire(self, _keep: int) -> None:
        self._services.packs = [one for one in self._services.packs if one in self._services.traffic]


class SharedFleet(Fleet):
    """One stack's fleet of kind azureml."""

    services: SharedServices

    def __init__(self, *shops: str) -> None:
        super().__init__()
        self.services = SharedServices(self.registry, self.data)
        for name in shops:
            self.shop(name)

    @property
    def roster(self) -> Props:
        """What stands for all that the fleet makes."""
        return {**super().roster, "online": ONLINE}

    def props(self, **given: Any) -> Props:
        """What the component gives to the resource."""
        return super().props(**{"online": ONLINE, **given})

    def serves(self, member: str) -> str:
        """The content of the model that answers for a member; empty where none does."""
        if not self.services.traffic:
            return ""
        (pack,) = self.services.traffic
        if member not in members_of(self.registry, pack):
            return ""
        return packed(self.registry, pack, member).decode("latin-1")

    def packs(self) -> set[str]:
        """The packs that lie in the registry."""
        return {one.name.split("/")[2] for one in self.registry.list("models/members-")}

    def marked(self) -> int:
        """How many models are marked as served."""
        return len(self.registry.list("bound/"))
