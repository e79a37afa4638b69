"""Between a resource's properties (azure-native's flat form) and ARM's document.

Works on plain values: secret marks are taken off before, and unknowns never reach a request.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from typing import Any

from localcloud.azure_native.errors import ProviderError
from localcloud.azure_native.spec import Field, ResourceType
from localcloud.azure_native.wire import UNKNOWN


def resource_id(kind: ResourceType, subscription: str, inputs: Mapping[str, Any]) -> str:
    """The ARM id that the inputs name; raises ProviderError where a part of it is missing."""
    values = {"subscriptionId": subscription}
    for parameter in kind.path_parameters:
        value = inputs.get(parameter)
        if not isinstance(value, str) or not value:
            raise ProviderError(
                f"missing required property '{parameter}' of {kind.token}", f"set {parameter} in the program"
            )
        values[parameter] = f"/{value.strip('/')}" if parameter == "scope" else value
    return kind.path.format_map(values)


def request_body(kind: ResourceType, inputs: Mapping[str, Any]) -> dict[str, Any]:
    """The document to PUT: each input where ARM has it."""
    document: dict[str, Any] = {}
    for field in kind.body:
        if field.name in inputs:
            place = document
            for key in field.at[:-1]:
                place = place.setdefault(key, {})
            place[field.at[-1]] = _wire(field, inputs[field.name])
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
    found = _pick(kind.body, document)
    given = {field.name: _declared(field, found[field.name]) for field in kind.body if field.name in found}
    return {**named, **given, "azureApiVersion": kind.api_version}


def follow_drift(
    kind: ResourceType, inputs: Mapping[str, Any], old: Mapping[str, Any], new: Mapping[str, Any]
) -> dict[str, Any]:
    """The inputs after what changed between two states has been carried over to them.

    Only what differs between the states is carried over: a default that ARM fills in is not drift.
    """
    followed = dict(inputs)
    for field in kind.body:
        before, after = (_declared(field, state.get(field.name)) for state in (old, new))
        if before == after:
            continue
        if after is None:
            followed.pop(field.name, None)
        else:
            followed[field.name] = _merge(inputs.get(field.name), before, after)
    return followed


def previewed(field: Field, inputs: Mapping[str, Any]) -> Any:
    """What is known of an output before ARM has answered: what the program declares of it."""
    value = inputs.get(field.name, UNKNOWN)
    if not isinstance(value, Mapping):
        return value
    known = copy.deepcopy(dict(value))
    if field.keyed in known:
        known[field.keyed] = UNKNOWN
    for place, name in _read_only(field, known):
        place[name] = UNKNOWN
    return known


def _wire(field: Field, value: Any) -> Any:
    """An input as ARM takes it."""
    listed = value.get(field.keyed) if field.keyed and isinstance(value, Mapping) else None
    return {**value, field.keyed: {one: {} for one in listed}} if isinstance(listed, list) else value


def _declared(field: Field, value: Any) -> Any:
    """An output as a program would declare it: without what only ARM sets."""
    if not isinstance(value, Mapping) or not (field.read_only or field.keyed):
        return value
    given = copy.deepcopy(dict(value))
    if isinstance(keyed := given.get(field.keyed), Mapping):
        given[field.keyed] = list(keyed)
    for place, name in _read_only(field, given):
        place.pop(name, None)
    return given


def _read_only(field: Field, value: dict[str, Any]) -> Iterator[tuple[dict[str, Any], str]]:
    """Where the members are that only ARM sets: what holds each, and its name."""
    for path in field.read_only:
        *above, name = path.split(".")
        place: Any = value
        for key in above:
            place = place.get(key) if isinstance(place, dict) else None
        if isinstance(place, dict):
            yield place, name


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
