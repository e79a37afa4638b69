"""The holdout: the same rows for both models, what happened kept from them, and nothing believed that can't be."""

from __future__ import annotations

import gzip
import io
import math
import threading

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from clients.clock import SystemClock
from clients.errors import ConfigurationError, ServiceError, UpdateCancelled
from graph.data.declared import Declared
from retrain_hooks.data import heads
from retrain_hooks.data.heads import Heads
from retrain_hooks.gate.measuring.holdout import Holdout, look_at
from retrain_hooks.gate.measuring.labels import Label
from retrain_hooks.gate.rules import RuleSet, judge
from retrain_hooks.host.memory import Memory
from tasks import TASKS, Outcome
from tests.unit.fakes import MemoryContainer, OpenGuard

LABEL = Label.parse("arr_delay >= 15")


def measured(actual, predicted, probabilities):
    found = Outcome(np.array(predicted), np.array(actual), np.array(probabilities))
    return TASKS["two-class"].measure(found)


class Endpoint:
    """Scores a row by its column `p`; *answer* changes what it answers."""

    def __init__(self, answer=lambda rows: rows) -> None:
        self.answer = answer
        self.asked: list[list[dict]] = []
        self._lock = threading.Lock()

    def score(self, rows):
        with self._lock:
            self.asked.append(list(rows))
        scored = [
            dict(row) | {"Scored Labels": str(int(float(row["p"]) >= 0.5)), "Scored Probabilities": row["p"]}
            for row in rows
        ]
        return self.answer(scored)


def look(data: MemoryContainer, blobs: dict[str, str], label: Label) -> None:
    look_at(Heads(data, Memory(SystemClock()), list(blobs), "the holdout"), label)


def read(text: str | bytes, label: Label = LABEL, *more: str) -> Holdout:
    data = MemoryContainer("data")
    for number, content in enumerate([text, *more]):
        data.put(f"{number}.csv", content if isinstance(content, bytes) else content.encode())
    return Holdout.read(data, {blob.name: blob.etag for blob in data.list()}, label)


SOME = "p,arr_delay\r\n0.9,20\r\n0.2,3\r\n0.6,\r\n0.4,15\r\n0.1,-5\r\n"


def test_rows_are_labelled_by_the_expression_and_sent_without_it():
    """What happened never reaches the model; a row of which nobody knows what happened is left out."""
    found = read(SOME)
    assert list(found.actual) == [True, False, True, False]
    assert list(found.rows) == [{"p": "0.9"}, {"p": "0.2"}, {"p": "0.4"}, {"p": "0.1"}]
    endpoint = Endpoint()
    found.measure(endpoint, OpenGuard())
    assert all("arr_delay" not in row for batch in endpoint.asked for row in batch)


@pytest.mark.parametrize("empty", ["", "NA", "NaN", "null", "  "])
def test_an_empty_label_is_written_in_many_ways(empty):
    """A cancelled flight has no delay."""
    assert len(read(f"p,arr_delay\n1,20\n1,{empty}\n").rows) == 1


def test_all_blobs_are_read_in_their_order_each_with_its_own_header():
    """A window of data versions is one holdout."""
    found = read(SOME, LABEL, "arr_delay,p\n30,0.8\n")
    assert len(found.rows) == 5
    assert found.rows[4] == {"p": "0.8"}


def test_an_empty_cell_is_sent_as_null():
    """Missing is not the text of nothing."""
    assert read("p,tail,arr_delay\n0.9,,20\n").rows[0] == {"p": "0.9", "tail": None}


