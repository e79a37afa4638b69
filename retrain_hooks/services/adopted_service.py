"""A web service that was there before the program: it is read, never published, changed or deleted."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from clients.errors import ConfigurationError
from clients.existing import ExistingService
from clients.protocols import DEFAULT_ENDPOINT, NEW, Contract
from retrain_hooks.host.inputs import Inputs, prop
from retrain_hooks.host.lifecycle import Context, Diff, Props, known
from retrain_hooks.host.references import ExperimentRef, ServiceRef, WorkspaceRef, same_id
from retrain_hooks.registry.run_key import digest

_MODEL, _EVALUATION = "Trained model", "Evaluation results"
_PORTS = {"training": ("input", "model", "evaluation"), "predictive": ("input",)}


@dataclass(frozen=True)
class AdoptedServiceInputs(Inputs):
    """A web service that is there already, and what it does not tell itself."""

    target: str = prop("name of the target")
    workspace: WorkspaceRef = prop("the workspace that it is in")
    existing: str = prop("the service: its resource id, URL or Studio id")
    part: str = prop("what it does", default="training", choices=tuple(_PORTS))
    revision: str | None = prop("stands for its experiment in run keys", default=None)
    ports: Mapping[str, Any] = prop("names of its ports: input, model, evaluation", default={})
    resource: str | None = prop("the trained model to replace, where it has several", default=None)
    kind: str = prop("the kind of web service", default="", output=True)
    experiment: ExperimentRef | None = prop(
        "its ports, and what stands for it in run keys", default=None, output=True
    )
    service: ServiceRef | None = prop("reference to the service", default=None, output=True)
    url: str = prop("where its default endpoint answers", default="", output=True)

    @property
    def told(self) -> tuple[Any, ...]:
        """What others are told of it; states of 91e2b28 name no kind."""
        service = replace(self.service, kind="") if self.service else None
        return self.experiment, service, self.url


class AdoptedService:
    """Finds a web service of a workspace (inputs: AdoptedServiceInputs). Outputs as of a service that is published."""

    def __init__(self, context: Context) -> None:
        self._context = context

    def check(self, new: Props) -> Props:
        """Add ``experiment``, ``service`` and ``url``, as the service has them now.

        Raises ConfigurationError where there is no such service, or it does not tell what has to be known.
        """
        wanted = AdoptedServiceInputs.parse(new)
        if not known(wanted):
            return new
        workspace = wanted.workspace.id or self._context.workspace_id(
            wanted.target, wanted.workspace.resource
        )
        wanted = replace(wanted, workspace=replace(wanted.workspace, id=workspace))
        found = _parse(wanted)
        service = ServiceRef(found.id, wanted.workspace, kind=found.kind)
        services = self._context.services(wanted.target, service.props())
        contract, default = services.contract(found.id), services.endpoint(found.id, DEFAULT_ENDPOINT)
        if contract is None or default is None:
            raise ConfigurationError(
                f"there is no web service {wanted.existing!r} (any more)",
                "see ./dev adopt for those that there are, and name one of them",
            )
        experiment = _experiment(wanted, found, contract)
        if experiment.input not in ("", "input1"):
            service = replace(service, input=experiment.input)
        return replace(
            wanted, kind=found.kind, experiment=experiment, service=service, url=default.url
        ).props()

    def diff(self, old: Props, new: Props) -> Diff:
        """Another service takes the place of this one; one that says something else of itself is recorded anew.

        One that this stack published is let go when it is named as existing: from then on it is never deleted.
        """
        if not known(new.get("existing"), new.get("workspace")):
            return Diff(True)
        wanted = AdoptedServiceInputs.parse(new)
        before = AdoptedServiceInputs.parse({"existing": "", **old})
        same = {
            "target": before.target == wanted.target,
            "existing": before.service is not None and same_id(before.service.id, _parse(wanted).id),
            "part": before.part == wanted.part,
        }
        replaces = tuple(name for name, equal in same.items() if not equal)
        return Diff(bool(replaces) or before.told != wanted.told or not before.existing, replaces)

    def read(self, old: Props) -> tuple[Props, Props] | None:
        """As it is now; None, and a line that says so, where it is gone."""
        recorded = AdoptedServiceInputs.parse(old)
        service = recorded.service
        if service is not None and self._context.services(recorded.target, service.props()).exists(
            service.id
        ):
            return old, old
        self._context.progress.info(f"the adopted web service {recorded.existing} is gone")
        return None


def _parse(inputs: AdoptedServiceInputs) -> ExistingService:
    found, workspace = ExistingService.parse(inputs.existing), inputs.workspace.id
    if found.kind != NEW and not workspace:
        raise ConfigurationError(
            f"the classic web service {found.id} needs the workspace that it is in",
            "give Workspace(existing=…) the resource id of a workspace",
        )
    if found.workspace and found.workspace != workspace:
        raise ConfigurationError(
            f"the web service {found.id} is in the workspace {found.workspace}, not in {workspace}",
            "name the workspace that it is in, or a service of this one; ./dev adopt lists them",
        )
    return found


def _experiment(inputs: AdoptedServiceInputs, found: ExistingService, contract: Contract) -> ExperimentRef:
    """What a run and a binding need to know of it, as of a declared experiment."""
    ports, part = inputs.ports, inputs.part
    if unknown := sorted(set(ports) - set(_PORTS[part])):
        raise ConfigurationError(
            f"a {part} web service has no port {', '.join(unknown)}", f"give: {', '.join(_PORTS[part])}"
        )
    experiment = ExperimentRef(
        re.sub(r"[^A-Za-z0-9._-]+", "-", contract.name).strip("-.") or found.id,
        _digest(inputs, found, contract),
        input=_port("input", ports, contract.inputs, _only(contract.inputs)),
    )
    if part == "predictive":
        return replace(experiment, resource=_resource(inputs, contract))
    return replace(
        experiment,
        model_output=_port("model", ports, contract.outputs, _fed(contract, _MODEL)),
        evaluation_output=_port("evaluation", ports, contract.outputs, _fed(contract, _EVALUATION)),
        parameters=tuple(sorted(contract.parameters)),
    )


def _digest(inputs: AdoptedServiceInputs, found: ExistingService, contract: Contract) -> str:
    """What stands for the service's definition in run keys."""
    if inputs.revision:
        return digest({"service": found.id, "revision": inputs.revision})
    if contract.digest:
        return digest({"service": found.id, "definition": contract.digest})
    if inputs.part == "training":
        raise ConfigurationError(
            f"the classic web service {contract.name!r} shows no definition, so that a changed one can't be told",
            'give it a revision, such as revision="1", and another one each time it is published anew',
        )
    return ""


