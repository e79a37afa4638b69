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

from retrain_hooks.run_key import digest, run_key
from tests.chaos.engine import Declared, Known

ROOT = Path(__file__).resolve().parents[2]
EXPERIMENT = "tiny"
ENDPOINT, STAGING = "retrained", "staging"
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
    """What a stack's configuration says."""

    version: str = "v1"
    baseline: str = "v1"
    force: str = ""
    gate: Gate = PASSING


def expected_key(content: bytes, trees: int, force: str) -> str:
    """The run key of a table, computed without the product's data versions."""
    md5 = base64.b64encode(hashlib.md5(content, usedforsecurity=False).digest()).decode()
    return run_key(
        experiment=digest(experiment("training", trees)),
        data=digest([{"md5": md5, "size": len(content)}]),
        parameters={},
        seed=0,
        force=force,
    )


def resources(config: Config, workspace: dict[str, str]) -> list[Declared]:
    """A stack's resources, as `__main__.py` declares them, in the order of their dependencies."""

    def service(part: str, **more: Any) -> dict[str, Any]:
        return {
            "target": "local",
            "kind": "classic",
            "workspace": workspace,
            "name": f"{EXPERIMENT}-{part}",
            "part": part,
            "source": EXPERIMENT,
            **more,
        }

    def model(known: Known, data: str, force: str = "") -> dict[str, Any]:
        names = ("container", "version", "digest", "blobs")
        return {
            "target": "local",
            "experiment": known["training"].get("experiment"),
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
        model = known["promotion"]["model"]
        return model if isinstance(model, dict) else dict.fromkeys(("address", "sha256"), model)

    def data(version: str) -> dict[str, Any]:
        return {"target": "local", "path": DATA_PATH, "version": version}

    def endpoint(known: Known, name: str) -> dict[str, Any]:
        described = {"name": name, "description": "Serves a retrained model"}
        graph = known["predictive"]["experiment"]["digest"]
        return {
            "target": "local",
            "service": known["predictive"].get("service"),
            "graph": graph,
            **described,
        }

    def place(known: Known) -> dict[str, Any]:
        return {
            "target": "local",
            "service": known["predictive"].get("service"),
            "endpointName": ENDPOINT,
            "stagingEndpoint": STAGING if gate.holdout else "",
            "resource": known["predictive"]["experiment"]["resource"],
        }

    def promotion(known: Known) -> dict[str, Any]:
        parts = ("address", "sha256", "runKey", "metrics")
        candidate = {name: known["candidate"].get(name) for name in parts}
        held = {name: known["holdout-data"].get(name) for name in _HOLDOUT} if gate.holdout else None
        return {
            **place(known),
            "candidate": candidate | {"dataVersion": config.version},
            "gate": {
                "rules": list(gate.rules),
                "minimumRows": 1,
                "label": "arr_delay >= 15",
                "onRejected": "hold" if gate.hold else "fail",
                "approval": False,
                "approve": "",
            },
            "holdout": held,
        }

    def binding(known: Known) -> dict[str, Any]:
        found = place(known) | chosen(known)
        if not gate.holdout:
            return found
        rows = {name: known["holdout-data"].get(name) for name in ("container", "blobs")}
        return found | {"probe": {**rows, "rows": 20, "deadline": "60s", "settle": "1s"}}

    gate = config.gate
    url = ("url", "patchUrl", "helpUrl")
    holdout = [
        Declared("holdout-data", "DataVersion", lambda known: data(gate.holdout), _DATA),
        Declared("staging", "StudioEndpoint", lambda known: endpoint(known, STAGING), url),
    ]
    return [
        Declared("training", "StudioWebService", lambda known: service("training"), _SERVICE),
        Declared("baseline-data", "DataVersion", lambda known: data(config.baseline), _DATA),
        Declared("candidate-data", "DataVersion", lambda known: data(config.version), _DATA),
        Declared("baseline", "TrainedModel", lambda known: model(known, "baseline-data"), _MODEL),
        Declared(
            "candidate", "TrainedModel", lambda known: model(known, "candidate-data", config.force), _MODEL
        ),
        Declared(
            "predictive",
            "StudioWebService",
            lambda known: service("predictive", model=reference(known, "baseline")),
            _SERVICE,
        ),
        Declared("endpoint", "StudioEndpoint", lambda known: endpoint(known, ENDPOINT), url),
        *(holdout if gate.holdout else []),
        Declared("promotion", "Promotion", promotion, ("model", "champion", "verdict", "rules")),
        Declared("binding", "ModelBinding", binding, ("bound", "serving", "probed")),
    ]
