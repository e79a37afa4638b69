"""Which columns an experiment asks for, told from its graph, and held against what running it says."""

from __future__ import annotations

import itertools
from typing import Any

import pandas as pd
import pytest

from graph import ModuleError, parse_experiment, run
from graph.flow import UNTOLD
from graph.needs import columns_by_port, faults, needs
from tests.graph.graphs import FLIGHTS, small, through

ROWS = {
    "x": [1.0, 2.0, None, 4.0, 5.0, 6.0],
    "y": [0, 1, 0, 1, 0, 1],
    "z": [3.0, 2.0, 1.0, 3.0, None, 1.0],
    "c": ["a", "b", "a", "b", "a", "b"],
}
EVERYTHING = {"isFilter": True, "rules": [{"ruleType": "AllColumns", "exclude": False}]}


def without(*names: str) -> dict[str, Any]:
    """A selection of all columns but these."""
    rules = [*EVERYTHING["rules"], {"ruleType": "ColumnNames", "columns": list(names), "exclude": True}]
    return {"isFilter": True, "rules": rules}


SELECT, EDIT, CLEAN, MATH, SPLIT = (
    "Select Columns in Dataset",
    "Edit Metadata",
    "Clean Missing Data",
    "Apply Math Operation",
    "Split Data",
)


def _out(module: str) -> str:
    return {SPLIT: ".Results dataset1", CLEAN: ".Cleaned dataset"}.get(module, ".Results dataset")


STEPS = [
    (SELECT, {"Select columns": ["x", "y"]}, {"x", "y"}),
    (SELECT, {"Select columns": EVERYTHING}, {"y"}),
    (SELECT, {"Select columns": without("c")}, {"c", "y"}),
    (EDIT, {"Column": ["c"], "Categorical": "Make categorical"}, {"c", "y"}),
    (EDIT, {"Column": ["c", "y"], "New column names": "d, y"}, {"c", "y"}),
    (EDIT, {"Column": ["z", "y"], "New column names": "y, old"}, {"z", "y"}),
    (EDIT, {"Column": EVERYTHING, "Categorical": "Make non-categorical"}, {"y"}),
    (CLEAN, {"Columns to be cleaned": ["x", "z"], "Cleaning mode": "Remove entire row"}, {"x", "z", "y"}),
    (CLEAN, {"Columns to be cleaned": ["x"], "Cleaning mode": "Remove entire column"}, {"x", "y"}),
    (CLEAN, {}, {"y"}),
    (
        MATH,
        {
            "Category": "Compare",
            "Comparison function": "GreaterThan",
            "Column set": ["x"],
            "Output mode": "Inplace",
        },
        {"x", "y"},
    ),
    (MATH, {"Category": "Operations", "Column set": ["x", "y"]}, {"x", "y"}),
    (SPLIT, {"Stratified split": True, "Stratification key column": ["z"]}, {"z", "y"}),
    (SPLIT, {"Stratified split": False, "Stratification key column": ["z"]}, {"y"}),
]
IDS = [f"{module}-{at}" for at, (module, _values, _asked) in enumerate(STEPS)]


@pytest.mark.parametrize(("module", "values", "asked"), STEPS, ids=IDS)
def test_what_is_asked_for_is_what_cannot_be_left_out(module, values, asked):
    """Running the graph without a column that is asked for fails by that name."""
    definition = through(module, values, _out(module))
    found = needs(definition, {})
    assert set(found.columns) == asked
    for name in asked:
        frame = pd.DataFrame(ROWS).drop(columns=[name])
        with pytest.raises(ModuleError, match=f'"{name}" not found'):
            run(parse_experiment(definition), {"input1": frame})


@pytest.mark.parametrize(("first", "second"), list(itertools.product(STEPS, STEPS)))
def test_nothing_is_asked_for_that_a_run_does_without(first, second):
    """Two modules in a row: where a run succeeds without a column, it is not asked for."""
    definition = through(first[0], first[1], _out(first[0]))
    definition["nodes"]["next"] = {"module": second[0], "parameters": second[1]}
    definition["edges"][-1]["to"] = "next.Dataset"
    definition["edges"].append({"from": f"next{_out(second[0])}", "to": "train.Dataset"})
    asked = set(needs(definition, {}).columns)
    experiment = parse_experiment(definition)
    for name in asked:
        frame = pd.DataFrame(ROWS).drop(columns=[name])
        with pytest.raises(ModuleError):
            run(experiment, {"input1": frame})


