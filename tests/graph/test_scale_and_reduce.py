"""Normalize Data, Group Data into Bins, Clip Values, Principal Component Analysis: fitted once, applied to any row."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.decomposition import PCA
from sklearn.preprocessing import MinMaxScaler, StandardScaler

from graph.errors import ModuleFailure
from tests.graph.modules import call, refit, table

RNG = np.random.default_rng(1)
FRAME = pd.DataFrame(
    {
        "a": RNG.normal(10, 4, 60),
        "b": RNG.integers(0, 50, 60),
        "c": np.where(RNG.random(60) < 0.2, np.nan, RNG.lognormal(1, 1, 60)),
        "one": 7,
        "text": "x",
    }
)
FITS: list[tuple[str, dict[str, Any]]] = [
    *(
        ("Normalize Data", {"Transformation_method": m})
        for m in ("ZScore", "MinMax", "Logistic", "LogNormal", "TanH")
    ),
    ("Normalize Data", {"Use_0_for_constant_columns_when_checked": False}),
    *(
        ("Group Data into Bins", {"Quantile_normalization": n})
        for n in ("Percent", "PQuantile", "QuantileIndex")
    ),
    *(("Group Data into Bins", {"Output_mode": m}) for m in ("Append", "Inplace", "ResultOnly")),
    ("Group Data into Bins", {"Binning_mode": "Equal Width", "Tag_columns_as_categorical": False}),
    (
        "Group Data into Bins",
        {"Binning_mode": "Custom Edges", "Comma__separated_list_of_bin_edges": "1, 2.5,9"},
    ),
    (
        "Group Data into Bins",
        {"Binning_mode": "Equal Width with Custom Start and Stop", "Bin_width": 2, "Last_edge_position": 9},
    ),
    ("Clip Values", {"Constant_value_of_upper_threshold": 9}),
    (
        "Clip Values",
        {
            "Set_of_thresholds": "ClipSubPeaks",
            "Lower_threshold": "Percentile",
            "Lower_substitute_value": "Mean",
        },
    ),
    (
        "Clip Values",
        {
            "Set_of_thresholds": "ClipPeaksAndSubPeaks",
            "Threshold": "Percentile",
            "Percentile_number_for_upper_threshold": 80,
            "Substitute_value_for_peaks": "Missing",
            "Substitute_value_for_subpeaks": "Median",
            "Overwrite_flag": False,
            "Add_indicator_columns": True,
        },
    ),
    (
        "Principal Component Analysis",
        {"Selected_columns": ["a", "b", "one"], "Number_of_dimensions_to_reduce_to": 2},
    ),
    (
        "Principal Component Analysis",
        {
            "Selected_columns": ["a", "b"],
            "Number_of_dimensions_to_reduce_to": 1,
            "Normalize_dense_dataset_to_zero_mean": False,
        },
    ),
]


@pytest.mark.parametrize(("module", "given"), FITS, ids=str)
def test_a_row_alone_becomes_what_it_becomes_in_the_table(module: str, given: dict[str, Any]) -> None:
    """Each row through what was learnt, read back from JSON, to the last bit; and twice the same."""
    outputs = call(module, FRAME, **given)
    whole = next(iter(outputs.values())).frame
    pd.testing.assert_frame_equal(refit(outputs, FRAME), whole, check_exact=True)
    for at in range(0, 60, 7):
        alone = refit(outputs, FRAME.iloc[[at]])
        for name in whole.columns:
            one, other = alone[name].tolist()[0], whole[name].tolist()[at]
            assert one == other or (one != one and other != other), name
    again = call(module, FRAME, **given)
    assert next(iter(again.values())).frame.equals(whole)


def test_scaling_is_scikit_learns() -> None:
    """To 1e-9, with the deviation of the population."""
    given = {"Columns_to_transform": ["a", "b"]}
    for method, scaler in (("ZScore", StandardScaler()), ("MinMax", MinMaxScaler())):
        found = table("Normalize Data", FRAME, Transformation_method=method, **given)[["a", "b"]]
        np.testing.assert_allclose(found, scaler.fit_transform(FRAME[["a", "b"]]), rtol=1e-9, atol=1e-12)


def test_components_are_scikit_learns() -> None:
    """To 1e-9, in the place of the columns that they are made of."""
    found = table(
        "Principal Component Analysis",
        FRAME,
        Selected_columns=["a", "b"],
        Number_of_dimensions_to_reduce_to=2,
    )
    assert list(found.columns) == ["c", "one", "text", "Col1", "Col2"]
    expected = PCA(2, svd_solver="full").fit_transform(FRAME[["a", "b"]])
    np.testing.assert_allclose(found[["Col1", "Col2"]], expected, rtol=1e-9, atol=1e-9)


def test_bins_are_numbered_from_1_and_an_edge_belongs_to_the_lower() -> None:
    """As Studio's page has it: with the edges 1, 2 and 3 the value 1.5 is in bin 2, 0.5 in 1 and 3.5 in 4."""
    frame = pd.DataFrame({"x": [1.5, 0.5, 3.5, 1.0, np.nan]})
    found = table(
        "Group Data into Bins", frame, Binning_mode="Custom Edges", Comma__separated_list_of_bin_edges="1,2,3"
    )
    assert found["xquantized"].tolist()[:4] == [2, 1, 4, 1]
    assert found["xquantized"].isna().tolist() == [False] * 4 + [True]


