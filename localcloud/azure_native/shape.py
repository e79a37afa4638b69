"""Between a resource's properties (azure-native's flat form) and ARM's document.

Works on plain values: secret marks are taken off before, and unknowns never reach a request.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from localcloud.azure_native.errors import ProviderError
from localcloud.azure_native.spec import Field, ResourceType


def resource_id(kind: ResourceType, subscription: str, inputs: Mapping[str, Any]) -> str:
    """The ARM id that the inputs name; raises ProviderError where a part of it is missing."""
    values = {"subscriptionId": subscription}
    for parameter in kind.path_parameters:
        value = inputs.get(parameter)
        if not isinstance(value, str) or not value:
            raise ProviderError(
                f"missing required property '{parameter}' of {kind.token}", f"set {parameter} in the program"
            )
        values[parameter] = value
    return kind.path.format_map(values)


def request_body(kind: ResourceType, inputs: Mapping[str, Any]) -> dict[str, Any]:
    """The document to PUT: each input where ARM has it."""
    document: dict[str, Any] = {}
    for field in kind.body:
        if field.name in inputs:
            place = document
            for key in field.at[:-1]:
                place = place.setdefault(key, {})
            place[field.at[-1]] = inputs[field.name]
    return document


def outputs(kind: ResourceType, document: Mapping[str, Any]) -> dict[str, Any]:
    """The resource's state as azure-native gives it: `properties.*` flattened, with the API version used."""
    state = _pick(kind.outputs, document)
    state["azureApiVersion"] = kind.api_version
    return state


def inputs_of(kind: ResourceType, resource_id: str, document: Mapping[str, Any]) -> dict[str, Any]:
    """The inputs that would declare what is there; for a resource that is imported."""
    named = kind.parse_id(resource_id)
    if named is None:
        raise ProviderError(
            f"'{resource_id}' is not the id of a {kind.token}", f"an id looks like {kind.path}"
        )
    named.pop("subscriptionId", None)
    return {**named, **_pick(kind.body, document), "azureApiVersion": kind.api_version}


def follow_drift(
    kind: ResourceType, inputs: Mapping[str, Any], old: Mapping[str, Any], new: Mapping[str, Any]
) -> dict[str, Any]:
    """The inputs after what changed between two states has been carried over to them.

    Only what differs between the states is carried over: a default that ARM fills in is not drift.
    """
    followed = dict(inputs)
    for field in kind.body:
        before, after = old.get(field.name), new.get(field.name)
        if before == after:
            continue
        if after is None:
            followed.pop(field.name, None)
        else:
            followed[field.name] = _merge(inputs.get(field.name), before, after)
    return followed


def _merge(base: Any, before: Any, after: Any) -> Any:
    if not (isinstance(base, Mapping) and isinstance(before, Mapping) and isinstance(after, Mapping)):
        return after
    merged = {key: value for key, value in base.items() if key in after or key not in before}
    for key, value in after.items():
        if before.get(key) != value:
            merged[key] = _merge(base.get(key), before.get(key), value)
    return merged


def _pick(fields: tuple[Field, ...], document: Mapping[str, Any]) -> dict[str, Any]:
    picked: dict[str, Any] = {}
    for field in fields:
        value: Any = document
        for key in field.at:
            value = value.get(key) if isinstance(value, Mapping) else None
        if value is not None:
            picked[field.name] = value
    return picked
