"""The program for web services that there are already: which ones were chosen, and the text of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from string import Template
from typing import TypeVar

from cli.errors import CliError
from clients.inventory import FoundEndpoint, FoundService, FoundWorkspace
from clients.web_services import CLASSIC

_MODEL, _EVALUATION = "Trained model", "Evaluation results"
T = TypeVar("T")


@dataclass(frozen=True)
class Choice:
    """What the user asked for, as options; empty where there is but one thing to choose."""

    training: str
    predictive: str
    endpoint: str
    data_version: str
    revision: str
    model_output: str
    evaluation_output: str


@dataclass(frozen=True)
class Chosen:
    """What is adopted; *ports* are those that the training service does not tell."""

    workspace: FoundWorkspace
    training: FoundService
    predictive: FoundService
    endpoint: FoundEndpoint
    data_version: str
    revision: str
    ports: dict[str, str]
    staging: str


def choose(workspaces: Sequence[FoundWorkspace], asked: Choice) -> Chosen:
    """What the options choose. Raises CliError for what is not there, or is one of several."""
    if not asked.data_version:
        raise CliError(
            "the data version that the present model was trained from is not known",
            "say it: --data-version VERSION, such as 2013-01",
        )
    services = [(workspace, service) for workspace in workspaces for service in workspace.services]
    readable = [pair for pair in services if not pair[1].problem]
    home, predictive = _one(
        [pair for pair in readable if not pair[1].trains],
        asked.predictive,
        "predictive web service",
        "--predictive",
        lambda pair: (pair[1].contract.name, pair[1].id),
    )
    if predictive.read_only:
        raise CliError(
            f"the web service {predictive.contract.name} is read-only: no model can be bound to it",
            "choose another: --predictive NAME",
        )
    _home, training = _one(
        [pair for pair in readable if pair[1].trains and pair[0].group == home.group],
        asked.training,
        "training web service",
        "--training",
        lambda pair: (pair[1].contract.name, pair[1].id),
    )
    if CLASSIC in (training.kind, predictive.kind):
        home = next(
            one for one, service in services if service.kind == CLASSIC and service in (training, predictive)
        )
    bindable = [one for one in predictive.endpoints if predictive.kind != CLASSIC or one.name != "default"]
    endpoint = _one(
        bindable, asked.endpoint, "endpoint that can be bound", "--endpoint", lambda one: (one.name,)
    )
    return Chosen(
        home,
        training,
        predictive,
        endpoint,
        asked.data_version,
        asked.revision,
        _ports(training, asked),
        _staging(home, predictive),
    )


def _staging(home: FoundWorkspace, predictive: FoundService) -> str:
    """A name for the staging endpoint that nobody has: one that is there already would be taken over."""
    if predictive.kind == CLASSIC:
        taken = {one.name for one in predictive.endpoints}
    else:
        start = f"{predictive.contract.name}-"
        taken = {one.contract.name.removeprefix(start) for one in home.services}
    return next(name for name in ("staging", *(f"staging{n}" for n in range(2, 10_002))) if name not in taken)


def _one(found: Sequence[T], name: str, what: str, option: str, names: Callable[[T], tuple[str, ...]]) -> T:
    wanted = name.casefold()
    matching = [one for one in found if not name or wanted in (each.casefold() for each in names(one))]
    if len(matching) == 1:
        return matching[0]
    there = ", ".join(names(one)[0] for one in found) or "none"
    if name and not matching:
        raise CliError(f"there is no {what} {name!r}; there is: {there}", f"name one of these: {option} NAME")
    if not matching:
        raise CliError(f"there is no {what}", "see ./dev adopt for what there is")
    raise CliError(f"there is more than one {what}: {there}", f"name the one: {option} NAME")


def _ports(training: FoundService, asked: Choice) -> dict[str, str]:
    """The ports of a training service that have to be named: those that it does not tell itself."""
    contract = training.contract
    told = {source: output for output, source in contract.feeds.items()}
    ports = {}
    if len(contract.inputs) != 1:
        raise CliError(
            f"the training web service {contract.name} has {len(contract.inputs)} inputs, not one",
            "choose a training service with one web service input: --training NAME",
        )
    for port, source, given, option in (
        ("model", _MODEL, asked.model_output, "--model-output"),
        ("evaluation", _EVALUATION, asked.evaluation_output, "--evaluation-output"),
    ):
        if given and given not in contract.outputs:
            raise CliError(
                f"{contract.name} has no output {given!r}; it has: {', '.join(contract.outputs)}",
                f"name one of these: {option} NAME",
            )
        if given:
            ports[port] = given
        elif source not in told:
            raise CliError(
                f"{contract.name} does not tell which of its outputs is the {port}: "
                f"{', '.join(contract.outputs) or 'it names none'}",
                f"say it: {option} NAME",
            )
    if len(set(ports.values())) < len(ports):
        raise CliError(
            "model and evaluation are two outputs", "give --model-output and --evaluation-output one each"
        )
    return ports


_PROGRAM = Template('''"""Retrains ${training_name} when its data version changes, and points ${whom} of ${predictive_name} at the result.

