"""Which columns an experiment asks for, told from its graph, and held against what running it says."""

from __future__ import annotations

import itertools
from typing import Any

import pandas as pd
import pytest

from graph import ModuleError, parse_experiment, run
from graph.flow import UNTOLD
from graph.needs import needs
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
    assert set(found.columns.values()) == {SELECT}
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


def _out(module: str) -> str:
    return {SPLIT: ".Results dataset1", CLEAN: ".Cleaned dataset"}.get(module, ".Results dataset")
