"""A pipeline and the web services that there are → the program, and the stack's file."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from cli.errors import CliError
from cli.services.adoption import Choice, Chosen, version_known
from cli.services.data_factory.documents import Document
from cli.services.data_factory.pipeline import Retraining
from clients.errors import ConfigurationError
from clients.existing import ExistingService
from clients.inventory import FoundEndpoint, FoundService, FoundWorkspace
from clients.protocols import CLASSIC, NEW, Contract

GIVE = "GIVE"
_API = re.compile(
    r"(?:https?://[^/]+)?(/(?:workspaces|subscriptions)/[^/?\s]+/services/[^/?\s]+)", re.IGNORECASE
)


@dataclass(frozen=True)
class Carried:
    """What is written: the writer's choice, and the stack's configuration."""

    chosen: Chosen
    config: dict[str, Any]


def carry(retraining: Retraining, found: Sequence[FoundWorkspace], asked: Choice, target: str) -> Carried:
    """What the program is written of; what is missing is noted in *retraining*. Raises CliError as ``choose`` does."""
    path, version, container = _data(retraining)
    version = asked.data_version or version
    version_known(version)
    home, training = _service("training", retraining.training, found, asked.training, retraining)
    there, predictive = _service("predictive", retraining.scoring, found, asked.predictive, retraining)
    endpoint = _endpoint(retraining.scoring, predictive, asked, retraining)
    workspace = home or there
    if CLASSIC in (training.kind, predictive.kind):
        workspace = home if training.kind == CLASSIC else there
    if workspace is None:
        group = predictive.id.partition("/providers/")[0] if predictive.kind == NEW else ""
        workspace = FoundWorkspace(group or f"{GIVE} the workspace's resource id")
        if not group:
            retraining.give.append(
                "the workspace's resource id (Workspace(existing=…)): Data Factory's documents don't name it"
            )
    chosen = Chosen(
        workspace,
        training,
        predictive,
        endpoint,
        version,
        asked.revision,
        _ports(training, retraining, asked),
        retraining.resource,
        container,
    )
    config: dict[str, Any] = {"target": target, "dataPath": path, "dataVersion": version}
    if retraining.parameters:
        config["parameters"] = retraining.parameters
    if retraining.minutes:
        config["deadlineMinutes"] = retraining.minutes
    _environment(retraining, predictive)
    return Carried(chosen, config)


def _data(retraining: Retraining) -> tuple[str, str, str]:
    """Path of the data's versions, the version that there is, and the container."""
    data = retraining.data
    if data is None or not data.path or data.problem or "{version}" in data.container:
        why = (data and data.problem) or "the documents do not say one"
        retraining.give.append(
            f"the path of the data (dataPath in the stack's file, with {{version}} once): {why}"
        )
        container = data.container if data and "{version}" not in data.container else ""
        return "GIVE/{version}", "", container
    path, version = data.versioned()
    if version:
        retraining.left.append(
            f"data that is written over: {data.container}/{data.path} is the version {version!r} of {path}; a new "
            "content of it is trained, and going back needs versions of their own names"
        )
    return path, version, data.container


def _service(
    part: str, linked: Document | None, found: Sequence[FoundWorkspace], asked: str, retraining: Retraining
) -> tuple[FoundWorkspace | None, FoundService]:
    """The web service that a linked service, or an option, names; where it isn't there, as far as it is named."""
    own = (linked.properties.get("typeProperties") if linked else None) or {}
    own = own if isinstance(own, dict) else {}
    update, api = str(own.get("updateResourceEndpoint", "")), _API.search(str(own.get("mlEndpoint", "")))
    named = _named(asked) if asked else _named(update) if part == "predictive" else None
    address = "" if asked else api[1].casefold() if api else ""
    pairs = [(workspace, service) for workspace in found for service in workspace.services]
    for workspace, service in pairs:
        addresses = [one.address.casefold() for one in service.endpoints if one.address]
        by_id = named is not None and service.id.casefold() == named.id.casefold()
        by_name = bool(asked) and asked.casefold() in (
            service.id.casefold(),
            service.contract.name.casefold(),
        )
        if by_id or by_name or (address and address in addresses):
            return workspace, service
    if asked and named is None:
        raise CliError(
            f"there is no web service {asked!r}", f"name one of ./dev adopt: --{part} NAME, or its id"
        )
    whose = f" of the linked service {linked.name}" if linked else ""
    if named is not None:
        retraining.give.append(
            f"access to the {part} web service{whose}: it is not among those of the stack's target, and is named as the documents do"
        )
        return None, FoundService(named.kind, named.id, Contract(part), ())
    retraining.give.append(
        f"the {part} web service{whose} (existing=… in the program, or --{part}): its address names none of the stack's target"
    )
    return None, FoundService(
        CLASSIC, f"{GIVE} the {part} web service", Contract(f"the {part} web service"), ()
    )


