"""What registrations and states may ask for: the features the SDK is told of, and what is refused."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from backend.checkpoint import State
from backend.errors import StateError
from backend.urns import is_provider, make_urn
from backend.values import Props
from engine.errors import StepError, refused
from engine.planning.names import Names
from engine.providers.registry import INTERNAL

FEATURES = {
    "secrets": "SECRETS",
    "resourceReferences": "RESOURCE_REFERENCES",
    "outputValues": "OUTPUT_VALUES",
    "aliasSpecs": "ALIAS_SPECS",
    "parameterization": "PARAMETERIZATION",
    "resourceHooks": "RESOURCE_HOOKS",
    "errorHooks": "ERROR_HOOKS",
    # Claimed so that the SDK sends them and the engine can refuse them by name.
    "replacementTrigger": "REPLACEMENT_TRIGGER",
    "deletedWith": "DELETED_WITH",
    "replaceWith": "REPLACE_WITH",
    "transforms": "TRANSFORMS",
    "invokeTransforms": "INVOKE_TRANSFORMS",
}
# What a resource's state may have that says what is to be done with it; the rest is kept as it is.
_HEEDED_BY_THE_CLI = {
    *("deletedWith", "replaceWith", "replacementTrigger", "taint", "viewOf", "extensionRef", "snippetID"),
}
_UNITS = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 1e-3, "us": 1e-6, "µs": 1e-6, "ns": 1e-9}


class InvalidError(StepError):
    """A registration is malformed: an exception in the program."""


def refuse_options(request: Any) -> None:
    """Refuse by name what a registration asks for and the engine doesn't do.

    Raises:
        StepError: it asks for such a thing.
    """
    what = {
        "remote components": request.remote,
        "option import": request.importId,
        "option deletedWith": request.deletedWith,
        "option replaceWith": request.replace_with,
        "option hideDiffs": request.hideDiffs,
        "option replacementTrigger": request.HasField("replacement_trigger")
        and request.replacement_trigger.WhichOneof("kind") not in (None, "null_value"),
        "transforms": request.transforms,
        "state migrations": request.state_migrations,
        "environment mappings of providers": request.envVarMappings,
        "stack references": request.type == "pulumi:pulumi:StackReference",
    }
    for name, used in what.items():
        if used:
            raise StepError(refused(name))


def refuse_states(states: Iterable[State]) -> None:
    """Refuse by name what another engine wrote of a resource and this one would not go by.

    Raises:
        StateError: there is such a thing.
    """
    for state in states:
        found = sorted(_HEEDED_BY_THE_CLI & state.extra.keys())
        if is_provider(state.type) and "parameterization" in (state.inputs.get(INTERNAL) or {}):
            found.append("a parameterized package")
        if found:
            raise StateError(
                f"the stack's state has {found[0]} for {state.urn}: not implemented by the embedded engine",
                "run it with the Pulumi CLI: --engine pulumi",
            )


def set_version(inputs: Props, version: str, url: str) -> None:
    """Put a plugin's version and address into a provider's inputs, as the CLI keeps them."""
    if version or url:
        internal = inputs.setdefault(INTERNAL, {})
        if version:
            inputs["version"] = version
        if url:
            internal["pluginDownloadURL"] = url


def aliases_of(request: Any, names: Names) -> list[str]:
    """The URNs that a registration gives as its aliases.

    Raises:
        InvalidError: one isn't a URN.
    """
    found = [*request.aliasURNs]
    for alias in request.aliases:
        spec = alias.spec
        parent = "" if spec.noParent else (spec.parentUrn or request.parent)
        of = (spec.stack or names.stack, spec.project or names.project, parent)
        given = alias.WhichOneof("alias") == "urn"
        found.append(
            alias.urn if given else make_urn(*of, spec.type or request.type, spec.name or request.name)
        )
    for urn in found:
        if not urn.startswith("urn:pulumi:"):
            raise InvalidError(f"invalid alias URN: {urn}")
    return found


def timeouts_of(timeouts: Any) -> dict[str, float]:
    """Custom timeouts in seconds."""
    given = {name: getattr(timeouts, name) for name in ("create", "update", "delete", "read")}
    return {name: seconds(text) for name, text in given.items() if text}


def seconds(duration: str) -> float:
    """Go's duration text (`5m`, `1h30m`, `1.5s`) in seconds.

    Raises:
        InvalidError: it isn't one.
    """
    parts = re.findall(r"([0-9.]+)(ms|us|µs|ns|h|m|s)", duration)
    if not parts or "".join(n + u for n, u in parts) != duration.lstrip("+"):
        raise InvalidError(f"unable to parse customTimeout Value {duration}")
    return sum(float(number) * _UNITS[unit] for number, unit in parts)
