"""The one reader of tables: held against Python's csv and pandas, and strict where they guess."""

from __future__ import annotations

import csv
import io
import itertools
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from tables import RepeatedColumn, Table, TableError, Text, head, join, parts, read

TEXT = st.text(st.sampled_from('ab1 ,\t"\n\ré€x'), max_size=5)


def grids(cells: st.SearchStrategy[str] = TEXT) -> st.SearchStrategy[list[list[str]]]:
    """Rows of the same number of values, the first with names that differ."""
    return st.integers(1, 4).flatmap(
        lambda width: st.tuples(
            st.lists(cells.filter(str.strip), min_size=width, max_size=width, unique=True),
            st.lists(st.lists(cells, min_size=width, max_size=width), max_size=5),
        ).map(lambda parts: [parts[0], *parts[1]])
    )


def written(
    grid: list[list[str]], delimiter: str = ",", quoting: int = csv.QUOTE_ALL, end: str = "\r\n"
) -> str:
    text = io.StringIO(newline="")
    csv.writer(text, delimiter=delimiter, quoting=quoting, lineterminator=end).writerows(grid)
    return text.getvalue()


def cells(table: Table) -> list[list[str]]:
    return [row for _line, row in table.rows()]


@given(
    grids(),
    st.sampled_from([(",", "a.csv"), ("\t", "a.TSV"), (",", "a")]),
    st.sampled_from([csv.QUOTE_ALL, csv.QUOTE_MINIMAL]),
    st.sampled_from(["\n", "\r\n"]),
    st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]),
)
@settings(max_examples=300, deadline=None)
def test_a_table_is_read_as_it_was_written(
    grid: list[list[str]], dialect: tuple[str, str], quoting: int, end: str, encoding: str
) -> None:
    """Whatever its values hold, by name, encoding, quotes and line ends; pandas, as a second reader, agrees."""
    delimiter, name = dialect
    if end == "\n":
        assume(not any("\r" in cell for row in grid for cell in row))  # which csv then writes without quotes
    if len(grid[0]) == 1:
        quoting = csv.QUOTE_ALL  # a line with nothing but blanks is none
        assume(not any(row[0] and not row[0].strip(" \t") for row in grid))
    text = written(grid, delimiter, quoting, end)
    table = read(text.encode(encoding), name).check()
    assert [list(table.columns), *cells(table)] == grid
    frame = pd.read_csv(
        io.BytesIO(text.encode()), sep=delimiter, header=None, dtype=str, keep_default_na=False
    )
    assert frame.to_numpy().tolist() == grid


@given(
    grids(), st.data(), st.integers(-1, 2).filter(bool), st.sampled_from([csv.QUOTE_ALL, csv.QUOTE_MINIMAL])
)
@settings(max_examples=200, deadline=None)
def test_a_ragged_row_is_refused_wherever_it_is(
    grid: list[list[str]], data: st.DataObject, more: int, quoting: int
) -> None:
    """One value too many or too few, in front or behind: file, line, and both numbers are told."""
    width = len(grid[0])
    assume(len(grid) > 1 and width + more > 1)
    at = data.draw(st.integers(1, len(grid) - 1))
    grid[at] = ["0"] * more + grid[at] if more > 0 else grid[at][1:]
    text = written(grid, quoting=quoting)
    line = len(written(grid[:at], quoting=quoting).splitlines()) + 1
    table = read(text.encode(), "part.csv")
    wanted = rf"^part\.csv: line {line} has {width + more} values?, and the table has {width} columns?$"
    with pytest.raises(TableError, match=wanted):
        table.check()
    with pytest.raises(TableError, match=wanted):
        cells(table)


@given(st.text(st.sampled_from('a1,\t "\n\r'), max_size=30), st.sampled_from(["a.csv", "a.tsv"]))
@settings(max_examples=500, deadline=None)
def test_the_quick_check_refuses_what_reading_refuses(text: str, name: str) -> None:
    """With the same words, and nothing else."""
    told = []
    for use in (Text.check, cells):
        try:
            use(read(text.encode(), name))
            told.append("")
        except TableError as error:
            told.append(error.cause)
    assert told[0] == told[1]


