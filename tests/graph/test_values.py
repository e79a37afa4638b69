"""Values: what a number is, and that the same text is the same value in a file and in a request."""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from graph import ModuleError, Scorer, parse_experiment, read_table, run
from graph.data.values import guessed, typed
from graph.errors import ModuleFailure
from localcloud.facilities.errors import BadUserArgument
from localcloud.studio.request_response.wire import read_inputs
from tables import MISSING, OutOfRange, number, real

NUMBERS = [
    "0", "-0", "007", "+5", "1.", ".5", "1e3", "1.5E-3", "1028", "1028.5", "1028.0", " 7", "7\t", "2147483647",
    "2147483648", "-2147483648", "-2147483649", "99999999999", "9007199254740993", "9223372036854775807",
    "9223372036854775808", "18446744073709551616", "1" + "0" * 30, "1e300", "-1e300", "1e-400", "0.1",
    "0.30000000000000004", "1.7976931348623157e308", "Infinity", "-Infinity", "inf", "+INF", "5e-324",
]  # fmt: skip
BEYOND = ["1e309", "-1e400", "1" + "0" * 309, "1" + "0" * 5000, "1.8e308"]
NONE = [
    "1_000", "1_0_2_8", "0x1F", "0b1", "1,5", "1e", "e5", "1e+", "--1", "+ 1", "1 2", "-nan", "+NaN", "NAN", "nano",
    "infinit", "١٢", "１２", "\N{NO-BREAK SPACE}1", "1\N{EM SPACE}", "1d5", "5f", "1L", "½", "−1", "TRUE", "x", " ", ".", "%",
    "$1", "1%", "1e5.0", "2013-01-01", "1\0",
]  # fmt: skip
WORDS = ["true", "False", "TRUE", "tRuE", "AA", "01", "1", "1.0", "é", " ", *MISSING]

digits = st.builds(
    "".join,
    st.tuples(
        st.sampled_from(["", "-", "+"]),
        st.text("0123456789", min_size=0, max_size=20),
        st.sampled_from(["", ".", ".5", ".0", "e2", "E-5", "e308"]),
    ),
)
noise = st.text("0123456789.eE+-_ \txinfatrueNA\u0661", max_size=6)
cell = st.one_of(st.sampled_from([*NUMBERS, *BEYOND[:3], *NONE[:-1], *WORDS]), digits, noise)


@pytest.mark.parametrize("text", NUMBERS)
def test_what_is_a_number_is_the_nearest_double(text: str) -> None:
    """And an integer of digits alone is that integer, whatever its size."""
    assert real(text) == float(text)
    assert math.copysign(1, real(text)) == math.copysign(1, float(text))
    whole = text.strip().lstrip("+-").isdigit()
    assert (number(text), type(number(text))) == ((int(text), int) if whole else (float(text), float))


@pytest.mark.parametrize("text", NONE)
def test_what_python_or_pandas_would_guess_at_is_no_number(text: str) -> None:
    """Underscores, hex, digits of other scripts, commas, units."""
    with pytest.raises(ValueError, match="is not a number"):
        number(text)


@pytest.mark.parametrize("text", BEYOND)
def test_a_number_that_no_double_holds_is_not_infinite(text: str) -> None:
    """It is refused, in a column of numbers, too."""
    with pytest.raises(OutOfRange, match="beyond the range of Double"):
        real(text)
    with pytest.raises(ModuleError, match=r'0002: Failed to convert value ".*" in column "a"'):
        read_table(f"a,b\n1,2\n{text},3\n".encode(), ".csv")


@given(st.lists(cell, min_size=1, max_size=5))
@example(["1" + "0" * 30, "1"])
@example(["18446744073709551615", "2"])
@example(["", "9223372036854775808"])
@example(["", "9223372036854775808", "x"])
@example(["1", "", "9223372036854775808", "x", "NA"])
@example(["true", ""])
@example(["True", "FALSE"])
@example(["inf", "1"])
@example(["-0", "1.5"])
@example(["01", "x"])
@settings(max_examples=200, deadline=None)
def test_a_column_of_a_file_is_typed_as_its_texts_are(texts: list[str]) -> None:
    """pandas reads the file, and gives what the strict reading of each value gives, or the same refusal."""
    text = io.StringIO(newline="")
    csv.writer(text, quoting=csv.QUOTE_ALL).writerows([["a", "b"], *([value, "x"] for value in texts)])
    told: list[Any] = []
    for read in (
        lambda: read_table(text.getvalue().encode(), ".csv", "i")["a"].to_numpy(),
        lambda: guessed(pd.Series(texts, name="a", dtype=object)),
    ):
        try:
            found = read()
        except (ModuleError, ModuleFailure) as error:
            told.append(error.message)
        else:
            kind = found.dtype.kind if found.dtype.kind in "bif" else "text"
            told.append((kind, [None if value != value else value for value in found.tolist()]))
    assert told[0] == told[1]


