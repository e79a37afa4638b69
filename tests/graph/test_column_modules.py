"""The modules that calculate with columns, count, select, complete and convert them, on small tables."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from graph.calculation.arithmetic import CATEGORIES
from graph.calculation.feature_scores import MEASURES
from graph.errors import ModuleFailure
from tests.graph.modules import FRAME, call, refit, table


@pytest.mark.parametrize(
    ("category", "choice"),
    [
        (c, f)
        for c in ("Basic", "Rounding", "Special", "Trigonometric")
        for f in (*CATEGORIES[c][0], *CATEGORIES[c][1])
    ],
)
def test_every_function_calculates_and_leaves_missing_values_missing(category: str, choice: str) -> None:
    """On numbers up to 1 and beyond; a row alone has the value that it has in the table."""
    name = {
        "Basic": "Basic_math_function",
        "Rounding": "Rounding_operation",
        "Special": "Special_function",
    }.get(category, "Trigonometric_function")
    frame = pd.DataFrame({"x": [0.3, np.nan, 2.0, -1.5, 7.0]})
    given = {
        "Category": category,
        name: choice,
        "Column_set": ["x"],
        "Output_mode": "ResultOnly",
        "Constant_precision": 2,
    }
    found = table("Apply Math Operation", frame, **given).iloc[:, 0]
    assert found.isna()[1]
    assert found.notna().any()
    for at in (0, 2, 3, 4):
        alone = table("Apply Math Operation", frame.iloc[[at]], **given).iloc[0, 0]
        assert alone == found[at] or (alone != alone and found[at] != found[at])


def test_two_columns_are_calculated_with() -> None:
    """The result is called as Studio calls it."""
    found = table(
        "Apply Math Operation",
        FRAME,
        Category="Operations",
        Operation="Divide",
        Column_set=["i"],
        Operation_argument_type="ColumnSet",
        Operation_argument=["n"],
    )
    assert found["Divide(i_n)"].tolist()[2:] == [1.0] * 4
    with pytest.raises(ModuleFailure, match="0003"):
        table(
            "Apply Math Operation",
            FRAME,
            Category="Basic",
            Basic_math_function="Pow",
            Column_set=["i"],
            Second_argument_type="ColumnSet",
        )


def test_statistics_are_those_of_the_columns() -> None:
    """Counts for all, moments for numbers."""
    found = table("Summarize Data", FRAME).set_index("Feature")
    assert found.loc["n", "Missing Value Count"] == 1
    assert found.loc["i", "Mean"] == 3.5
    assert found.loc["i", "Sample Standard Deviation"] == pytest.approx(FRAME["i"].std())
    assert np.isnan(found.loc["s", "Mean"])
    correlation = table("Compute Linear Correlation", FRAME[["i", "y", "s", "n"]])
    assert correlation.iloc[0, 1] == pytest.approx(np.corrcoef(FRAME["i"], FRAME["y"])[0, 1], rel=1e-9)
    assert correlation.iloc[0, 0] == 1
    assert correlation["s"].isna().all()


@pytest.mark.parametrize("measure", MEASURES)
def test_the_column_that_says_most_is_kept(measure: str) -> None:
    """A copy of the target before noise and a constant; the transformation selects the same elsewhere."""
    random = np.random.default_rng(4)
    frame = pd.DataFrame({"noise": random.normal(size=80), "same": 1, "y": random.integers(0, 2, 80)})
    frame["copy"] = frame["y"] * 2.0 + 1
    outputs = call(
        "Filter Based Feature Selection", frame, Feature_scoring_method=measure, Target_column=["y"]
    )
    kept = list(outputs["Filtered dataset"].frame.columns)
    if measure == "Count Based":
        assert kept == ["noise", "same", "copy", "y"]
    else:
        assert kept == ["copy", "y"]
        scores = outputs["Features"].frame.set_index("Feature")["Score"]
        assert scores["same"] == 0
        assert scores["copy"] >= scores["noise"]
    assert list(refit(outputs, frame.drop(columns=["y"])).columns) == [n for n in kept if n != "y"]


def test_levels_become_columns_of_0_and_1() -> None:
    """With one for the missing value; a level that is new later is none of them."""
    outputs = call(
        "Convert to Indicator Values",
        FRAME,
        Categorical_columns_to_convert=["c"],
        Overwrite_categorical_columns=True,
    )
    found = outputs["Results dataset"].frame
    assert found["c-u"].tolist() == [1, 0, 1, 0, 0, 1]
    assert found["c-Missing"].tolist() == [0, 0, 0, 1, 0, 0]
    assert "c" not in found.columns
    later = refit(outputs, FRAME.iloc[:1].assign(c="new"))
    assert later[["c-u", "c-v", "c-Missing"]].to_numpy().tolist() == [[0, 0, 0]]
    with pytest.raises(ModuleFailure, match=r'0056.*"s"'):
        table("Convert to Indicator Values", FRAME, Categorical_columns_to_convert=["s"])


@pytest.mark.parametrize("mode", ["Replace using MICE", "Replace using Probabilistic PCA"])
def test_missing_numbers_are_predicted_from_the_other_columns(mode: str) -> None:
    """Better than by the mean, and for a row alone as in the table."""
    random = np.random.default_rng(5)
    full = pd.DataFrame({"a": random.normal(size=200)})
    full["b"], full["c"] = (
        2 * full["a"] + random.normal(size=200) / 9,
        full["a"] - random.normal(size=200) / 9,
    )
    holes = full.mask(random.random(full.shape) < 0.1)
    outputs = call("Clean Missing Data", holes, Cleaning_mode=mode)
    found = outputs["Cleaned dataset"].frame
    gone = holes.isna()
    assert not found.isna().any().any()
    assert (found - full)[gone].abs().max().max() < 2
    assert ((found - full)[gone] ** 2).sum().sum() < 0.2 * (
        (holes.fillna(holes.mean()) - full)[gone] ** 2
    ).sum().sum()
    for at in np.flatnonzero(gone.any(axis=1))[:5]:
        assert refit(outputs, holes.iloc[[at]]).to_numpy().tolist() == found.iloc[[at]].to_numpy().tolist()


def test_columns_without_a_value_are_removed_or_kept_and_indicators_made() -> None:
    """As the parameters say."""
    frame = FRAME[["n", "i"]].assign(gone=np.nan)
    given = {"Cleaning_mode": "Replace with mean", "Generate_missing_value_indicator_column": True}
    outputs = call("Clean Missing Data", frame, **given)
    assert list(outputs["Cleaned dataset"].frame.columns) == ["n", "i", "n_IsMissing", "gone_IsMissing"]
    assert refit(outputs, frame).equals(outputs["Cleaned dataset"].frame)
    kept = table("Clean Missing Data", frame, Cols_with_all_missing_values="Propagate", **given)
    assert kept["gone"].isna().all()
