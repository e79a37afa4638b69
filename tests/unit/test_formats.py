"""Files that are not plain text: gzip, ARFF and Parquet are read to the values that a file of text would have."""

from __future__ import annotations

import gzip
import io
import itertools
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tables import TableError, beginning, ending, form_of, head, join, joined_as, packed, read, reader, stream

ARFF = b"""% a comment
@RELATION 'a table'

@attribute 'the day' date "yyyy-MM-dd"
@attribute at DATE "dd.MM.yyyy 'um' HH:mm:ss"
@attribute kind {'red ''ish', blue, "white"}
@attribute x numeric
@attribute "a, b" string
@DATA
2024-02-29,'01.03.2024 um 14:05:06',blue,1.5,'it\\'s, {odd}'
% between
?,?,?,?,?
{2 blue, 0 ?, 1 ?, 4 'x y', 3 -2e3}
""".replace(b"'red ''ish'", b"'red \\'ish'")


def zipped(data: bytes) -> bytes:
    return gzip.compress(data, mtime=0)


def columnar(table: Any = None, **columns: Any) -> bytes:
    sink = io.BytesIO()
    pq.write_table(pa.table(columns) if table is None else table, sink)
    return sink.getvalue()


def cells(data: bytes, name: str) -> list[list[str]]:
    table = read(data, name).check()
    return [list(table.columns), *(row for _line, row in table.rows())]


def test_arff_is_read_with_its_types_quotes_and_sparse_rows() -> None:
    """Names and values in quotes, dates of a form of their own, `?` for missing, and rows that name their places."""
    table = read(ARFF, "t.arff")
    assert table.columns == ("the day", "at", "kind", "x", "a, b")
    assert table.types == {"the day": "DateTime", "at": "DateTime", "kind": "String", "a, b": "String"}
    assert list(table.rows()) == [
        (10, ["2024-02-29", "2024-03-01T14:05:06", "blue", "1.5", "it's, {odd}"]),
        (12, ["", "", "", "", ""]),
        (13, ["", "", "blue", "-2e3", "x y"]),
    ]


@pytest.mark.parametrize(
    ("row", "cause"),
    [
        (b"1", "line 5 has 1 value, and the table has 2 attributes"),
        (b"1,2,3", "line 5 has 3 values, and the table has 2 attributes"),
        (b"one,a", "line 5 has 'one' in 'x', which is numeric"),
        (b"1,c", "line 5 has 'c' in 'kind', which is none of its values: a, b"),
        (b"{7 1}", "line 5 is no sparse row of 2 attributes"),
        (b"{0 1, 0 2}", "line 5 is no sparse row of 2 attributes"),
        (b"{0 1", "line 5 is a sparse row that does not end in }"),
        (b"1,'a", 'line 5 cannot be read from "\'a" on'),
        (b"1,a,{5}", "line 5 cannot be read from '{5}' on"),
    ],
)
def test_a_row_that_arff_does_not_allow_is_refused_with_its_line(row: bytes, cause: str) -> None:
    """Before and after it there may be rows that are well."""
    start = b"@relation t\n@attribute x real\n@attribute kind {a, b}\n@data\n"
    with pytest.raises(TableError) as caught:
        read(start + row + b"\n1,a\n", "t.arff")
    assert caught.value.cause == f"t.arff: {cause}"


@pytest.mark.parametrize(
    ("line", "cause"),
    [
        ("@attribute tags relational", "declares 'tags' as 'relational'"),
        ("@attribute at date 'd MMM yyyy'", "has dates of the form 'd MMM yyyy', of which 'MMM' is not understood"),
        ("attribute x real", "is neither an attribute nor @data"),
    ],
)  # fmt: skip
def test_an_attribute_that_is_no_column_is_refused(line: str, cause: str) -> None:
    """By its name and line."""
    with pytest.raises(TableError) as caught:
        read(f"@relation t\n{line}\n@data\n".encode(), "t.arff")
    assert caught.value.cause == f"t.arff: line 2 {cause}"


