"""The bindings of one stack with its services in memory, which go wrong as they are told to."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import pytest

from clients.errors import (
    BindingFailed,
    Conflict,
    RetrainError,
    ServiceError,
    Throttled,
    Unreachable,
    UpdateCancelled,
)
from clients.protocols import Binding
from retrain_hooks.binding.lifecycle import ModelBindingLifecycle
from retrain_hooks.host.lifecycle import Context
from retrain_hooks.registry.ledger import Ledger, Run
from retrain_hooks.registry.run_key import digest
from tests.unit.fakes import Listener, ManualClock, MemoryContainer
from tests.unit.promotion_world import RESOURCE, SERVICE, address, key

OLD, NEW, OTHER = address("old"), address("new"), address("other")
ROWS = "p,arr_delay\n" + "".join(f"{number / 20},{number}\n" for number in range(20))


class Killed(BaseException):
    """``kill -9``: nothing of the product runs any more."""


@dataclass
class Endpoint:
    """What an endpoint *says* that it serves, and the model that *answers*; each write meets the next of *faults*."""

    clock: ManualClock
    says: str = OLD
    answers: str = OLD
    faults: list[str] = field(default_factory=list)
    writes: list[str] = field(default_factory=list)
    later: list[tuple[float, Callable[[], None]]] = field(default_factory=list)
    broken: Callable[[], str] = str
    seconds: float = 0.0
    gone: bool = False

    def look(self) -> None:
        """Let happen what is due by now."""
        due = [each for each in self.later if each[0] <= self.clock.monotonic()]
        self.later = [each for each in self.later if each not in due]
        for _when, happen in due:
            happen()

    def write(self, model: str) -> None:
        self.look()
        kind, _, seconds = (self.faults.pop(0) if self.faults else "").partition(" ")
        when = self.clock.monotonic() + float(seconds or "inf")
        self.writes.append(model)
        before = (self.says, self.answers)

        def serve(says: str = model, answers: str = model) -> None:
            self.says, self.answers = says, answers

        if kind == "late" or (kind == "half" and seconds):
            self.later.append((when, serve))
        elif kind == "third":
            serve(answers=OTHER)
        elif kind == "stale":
            serve(answers=self.answers)
            self.later.append((when, lambda: serve(self.says, self.says)))
        elif kind not in ("unchanged", "lost", "incompatible", "refused", "failed", "conflict"):
            self.later.clear()
            serve()
        if kind == "rolled-back":
            self.later.append((when, lambda: serve(*before)))
        raise_for(kind, model)


def raise_for(kind: str, model: str) -> None:
    """What a client is told of a write that met a fault."""
    match kind:
        case "lost" | "came-through" | "late":
            raise Unreachable("nobody answers", "wait")
        case "half":
            raise ServiceError("half an answer", "wait")
        case "busy":
            raise Throttled("503", "wait", status=503)
        case "crashed":
            raise ServiceError("500", "wait", status=500)
        case "conflict":
            raise Conflict("another operation is under way", "wait", status=409)
        case "refused":
            raise ServiceError("400 BlobNotFound", "look", status=400, code="BlobNotFound")
        case "failed":  # an operation that ended badly has a code and no status
            raise ServiceError("it failed", "look", code="ResourceDownload")
        case "incompatible":
            code = "ModelOutputMetadataMismatch"
            raise Conflict(f"409 {code} {model}", "look", status=409, code=code, request_id="r1")


class Guard:
    """Raises what it is told to, at the n-th time that it is asked."""

    def __init__(self) -> None:
        self.asked, self.at, self.kind = 0, 0, UpdateCancelled

    def check(self) -> None:
        self.asked += 1
        if self.asked == self.at:
            raise self.kind("the update was cancelled", "run it again")


class Registry(MemoryContainer):
    """A registry whose n-th operation, together with those of the endpoints, is the last that a process makes."""

    def __init__(self, tick: Callable[[], None]) -> None:
        super().__init__()
        self._tick = tick

    def write(self, name: str, content: bytes, **more: Any) -> str:
        self._tick()
        written = super().write(name, content, **more)
        self._tick()
        return written

    def delete(self, name: str, *, etag: str | None = None) -> None:
        self._tick()
        super().delete(name, etag=etag)


class World:
    """Endpoints ``pilot``, ``live``, ``staging`` serving OLD; models score in their own way, NEW lower than OLD."""

    def __init__(self) -> None:
        self.clock, self.told, self.guard = ManualClock(), Listener(), Guard()
        self.registry, self.data = Registry(self.tick), MemoryContainer("data")
        self.data.put("holdout.csv", ROWS.encode())
        self.endpoints = {name: Endpoint(self.clock) for name in ("pilot", "live", "staging")}
        self.content: dict[str, str] = {}
        self.shift = {OLD: 0.0, NEW: 0.1, OTHER: 0.2}
        self.scored: dict[str, int] = defaultdict(int)
        self.models: list[Any] = []
        self.foreign: dict[str, Any] = {}
        self.kill_at, self.ticks = 0, 0
        self.strike: Callable[[], None] = self.stop
        self.outputs: dict[str, Any] = {}
        for model in (OLD, NEW, OTHER):
            self.trained(model, f"hash of {model}")

    def tick(self) -> None:
        """One more operation that changes something; perhaps the last of this process, or one that something strikes at."""
        self.ticks += 1
        if self.ticks == self.kill_at:
            self.strike()

    def stop(self) -> None:
        """The process ends here."""
        raise Killed

    # The services

    def endpoint(self, _service: str, name: str) -> Any:
        found = self.endpoints.get(name)
        if found is None or found.gone:
            return None
        return SimpleNamespace(name=name, models=tuple(self.bindings(_service, name).read()))

    def bindings(self, _service: str, name: str) -> Any:
        endpoint = self.endpoints[name]

        def read() -> list[Binding]:
            endpoint.look()
            if endpoint.gone:
                raise BindingFailed(f"there is no endpoint {name!r} any more", "run ./dev refresh")
            location = endpoint.says if endpoint.says in self.foreign else f"registry/{endpoint.says}"
            return [Binding(RESOURCE, location, self.foreign.get(endpoint.says))]

        def write(resource: str, model: Any) -> None:
            assert resource == RESOURCE
            self.models.append(model)
            self.tick()
            location = model.path
            assert model.signature, "a model that nobody can read"
            endpoint.write(location.removeprefix("registry/"))
            self.tick()

        return SimpleNamespace(read=read, write=write)

    def scoring(self, _service: str, name: str) -> Any:
        endpoint = self.endpoints[name]

        def score(rows: Any) -> list[dict[str, str]]:
            self.scored[name] += 1
            self.clock.sleep(endpoint.seconds)
            endpoint.look()
            if kind := endpoint.broken():
                raise_for(kind, "")
            model = self.content.get(endpoint.answers, endpoint.answers)
            return [
                {"Scored Probabilities": str(float(row["p"] or 0) - self.shift.get(model, 9.0))}
                for row in rows
            ]

        return SimpleNamespace(score=score)

    # The stack

    def lifecycle(self) -> ModelBindingLifecycle:
        """As a new provider process has it."""
        context = Context(self.told, self.guard, self.clock)
        context.registry = lambda _target: self.registry
        context.data = lambda _target, _name=None: self.data
        context.services = lambda _target, _service: self
        return ModelBindingLifecycle(context)

    def trained(self, model: str, sha256: str, attempt: int = 1, metrics: Any = None) -> None:
        """The ledger's record of a model."""
        name = next(name for name in ("old", "new", "other") if address(name, attempt) == model)
        self.registry.blobs.pop(f"runs/{key(name)}.json", None)
        run = Run(key(name), "flights", {}, "finished", attempt=attempt, sha256=sha256, metrics=metrics or {})
        Ledger(self.registry).plan(run)
        self.registry.put_model(model, sha256)

    def props(self, model: str = NEW, *rings: dict[str, Any], **more: Any) -> dict[str, Any]:
        probe = {"container": "data", "blobs": ["holdout.csv"], "rows": 8, "deadline": "60s", "settle": "5s"}
        found = {
            "target": "local",
            "service": SERVICE,
            "endpointName": "live",
            "stagingEndpoint": "staging",
            "resource": RESOURCE,
            "address": model,
            "sha256": f"hash of {model}",
            "rings": list(rings),
            "probe": probe | more.pop("probe", {}),
        }
        return found | more

    def up(self, model: str = NEW, *rings: dict[str, Any], **more: Any) -> dict[str, Any]:
        """An update by a new process, as the engine makes it where something has changed; its outputs."""
        props, life = self.props(model, *rings, **more), self.lifecycle()
        if self.outputs:
            checked = life.check(props, self.outputs)
            assert life.diff(self.outputs, checked).changes
            self.outputs = life.update("id", self.outputs, checked)
        else:
            self.outputs = life.create(life.check(props, {}))[1]
        return self.outputs

    def fails(self, model: str = NEW, *rings: dict[str, Any], **more: Any) -> str:
        """The cause with which an update fails; it must."""
        with pytest.raises(BindingFailed) as failed:
            self.up(model, *rings, **more)
        assert failed.value.remedy
        return failed.value.cause

    def killed(self, at: int, model: str = NEW, *rings: dict[str, Any], **more: Any) -> bool:
        """Whether an update was killed at its *at*-th change: it had that many."""
        self.kill_at, self.ticks = at, 0
        try:
            self.up(model, *rings, **more)
        except Killed:
            return True
        finally:
            self.kill_at = 0
        return False

    def killed_while_failing(self, at: int, model: str = NEW, *rings: dict[str, Any]) -> bool:
        """As ``killed``, for an update that fails where it isn't."""
        try:
            return self.killed(at, model, *rings)
        except RetrainError:
            return False

    def seen(self, *names: str) -> list[str]:
        """The models that answer on these endpoints, where they say so too."""
        found = []
        for name in names or ("pilot", "live"):
            endpoint = self.endpoints[name]
            endpoint.look()
            same = endpoint.says == endpoint.answers
            found.append(endpoint.says if same else f"{endpoint.answers} for {endpoint.says}")
        return found

    @property
    def rollouts(self) -> list[str]:
        return [name for name in self.registry.blobs if name.startswith("rollouts/")]


def ring(name: str, bake: str = "0", *rules: str) -> dict[str, Any]:
    """A ring of the endpoint with its name."""
    return {"name": name, "endpoints": [name], "bake": bake, "rules": list(rules)}


RINGS = (ring("pilot"), ring("live"))


BAKING = (ring("pilot", "60s"), ring("live", "60s"))


def while_the_last_ring_bakes() -> int:
    """The forty-first time that an update's guard is asked after the live endpoint was bound."""
    trial = World()
    seen: list[int] = []
    check = trial.guard.check

    def counting() -> None:
        check()
        if trial.endpoints["live"].writes and not seen:
            seen.append(trial.guard.asked)

    trial.guard.check = counting
    trial.up(NEW, *BAKING)
    return seen[0] + 40


def interrupted(world: World, **more) -> None:
    """A rollout of NEW that was interrupted while its last ring baked."""
    world.guard.at = while_the_last_ring_bakes()
    with pytest.raises(UpdateCancelled):
        world.up(NEW, *BAKING, **more)
    world.guard.at = 0


def record_name(world: World, props) -> str:
    place = (props["target"], props["service"]["id"], props["endpointName"], props["resource"])
    return f"rollouts/{digest(list(place))}.json"
