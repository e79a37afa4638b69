"""Dataset files: what is read, what is written."""

from __future__ import annotations

import contextlib
import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from graph import ModuleError, net_type, read_table, write_table
from graph.data.values import coerce

cells = st.text(st.characters(codec="utf-8", exclude_categories=("Cs", "Cc")), min_size=1, max_size=6)


def is_word(text: str) -> bool:
    """Text that no reader takes for a number, a flag or a missing value."""
    return "x" + text not in ("xNA",) and not text.isspace()


@given(
    words=st.lists(
        st.tuples(cells.filter(is_word), st.integers(-(2**31), 2**31 - 1), st.floats()), min_size=1
    ),
    extension=st.sampled_from([".csv", ".tsv", ".nh.csv", ".nh.tsv"]),
)
@settings(max_examples=150, deadline=None)
def test_what_is_written_is_read_back(words: list[tuple[str, int, float]], extension: str) -> None:
    """Text, integers and floating point numbers survive, with commas, quotes, NaN and Infinity."""
    frame = pd.DataFrame(
        {"text": ["x" + w[0] for w in words], "whole": [w[1] for w in words], "real": [w[2] for w in words]}
    )
    data = write_table(frame, extension)
    assert data.endswith(b"\r\n")
    again = read_table(data, extension)
    if extension.startswith(".nh"):
        assert list(again.columns) == ["Col1", "Col2", "Col3"]
        again.columns = frame.columns
    assert again["text"].tolist() == frame["text"].tolist()
    assert again["whole"].tolist() == frame["whole"].tolist()
    assert np.allclose(
        again["real"].to_numpy(float), frame["real"].to_numpy(float), rtol=1e-15, atol=0, equal_nan=True
    )


def test_wide_text_is_read() -> None:
    """UTF-16 with its mark is what spreadsheets write as Unicode text."""
    frame = read_table("a\tb\r\n1\té\r\n".encode("utf-16"), ".tsv")
    assert (frame["a"].tolist(), frame["b"].tolist()) == ([1], ["é"])


def test_a_missing_text_is_missing_in_a_request_as_in_a_file() -> None:
    """The same row has the same score, whichever way it comes."""
    asked = coerce(pd.DataFrame({"c": ["NA", "x"]}), {"c": "String"})
    filed = read_table(b"c\nNA\nx\n", ".csv")
    assert asked["c"].isna().tolist() == filed["c"].isna().tolist() == [True, False]


def test_missing_values_are_recognised() -> None:
    """Empty cells, NA and NaN are missing; Infinity is a number."""
    frame = read_table(b"a,b,c\r\n1,,NA\r\nNaN,x,Infinity\r\n", ".csv")
    assert math.isnan(frame["a"][1])
    assert frame["b"].isna().tolist() == [True, False]
    assert frame["c"][1] == math.inf
    assert [net_type(frame[name]) for name in frame] == ["Double", "String", "Double"]


@pytest.mark.parametrize(
    ("data", "extension", "code"),
    [
        (b"", ".csv", "0003"),
        (b" \n", ".csv", "0003"),
        (b"a,b\n1,2\n3,4,5\n", ".csv", "0049"),
        (b"a,b\n1,2\n3\n", ".csv", "0049"),
        (b"a,b\n1,10,20\n2,11,21\n", ".csv", "0049"),  # the names of rows, as R writes them
        (b"1,2\n3\n", ".nh.csv", "0049"),
        (b"\xef\xbb\xbf", ".csv", "0003"),
        (b"a,a\n1,2\n", ".csv", "0026"),
        (b"a\n\xff\xfe\n", ".csv", "0049"),
        (b'a\n"open\n', ".csv", "0049"),
        (b"a\n1\n", ".arff", "0049"),
    ],
)
def test_files_that_are_no_tables_are_refused(data: bytes, extension: str, code: str) -> None:
    """Empty, ragged, undecodable or repeated: one line, in the name of the input."""
    with pytest.raises(ModuleError) as caught:
        read_table(data, extension, "input1")
    assert (caught.value.module, caught.value.code) == ("input1", code)
    assert "\n" not in str(caught.value)


@given(data=st.binary(max_size=60))
@settings(max_examples=200, deadline=None)
def test_any_bytes_are_a_table_or_refused(data: bytes) -> None:
    """No file causes anything but a table or a ModuleError."""
    with contextlib.suppress(ModuleError):
        assert isinstance(read_table(data, ".csv"), pd.DataFrame)


def test_types_have_net_names() -> None:
    """Columns are named by .NET type; wide integers are Int64."""
    frame = pd.DataFrame(
        {"i": [1], "l": [2**40], "d": [0.5], "b": [True], "s": ["x"], "c": pd.Categorical([1])}
    )
    assert [net_type(frame[name]) for name in frame] == [
        "Int32",
        "Int64",
        "Double",
        "Boolean",
        "String",
        "Int32",
    ]