@pytest.mark.parametrize(
    ("type_name", "good", "bad"),
    [
        ("Int32", ["1", "-0", "1028.0", "1e3", 1028, 1028.0, "2147483647"],
         ["1028.5", 1028.5, "99999999999", 99999999999, "1e300", 1e300, -1e300, 10**30, 10**400, "Infinity", math.inf,
          "1_0_2_8", "0x1F", "x", " ", True, "true", "١"]),
        ("Int64", ["9223372036854775807", -(2**63), "1e18"], ["9223372036854775808", 2**63, "1e19", "0.5", "-Infinity"]),
        ("Double", ["1e300", 10**30, "Infinity", 1, "-0.0"], ["1e400", 10**400, "1,5", "NAN", False]),
        ("Boolean", ["true", "FALSE", True, 1, "0", 0.0], ["2", 2, "yes", "on", 0.5]),
    ],
)  # fmt: skip
def test_a_value_is_of_its_columns_type_or_refused(type_name: str, good: list[Any], bad: list[Any]) -> None:
    """Whole and in range for integers; the refusal names value, column and type; null is missing in each."""
    found = typed(pd.Series(good, dtype=object), type_name)
    assert found.dtype.kind == {"I": "i", "D": "f", "B": "b"}[type_name[0]]
    assert [float(value) for value in found] == [
        {"true": 1.0, "false": 0.0}.get(str(value).lower()) if str(value).isalpha() and type_name == "Boolean"
        else float(value)
        for value in good
    ]  # fmt: skip
    for value in bad:
        with pytest.raises(ModuleFailure, match=f'in column "c" from "String" to "{type_name}"'):
            typed(pd.Series([value], name="c", dtype=object), type_name)
    for missing in (None, "", "NA", "NaN", math.nan):
        assert np.isnan(typed(pd.Series([good[0], missing], dtype=object), type_name)).tolist() == [
            False,
            True,
        ]


COLUMNS = ("whole", "long", "real", "flag", "level", "code")


@pytest.fixture(scope="module")
def scorer() -> tuple[Scorer, bytes]:
    """A regression on a column of each type, and its model."""
    nodes: dict[str, Any] = {
        "data": {"input": "input1"},
        "text": {"module": "Edit Metadata", "parameters": {"Column": ["code"], "Data type": "String"}},
        "levels": {
            "module": "Edit Metadata",
            "parameters": {"Column": ["level", "code"], "Categorical": "Make categorical"},
        },
    }
    edges = [{"from": "data", "to": "text.Dataset"}, {"from": "text", "to": "levels.Dataset"}]
    training = parse_experiment(
        {
            "name": "t",
            "nodes": nodes
            | {
                "learner": {"module": "Linear Regression"},
                "train": {"module": "Train Model", "parameters": {"Label column": ["y"]}},
                "out": {"output": "output1"},
            },
            "edges": [
                *edges,
                {"from": "levels", "to": "train.Dataset"},
                {"from": "learner", "to": "train.Untrained model"},
                {"from": "train", "to": "out"},
            ],
        }
    )
    rows = "".join(
        f"{n},{2**40 + n},{n / 7},{n % 3 == 0},{'AB'[n % 2]},{'' if n == 5 else n % 4},{n * n % 11}\n"
        for n in range(40)
    )
    model = run(training, {"input1": read_table(f"{','.join(COLUMNS)},y\n{rows}".encode(), ".csv")})[
        "output1"
    ]
    assert isinstance(model, bytes)
    predictive = parse_experiment(
        {
            "name": "p",
            "nodes": nodes
            | {
                "model": {"trainedModel": "m"},
                "score": {"module": "Score Model"},
                "out": {"output": "output1"},
            },
            "edges": [
                *edges,
                {"from": "levels", "to": "score.Dataset"},
                {"from": "model", "to": "score.Trained model"},
                {"from": "score", "to": "out"},
            ],
        }
    )
    return Scorer(predictive, {"m": model}), model


