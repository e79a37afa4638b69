"""An experiment's graph as text and as a Mermaid diagram."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from graph import Experiment, parse_experiment
from graph.definition import ModuleNode


def as_text(package: Mapping[str, Any]) -> list[str]:
    """A line for each node in running order, with what feeds it and what is set; raises GraphError."""
    experiment = parse_experiment(package)
    lines = [f"{name}  web service input" for name in experiment.input_nodes.values()]
    lines += [f"{node}  trained model: {name}" for name, node in experiment.resource_nodes.items()]
    for step in experiment.steps:
        lines.append(f"{step.id}  {step.module.name}")
        lines += [f"    {port} <- {_source(source)}" for port, source in step.sources.items()]
        lines += [f"    {name} = {value}" for name, value in _set(package, step)]
    lines += [
        f"{output.name}  web service output ({output.kind}) <- {_source(experiment.output_sources[output.name])}"
        for output in experiment.outputs
    ]
    for name, parameter in experiment.parameters.items():
        links = ", ".join(".".join(link) for link in parameter.links)
        lines.append(f"{name}  {parameter.type} = {parameter.default or 'required'} -> {links}")
    return lines


def as_mermaid(package: Mapping[str, Any]) -> list[str]:
    """The graph as a Mermaid flowchart, data flowing downwards; raises GraphError."""
    experiment = parse_experiment(package)
    return ["flowchart TD", *(f"    {line}" for line in [*_nodes(package, experiment), *_arrows(package)])]


def _nodes(package: Mapping[str, Any], experiment: Experiment) -> Iterator[str]:
    modules = {step.id: step.module.name for step in experiment.steps}
    for node, body in package["nodes"].items():
        if node in modules:
            yield f'{_id(node)}["{_quoted(modules[node])}"]'
        else:
            kind, name = next(iter(body.items()))
            yield f'{_id(node)}(["{_quoted(f"{kind}: {name}")}"])'


def _arrows(package: Mapping[str, Any]) -> Iterator[str]:
    for edge in package["edges"]:
        source, _, port = edge["from"].partition(".")
        target = edge["to"].partition(".")[0]
        yield f"{_id(source)} -->" + (f'|"{_quoted(port)}"|' if port else "") + f" {_id(target)}"


def _set(package: Mapping[str, Any], step: ModuleNode) -> Iterator[tuple[str, str]]:
    for name, value in (package["nodes"][step.id].get("parameters") or {}).items():
        yield name, ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def _source(source: tuple[str, str]) -> str:
    return source[0] if source[1] == "Dataset" else ".".join(source)


def _id(node: str) -> str:
    """A name that Mermaid takes; no word of its own, such as `end`, stands alone."""
    return "n_" + re.sub(r"\W", lambda found: f"_{ord(found[0]):x}", node, flags=re.ASCII)


def _quoted(text: str) -> str:
    return text.replace('"', "#quot;")