@pytest.mark.parametrize(
    ("data", "cause"),
    [
        (b"a,b\n1,2\n\xe9,2\n", "t.csv: line 3 is not text in UTF-8"),
        (b"\xff\xfea\x00\n\x00\x00", "t.csv is not text in UTF-16"),
        ("a,b\n1,2\n".encode("utf-16-le"), "t.csv: line 1 holds a NUL character, which no text does"),
        (b"\x1f\x8b\x08\x00", "t.csv is compressed (gzip)"),
        (b'a,b\n1,2\n\n"x,2\n1,2\n', "t.csv: line 4 begins a value in quotes that does not end"),
        (b'a,b\n1,"x"y\n', "t.csv: line 2 has text after the quotes that end a value"),
        (b'\n"a,b', "t.csv: line 2 begins a value in quotes that does not end"),
        (b'"a\nb",c\n"x\ny",2\n1\n', "t.csv: line 5 has 1 value, and the table has 2 columns"),
    ],
)
def test_what_is_not_a_table_is_refused_with_its_line(data: bytes, cause: str) -> None:
    """The cause in one line, the remedy in another."""
    with pytest.raises(TableError) as caught:
        read(data, "t.csv").check()
    assert caught.value.cause == cause
    assert caught.value.remedy.endswith(".")


def test_two_columns_of_one_name_are_refused() -> None:
    """Nobody could say which is meant."""
    with pytest.raises(RepeatedColumn, match="line 2 names two columns 'a'"):
        read(b"\na,b,a\n", "t.csv")


def test_a_header_of_many_columns_is_read_at_once() -> None:
    """Its cost grows with the number of columns, not with its square."""
    names = [f"c{number}" for number in range(100_000)]
    assert read(",".join(names).encode(), "t.csv").columns == tuple(names)


@pytest.mark.parametrize("data", [b"", b"\n\n", b" \r\n", b"\xef\xbb\xbf", b"\xff\xfe"])
def test_a_file_in_which_nothing_is_written_has_no_columns(data: bytes) -> None:
    """It is empty, not wrong."""
    table = read(data, "t.csv").check()
    assert (table.columns, cells(table)) == ((), [])


def test_blank_lines_are_passed_over_and_lines_counted() -> None:
    """Before the header and between rows; missing values are None."""
    table = read(b"\n \na,b\n\n1,\n  \nNA,2", "t.csv")
    assert table.columns == ("a", "b")
    assert list(table.records()) == [(5, {"a": "1", "b": None}), (7, {"a": None, "b": "2"})]


def test_columns_without_a_name_or_a_header_are_numbered() -> None:
    """As R writes the names of rows, and as Studio names the columns of `.nh.csv`."""
    assert read(b'"",a\n"1",2\n', "t.csv").columns == ("Unnamed: 0", "a")
    bare = read(b"1,2\n3,4\n", "t.NH.csv")
    assert (bare.columns, cells(bare)) == (("Col1", "Col2"), [["1", "2"], ["3", "4"]])


@given(grids(), st.data())
@settings(max_examples=200, deadline=None)
def test_the_beginning_of_a_file_gives_its_first_rows(grid: list[list[str]], data: st.DataObject) -> None:
    """Wherever it is cut, in a character, a value in quotes or a line end: whole rows only."""
    assume(len(grid[0]) > 1)
    content = written(grid).encode()
    cut = data.draw(st.integers(len(written(grid[:1]).encode()), len(content)))
    table = head(content[:cut], "t.csv", whole=False)
    assert list(table.columns) == grid[0]
    found = cells(table)
    assert found == grid[1 : len(found) + 1]
    assert len(found) >= sum(len(written(grid[: at + 1]).encode()) <= cut for at in range(1, len(grid)))


@pytest.mark.parametrize("data", [b"a", b"a,b", b'"a\n', b'"a\nb",c', "\ufeffa,b".encode("utf-16-le")])
def test_a_head_in_which_the_columns_do_not_end_is_refused(data: bytes) -> None:
    """What they are called cannot be told; all of the same file may be a table."""
    with pytest.raises(TableError, match=f"no line that ends within its first {len(data)} bytes"):
        head(data, "t.csv", whole=False)


