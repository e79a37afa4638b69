"""The modules that sample, split, join, mark and read rows, on small tables."""

from __future__ import annotations

import contextlib
from typing import Any

import numpy as np
import pandas as pd
import pytest

from graph.data.datasets import Dataset
from graph.data.frames import uncategorized
from graph.errors import ModuleFailure
from graph.modules import find, names
from graph.spec import REQUIRED
from tests.graph.modules import FRAME, call, refit, table


def test_a_sample_and_the_head_keep_the_order() -> None:
    """The same rows for the same seed, others for another."""
    wide = pd.DataFrame({"x": range(100), "g": ["a", "b"] * 50})
    given = {
        "Rate_of_sampling": 0.2,
        "Stratified_split_for_sampling": True,
        "Stratification_key_column_for_sampling": ["g"],
    }
    found = table("Partition and Sample", wide, **given)
    assert found["x"].is_monotonic_increasing
    assert found["g"].value_counts().to_dict() == {"a": 10, "b": 10}
    assert found.equals(table("Partition and Sample", wide, **given))
    assert not found.equals(table("Partition and Sample", wide, Random_seed_for_sampling=5, **given))
    head = table("Partition and Sample", wide, Partition_or_sample_mode="Head", Number_of_rows_to_select=3)
    assert head["x"].tolist() == [0, 1, 2]


@pytest.mark.parametrize(
    ("given", "sizes"),
    [
        ({"Specify_number_of_folds_to_split_evenly_into": 3}, [34, 33, 33]),
        ({"Randomized_split": False, "Stratified_split": True, "Stratification_key_column": ["g"]}, [20] * 5),
        (
            {
                "Specify_the_partitioner_method": "Partition with customized proportions",
                "List_of_proportions_separated_by_comma": ".2, .3",
            },
            [20, 30, 50],
        ),
        ({"Use_replacement_in_the_partitioning": True}, [20] * 5),
    ],
)
def test_folds_are_picked_one_by_one(given: dict[str, Any], sizes: list[int]) -> None:
    """They have these sizes; without replacement each row is in one, and the complement has all others."""
    wide = pd.DataFrame({"x": range(100), "g": ["a", "b"] * 50})
    assigned = call("Partition and Sample", wide, Partition_or_sample_mode="Assign to Folds", **given)[
        "oDataset"
    ]
    picked = [
        table(
            "Partition and Sample",
            assigned,
            Partition_or_sample_mode="Pick Fold",
            Specify_which_fold_to_be_sampled_from=n,
        )
        for n in range(1, len(sizes) + 1)
    ]
    assert [len(each) for each in picked] == sizes
    if "Use_replacement_in_the_partitioning" not in given:
        assert sorted(pd.concat(picked)["x"]) == list(range(100))
        rest = table(
            "Partition and Sample",
            assigned,
            Partition_or_sample_mode="Pick Fold",
            Pick_complement_of_the_selected_fold=True,
        )
        assert {*rest["x"]} == {*range(100)} - {*picked[0]["x"]}
    with pytest.raises(ModuleFailure, match="0018"):
        table("Partition and Sample", wide, Partition_or_sample_mode="Pick Fold")


@pytest.mark.parametrize(
    ("mode", "expression", "rows"),
    [
        ("Regular", r'\"s" ^[bc]', [2, 4, 5, 6]),
        ("Regular", r"(\2) b", [2, 4]),
        ("Relational", r'\"n" > 3', [4, 5, 6]),
        ("Relational", r'\"n" >= 3 & != 4 | == 1', [1, 3, 5, 6]),
        ("Relational", r"(\1)<=3", [1, 2, 3]),
        ("Relational", r'\"d" > 1/1/2016', [4, 5, 6]),
        ("Relational", r'\"d" < 2016-02-29', [1, 2]),
    ],
)
def test_rows_are_split_by_an_expression(mode: str, expression: str, rows: list[int]) -> None:
    """The first output has those for which it holds, the second all others."""
    kind = "Regular Expression" if mode == "Regular" else "Relative Expression"
    name = "Regular_expression" if mode == "Regular" else "Relational_expression"
    first, second = call("Split Data", FRAME, Splitting_mode=kind, **{name: expression}).values()
    assert first.frame["i"].tolist() == rows
    assert sorted([*rows, *second.frame["i"]]) == FRAME["i"].tolist()


