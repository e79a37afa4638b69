"""One stack's promotion with its services in memory, driven as an engine drives it."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

from clients.protocols import Binding
from retrain_hooks.data.contents import Contents
from retrain_hooks.gate.inputs import PromotionInputs
from retrain_hooks.gate.lifecycle import PromotionLifecycle
from retrain_hooks.host.lifecycle import UNKNOWN, Context
from retrain_hooks.registry.ledger import Ledger, Run
from retrain_hooks.registry.markers import Markers
from tests.unit.fakes import Listener, ManualClock, MemoryContainer, OpenGuard

RESOURCE = "Flight delay [trained model]"
SERVICE = {"id": "s1", "workspace": {"resource": "/w", "id": "w1"}}
HOLDOUT = "p,arr_delay\n" + "".join(f"{number / 20},{20 if number >= 10 else 0}\n" for number in range(20))


def key(name: str) -> str:
    """The run key of the model that a test calls *name*."""
    return name.encode().hex().ljust(64, "0")


def address(name: str, attempt: int = 1) -> str:
    return f"models/flights/{key(name)}/{attempt}.ilearner"


class Services:
    """Endpoints by name with the location of the model that each serves; models score as their *skill* says."""

    def __init__(self) -> None:
        self.serving = {"default": f"registry/{address('base')}", "live": f"registry/{address('base')}"}
        self.skill: dict[str, float] = {}
        self.patches: list[tuple[str, str]] = []
        self.scored: list[str] = []
        self.deaf = False
        self.asked: list[str] = []

    def endpoint(self, service: str, name: str) -> Any:
        """What is there; an endpoint of another service under ``<service>/<name>``."""
        place = name if service == SERVICE["id"] else f"{service}/{name}"
        self.asked.append(place)
        if place not in self.serving:
            return None
        models = (Binding("another", "x"), Binding(RESOURCE.upper(), self.serving[place]))
        return SimpleNamespace(name=name, models=models)

    def bindings(self, _service: str, endpoint: str) -> Any:
        def read() -> list[Binding]:
            return [Binding("another", "x"), Binding(RESOURCE.upper(), self.serving[endpoint])]

        def write(resource: str, model: Any) -> None:
            assert resource == RESOURCE
            self.patches.append((endpoint, model.path))
            if not self.deaf:
                self.serving[endpoint] = model.path

        return SimpleNamespace(read=read, write=write)

    def scoring(self, _service: str, endpoint: str) -> Any:
        """Ranks the first *skill* share of the holdout's rows rightly, the others the wrong way round."""

        def score(rows: Any) -> list[dict[str, str]]:
            self.scored.append(endpoint)
            model = self.serving[endpoint].removeprefix("registry/")
            answers = []
            for number, row in enumerate(rows):
                right = number < self.skill[model] * len(rows)
                p = float(row["p"]) if right else 1 - float(row["p"])
                answers.append({"Scored Labels": str(int(p >= 0.5)), "Scored Probabilities": str(p)})
            return answers

        return SimpleNamespace(score=score)


class World:
    """One stack's promotion as an engine drives it: check, diff, create or update, then the binding."""

    def __init__(self) -> None:
        self.registry, self.data, self.services = MemoryContainer(), MemoryContainer("data"), Services()
        self.told, self.guard = Listener(), OpenGuard()
        self.inputs: dict[str, Any] = {}
        self.marked: set[str] = set()
        self.outputs: dict[str, Any] | None = None
        self.trained("base", auc=0.7)

    @property
    def context(self) -> Context:
        """As a new provider process has it."""
        context = Context(self.told, self.guard, ManualClock())
        context.registry = lambda _target: self.registry
        context.data = lambda _target, _name=None: self.data
        context.services = lambda _target, _workspace: self.services
        return context

    @property
    def life(self) -> PromotionLifecycle:
        """As a new provider process has it."""
        return PromotionLifecycle(self.context)

    def trained(self, name: str, auc: Any = 0.7, attempt: int = 1, version: str = "", **metrics: Any) -> None:
        """A finished run of the ledger, with its model; its skill on the holdout is its auc."""
        found = {"auc": auc, "number_of_examples": 100} | metrics
        self.registry.blobs.pop(f"runs/{key(name)}.json", None)
        run = Run(key(name), "flights", {}, "finished", attempt, sha256=f"hash of {name}", metrics=found)
        run = replace(run, data={"version": version} if version else {})
        Ledger(self.registry).plan(run)
        self.registry.put_model(run.address, run.sha256)
        if isinstance(auc, float):
            self.services.skill[run.address] = auc

    def props(
        self, candidate: str = "new", rules: tuple[str, ...] = ("auc >= 0.65",), **gate: Any
    ) -> dict[str, Any]:
        entry = Ledger(self.registry).find(key(candidate))
        return {
            "target": "local",
            "service": SERVICE,
            "endpointName": "live",
            "stagingEndpoint": "staging" if gate.get("label") else "",
            "resource": RESOURCE,
            "candidate": {
                "address": entry.run.address if entry else address(candidate),
                "sha256": entry.run.sha256 if entry else UNKNOWN,
                "runKey": key(candidate),
                "metrics": entry.run.metrics if entry else UNKNOWN,
                "dataVersion": "2013-02",
            },
            "gate": {"rules": list(rules), "minimumRows": 1.0, **gate},
            "holdout": self.holdout() if gate.get("label") else None,
        }

    def holdout(self) -> dict[str, Any]:
        self.services.serving.setdefault("staging", self.services.serving["default"])
        if "holdout.csv" not in self.data.blobs:
            self.data.put("holdout.csv", HOLDOUT.encode())
        digest = Contents(self.context, "local", "data").look(self.data.list()).digest
        return {"digest": digest, "blobs": ["holdout.csv"], "container": "data", "version": "2013-02"}

    def preview(self, props: dict[str, Any]) -> dict[str, Any]:
        """What a preview promises; it may not write."""
        writes, patches = list(self.registry.writes), list(self.services.patches)
        checked = self.life.check(props, self.inputs)
        assert (self.registry.writes, self.services.patches) == (writes, patches)
        if self.outputs is not None and not self.life.diff(self.outputs, checked).changes:
            return self.outputs
        return checked

    def up(self, props: dict[str, Any]) -> dict[str, Any]:
        """An update; the live endpoint is bound to what the promotion says, if that is news."""
        outputs = self.promote(props)
        place = PromotionInputs.parse(outputs, recorded=True)
        marker = place.marker(place.endpoint, outputs["model"]["address"])
        if not Markers(self.registry).there(marker) or marker.address not in self.marked:
            Markers(self.registry).mark(marker)
            self.marked = {marker.address}
            self.bind(marker.address, place.endpoint)
        return outputs

    def promote(self, props: dict[str, Any]) -> dict[str, Any]:
        """An update that ends after the promotion: nothing is bound."""
        checked, life = self.life.check(props, self.inputs), self.life
        if self.outputs is None:
            outputs = life.create(checked)[1]
        elif (diff := life.diff(self.outputs, checked)).changes:
            assert diff.replaces == ()
            outputs = life.update("id", self.outputs, checked)
        else:
            outputs = self.outputs
        self.inputs, self.outputs = checked, outputs
        return outputs

    def bind(self, model: str, endpoint: str = "live") -> None:
        self.services.serving[endpoint] = f"registry/{model}"

    @property
    def live(self) -> str:
        return self.services.serving["live"].removeprefix("registry/")

    @property
    def verdicts(self) -> list[str]:
        return [name for name in self.registry.blobs if name.startswith("verdicts/")]