def test_a_head_is_held_to_the_form_of_a_table() -> None:
    """A row with a value too many is found there; the row that is cut off is not judged."""
    with pytest.raises(TableError, match="line 2 has 3 values"):
        head(b"a,b\n1,2,3\n4", "t.csv", whole=False)
    assert cells(head(b"a,b\n1,2\n4", "t.csv", whole=False)) == [["1", "2"]]


@pytest.mark.parametrize(
    ("name", "marker"),
    [
        ("2013/_SUCCESS", True),
        ("2013/_committed_7", True),
        ("2013/_started_7", True),
        ("2013/.part-0.csv.crc", True),
        (".csv", True),
        ("_2013/part-0.csv", False),
        ("part_0.csv", False),
    ],
)
def test_markers_are_told_by_their_names(name: str, marker: bool) -> None:
    """As those that read such sets tell them."""
    assert parts(["a.csv", name]) == (["a.csv"] if marker else ["a.csv", name])
    assert parts([name]) == [name]


@given(grids(), st.lists(st.integers(0, 5), max_size=3), st.data())
@settings(max_examples=200, deadline=None)
def test_joined_parts_are_one_table(grid: list[list[str]], cuts: list[int], data: st.DataObject) -> None:
    """Part by part: with or without a byte order mark, a last line end, quotes, tabs, or anything in it."""
    assume(len(grid[0]) > 1)
    edges = [1, *sorted(min(1 + cut, len(grid)) for cut in cuts), len(grid)]
    files = []
    for start, stop in itertools.pairwise(edges):
        delimiter, name = data.draw(st.sampled_from([(",", "a.csv"), ("\t", "a.tsv")]))
        quoting = data.draw(st.sampled_from([csv.QUOTE_ALL, csv.QUOTE_MINIMAL]))
        text = written([grid[0], *grid[start:stop]], delimiter, quoting)
        if data.draw(st.booleans()):
            text = text.removesuffix("\r\n")
        files.append((name, text.encode(data.draw(st.sampled_from(["utf-8", "utf-8-sig", "utf-16"])))))
        files.append(("empty.csv", b""))
    table = read(join(files), "joined.csv").check()
    assert [list(table.columns), *cells(table)] == grid


def test_parts_of_plain_csv_are_joined_as_they_are() -> None:
    """Byte for byte, so that what was joined before is joined so again."""
    assert join([("a.csv", b"x,y\r\n1,2"), ("b.csv", b"x,y\n3,4\n")]) == b"x,y\r\n1,2\n3,4\n"


def test_parts_without_a_header_are_joined_under_numbered_columns() -> None:
    """As each of them alone would be read."""
    assert join([("a.nh.csv", b"1,2\n"), ("b.nh.tsv", b"3\t4")]) == b"Col1,Col2\r\n1,2\n3,4\r\n"


@pytest.mark.parametrize(
    ("part", "cause"),
    [
        (b"b,a\n1,2\n", "b.csv has other columns than a.csv: b, a instead of a, b"),
        (b"a,b\n1\n", "b.csv: line 2 has 1 value, and the table has 2 columns"),
        (b"a,b\n1,2,3\n", "b.csv: line 2 has 3 values, and the table has 2 columns"),
    ],
)
def test_a_part_that_does_not_fit_is_refused_by_its_name(part: bytes, cause: str) -> None:
    """What is wrong in the set is found where it is."""
    with pytest.raises(TableError) as caught:
        join([("a.csv", b"a,b\n1,2\n"), ("b.csv", part)])
    assert caught.value.cause == cause


def test_reading_tables_needs_the_standard_library_alone() -> None:
    """It is on the ground floor: whoever deploys has it, and pays nothing for it."""
    script = "import sys, tables; print(sorted({'numpy', 'pandas', 'pyarrow', 'graph', 'clients'} & set(sys.modules)))"
    root = Path(__file__).parents[2]
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=root, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"