def test_a_holdout_is_read_as_training_reads_it():
    """Tabs by its name, UTF-16 by its mark; what training takes for missing is null."""
    data = MemoryContainer("data")
    data.put("0.tsv", "p\ttail\tarr_delay\r\n0.9\tN\u00e9\t20\r\n0.1\tNA\t3\r\n".encode("utf-16"))
    found = Holdout.read(data, {blob.name: blob.etag for blob in data.list()}, LABEL)
    assert list(found.rows) == [{"p": "0.9", "tail": "N\u00e9"}, {"p": "0.1", "tail": None}]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (b"p,arr_delay\n\xe9,20\n", r"the holdout 0\.csv: line 2 is not text in UTF-8"),
        (
            "p,arr_delay\n1,20\n7,1,3\n",
            r"the holdout 0\.csv: line 3 has 3 values, and the table has 2 columns",
        ),
        ("p,delay\n1,2\n", "no column 'arr_delay'"),
        ("p,arr_delay\n1,late\n", "'late' in the column 'arr_delay', line 2"),
        ("p,arr_delay\n1,3\n1,inf\n", "'inf' in the column 'arr_delay', line 3"),
    ],
)
def test_a_holdout_that_says_nothing_is_refused(text, words):
    """No label, no measurement: cause and place are named."""
    with pytest.raises(ConfigurationError, match=words):
        read(text)


def test_a_holdout_that_changes_while_it_is_read_is_refused():
    """Both models are measured on what was planned."""
    data = MemoryContainer("data")
    data.put("a.csv", SOME.encode())
    with pytest.raises(ConfigurationError, match="was changed while it was read"):
        Holdout.read(data, {"a.csv": "an older etag"}, LABEL)


@pytest.mark.parametrize(
    ("text", "column", "op", "number"),
    [
        ("arr_delay >= 15", "arr_delay", ">=", 15),
        ("arr_delay<-1.5", "arr_delay", "<", -1.5),
        ("arr delay (min) == 0", "arr delay (min)", "==", 0),
        ("late <= 1", "late", "<=", 1),
        ("x > .5", "x", ">", 0.5),
    ],
)
def test_a_label_is_a_column_a_comparison_and_a_number(text, column, op, number):
    """Columns may have blanks and brackets."""
    assert Label.parse(text) == Label(column, op, number)


@pytest.mark.parametrize(
    ("text", "column", "op", "value"),
    [
        ("Diagnosis == malignant", "Diagnosis", "==", "malignant"),
        ("Diagnosis==malignant", "Diagnosis", "==", "malignant"),
        ("Diagnosis != not yet known", "Diagnosis", "!=", "not yet known"),
        ('class == "4"', "class", "==", "4"),
        ("class == '>= 50K'", "class", "==", ">= 50K"),
        ("class == 4", "class", "==", 4.0),
        ("delay >= 1.5e1", "delay", ">=", 15.0),
    ],
)
def test_a_label_may_compare_with_text(text, column, op, value):
    """In quotes or without; what is a number is compared as one."""
    assert Label.parse(text) == Label(column, op, value)


@pytest.mark.parametrize(
    "text",
    ["arr_delay=>15", "arr_delay => 15", "arr_delay =< 15", "arr_delay <> 15", "arr_delay === 15", "arr_delay >>= 15",
     "arr_delay !== x", "a == b == c <", "x == inf", "x >= Infinity", "x == NaN", "x == ''", "x ==", "== x", "x >= 1_000"],
)  # fmt: skip
def test_a_comparison_that_is_none_is_no_part_of_a_columns_name(text):
    """`=>` is refused, and not read as `>` with the column `arr_delay=`."""
    with pytest.raises(ConfigurationError, match="write it like delay >= 15"):
        Label.parse(text)


@pytest.mark.parametrize(
    ("columns", "nearest"),
    [
        ("Arr_Delay,p", r" \(the nearest is 'Arr_Delay'\)"),
        ("arr_dalay,dep_delay", r" \(the nearest is 'arr_dalay'\)"),
        ("p,q", ""),
    ],
)
def test_a_misspelt_column_is_refused_with_the_nearest(columns, nearest):
    """By the preview, from the beginning of the holdout, and by what reads it all."""
    data = MemoryContainer("data")
    data.put("_SUCCESS", b"")
    data.put("a.csv", b"")
    data.put("b.csv", f"{columns}\n1,2\n".encode())
    blobs = {blob.name: blob.etag for blob in data.list()}
    for reading in (look, Holdout.read):
        with pytest.raises(
            ConfigurationError, match=rf"the holdout b\.csv has no column 'arr_delay'{nearest}\n"
        ):
            reading(data, blobs, LABEL)


