"""One predictive web service with its endpoints and four models, whose answers are known without asking it."""

from __future__ import annotations

import csv
import io
import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import pandas as pd

from graph import Scorer, parse_experiment
from retrain_hooks.host import interruption as cancellation
from tests.chaos import program
from tests.chaos.engine import Declared, Engine, Known, Run, State
from tests.chaos.forks import Provider
from tests.chaos.world import World

CLASSIC, NEW = "classic", "new"
VERSIONS = ("v1", "v2", "v3", "v4")
PILOT, LIVE, STAGING = "pilot", "live", "staging"
ENDPOINTS = (PILOT, LIVE, STAGING)
# The models are told apart by what they make of these rows; the probe has others.
_ROWS = list(csv.DictReader(io.StringIO(program.table("asked").decode())))[:12]
_API = "2017-01-01"
_CLOSE = 1e-6

Json = dict[str, Any]


@dataclass(frozen=True)
class Serving:
    """What an endpoint *says* that it serves, an address, and the model that *answers*: its address, or ``?``."""

    says: str
    answers: str


class House:
    """The web services of one *kind* in *world*, from ``deploy`` to ``close``."""

    def __init__(self, world: World, kind: str) -> None:
        self.world, self.kind = world, kind
        self.folder = world.directory / f"house-{kind}"
        self.data, self.registry = f"data-{kind}", f"registry-{kind}"
        self.cloud_file = self.folder / "cloud.json"
        self.state = State(self.folder / "state-services.json")
        self.binding = State(self.folder / "state-binding.json")
        self.addresses: dict[str, str] = {}
        self._known: dict[str, list[float]] = {}
        self._providers: list[Provider] = []
        self._workspace: dict[str, str] = {}

    def deploy(self) -> House:
        """Publish, train, create endpoints; and score every model without the studio."""
        self.folder.mkdir()
        program.write_experiment(self.folder)
        self.cloud_file.write_text(json.dumps(self.world.cloud(self.registry, self.data)))
        for container in (self.data, self.registry):
            self.world.create_container(container)
        for version in VERSIONS:
            self.world.upload(self.data, f"flights/{version}.csv", program.table(version))
        workspace = self._workspace = self.world.workspace(f"bindings-{self.kind}")
        declared = _program(self.kind, workspace, self.world.subscription)
        self.run(self.state, lambda run: run.up(declared))
        for version in VERSIONS:
            self.addresses[version] = self._outputs(f"model-{version}")["address"]
            self._known[self.addresses[version]] = self._offline(self.addresses[version])
        return self

    def close(self) -> None:
        """End the providers that still run, and remove what was made."""
        for provider in self._providers:
            provider.end()
        self.world.clear_faults()
        self.run(self.state, lambda run: run.destroy())
        if self._workspace:
            self.world.delete_workspace(self._workspace)
        for container in (self.data, self.registry):
            self.world.delete_container(container)
        shutil.rmtree(self.folder, ignore_errors=True)

    def run(
        self,
        state: State,
        verb: Callable[[Run], object],
        triggers: tuple[Json, ...] = (),
        sabotage: str = "",
    ) -> list[str]:
        """One run of an engine with a provider process of its own, broken by *sabotage* perhaps; what it said.

        At the first of *triggers* both are killed. Raises StepFailed, EngineKilled.
        """
        engine = Engine()
        cancellation._mark(engine.address).unlink(missing_ok=True)  # as a program does when it starts

        def killed(_index: int) -> str:
            engine.kill()
            return "die"

        assert self.world.forks is not None
        provider = self.world.forks.provider(
            engine.address,
            self.folder,
            self.cloud_file,
            triggers=triggers,
            on_trigger=killed,
            sabotage=sabotage,
        )
        self._providers.append(provider)
        try:
            engine.connect(provider.port)
            verb(Run(engine, state))
        finally:
            if not engine.dead.is_set():
                engine.close()
            provider.end()
        return engine.messages

    def _outputs(self, name: str) -> Json:
        found: Json = self.state.resources[name]["outputs"]
        return found

    @property
    def service(self) -> Json:
        """The reference to the predictive web service."""
        found: Json = self._outputs("predictive")["service"]
        return found

    @property
    def resource(self) -> str:
        """The name of its trained model."""
        return str(self._outputs("predictive")["experiment"]["resource"])

    @property
    def lineage(self) -> str:
        """The id of the house's stack."""
        return str(self._outputs("lineage")["lineage"])

    def marked(self, address: str) -> set[str]:
        """The endpoints whose markers say that they serve the model at *address*."""
        found = [
            json.loads(self.world.download(self.registry, name) or b"{}")
            for name in self.world.names(self.registry, "bound/")
        ]
        return {str(marker["endpoint"]) for marker in found if marker["address"] == address}

    # What it answers

    def _offline(self, address: str) -> list[float]:
        """The scores of a model, by the studio's graph runner in this process."""
        content = self.world.download(self.registry, address)
        assert content is not None
        scorer = Scorer(parse_experiment(program.experiment("predictive")), {self.resource: content})
        answer = next(iter(scorer.score({"input1": pd.DataFrame(_ROWS, dtype=object)}).values()))
        return [float(score) for score in answer["Scored Probabilities"]]

    def serving(self, endpoint: str) -> Serving:
        """What *endpoint* says, and what it answers."""
        url, key = self._plane[endpoint]
        columns = list(_ROWS[0])
        table = {"ColumnNames": columns, "Values": [[row[name] for name in columns] for row in _ROWS]}
        answer = self.world.http.post(
            f"{url}/execute",
            params={"api-version": "2.0", "details": "true"},
            headers={"Authorization": f"Bearer {key}"},
            json={"Inputs": {"input1": table}, "GlobalParameters": {}},
        )
        value = next(iter(answer.raise_for_status().json()["Results"].values()))["value"]
        place = value["ColumnNames"].index("Scored Probabilities")
        scores = [float(row[place]) for row in value["Values"]]
        return Serving(self._says(endpoint), self._model_of(scores))

    def _model_of(self, scores: list[float]) -> str:
        for address, known in self._known.items():
            if all(abs(one - other) < _CLOSE for one, other in zip(scores, known, strict=True)):
                return address
        return "?"

    def _says(self, endpoint: str) -> str:
        if self.kind == CLASSIC:
            location = self._classic(endpoint)["Resources"][0]["Location"]["RelativeLocation"]
            return str(location).removeprefix(f"{self.registry}/")
        assets = self._arm(endpoint)["properties"]["assets"].values()
        uri = next(asset["locationInfo"]["uri"] for asset in assets if asset["type"] == "Resource")
        return str(uri).partition("?")[0].partition(f"/{self.registry}/")[2]

    @cached_property
    def _plane(self) -> dict[str, tuple[str, str]]:
        """Address and key of each endpoint."""
        if self.kind == CLASSIC:
            found = {name: self._classic(name) for name in ENDPOINTS}
            return {name: (each["ApiLocation"], each["PrimaryKey"]) for name, each in found.items()}
        return {
            name: (
                self._arm(name)["properties"]["swaggerLocation"].removesuffix("/swagger.json"),
                self._arm(name, "/listKeys")["primary"],
            )
            for name in ENDPOINTS
        }

    def _classic(self, endpoint: str) -> Json:
        workspace = self.service["workspace"]
        path = f"/{self.service['id']}/endpoints/{endpoint}"
        found: Json = self.world.manage(workspace, self.world.workspace_token(workspace), path)
        return found

    def _arm(self, endpoint: str, below: str = "") -> Json:
        found: Json = self.world.arm("GET", f"{self.service['id']}-{endpoint}{below}", _API)
        return found

    # Where faults strike

    def binding_path(self, endpoint: str) -> str:
        """A glob of where an endpoint is read and bound."""
        if self.kind == CLASSIC:
            return f"*/webservices/*/endpoints/{endpoint}"
        return f"*/webServices/*-{endpoint}"

    def scoring_path(self, endpoint: str) -> str:
        """A glob of where it scores."""
        return f"*{self._plane[endpoint][0].partition('/services/')[2]}/execute"


