"""The program for web services that there are already: which ones were chosen, and the text of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from string import Template
from typing import TypeVar

from cli.errors import CliError
from clients.inventory import FoundEndpoint, FoundService, FoundWorkspace
from clients.names import listed, nearest
from clients.protocols import CLASSIC

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
    """What is adopted; *ports* are those that the training service does not tell, *resource* the trained model where it
    is named, *container* that of the data where it is not the target's own.
    """

    workspace: FoundWorkspace
    training: FoundService
    predictive: FoundService
    endpoint: FoundEndpoint
    data_version: str
    revision: str
    ports: dict[str, str]
    resource: str = ""
    container: str = ""


def version_known(version: str) -> None:
    """Raises CliError where the data version of the present model is missing."""
    if not version:
        raise CliError(
            "the data version that the present model was trained from is not known",
            "say it: --data-version VERSION, such as 2013-01",
        )


def choose(workspaces: Sequence[FoundWorkspace], asked: Choice) -> Chosen:
    """What the options choose. Raises CliError for what is not there, or is one of several."""
    version_known(asked.data_version)
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
    )


def _one(found: Sequence[T], name: str, what: str, option: str, names: Callable[[T], tuple[str, ...]]) -> T:
    wanted = name.casefold()
    matching = [one for one in found if not name or wanted in (each.casefold() for each in names(one))]
    if len(matching) == 1:
        return matching[0]
    there = [names(one)[0] for one in found]
    if name and not matching:
        raise CliError(
            f"there is no {what} {name!r}; {nearest(name, there)}", f"name one of these: {option} NAME"
        )
    if not matching:
        raise CliError(f"there is no {what}", "see ./dev adopt for what there is")
    raise CliError(f"there is more than one {what}: {listed(there)}", f"name the one: {option} NAME")


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
from retrain_hooks.host.interruption import stop_on_interrupt

stop_on_interrupt()

config = ml.configuration()
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
    existing=${predictive},${resource}
)


def data(name: str, version: str) -> ml.DataVersion:
    """A data version in the data container."""
    return ml.DataVersion(name, target=target, path=config.require("dataPath"), version=version${container})


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
held_out = config.get("holdoutDataVersion")
endpoint = ml.Endpoint(
    "endpoint",
    service=predictive,
    existing=${endpoint},
    candidate=candidate,
    gate=ml.Gate.from_config(config, data("holdout-data", held_out) if held_out else None),
    rollout=ml.Rollout.from_config(config, endpoint=${endpoint}),
)

outputs = endpoint.outputs | {
    "baselineUrl": predictive.url,
    "service": predictive.service,
    "target": target,
}
for name, value in outputs.items():
    pulumi.export(name, value)
''')


def program(chosen: Chosen) -> str:
    """The program, as a person would write it."""
    revision = ports = ""
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
        resource=f"\n    resource={_text(chosen.resource)}," if chosen.resource else "",
        container=f", container={_text(chosen.container)}" if chosen.container else "",
    )


def _text(value: str) -> str:
    """A string literal, in the project's double quotes."""
    import json

    return json.dumps(value, ensure_ascii=False)


def _plain(name: str) -> str:
    """A name for a docstring."""
    return name.replace("\\", "/").replace('"""', "'").strip('"')
