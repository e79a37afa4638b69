"""A gated endpoint from its first deployment on: promotion, endpoints and binding of one stack, with services in memory."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from clients.errors import RetrainError, Unreachable
from clients.protocols import EndpointFound
from retrain_hooks.binding.lifecycle import ModelBindingLifecycle
from retrain_hooks.gate.lifecycle import PromotionLifecycle
from retrain_hooks.host.lifecycle import Context
from retrain_hooks.services.endpoint import EndpointLifecycle
from tests.unit.promotion_world import RESOURCE, SERVICE, Services, World


class Published(Services):
    """A web service whose further endpoints are made and deleted; nothing is there at first but its default one."""

    def __init__(self, kind: str) -> None:
        super().__init__()
        del self.serving["live"]
        self.kind = kind
        self.deaf_to: set[str] = set()
        self.seen: list[dict[str, str]] = []

    def endpoint(self, service: str, name: str) -> Any:
        found = super().endpoint(service, name)
        return found and EndpointFound(
            name, f"http://{name}", f"http://{name}/patch", "", "", {}, found.models
        )

    def put_endpoint(self, _service: str, name: str, _description: str) -> None:
        """As Studio does it: a copy of the default endpoint."""
        self.serving.setdefault(name, self.serving["default"])

    def refresh_endpoint(self, _service: str, _name: str) -> None: ...

    def delete_endpoint(self, _service: str, name: str) -> None:
        self.serving.pop(name, None)

    def bindings(self, service: str, endpoint: str) -> Any:
        found = super().bindings(service, endpoint)
        write = found.write

        def perhaps(resource: str, model: Any) -> None:
            if endpoint in self.deaf_to:
                raise Unreachable("nobody answers", "wait")
            write(resource, model)

        found.write = perhaps
        return found


@dataclass
class Resource:
    """One resource as an engine keeps it: its last inputs and outputs, and what a replaced one has left to delete."""

    life: Callable[[Context], Any]
    inputs: dict[str, Any] = field(default_factory=dict)
    outputs: dict[str, Any] = field(default_factory=dict)

    def up(self, context: Context, props: dict[str, Any], late: list[Callable[[], None]]) -> str:
        """Make it true; what an engine calls the step."""
        life = self.life(context)
        checked = life.check(props, self.inputs)
        step = "create"
        if self.outputs:
            diff = life.diff(self.outputs, checked)
            step = ("replace" if diff.replaces else "update") if diff.changes else "same"
            if diff.replaces:
                old = self.outputs
                late.append(lambda: life.delete("id", old))
        if step in ("create", "replace"):
            self.outputs = life.create(checked)[1]
        elif step == "update":
            self.outputs = life.update("id", self.outputs, checked)
        self.inputs = checked
        return step

    def refresh(self, context: Context) -> None:
        """Forget it where it is gone."""
        if self.outputs:
            found = self.life(context).read("id", self.outputs)
            self.outputs, self.inputs = found or ({}, {})


class Gated(World):
    """The resources of one gated endpoint, as the component ``Endpoint`` declares them."""

    def __init__(self, kind: str = "classic") -> None:
        super().__init__()
        self.services = Published(kind)
        self.trained("base", auc=0.7)
        self.resources = {
            name: Resource(life)
            for name, life in {
                "staging": EndpointLifecycle,
                "promotion": PromotionLifecycle,
                "pilot": EndpointLifecycle,
                "live": EndpointLifecycle,
                "binding": ModelBindingLifecycle,
            }.items()
        }
        self.live_name = "live"
        self.steps: dict[str, str] = {}

    @property
    def service(self) -> dict[str, Any]:
        return SERVICE | {"kind": self.services.kind}

    def deploy(self, candidate: str, *, rings: tuple[str, ...] = (), **gate: Any) -> RetrainError | None:
        """An update of the whole stack; the error that ends it, or None."""
        late: list[Callable[[], None]] = []
        self.steps = {}
        try:
            self._deploy(candidate, rings, gate, late)
        except RetrainError as error:
            return error
        for each in late:
            each()
        return None

    def _deploy(
        self, candidate: str, rings: tuple[str, ...], gate: dict[str, Any], late: list[Callable[[], None]]
    ) -> None:
        context, target = self.context, {"target": "local", "service": self.service}
        label = gate.get("label")
        if label:
            self._step("staging", context, {**target, "name": "staging"}, late)
        props = self.props(candidate, **gate) | target | {"endpointName": self.live_name}
        self._step("promotion", context, props, late)
        decided = self.resources["promotion"].outputs
        start = {"serves": decided["start"], "resource": RESOURCE}
        for name in (*rings, "live"):
            physical = self.live_name if name == "live" else name
            self._step(name, context, {**target, "name": physical, **start}, late)
        place = {
            name: props[name] for name in ("target", "service", "endpointName", "stagingEndpoint", "resource")
        }
        names = [*rings, self.live_name]
        stages = [{"name": name, "endpoints": [name]} for name in names]
        self._step("binding", context, {**place, **decided["model"], "rings": stages}, late)

    def _step(
        self, name: str, context: Context, props: dict[str, Any], late: list[Callable[[], None]]
    ) -> None:
        self.steps[name] = self.resources[name].up(context, props, late)

    def refresh(self) -> None:
        """Forget what is gone."""
        for resource in self.resources.values():
            resource.refresh(self.context)

    @property
    def gated(self) -> dict[str, str]:
        """What each endpoint behind the gate serves."""
        return {
            name: model.removeprefix("registry/")
            for name, model in self.services.serving.items()
            if name not in ("default", "staging")
        }
