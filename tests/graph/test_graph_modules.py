"""The modules one by one, on small tables."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from graph import ModuleError, parse_experiment, run, write_table
from graph.data.datasets import Dataset, Scored
from graph.errors import ModuleFailure
from graph.models.ilearner import TrainedModel
from graph.spec import REQUIRED
from tests.graph.graphs import BY_NAME

TABLE = pd.DataFrame(
    {
        "n": [1.0, np.nan, 3.0, 3.0],
        "i": [1, 2, 3, 4],
        "s": ["a", None, "b", "b"],
        "c": pd.Categorical(["u", "v", None, "v"]),
    }
)


def call(module: str, data: Any = TABLE, port: str = "Dataset", **given_: Any) -> dict[str, pd.DataFrame]:
    """Run one module on one table; parameters by name with `_` for blanks."""
    found = BY_NAME[module]
    values = {p.name: p.default for p in found.parameters}
    for parameter, value in given_.items():
        declared = found.parameter(parameter.replace("_", " "))
        assert declared is not None
        values[declared.name] = declared.parse(value)
    assert REQUIRED not in [value for value in values.values() if isinstance(value, object)]
    dataset = data if isinstance(data, Dataset) else Dataset(data)
    result = found.run({port: dataset}, values)
    return {name: value.frame for name, value in result.items() if isinstance(value, Dataset)}


def one(module: str, data: Any = TABLE, **given_: Any) -> pd.DataFrame:
    return next(iter(call(module, data, **given_).values()))


@pytest.mark.parametrize(
    ("selection", "columns"),
    [
        (["i", "n"], ["i", "n"]),
        ("i, n", ["i", "n"]),
        (
            '{"isFilter": true, "rules": [{"ruleType": "ColumnNames", "columns": ["s"], "exclude": false}]}',
            ["s"],
        ),
        (
            {
                "rules": [
                    {"ruleType": "AllColumns"},
                    {"ruleType": "ColumnNames", "columns": ["n"], "exclude": True},
                ]
            },
            ["i", "s", "c"],
        ),
    ],
)
def test_columns_are_selected(selection: Any, columns: list[str]) -> None:
    """Names, a list of them, and Studio's own rules select columns in that order."""
    assert list(one("Select Columns in Dataset", Select_columns=selection).columns) == columns


def test_an_unknown_column_is_named() -> None:
    """Selecting a column that is not there is Studio's error 0001."""
    with pytest.raises(ModuleFailure, match=r'0001.*"z"'):
        one("Select Columns in Dataset", Select_columns=["z"])


@pytest.mark.parametrize(
    ("mode", "columns", "expected"),
    [
        ("Remove entire row", ["n"], [1.0, 3.0, 3.0]),
        ("Replace with mean", ["n"], [1.0, 7 / 3, 3.0, 3.0]),
        ("Replace with median", ["n"], [1.0, 3.0, 3.0, 3.0]),
        ("Replace with mode", ["n"], [1.0, 3.0, 3.0, 3.0]),
        ("Custom substitution value", ["n"], [1.0, 0.0, 3.0, 3.0]),
    ],
)
def test_missing_numbers_are_cleaned(mode: str, columns: list[str], expected: list[float]) -> None:
    """Every cleaning mode does what its name says."""
    cleaned = one("Clean Missing Data", Columns_to_be_cleaned=columns, Cleaning_mode=mode)
    assert cleaned["n"].tolist() == pytest.approx(expected)


def test_missing_text_and_categories_are_cleaned() -> None:
    """A custom value becomes text in a text column and a new level in a categorical one."""
    cleaned = one(
        "Clean Missing Data",
        Columns_to_be_cleaned=["s", "c"],
        Replacement_value="none",
        Cleaning_mode="Custom substitution value",
    )
    assert cleaned["s"].tolist() == ["a", "none", "b", "b"]
    assert cleaned["c"].tolist() == ["u", "v", "none", "v"]


def test_only_columns_within_the_ratio_are_cleaned() -> None:
    """A column with more missing values than the bound is left alone, and all columns can be removed."""
    cleaned = one("Clean Missing Data", Cleaning_mode="Remove entire row", Maximum_missing_value_ratio=0.1)
    assert len(cleaned) == 4
    assert list(one("Clean Missing Data", Cleaning_mode="Remove entire column").columns) == ["i"]