def test_the_flights_experiment_asks_for_its_columns_and_two_classes_of_a_comparison():
    """Its label is a column under another name, compared with a number."""
    found = needs(FLIGHTS, {})
    assert set(found.columns) == set(FLIGHTS["nodes"]["columns"]["parameters"]["Select columns"])
    assert set(found.columns.values()) == {f'{SELECT} (node "columns")'}
    assert found.label is not None
    assert (found.label.source, found.classes) == ("arr_delay", 2)
    values = [found.label.values(value) for value in ("14", "15", None, "x")]
    assert values == [False, True, False, UNTOLD]


@pytest.mark.parametrize(
    ("module", "values", "pairs"),
    [
        (CLEAN, {}, [("1", None)]),
        (EDIT, {"Column": ["y"], "Data type": "Integer"}, [("14.7", "14.2")]),
        (EDIT, {"Column": EVERYTHING, "Data type": "Boolean"}, [("1", "2")]),
        (MATH, {"Category": "Operations", "Column set": ["y"], "Output mode": "Inplace"}, [("1", "2")]),
    ],
)
def test_values_that_may_differ_in_the_graph_differ(module, values, pairs):
    """Else data with two classes would be refused as having one."""
    label = needs(through(module, values, _out(module)), {}).label
    assert label is not None
    for one, other in pairs:
        assert label.values(one) != label.values(other) or label.values(one) is UNTOLD


MAKING = [
    ("Convert to Indicator Values", {"Categorical columns to convert": ["c"]}, ".Results dataset"),
    ("Clean Missing Data", {"Generate missing value indicator column": True}, ".Cleaned dataset"),
    ("Clip Values", {"List of columns": ["x"], "Overwrite flag": False, "Add indicator columns": True}, ""),
    ("Group Data into Bins", {"Columns to bin": ["x"], "Output mode": "ResultOnly"}, ".Quantized dataset"),
    ("Principal Component Analysis", {"Selected columns": ["y"], "Number of dimensions to reduce to": 1}, ".Results dataset"),
    ("Summarize Data", {}, ""),
    ("Compute Linear Correlation", {}, ""),
    ("Preprocess Text", {"Text column to clean": ["c"]}, ""),
    ("Remove Duplicate Rows", {"Key column selection filter expression": ["c"]}, ""),
]  # fmt: skip


@pytest.mark.parametrize(
    ("module", "values", "out"), [(one, two, _out(one)) for one, two, _asked in STEPS] + MAKING
)
def test_no_column_that_comes_out_of_a_module_was_thought_not_to_be_there(module, values, out):
    """Else a graph would be refused that runs."""
    definition = through(module, values, out)
    definition["nodes"] |= {
        "table": {"output": "table"},
        "kind": {"module": EDIT, "parameters": {"Column": ["c"], "Categorical": "Make categorical"}},
    }
    definition["edges"][0] = {"from": "kind", "to": "step.Dataset"}
    definition["edges"] = [
        definition["edges"][0],
        {"from": "data", "to": "kind.Dataset"},
        {"from": f"step{out}", "to": "table"},
    ]
    del definition["nodes"]["train"], definition["nodes"]["learner"], definition["nodes"]["model"]
    experiment = parse_experiment(definition)
    frame = pd.DataFrame(ROWS) if module != "Principal Component Analysis" else pd.DataFrame(ROWS).dropna()
    made = run(experiment, {"input1": frame})["table"]
    columns = columns_by_port(experiment, experiment.bind({}))[experiment.output_sources["table"]]
    for name in made.columns:
        assert columns.others == "any" or columns.more or columns.find(str(name)), name


