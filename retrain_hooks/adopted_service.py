"""A web service that was there before the program: it is read, never published, changed or deleted."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from clients.errors import ConfigurationError
from clients.existing import ExistingService
from clients.protocols import DEFAULT_ENDPOINT, Contract
from clients.web_services import NEW
from retrain_hooks.lifecycle import Context, Diff, Props, known
from retrain_hooks.run_key import digest

_NEEDED = ("target", "workspace", "existing", "revision", "ports", "resource")
_MODEL, _EVALUATION = "Trained model", "Evaluation results"
_PORTS = {"training": ("input", "model", "evaluation"), "predictive": ("input",)}


class AdoptedService:
    """Finds the web service ``existing`` (its resource id, URL or Studio id) of a workspace.

    Inputs: ``target``, ``workspace``, ``part`` (training | predictive); for a training service ``revision``, which takes
    the place of the experiment's digest in the run key, and ``ports`` (``{"input", "model", "evaluation"}``), for a
    predictive one ``ports`` (``{"input"}``) and ``resource``, as far as the service does not tell them itself.
    Outputs as of a service that is published.
    """

    def __init__(self, context: Context) -> None:
        self._context = context

    def check(self, new: Props) -> Props:
        """Add ``experiment``, ``service`` and ``url``, as the service has them now.

        Raises ConfigurationError where there is no such service, or it does not tell what has to be known.
        """
        if not known(*(new.get(name) for name in _NEEDED)):
            return new
        found = _parse(new)
        service: Props = {"id": found.id, "workspace": dict(new["workspace"])}
        services = self._context.services(new["target"], service)
        contract, default = services.contract(found.id), services.endpoint(found.id, DEFAULT_ENDPOINT)
        if contract is None or default is None:
            raise ConfigurationError(
                f"there is no web service {new['existing']!r} (any more)",
                "see ./dev adopt for those that there are, and name one of them",
            )
        experiment = _experiment(new, found, contract)
        if experiment["input"] not in ("", "input1"):
            service["input"] = experiment["input"]
        return new | {"kind": found.kind, "experiment": experiment, "service": service, "url": default.url}

    def diff(self, old: Props, new: Props) -> Diff:
        """Another service takes the place of this one; one that says something else of itself is recorded anew.

        One that this stack published is let go when it is named as existing: from then on it is never deleted.
        """
        if not known(new.get("existing"), new.get("workspace")):
            return Diff(True)
        before, now = str((old.get("service") or {}).get("id")), _parse(new).id
        replaces = tuple(
            name
            for name, other in (
                ("target", old.get("target") != new["target"]),
                ("existing", before.casefold() != now.casefold()),
                ("part", old.get("part") != new["part"]),
            )
            if other
        )
        said = any(old.get(name) != new.get(name) for name in ("experiment", "service", "url"))
        return Diff(bool(replaces) or said or not old.get("existing"), replaces)

    def adopt(self, new: Props) -> Props:
        """What is recorded; nothing is called that changes anything."""
        return self.check(new)

    def read(self, old: Props) -> tuple[Props, Props] | None:
        """As it is now; None, and a line that says so, where it is gone."""
        service = old["service"]
        if self._context.services(old["target"], service).exists(service["id"]):
            return old, old
        self._context.progress.info(f"the adopted web service {old['existing']} is gone")
        return None


def _parse(props: Props) -> ExistingService:
    found = ExistingService.parse(str(props["existing"]))
    workspace = str(props["workspace"].get("id") or "")
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


def _experiment(props: Props, found: ExistingService, contract: Contract) -> Props:
    """What a run and a binding need to know of it, as of a declared experiment."""
    ports = dict(props.get("ports") or {})
    part = props["part"]
    if unknown := sorted(set(ports) - set(_PORTS[part])):
        raise ConfigurationError(
            f"{', '.join(unknown)} is no port of a {part} web service", f"give: {', '.join(_PORTS[part])}"
        )
    name = re.sub(r"[^A-Za-z0-9._-]+", "-", contract.name).strip("-.") or found.id
    experiment: Props = {
        "name": name,
        "digest": _digest(props, found, contract),
        "input": _port("input", ports, contract.inputs, _only(contract.inputs)),
    }
    if part == "predictive":
        return experiment | {"resource": _resource(props, contract)}
    return experiment | {
        "modelOutput": _port("model", ports, contract.outputs, _fed(contract, _MODEL)),
        "evaluationOutput": _port("evaluation", ports, contract.outputs, _fed(contract, _EVALUATION)),
        "parameters": sorted(contract.parameters),
    }


def _digest(props: Props, found: ExistingService, contract: Contract) -> str:
    """What stands for the service's definition in run keys."""
    if revision := str(props.get("revision") or ""):
        return digest({"service": found.id, "revision": revision})
    if contract.digest:
        return digest({"service": found.id, "definition": contract.digest})
    if props["part"] == "training":
        raise ConfigurationError(
            f"the classic web service {contract.name!r} shows no definition, so that a changed one can't be told",
            'give it a revision, such as revision="1", and another one each time it is published anew',
        )
    return ""


def _resource(props: Props, contract: Contract) -> str:
    """The updatable resource."""
    named = str(props.get("resource") or "")
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