GOOD: Mapping[str, str] = {
    "whole": "7",
    "long": "1099511627780",
    "real": "1.5",
    "flag": "True",
    "level": "A",
    "code": "2",
}


def by_request(scorer: Scorer, row: list[Any]) -> str:
    """The score of a row of a request, all digits, or the refusal."""
    body = json.loads(json.dumps({"Inputs": {"input1": {"ColumnNames": list(COLUMNS), "Values": [row]}}}))
    try:
        scored = scorer.score(read_inputs(body, ["input1"]))["output1"]
    except (ModuleError, BadUserArgument) as error:
        return str(error)
    return float(scored["Scored Labels"].tolist()[0]).hex()


def by_batch(scorer: tuple[Scorer, bytes], rows: list[list[str]]) -> list[str]:
    """The scores of rows of a file, or the one refusal."""
    text = io.StringIO(newline="")
    csv.writer(text).writerows([COLUMNS, *rows])
    try:
        frame = read_table(text.getvalue().encode(), ".csv", "input1", typed=False)
        scored = run(scorer[0].experiment, {"input1": frame}, resources={"m": scorer[1]})["output1"]
    except ModuleError as error:
        return [str(error)]
    assert isinstance(scored, pd.DataFrame)
    return [float(value).hex() for value in scored["Scored Labels"]]


@given(
    st.lists(st.fixed_dictionaries(dict.fromkeys(COLUMNS, cell | st.none())), min_size=1, max_size=3),
    st.lists(st.sampled_from(COLUMNS), max_size=2),
)
@settings(max_examples=100, deadline=None)
def test_a_row_has_one_score_by_batch_and_by_request(
    scorer: tuple[Scorer, bytes], drawn: list[dict[str, str | None]], strange: list[str]
) -> None:
    """To the last bit, or the same refusal, alone and among other rows."""
    rows = [[(each[name] if name in strange else GOOD[name]) or "" for name in COLUMNS] for each in drawn]
    asked = [by_request(scorer[0], [value or None for value in row]) for row in rows]
    assert [by_batch(scorer, [row])[0] for row in rows] == asked
    together = by_batch(scorer, rows)
    assert together == asked or together[0] in asked


@pytest.mark.parametrize(
    ("column", "value", "same"),
    [("whole", 1028, "1028"), ("real", 0.1, "0.1"), ("real", 10**30, "1e30"), ("flag", True, "true"), ("flag", 0, "FALSE"),
     ("code", 2, "2"), ("code", 2.0, "02"), ("whole", 1e300, "1e300"), ("whole", None, "NaN"), ("long", 2**70, str(2**70)),
     ("whole", True, "True"), ("code", "1.0", "1")],
)  # fmt: skip
def test_numbers_of_json_are_those_of_text(
    scorer: tuple[Scorer, bytes], column: str, value: Any, same: str
) -> None:
    """A request may write either."""
    one, other = (
        by_request(scorer[0], [(GOOD | {column: written})[name] for name in COLUMNS])
        for written in (value, same)
    )
    assert one.replace(f'"{value}"', f'"{same}"') == other


def test_a_column_that_no_model_asks_for_refuses_no_row(scorer: tuple[Scorer, bytes]) -> None:
    """An identifier may look like a number that there is not."""
    rows = {"id": ["12e999", "7"]} | {name: [GOOD[name]] * 2 for name in COLUMNS}
    scored = scorer[0].score({"input1": pd.DataFrame(rows, dtype=object)})["output1"]
    assert scored["id"].tolist() == ["12e999", "7"]


def test_levels_that_were_numbers_are_found_however_a_row_writes_them(scorer: tuple[Scorer, bytes]) -> None:
    """A value that was missing beside them made them no other levels; one that was never seen stays unknown."""
    scores = {code: by_request(scorer[0], [(GOOD | {"code": code})[name] for name in COLUMNS]) for code in
              ("2", "2.0", "02", "3", "9", "x")}  # fmt: skip
    assert scores["2"] == scores["2.0"] == scores["02"] != scores["3"]
    assert scores["9"] == scores["x"] != scores["3"]
