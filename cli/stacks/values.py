"""Values of a stack's configuration, judged before they are written: by their declaration, and by what they mean."""

from __future__ import annotations

import json
from typing import Any

from cli.errors import CliError
from cli.project import project

_EXAMPLES = {
    "array": 'a list, such as ["auc >= 0.65"]',
    "object": 'an object, such as {"Learning rate": "0.1"}',
    "integer": "a whole number",
    "boolean": "true or false",
}


def judged(key: str, text: str) -> Any:
    """The value that *text* is of this project's *key*: a list or an object, or else the text itself.

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
        _judge(name, text == "true" if declared.get("type") == "boolean" else value)
    except ConfigurationError as error:
        raise CliError(error.cause, error.remedy, exit_code=2) from None
    return value


def _judge(name: str, value: Any) -> None:
    """Raise ConfigurationError where a resource would refuse the *value* of the key *name*."""
    from retrain_hooks.binding.inputs import ProbeInputs, RingInputs
    from retrain_hooks.data.inputs import DataVersionInputs
    from retrain_hooks.gate.inputs import GateInputs
    from retrain_hooks.notifications.channels import channel_of
    from retrain_hooks.services.web_service import WebServiceInputs
    from retrain_hooks.training.inputs import TrainedModelInputs
    from retrain_hooks.triggers.declared import judge_settings

    resources = GateInputs, RingInputs, ProbeInputs, DataVersionInputs, WebServiceInputs, TrainedModelInputs
    for inputs in resources:
        inputs.judge(name, value)
    judge_settings({name: value})
    if name == "notifications":
        for entry in value:
            channel_of(entry)