def test_quantiles_are_normalised_as_on_studios_page() -> None:
    """With ten bins the fourth is 4, 0.363636 or 36.3636."""
    frame = pd.DataFrame({"x": range(1, 101)})
    for how, expected in (("QuantileIndex", 4), ("PQuantile", 4 / 11), ("Percent", 400 / 11)):
        found = table("Group Data into Bins", frame, Quantile_normalization=how, Output_mode="Inplace")
        assert float(found["x"].tolist()[34]) == pytest.approx(expected)


def test_values_are_clipped() -> None:
    """What is equal to a threshold stays; indicators say which values changed."""
    frame = pd.DataFrame({"x": [-5.0, 1.0, 2.0, 3.0, 99.0]})
    found = table(
        "Clip Values",
        frame,
        Set_of_thresholds="ClipPeaksAndSubPeaks",
        Constant_value_for_upper_threshold=3,
        Constant_value_for_lower_threshold=1,
        Substitute_value_for_peaks="Missing",
        Add_indicator_columns=True,
    )
    assert found["x"].tolist()[:4] == [1, 1, 2, 3]
    assert found["x"].isna().sum() == 1
    assert found["x_clipped_indicator"].tolist() == [True, False, False, False, True]


@pytest.mark.parametrize(
    ("module", "given", "message"),
    [
        ("Normalize Data", {"Columns_to_transform": ["text"]}, '0017.*"text"'),
        ("Normalize Data", {"Columns_to_transform": ["z"]}, '0001.*"z"'),
        (
            "Group Data into Bins",
            {"Binning_mode": "Custom Edges", "Comma__separated_list_of_bin_edges": "2,1"},
            "0008",
        ),
        (
            "Group Data into Bins",
            {"Binning_mode": "Custom Edges", "Comma__separated_list_of_bin_edges": "a"},
            "0002",
        ),
        (
            "Group Data into Bins",
            {"Binning_mode": "Equal Width with Custom Start and Stop", "Bin_width": 1e-9},
            "0008",
        ),
        (
            "Clip Values",
            {"Set_of_thresholds": "ClipPeaksAndSubPeaks", "Constant_value_for_lower_threshold": 2},
            "0008.*above the upper",
        ),
        (
            "Principal Component Analysis",
            {"Selected_columns": ["a", "c"], "Number_of_dimensions_to_reduce_to": 1},
            '0018.*"c" has missing',
        ),
        (
            "Principal Component Analysis",
            {"Selected_columns": ["a", "b"], "Number_of_dimensions_to_reduce_to": 3},
            "0007",
        ),
    ],
)
def test_what_cannot_be_done_is_refused(module: str, given: dict[str, Any], message: str) -> None:
    """With Studio's number and the column's name."""
    with pytest.raises(ModuleFailure, match=message):
        call(module, FRAME, **given)


def test_a_name_that_is_taken_by_a_component_is_refused() -> None:
    """No column is lost."""
    with pytest.raises(ModuleFailure, match=r'0026.*"Col1"'):
        table(
            "Principal Component Analysis",
            FRAME.rename(columns={"one": "Col1"}),
            Selected_columns=["a", "b"],
            Number_of_dimensions_to_reduce_to=1,
        )


@pytest.mark.parametrize(("module", "given"), FITS, ids=str)
def test_one_row_is_enough_or_refused(module: str, given: dict[str, Any]) -> None:
    """No warning, no infinite value."""
    if given.get("Number_of_dimensions_to_reduce_to") == 2:
        with pytest.raises(ModuleFailure, match="0007"):
            table(module, FRAME.iloc[[3]], **given)
        return
    found = table(module, FRAME.iloc[[3]], **given)
    numbers = found.select_dtypes("number").to_numpy(dtype=float)
    assert not np.isinf(numbers).any()


def test_thousands_of_columns_are_normalised() -> None:
    """5,000 in well under the time that one each would take, without a warning."""
    wide = pd.DataFrame(RNG.random((5, 5000)), columns=[f"c{at}" for at in range(5000)])
    found = table("Normalize Data", wide)
    np.testing.assert_allclose(found.mean(), 0, atol=1e-9)