@pytest.mark.parametrize(
    ("expression", "message"),
    [
        (r'\"n" > x', "0002"),
        (r"n > 3", "0002"),
        (r'\"n"', "0002"),
        (r'\"z" > 3', '0001.*"z"'),
        (r"(\9) > 3", "0001"),
        (r'\"s" > 3', "0017"),
        (r'\"s" > 2016-01-01', "0042"),
    ],
)
def test_an_expression_that_is_none_is_refused(expression: str, message: str) -> None:
    """Naming what is wrong with it."""
    with pytest.raises(ModuleFailure, match=message):
        call("Split Data", FRAME, Splitting_mode="Relative Expression", Relational_expression=expression)


RIGHT = pd.DataFrame({"k": ["B", "b", "x", None], "n": [10, 20, 30, 40]})


@pytest.mark.parametrize(
    ("how", "case", "rows"),
    [
        ("Inner Join", True, [2, 4]),
        ("Inner Join", False, [2, 2, 4, 4]),
        ("Left Outer Join", True, [1, 2, 3, 4, 5, 6]),
        ("Full Outer Join", True, [1, 2, 3, 4, 5, 6, None, None, None]),
        ("Left Semi-Join", True, [2, 4]),
    ],
)
def test_rows_are_joined(how: str, case: bool, rows: list[Any]) -> None:
    """A missing key meets none; a name that both have gets a number."""
    found = table(
        "Join Data",
        FRAME,
        RIGHT,
        Join_key_columns_for_L=["s"],
        Join_key_columns_for_R=["k"],
        Join_type=how,
        Match_case=case,
    )
    assert [None if i != i else i for i in found["i"].tolist()] == rows
    assert ("n (1)" in found.columns) == (how != "Left Semi-Join")


def test_columns_and_rows_are_added() -> None:
    """Side by side with another name, below each other with the union of levels; other shapes are refused."""
    both = table("Add Columns", FRAME[["i"]], FRAME[["i", "s"]])
    assert list(both.columns) == ["i", "i (1)", "s"]
    more = table("Add Rows", FRAME, FRAME[FRAME.columns[::-1]].iloc[:2].assign(c=pd.Categorical(["w", "u"])))
    assert len(more) == 8
    assert list(more["c"].cat.categories) == ["u", "v", "w"]
    for module, other, code in (
        ("Add Columns", FRAME[:2], "0010"),
        ("Add Rows", FRAME[["i"]], "0028"),
        ("Add Rows", FRAME.assign(i="x"), "0016"),
    ):
        with pytest.raises(ModuleFailure, match=code):
            table(module, FRAME, other)


@pytest.mark.parametrize("levels", [[1, 2], [True, False], [1.5, 2.5], ["a", "b"]])
def test_a_category_whose_levels_are_of_any_type_may_miss_values(levels: list[Any]) -> None:
    """In every module that takes a table as it is: a result or a clean refusal."""
    frame = FRAME.assign(k=pd.Categorical.from_codes([0, 1, -1, 0, 1, -1], levels))
    takes = [
        module
        for module in filter(None, map(find, names()))
        if module.inputs
        and not any("model" in port.name.casefold() or "ransformation" in port.name for port in module.inputs)
        and not any(one.default is REQUIRED for one in module.parameters)
    ]
    assert len(takes) > 10
    for module in takes:
        with contextlib.suppress(ModuleFailure):
            call(module.name, *[frame] * sum(not port.optional for port in module.inputs))
    assert table("Apply SQL Transformation", frame)["k"].isna().sum() == 2
    assert table("Add Rows", frame, frame.assign(k=uncategorized(frame["k"])))["k"].isna().sum() == 4


def test_duplicates_are_removed() -> None:
    """The first or the last of them stays."""
    for first, rows in ((True, [1, 2, 3, 5]), (False, [1, 3, 4, 6])):
        found = table(
            "Remove Duplicate Rows",
            FRAME,
            Key_column_selection_filter_expression=["s"],
            Retain_first_duplicate_row=first,
        )
        assert found["i"].tolist() == rows


def test_sql_runs_in_sqlites_dialect() -> None:
    """Several tables and statements; the last SELECT is the result."""
    script = "create table big as select s, count(*) as many from t1 group by s; -- a ; comment\nselect t2.n, many as k from big join t2 on s = t2.k"
    assert table("Apply SQL Transformation", FRAME, RIGHT, SQL_Query_Script=script).to_dict("list") == {
        "n": [20],
        "k": [2],
    }
    kept = table("Apply SQL Transformation", FRAME)
    assert kept["n"].isna().sum() == 1
    assert kept["i"].dtype.kind == "i"


