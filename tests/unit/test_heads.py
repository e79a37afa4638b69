"""The heads of a data version's tables are held against the experiment before anything is trained."""

from __future__ import annotations

import copy
import gzip
import io
import json
import random
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from requests import Response
from requests.adapters import HTTPAdapter

from clients.errors import ConfigurationError, ServiceError
from clients.http import connections
from clients.storage import Container
from retrain_hooks.data import heads
from retrain_hooks.host.lifecycle import Context
from retrain_hooks.training.lifecycle import TrainedModelLifecycle
from tests.unit.fakes import Listener, MemoryContainer, OpenGuard
from tests.unit.test_run_key_format import DEFINITION, PROPS

GOOD = b"late,day\n0,1\n1,2\n"
WIDE = ",".join(f"c{n}" for n in range(40_000)).encode() + b",late\n"
LONG = b"late,day\n" + b"0,1\n" * 20_000


def packed(content: bytes) -> bytes:
    return gzip.compress(content, mtime=0)


def columnar(**columns: list[Any]) -> bytes:
    sink = io.BytesIO()
    pq.write_table(pa.table(columns), sink)
    return sink.getvalue()


class World:
    """A preview of a model trained from blobs."""

    def __init__(self, blobs: dict[str, bytes]) -> None:
        self.data, self.read = MemoryContainer("data"), []
        for name, content in blobs.items():
            self.data.put(name, content)
        self.data.read_start = self._start  # type: ignore[method-assign]

    def _start(self, name: str, size: int) -> bytes:
        self.read.append(name)
        return self.data.blobs[name][0][:size]

    def check(self, **change: Any) -> dict[str, Any]:
        context = Context(Listener(), OpenGuard())
        registry = MemoryContainer()
        context.registry = lambda _target: registry  # type: ignore[method-assign]
        context.data = lambda _target, _name=None: self.data  # type: ignore[method-assign]
        reference = PROPS["data"] | {"blobs": list(self.data.blobs)}
        found: dict[str, Any] = {}
        for _resource in range(2):  # baseline and candidate
            found = TrainedModelLifecycle(context).check(PROPS | {"data": reference} | change, {})
        return found


@pytest.fixture(autouse=True)
def experiment(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "experiments/late").mkdir(parents=True)
    Path("experiments/late/training.json").write_text(json.dumps(DEFINITION), encoding="utf-8")


