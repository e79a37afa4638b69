"""Experiments as the graphs of New web services, and back.

An experiment's trained models and modules become assets, which its nodes refer to. What comes back from a definition
is the same experiment; from a definition made elsewhere it is the nearest thing, which the experiment parser then
accepts or refuses by name. The trained model's asset carries the name that the experiment has for it.
Source: azure-docs retrain-machine-learning-model.md; azure-powershell's recorded sessions (STUDIO notes 4.2, 4.3).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from graph import Experiment, Scorer
from graph.modules import find, names
from graph.spec import Module
from localcloud.works.services import Resource

Definition = dict[str, Any]

# The workspace of Studio's own modules, whose ids begin with it.
_MODULES_OF = "506153734175476c4f62416c57734963"
_MODEL_PORT = "Results dataset"
_COLUMN_TYPES: Mapping[str, tuple[str, str | None]] = {
    "Boolean": ("Boolean", None),
    "Int32": ("Integer", "Int32"),
    "Int64": ("Integer", "Int64"),
    "Double": ("Number", "Double"),
    "DateTime": ("String", "Date-time"),
}


def module_uri(name: str) -> str:
    """The address of a module of this local cloud: stable, made from its name, in the form of Studio's own."""
    digest = hashlib.sha256(f"module:{name}".encode()).hexdigest()
    return f"aml://module/{_MODULES_OF}.{digest[:32]}.v1-default-{int(digest[32:40], 16) % 9000 + 1000}"


def definition_of(
    package: Mapping[str, Any],
    experiment: Experiment,
    resources: Iterable[Resource],
    scorer: Scorer | None,
) -> Definition:
    """The `properties` of the web service that `package` (parsed: `experiment`) makes, without plan and account.

    `resources` are its trained models; `scorer` is None for an experiment that trains.
    """
    graph = _Exported(package, {one.name: f"{one.base}{one.relative}" for one in resources})
    inputs = dict(scorer.input_schema) if scorer else {}
    outputs = dict(scorer.output_schema) if scorer else {}
    result: Definition = {
        "packageType": "Graph",
        "title": experiment.name,
        "description": experiment.description,
        "input": _tables(experiment.inputs, inputs),
        "output": _tables([output.name for output in experiment.outputs], outputs),
        "assets": graph.assets,
        "parameters": {
            name: {"value": parameter.default, "certificateThumbprint": None}
            for name, parameter in experiment.parameters.items()
            if parameter.default is not None
        },
        "package": {"nodes": graph.nodes, "edges": graph.edges, "graphParameters": graph.parameters},
    }
    if scorer is not None:
        row = [scorer.example.get(name) for name in inputs]
        result["exampleRequest"] = {
            "inputs": {name: [row] for name in experiment.inputs},
            "globalParameters": {
                name: parameter.default for name, parameter in experiment.parameters.items()
            },
        }
    return result


def _tables(names: Sequence[str], columns: Mapping[str, str]) -> dict[str, Any]:
    return {
        "title": "",
        "description": "",
        "type": "object",
        "properties": {
            name: {
                "title": "",
                "description": "",
                "type": "object",
                "properties": {column: _column(kind) for column, kind in columns.items()},
            }
            for name in names
        },
    }


def _column(kind: str) -> dict[str, Any]:
    named, form = _COLUMN_TYPES.get(kind, ("String", None))
    shown: dict[str, Any] = {"type": named, "x-ms-isnullable": True}
    return shown if form is None else {**shown, "format": form}


