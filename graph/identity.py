"""What determines the model of a training experiment, apart from its data.

    identity(definition)                    the graph: a digest that goes into run keys
    parameters(definition)                  the web service parameters that it declares
    resolved_parameters(definition, given)  their values, defaults filled in, checked against their ranges

Two definitions with equal identity, given equal resolved parameters and equal data, train the same model and evaluate it
alike. The format is frozen: models that exist are found again by it, so another digest for the same graph would
train everything anew. A test holds recorded digests.

The digest covers the nodes that the trained model and its evaluation depend on: each module's name, all its
parameters with defaults filled in and each value written in one way, and what each of its inputs is connected to. A
parameter that a web service parameter sets is a reference to it by name. Names and order of nodes and edges,
descriptions, nodes that lead to neither output, and web service parameters that set none of these nodes don't
count, nor do parameters that a module got later, at their defaults. A node's digest is made from those of the nodes that it reads, so that no name of a node enters into it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from graph.definition import Experiment, parse_experiment
from graph.errors import GraphError
from graph.spec import REQUIRED, Parameter

FORMAT: Final = "graph/1"


def identity(definition: Mapping[str, Any]) -> str:
    """The digest (64 hex) of a training experiment's definition.

    Raises GraphError for a definition that is not valid, or has no output for a trained model.
    """
    experiment = parse_experiment(definition)
    needed = _needed(experiment)
    links = {link: name for name, parameter in experiment.parameters.items() for link in parameter.links}
    digests = {node: _digest({"trainedModel": name}) for name, node in experiment.resource_nodes.items()}
    inputs = {name: node for name, node in experiment.input_nodes.items() if node in needed}
    for name, node in inputs.items():
        digests[node] = _digest({"input": name if len(inputs) > 1 else ""})
    for step in experiment.steps:
        if step.id in needed:
            values = {}
            for parameter in step.module.parameters:
                link = links.get((step.id, parameter.name))
                value = (
                    parameter.text(step.parameters[parameter.name]) if link is None else {"parameter": link}
                )
                if not (parameter.later and link is None and value == parameter.text(parameter.default)):
                    values[parameter.name] = value
            sources = {port: [digests[node], out] for port, (node, out) in step.sources.items()}
            digests[step.id] = _digest({"module": step.module.name, "parameters": values, "inputs": sources})
    outputs = {}
    for kind, names in _outputs(experiment).items():
        found = {
            name: [digests[node], port] for name in names for node, port in [experiment.output_sources[name]]
        }
        same = len({tuple(source) for source in found.values()}) == 1
        outputs[kind] = next(iter(found.values())) if same else found
    return _digest({"format": FORMAT, "outputs": outputs})


@dataclass(frozen=True)
class Declared:
    """A web service parameter: what it takes, its default (None: it must be given) and whether it is *connected*,
    that is, sets a node that the trained model or its evaluation depends on.
    """

    accepts: Parameter
    default: str | None
    connected: bool


def parameters(definition: Mapping[str, Any]) -> dict[str, Declared]:
    """The web service parameters that a definition declares, by name. Raises GraphError."""
    experiment = parse_experiment(definition)
    needed = _needed(experiment)
    modules = {step.id: step.module for step in experiment.steps}
    declared = {}
    for name, parameter in experiment.parameters.items():
        targets = [modules[node].parameter(target) for node, target in parameter.links]
        takes = _common(name, [target for target in targets if target is not None])
        default = None if parameter.default is None else takes.text(takes.parse(parameter.default))
        connected = any(node in needed for node, _ in parameter.links)
        declared[name] = Declared(takes, default, connected)
    return declared


def resolved_parameters(definition: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, str]:
    """`resolve` with the parameters that *definition* declares."""
    return resolve(parameters(definition), given)


def resolve(declared: Mapping[str, Declared], given: Mapping[str, Any]) -> dict[str, str]:
    """The value of each connected parameter as text, written in one way: as *given*, else its default.

    A given value is text, a number or a truth value; None is not given. Raises GraphError, with a remedy, for a name
    that isn't declared, a value that its parameter does not take, and a parameter without default that isn't given.
    """
    for name in given:
        if name not in declared:
            raise GraphError(
                f"{name}: the experiment has no web service parameter of this name",
                name,
                "Use one of: " + ", ".join(sorted(declared)) if declared else "Leave it out.",
            )
    values = {}
    for name, parameter in declared.items():
        value = parameter.default if given.get(name) is None else _text(given[name])
        takes = parameter.accepts
        if value is None:
            raise GraphError(
                f"{name}: the parameter has no default and no value is given", name, f"Write {takes.range}."
            )
        if problem := takes.problem(value):
            raise GraphError(f"{name}: {problem}", name, f"Write {takes.range}.")
        text = takes.text(takes.parse(value))
        if parameter.connected and text is not None:
            values[name] = text
    return values


def _needed(experiment: Experiment) -> set[str]:
    """The nodes that the trained model and its evaluation depend on."""
    sources = {step.id: step.sources for step in experiment.steps}
    names = [name for kind in _outputs(experiment).values() for name in kind]
    waiting = [experiment.output_sources[name][0] for name in names]
    needed: set[str] = set()
    while waiting:
        node = waiting.pop()
        if node not in needed:
            needed.add(node)
            waiting.extend(source for source, _ in sources.get(node, {}).values())
    return needed


def _outputs(experiment: Experiment) -> dict[str, list[str]]:
    """The names of the outputs that carry a trained model, and of those that carry its evaluation."""
    found: dict[str, list[str]] = {}
    for output in experiment.outputs:
        if output.kind != "dataset":
            found.setdefault(output.kind, []).append(output.name)
    if "model" not in found:
        raise GraphError(
            "the experiment has no web service output for a trained model",
            "nodes",
            "Connect the port Trained model of a Train Model module to a web service output.",
        )
    return found


def _common(name: str, targets: Iterable[Parameter]) -> Parameter:
    """A parameter that takes what all of *targets* take: what one web service parameter sets is of one sort."""
    common, *others = targets
    for other in others:
        types = {common.type, other.type}
        spelt = {choice.casefold() for choice in other.allowed}
        common = Parameter(
            name,
            # Text for a parameter of any text counts as it is spelt, though a choice beside it would not.
            "String" if "String" in types else "Int" if "Int" in types else common.type,
            allowed=tuple(choice for choice in common.allowed if choice.casefold() in spelt),
            minimum=_of(max, common.minimum, other.minimum),
            maximum=_of(min, common.maximum, other.maximum),
            above=_of(max, common.above, other.above),
        )
    if common.above is not None and common.minimum is not None:
        if common.above >= common.minimum:
            common = replace(common, minimum=None)
        else:
            common = replace(common, above=None)
    return replace(common, name=name, default=REQUIRED)


def _of(choose: Any, one: float | None, other: float | None) -> float | None:
    known = [bound for bound in (one, other) if bound is not None]
    return choose(known) if known else None


def _text(value: Any) -> Any:
    """A value as the text that a service is sent; Pulumi and JSON have one kind of number."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value) if isinstance(value, int | float) else value


def _digest(value: Any) -> str:
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False)
    return hashlib.sha256(text.encode("ascii")).hexdigest()
