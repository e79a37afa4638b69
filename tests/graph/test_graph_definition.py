"""Experiment packages: what is accepted, and how each mistake is named."""

from __future__ import annotations

import contextlib
import copy
import itertools
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from graph import Experiment, GraphError, parse_experiment
from graph.spec import GLOBAL_TYPES, REQUIRED
from tests.graph.graphs import BY_NAME

SMALL: dict[str, Any] = {
    "name": "small",
    "nodes": {
        "data": {"input": "input1"},
        "columns": {"module": "Select Columns in Dataset", "parameters": {"Select columns": ["x", "y"]}},
        "split": {"module": "Split Data"},
        "learner": {"module": "Two-Class Boosted Decision Tree"},
        "train": {"module": "Train Model", "parameters": {"Label column": "y"}},
        "model": {"output": "output1"},
        "rest": {"output": "output2"},
    },
    "edges": [
        {"from": "data", "to": "columns"},
        {"from": "columns", "to": "split"},
        {"from": "split.Results dataset1", "to": "train.Dataset"},
        {"from": "learner", "to": "train.Untrained model"},
        {"from": "train", "to": "model"},
        {"from": "split.Results dataset2", "to": "rest"},
    ],
    "parameters": {
        "Share": {
            "type": "Float",
            "links": [{"node": "split", "parameter": "Fraction of rows in the first output dataset"}],
        }
    },
}


def changed(change: Callable[[dict[str, Any]], Any]) -> dict[str, Any]:
    package = copy.deepcopy(SMALL)
    change(package)
    return package


def test_a_small_experiment_is_read() -> None:
    """Inputs, outputs with their kinds, parameters and running order come out as declared."""
    experiment = parse_experiment(SMALL)
    assert experiment.inputs == ("input1",)
    assert [(o.name, o.kind) for o in experiment.outputs] == [("output1", "model"), ("output2", "dataset")]
    assert experiment.parameters["Share"].type == "Float"
    assert experiment.parameters["Share"].default is None
    order = [step.id for step in experiment.steps]
    assert order.index("columns") < order.index("split") < order.index("train")


MISTAKES = [
    (lambda p: p.pop("name"), "name", '"name"'),
    (lambda p: p.update(nodes={}), "nodes", '"nodes"'),
    (lambda p: p.update(graph=1), "graph", "graph"),
    (
        lambda p: p["nodes"].update(a={"module": "Train Mode"}),
        "a",
        'no module "Train Mode"; known modules: Add',
    ),
    (lambda p: p["nodes"].update(a={"input": "i", "output": "o"}), "a", "exactly one of"),
    (lambda p: p["nodes"].update(a={"output": "output1"}), "a", 'output name "output1"'),
    (lambda p: p["nodes"].update({"a.b": {"input": "i"}}), "a.b", "has no"),
    (lambda p: p["nodes"].update(a={"output": "o"}), "a", "not connected"),
    (lambda p: p["nodes"]["split"].update(parameters={"Seed": 1}), "split", 'no parameter "Seed"'),
    (
        lambda p: p["nodes"]["split"].update(parameters={"Random seed": "x"}),
        "split.Random seed",
        "Error 0002",
    ),
    (lambda p: p["nodes"]["split"].update(parameters={"Random seed": -1}), "split.Random seed", "Error 0008"),
    (lambda p: p["nodes"]["train"].pop("parameters"), "train", 'required parameter "Label column"'),
    (lambda p: p["edges"].pop(2), "train", 'required input "Dataset"'),
    (lambda p: p["edges"].append({"from": "nobody", "to": "rest"}), "nobody -> rest", 'no node "nobody"'),
    (lambda p: p["edges"].append({"from": "split", "to": "rest"}), "split -> rest", "needs its port named"),
    (lambda p: p["edges"].append({"from": "data.Rows", "to": "rest"}), "data.Rows -> rest", 'no port "Rows"'),
    (lambda p: p["edges"].append({"from": "data", "to": "rest"}), "data -> rest", "already connected"),
    (lambda p: p["edges"][3].update({"from": "data"}), "data -> train.Untrained model", "cannot feed"),
    (lambda p: p["edges"][4].update({"from": "learner"}), "learner -> model", "cannot feed"),
    (lambda p: p["edges"][0].update({"from": "split.Results dataset1"}), "columns", "cycle"),
    (lambda p: p["parameters"]["Share"].update(type="Number"), "Share", "type is one of"),
    (lambda p: p["parameters"]["Share"].update(type="Boolean"), "Share", "cannot set"),
    (lambda p: p["parameters"]["Share"].update(default=1), "Share", "is text"),
    (lambda p: p["parameters"]["Share"].update(default="2"), "Share", "[0, 1]"),
    (lambda p: p["parameters"]["Share"].update(links=[]), "Share", "linked to no"),
    (lambda p: p["parameters"]["Share"]["links"][0].update(node="x"), "Share", "x.Fraction"),
    (lambda p: p["parameters"].update(Again=p["parameters"]["Share"]), "Again", "linked twice"),
    (lambda p: [p["nodes"].pop(n) for n in ("model", "rest")], "nodes", "no web service output"),
]