class _Exported:
    """The assets, nodes, edges and parameters of a package that the parser has accepted."""

    def __init__(self, package: Mapping[str, Any], models: Mapping[str, str]) -> None:
        self._package = package
        self._models = models
        self._asset_ids: dict[tuple[str, str], str] = {}
        self.assets: dict[str, Any] = {}
        self.nodes = {node: self._node(body) for node, body in package["nodes"].items()}
        self.edges = [self._edge(edge) for edge in package["edges"]]
        self.parameters = {
            name: {
                "description": str(body.get("description") or ""),
                "type": body["type"],
                "links": [
                    {"nodeId": link["node"], "parameterKey": link["parameter"]} for link in body["links"]
                ],
            }
            for name, body in (package.get("parameters") or {}).items()
        }

    def _node(self, body: Mapping[str, Any]) -> dict[str, Any]:
        if "input" in body:
            return {"inputId": body["input"]}
        if "output" in body:
            return {"outputId": body["output"]}
        if "trainedModel" in body:
            return {"assetId": self._asset("Resource", body["trainedModel"])}
        node: dict[str, Any] = {"assetId": self._asset("Module", body["module"])}
        if body.get("parameters"):
            node["parameters"] = {
                name: {"value": _as_text(value), "certificateThumbprint": None}
                for name, value in body["parameters"].items()
            }
        return node

    def _asset(self, kind: str, name: str) -> str:
        if (kind, name) not in self._asset_ids:
            asset_id = self._asset_ids[kind, name] = f"asset{len(self._asset_ids) + 1}"
            self.assets[asset_id] = {
                "name": name,
                "type": kind,
                **(self._module(name) if kind == "Module" else self._model(name)),
            }
        return self._asset_ids[kind, name]

    def _model(self, name: str) -> dict[str, Any]:
        return {
            "locationInfo": {"uri": self._models[name], "credentials": None},
            "outputPorts": {_MODEL_PORT: {"type": "Dataset"}},
        }

    def _module(self, name: str) -> dict[str, Any]:
        module = _accepted(name)
        return {
            "locationInfo": {"uri": module_uri(name), "credentials": None},
            "inputPorts": {port.name: {"type": "Dataset"} for port in module.inputs},
            "outputPorts": {port.name: {"type": "Dataset"} for port in module.outputs},
            "parameters": [{"name": one.name, "parameterType": one.type} for one in module.parameters],
        }

    def _edge(self, edge: Mapping[str, str]) -> dict[str, str]:
        source, _, source_port = edge["from"].partition(".")
        target, _, target_port = edge["to"].partition(".")
        return {
            "sourceNodeId": source,
            **self._port("sourcePortId", source, source_port, "outputs"),
            "targetNodeId": target,
            **self._port("targetPortId", target, target_port, "inputs"),
        }

    def _port(self, member: str, node: str, port: str, side: str) -> dict[str, str]:
        """Inputs and outputs of the web service have no port; elsewhere the only one need not be named by ours."""
        body = self._package["nodes"][node]
        if "trainedModel" in body:
            return {member: _MODEL_PORT}
        if "module" not in body:
            return {}
        return {member: port or getattr(_accepted(body["module"]), side)[0].name}


def _accepted(name: str) -> Module:
    """The module of a node that the parser has accepted."""
    module = find(name)
    assert module is not None
    return module


def _as_text(value: Any) -> str:
    """A module's parameter as a definition has it: text that the module reads as the same value."""
    if isinstance(value, list):
        value = {
            "isFilter": True,
            "rules": [{"ruleType": "ColumnNames", "columns": value, "exclude": False}],
        }
    return json.dumps(value, ensure_ascii=False) if isinstance(value, dict) else str(value)


def package_of(properties: Mapping[str, Any], name: str) -> dict[str, Any]:
    """The experiment package in a definition's `properties` (camelCase); `name` is for one without a title.

    Never raises: what makes no sense stays in, for the experiment parser to refuse by name.
    """
    return _Imported(properties).package(name)


