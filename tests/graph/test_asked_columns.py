"""What a predictive graph asks of a request, where its modules rename, make or read columns on the way to the model."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest

from authoring.predictive import derive
from graph import ModuleError, Rows, Scorer, parse_experiment, rows_of, run
from graph.data.frames import plain_cells
from tests.graph.graphs import learner
from tests.graph.modules import table

Steps = list[tuple[str, dict[str, Any], str]]


def scorer(steps: Steps, frame: pd.DataFrame, *, types: dict[str, str] | None = None) -> Scorer:
    """Of a model that is trained through these modules, each with its parameters and the port that goes on."""
    nodes: dict[str, Any] = {
        "data": {"input": "input1", **({"types": types} if types else {})},
        "learner": {"module": "Two-Class Logistic Regression"},
        "train": {"module": "Train Model", "parameters": {"Label column": ["y"]}},
        "model": {"output": "output1"},
    }
    edges = [("learner", "train.Untrained model"), ("train", "model")]
    last = "data"
    for at, (module, parameters, port) in enumerate(steps):
        nodes[f"s{at}"] = {"module": module, "parameters": parameters}
        edges.append((last, f"s{at}.Dataset"))
        last = f"s{at}.{port}" if port else f"s{at}"
    edges.append((last, "train.Dataset"))
    package = {"name": "x", "nodes": nodes, "edges": [{"from": a, "to": b} for a, b in edges]}
    model = run(parse_experiment(package), {"input1": frame})["output1"]
    assert isinstance(model, bytes)
    predictive = parse_experiment(derive(package))
    return Scorer(predictive, {predictive.resources[0]: model})


def alone(found: Scorer, **cells: Any) -> Any:
    """What one row gives, compiled; interpreted it gives the same."""
    row = {"input1": Rows({name: [value] for name, value in cells.items()}, 1)}
    answer = rows_of(found.score(row)["output1"], {})
    assert rows_of(found.interpret(row)["output1"], {}) == answer
    return answer[0]


CODES = pd.DataFrame({"code": ["true", "x", "1", "2.0"] * 10, "y": [0, 1, 1, 0] * 10})


def test_a_renamed_column_has_its_type_whatever_else_a_request_has():
    """`true` alone would be a truth value, `1` a number; here they are two of the texts that the model knows."""
    rename = {"Column": ["code"], "New column names": "kind", "Categorical": "Make categorical"}
    found = scorer([("Edit Metadata", rename, "")], CODES)
    assert found.input_schema == [("code", "String")]
    assert found.example == {"code": "true"}
    assert dict(found.output_schema)["Scored Labels"] == "Int32"
    told = {code: alone(found, code=code)["Scored Labels"] for code in ("true", "x", "1", "2.0")}
    assert told == {"true": "0", "x": "1", "1": "1", "2.0": "0"}


@pytest.mark.parametrize(
    "steps",
    [
        [
            ("Feature Hashing", {"Target columns": ["code"], "Hashing bitsize": 4, "N-grams": 0}, ""),
            ("Select Columns in Dataset", {"Select columns": {"rules": [
                {"ruleType": "AllColumns", "exclude": False},
                {"ruleType": "ColumnNames", "columns": ["code"], "exclude": True},
            ]}}, ""),
        ],
        [
            ("Preprocess Text", {"Text column to clean": ["code"], "Remove numbers": False}, ""),
            ("Select Columns in Dataset", {"Select columns": ["Preprocessed code", "y"]}, ""),
            ("Extract N-Gram Features from Text", {
                **{"Text column": ["Preprocessed code"], "Minimum word length": 1},
                "Use filter-based feature selection": False,
            }, "Results dataset"),
        ],
    ],
    ids=["hashed", "n-grams"],
)  # fmt: skip
def test_text_that_modules_make_columns_of_is_asked_for_and_stays_text(steps):
    """Not the columns that are made; a text of digits alone is no number."""
    found = scorer(steps, CODES)
    assert found.input_schema == [("code", "String")]
    assert [alone(found, code=code)["Scored Labels"] for code in ("true", "x", "1")] == ["0", "1", "1"]


def test_a_declared_type_holds_for_a_batch_as_for_a_request():
    """The column's values look like numbers, and the graph says that they are text."""
    frame = CODES.assign(code=["01", "1", "2", "02"] * 10)
    rename = {"Column": ["code"], "New column names": "kind", "Categorical": "Make categorical"}
    found = scorer([("Edit Metadata", rename, "")], frame, types={"code": "String", "more": "String"})
    assert alone(found, code="01", more="007")["more"] == "007"
    rows = pd.DataFrame({"code": ["01"], "more": ["007"]}, dtype=object)
    assert found.interpret({"input1": rows})["output1"]["more"].tolist() == ["007"]