def test_the_mean_of_text_is_refused() -> None:
    """A mean needs numbers: error 0017 names column and type."""
    with pytest.raises(ModuleFailure, match=r'0017.*"s" of type String'):
        one("Clean Missing Data", Cleaning_mode="Replace with mean", Columns_to_be_cleaned=["s"])


def test_metadata_is_edited() -> None:
    """Type, category flag and name change; other columns stay."""
    edited = one("Edit Metadata", Column=["i"], Data_type="String", New_column_names="text")
    assert edited["text"].tolist() == ["1", "2", "3", "4"]
    edited = one("Edit Metadata", Column=["s"], Categorical="Make categorical")
    assert isinstance(edited["s"].dtype, pd.CategoricalDtype)
    edited = one("Edit Metadata", edited, Column=["s"], Categorical="Make non-categorical")
    assert not isinstance(edited["s"].dtype, pd.CategoricalDtype)
    flags = pd.DataFrame({"b": [True, False]})
    assert one("Edit Metadata", flags, Column=["b"], Data_type="Integer")["b"].tolist() == [1, 0]
    assert one("Edit Metadata", TABLE, Column=["n"], Data_type="Integer")["n"].isna().sum() == 1


@pytest.mark.parametrize(
    ("given_", "code"),
    [
        ({"Column": ["s"], "Data_type": "Integer"}, "0042"),
        ({"Column": ["i", "n"], "New_column_names": "only one"}, "0007"),
        ({"Column": ["i"], "New_column_names": "n"}, "0026"),
    ],
)
def test_impossible_metadata_is_refused(given_: dict[str, Any], code: str) -> None:
    """Text that is no number, too few names, and a name already taken are refused."""
    with pytest.raises(ModuleFailure) as caught:
        one("Edit Metadata", **given_)
    assert caught.value.code == code


def test_math_appends_replaces_or_gives_only_the_result() -> None:
    """The three output modes, with Studio's names for appended columns."""
    compare = {
        "Category": "Compare",
        "Comparison_function": "GreaterThanOrEqualTo",
        "Constant_value_to_compare": 3,
    }
    appended = one("Apply Math Operation", Column_set=["n"], **compare)
    assert appended["GreaterThanOrEqualTo(n_$3)"].tolist() == [False, False, True, True]
    replaced = one("Apply Math Operation", Column_set=["i"], Output_mode="Inplace", **compare)
    assert replaced["i"].tolist() == [False, False, True, True]
    only = one(
        "Apply Math Operation",
        Category="Operations",
        Operation="Multiply",
        Constant_operation_argument="2",
        Column_set=["i"],
        Output_mode="ResultOnly",
    )
    assert only.to_dict("list") == {"Multiply(i_$2)": [2, 4, 6, 8]}


@given(
    rows=st.integers(1, 200),
    fraction=st.floats(0, 1),
    seed=st.integers(0, 2**31 - 1),
    stratified=st.booleans(),
)
@settings(max_examples=100, deadline=None)
def test_a_split_loses_and_doubles_no_row(rows: int, fraction: float, seed: int, stratified: bool) -> None:
    """The two parts together are the input, in its order; sizes follow the fraction; the seed decides all."""
    frame = pd.DataFrame({"row": range(rows), "key": [row % 3 for row in range(rows)]})
    arguments: dict[str, Any] = {
        "Fraction_of_rows_in_the_first_output_dataset": fraction,
        "Random_seed": seed,
        "Stratified_split": stratified,
        "Stratification_key_column": ["key"],
    }
    first, second = call("Split Data", frame, **arguments).values()
    assert sorted([*first["row"], *second["row"]]) == list(range(rows))
    assert list(first["row"]) == sorted(first["row"])
    assert abs(len(first) - rows * fraction) <= (1.5 if stratified else 0.5)
    again = next(iter(call("Split Data", frame, **arguments).values()))
    assert first.equals(again)


BINARY = ["Two-Class Boosted Decision Tree", "Two-Class Logistic Regression"]
LEARNERS = [*BINARY, "Boosted Decision Tree Regression", "Linear Regression"]