def _named(text: str) -> ExistingService | None:
    # A sentence's full stop after the address is a mistake that documents print.
    try:
        return ExistingService.parse(text.strip().rstrip("."))
    except ConfigurationError:
        return None


def _endpoint(
    linked: Document | None, predictive: FoundService, asked: Choice, retraining: Retraining
) -> FoundEndpoint:
    own = (linked.properties.get("typeProperties") if linked else None) or {}
    update = str(own.get("updateResourceEndpoint", "")) if isinstance(own, dict) else ""
    named = _named(update)
    name = asked.endpoint or (named.endpoint if named else "")
    if not name and predictive.kind == NEW:
        name = "default"
    if not name and (last := re.search(r"/endpoints/([^/?\s]+)", update)):
        name = last[1]
    bindable = [one for one in predictive.endpoints if predictive.kind == NEW or one.name != "default"]
    for one in bindable:
        if one.name.casefold() == name.casefold():
            return one
    if not name and len(bindable) == 1:
        return bindable[0]
    if not name:
        retraining.give.append("the endpoint (Endpoint(existing=…), or --endpoint): the documents name none")
    return FoundEndpoint(name or f"{GIVE}-the-endpoint", name)


def _ports(training: FoundService, retraining: Retraining, asked: Choice) -> dict[str, str]:
    told = set(training.contract.feeds.values())
    ports = {}
    for port, source, name, option in (
        ("model", "Trained model", asked.model_output or retraining.model, "--model-output"),
        (
            "evaluation",
            "Evaluation results",
            asked.evaluation_output or retraining.evaluation,
            "--evaluation-output",
        ),
    ):
        if name:
            ports[port] = name
        elif source not in told:
            retraining.give.append(
                f"the training service's output for the {port} (ports=… in the program, or {option}): the pipeline has none"
            )
    if retraining.input and len(training.contract.inputs) != 1:
        ports = {"input": retraining.input} | ports
    return ports


def _environment(retraining: Retraining, predictive: FoundService) -> None:
    """The credentials, by the names of the variables that hold them."""
    account = f" of {retraining.accounts[0]}" if retraining.accounts else ""
    retraining.give.append(
        f"RETRAIN_STORAGE_CONNECTION_STRING: the connection string{account} (not for the local cloud)"
    )
    if len(retraining.accounts) > 1:
        retraining.left.append(
            f"a second storage account ({', '.join(retraining.accounts[1:])}): data and models are in one"
        )
    retraining.give.append(
        "AZURE_TENANT_ID, AZURE_CLIENT_ID, AZURE_CLIENT_SECRET: the service principal (not for the local cloud); "
        "the endpoints' keys (apiKey) are asked of the services"
    )
    if predictive.kind == CLASSIC:
        retraining.give.append(
            "RETRAIN_STUDIO_URL: the management address of classic services (not for the local cloud)"
        )


def stack_file(project: str, config: dict[str, Any]) -> str:
    """The stack's file."""
    import yaml

    content = {"config": {f"{project}:{key}": value for key, value in config.items()}}
    text: str = yaml.safe_dump(content, sort_keys=False, allow_unicode=True)
    return text
