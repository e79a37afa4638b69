"""A model has the same bytes whatever file its table is read from, and rows the same scores."""

from __future__ import annotations

import csv
import gzip
import io
from typing import Any
from unittest import mock

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pandas.testing import assert_frame_equal

from graph import Declared, GraphError, ModuleError, Scorer, parse_experiment, run
from graph.data import well_formed
from graph.data.reading import read_table
from graph.data.rows import table_of
from graph.data.values import coerce
from tables import Text

ROWS = 400


def texts() -> dict[str, list[str]]:
    """Columns as they are written in a file of text; some values are missing."""
    random = np.random.default_rng(3)
    x = random.normal(size=ROWS).round(3)
    kind = random.choice(["a", "b, c", 'the "d"'], ROWS)
    label = (x + (kind == "a") + random.normal(size=ROWS) / 3 > 0.5).astype(int)
    missing = random.random(ROWS) < 0.1
    return {
        "x": ["" if gone else repr(float(each)) for each, gone in zip(x, missing, strict=True)],
        "count": [str(each) for each in random.integers(-5, 500, ROWS)],
        "kind": ["" if gone else str(each) for each, gone in zip(kind, missing[::-1], strict=True)],
        "label": [str(each) for each in label],
    }


def as_csv(columns: dict[str, list[str]], missing: str = "") -> bytes:
    frame = pd.DataFrame(columns, dtype=object).replace("", missing)
    return frame.to_csv(index=False).encode()


def as_arff(columns: dict[str, list[str]]) -> bytes:
    def quoted(cell: str) -> str:
        return "'" + cell.replace("'", "\\'") + "'" if cell else "?"

    lines = ["@relation t", *(f"@attribute {name} {'string' if name == 'kind' else 'numeric'}" for name in columns), "@data"]  # fmt: skip
    cells = zip(
        *(
            [quoted(cell) if name == "kind" else cell or "?" for cell in each]
            for name, each in columns.items()
        ),
        strict=True,
    )
    return "\n".join([*lines, *map(",".join, cells)]).encode()


def as_parquet(columns: dict[str, list[str]], **kinds: Any) -> bytes:
    types = {"x": pa.float64(), "count": pa.int16(), "kind": pa.string(), "label": pa.int64()} | kinds
    table = pa.table(
        {
            name: pa.array([cell or None for cell in each], pa.string()).cast(types[name])
            for name, each in columns.items()
        }
    )
    sink = io.BytesIO()
    pq.write_table(table, sink, row_group_size=100)
    return sink.getvalue()


FILES = {
    ".csv": as_csv(texts()),
    ".tsv": as_csv(texts()).replace(b",", b"\t").replace(b"b\t c", b"b, c").replace(b'"b, c"', b"b, c"),
    ".csv.gz": gzip.compress(as_csv(texts()), mtime=0),
    ".arff": as_arff(texts()),
    ".arff.gz": gzip.compress(as_arff(texts()), mtime=0),
    ".parquet": as_parquet(texts()),
}


def training(**data: Any) -> Any:
    return parse_experiment(
        {
            "name": "t",
            "nodes": {
                "data": {"input": "input1", **data},
                "kinds": {
                    "module": "Edit Metadata",
                    "parameters": {"Column": ["kind"], "Categorical": "Make categorical"},
                },
                "learner": {
                    "module": "Two-Class Boosted Decision Tree",
                    "parameters": {"Number of trees constructed": 5},
                },
                "train": {"module": "Train Model", "parameters": {"Label column": ["label"]}},
                "model": {"output": "model"},
            },
            "edges": [
                {"from": "data", "to": "kinds.Dataset"},
                {"from": "learner", "to": "train.Untrained model"},
                {"from": "kinds", "to": "train.Dataset"},
                {"from": "train", "to": "model"},
            ],
        }
    )


def predictive(**data: Any) -> Any:
    return parse_experiment(
        {
            "name": "p",
            "nodes": {
                "data": {"input": "input1", **data},
                "model": {"trainedModel": "m"},
                "score": {"module": "Score Model"},
                "scored": {"output": "output1"},
            },
            "edges": [
                {"from": "model", "to": "score.Trained model"},
                {"from": "data", "to": "score.Dataset"},
                {"from": "score", "to": "scored"},
            ],
        }
    )


def model_of(data: bytes, extension: str, **said: Any) -> bytes:
    experiment = training(**said)
    frame = read_table(data, extension, declared=experiment.declared_of("input1"))
    model = run(experiment, {"input1": frame})["model"]
    assert isinstance(model, bytes)
    return model


@pytest.mark.parametrize("extension", FILES)
def test_the_model_has_the_same_bytes_whatever_it_is_read_from(extension: str) -> None:
    """Text, packed text, ARFF, Parquet with smaller types: the values are the same."""
    assert model_of(FILES[extension], extension) == model_of(FILES[".csv"], ".csv")


