"""The campaign's example: the flights experiment with few trees and two hundred rows, and the resources of a stack."""

from __future__ import annotations

import base64
import csv
import hashlib
import io
import json
import random
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from graph.identity import identity, resolved_parameters
from retrain_hooks.ownership.names import default_name
from retrain_hooks.registry.run_key import Covered, digest
from tests.chaos.engine import Declared, Known

ROOT = Path(__file__).resolve().parents[2]
EXPERIMENT = "tiny"
ENDPOINT, OTHER, STAGING = "retrained", "other", "staging"
# What an update can make another thing of: the live endpoint, the services by name, by kind, or by workspace.
CHANGES = ("endpoint", "service", "kind", "place")
REFUSED = ("auc >= 0.999",)
DATA_PATH = "flights/{version}.csv"
ROWS = 200
_MODEL = ("runKey", "address", "why", "plan", "sha256", "metrics", "bytes", "seconds", "job")
_SERVICE = ("experiment", "service", "url", "endpoint", "experimentId")
_DATA = ("container", "versions", "blobs", "bytes", "digest")
_HOLDOUT = ("digest", "blobs", "container", "version")
_COLUMNS = ("month", "day", "sched_dep_time", "sched_arr_time", "carrier", "origin", "dest", "distance")


@cache
def table(name: str) -> bytes:
    """*ROWS* flights in the example's columns; another *name* is another table, the same on every machine."""
    drawn = random.Random(name)
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow([*_COLUMNS, "arr_delay"])
    for row in range(ROWS):
        departure = drawn.randrange(500, 2300)
        late = drawn.random() < departure / 2600
        writer.writerow(
            [
                1 + row % 12,
                drawn.randrange(1, 29),
                departure,
                (departure + 200) % 2400,
                drawn.choice(["UA", "B6", "AA"]),
                drawn.choice(["EWR", "JFK", "LGA"]),
                drawn.choice(["ATL", "ORD", "LAX"]),
                drawn.randrange(200, 2500),
                drawn.randrange(20, 90) if late else drawn.randrange(-20, 10),
            ]
        )
    return text.getvalue().encode()


@cache
def experiment(part: str, trees: int = 4) -> dict[str, Any]:
    """The example's experiment with a learner of *trees* trees; another number is other code."""
    found: dict[str, Any] = json.loads((ROOT / f"experiments/flights/{part}.json").read_text())
    if part == "training":
        found["nodes"]["learner"]["parameters"]["Number of trees constructed"] = trees
        found["parameters"]["Number of trees constructed"]["default"] = str(trees)
    return found


def write_experiment(folder: Path, trees: int = 4) -> None:
    """Put the experiment where a project has it."""
    place = folder / "experiments" / EXPERIMENT
    place.mkdir(parents=True, exist_ok=True)
    for part in ("training", "predictive"):
        (place / f"{part}.json").write_text(json.dumps(experiment(part, trees)))


@dataclass(frozen=True)
class Gate:
    """The gate of a stack: its *rules*, judged on the data version *holdout* if there is one.

    With a holdout there is a staging endpoint, and bindings are probed against it; without, they are read back.
    """

    rules: tuple[str, ...] = ("auc >= 0.3",)
    holdout: str = ""
    hold: bool = False


# A gate that every model of these tables passes.
PASSING = Gate()


@dataclass(frozen=True)
class Config:
    """What a stack's configuration and its program say.

    *change* is what makes another thing of the endpoint or its service (one of CHANGES). *component* is what the
    endpoint's component is called, *alias* what it was called before. *refuse*: the gate lets no model through.
    *protect*: the endpoint is protected. *second*: another binding binds the same endpoint.
    """

    version: str = "v1"
    baseline: str = "v1"
    force: str = ""
    gate: Gate = PASSING
    change: str = ""
    component: str = ""
    alias: str | None = None
    refuse: bool = False
    protect: bool = False
    second: bool = False

    def named(self, resource: str) -> str:
        """What a resource of the endpoint's component is called."""
        return _named(self.component, resource)

    @property
    def endpoint(self) -> str:
        """The name of the live endpoint."""
        return OTHER if self.change == "endpoint" else ENDPOINT