def owner(kind: str, resource: str, lineage: str) -> Json:
    """Who owns what the house's *resource* makes."""
    return {"project": "chaos", "stack": f"bindings-{kind}", "name": resource, "lineage": lineage}


def _program(kind: str, workspace: dict[str, str], subscription: str) -> list[Declared]:
    """Services, models and endpoints, in the order of their dependencies."""

    def owned(known: Known, resource: str) -> Json:
        return {"owner": owner(kind, resource, known["claim"]["lineage"])}

    def claim(known: Known) -> Json:
        mine = owner(kind, "", known["lineage"]["lineage"])
        return {"target": "local", **{name: mine[name] for name in ("project", "stack", "lineage")}}

    plan = Declared(
        "plan",
        "CommitmentPlan",
        lambda known: {
            **owned(known, "plan"),
            "target": "local",
            "group": f"/subscriptions/{subscription}/resourceGroups/chaos",
            "name": "plan",
            "location": "westeurope",
            "sku": "S1",
        },
        ("plan",),
    )

    def service(known: Known, part: str, **more: Any) -> Json:
        return {
            "target": "local",
            "kind": kind,
            "workspace": workspace,
            "name": f"{program.EXPERIMENT}-{part}",
            "part": part,
            "source": program.EXPERIMENT,
            "plan": known["plan"]["plan"] if kind == NEW else None,
            **owned(known, part),
            **more,
        }

    def model(version: str) -> list[Declared]:
        return [
            Declared(
                f"data-{version}",
                "DataVersion",
                lambda known: {"target": "local", "path": program.DATA_PATH, "version": version},
            ),
            Declared(
                f"model-{version}",
                "TrainedModel",
                lambda known: {
                    "target": "local",
                    "experiment": known["training"]["experiment"],
                    "source": program.EXPERIMENT,
                    "service": known["training"]["service"],
                    "data": {
                        name: known[f"data-{version}"][name]
                        for name in ("container", "version", "digest", "blobs")
                    },
                    "parameters": {},
                    "seed": 0,
                    "force": "",
                    "maxJobs": 10,
                    "deadlineMinutes": 1,
                    "cancelJobs": False,
                },
            ),
        ]

    def baseline(known: Known) -> Json:
        return {part: known["model-v1"][part] for part in ("address", "sha256")}

    def endpoint(name: str) -> Declared:
        return Declared(
            name,
            "StudioEndpoint",
            lambda known: {
                "target": "local",
                "service": known["predictive"]["service"],
                "name": name,
                "description": "x",
                **owned(known, name),
            },
        )

    return [
        Declared("lineage", "Lineage", lambda known: {}),
        Declared("claim", "StackClaim", claim),
        *([plan] if kind == NEW else []),
        Declared("training", "StudioWebService", lambda known: service(known, "training")),
        *(declared for version in VERSIONS for declared in model(version)),
        Declared(
            "predictive",
            "StudioWebService",
            lambda known: service(known, "predictive", model=baseline(known)),
        ),
        *(endpoint(name) for name in ENDPOINTS),
    ]
