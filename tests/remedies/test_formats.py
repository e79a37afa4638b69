"""Tables in files of other formats than text: what is written or named as the remedy says is read."""

from __future__ import annotations

import gzip
import io
from collections.abc import Callable
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from clients.clock import SystemClock
from clients.storage import beginning
from graph.needs import Needs
from retrain_hooks.data.heads import Heads
from retrain_hooks.host.memory import Memory
from tables import join, packed, read
from tests.healing import Told, case
from tests.unit.fakes import MemoryContainer


def parquet(**columns: Any) -> bytes:
    sink = io.BytesIO()
    pq.write_table(pa.table(columns), sink)
    return sink.getvalue()


def arff(row: str = "1,a", *, date: str = "yyyy-MM-dd", kind: str = "{a,b}") -> tuple[str, bytes]:
    start = f"@relation t\n@attribute x numeric\n@attribute kind {kind}\n"
    return "t.arff", f"{start}@attribute at date '{date}'\n@data\n{row}\n".encode()


def table(named: tuple[str, bytes]) -> None:
    read(named[1], named[0]).check()


def parts(second: tuple[str, bytes]) -> None:
    join([("1.parquet", parquet(x=[1])), second])


def heads(second: bytes) -> None:
    data = MemoryContainer("data")
    data.put("1.parquet", parquet(x=[1]))
    data.put("2.parquet", second)
    Heads(data, Memory(SystemClock()), ["1.parquet", "2.parquet"]).hold(Needs({}), "the experiment")  # type: ignore[arg-type]


def blob(name: str) -> None:
    data = MemoryContainer("data")
    data.put("1.parquet", parquet(x=[1]))
    beginning(data, name, 9)  # type: ignore[arg-type]


PACKED = gzip.compress(b"a\n1\n")


@pytest.mark.parametrize(
    ("act", "wrong", "right"),
    [
        case("Name a file for what it is: {}.", table, ("t.csv", PACKED), ("t.csv.gz", PACKED)),
        case("Name it without .gz.", table, ("t.csv.gz", b"a\n1\n"), ("t.csv", b"a\n1\n")),
        case("Pack the table again, and upload all of it.", table, ("t.csv.gz", PACKED[:-5]), ("t.csv.gz", PACKED)),
        case("Leave out columns or rows that no model needs.", table, ("t.csv.gz", gzip.compress(b"a\n" * 2**21)), ("t.csv.gz", gzip.compress(b"a\n" * 2**19))),
        case("Write such columns as numbers, text, truth values or dates, or leave them out.", table, ("t.parquet", parquet(a=[[1]])), ("t.parquet", parquet(a=["1"]))),
        case("Write the file again, and upload all of it.", table, ("t.parquet", parquet(a=[1])[:-3]), ("t.parquet", parquet(a=[1]))),
        case("Write all parts of a data version in one format.", parts, ("2.csv", b"x\n1\n"), ("2.parquet", parquet(x=[1]))),
        case("Write all parts of a data version with the same types.", parts, ("2.parquet", parquet(x=["1"])), ("2.parquet", parquet(x=[2])), at="tables/joining.py"),
        case("write all parts of a data version with the same types", heads, parquet(x=["1"]), parquet(x=[2])),
        case("name one that is there", blob, "2.parquet", "1.parquet", at="clients/storage/beginnings.py"),
        case("Correct the value, or the attribute's declaration.", table, arff("1,c,?"), arff("1,c,?", kind="{a,b,c}")),
        case("Declare it as numeric, string, date or by its values in braces; other types are no column of a table.", table, arff("1,?,?", kind="relational"), arff("1,a,?", kind="string")),
        case("Quote values that hold ' \" , { } or %.", table, arff("1,5%,?", kind="string"), arff("1,'5%',?", kind="string")),
        case("Write a value for each attribute in each row; a missing one is ?.", table, arff("1,a"), arff("1,a,?")),
        case("Write dates with {}, such as yyyy-MM-dd HH:mm:ss.", table, arff("1,a,?", date="d MMM"), arff("1,a,?", date="dd/MM/yyyy")),
        case("Write its value, or ? where it is missing.", table, arff("{0 1}"), arff("{0 1, 2 ?}")),
        case("Write the file as Weka does: https://waikato.github.io/weka-wiki/formats_and_processing/arff_stable/", table, arff("{9 1}"), arff("{1 b, 2 ?}")),
    ],
)  # fmt: skip
def test_formats(
    remedy: Told,
    act: Callable[[Any], object],
    wrong: object,
    right: object,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What is written or named as it says is read."""
    monkeypatch.setattr(packed, "MOST", 2**21)
    remedy.fails(lambda: act(wrong))
    act(right)