def _resource(inputs: AdoptedServiceInputs, contract: Contract) -> str:
    """The updatable resource."""
    named = inputs.resource or ""
    found = [one for one in contract.resources if not named or one.casefold() == named.casefold()]
    if len(found) == 1:
        return found[0]
    there = ", ".join(map(repr, contract.resources)) or "none"
    what = f"trained models called {named!r}" if named else "trained models"
    raise ConfigurationError(
        f"the web service {contract.name!r} has {len(found)} {what}; it has: {there}",
        "name the one to be replaced: PredictiveWebService(…, resource=…)"
        if contract.resources
        else "name a predictive web service with a trained model that can be replaced",
    )


def _port(what: str, given: Mapping[str, Any], there: Sequence[str], told: str) -> str:
    """The name of a port: as given, or else as the service tells."""
    name = str(given.get(what) or told)
    if given.get(what) and there and name not in there:
        raise ConfigurationError(
            f"the web service has no {what} port {name!r}; it has: {', '.join(there)}",
            "correct the component's ports",
        )
    if not name:
        listed = f"; it has: {', '.join(there)}" if there else ""
        raise ConfigurationError(
            f"the web service does not tell which port is its {what}{listed}",
            f"name it: ports={{{what!r}: NAME}}",
        )
    return name


def _only(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else ""


def _fed(contract: Contract, port: str) -> str:
    """The one output that a port called *port* feeds."""
    return _only([output for output, source in contract.feeds.items() if source == port])