@pytest.mark.parametrize("extension", FILES)
def test_rows_have_the_same_scores_whatever_they_are_read_from(extension: str) -> None:
    """In a batch, where the model says the types."""
    model = model_of(FILES[".csv"], ".csv")
    found = [
        run(predictive(), {"input1": read_table(FILES[each], each, typed=False)}, resources={"m": model})[
            "output1"
        ]
        for each in (".csv", extension)
    ]
    assert isinstance(found[0], pd.DataFrame)
    assert isinstance(found[1], pd.DataFrame)
    assert_frame_equal(found[0], found[1], check_exact=True)


def test_a_set_of_marks_is_missing_wherever_rows_come_from() -> None:
    """`?` and a number, in text, in a file that says types, in a request; the model is that of empty values."""
    marked = as_csv(texts(), "?").replace(b"-5,", b"-999.0,")
    plain = as_csv(texts()).replace(b"-5,", b",")
    wanted = model_of(plain, ".csv")
    assert model_of(marked, ".csv", missing=["?", "-999"]) == wanted
    with pytest.raises(ModuleError, match=r'0017: Cannot process column "x" of type String'):
        model_of(marked, ".csv")
    scorer = Scorer(predictive(missing=["?", "-999"]), {"m": wanted})
    columns = ("x", "count", "kind")
    request = table_of(columns, [("?", -999, "a"), (None, None, "a"), ("", "-999.00", "a")])
    answers = scorer.score({"input1": request})["output1"]
    assert not scorer.interpreted
    (scores,) = {*answers["Scored Probabilities"].tolist()}
    interpreted = scorer.interpret({"input1": request})["output1"]
    assert {*interpreted["Scored Probabilities"].tolist()} == {scores}
    frame = read_table(b"x,count,kind\n?,-999,a\n", ".csv", typed=False, declared=Declared({}, ("?", "-999")))
    batch = run(predictive(missing=["?", "-999"]), {"input1": frame}, resources={"m": wanted})["output1"]
    assert isinstance(batch, pd.DataFrame)
    assert batch["Scored Probabilities"].tolist() == [scores]


def test_a_declared_type_holds_whatever_the_values_look_like() -> None:
    """Codes with zeros in front stay texts, dates become dates; the same of text, ARFF and Parquet."""
    declared = Declared({"code": "String", "at": "DateTime", "n": "Double", "yes": "Boolean"})
    files = {
        ".csv": b"code,at,n,yes\n007,2024-02-29,1,1\n12,,2,0\n",
        ".arff": b"@relation t\n@attribute code string\n@attribute at string\n@attribute n numeric\n@attribute yes {0,1}\n"
        b"@data\n007,2024-02-29,1,1\n12,?,2,0\n",
    }
    sink = io.BytesIO()
    pq.write_table(
        pa.table(
            {
                "code": ["007", "12"],
                "at": ["02/29/2024", None],
                "n": pa.array([1, 2], pa.int8()),
                "yes": [1, 0],
            }
        ),
        sink,
    )
    files[".parquet"] = sink.getvalue()
    for extension, data in files.items():
        frame = read_table(data, extension, extension, declared=declared)
        assert frame["code"].tolist() == ["007", "12"], extension
        assert (frame["at"].dtype.kind, frame["n"].dtype.kind, frame["yes"].dtype.kind) == ("M", "f", "b")
        assert frame["at"].isna().tolist() == [False, True]


def test_a_declaration_that_does_not_fit_is_refused() -> None:
    """A type that there is not, a column that there is not, a value that is not of the type."""
    with pytest.raises(GraphError, match="Boolean, Int32, Int64, Double, String, DateTime"):
        training(types={"x": "Float"})
    with pytest.raises(GraphError, match="is a list of texts"):
        training(missing="?")
    with pytest.raises(ModuleError, match='"y"'):
        read_table(b"x\n1\n", ".csv", declared=Declared({"y": "Int32"}))
    for data, extension in ((b"x\n1.5\n", ".csv"), (as_parquet({"x": ["1.5"]}), ".parquet")):
        with pytest.raises(ModuleError, match=r'"1\.5" in column "x" from "String" to "Int32"'):
            read_table(data, extension, declared=Declared({"x": "Int32"}))


