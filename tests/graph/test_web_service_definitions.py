"""Experiments as definitions of New web services and back: the same experiment, whatever it is."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graph import parse_experiment
from graph.errors import ModuleFailure
from graph.spec import DATASET, GLOBAL_TYPES, REQUIRED, Module, Parameter
from localcloud.facilities.cloud import Cloud
from localcloud.facilities.errors import BadArgument
from localcloud.studio.web_services.definition import definition_of, module_uri, package_of
from localcloud.studio.web_services.places import place_of
from localcloud.studio.web_services.schema import canonical, pascal
from localcloud.works.services import Resource
from tests.graph.graphs import BY_NAME
from tests.studio.houses import PREDICTIVE, TRAINING

EXPERIMENTS = Path(__file__).parents[2] / "experiments"
names = st.text(
    st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="."), min_size=1, max_size=8
)


def round_trip(package: dict[str, Any]) -> dict[str, Any]:
    """A package exported as Studio does, as JSON, read in again, and taken apart."""
    experiment = parse_experiment(package)
    models = [Resource(name, "http://blob/", f"c/{n}", "") for n, name in enumerate(experiment.resources)]
    exported = pascal({"properties": definition_of(package, experiment, models, None)})
    return package_of(canonical(json.loads(json.dumps(exported)))["properties"], "service")


@pytest.mark.parametrize(
    "package",
    [TRAINING, PREDICTIVE, *(json.loads(path.read_text()) for path in EXPERIMENTS.glob("*/*ing.json"))],
    ids=lambda package: str(package["name"]),
)
def test_known_experiments_come_back(package: dict[str, Any]) -> None:
    """The experiments of this repository are the same after a round trip."""
    assert parse_experiment(round_trip(package)) == parse_experiment(package)


def values(parameter: Parameter) -> st.SearchStrategy[Any]:
    """What a package may say for a module's parameter: typed, or as text."""
    low = parameter.minimum if parameter.minimum is not None else parameter.above
    low = 0 if low is None else low
    high = parameter.maximum if parameter.maximum is not None else low + 1000
    match parameter.type:
        case "Int":
            first = int(low) + (1 if parameter.above is not None else 0)
            numbers = st.integers(first, max(first, int(high)))
            return numbers | numbers.map(str)
        case "Float":
            number = st.floats(low, high, exclude_min=parameter.above is not None)
            return number | number.map(repr)
        case "Boolean":
            return st.sampled_from([True, False, "true", "False"])
        case "Enumerated":
            return st.sampled_from(parameter.allowed)
        case "ColumnPicker":
            rules = st.fixed_dictionaries(
                {
                    "ruleType": st.sampled_from(["AllColumns", "ColumnNames"]),
                    "columns": st.lists(names),
                    "exclude": st.booleans(),
                }
            )
            picked = st.lists(rules, min_size=1).map(lambda rules: {"isFilter": True, "rules": rules})
            return st.lists(names, min_size=1) | picked | picked.map(json.dumps)
        case _:
            return names | st.integers() | st.booleans()


def is_step(module: Module) -> bool:
    """Whether one dataset in makes datasets out."""
    needed = [port for port in module.inputs if not port.optional]
    return [port.kind for port in needed] == [DATASET] and {port.kind for port in module.outputs} == {DATASET}


def go_together(module: Module, given: dict[str, Any]) -> bool:
    """Whether the module takes these parameters beside each other."""
    try:
        module.check(
            {p.name: p.parse(given[p.name]) if p.name in given else p.default for p in module.parameters}
        )
    except ModuleFailure:
        return False
    return True


@st.composite
def packages(draw: st.DrawFn) -> dict[str, Any]:
    """A chain of any modules with any parameters, some of them the web service's; perhaps a model that scores."""
    steps = [BY_NAME[name] for name in sorted(BY_NAME) if is_step(BY_NAME[name])]
    ids = draw(st.lists(names, min_size=4, max_size=8, unique=True))
    start, end, model, score, *others = ids
    nodes: dict[str, Any] = {start: {"input": draw(names)}, end: {"output": draw(names)}}
    edges: list[dict[str, str]] = []
    parameters: dict[str, Any] = {}
    last = start
    for node in others:
        module = draw(st.sampled_from(steps))
        given = {
            one.name: draw(values(one))
            for one in module.parameters
            if one.default is REQUIRED or draw(st.booleans())
        }
        if not go_together(module, given):
            given = {one.name: given[one.name] for one in module.parameters if one.default is REQUIRED}
        for one in module.parameters:
            if one.type in GLOBAL_TYPES and draw(st.integers(0, 5)) == 0:
                parameters[f"{draw(names)} {len(parameters)}"] = {
                    "type": one.type,
                    "links": [{"node": node, "parameter": one.name}],
                    **({"description": draw(names)} if draw(st.booleans()) else {}),
                }
                given.pop(one.name, None)
        nodes[node] = {"module": module.name, "parameters": given}
        [port] = [port.name for port in module.inputs if not port.optional]
        edges.append({"from": last, "to": draw(st.sampled_from([node, f"{node}.{port}"]))
                      if len(module.inputs) == 1 else f"{node}.{port}"})  # fmt: skip
        last = f"{node}.{draw(st.sampled_from(module.outputs)).name}"
    if draw(st.booleans()):
        nodes |= {model: {"trainedModel": draw(names)}, score: {"module": "Score Model"}}
        edges += [
            {"from": model, "to": f"{score}.Trained model"},
            {"from": last, "to": f"{score}.Dataset"},
        ]
        last = score
    edges.append({"from": last, "to": end})
    return {
        "name": draw(names.filter(str.strip)),
        "description": draw(names | st.just("")),
        "nodes": nodes,
        "edges": edges,
        "parameters": parameters,
    }


