"""What a stack of kind azureml declares, as `__main__.py` does with a team's own code."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tests.chaos import program
from tests.chaos.azureml.code import EXPERIMENT
from tests.chaos.azureml.house import House
from tests.chaos.engine import Declared, Known, Props

HOLDOUT = "holdout"
STEPS = (10, 50, 100)
_REFERENCE = ("container", "version", "digest", "blobs")


@dataclass(frozen=True)
class Rollout:
    """How a model comes to its endpoint: for how long each step *bakes* under which *rules*; *settle* and *deadline* of the
    probe; *hold*: the gate holds what it refuses.
    """

    bake: str
    rules: Sequence[str]
    settle: str = "0.2s"
    deadline: str = "30s"
    hold: bool = False


@dataclass(frozen=True)
class Stack:
    """The stack *name* in *house*, which serves by one *endpoint*."""

    house: House
    name: str
    endpoint: str

    def _owner(self, known: Known, resource: str) -> Props:
        lineage = known["lineage"]["lineage"]
        return {"project": "chaos", "stack": self.name, "name": resource, "lineage": lineage}

    def _claim(self, known: Known) -> Props:
        mine = self._owner(known, "")
        return {"target": "local", **{name: mine[name] for name in ("project", "stack", "lineage")}}

    def _service(self, part: str) -> Declared:
        def inputs(known: Known) -> Props:
            return {
                "target": "local",
                "kind": "azureml",
                "workspace": {"resource": self.house.workspace},
                "name": f"tiny-{self.name}-{part}",
                "part": part,
                "source": EXPERIMENT,
                "owner": self._owner(known, part),
            }

        return Declared(part, "StudioWebService", inputs, ("experiment", "service"))

    def training(self, version: str, force: str = "") -> list[Declared]:
        """A model that is trained from the data *version*: what is declared before what serves."""

        def model(known: Known) -> Props:
            return {
                "target": "local",
                "experiment": known["training"]["experiment"],
                "source": EXPERIMENT,
                "service": known["training"]["service"],
                "data": {name: known["data"][name] for name in _REFERENCE},
                "parameters": {},
                "seed": 0,
                "force": force,
                "maxJobs": 10,
                "deadlineMinutes": 5,
                "cancelJobs": False,
            }

        data = {"target": "local", "path": program.DATA_PATH, "version": version}
        return [
            self._service("training"),
            Declared("data", "DataVersion", lambda _known: data),
            Declared("candidate", "TrainedModel", model),
        ]

    def program(
        self, rollout: Rollout, candidate: Callable[[Known], Props], training: Sequence[Declared] = ()
    ) -> list[Declared]:
        """All resources, in the order of their dependencies; *candidate* is what the gate judges."""

        def place(known: Known) -> Props:
            experiment = known["predictive"]["experiment"]
            return {
                "target": "local",
                "service": known["predictive"]["service"],
                "endpointName": self.endpoint,
                "stagingEndpoint": f"{self.endpoint}/staging",
                "resource": experiment["resource"],
                "graph": experiment["digest"],
            }

        def promotion(known: Known) -> Props:
            return {
                **place(known),
                "candidate": candidate(known),
                "gate": {
                    "rules": ["auc >= 0.6"],
                    "minimumRows": 1,
                    "label": "arr_delay >= 15",
                    "onRejected": "hold" if rollout.hold else "fail",
                    "allowHoldoutOverlap": True,
                },
                "holdout": {name: known["holdout"][name] for name in _REFERENCE},
            }

        def binding(known: Known) -> Props:
            ring = {"name": "live", "endpoints": [self.endpoint], "bake": rollout.bake}
            rows = {name: known["holdout"][name] for name in ("container", "blobs")}
            return {
                **place(known),
                **known["promotion"]["model"],
                "rings": [ring | {"rules": list(rollout.rules)}],
                "steps": list(STEPS),
                "keepPrevious": 1,
                "probe": {**rows, "rows": 20, "deadline": rollout.deadline, "settle": rollout.settle},
                "owner": self._owner(known, "binding"),
            }

        held = {"target": "local", "path": program.DATA_PATH, "version": HOLDOUT}
        return [
            Declared("lineage", "Lineage", lambda _known: {}),
            Declared("claim", "StackClaim", self._claim),
            *training,
            self._service("predictive"),
            Declared("holdout", "DataVersion", lambda _known: held),
            Declared("promotion", "Promotion", promotion),
            Declared("binding", "ModelBinding", binding),
        ]