@pytest.mark.parametrize(
    "script",
    [
        "attach database '/tmp/x.db' as x; select 1 as a",
        "pragma database_list",
        "select random() as a",
        "select load_extension('x') as a",
        "select current_timestamp as a",
        "select date('now') as a",
        "select readfile('/etc/passwd') as a",
        "vacuum into '/tmp/x.db'",
        "drop table t1",
        "select 1 as a, 2 as a",
        "select x'00' as a",
        "selec",
        "-- nothing",
    ],
)
def test_sql_that_leaves_the_data_or_is_none_is_refused(script: str) -> None:
    """Neither files nor chance; one line says why."""
    with pytest.raises(ModuleFailure) as caught:
        table("Apply SQL Transformation", FRAME, SQL_Query_Script=script)
    assert "\n" not in str(caught.value)


def test_sql_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    """A query without an end is stopped."""
    monkeypatch.setattr("graph.modules.manipulation.apply_sql_transformation._SECONDS", 0.05)
    script = "with recursive n(x) as (select 1 union all select x + 1 from n) select count(*) as k from n"
    with pytest.raises(ModuleFailure, match=r"more than 0.05 seconds"):
        table("Apply SQL Transformation", FRAME, SQL_Query_Script=script)


def test_columns_are_marked() -> None:
    """A label, and columns that are no features; the marks go with a new name."""
    marked = call("Edit Metadata", FRAME, Column=["y"], Fields="Label", New_column_names="late")[
        "Results dataset"
    ]
    marked = call("Edit Metadata", marked, Column=["i"], Fields="Clear feature")["Results dataset"]
    assert marked.marked("Label") == ["late"]
    assert marked.marked("Nothing") == ["i"]
    cleared = call("Edit Metadata", marked, Column=["late"], Fields="Clear label")["Results dataset"]
    assert cleared.marked("Label") == []


def test_texts_become_dates_and_dates_numbers() -> None:
    """ISO and .NET's invariant culture; missing stays missing, and what is no date is named."""
    found = table("Edit Metadata", FRAME, Column=["d"], Data_type="DateTime")
    assert found["d"].dt.year.tolist()[:2] == [2015, 2015]
    parts = table("Extract Date Parts", found, Date_columns=["d"], Parts="year, Hour, weekday")
    assert parts["d (Year)"].tolist()[3:] == [2016, 2017, 2018]
    assert parts["d (Hour)"].tolist()[1] == 14
    assert parts["d (Weekday)"].tolist()[0] == 4
    assert parts["d (Year)"].isna().tolist() == [False, False, True, False, False, False]
    assert "d" not in parts.columns
    with pytest.raises(ModuleFailure, match=r'0042.*"a" is no date'):
        table("Extract Date Parts", FRAME, Date_columns=["s"])


def test_synthetic_rows_lie_between_neighbours() -> None:
    """So many more of the rare class, none of the other; the same for the same seed."""
    random = np.random.default_rng(2)
    frame = pd.DataFrame({"a": random.normal(size=50), "b": random.integers(0, 9, 50), "s": ["p", "q"] * 25})
    frame["y"] = [1] * 8 + [0] * 42
    given = {"Label_column": ["y"], "SMOTE_percentage": 300, "Number_of_nearest_neighbors": 3}
    found = table("SMOTE", frame, **given)
    assert found["y"].value_counts().to_dict() == {0: 42, 1: 32}
    assert found.iloc[:50].equals(frame)
    assert found["a"][50:].between(frame["a"][:8].min(), frame["a"][:8].max()).all()
    assert found["b"].dtype.kind == "i"
    assert found.equals(table("SMOTE", frame, **given))
    with pytest.raises(ModuleFailure, match="0024"):
        table("SMOTE", frame)
    with pytest.raises(ModuleFailure, match="0021"):
        table("SMOTE", frame, **{**given, "Number_of_nearest_neighbors": 8})


def test_a_table_is_written_in_the_experiment() -> None:
    """With or without a header."""
    assert table("Enter Data Manually", Data="a,b\n1,x\n2,y").to_dict("list") == {
        "a": [1, 2],
        "b": ["x", "y"],
    }
    assert list(table("Enter Data Manually", Data="1\tx", HasHeader=False, DataFormat="TSV").columns) == [
        "Col1",
        "Col2",
    ]
    for data, code in (("a,a\n1,2", "0049"), ("", "0003"), ("a,b\n1", "0049")):
        with pytest.raises(ModuleFailure, match=code):
            table("Enter Data Manually", Data=data)


def test_a_selection_is_a_transformation_and_a_conversion_changes_nothing() -> None:
    """The same columns of another table."""
    outputs = call("Select Columns Transform", FRAME[["i", "s"]])
    assert list(refit(outputs, FRAME).columns) == ["i", "s"]
    assert table("Convert to CSV", Dataset(FRAME)) is FRAME