def _named(component: str, resource: str) -> str:
    return f"{component}-{resource}" if component else resource


@dataclass(frozen=True)
class Stack:
    """Whose resources they are, and the workspaces that there are for them: the second is another place."""

    project: str
    name: str
    workspaces: tuple[dict[str, str], ...]


def expected_key(version: str, content: bytes, trees: int, force: str) -> str:
    """The run key of a table that is a data version, computed without the product's data versions."""
    md5 = base64.b64encode(hashlib.md5(content, usedforsecurity=False).digest()).decode()
    definition = experiment("training", trees)
    parameters = resolved_parameters(definition, {})
    seed = int(parameters.pop("Random seed"))
    blobs = [[DATA_PATH.format(version=version), md5]]
    data = f"2-{digest({'format': 2, 'blobs': blobs})}"
    return Covered(identity(definition), data, parameters, seed, force).key


def resources(config: Config, stack: Stack) -> list[Declared]:
    """A stack's resources, as `__main__.py` declares them, in the order of their dependencies."""
    # As Workspace.reference gives it: the id alone, which no change of the workspace makes unknown.
    workspace = {"resource": stack.workspaces[config.change == "place"]["resource"]}
    new = config.change == "kind"

    def owner(known: Known, resource: str) -> dict[str, Any]:
        lineage = known["claim"]["lineage"]
        return {"project": stack.project, "stack": stack.name, "name": resource, "lineage": lineage}

    def claim(known: Known) -> dict[str, Any]:
        lineage = known["lineage"]["lineage"]
        return {"target": "local", "project": stack.project, "stack": stack.name, "lineage": lineage}

    def plan(known: Known) -> dict[str, Any]:
        return {
            "target": "local",
            "group": workspace["resource"].partition("/providers/")[0],
            "name": default_name("plan", stack.project, stack.name),
            "location": "westeurope",
            "sku": "S1",
            "owner": owner(known, "plan"),
        }

    def service(known: Known, part: str, **more: Any) -> dict[str, Any]:
        names = (stack.project, stack.name, EXPERIMENT, part)
        return {
            "target": "local",
            "kind": "new" if new else "classic",
            "workspace": workspace,
            "name": default_name(*names, *(["other"] if config.change == "service" else [])),
            "part": part,
            "source": EXPERIMENT,
            "plan": known["plan"]["plan"] if new else None,
            "owner": owner(known, part),
            **more,
        }

    def model(known: Known, data: str, force: str = "") -> dict[str, Any]:
        names = ("container", "version", "digest", "blobs")
        return {
            "target": "local",
            "experiment": known["training"].get("experiment"),
            "source": EXPERIMENT,
            "service": known["training"].get("service"),
            "data": {name: known[data].get(name) for name in names},
            "parameters": {},
            "seed": 0,
            "force": force,
            "maxJobs": 10,
            "deadlineMinutes": 1,
            "cancelJobs": False,
        }

    def reference(known: Known, name: str) -> dict[str, Any]:
        return {part: known[name].get(part) for part in ("address", "sha256")}

    def chosen(known: Known) -> dict[str, Any]:
        model = known[config.named("promotion")]["model"]
        return model if isinstance(model, dict) else dict.fromkeys(("address", "sha256"), model)

    def data(version: str) -> dict[str, Any]:
        return {"target": "local", "path": DATA_PATH, "version": version}

    def endpoint(known: Known, resource: str, name: str) -> dict[str, Any]:
        described = {"name": name, "description": "Serves a retrained model"}
        graph = known["predictive"]["experiment"]["digest"]
        return {
            "target": "local",
            "service": known["predictive"].get("service"),
            "graph": graph,
            "owner": owner(known, config.named(resource)),
            **described,
        }

    def gated(known: Known) -> dict[str, Any]:
        """The live endpoint, which is made with a model that has passed, or not at all."""
        resource = known["predictive"]["experiment"]["resource"]
        start = {"resource": resource, "serves": known[config.named("promotion")]["start"]}
        return endpoint(known, "endpoint", config.endpoint) | start

    def place(known: Known) -> dict[str, Any]:
        return {
            "target": "local",
            "service": known["predictive"].get("service"),
            "endpointName": config.endpoint,
            "stagingEndpoint": STAGING if gate.holdout else "",
            "resource": known["predictive"]["experiment"]["resource"],
        }

    def promotion(known: Known) -> dict[str, Any]:
        parts = ("address", "sha256", "runKey", "metrics")
        candidate = {name: known["candidate"].get(name) for name in parts}
        held = {name: known["holdout-data"].get(name) for name in _HOLDOUT} if gate.holdout else None
        return {
            **place(known),
            "candidate": candidate | {"dataVersion": config.version, "data": known["candidate"].get("data")},
            "gate": {
                "rules": list(REFUSED if config.refuse else gate.rules),
                "minimumRows": 1,
                "label": "arr_delay >= 15",
                "allowHoldoutOverlap": True,  # a history may train from any of the tables
                "onRejected": "hold" if gate.hold and not config.refuse else "fail",
                "approval": False,
                "approve": "",
            },
            "holdout": held,
        }

    def binding(known: Known, resource: str) -> dict[str, Any]:
        found = place(known) | chosen(known) | {"owner": owner(known, config.named(resource))}
        if not gate.holdout:
            return found
        rows = {name: known["holdout-data"].get(name) for name in ("container", "blobs")}
        return found | {"probe": {**rows, "rows": 20, "deadline": "60s", "settle": "1s"}}

    def component(resource: str, kind: str, inputs: Any, outputs: tuple[str, ...], **more: Any) -> Declared:
        """A resource of the endpoint's component."""
        alias = "" if config.alias is None else _named(config.alias, resource)
        return Declared(config.named(resource), kind, inputs, outputs, alias, **more)

    def bound(resource: str) -> Declared:
        outputs = ("bound", "serving", "probed")
        return component(resource, "ModelBinding", lambda known: binding(known, resource), outputs)

    gate = config.gate
    url = ("url", "patchUrl", "helpUrl")
    return [
        Declared("lineage", "Lineage", lambda known: {}, ("lineage",)),
        Declared("claim", "StackClaim", claim, ("lineage",)),
        *([Declared("plan", "CommitmentPlan", plan, ("plan",))] if new else []),
        Declared("training", "StudioWebService", lambda known: service(known, "training"), _SERVICE),
        Declared("baseline-data", "DataVersion", lambda known: data(config.baseline), _DATA),
        Declared("candidate-data", "DataVersion", lambda known: data(config.version), _DATA),
        Declared("baseline", "TrainedModel", lambda known: model(known, "baseline-data"), _MODEL),
        Declared(
            "candidate", "TrainedModel", lambda known: model(known, "candidate-data", config.force), _MODEL
        ),
        Declared(
            "predictive",
            "StudioWebService",
            lambda known: service(known, "predictive", model=reference(known, "baseline")),
            _SERVICE,
        ),
        *(
            [
                Declared("holdout-data", "DataVersion", lambda known: data(gate.holdout), _DATA),
                component(
                    "staging", "StudioEndpoint", lambda known: endpoint(known, "staging", STAGING), url
                ),
            ]
            if gate.holdout
            else []
        ),
        component("promotion", "Promotion", promotion, ("model", "start", "champion", "verdict", "rules")),
        component(
            "endpoint",
            "StudioEndpoint",
            lambda known: gated(known),
            url,
            protected=config.protect,
        ),
        bound("binding"),
        *([bound("second")] if config.second else []),
    ]