@pytest.mark.parametrize(
    ("first", "second", "name"),
    [
        ((SELECT, {"Select columns": ["x", "y"]}), (EDIT, {"Column": ["z"]}), "z"),
        ((SELECT, {"Select columns": without("z")}), (SELECT, {"Select columns": ["z", "y"]}), "z"),
        ((EDIT, {"Column": ["x"], "New column names": "w"}), (CLEAN, {"Columns to be cleaned": ["x"]}), "x"),
        ((SELECT, {"Select columns": ["x", "z"]}), (CLEAN, {}), "y"),
        (("Summarize Data", {}), (SELECT, {"Select columns": ["x"]}), "x"),
    ],
)
def test_a_column_that_no_module_gives_is_told_with_the_node_whatever_the_data(first, second, name):
    """A run of the graph fails by the same name, and at the same node."""
    definition = through(first[0], first[1], _out(first[0]))
    definition["nodes"]["next"] = {"module": second[0], "parameters": second[1]}
    definition["edges"][-1]["to"] = "next.Dataset"
    definition["edges"].append({"from": f"next{_out(second[0])}", "to": "train.Dataset"})
    error = faults(definition)[0]
    assert f'asks for the column "{name}"' in error.message
    assert error.remedy
    with pytest.raises(ModuleError, match=f'"{name}" not found') as caught:
        run(parse_experiment(definition), {"input1": pd.DataFrame(ROWS)})
    assert caught.value.node == error.target
    assert f'(node "{error.target}")' in str(caught.value)


def test_what_a_module_makes_of_values_may_be_asked_for_after_it():
    """Of the columns of indicators the graph alone does not tell the names."""
    definition = through(
        "Convert to Indicator Values", {"Categorical columns to convert": ["c"]}, ".Results dataset"
    )
    definition["nodes"]["train"]["parameters"]["Label column"] = ["c-a"]
    assert faults(definition) == ()
    assert set(needs(definition, {}).columns) == {"c"}


TREE = "Two-Class Boosted Decision Tree"


@pytest.mark.parametrize(
    ("step", "most"),
    [
        ((SPLIT, {}), 2),
        ((CLEAN, {"Columns to be cleaned": ["y"], "Cleaning mode": "Remove entire row"}), 2),
        ((CLEAN, {"Columns to be cleaned": ["x"], "Cleaning mode": "Remove entire row"}), 0),
        ((SPLIT, {"Splitting mode": "Relative Expression", "Relational expression": '\\"y" < 2'}), 0),
        ((EDIT, {"Column": ["y"], "Data type": "Boolean"}), 0),
        (("Remove Duplicate Rows", {"Key column selection filter expression": ["c"]}), 0),
    ],
)
def test_a_third_class_is_refused_where_no_module_may_leave_it_out(step, most):
    """Values that are written differently may be one class."""
    definition = through(step[0], step[1], _out(step[0]))
    definition["nodes"]["learner"]["module"] = TREE
    found = needs(definition, {})
    assert found.most == most
    assert bool(found.misfit({"0", "1", "2"})) == bool(most)
    assert not found.misfit({"0", "0.0", "1", "1e0"})
    assert not found.misfit({"yes", "Yes ", "no"})


@pytest.mark.parametrize(
    ("nodes", "edges", "least"),
    [
        (
            {"cross": {"module": "Cross Validate Model", "parameters": {"Label column": ["y"]}}},
            [("data", "cross.Dataset"), ("learner", "cross.Untrained model")],
            10,
        ),
        (
            {
                "folds": {
                    "module": "Partition and Sample",
                    "parameters": {"Partition or sample mode": "Assign to Folds"},
                }
            },
            [("data", "folds.Dataset")],
            5,
        ),
    ],
)
def test_fewer_rows_than_folds_are_told_before_anything_runs(nodes, edges, least):
    """One row less is refused by a run as well, and so many are not."""
    definition = small(**nodes)
    definition["edges"] += [{"from": one, "to": other} for one, other in edges]
    found, experiment = needs(definition, {}), parse_experiment(definition)
    assert f"needs {least}" in found.too_few(least - 1)
    assert not found.too_few(least)
    frame = pd.DataFrame({"x": range(least), "y": [0, 1] * (least // 2) + [0] * (least % 2)})
    run(experiment, {"input1": frame})
    with pytest.raises(ModuleError, match="0021"):
        run(experiment, {"input1": frame.iloc[:-1]})


@pytest.mark.parametrize(
    "definition",
    [
        {"name": "no graph"},
        small(data={"input": "input1"}, train={"module": "Nobody's Module"}),
        small(train={"module": "Train Model"}),
    ],
)
def test_of_what_cannot_be_told_nothing_is_asked(definition):
    """It is not for the data to answer for the graph."""
    assert needs(definition, {}).columns == {}