@pytest.mark.parametrize(
    ("blobs", "cause"),
    [
        ({"f/1.csv": b""}, "data/f/1.csv is empty"),
        ({"f/1.csv": b"\r\n \r\n"}, "data/f/1.csv is empty"),
        ({"f/1.csv": b"\xef\xbb\xbf"}, "data/f/1.csv is empty"),
        ({"f/1.csv": b"", "f/2.csv": b""}, "is empty"),
        ({"f/1.csv": b"late,day\n"}, "data/f/1.csv has a header and no rows"),
        ({"f/1.csv": b"late,day"}, "has a header and no rows"),
        ({"f/1.csv": b"late,day\n", "f/2.csv": b"late,day\n"}, "has a header and no rows"),
        ({"f/1.csv": b"Late,day\n0,1\n1,2\n"}, "data/f/1.csv has no column 'late', which Train Model (node \"train\") of the experiment late"),
        ({"f/1.csv": b"day\n" + b"1\n" * 90_000}, "has no column 'late'"),
        ({"f/1.csv": GOOD, "f/2.csv": b"day\n1\n"}, "data/f/2.csv has no column 'late'"),
        ({"f/1.csv": GOOD, "f/2.csv": b"late,month\n1,1\n"}, "data/f/2.csv has other columns than f/1.csv: 'month' instead of 'day'"),
        ({"f/1.tsv": b"late\tday\n"}, "has a header and no rows"),
        ({"f/1.csv": b"late,day\n0,1\n0,2\n"}, "data/f/1.csv has one class only in its column 'late'"),
        ({"f/1.csv": b"late,day\n0,1\n", "f/2.csv": b"late,day\n0,2\n"}, "one class only in its column 'late'"),
        ({"f/1.csv": WIDE}, "data/f/1.csv has a header and no rows"),
        ({"f/1.csv": WIDE.replace(b"late", b"delay") + b"," * 40_000 + b"0\n"}, "has no column 'late'"),
        ({"f/1.csv": b"late,day\n0,1\n1,2\n2,3\n"}, "data/f/1.csv has 3 classes in its column 'late', the label, which is to have 2: 0, 1, 2"),
        ({"f/1.csv": b"late,day\n1,1\n2,1\n" + LONG[9:]}, "has more than 2 classes in its column 'late'"),
        ({"f/1.csv": LONG}, "data/f/1.csv has one class only in its column 'late'"),
        ({"f/1.csv": LONG, "f/2.csv": b"late,day\n0,1\n"}, "one class only in its column 'late'"),
        ({"f/1.csv": LONG + b"1\n"}, "data/f/1.csv: line 20002 has 1 value"),
        ({"f/1.csv": b"late,day\n" + b",1\n" * 60_000}, "no value in its column 'late', the label"),
        ({"f/1.csv": b"late,day\n,1\nNA,2\n"}, "no value in its column 'late', the label"),
        ({"f/1.csv": b"\x1f\x8b\x08\x00"}, "data/f/1.csv is compressed (gzip)"),
        ({"f/1.csv.gz": b"\x1f\x8b\x08"}, "data/f/1.csv.gz is cut off: gzip's end is not there"),
        ({"f/1.csv.gz": GOOD}, "data/f/1.csv.gz is not compressed (gzip), as its name says"),
        ({"f/1.parquet": GOOD}, "data/f/1.parquet is not Parquet, as its name says"),
        ({"f/1.parquet": b"PAR1" + GOOD}, "data/f/1.parquet is cut off: Parquet's end is not there"),
        ({"f/1.csv.gz": packed(b"late,day\n0,1\n0,2\n")}, "data/f/1.csv.gz has one class only in its column 'late'"),
        ({"f/1.parquet": columnar(late=[0, 0], day=[1, 2])}, "data/f/1.parquet has one class only in its column 'late'"),
        ({"f/1.parquet": columnar(day=[1, 2])}, "data/f/1.parquet has no column 'late'"),
        ({"f/1.parquet": columnar(late=[0, 1], day=[[1], []])}, "data/f/1.parquet has the column 'day' of the type list<element: int64>"),
        ({"f/1.parquet": columnar(late=[0, 1], day=[1, 2]), "f/2.parquet": columnar(late=[0, 1], day=["x", "y"])}, "data/f/2.parquet has String in the column 'day', and f/1.parquet has Int64"),
        ({"f/1.arff": b"@relation t\n@attribute late numeric\n@data\n0\n0\n"}, "data/f/1.arff has one class only in its column 'late'"),
        ({"f/1.csv": GOOD, "f/2.csv": b"\x1f\x8b" * 60_000}, "data/f/2.csv is compressed (gzip)"),
        ({"f/1.csv": "late,day\n".encode("utf-16") + b"\x00\xdc" * 60_000}, "data/f/1.csv is not text in UTF-16"),
        ({"f/1.csv": b"late,day\n0,1\n1,2,3\n"}, "data/f/1.csv: line 3 has 3 values"),
        ({"f/1.csv": ",".join(f"c{n}" for n in range(9000)).encode() + b"\n" + b"," * 8999 + b"\n"}, "has no column 'late'"),
    ],
)  # fmt: skip
def test_what_cannot_be_trained_from_is_refused_by_name(blobs, cause):
    """In the preview, with the blob's and the column's name, in a line."""
    with pytest.raises(ConfigurationError) as refused:
        World(blobs).check()
    assert cause in refused.value.cause
    assert len(refused.value.cause) < 600
    assert refused.value.remedy


@pytest.mark.parametrize(
    ("blob", "cause"),
    [
        (b"late,day\n1.5,1\n2,2\nhigh,3\n", "line 4 has the text 'high' in the column 'late', the label of the experiment late"),
        (b"late,day\n1.5,1\n1.5,2\n", "has one value only in its column 'late'"),
        (b"late,day\n,1\nNA,2\n", "no value in its column 'late'"),
    ],
)  # fmt: skip
def test_a_regression_is_trained_on_numbers_that_differ(blob, cause, tmp_path):
    """Text in the label, or the same number all the way, is said in the preview."""
    definition = copy.deepcopy(DEFINITION)
    definition["nodes"]["learner"]["module"] = "Boosted Decision Tree Regression"
    Path("experiments/late/training.json").write_text(json.dumps(definition), encoding="utf-8")
    with pytest.raises(ConfigurationError) as refused:
        World({"f/1.csv": blob}).check()
    assert cause in refused.value.cause
    World({"f/1.csv": b"late,day\n1.5,1\n-2e3,2\n,3\n"}).check()


@pytest.mark.heals(
    "correct the data, or the types in the input of training.json", at="retrain_hooks/data/heads.py"
)
def test_what_the_input_says_of_its_columns_is_held_against_the_data(remedy, tmp_path):
    """A value of another type is said with its line, a column that is not there by its name; marks are missing values."""
    definition = copy.deepcopy(DEFINITION)
    said = {"types": {"day": "Int32"}, "missing": ["?", "-9"]}
    definition["nodes"][next(each for each, body in definition["nodes"].items() if "input" in body)] |= said
    Path("experiments/late/training.json").write_text(json.dumps(definition), encoding="utf-8")
    refused = remedy.fails(lambda: World({"f/1.csv": b"late,day\n0,1\n1,?\n?,2\n1,2.5\n"}).check())
    assert (
        "data/f/1.csv: line 5 has '2.5' in the column 'day', which is Int32 in the input of" in refused.cause
    )
    with pytest.raises(ConfigurationError, match="no column 'day', whose type the input of"):
        World({"f/1.csv": b"late,x\n0,1\n1,2\n"}).check()
    with pytest.raises(ConfigurationError, match="one class only in its column 'late'"):
        World({"f/1.csv": b"late,day\n1,1\n-9.0,2\n?,3\n"}).check()
    World({"f/1.csv": b"late,day\n0,1\n1,?\n?,2\n1,-9\n"}).check()