def experiment(learner: str, label: str, parameters: dict[str, Any] | None = None) -> Any:
    """Train, score the same rows, evaluate against a second scoring."""
    return parse_experiment(
        {
            "name": "learner",
            "nodes": {
                "data": {"input": "input1"},
                "categories": {
                    "module": "Edit Metadata",
                    "parameters": {"Column": ["group"], "Categorical": "Make categorical"},
                },
                "learner": {"module": learner, "parameters": parameters or {}},
                "train": {"module": "Train Model", "parameters": {"Label column": label}},
                "score": {"module": "Score Model"},
                "evaluate": {"module": "Evaluate Model"},
                "model": {"output": "model"},
                "scored": {"output": "scored"},
                "evaluation": {"output": "evaluation"},
            },
            "edges": [
                {"from": "data", "to": "categories"},
                {"from": "learner", "to": "train.Untrained model"},
                {"from": "categories", "to": "train.Dataset"},
                {"from": "categories", "to": "score.Dataset"},
                {"from": "train", "to": "score.Trained model"},
                {"from": "score", "to": "evaluate.Scored dataset"},
                {"from": "score", "to": "evaluate.Scored dataset to compare"},
                {"from": "train", "to": "model"},
                {"from": "score", "to": "scored"},
                {"from": "evaluate", "to": "evaluation"},
            ],
        }
    )


def rows(count: int = 400) -> pd.DataFrame:
    random = np.random.default_rng(7)
    x = random.normal(size=count)
    group = random.choice(["a", "b", "c"], count)
    value = 2 * x + (group == "b") + random.normal(size=count) / 4
    frame = pd.DataFrame({"x": x, "whole": random.integers(0, 9, count), "group": group, "value": value})
    frame.loc[::10, "x"] = np.nan
    return frame


@pytest.mark.parametrize("learner", LEARNERS)
def test_every_learner_trains_scores_and_repeats(learner: str) -> None:
    """Each learner learns something, twice the same bytes, and gives one evaluation row a scored input."""
    frame = rows()
    if learner in BINARY:
        frame["value"] = frame["value"] > 0
    graph = experiment(learner, "value")
    outputs: dict[str, Any] = run(graph, {"input1": frame})
    evaluation = outputs["evaluation"]
    assert len(evaluation) == 2
    assert evaluation.iloc[0].equals(evaluation.iloc[1])
    if learner in BINARY:
        assert evaluation["AUC"].iloc[0] > 0.9
        assert outputs["scored"]["Scored Labels"].dtype == bool
    else:
        assert evaluation["Coefficient of Determination"].iloc[0] > 0.7
    assert outputs["model"] == run(graph, {"input1": frame})["model"]


@pytest.mark.parametrize("learner", LEARNERS)
def test_a_row_alone_scores_as_in_a_table(learner: str) -> None:
    """For every learner one row and the whole table give the same numbers to the bit."""
    frame = rows()
    if learner in BINARY:
        frame["value"] = frame["value"] > 0
    data = run(experiment(learner, "value"), {"input1": frame})["model"]
    assert isinstance(data, bytes)
    model = TrainedModel.from_bytes(data)
    together = model.score(frame)
    assert [model.score(frame.iloc[[i]])[0] for i in range(100)] == together[:100].tolist()


def test_linear_models_agree_with_the_library() -> None:
    """The exported linear model predicts what the fitted library model predicts."""
    frame = rows().dropna()
    data = run(experiment("Linear Regression", "value"), {"input1": frame})["model"]
    assert isinstance(data, bytes)
    from sklearn.linear_model import Ridge

    model = TrainedModel.from_bytes(data)
    columns = np.column_stack(
        [frame["x"], frame["whole"], *(frame["group"] == level for level in "abc")]
    ).astype(float)
    scaled = (columns - columns.mean(axis=0)) / columns.std(axis=0)
    expected = Ridge(alpha=0.001).fit(scaled, frame["value"]).predict(scaled)
    assert np.abs(model.score(frame) - expected).max() < 1e-9


def test_unknown_levels_can_be_forbidden() -> None:
    """With the option off, a level not seen in training is an error that names column and level."""
    frame = rows().assign(value=lambda f: f["value"] > 0)
    graph = experiment(BINARY[0], "value", {"Allow unknown categorical levels": "False"})
    data = run(graph, {"input1": frame})["model"]
    assert isinstance(data, bytes)
    with pytest.raises(ModuleFailure, match='"group" has the level "d"'):
        TrainedModel.from_bytes(data).score(frame.assign(group="d"))