def test_parquet_has_the_values_that_text_would_have() -> None:
    """Decimals by their digits, dates, moments in UTC, levels of dictionaries, missing ones empty."""
    data = columnar(
        whole=pa.array([1, None], pa.int8()),
        wide=pa.array([2**64 - 1, 0], pa.uint64()),
        small=pa.array([0.1, None], pa.float32()),
        exact=pa.array([Decimal("0.10"), Decimal("-12.345")], pa.decimal128(20, 4)),
        day=pa.array([date(2024, 2, 29), None]),
        at=pa.array([datetime(2024, 7, 1, 12, 30, 0, 250000)] * 2, pa.timestamp("ns", "Europe/Berlin")),
        level=pa.array(["a", "NA"]).dictionary_encode(),
        true=pa.array([True, False]),
        nothing=pa.nulls(2),
    )
    table = read(data, "t.parquet")
    assert list(table.rows()) == [
        (2, ["1", "1.8446744073709552e+19", "0.10000000149011612", "0.1", "2024-02-29", "2024-07-01T12:30:00.250000", "a", "True", ""]),
        (3, ["", "0.0", "", "-12.345", "", "2024-07-01T12:30:00.250000", "", "False", ""]),
    ]  # fmt: skip
    assert [table.types[name] for name in ("whole", "exact", "day", "at", "level", "true")] == [
        *("Int64", "Double", "DateTime", "DateTime", "String", "Boolean")
    ]


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        ([[1], []], "list<element: int64>"),
        ([{"a": 1}, None], "struct<a: int64>"),
        ([b"x", b"y"], "binary"),
        (pa.array([1, 2], pa.time32("s")), "time32[ms]"),
    ],
)
def test_a_parquet_column_of_another_type_is_refused_by_name(values: Any, kind: str) -> None:
    """A text could not hold it."""
    with pytest.raises(TableError, match=r"t\.parquet has the column 'odd' of the type") as caught:
        read(columnar(good=[1, 2], odd=values), "t.parquet")
    assert kind in caught.value.cause


@pytest.mark.parametrize(
    ("name", "data", "cause"),
    [
        ("t.csv", zipped(b"a\n1\n"), "is compressed (gzip)"),
        ("t.csv", columnar(a=[1]), "is a Parquet file"),
        ("t.csv", b"PK\x03\x04", "is a ZIP archive, as .xlsx files are"),
        ("t.csv", ARFF, "is ARFF"),
        ("t.arff", b"a,b\n1,2\n", "is not ARFF, as its name says"),
        ("t.arff", b"@relation t\n", "has no @data"),
        ("t.parquet", b"a,b\n1,2\n", "is not Parquet, as its name says"),
        ("t.parquet", b"", "is not Parquet, as its name says"),
        ("t.parquet", columnar(a=[1])[:-20], "is cut off: Parquet's end is not there"),
        ("t.csv.gz", b"a\n1\n", "is not compressed (gzip), as its name says"),
        ("t.csv.gz", b"", "is not compressed (gzip), as its name says"),
        ("t.csv.gz", zipped(b"a\n1\n")[:-9], "is cut off: gzip's end is not there"),
        ("t.csv.gz", zipped(columnar(a=[1])), "is a Parquet file"),
        ("t.arff.gz", zipped(b"a\n"), "is not ARFF, as its name says"),
    ],
)
def test_a_file_that_is_not_what_its_name_says_is_refused(name: str, data: bytes, cause: str) -> None:
    """In one line, however it is read."""
    for how in (read, lambda data, name: list(stream([data], name).rows)):
        with pytest.raises(TableError) as caught:
            how(data, name)
        assert caught.value.cause == f"{name} {cause}"
        assert "\n" not in caught.value.remedy


def test_parquet_that_is_broken_inside_is_refused() -> None:
    """Its ends are there, what is between is not."""
    data = bytearray(columnar(a=list(range(1000))))
    data[4:400] = b"\xff" * 396
    with pytest.raises(TableError, match="is broken: Parquet cannot be read from it"):
        read(bytes(data), "t.parquet")
    with pytest.raises(TableError, match="is broken: Parquet cannot be read from it"):
        read(b"PAR1" + b"\0" * 40 + b"PAR1", "t.parquet")


def test_what_gzip_makes_too_large_is_refused_before_it_is_held(monkeypatch: pytest.MonkeyPatch) -> None:
    """A hundred thousand bytes may be a hundred megabytes: no more is unpacked than the limit."""
    monkeypatch.setattr(packed, "MOST", 2**22)
    bomb = zipped(b"a\n" * 2**22)
    with pytest.raises(TableError, match=r"has more than 0\.00390625 GB when it is unpacked"):
        read(bomb, "t.csv.gz")
    assert len(bomb) < 2**16
    equal = columnar(x=pa.array([7]).take(pa.array([0] * 2**20)))
    assert len(equal) < 2**13
    with pytest.raises(TableError, match=r"has more than 0\.00390625 GB when it is unpacked"):
        read(equal, "t.parquet")
    monkeypatch.setattr(reader, "_PIECES", 1)
    beginning_of_it = head(bomb, "t.csv.gz", whole=True)
    assert (beginning_of_it.whole, beginning_of_it.size) == (False, 2**20)


@given(st.binary(max_size=3000), st.lists(st.integers(0, 3000), max_size=4), st.integers(1, 5))
@settings(max_examples=100, deadline=None)
def test_gzip_in_any_pieces_and_members_is_what_was_packed(data: bytes, cuts: list[int], size: int) -> None:
    """Members one after the other are one file, zeros behind them nothing."""
    edges = [0, *sorted(min(cut, len(data)) for cut in cuts), len(data)]
    members = b"".join(zipped(data[one:other]) for one, other in itertools.pairwise(edges)) + b"\0" * (
        size % 3
    )
    chunks = [members[at : at + size] for at in range(0, len(members), size)]
    assert b"".join(packed.unpacked(chunks, "t")) == data