@pytest.mark.parametrize(
    ("blobs", "cause"),
    [
        ({"a.csv": b""}, "the holdout data/a.csv is empty"),
        ({"a.csv": b"", "b.csv": b"\r\n"}, "the holdout data/a.csv and its 1 other parts is empty"),
        ({"a.csv": b"p,arr_delay\n"}, "the holdout data/a.csv has a header and no rows"),
        ({"a.csv": b"p,arr_delay\n1,NA\n"}, "the holdout data/a.csv has no value in its column 'arr_delay'"),
        ({"a.csv": SOME.encode(), "b.csv": b"p,delay\n1,2\n"}, "the holdout b.csv has no column 'arr_delay'"),
        ({"a.csv": b"p,arr_delay\n1,late\n"}, "the holdout a.csv has 'late' in the column 'arr_delay', line 2"),
        ({"a.csv": b"p,arr_delay\n1,2,3\n"}, "the holdout data/a.csv: line 2 has 3 values"),
        ({"a.csv": b"\x1f\x8b\x08"}, "the holdout data/a.csv is compressed (gzip)"),
    ],
)  # fmt: skip
def test_a_holdout_that_cannot_be_judged_on_is_refused_by_the_preview(blobs, cause):
    """By its name, before a model is trained for it."""
    data = MemoryContainer("data")
    for name, content in blobs.items():
        data.put(name, content)
    with pytest.raises(ConfigurationError) as refused:
        look(data, blobs, LABEL)
    assert refused.value.cause.startswith(cause)


def test_of_a_holdout_that_is_read_in_part_only_what_is_seen_is_said(monkeypatch):
    """A value or a row may come further on, and so may a column's name."""
    data = MemoryContainer("data")
    data.put("a.csv", b"p,arr_delay\n" + b"1,NA\n" * 50_000)
    data.put("b.csv", b"p" * 70_000 + b",arr_delay\n")
    with pytest.raises(ConfigurationError, match="has no value in its column"):
        look(data, data.blobs, LABEL)
    monkeypatch.setattr(heads, "_MORE_BYTES", 100_000)
    look(data, data.blobs, LABEL)
    look(data, {"gone.csv": ""}, LABEL)


CANCER = "p,Diagnosis\n0.9,malignant\n0.2,benign\n0.8,malignant\n0.3,benign\n"


def test_a_misspelt_text_is_refused_with_the_nearest():
    """A gate that finds no positive row would call each model useless."""
    data = MemoryContainer("data")
    data.put("a.csv", CANCER.encode())
    blobs = {blob.name: blob.etag for blob in data.list()}
    for reading in (look, Holdout.read):
        with pytest.raises(
            ConfigurationError, match=r"'Malignant'.*benign, malignant \(the nearest is 'malignant'\)"
        ):
            reading(data, blobs, Label.parse("Diagnosis == Malignant"))


@pytest.mark.parametrize("positive", ["malignant", "benign"])
@pytest.mark.parametrize("above", ["malignant", "benign"])
@pytest.mark.parametrize("op", ["==", "!="])
def test_a_text_label_is_measured_whichever_class_is_the_models_positive(positive, above, op):
    """The probability is of the class that is answered where it is a half at least; the same model has the same metrics."""
    other = {"malignant": "benign", "benign": "malignant"}
    rule = f"Diagnosis == {positive}" if op == "==" else f"Diagnosis != {other[positive]}"

    def answer(rows):
        scored = []
        for row in rows:
            p = float(row["p"]) if above == "malignant" else 1 - float(row["p"])
            scored.append(
                {"Scored Labels": above if p >= 0.5 else other[above], "Scored Probabilities": str(p)}
            )
        return scored

    evidence = read(CANCER, Label.parse(rule)).measure(Endpoint(answer), OpenGuard())
    assert (evidence.metrics["auc"], evidence.metrics["accuracy"]) == (1.0, 1.0)
    assert evidence.metrics["log_loss"] < 0.4