@pytest.mark.parametrize("count", [1, 2, 5])
def test_a_handful_of_rows_trains(count: int) -> None:
    """Too few rows for any split give a model that says the base rate, not an error."""
    frame = pd.concat([rows(count).assign(value=flag) for flag in (0, 1)])
    outputs: dict[str, Any] = run(experiment(BINARY[0], "value"), {"input1": frame})
    assert outputs["scored"]["Scored Probabilities"].tolist() == pytest.approx([0.5] * 2 * count)


@pytest.mark.parametrize(
    ("values", "named"),
    [([1, 2, 3], "has 3 (1, 2, 3)"), ([1, 1, 1], "has 1 (1)"), (["y", "y", "y"], "has 1 (y)")],
)
def test_a_two_class_learner_needs_two_classes(values: list[Any], named: str) -> None:
    """Error 0023 says how many distinct values the label has."""
    frame = rows(30).assign(value=values * 10)
    with pytest.raises(ModuleError, match="0023") as caught:
        run(experiment(BINARY[0], "value"), {"input1": frame})
    assert named in str(caught.value)


def test_text_labels_come_back_as_text() -> None:
    """Scored Labels have the type and values of the label."""
    frame = rows().assign(value=lambda f: np.where(f["value"] > 0, "late", "early"))
    outputs: dict[str, Any] = run(experiment(BINARY[0], "value"), {"input1": frame})
    assert set(outputs["scored"]["Scored Labels"]) == {"late", "early"}
    assert outputs["evaluation"]["AUC"].iloc[0] > 0.9


def scored(actual: list[Any], probability: list[float]) -> Dataset:
    frame = pd.DataFrame(
        {
            "y": actual,
            "Scored Labels": [int(p >= 0.5) for p in probability],
            "Scored Probabilities": probability,
        }
    )
    return Dataset(frame, Scored("binary", "y", (0, 1), "test"))


def test_metrics_are_those_of_the_definitions() -> None:
    """Counts and ratios of a table small enough to check by hand."""
    metrics = one_row("Evaluate Model", scored([1, 1, 0, 0, 1], [0.9, 0.4, 0.6, 0.1, 0.8]))
    assert [metrics[n] for n in ("True Positive", "False Negative", "False Positive", "True Negative")] == [
        2,
        1,
        1,
        1,
    ]
    assert metrics["Accuracy"] == pytest.approx(3 / 5)
    assert metrics["Precision"] == metrics["Recall"] == metrics["F-Score"] == pytest.approx(2 / 3)
    assert metrics["AUC"] == pytest.approx(5 / 6)
    losses = [-math.log(p) for p in (0.9, 0.4, 0.4, 0.9, 0.8)]
    assert metrics["Average Log Loss"] == pytest.approx(sum(losses) / 5)
    assert metrics["Number of examples"] == 5


def test_undefined_metrics_are_nan() -> None:
    """With one class and no positive prediction AUC, precision, recall and F-score are NaN; the CSV says so."""
    evaluation = call("Evaluate Model", scored([0, 0], [0.1, 0.2]), port="Scored dataset")[
        "Evaluation results"
    ]
    row = evaluation.iloc[0]
    assert all(
        math.isnan(row[name]) for name in ("AUC", "Precision", "Recall", "F-Score", "Training Log Loss")
    )
    assert row["Accuracy"] == 1
    text = write_table(evaluation, ".csv").decode()
    assert text.count("\r\n") == 2
    assert ",NaN," in text


def one_row(module: str, data: Dataset) -> Any:
    return call(module, data, port="Scored dataset")["Evaluation results"].iloc[0]


def test_evaluating_what_was_not_scored_is_refused() -> None:
    """A dataset without scores, or without its label, has its own error."""
    with pytest.raises(ModuleFailure, match="0025"):
        call("Evaluate Model", TABLE, port="Scored dataset")
    with pytest.raises(ModuleFailure, match=r'0039.*"Scored Probabilities".*normalize'):
        call("Evaluate Model", scored([0, 1], [0.1, math.nan]), port="Scored dataset")
    unlabelled = scored([0, 1], [0.1, 0.2])
    with pytest.raises(ModuleFailure, match=r'0024.*"y"'):
        call(
            "Evaluate Model", unlabelled.with_frame(unlabelled.frame.drop(columns="y")), port="Scored dataset"
        )
