"""Mutants of a run, made by mechanism: a document in which one step is dropped, doubled, out of its turn, another operation,
aimed at another resource, or given something else than before.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from itertools import pairwise
from typing import Any

from plans.promises import promise
from plans.steps import UNKNOWN, Step, steps_of

Document = dict[str, Any]
_OPERATIONS = {"create": "update", "update": "create", "create-replacement": "update", "delete": "update"}
_CHAIN = ("TrainedModel", "Promotion", "ModelBinding")


def mutants(document: Document) -> Iterator[tuple[str, Document]]:
    """Each with a name that says what is another."""
    for at, told in enumerate(document["steps"]):
        found = [step for step in steps_of({"steps": [told]}) if step.custom]
        if not found or found[0].op not in _OPERATIONS:
            continue
        (step,) = found
        name = step.urn.rpartition("::")[2]
        yield f"{name} dropped", _with(document, at, None)
        operation = _OPERATIONS[step.op]
        yield f"{name}: {operation}", _with(document, at, told | {"op": operation, "outcome": operation})
        yield f"{name}: another resource", _with(document, at, told | {"urn": f"{step.urn}-other"})
        if told["newState"]:
            yield from _given(document, at, told, step, name)


def doubled(document: Document) -> Iterator[tuple[str, Document]]:
    """Each step twice."""
    for at, told in enumerate(document["steps"]):
        if told["op"] in _OPERATIONS and "retrain:" in told["urn"]:
            steps = document["steps"]
            name = told["urn"].rpartition("::")[2]
            yield f"{name} twice", document | {"steps": [*steps[: at + 1], told, *steps[at + 1 :]]}


def out_of_turn(document: Document) -> Iterator[tuple[str, Document]]:
    """Two of training, judging and binding in each other's place."""
    steps = document["steps"]
    places = [
        at
        for at, told in enumerate(steps)
        if told["op"] in _OPERATIONS and told["urn"].rpartition("::")[0].endswith(_CHAIN)
    ]
    for first, second in pairwise(places):
        kinds = tuple(steps[at]["urn"].rpartition("::")[0].rpartition(":")[2] for at in (first, second))
        if kinds not in pairwise(_CHAIN):
            continue
        swapped = list(steps)
        swapped[first], swapped[second] = steps[second], steps[first]
        names = [steps[at]["urn"].rpartition("::")[2] for at in (second, first)]
        yield " before ".join(names), document | {"steps": swapped}


def _given(
    document: Document, at: int, told: Mapping[str, Any], step: Step, name: str
) -> Iterator[tuple[str, Document]]:
    """A property is missing, or a value somewhere in it is another."""
    for prop in promise(step):
        if prop not in step.inputs:
            continue
        for path, other in [((prop,), None), *_others(step.inputs[prop], (prop,))]:
            state = copy.deepcopy(told["newState"])
            for part in ("inputs", "outputs"):
                _put(state.get(part) or {}, path, other)
            mutant = _with(document, at, dict(told) | {"newState": state})
            yield f"{name}: {'.'.join(map(str, path))} = {other!r}", mutant


def _others(value: Any, path: tuple[Any, ...]) -> Iterator[tuple[tuple[Any, ...], Any]]:
    """Each plain value as another of its type; a list without its last."""
    match value:
        case dict():
            for name, each in value.items():
                yield from _others(each, (*path, name))
        case list():
            for place, each in enumerate(value):
                yield from _others(each, (*path, place))
            if value:
                yield path, value[:-1]
        case bool():
            yield path, not value
        case int() | float():
            yield path, value + 1
        case str() if value != UNKNOWN:
            yield path, f"{value}0"


def _put(state: Any, path: tuple[Any, ...], value: Any) -> None:
    """Set it where there is something; None takes it away."""
    *way, last = path
    try:
        for name in way:
            state = state[name]
        state[last]
    except (KeyError, IndexError, TypeError):
        return
    if value is None:
        del state[last]
    else:
        state[last] = value


def _with(document: Document, at: int, step: Mapping[str, Any] | None) -> Document:
    steps = document["steps"]
    return document | {"steps": [*steps[:at], *([] if step is None else [step]), *steps[at + 1 :]]}