def test_classes_that_are_numbers_but_no_truth_values_are_measured():
    """Two and four, as one known table calls them."""
    classes = "p,class\n0.9,4\n0.2,2\n"

    def answer(rows):
        return [row | {"Scored Labels": "4" if row["Scored Labels"] == "1" else "2"} for row in rows]

    evidence = read(classes, Label.parse("class == 4")).measure(Endpoint(answer), OpenGuard())
    assert (evidence.metrics["auc"], evidence.metrics["accuracy"]) == (1.0, 1.0)


def test_the_numbers_of_a_label_are_read_as_training_reads_them():
    """No underscores."""
    with pytest.raises(ConfigurationError, match="'1_5' in the column 'arr_delay', line 2"):
        read("p,arr_delay\n1,1_5\n1,3\n")


@pytest.mark.parametrize(
    "text", ["", "arr_delay", "arr_delay = 15", "arr_delay >= late", ">= 15", None, 15, "a >= 1 2"]
)
def test_what_is_no_label_is_refused_with_an_example(text):
    """A typo is not guessed at."""
    with pytest.raises(ConfigurationError, match="write it like delay >= 15"):
        Label.parse(text)


@given(st.sampled_from([">=", ">", "<=", "<", "=="]), st.integers(-50, 50), st.integers(-50, 50))
def test_a_label_is_plain_arithmetic(op, value, number):
    """Each comparison says what it says."""
    wanted = {">=": value >= number, ">": value > number, "<=": value <= number, "<": value < number}
    assert Label.parse(f"x {op} {number}").of(str(value)) is (wanted | {"==": value == number})[op]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("p,arr_delay\n", "the holdout has no rows"),
        ("p,arr_delay\n0.5,\n", "the holdout has no rows"),
        ("p,arr_delay\n0.5,20\n0.1,15\n", "all 2 rows of the holdout are positive"),
        ("p,arr_delay\n0.5,1\n", "all 1 rows of the holdout are negative"),
    ],
)
def test_an_empty_or_one_sided_holdout_proves_nothing(text, problem):
    """Nothing is scored, and no gate passes."""
    endpoint = Endpoint()
    evidence = read(text).measure(endpoint, OpenGuard())
    assert problem in evidence.problem
    assert endpoint.asked == []
    assert not judge(RuleSet.parse(["rows >= 0", "accuracy >= 0"], 0), evidence, None).passed


def test_rows_go_in_batches_and_come_back_in_their_order():
    """2,500 rows are three requests; scores meet their own labels."""
    lines = "\n".join(f"{number / 2500},{20 if number >= 1250 else 0}" for number in range(2500))
    endpoint = Endpoint()
    evidence = read(f"p,arr_delay\n{lines}\n").measure(endpoint, OpenGuard())
    assert sorted(map(len, endpoint.asked)) == [500, 1000, 1000]
    assert evidence.metrics["auc"] == 1.0
    assert evidence.metrics["accuracy"] == 1.0
    assert evidence.metrics["rows"] == 2500


def test_a_cancelled_update_stops_between_two_batches():
    """What is left of the holdout is not scored any more."""
    endpoint, guard = Endpoint(), OpenGuard()

    def check() -> None:
        if endpoint.asked:
            raise UpdateCancelled("cancelled", "again")

    guard.check = check
    lines = "\n".join(f"0.5,{number % 40}" for number in range(20_000))
    with pytest.raises(UpdateCancelled):
        read(f"p,arr_delay\n{lines}\n").measure(endpoint, guard)
    assert len(endpoint.asked) < 20


def test_the_metrics_are_those_of_the_textbook():
    """Two positives, one of them found; one of two negatives wrongly called."""
    found = measured([True, True, False, False], [True, False, True, False], [0.9, 0.4, 0.6, 0.1])
    assert found["auc"] == 0.75
    assert (found["accuracy"], found["precision"], found["recall"], found["f1"]) == (0.5, 0.5, 0.5, 0.5)
    wanted = -(math.log(0.9) + math.log(0.4) + math.log(0.4) + math.log(0.9)) / 4
    assert found["log_loss"] == pytest.approx(wanted)
    assert found["rows"] == 4