class _Imported:
    """The parts of our package, from those of a definition."""

    def __init__(self, properties: Mapping[str, Any]) -> None:
        self._properties = properties
        self._assets = _objects(properties.get("assets"))
        graph = _object(properties.get("package"))
        self._given = _objects(graph.get("nodes"))
        self._edges = [edge for edge in _list(graph.get("edges")) if isinstance(edge, Mapping)]
        self._parameters = _objects(graph.get("graphParameters"))
        self._models = trained_models(properties)
        self._ids = self._our_ids()

    def package(self, name: str) -> dict[str, Any]:
        title = self._properties.get("title")
        nodes = {self._ids[node]: self._node(body) for node, body in self._given.items()}
        return {
            "name": title if isinstance(title, str) and title.strip() else name,
            "description": str(self._properties.get("description") or ""),
            "nodes": nodes,
            "edges": [self._edge(edge) for edge in self._edges],
            "parameters": {one: self._parameter(one, body) for one, body in self._parameters.items()},
        }

    def _our_ids(self) -> dict[str, str]:
        """Node ids without dots; nodes of one trained model are one node."""
        ids: dict[str, str] = {}
        models: dict[str, str] = {}
        for node, body in self._given.items():
            ours = node
            while "." in ours or (ours != node and (ours in self._given or ours in ids.values())):
                ours = f"{ours.replace('.', '_')}_"
            asset = str(body.get("assetId"))
            ids[node] = models.setdefault(asset, ours) if asset in self._models else ours
        return ids

    def _node(self, body: Mapping[str, Any]) -> dict[str, Any]:
        for theirs, ours in (("inputId", "input"), ("outputId", "output")):
            if body.get(theirs) is not None:
                return {ours: body[theirs]}
        asset_id = str(body.get("assetId"))
        if asset_id in self._models:
            return {"trainedModel": self._models[asset_id]}
        given = _object(body.get("parameters"))
        values = {name: parameter_value(value) for name, value in given.items()}
        return {
            "module": self._module_name(asset_id),
            "parameters": {name: value for name, value in values.items() if value is not None},
        }

    def _module_name(self, asset_id: str) -> str:
        """The module that an asset is: by its address, where it is one of ours, or else by its name."""
        asset = self._assets.get(asset_id, {})
        uri = _object(asset.get("locationInfo")).get("uri")
        known = {_module_id(module_uri(module)): module for module in names()}
        named = {module.casefold(): module for module in names()}
        name = str(asset.get("name") or asset_id)
        return known.get(_module_id(str(uri)), named.get(name.casefold(), name))

    def _edge(self, edge: Mapping[str, Any]) -> dict[str, str]:
        return {
            "from": self._end(edge.get("sourceNodeId"), edge.get("sourcePortId")),
            "to": self._end(edge.get("targetNodeId"), edge.get("targetPortId")),
        }

    def _end(self, node: Any, port: Any) -> str:
        body = self._given.get(str(node), {})
        ours = self._ids.get(str(node), str(node))
        is_module = body.get("assetId") is not None and str(body["assetId"]) not in self._models
        return f"{ours}.{port}" if is_module and isinstance(port, str) and port else ours

    def _parameter(self, name: str, body: Mapping[str, Any]) -> dict[str, Any]:
        links = [
            {
                "node": self._ids.get(str(link.get("nodeId")), str(link.get("nodeId"))),
                "parameter": link.get("parameterKey"),
            }
            for link in _list(body.get("links"))
            if isinstance(link, Mapping)
        ]
        return {
            "type": body.get("type") or self._type_of(links),
            "default": self._default(name),
            "description": str(body.get("description") or ""),
            "links": links,
        }

    def _default(self, name: str) -> str | None:
        """The parameter's default as text: names match in any case, and what is encrypted cannot be read."""
        for given, value in _object(self._properties.get("parameters")).items():
            if given.casefold() == name.casefold():
                encrypted = isinstance(value, Mapping) and value.get("certificateThumbprint")
                default = None if encrypted else parameter_value(value)
                return default if default is None or isinstance(default, str) else _as_text(default)
        return None

    def _type_of(self, links: Sequence[Mapping[str, Any]]) -> str | None:
        """Published definitions leave the type out: it is then that of the first parameter that is set."""
        ours = {self._ids[node]: body for node, body in self._given.items()}
        for link in links:
            asset_id = str(ours.get(str(link["node"]), {}).get("assetId"))
            module = find(self._module_name(asset_id))
            parameter = module.parameter(str(link["parameter"])) if module else None
            if parameter is not None:
                return parameter.type
        return None


def trained_models(properties: Mapping[str, Any]) -> dict[str, str]:
    """The names of the resources that a definition's nodes use, by the asset's id; a name that is there twice has the id added."""
    assets = _objects(properties.get("assets"))
    nodes = _objects(_object(properties.get("package")).get("nodes"))
    used = [str(node.get("assetId")) for node in nodes.values()]
    ids = [one for one in dict.fromkeys(used) if _is_resource(assets.get(one))]
    names = [str(assets[one].get("name") or one) for one in ids]
    taken = [name.casefold() for name in names]
    return {
        one: name if taken.count(name.casefold()) == 1 else f"{name} ({one})"
        for one, name in zip(ids, names, strict=True)
    }


def parameter_value(value: Any) -> Any:
    """A parameter's value: 2017-01-01 has it in an object, 2016-05-01-preview plainly."""
    return value.get("value") if isinstance(value, Mapping) else value


def _is_resource(asset: Mapping[str, Any] | None) -> bool:
    return asset is not None and str(asset.get("type")).casefold() == "resource"


def _module_id(uri: str) -> str:
    return uri.partition(".")[2].partition(".")[0] if uri.startswith("aml://module/") else uri


def _object(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _objects(value: Any) -> dict[str, Mapping[str, Any]]:
    return {key: one for key, one in _object(value).items() if isinstance(one, Mapping)}


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