def test_a_predictive_graph_is_derived_of_a_sweep():
    """Tune Model Hyperparameters calls its dataset otherwise than Train Model does."""
    nodes = {
        "data": {"input": "input1"},
        "learner": {"module": "Two-Class Logistic Regression"},
        "categories": {
            "module": "Edit Metadata",
            "parameters": {"Column": ["code"], "Categorical": "Make categorical"},
        },
        "tune": {"module": "Tune Model Hyperparameters", "parameters": {"Label column": ["y"]}},
        "model": {"output": "output1"},
    }
    edges = {
        "data": "categories.Dataset",
        "categories": "tune.Training dataset",
        "learner": "tune.Untrained model",
        "tune.Trained best model": "model",
    }
    package = {"name": "x", "nodes": nodes, "edges": [{"from": a, "to": b} for a, b in edges.items()]}
    model = run(parse_experiment(package), {"input1": CODES})["output1"]
    assert isinstance(model, bytes)
    predictive = parse_experiment(derive(package))
    assert [step.module.name for step in predictive.steps] == ["Edit Metadata", "Score Model"]
    assert alone(Scorer(predictive, {predictive.resources[0]: model}), code="x")["Scored Labels"] == "1"


@pytest.mark.parametrize(("levels", "plain"), [([1, None, 3], [1.0, None, 3.0]), ([True, None], [1.0, None])])
def test_a_category_of_numbers_with_a_missing_value_becomes_a_column_of_numbers(levels, plain):
    frame = pd.DataFrame({"a": pd.Categorical(levels)})
    found = table("Edit Metadata", frame, Column=["a"], Categorical="Make non-categorical")["a"]
    assert [None if value != value else value for value in found.tolist()] == plain
    assert plain_cells(frame["a"]).dtype.kind == "f"


def test_one_quantile_is_scored_as_several_are():
    """A model with one score that has a name."""
    frame = pd.DataFrame({"a": [1.0, 2.0, 3.0] * 20, "y": [4.0, 6.0, 9.0] * 20})
    package = learner(
        "Fast Forest Quantile Regression", **{"Quantiles to be estimated": "0.5", "Number of Trees": 4}
    )
    model = run(parse_experiment(package), {"input1": frame})["output1"]
    assert isinstance(model, bytes)
    predictive = parse_experiment(derive(package))
    row = alone(Scorer(predictive, {predictive.resources[0]: model}), a="2")
    assert row["Quantile 0.5"] == row["Scored Labels"]
    assert 4 <= float(row["Scored Labels"]) <= 9


@pytest.mark.parametrize("odd", [float("inf"), pd.Timestamp("2020-01-01")])
def test_a_label_with_a_value_that_no_model_can_hold_is_refused_before_training(odd):
    """Else a model is made that nothing can read."""
    other = pd.Timestamp("2021-01-01") if isinstance(odd, pd.Timestamp) else 1.0
    frame = pd.DataFrame({"a": [1.0, 2.0, 3.0, 4.0], "y": [odd, other, odd, other]})
    package = learner("Multiclass Decision Forest")
    with pytest.raises(ModuleError, match=r"0023.*which is no class"):
        run(parse_experiment(package), {"input1": frame})


def test_a_column_that_is_renamed_after_a_transformation_has_its_type_too():
    """What the transformation does to other columns does not matter."""
    frame = CODES.assign(n=[1.0, 2.0, 3.0, 4.0] * 10)
    rename = {"Column": ["code"], "New column names": "kind", "Categorical": "Make categorical"}
    found = scorer(
        [
            ("Normalize Data", {"Columns to transform": ["n"]}, "Transformed dataset"),
            ("Edit Metadata", rename, ""),
        ],
        frame,
    )
    assert dict(found.input_schema) == {"n": "Double", "code": "String"}
    told = [alone(found, code=code, n="1")["kind"] for code in ("true", "x", "1", "2.0")]
    assert told == ["true", "x", "1", "2.0"]


def test_a_label_that_is_marked_as_no_feature_is_a_label_still():
    steps = [("Edit Metadata", {"Column": ["y"], "Fields": "Clear feature"}, "")]
    frame = CODES.assign(code=[1.0, 2.0, 2.5, 0.5] * 10)
    assert scorer(steps, frame).input_schema == [("code", "Double")]