@pytest.mark.parametrize(("allowed", "told"), [(True, ""), (False, "0018")])
@pytest.mark.parametrize("extension", [".csv", ".csv.gz", ".arff", ".parquet"])
def test_a_category_that_first_appears_in_scoring(extension: str, allowed: bool, told: str) -> None:
    """As Allow unknown categorical levels says, whatever the rows are read from: as a missing one, or a refusal."""
    package = training()
    learner = next(step for step in package.steps if step.id == "learner")
    learner.parameters["Allow unknown categorical levels"] = allowed
    trained = run(package, {"input1": read_table(FILES[".csv"], ".csv")})["model"]
    assert isinstance(trained, bytes)
    new, none = (
        {**{name: cells[:1] for name, cells in texts().items()}, "kind": [kind]} for kind in ("z", "")
    )
    write = {
        ".csv": as_csv,
        ".csv.gz": lambda columns: gzip.compress(as_csv(columns)),
        ".arff": as_arff,
        ".parquet": as_parquet,
    }[extension]

    def scores(columns: dict[str, list[str]]) -> list[float]:
        rows = read_table(write(columns), extension, typed=False)
        found = run(predictive(), {"input1": rows}, resources={"m": trained})["output1"]
        assert isinstance(found, pd.DataFrame)
        return list(found["Scored Probabilities"])

    if told:
        with pytest.raises(ModuleError, match=told):
            scores(new)
    else:
        assert scores(new) == scores(none)


@given(
    st.text(st.sampled_from('a1,\t "\n\ré'), max_size=30),
    st.lists(st.sampled_from(["a", '"a, b"', '"""x"""', '"two\nlines"', "", "é"]), min_size=2, max_size=9),
    st.sampled_from(["\n", "\r\n"]),
    st.integers(1, 8),
)
@settings(max_examples=500, deadline=None)
def test_what_is_plainly_a_table_is_one(text: str, cells: list[str], end: str, block: int) -> None:
    """Whatever is taken for one in blocks, reading each row takes for one; and plain tables are seen so."""
    for delimiter, columns in ((",", 1), (",", 2), ("\t", 3)):
        written = Text("t", ("c",) * columns, delimiter, "", text, 1)
        with mock.patch.object(well_formed, "_BLOCK", block):
            seen = well_formed.is_well_formed(text.encode(), delimiter, columns)
        if seen:
            assert all(len(row) == columns for _line, row in written.rows())
    rows = end.join([",".join(cells)] * 3) + end
    with mock.patch.object(well_formed, "_BLOCK", block):
        assert well_formed.is_well_formed(rows.encode(), ",", len(cells))
        assert not well_formed.is_well_formed((rows + "a,b" + end).encode(), ",", len(cells) + 1)


KINDS = {"Int64": pa.int64(), "Double": pa.float64(), "String": pa.string()}
VALUES = {
    "Int64": st.none() | st.integers(-(2**63), 2**63 - 1) | st.integers(-3, 3),
    "Double": st.none() | st.floats() | st.floats(-5, 5),
    "String": st.none()
    | st.text(st.sampled_from('ab,"\n é1-TtrueN'), max_size=5)
    | st.sampled_from(["007", "NA", "nan", "true", "1e5", "inf", "?"]),
}


def written(value: Any) -> str:
    odd = {"nan": "NaN", "inf": "Infinity", "-inf": "-Infinity"}
    return (
        "" if value is None else odd.get(repr(value), repr(value)) if isinstance(value, float) else str(value)
    )


@given(
    st.integers(1, 6).flatmap(
        lambda rows: st.lists(
            st.sampled_from(sorted(VALUES)).flatmap(
                lambda kind: st.tuples(st.just(kind), st.lists(VALUES[kind], min_size=rows, max_size=rows))
            ),
            min_size=2,
            max_size=4,
        )
    )
)
@settings(max_examples=100, deadline=None)
def test_parquet_and_text_of_the_same_types_are_the_same_table(columns: list[tuple[str, list[Any]]]) -> None:
    """To the last bit, in training and in scoring, packed or not, whatever the values are."""
    kinds = {f"c{at}": kind for at, (kind, _values) in enumerate(columns)}
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(kinds)
    writer.writerows(zip(*(map(written, values) for _kind, values in columns), strict=True))
    sink = io.BytesIO()
    each = {name: pa.array(values, KINDS[kind]) for name, (kind, values) in zip(kinds, columns, strict=True)}
    pq.write_table(pa.table(each), sink)
    said, plain = Declared(kinds), text.getvalue().encode()
    wanted = read_table(plain, ".csv", declared=said)
    assert_frame_equal(read_table(gzip.compress(plain), ".csv.gz", declared=said), wanted, check_exact=True)
    for declared in (said, Declared()):
        assert_frame_equal(
            read_table(sink.getvalue(), ".parquet", declared=declared), wanted, check_exact=True
        )
    one, other = (
        coerce(read_table(data, ending, typed=False), kinds)
        for data, ending in ((plain, ".csv"), (sink.getvalue(), ".parquet"))
    )
    assert_frame_equal(one, other, check_exact=True)