@pytest.mark.parametrize(("change", "target", "says"), MISTAKES)
def test_each_mistake_is_named(change: Callable[[dict[str, Any]], Any], target: str, says: str) -> None:
    """An experiment that cannot run is refused when published, in one line that names what is wrong."""
    with pytest.raises(GraphError) as caught:
        parse_experiment(changed(change))
    assert caught.value.target == target
    assert says in caught.value.message
    assert "\n" not in caught.value.message


@pytest.mark.parametrize(
    ("values", "target"),
    [({}, "Share"), ({"Share": "much"}, "Share"), ({"Share": "1.5"}, "Share"), ({"Shares": "1"}, "Shares")],
)
def test_web_service_parameters_are_checked(values: dict[str, str], target: str) -> None:
    """A required parameter that is missing, an undeclared one, or a bad value is refused by name."""
    with pytest.raises(GraphError) as caught:
        parse_experiment(SMALL).bind(values)
    assert caught.value.target == target


def test_web_service_parameters_reach_what_they_are_linked_to() -> None:
    """A value given by the caller arrives, parsed, at the module parameter of its link."""
    bound = parse_experiment(SMALL).bind({"Share": "0.25"})
    assert bound["split"]["Fraction of rows in the first output dataset"] == 0.25


@given(seed=st.randoms(use_true_random=False))
@settings(max_examples=40, deadline=None)
def test_the_order_of_writing_does_not_matter(seed: Any) -> None:
    """However nodes and edges are ordered, each module runs after those it reads from."""
    package = copy.deepcopy(SMALL)
    nodes = list(package["nodes"].items())
    seed.shuffle(nodes)
    package["nodes"] = dict(nodes)
    seed.shuffle(package["edges"])
    experiment = parse_experiment(package)
    order = [step.id for step in experiment.steps]
    assert sorted(order) == sorted(step.id for step in parse_experiment(SMALL).steps)
    for step in experiment.steps:
        for source, _ in step.sources.values():
            assert source not in order or order.index(source) < order.index(step.id)


words = st.sampled_from(
    [
        "data",
        "split",
        "train",
        "model",
        "input1",
        "x",
        "from",
        "to",
        "type",
        "Int",
        "node",
        "module",
        "input",
        "output",
        "parameters",
        "Split Data",
        "Train Model",
        "split.Results dataset1",
        "train.Dataset",
        "",
        ".",
    ]
)
json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | words | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(words, inner, max_size=3),
    max_leaves=8,
)


@given(member=st.sampled_from(["name", "nodes", "edges", "parameters", None]), value=json)
@settings(max_examples=300, deadline=None)
def test_any_json_is_either_an_experiment_or_refused(member: str | None, value: Any) -> None:
    """No package, however odd, causes anything but a GraphError."""
    package = value if member is None else {**SMALL, member: value}
    with contextlib.suppress(GraphError):
        assert isinstance(parse_experiment(package), Experiment)


def test_every_module_declares_valid_defaults() -> None:
    """Each declared default passes its own parameter's checks, so leaving it out is the same as giving it."""
    for module in BY_NAME.values():
        assert len({port.name for port in module.inputs}) == len(module.inputs)
        for parameter in module.parameters:
            if parameter.default is not REQUIRED and parameter.type not in ("ColumnPicker",):
                assert parameter.parse(parameter.default) == parameter.default
                assert parameter.parse(parameter.text(parameter.default)) == parameter.default
            # No caller of a service gives a script.
            assert any(parameter.type in fits for fits in GLOBAL_TYPES.values()) != (
                parameter.type == "Script"
            )


@pytest.mark.parametrize("backwards", [False, True])
def test_a_graph_of_many_modules_is_ordered_at_once(backwards: bool) -> None:
    """Its cost grows with the number of modules, not with its square: a chain, declared in either direction."""
    chain = [f"m{number}" for number in range(5_000)]
    module = {"module": "Select Columns in Dataset", "parameters": {"Select columns": "a"}}
    declared = reversed(chain) if backwards else chain
    ends = ["in", *chain, "out"]
    experiment = parse_experiment(
        {
            "name": "chain",
            "nodes": {"in": {"input": "i"}, "out": {"output": "o"}} | dict.fromkeys(declared, module),
            "edges": [{"from": one, "to": other} for one, other in itertools.pairwise(ends)],
        }
    )
    assert [step.id for step in experiment.steps] == chain
