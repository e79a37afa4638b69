"""Members that are the values of a column of one table."""

from __future__ import annotations

import csv
import io
import tracemalloc
from base64 import b64encode
from collections.abc import Callable, Iterator
from hashlib import md5
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from clients.errors import ConfigurationError, Conflict
from retrain_hooks.data.training_data import TrainingData
from retrain_hooks.fleet.members import column, slices
from retrain_hooks.fleet.members.column import Rows, as_line, split
from retrain_hooks.fleet.members.slices import write_slices
from tables import MISSING, TableError, read, stream
from tests.fleet.members import TABLE, Data, named

FLIGHTS = 'dest,delay\nLAX,1\n"SFO",2\nLAX,"3"\n,4\nNA,5\nBOS,6\n'
DEST = {"column": "dest"}


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Data:
    monkeypatch.chdir(tmp_path)
    found = Data()
    found.put("all/2013-01.csv", FLIGHTS)
    return found


def test_each_value_is_a_member_with_its_rows(data: Data) -> None:
    """Under the header, written in one way; rows without a value are nobody's, which is said."""
    found = data.find(DEST, TABLE)
    assert [(one.name, one.rows, one.problem) for one in found.members] == [
        ("BOS", 1, ""),
        ("LAX", 2, ""),
        ("SFO", 1, ""),
    ]
    assert found.notes == ("2 rows have no value of dest, and are no member's",)
    lax = found.members[1]
    text = b"dest,delay\nLAX,1\nLAX,3\n"
    assert lax.data is not None
    assert (lax.data.container, lax.data.version) == ("registry", "2013-01")
    assert lax.data.blobs == (f"slices/{md5(text).hexdigest()}.csv",)
    assert lax.etags == {}
    etags = data.write(*found.members)
    assert data.registry.blobs[lax.data.blobs[0]] == (text, etags["LAX"][lax.data.blobs[0]])
    assert data.verify(*found.members) == {}


def test_small_values_are_no_members(data: Data) -> None:
    """How many is said in one line."""
    found = data.find(DEST | {"minimumRows": 2}, TABLE)
    assert [one.name for one in found.members] == ["LAX"]
    assert found.notes[0] == "2 of 3 values of dest have fewer than 2 rows, and are no members: BOS, SFO"
    assert data.problems(named("LAX", "BOS", "JFK") | DEST | {"minimumRows": 2}, TABLE) == {
        "BOS": "it has 1 of the 2 rows that are asked for; lower minimumRows, or leave it out",
        "JFK": "no row has it in the column dest; there is: BOS, LAX, SFO",
    }


