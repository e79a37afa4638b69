"""Values of a stack's configuration, judged before they are written: by their declaration, and by what they mean."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from cli.errors import CliError
from cli.project import project

if TYPE_CHECKING:
    from retrain_hooks.host.inputs import Inputs

_EXAMPLES = {
    "array": 'a list, such as ["auc >= 0.65"]',
    "object": 'an object, such as {"Learning rate": "0.1"}',
    "integer": "a whole number",
    "boolean": "true or false",
}


@dataclass(frozen=True)
class Form:
    """How a text has to look: a *pattern*, and what to write."""

    pattern: str
    write: str

    def judge(self, name: str, text: str) -> None:
        """Raise CliError for another."""
        if not re.fullmatch(self.pattern, text):
            raise CliError(f"{name}: {text!r} is none", f"write {self.write}", exit_code=2)


FORMS = {
    "target": Form("local|environment", "local (the local cloud) or environment (RETRAIN_STUDIO_URL, ...)"),
    "location": Form("[a-z][a-z0-9]+", "a region of Azure, such as westeurope"),
    "ownerEmail": Form(r"[^@\s]+@[^@\s]+", "an address, such as owner@example.com"),
}
_STUDIO = Form("[a-z0-9]{1,24}", "1 to 24 lower-case letters and digits, such as retrained")
_ENDPOINTS = {"azureml": Form("[A-Za-z][A-Za-z0-9-]*", "letters, digits and dashes, such as delays")}


def judged(key: str, text: str, kind: str = "classic") -> Any:
    """The value that *text* is of this project's *key*: a list or an object, or else the text itself.

    *kind* is the stack's kind of web service.

    Raises:
        CliError: it is none that an update would take.
    """
    from backend.workspace import ConfigValue, fits, type_name
    from clients.errors import ConfigurationError

    own = f"{project()['name']}:"
    name = key.removeprefix(own)
    declared = (project().get("config") or {}).get(name)
    if not key.startswith(own) or not isinstance(declared, dict):
        return text
    if not fits(ConfigValue(text), {"type": "string", **declared}):
        raise CliError(
            f"{name}: {text!r} is not of type {type_name(declared)}",
            f"write {_EXAMPLES[declared['type']]}",
            exit_code=2,
        )
    value = json.loads(text) if declared.get("type") in ("array", "object") else text
    if value == declared.get("default"):
        return value
    try:
        judge(name, text == "true" if declared.get("type") == "boolean" else value, kind)
    except ConfigurationError as error:
        raise CliError(error.cause, error.remedy, exit_code=2) from None
    return value


def inputs_with_settings() -> list[type[Inputs]]:
    """The inputs of resources that a stack's configuration sets, which say what each of its keys takes."""
    from retrain_hooks.binding.inputs import ModelBindingInputs, ProbeInputs, RingInputs
    from retrain_hooks.data.inputs import DataVersionInputs
    from retrain_hooks.fleet.inputs import FleetInputs, ScheduleInputs
    from retrain_hooks.gate.inputs import GateInputs
    from retrain_hooks.services.web_service import WebServiceInputs
    from retrain_hooks.training.inputs import TrainedModelInputs

    return [
        *(GateInputs, RingInputs, ProbeInputs, ModelBindingInputs, DataVersionInputs),
        *(WebServiceInputs, TrainedModelInputs, FleetInputs, ScheduleInputs),
    ]


def judge(name: str, value: Any, kind: str) -> None:
    """Raise ConfigurationError where a resource would refuse the *value* of the key *name* with services of a *kind*."""
    from retrain_hooks.triggers.declared import judge_settings

    if name in FORMS:
        FORMS[name].judge(name, str(value))
    for inputs in inputs_with_settings():
        inputs.judge(name, value)
    judge_settings({name: value})
    if name in _JUDGES:
        _JUDGES[name](name, value, kind)


def _version(name: str, value: Any, _kind: str) -> None:
    from retrain_hooks.data.inputs import judge_version

    if value or name != "holdoutDataVersion":
        judge_version(str(value), name)


def _experiment(name: str, value: Any, _kind: str) -> None:
    from cli.project import stack_file
    from clients.names import likeliest

    there = sorted(
        path.name for path in stack_file("dev").with_name("experiments").glob("*") if path.is_dir()
    )
    if value not in there:
        near = likeliest(str(value), there) or "the name of one"
        raise CliError(
            f"{name}: there is no folder experiments/{value}",
            f"write {near}, or begin one: ./dev experiment new {value}",
            exit_code=2,
        )


def _endpoint(name: str, value: Any, kind: str) -> None:
    _ENDPOINTS.get(kind, _STUDIO).judge(name, str(value))


def _rings(name: str, value: Any, kind: str) -> None:
    from retrain_hooks.binding.inputs import RingInputs, refuse_rings

    rings = tuple(RingInputs(tuple(str(ring).split(","))) for ring in value)
    for ring in rings:
        for endpoint in ring.names:
            _endpoint(name, endpoint, kind)
    refuse_rings(rings, "")


def _steps(_name: str, value: Any, _kind: str) -> None:
    from retrain_hooks.binding.inputs import refuse_steps

    refuse_steps(tuple(value))


def _members(name: str, value: Any, _kind: str) -> None:
    from retrain_hooks.fleet.members.inputs import MembersInputs

    known = [*(row.name for row in MembersInputs.table()), "missing"]
    for key in value:
        if key not in known:
            raise CliError(f"{name}: it has {key!r}", f"write some of {', '.join(known)}", exit_code=2)
    named = value.get("list")
    if isinstance(named, list):
        value = {**value, "list": [one if isinstance(one, dict) else {"name": one} for one in named]}
    MembersInputs.parse(value, within=f"{name}.")


def _notifications(_name: str, value: Any, _kind: str) -> None:
    from retrain_hooks.notifications.channels import channel_of

    for entry in value:
        channel_of(entry)


_JUDGES: dict[str, Callable[[str, Any, str], None]] = {
    **dict.fromkeys(("dataVersion", "baselineDataVersion", "holdoutDataVersion"), _version),
    "experiment": _experiment,
    "endpointName": _endpoint,
    "rings": _rings,
    "steps": _steps,
    "members": _members,
    "notifications": _notifications,
}