@pytest.mark.parametrize(
    ("name", "found"),
    [("a.CSV", ".csv"), ("a.nh.csv.gz", ".nh.csv.gz"), ("a.csv.gz", ".csv.gz"), ("a.parquet", ".parquet"), ("a.gz", ""), ("a.xlsx", "")],
)  # fmt: skip
def test_the_longest_ending_says_how_a_file_is_read(name: str, found: str) -> None:
    """In letters of any case."""
    assert ending(name) == found
    assert form_of(name).packed == found.endswith(".gz")


def test_the_beginning_of_a_large_parquet_is_read_without_the_rest() -> None:
    """Its footer and some pages of each column, of ten million bytes less than one."""

    class Counted(io.BytesIO):
        count = 0

        def read(self, size: int | None = -1) -> bytes:
            found = super().read(size)
            self.count += len(found)
            return found

    values = [float(at) * 1.1 for at in range(600_000)]
    data = columnar(pa.table({"x": values, "y": values}))
    source = Counted(data)
    table = beginning(source, "t.parquet", 2**14)
    assert (table.columns, table.whole) == (("x", "y"), False)
    assert next(table.rows()) == (2, ["0.0", "0.0"])
    assert source.count < len(data) / 4
    assert beginning(io.BytesIO(columnar(x=[1])), "t.parquet", 2**14).whole


def test_the_beginning_of_a_packed_text_gives_its_first_rows() -> None:
    """Where it is cut, gzip has not ended."""
    rows = "".join(f"{at},{at * 7919 % 10007}\n" for at in range(9000)).encode()
    data = zipped(b"a,b\n" + rows)
    table = head(data[: len(data) // 2], "t.csv.gz", whole=False)
    found = [row for _line, row in table.rows()]
    assert table.columns == ("a", "b")
    assert 100 < len(found) < 9000
    assert found[:2] == [["0", "0"], ["1", "7919"]]


def test_parts_that_say_types_are_joined_as_parquet() -> None:
    """ARFF and Parquet alike; a column without a value in a part goes with any type."""
    arff = b"@relation t\n@attribute x numeric\n@attribute kind {a,b}\n@data\n1,a\n?,b\n"
    files = [
        ("a.parquet", columnar(x=[7], kind=["007"])),
        ("b.arff", arff),
        ("c.parquet", columnar(x=[3], kind=pa.nulls(1))),
    ]
    assert joined_as([name for name, _data in files]) == ".parquet"
    data = join(files)
    assert cells(data, "j.parquet") == [["x", "kind"], ["7", "007"], ["1", "a"], ["", "b"], ["3", ""]]
    assert read(data, "j.parquet").types == {"x": "Int64", "kind": "String"}


@pytest.mark.parametrize(
    ("part", "cause"),
    [
        (("b.parquet", columnar(x=["1"])), "b.parquet has String in the column 'x', and a.parquet has Int64"),
        (("b.parquet", columnar(x=[1.5])), "b.parquet has Double in the column 'x', and a.parquet has Int64"),
        (("b.parquet", columnar(y=[1])), "b.parquet has other columns than a.parquet: y instead of x"),
        (("b.csv", b"x\n1\n"), "b.csv is of another kind than a.parquet: one says the types of its columns, the other does not"),
    ],
)  # fmt: skip
def test_a_part_of_other_types_is_refused_by_its_name(part: tuple[str, bytes], cause: str) -> None:
    """One model is trained from all of them."""
    with pytest.raises(TableError) as caught:
        join([("a.parquet", columnar(x=[1])), part])
    assert caught.value.cause == cause
    if part[0] == "b.csv":
        with pytest.raises(TableError, match=r"a\.parquet is of another kind than b\.csv"):
            join([part, ("a.parquet", columnar(x=[1]))])


def test_packed_parts_are_joined_as_text() -> None:
    """Beside parts that are not packed."""
    files = [("a.csv.gz", zipped(b"x,y\n1,2\n")), ("b.tsv", b"x\ty\n3\t4\n")]
    assert joined_as([name for name, _data in files]) == ".csv"
    assert join(files) == b"x,y\n1,2\n3,4\r\n"


def test_streams_of_all_formats_have_the_rows_of_the_table(tmp_path: Path) -> None:
    """In pieces of a few bytes."""
    files = {
        "t.csv.gz": zipped(b"x,kind\n1,a\n2,b\n"),
        "t.arff": b"@relation t\n@attribute x real\n@attribute kind {a,b}\n@data\n1,a\n2,b\n",
        "t.parquet": columnar(x=[1, 2], kind=["a", "b"]),
    }
    for name, data in files.items():
        found = stream((data[at : at + 7] for at in range(0, len(data), 7)), name)
        assert found.columns == ("x", "kind")
        assert [row for _line, row in found.rows] == [["1", "a"], ["2", "b"]]