@pytest.mark.parametrize(
    "blobs",
    [
        {"f/1.csv": GOOD},
        {"f/1.csv": GOOD, "f/2.csv": b""},
        {"f/1.csv": GOOD, "f/_SUCCESS": b""},
        {"f/1.csv": b"late,day\n0,1\n", "f/2.csv": b"late,day\n1,2\n"},
        {"f/1.csv": b"late,day\n", "f/2.csv": GOOD},
        {"f/1.csv": LONG + b"1,1\n"},
        {"f/1.csv": b'"late","day"\r\n0,1\r\n1,2\r\n'},
        {"f/1.csv": "late,day\n0,ü\n1,b\n".encode("utf-16")},
        {"f/1.tsv": b"late\tday\n0\t1\n1\t2\n"},
        {"f/1.nh.csv": b"0,1\n1,2\n"},
        {"f/1.csv.gz": packed(GOOD)},
        {"f/1.csv.gz": packed(LONG + b"1,1\n")},
        {"f/1.parquet": columnar(late=[0, 1], day=[1, 2])},
        {"f/1.parquet": columnar(late=[0] * 200_000 + [1], day=[0.5] * 200_001)},
        {"f/1.arff": b"@relation t\n@attribute late numeric\n@attribute day numeric\n@data\n0,1\n1,2\n"},
        {"f/1.csv": WIDE + b"," * 40_000 + b"0\n" + b"," * 40_000 + b"1\n"},
    ],
)
def test_what_may_be_trained_from_is_let_through(blobs):
    """Two classes in different parts, an empty part, a head that does not tell."""
    assert World(blobs).check()["runKey"]


def test_where_the_graph_is_not_known_nothing_is_said():
    """Of a service that was there before, the graph isn't known."""
    world = World({"f/1.csv": b"nothing,of,it\n"})
    assert world.check(source="")["runKey"]
    assert world.read == []


def test_a_table_is_read_once_in_a_preview_and_of_a_set_some():
    """However many models are trained from it, and however many parts it has."""
    world = World({"f/1.csv": GOOD})
    world.check()
    assert world.read == ["f/1.csv"]
    many = World({f"f/{number:04}.csv": GOOD for number in range(5000)})
    many.check()
    assert len(many.read) <= heads._PARTS


@pytest.mark.parametrize("seed", range(20))
def test_a_head_that_is_cut_anywhere_refuses_nothing_that_the_whole_does_not(seed, monkeypatch):
    """Values in quotes, line ends in them, characters of several bytes."""
    chance = random.Random(seed)
    rows = [
        f'{chance.randint(0, 1)},"ä{chance.choice(["", ",", chr(10), chr(34) * 2])}€"' for _row in range(40)
    ]
    content = ("late,day\r\n0,x\r\n1,y\r\n" + "\r\n".join(rows)).encode()
    monkeypatch.setattr(heads, "_BYTES", chance.randint(12, len(content)))
    assert World({"f/1.csv": content}).check()["runKey"]


class Archived(HTTPAdapter):
    """Storage whose blobs are in the archive tier: they are listed and looked at, and not read."""

    def send(self, request, *_arguments, **_options):
        answer = Response()
        answer.status_code, answer.request, answer.url, answer.raw = (
            409,
            request,
            request.url,
            io.BytesIO(b""),
        )
        answer.headers["x-ms-error-code"] = "BlobArchived"
        return answer


def test_a_blob_in_the_archive_tier_is_named_with_the_way_out():
    """By the preview, which reads the beginning of it."""
    connections.SESSION.mount("http://", Archived())
    account = "AccountName=a;AccountKey=a2V5;BlobEndpoint=http://127.0.0.1:9/a"
    world = World({"f/1.csv": GOOD})
    world.data.read_start = Container(account, "data", "").read_start
    with pytest.raises(ServiceError) as refused:
        world.check()
    assert refused.value.cause == "data/f/1.csv is in the archive tier"
    assert refused.value.remedy.startswith("move it to another tier, such as Cool")


def test_rows_of_another_class_are_looked_for_so_far(monkeypatch):
    """A table of many gigabytes may be sorted by its label: it is let through, and read no further."""
    monkeypatch.setattr(heads, "_MORE_BYTES", len(LONG) - 1)
    world = World({"f/1.csv": LONG})
    assert world.check()["runKey"]
    assert len(world.read) <= 3
