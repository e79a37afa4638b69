"""What the components advise a program, done: what was refused is declared. No cloud is there; a refusal ends a preview."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pulumi
import pulumi_azure_native as azure_native
import pytest

import components as ml
from clients.errors import ConfigurationError
from engine.testing import ProgramStack
from retrain_hooks.triggers.declared import declared
from retrain_hooks.triggers.schedule import Settings
from tests.healing import Told, case

heals = pytest.mark.heals
PLACE: Mapping[str, Any] = {"target": "local", "location": "westeurope", "owner_email": "a@example.org"}
DATA: Mapping[str, Any] = {"target": "local", "path": "flights/{version}.csv", "version": "2013-01"}
SERVICE = "1" * 32
CONFIG = {
    "holdoutDataVersion": "2013-01",
    "gateRules": '["auc >= 0.65"]',
    "gateMinimumRows": "1",
    "gateOnRejected": "fail",
    "gateLabel": "arr_delay >= 15",
    "gateApproval": "false",
    "allowHoldoutOverlap": "false",
    "allowChangedClasses": "false",
}
OPTIONS = pulumi.ResourceOptions
Declare = Callable[["Program"], object]


@dataclass
class Program:
    """The declarations of one program, each under a name of its own."""

    count: int = 0

    def name(self) -> str:
        self.count += 1
        return f"n{self.count}"

    def workspace(self, **more: Any) -> ml.Workspace:
        return ml.Workspace(self.name(), **{**PLACE, **more})

    def data(self, **more: Any) -> ml.DataVersion:
        return ml.DataVersion(self.name(), **{**DATA, **more})

    def training(self, **more: Any) -> ml.TrainingWebService:
        given = {"experiment": "flights"} | more
        return ml.TrainingWebService(self.name(), workspace=self._workspace, **given)

    def model(self, **more: Any) -> ml.TrainedModel:
        given = {"data": self._data} | more
        return ml.TrainedModel(self.name(), service=self._training, **given)

    def predictive(self, **more: Any) -> ml.PredictiveWebService:
        given = {"experiment": "flights", "model": self._model} | more
        return ml.PredictiveWebService(self.name(), workspace=self._workspace, **given)

    def endpoint(self, **more: Any) -> ml.Endpoint:
        given = {"service": self.predictive()} | more
        return ml.Endpoint(self.name(), candidate=self._model, **given)

    def begin(self) -> None:
        self._workspace, self._data = self.workspace(), self.data()
        self._training = self.training()
        self._model = self.model()

    def two_endpoints(self, second: str) -> None:
        service = self.predictive()
        self.endpoint(service=service, endpoint_name="one")
        self.endpoint(service=service, endpoint_name=second)

    def gate(self, holdout: bool) -> None:
        ml.Gate.from_config(pulumi.Config(), self._data if holdout else None)

    def trigger(self, entry: Mapping[str, str]) -> None:
        (found,) = declared([entry])
        if isinstance(found.settings, Settings):
            ml.RetrainSchedule(self.name(), workspace=self._workspace, settings=found.settings)

    def adopted(self, ring: str) -> None:
        rings = [ml.Ring(ring, [ring])]
        service = self.predictive(experiment=None, model=None, existing=SERVICE, resource="m")
        self.endpoint(service=service, existing="live", rollout=ml.Rollout(rings))


# The remedy, what is declared wrongly, and what as it says.
CASES = [
    case(
        "give both, or with `existing` the workspace to adopt",
        id,
        lambda p: p.workspace(location=None),
        lambda p: p.workspace(),
    ),
    case(
        "let `watch` keep the time, by a trigger `cron`",
        id,
        lambda p: p.trigger({"schedule": "0 3 * * SUN"}),
        lambda p: p.trigger({"cron": "0 3 * * SUN"}),
    ),
    case(
        "name the experiment to publish, or with `existing` the service to adopt",
        id,
        lambda p: p.training(experiment=None),
        lambda p: p.training(experiment=None, existing=SERVICE, revision="1"),
    ),
    case(
        "an existing service is never published anew: leave out one of the two",
        id,
        lambda p: p.training(existing=SERVICE),
        lambda p: p.training(),
    ),
    case(
        "give it the baseline: model=…",
        id,
        lambda p: p.predictive(model=None),
        lambda p: p.predictive(),
    ),
    case(
        "give each endpoint a name of its own: endpoint_name=…",
        id,
        lambda p: p.two_endpoints("one"),
        lambda p: p.two_endpoints("two"),
    ),
    case(
        "declare that data version, and give it to Gate.from_config as holdout=",
        id,
        lambda p: p.gate(False),
        lambda p: p.gate(True),
    ),
    case(
        "let the last ring begin with it, or leave out the rings",
        id,
        lambda p: p.adopted("pilot"),
        lambda p: p.adopted("live"),
    ),
    case(
        "leave it out",
        id,
        lambda p: p.data(opts=OPTIONS(delete_before_replace=True)),
        lambda p: p.data(),
    ),
    case(
        "adopt what is there already with existing=, where the resource takes it",
        id,
        lambda p: p.workspace(opts=OPTIONS(import_="there")),
        lambda p: p.workspace(
            existing="/subscriptions/s/resourceGroups/g/providers/Microsoft.MachineLearning/workspaces/w"
        ),
    ),
    case(
        "leave it out, or keep the thing itself with retain_on_delete",
        id,
        lambda p: p.workspace(opts=OPTIONS(deleted_with=p._data)),
        lambda p: p.workspace(opts=OPTIONS(retain_on_delete=True)),
    ),
    case(
        "give its old name, type or parent in aliases",
        id,
        lambda p: p.data(opts=OPTIONS(state_migrations=[lambda args: None])),
        lambda p: p.data(opts=OPTIONS(aliases=[pulumi.Alias(name="old")])),
    ),
    case(
        "leave it out; train anew with force=, and give another endpoint or service another name",
        id,
        lambda p: p.model(opts=OPTIONS(replace_on_changes=["*"])),
        lambda p: p.model(force="again"),
    ),
    case(
        "leave it out: keys and credentials are never among them",
        id,
        lambda p: p.model(opts=OPTIONS(additional_secret_outputs=["metrics"])),
        lambda p: p.model(),
    ),
    case(
        "leave it out; RunLimits(deadline_minutes=) bounds a run, Rollout(probe_deadline=) a probe",
        id,
        lambda p: p.model(opts=OPTIONS(custom_timeouts=pulumi.CustomTimeouts(create="1m"))),
        lambda p: p.model(limits=ml.RunLimits(deadline_minutes=1)),
    ),
    case(
        "leave it out; target= says where it is, and a Workspace takes a provider of azure-native",
        id,
        lambda p: p.data(opts=OPTIONS(provider=azure_native.Provider(p.name()))),
        lambda p: p.workspace(opts=OPTIONS(provider=azure_native.Provider(p.name()))),
    ),
    case(
        "leave it out, or give it to the part that it is for, by a transformation",
        id,
        lambda p: p.workspace(opts=OPTIONS(hide_diffs=["tags"])),
        lambda p: p.workspace(opts=OPTIONS(transformations=[lambda args: None])),
    ),
    case(
        "leave it out, or name one of these: {}",
        id,
        lambda p: p.data(opts=OPTIONS(ignore_changes=["digest"])),
        lambda p: p.data(opts=OPTIONS(ignore_changes=["version"])),
    ),
]


@pytest.fixture(scope="module")
def outcome(tmp_path_factory: pytest.TempPathFactory) -> dict[Declare, list[Any]]:
    """One program declares all: what is refused, by what was wrong, and then whether the right one is declared."""
    found: dict[Declare, list[Any]] = {}

    def program() -> None:
        names = Program()
        names.begin()
        for _act, wrong, right in (one.values for one in CASES):
            try:
                wrong(names)
            except pulumi.RunError as refused:
                found[wrong] = [refused]
            right(names)
            found[wrong].append("declared")

    ProgramStack(program, tmp_path_factory.mktemp("program"), config=CONFIG).preview(check=False)
    return found


@pytest.mark.parametrize(("act", "wrong", "right"), CASES)
def test_what_is_declared(
    remedy: Told, outcome: dict[Declare, list[Any]], act: object, wrong: Declare, right: Declare
) -> None:
    """What is refused, and what is declared as the remedy says."""
    refused, declared = outcome[wrong]
    remedy(refused)
    assert declared


@heals("call it before the first TrainedModel and Endpoint")
def test_who_is_told(remedy: Told, tmp_path: Path) -> None:
    """Channels that are named first."""
    told: list[BaseException] = []

    def late() -> None:
        Program().begin()
        try:
            ml.notify(ml.JsonLines("told.jsonl"))
        except ConfigurationError as refused:
            told.append(refused)

    def early() -> None:
        ml.notify(ml.JsonLines("told.jsonl"))
        Program().begin()
        told.clear()

    ProgramStack(late, tmp_path).preview(check=False)
    remedy(told[0])
    ProgramStack(early, tmp_path).preview(check=False)
    assert told == []


@heals(
    "pass a value that may be read by all who see the stack, such as the name under which the secret is kept"
)
def test_a_secret(remedy: Told, tmp_path: Path) -> None:
    """Another value is no secret; it is asked for where the data is, and no cloud is there."""

    def failures(version: Callable[[], Any]) -> str:
        found = ProgramStack(lambda: Program().data(version=version()), tmp_path).preview(check=False)
        return "\n".join(map(str, found.failures))

    remedy(failures(lambda: pulumi.Output.secret("2013-01")))
    assert "is a secret" not in failures(lambda: "2013-01")