def test_a_precision_of_nothing_predicted_is_undefined_and_so_refused():
    """A model that never says late is not precise."""
    found = measured([True, False], [False, False], [0.4, 0.1])
    assert math.isnan(found["precision"])


@pytest.mark.parametrize("wrong", ["NaN", "-0.1", "1.5", "Infinity"])
def test_probabilities_that_are_none_refuse_the_model(wrong):
    """The model answers nonsense: that is the model's verdict, and can be kept."""
    endpoint = Endpoint(lambda rows: [rows[0] | {"Scored Probabilities": wrong}, *rows[1:]])
    assert "1 of 4 scored probabilities" in read(SOME).measure(endpoint, OpenGuard()).problem


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (lambda rows: rows[1:], "answered 3 rows for 4"),
        (lambda rows: [*rows, rows[0]], "answered 5 rows for 4"),
        (lambda rows: [{"Scored Labels": "1"} for _ in rows], "no 'Scored Probabilities'"),
        (lambda rows: [{"Scored Probabilities": "0.5"} for _ in rows], "no 'Scored Labels'"),
        (lambda rows: [row | {"Scored Labels": "maybe"} for row in rows], "no 'Scored Labels'"),
        (lambda rows: [row | {"Scored Probabilities": None} for row in rows], "no 'Scored Probabilities'"),
        (lambda rows: [row | {"Scored Probabilities": "high"} for row in rows], "no 'Scored Probabilities'"),
    ],
)
def test_an_answer_that_is_not_one_score_a_row_is_an_error(answer, words):
    """Not the model's verdict but the service's fault: nothing is concluded from it."""
    with pytest.raises(ServiceError, match=words):
        read(SOME).measure(Endpoint(answer), OpenGuard())


@pytest.mark.parametrize("words", [("1", "0"), ("True", "False"), ("true", "false"), ("1.0", "0.0")])
def test_labels_are_read_however_the_service_writes_them(words):
    """Numbers and truth values alike."""

    def answer(rows):
        return [row | {"Scored Labels": words[row["Scored Labels"] == "0"]} for row in rows]

    assert read(SOME).measure(Endpoint(answer), OpenGuard()).metrics["accuracy"] == 0.75


@pytest.mark.parametrize("name", ["a.csv", "a.csv.gz", "a.arff", "a.parquet"])
def test_a_holdout_is_read_from_every_format_without_rows_whose_label_is_marked(name):
    """A mark that the experiment's input declares is a missing label, by the preview and by the judgement."""
    text = b"arr_delay,p\n20,0.5\n-1,0.25\n-999,0.75\n"
    sink = io.BytesIO()
    pq.write_table(pa.table({"arr_delay": [20, -1, -999], "p": [0.5, 0.25, 0.75]}), sink)
    content = {
        "a.csv": text,
        "a.csv.gz": gzip.compress(text),
        "a.arff": b"@relation t\n@attribute arr_delay numeric\n@attribute p real\n@data\n"
        + text.partition(b"\n")[2],
        "a.parquet": sink.getvalue(),
    }
    data = MemoryContainer("data")
    data.put(name, content[name])
    blobs = {blob.name: blob.etag for blob in data.list()}
    declared = Declared({}, ("-999",))
    found = Holdout.read(data, blobs, LABEL, declared)
    assert [row["p"] for row in found.rows] == ["0.5", "0.25"]
    assert list(found.actual) == list(Holdout.read(data, blobs, LABEL).actual)[:2]
    every = Declared({}, ("-999", "20", "-1"))
    look_at(Heads(data, Memory(SystemClock()), [name], "the holdout"), LABEL, declared)
    with pytest.raises(
        ConfigurationError, match=f"the holdout data/{name} has no value in its column 'arr_delay'"
    ):
        look_at(Heads(data, Memory(SystemClock()), [name], "the holdout"), LABEL, every)