The web services were there before this program: it never publishes, changes or deletes them, only binds models.
"""

import pulumi

import components as ml
from retrain_hooks.cancellation import stop_on_interrupt

stop_on_interrupt()

config = pulumi.Config()
ml.notify_from_config(config)
target = config.require("target")

workspace = ml.Workspace(
    "workspace",
    target=target,
    existing=${workspace},
)
training = ml.TrainingWebService(
    "training",
    workspace=workspace,
    existing=${training},${revision}${ports}
)
predictive = ml.PredictiveWebService(
    "predictive",
    workspace=workspace,
    existing=${predictive},
)


def data(name: str, version: str) -> ml.DataVersion:
    """A data version in the data container."""
    return ml.DataVersion(name, target=target, path=config.require("dataPath"), version=version)


# What ${whom} served when it was adopted, and the data version that it was trained from.
present = ml.PresentModel(predictive, ${endpoint}, data("present-data", ${data_version}))
candidate = ml.TrainedModel(
    "candidate",
    service=training,
    data=data("candidate-data", config.require("dataVersion")),
    parameters=config.require_object("parameters"),
    seed=config.require_int("seed"),
    force=config.get("force"),
    pin=config.get("pin"),
    expect_run_key=config.get("expectRunKey"),
    adopts=present,
    limits=ml.RunLimits.from_config(config),
)
endpoint = ml.Endpoint(
    "endpoint",
    service=predictive,
    existing=${endpoint},${staging}
    candidate=candidate,
    gate=ml.Gate.from_config(config),
    rollout=ml.Rollout.from_config(config, endpoint=${endpoint}),
)

outputs = endpoint.outputs | {
    "baselineUrl": predictive.url,
    "runKey": candidate.run_key,
    "dataVersion": config.require("dataVersion"),
    "metrics": candidate.metrics,
    "service": predictive.service,
    "target": target,
}
for name, value in outputs.items():
    pulumi.export(name, value)
''')


def program(chosen: Chosen) -> str:
    """The program, as a person would write it."""
    revision = ports = staging = ""
    if chosen.staging != "staging":
        staging = f"\n    staging_name={_text(chosen.staging)},  # `staging` is somebody else's"
    if chosen.training.kind == CLASSIC:
        revision = (
            f"\n    revision={_text(chosen.revision)},"
            "  # part of the run key: change it when the experiment is published anew"
        )
    if chosen.ports:
        pairs = ", ".join(f"{_text(port)}: {_text(name)}" for port, name in chosen.ports.items())
        ports = f"\n    ports={{{pairs}}},"
    return _PROGRAM.substitute(
        training_name=_plain(chosen.training.contract.name),
        predictive_name=_plain(chosen.predictive.contract.name),
        whom=f"the endpoint {chosen.endpoint.name}"
        if chosen.endpoint.name != "default"
        else "the service itself",
        endpoint=_text(chosen.endpoint.name),
        workspace=_text(chosen.workspace.resource),
        training=_text(chosen.training.id),
        predictive=_text(chosen.predictive.id),
        data_version=_text(chosen.data_version),
        revision=revision,
        ports=ports,
        staging=staging,
    )


def _text(value: str) -> str:
    """A string literal, in the project's double quotes."""
    import json

    return json.dumps(value, ensure_ascii=False)


def _plain(name: str) -> str:
    """A name for a docstring."""
    return name.replace("\\", "/").replace('"""', "'").strip('"')