def test_an_unchanged_table_is_not_read_again(
    data: Data, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not in the checkout that has read it, and after an update in none."""
    first = data.find(DEST, TABLE)
    assert data.container.read_blobs == ["all/2013-01.csv"]
    assert data.find(DEST, TABLE) == first
    assert data.container.read_blobs == ["all/2013-01.csv"]
    data.write(*first.members)
    read = len(data.container.read_blobs)
    (tmp_path / "another").mkdir()
    monkeypatch.chdir(tmp_path / "another")
    data.container.asked.clear()
    assert data.find(DEST, TABLE) == first
    assert len(data.container.read_blobs) == read
    assert data.container.asked == ["stat all/2013-01.csv"]


def test_a_changed_table_changes_those_whose_rows_it_changes(data: Data) -> None:
    before = data.find(DEST, TABLE)
    data.put("all/2013-01.csv", FLIGHTS.replace(",1", ',"1"') + "JFK,7\nBOS,8\n")
    after = data.find(DEST, TABLE)
    digests = {one.name: one.data.digest for one in before.members if one.data}
    changed = [one.name for one in after.members if one.data and one.data.digest != digests.get(one.name)]
    assert changed == ["BOS", "JFK"]
    assert after.digest != before.digest


def test_the_same_rows_stored_anew_are_the_same_members(data: Data) -> None:
    before = data.find(DEST, TABLE)
    data.put("all/2013-01.csv", FLIGHTS.replace("\n", "\r\n"))
    assert data.find(DEST, TABLE).digest == before.digest


def test_several_tables_are_one(data: Data) -> None:
    """Parts and versions of a window, with the same columns, without markers."""
    data.put("all/2013-02.csv", "dest,delay\nLAX,9\n")
    data.put("parts/2013-01/_SUCCESS", "")
    data.put("parts/2013-01/1.csv", "dest,delay\nLAX,1\n")
    data.put("parts/2013-01/2.csv", "dest,delay\nLAX,2\n")
    assert [one.rows for one in data.find(DEST, TABLE, "2013-01..2013-02").members] == [1, 3, 1]
    assert [one.rows for one in data.find(DEST, "parts/{version}/").members] == [2]
    data.put("parts/2013-01/3.csv", "dest,late\nLAX,2\n")
    with pytest.raises(ConfigurationError, match=r"3.csv has other columns than parts/2013-01/1.csv"):
        data.find(DEST, "parts/{version}/")


def test_slices_are_written_once(data: Data) -> None:
    """Those of the members that are asked for, and a damaged one again; what is there is left."""
    bos, lax, _sfo = data.find(DEST, TABLE).members
    data.write(lax)
    assert [name for name in data.registry.writes if name.startswith("slices/")] == list(lax.data.blobs)
    data.registry.writes.clear()
    again = data.write(lax)
    assert data.registry.writes == []
    assert again == {"LAX": {lax.data.blobs[0]: data.registry.blobs[lax.data.blobs[0]][1]}}
    data.registry.put(lax.data.blobs[0], b"damaged")
    data.write(lax, bos)
    assert sorted(data.registry.writes) == sorted(lax.data.blobs + bos.data.blobs)
    assert data.verify(lax, bos) == {}


def test_of_two_who_write_a_slice_one_wins(data: Data) -> None:
    """And both have it."""
    [lax] = (one for one in data.find(DEST, TABLE).members if one.name == "LAX")
    data.registry.before_write = lambda: data.registry.put(lax.data.blobs[0], b"dest,delay\nLAX,1\nLAX,3\n")
    assert list(data.write(lax)["LAX"]) == list(lax.data.blobs)
    assert lax.data.blobs[0] not in data.registry.writes


def test_a_table_that_changes_after_the_preview_is_not_written(data: Data) -> None:
    found = data.find(DEST, TABLE)
    data.put("all/2013-01.csv", FLIGHTS + "LAX,10\n")
    with pytest.raises(Conflict):
        data.write(*found.members)
    assert data.registry.writes == []


def test_a_cache_that_is_damaged_is_not_believed(data: Data) -> None:
    before = data.find(DEST, TABLE)
    [kept] = slices.FOLDER.iterdir()
    for content in (b"", b"{}", b'{"slices": {"LAX": {"rows": 1, "md5": "x", "bytes": 3}}}', b"\xff"):
        kept.write_bytes(content)
        assert data.find(DEST, TABLE).digest == before.digest


def test_slices_do_not_fill_the_memory(data: Data, monkeypatch: pytest.MonkeyPatch) -> None:
    """A table is read in pieces, and its slices wait in a file."""
    monkeypatch.setattr(slices, "_HELD", 100_000)
    rows = 60_000
    text = "dest,delay\n" + "".join(f"d{at % 50},{at:060}\n" for at in range(rows))
    data.put("all/2013-01.csv", text)
    content = text.encode()
    monkeypatch.setattr(
        data.container,
        "chunks",
        lambda _name, _etag: (content[at : at + 50_000] for at in range(0, len(content), 50_000)),
    )
    monkeypatch.setattr(
        data.registry, "put", lambda name, content: data.registry.blobs.update({name: (b"", "etag")})
    )
    tracemalloc.start()
    try:
        found = data.find(DEST, TABLE)
        tracemalloc.reset_peak()
        present = tracemalloc.get_traced_memory()[0]
        data.write(*found.members)
        peak = tracemalloc.get_traced_memory()[1] - present
    finally:
        tracemalloc.stop()
    assert sum(one.rows or 0 for one in found.members) == rows
    assert peak < len(content) / 2


CELLS = st.text(st.sampled_from("ab ,;\"\n\r\t'é漢"), max_size=4)


@st.composite
def tables(draw: st.DrawFn) -> tuple[list[list[str]], bytes]:
    """Rows under a header of two columns, and a table that writes them in some way."""
    rows = draw(
        st.lists(st.tuples(st.sampled_from(["x", "y", "", "NA", "x y", 'q"', "l\n"]), CELLS), max_size=12)
    )
    text = io.StringIO(newline="")
    quoting = draw(st.sampled_from([csv.QUOTE_ALL, csv.QUOTE_MINIMAL]))
    writer = csv.writer(text, quoting=quoting, lineterminator=draw(st.sampled_from(["\n", "\r\n"])))
    if quoting == csv.QUOTE_MINIMAL and any("\r" in cell for row in rows for cell in row):
        writer = csv.writer(text, quoting=csv.QUOTE_ALL)
    writer.writerow(["k", "v"])
    writer.writerows(rows)
    encoding = draw(st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]))
    return [list(row) for row in rows], text.getvalue().encode(encoding)


def pieces(data: bytes, size: int) -> Iterator[bytes]:
    yield from (data[at : at + size] for at in range(0, len(data), size))


@given(tables(), st.integers(1, 9))
def test_slices_part_a_table(found: tuple[list[list[str]], bytes], size: int) -> None:
    """Each row with a value is in one slice, once, in the table's order; and the same rows are the same bytes."""
    rows, content = found
    written: dict[str, bytes] = {}
    source = Rows([("t.csv", pieces(content, size))], "k")
    sums = split(source, lambda value, text: written.update({value: written.get(value, b"") + text}))
    for value, one in sums.slices.items():
        text = source.header + written[value]
        assert (one.bytes, one.md5) == (len(text), b64encode(md5(text).digest()).decode())
        assert [cells for _line, cells in read(text, "slice.csv").rows()] == [
            row for row in rows if row[0] == value
        ]
        again = split(Rows([("slice.csv", pieces(text, size))], "k"))
        assert again.slices == {value: one}
    assert set(sums.slices) == {row[0] for row in rows} - set(MISSING)
    assert sums.without == sum(row[0] in MISSING for row in rows)


def outcome(of: Callable[[], Any]) -> Any:
    """What it answers, or what it is refused for."""
    try:
        return of()
    except TableError as error:
        return f"{error.cause}; {error.remedy}"


@example(b"a\r\n1\r\n2\r\n", 2, "t.csv")
@example(b"a\r1\r\n2,3\r", 1, "t.csv")
@given(
    st.binary(max_size=60) | st.text('ab,"\r\n \té\0').map(str.encode),
    st.integers(1, 9),
    st.sampled_from(["t.csv", "t.tsv", "t.nh.csv"]),
)
@settings(suppress_health_check=[HealthCheck.too_slow], max_examples=400)
def test_a_stream_reads_what_a_reader_of_the_whole_reads(content: bytes, size: int, name: str) -> None:
    """The same columns and rows with their lines; what the whole is refused for, the stream is refused for."""

    def whole() -> tuple[tuple[str, ...], list[tuple[int, list[str]]]]:
        table = read(content, name)
        return table.columns, list(table.rows())

    def streamed() -> tuple[tuple[str, ...], list[tuple[int, list[str]]]]:
        table = stream(pieces(content, size), name)
        return table.columns, list(table.rows)

    wanted, found = outcome(whole), outcome(streamed)
    if isinstance(wanted, str) and ("NUL" in wanted or "not text" in wanted):
        # Of a whole these are seen before all else.
        assert isinstance(found, str)
    else:
        assert found == wanted


def test_quotes_are_there_where_they_are_needed_only() -> None:
    assert as_line(["a b", "", "1"]) == b"a b,,1\n"
    assert as_line([""]) == b'""\n'
    assert as_line(['a"', "b,", "c\r", "d\n"]) == b'"a""","b,","c\r","d\n"\n'


@pytest.mark.heals("name the column of the table whose values are the members")
def test_a_column_that_the_table_does_not_have(data: Data, remedy) -> None:
    error = remedy.fails(lambda: data.find({"column": "dst"}, TABLE))
    assert error.cause == "all/2013-01.csv has no column 'dst'; it has: delay, dest"
    assert data.find(DEST, TABLE).members


@pytest.mark.heals("name a column with fewer values")
def test_a_column_of_too_many_values(data: Data, remedy, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(column, "MOST", 2)
    error = remedy.fails(lambda: data.find(DEST, TABLE))
    assert "more than 2 values" in error.cause
    data.put("all/2013-01.csv", FLIGHTS.replace("BOS", "LAX"))
    assert len(data.find(DEST, TABLE).members) == 2


@pytest.mark.heals("ask for fewer rows, or name another column")
def test_no_value_with_enough_rows(data: Data, remedy) -> None:
    remedy.fails(lambda: data.find(DEST | {"minimumRows": 9}, TABLE))
    assert data.find(DEST | {"minimumRows": 2}, TABLE).members


@pytest.mark.heals("leave {} out of the path, or the column")
def test_a_column_of_members_tables(data: Data, remedy) -> None:
    remedy.fails(lambda: data.find(DEST, "all/{member}/{version}.csv"))
    assert data.find(DEST, TABLE).members


@pytest.mark.parametrize("name", ["a/b", "x" * 201, "a\tb"])
def test_a_value_that_is_no_name_is_its_own_problem(data: Data, name: str) -> None:
    data.put("all/2013-01.csv", f"{FLIGHTS}{name},1\n")
    assert list(data.problems(DEST, TABLE)) == [name]


def test_a_table_that_is_malformed_names_its_line(data: Data) -> None:
    data.put("all/2013-01.csv", FLIGHTS + "LAX\n")
    with pytest.raises(ConfigurationError, match="line 8 has 1 value"):
        data.find(DEST, TABLE)


def test_a_slice_that_was_written_is_verified_without_reading_it(data: Data) -> None:
    """By the update that wrote it; another one reads it once."""
    found = data.find(DEST, TABLE).members
    context = data.context
    etags = write_slices(context, "local", found)
    assert data.verify(*found, context=context) == {}
    assert data.registry.read_blobs == []
    records = [name for name in data.registry.writes if name.startswith("hashes/")]
    for one in found:
        assert one.data is not None
        assert TrainingData(context, "local", one.data).snapshot()["etags"] == etags[one.name]
    assert [name for name in data.registry.writes if name.startswith("hashes/")] == records
    assert len(records) == 1


def test_slices_of_one_member_from_two_tables(data: Data) -> None:
    """What it is trained from, and what it is judged on."""
    data.put("all/2013-02.csv", "dest,delay\nLAX,9\n")
    both = [
        one
        for month in ("2013-01", "2013-02")
        for one in data.find(DEST, TABLE, month).members
        if one.name == "LAX"
    ]
    etags = data.write(*both)
    assert set(etags["LAX"]) == {one.data.blobs[0] for one in both if one.data}