@given(packages())
def test_any_experiment_comes_back(package: dict[str, Any]) -> None:
    """Export, JSON, import: the same inputs, outputs, models, steps, parameters and edges."""
    again = round_trip(package)
    assert parse_experiment(again) == parse_experiment(package)
    assert list(again["nodes"]) == list(package["nodes"])


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=12,
)
members = ["packageType", "assets", "package", "parameters", "input", "Title", "nodes", "edges", "x"]


@given(st.dictionaries(st.sampled_from(members) | st.text(), json_values, max_size=6))
def test_anything_can_be_taken_apart(properties: dict[str, Any]) -> None:
    """A definition of whatever content becomes a package, for the parser to accept or refuse."""
    assert set(package_of(properties, "service")) == {"name", "description", "nodes", "edges", "parameters"}


@given(st.dictionaries(st.text(), json_values, max_size=5))
def test_values_are_never_renamed(anything: dict[str, Any]) -> None:
    """Ids, names of ports, columns and parameters, and members that the schema does not know stay as they are."""
    columns = {name: {"type": "String", "x-ms-isnullable": True} for name in anything}
    resource = {
        "location": "x",
        "tags": anything,
        "properties": {
            "input": {"properties": {"value": {"properties": columns}}},
            "exampleRequest": {"inputs": anything},
            "assets": {
                "Name": {"name": "n", "metadata": anything, "inputPorts": {"type": {"type": "Dataset"}}}
            },
            "package": {"nodes": {"AssetId": {"parameters": {"Value": {"value": anything}}}}},
        },
    }
    there = pascal(resource)
    assert there["Properties"]["Assets"]["Name"]["InputPorts"] == {"type": {"Type": "Dataset"}}
    assert list(there["Properties"]["Input"]["Properties"]["value"]["Properties"]) == list(columns)
    assert canonical(there) == resource
    assert json.dumps(canonical(there)) == json.dumps(resource)


addresses = st.text(max_size=20) | st.sampled_from(["http", "https", "aml"]).flatmap(
    lambda scheme: st.text(max_size=20).map(lambda rest: f"{scheme}://{rest}")
)


@given(addresses, st.none() | st.text() | st.just("AccountName=a;AccountKey=%"), st.text())
def test_any_place_of_a_model_is_a_place_or_refused(uri: str, credentials: str | None, key: str) -> None:
    """Whatever a definition says of where a model is, it means a blob or an address, or is refused by name."""
    cloud = Cloud("http://127.0.0.1:1/a", "http://127.0.0.1:2/a", "a", "a2V5", "t", "s")
    asset = {"name": "m", "locationInfo": {"uri": uri, "credentials": credentials}}
    with contextlib.suppress(BadArgument):
        place = place_of(cloud, {"assets": {"x": asset}, "storageAccount": {"key": key}}, "x")
        assert place.base.startswith("http")
        assert place.relative


def test_modules_keep_their_addresses() -> None:
    """A module's address follows from its name, and never changes: definitions live longer than a studio."""
    assert module_uri("Score Model") == module_uri("Score Model")
    uris = {module_uri(name) for name in BY_NAME}
    assert len(uris) == len(BY_NAME)
    digits = module_uri("Score Model").partition(".")[2]
    assert digits == "599071435580c42d5a103a4f4bf34de7.v1-default-7729"


def test_definitions_made_elsewhere() -> None:
    """Real addresses of modules, dotted ids, parameters in the preview's form, one model for two nodes."""
    uri = "aml://module/506153734175476c4f62416c57734963.401b4f92e724d5a8c2d5b0d2a2a8c3c7.v1-default-1698"
    properties = {
        "title": "Prices",
        "assets": {
            "a1": {"name": "score model", "type": "Module", "locationInfo": {"uri": uri}},
            "a2": {"name": "M [trained model]", "type": "resource", "locationInfo": {"uri": "http://b/m"}},
        },
        "parameters": {"append": "true"},
        "package": {
            "nodes": {
                "in.1": {"inputId": "input1"},
                "m": {"assetId": "a2"},
                "m2": {"assetId": "a2"},
                "s": {"assetId": "a1"},
                "s2": {"assetId": "a1"},
                "o": {"outputId": "output1"},
                "o2": {"outputId": "output2"},
            },
            "edges": [
                {"sourceNodeId": "in.1", "targetNodeId": "s", "targetPortId": "Dataset"},
                {"sourceNodeId": "in.1", "targetNodeId": "s2", "targetPortId": "Dataset"},
                {"sourceNodeId": "m", "sourcePortId": "Results dataset",
                 "targetNodeId": "s", "targetPortId": "Trained model"},
                {"sourceNodeId": "m2", "sourcePortId": "Results dataset",
                 "targetNodeId": "s2", "targetPortId": "Trained model"},
                {"sourceNodeId": "s", "sourcePortId": "Scored dataset", "targetNodeId": "o"},
                {"sourceNodeId": "s2", "sourcePortId": "Scored dataset", "targetNodeId": "o2"},
            ],
            "graphParameters": {"Append": {"links": [{"nodeId": "s", "parameterKey": "Append score columns to output"}]}},
        },
    }  # fmt: skip
    experiment = parse_experiment(package_of(properties, "service"))
    assert experiment.name == "Prices"
    assert experiment.resources == ("M [trained model]",)
    assert [output.name for output in experiment.outputs] == ["output1", "output2"]
    assert experiment.parameters["Append"].default == "true"
