"""The modules that sample, join, clean, count and read data, on small tables."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from graph.calculation.feature_scores import MEASURES
from graph.data.datasets import Dataset
from graph.errors import ModuleFailure
from graph.modules import find
from tests.graph.modules import call, refit, table

FRAME = pd.DataFrame(
    {
        "n": [1.0, np.nan, 3.0, 4.0, 5.0, 6.0],
        "i": [1, 2, 3, 4, 5, 6],
        "s": ["a", "b", None, "b", "c", "c"],
        "c": pd.Categorical(["u", "v", "u", None, "v", "u"]),
        "d": ["2015-10-08", "10/09/2015 14:30", None, "2016-02-29T23:59:59", "2017-01-01", "2018-12-31"],
        "y": [0, 1, 0, 1, 1, 1],
    }
)
TEXTS = pd.DataFrame(
    {
        "t": [
            "the good old book",
            "a good book",
            "bad food here",
            "bad bad book",
            None,
            "good food. Cold food!",
        ],
        "y": [1, 1, 0, 0, 0, 1],
    }
)


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


@pytest.mark.parametrize(
    ("category", "choice"),
    [
        (c, f)
        for c in ("Basic", "Rounding", "Special", "Trigonometric")
        for f in __import__("graph.calculation.arithmetic", fromlist=["x"]).CATEGORIES[c]
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


def test_functions_are_those_that_are_declared() -> None:
    """None is declared that is not there, and none is there that no one can ask for."""
    from graph.calculation.arithmetic import CATEGORIES

    module = find("Apply Math Operation")
    assert module is not None
    for category, name in (
        ("Basic", "Basic math function"),
        ("Rounding", "Rounding operation"),
        ("Special", "Special function"),
        ("Trigonometric", "Trigonometric function"),
    ):
        declared = module.parameter(name)
        assert declared is not None
        one, two = CATEGORIES[category]
        assert sorted(declared.allowed) == sorted([*one, *two])


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


def test_texts_become_features() -> None:
    """N-grams that enough texts have, with weights; the same for other rows by what was learnt."""
    given = {
        "Text_column": ["t"],
        "N__Grams_size": 2,
        "Minimum_n__gram_document_absolute_frequency": 2,
        "Use_filter__based_feature_selection": False,
        "Weighting_function": "TF-IDF Weight",
    }
    outputs = call("Extract N-Gram Features from Text", TEXTS, **given)
    found = outputs["Results dataset"].frame
    assert outputs["Result vocabulary"].frame["Ngram"].tolist() == ["bad", "book", "food", "good"]
    assert found.loc[3, "t.[bad]"] > found.loc[3, "t.[book]"] > 0
    assert (found[["t.[bad]", "t.[book]", "t.[food]", "t.[good]"]] ** 2).sum(axis=1)[0] == pytest.approx(1)
    assert "t" not in found.columns
    for at in range(6):
        assert refit(outputs, TEXTS.iloc[[at]]).to_numpy().tolist() == found.iloc[[at]].to_numpy().tolist()
    again = call(
        "Extract N-Gram Features from Text",
        TEXTS,
        outputs["Result vocabulary"],
        Vocabulary_mode="ReadOnly",
        **given,
    )
    assert again["Results dataset"].frame.equals(found)
    chosen = call(
        "Extract N-Gram Features from Text",
        TEXTS,
        **{**given, "Use_filter__based_feature_selection": True},
        Target_column=["y"],
        Number_of_desired_features=1,
        Feature_scoring_method="Chi Squared",
    )
    assert chosen["Result vocabulary"].frame["Ngram"].tolist() == ["good"]


def test_words_are_hashed() -> None:
    """Equal words have the same column, on each machine."""
    found = table("Feature Hashing", TEXTS, Target_columns=["t"], Hashing_bitsize=5)
    names = [name for name in found.columns if "Hashing" in name]
    assert len(names) == 32
    assert found[names].sum(axis=1).tolist()[4] == 0
    assert found[names].iloc[0].to_numpy().nonzero()[0].tolist() == HASHES
    with pytest.raises(ModuleFailure, match="0007"):
        table("Feature Hashing", TEXTS, Target_columns=["t"], Hashing_bitsize=31)


HASHES = [1, 2, 14, 17, 24, 28, 30]


def test_text_is_cleaned() -> None:
    """By what is asked for; stop words may be the team's."""
    frame = pd.DataFrame({"t": ["Don't MAIL me@x.org, see https://x.org/1 sooooo 42 times! The END", None]})
    found = table("Preprocess Text", frame, Text_column_to_clean=["t"])
    assert found["Preprocessed t"].tolist() == ["do not mail s times ||| end", ""]
    own = table("Preprocess Text", frame, pd.DataFrame({"w": ["mail"]}), Text_column_to_clean=["t"])
    assert "mail" not in own["Preprocessed t"][0].split()
    with pytest.raises(ModuleFailure, match="Lemmatization is not offered"):
        table("Preprocess Text", frame, Text_column_to_clean=["t"], Lemmatization=True)


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
