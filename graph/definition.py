"""An experiment package (JSON) parsed and checked as a whole, before anything runs.

The package format is described in `parse_experiment`; what comes out is an `Experiment`: the nodes in the
order in which they can run, with every edge resolved and every parameter parsed by its declared type.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from graphlib import CycleError, TopologicalSorter
from typing import Any, Literal

from graph import spec
from graph.data.declared import NOTHING, Declared
from graph.errors import GraphError, ModuleFailure
from graph.modules import find, names
from graph.spec import Module, Port

OutputKind = Literal["model", "evaluation", "dataset"]
Source = tuple[str, str]  # node, port

INPUT_KEYS = {
    "input": {"input", "types", "missing"},
    "output": {"output"},
    "trainedModel": {"trainedModel"},
    "module": {"module", "parameters"},
}


@dataclass(frozen=True)
class Output:
    """A web service output and what it carries."""

    name: str
    kind: OutputKind


@dataclass(frozen=True)
class GlobalParameter:
    """A web service parameter: its declared type, its default as text (None = required) and what it sets."""

    type: str
    default: str | None
    links: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class ModuleNode:
    """A module in the graph: where its inputs come from, and its parameters (REQUIRED where a link sets them)."""

    id: str
    module: Module
    parameters: Mapping[str, Any]
    sources: Mapping[str, Source]

    @property
    def called(self) -> str:
        """The module and its node, in words."""
        return f'{self.module.name} (node "{self.id}")'


@dataclass(frozen=True)
class Experiment:
    """A checked experiment. `steps` is in running order; the rest is what a web service declares."""

    name: str
    description: str
    inputs: tuple[str, ...]
    outputs: tuple[Output, ...]
    parameters: Mapping[str, GlobalParameter]
    resources: tuple[str, ...]
    trains: bool
    steps: tuple[ModuleNode, ...] = field(repr=False)
    input_nodes: Mapping[str, str] = field(repr=False)
    resource_nodes: Mapping[str, str] = field(repr=False)
    output_sources: Mapping[str, Source] = field(repr=False)
    declared: Mapping[str, Declared] = field(repr=False)
    """What is said of the inputs that something is said of, by name."""

    def declared_of(self, name: str) -> Declared:
        """What is said of an input."""
        return self.declared.get(name, NOTHING)

    @property
    def scripts(self) -> tuple[str, ...]:
        """The modules that run scripts, in words."""
        return tuple(step.called for step in self.steps if step.module.scripts)

    def bind(self, values: Mapping[str, Any]) -> Mapping[str, Mapping[str, Any]]:
        """Each step's parameters, with the web service parameters applied through their links.

        Raises GraphError (target: the parameter) for one that is missing, not declared, or not of its type.
        """
        for name in values:
            if name not in self.parameters:
                raise GraphError(f'the experiment has no web service parameter "{name}"', name)
        bound = {step.id: dict(step.parameters) for step in self.steps}
        modules = {step.id: step.module for step in self.steps}
        for name, parameter in self.parameters.items():
            value = values.get(name, parameter.default)
            if value is None:
                raise GraphError(
                    f'web service parameter "{name}" has no default and no value was given', name
                )
            for node, target in parameter.links:
                bound[node][target] = _parsed(modules[node], target, value, name)
        set_ = {node for parameter in self.parameters.values() for node, _ in parameter.links}
        for step in self.steps:
            if step.id in set_:
                _check(step, bound[step.id])
        return bound


def parse_experiment(package: Mapping[str, Any]) -> Experiment:
    """Parse and check an experiment package.

    `{"name", "description", "nodes": {id: node}, "edges": [{"from": "node[.port]", "to": "node[.port]"}],
    "parameters": {name: {"type", "default", "links": [{"node", "parameter"}]}}}`, a node being one of
    `{"input": name, "types": {column: type}, "missing": [mark]}`, `{"output": name}`, `{"trainedModel": name}`, `{"module": name, "parameters": {…}}`.

    A `$schema`, which editors read, is passed over.
    Raises GraphError naming the offending node, edge or parameter: an unknown module, port or parameter, a
    required input or parameter that is missing, a port fed twice or with the wrong kind of value, a cycle, no
    output.
    """
    return _Parser(package).parse()


def _parsed(module: Module, parameter: str, value: Any, target: str) -> Any:
    declared = module.parameter(parameter)
    assert declared is not None  # checked when the package was parsed
    try:
        return declared.parse(value)
    except ModuleFailure as error:
        raise GraphError(f"{target}: {error}", target) from None


def _check(step: ModuleNode, parameters: Mapping[str, Any]) -> None:
    try:
        step.module.check(parameters)
    except ModuleFailure as error:
        raise GraphError(f'node "{step.id}": {step.module.name}: {error}', step.id) from None


class _Parser:
    """One pass over a package; the methods fill the tables that `parse` puts together."""

    def __init__(self, package: Mapping[str, Any]) -> None:
        self.package = package
        self.modules: dict[str, Module] = {}
        self.literals: dict[str, dict[str, Any]] = {}
        self.inputs: dict[str, str] = {}
        self.outputs: dict[str, str] = {}
        self.resources: dict[str, str] = {}
        self.sources: dict[str, dict[str, Source]] = {}
        self.declared: dict[str, Declared] = {}

    def parse(self) -> Experiment:
        package = self.package
        if not isinstance(package, Mapping):
            raise GraphError("an experiment package is a JSON object")
        name = package.get("name")
        if not isinstance(name, str) or not name.strip():
            raise GraphError('an experiment package has a "name"', "name")
        unknown = sorted(set(package) - {"name", "description", "nodes", "edges", "parameters", "$schema"})
        if unknown:
            raise GraphError(f'an experiment package has no member "{unknown[0]}"', unknown[0])
        self._nodes(self._member("nodes", Mapping))
        for edge in self._member("edges", list):
            self._edge(edge)
        globals_ = self._globals(package.get("parameters") or {})
        linked = {link for parameter in globals_.values() for link in parameter.links}
        self._complete(linked)
        steps = tuple(
            ModuleNode(node, self.modules[node], self.literals[node], self.sources.get(node, {}))
            for node in self._order()
        )
        for step in steps:
            if all((step.id, parameter) not in linked for parameter in step.parameters):
                _check(step, step.parameters)
        output_sources = {output: self.sources[node]["Dataset"] for node, output in self.outputs.items()}
        return Experiment(
            name=name,
            description=str(package.get("description") or ""),
            inputs=tuple(self.inputs.values()),
            outputs=tuple(Output(output, self._kind(source)) for output, source in output_sources.items()),
            parameters=globals_,
            resources=tuple(self.resources.values()),
            trains=any(module.trains for module in self.modules.values()),
            steps=steps,
            input_nodes={name: node for node, name in self.inputs.items()},
            resource_nodes={name: node for node, name in self.resources.items()},
            output_sources=output_sources,
            declared=self.declared,
        )

    def _member(self, name: str, kind: type) -> Any:
        value = self.package.get(name)
        if not isinstance(value, kind) or not value:
            raise GraphError(f'an experiment package has a non-empty "{name}"', name)
        return value

    def _nodes(self, nodes: Mapping[str, Any]) -> None:
        for node, body in nodes.items():
            if not isinstance(body, Mapping):
                raise GraphError(f'node "{node}" is not an object', node)
            if not node or "." in node:
                raise GraphError(f'node "{node}": a node\'s name is not empty and has no "."', node)
            kinds = [kind for kind in INPUT_KEYS if kind in body]
            if len(kinds) != 1:
                raise GraphError(f'node "{node}" must have exactly one of: ' + ", ".join(INPUT_KEYS), node)
            kind = kinds[0]
            extra = sorted(set(body) - INPUT_KEYS[kind])
            if extra:
                raise GraphError(f'node "{node}" has no member "{extra[0]}"', node)
            value = body[kind]
            if not isinstance(value, str) or not value:
                raise GraphError(f'node "{node}": "{kind}" is a name', node)
            if kind == "module":
                self._module(node, value, body.get("parameters") or {})
                continue
            table = {"input": self.inputs, "output": self.outputs, "trainedModel": self.resources}[kind]
            if value in table.values():
                raise GraphError(f'two nodes have the {kind} name "{value}"', node)
            table[node] = value
            if kind == "input" and set(body) != {"input"}:
                self.declared[value] = Declared.parse(node, body)
        if not self.outputs:
            raise GraphError("the experiment has no web service output", "nodes")

    def _module(self, node: str, name: str, parameters: Any) -> None:
        module = find(name)
        if module is None:
            known = ", ".join(names())
            raise GraphError(f'node "{node}": there is no module "{name}"; known modules: {known}', node)
        if not isinstance(parameters, Mapping):
            raise GraphError(f'node "{node}": "parameters" is an object', node)
        self.modules[node] = module
        values = self.literals[node] = {p.name: p.default for p in module.parameters}
        for parameter, value in parameters.items():
            if module.parameter(parameter) is None:
                raise GraphError(f'node "{node}": module "{name}" has no parameter "{parameter}"', node)
            values[parameter] = _parsed(module, parameter, value, f"{node}.{parameter}")

    def _edge(self, edge: Any) -> None:
        if not isinstance(edge, Mapping) or set(edge) != {"from", "to"}:
            raise GraphError('an edge has exactly "from" and "to"', "edges")
        text = f"{edge['from']} -> {edge['to']}"
        source, source_port = self._end(edge["from"], "outputs", text)
        target, target_port = self._end(edge["to"], "inputs", text)
        # What the data of a trained model went through goes with it.
        takes = {spec.TRANSFORMATION: {spec.TRANSFORMATION, spec.TRAINED}}
        if target in self.outputs:
            takes = {spec.DATASET: {spec.DATASET, spec.TRAINED}}
        fits = source_port.kind in takes.get(target_port.kind, {target_port.kind})
        if not fits:
            raise GraphError(f'edge "{text}": a {source_port.kind} cannot feed a {target_port.kind}', text)
        fed = self.sources.setdefault(target, {})
        if target_port.name in fed:
            raise GraphError(f'edge "{text}": that input is already connected', text)
        fed[target_port.name] = (source, source_port.name)

    def _end(self, end: Any, side: Literal["inputs", "outputs"], edge: str) -> tuple[str, Port]:
        node, _, wanted = end.partition(".") if isinstance(end, str) else ("", "", "")
        ports = self._ports(node, side)
        if ports is None:
            raise GraphError(f'edge "{edge}": there is no node "{node}"', edge)
        plain = [port for port in ports if port.kind != spec.TRANSFORMATION] if side == "outputs" else ports
        if not wanted and len(plain) == 1:
            return node, plain[0]
        for port in ports:
            if port.name == wanted:
                return node, port
        names = ", ".join(port.name for port in ports) or "none"
        what = f'has no port "{wanted}"' if wanted else "needs its port named"
        raise GraphError(f'edge "{edge}": node "{node}" {what}; {side} of it: {names}', edge)

    def _ports(self, node: str, side: Literal["inputs", "outputs"]) -> tuple[Port, ...] | None:
        if node in self.modules:
            return self.modules[node].inputs if side == "inputs" else self.modules[node].outputs
        if node in self.inputs:
            return (Port("Dataset"),) if side == "outputs" else ()
        if node in self.resources:
            return (Port(spec.TRAINED_MODEL_PORT, spec.TRAINED),) if side == "outputs" else ()
        if node in self.outputs:
            return (Port("Dataset"),) if side == "inputs" else ()
        return None

    def _globals(self, declared: Any) -> dict[str, GlobalParameter]:
        if not isinstance(declared, Mapping):
            raise GraphError('"parameters" is an object', "parameters")
        result = {}
        taken: set[tuple[str, str]] = set()
        for name, body in declared.items():
            if not isinstance(body, Mapping) or set(body) - {"type", "default", "links", "description"}:
                raise GraphError(f'parameter "{name}" has only type, default, links and description', name)
            kind, default = body.get("type"), body.get("default")
            if not isinstance(kind, str) or kind not in spec.GLOBAL_TYPES:
                raise GraphError(f'parameter "{name}": type is one of ' + ", ".join(spec.GLOBAL_TYPES), name)
            if default is not None and not isinstance(default, str):
                raise GraphError(f'parameter "{name}": "default" is text', name)
            links = self._links(name, kind, body.get("links"))
            for node, parameter in links:
                if (node, parameter) in taken:
                    raise GraphError(f'parameter "{name}": {node}.{parameter} is linked twice', name)
                taken.add((node, parameter))
                if default is not None:
                    _parsed(self.modules[node], parameter, default, name)
            result[name] = GlobalParameter(kind, default, links)
        return result

    def _links(self, name: str, kind: str, links: Any) -> tuple[tuple[str, str], ...]:
        if not isinstance(links, list) or not links:
            raise GraphError(f'parameter "{name}" is linked to no module parameter', name)
        found = []
        for link in links:
            node, parameter = (
                (link.get("node"), link.get("parameter")) if isinstance(link, Mapping) else ("", "")
            )
            module = self.modules.get(node) if isinstance(node, str) else None
            target = module.parameter(parameter) if module and isinstance(parameter, str) else None
            if target is None:
                raise GraphError(
                    f'parameter "{name}": there is no module parameter "{node}.{parameter}"', name
                )
            if target.type not in spec.GLOBAL_TYPES[kind]:
                raise GraphError(
                    f'parameter "{name}" of type {kind} cannot set {node}.{parameter} of type {target.type}',
                    name,
                )
            found.append((str(node), target.name))
        return tuple(found)

    def _complete(self, linked: set[tuple[str, str]]) -> None:
        """Every required port is fed and every required parameter has a value or a link."""
        for node, module in self.modules.items():
            for port in module.inputs:
                if not port.optional and port.name not in self.sources.get(node, {}):
                    raise GraphError(f'node "{node}": required input "{port.name}" is not connected', node)
            for name, value in self.literals[node].items():
                if value is spec.REQUIRED and (node, name) not in linked:
                    raise GraphError(f'node "{node}": required parameter "{name}" has no value', node)
        for node, output in self.outputs.items():
            if not self.sources.get(node):
                raise GraphError(f'web service output "{output}" is not connected', node)

    def _order(self) -> list[str]:
        """Module nodes so that each comes after what it reads; declared order where that is free."""
        place = {node: at for at, node in enumerate(self.modules)}
        read = {node: {source for source, _port in self.sources.get(node, {}).values()} for node in place}
        sorter = TopologicalSorter({node: sources & place.keys() for node, sources in read.items()})
        try:
            sorter.prepare()
        except CycleError as error:
            circle = sorted(set(error.args[1]), key=place.__getitem__)
            raise GraphError("the graph has a cycle through: " + ", ".join(circle), circle[0]) from None
        order: list[str] = []
        while sorter.is_active():
            ready = sorted(sorter.get_ready(), key=place.__getitem__)
            order += ready
            sorter.done(*ready)
        return order

    def _kind(self, source: Source) -> OutputKind:
        node, port = source
        if node in self.modules and port == spec.EVALUATION_PORT:
            return "evaluation"
        ports = self._ports(node, "outputs") or ()
        kinds = {declared.name: declared.kind for declared in ports}
        return "model" if kinds[port] == spec.TRAINED else "dataset"
