"""The probe: which rows are asked, what an answer is, and when two are the same."""

from __future__ import annotations

import math
from types import SimpleNamespace
from typing import Any

import pytest

from clients.errors import (
    ConfigurationError,
    CredentialError,
    EngineGone,
    NotFound,
    ServiceError,
    Throttled,
    Unreachable,
    UpdateCancelled,
)
from retrain_hooks.serving.probe import Look, look, read_rows, shift
from tests.unit.fakes import ManualClock, MemoryContainer

ROWS = [{"p": "1"}, {"p": "2"}]


@pytest.fixture
def data() -> MemoryContainer:
    return MemoryContainer("data")


def table(rows: int, separator: str = ",") -> bytes:
    return (f"p{separator}q\n" + "".join(f"{row}{separator}x\n" for row in range(rows))).encode()


def test_rows_are_spread_over_the_beginning_of_the_data(data):
    """Evenly, as many as are wanted."""
    data.put("a.csv", table(100))
    assert [row["p"] for row in read_rows(data, ["a.csv"], 4)] == ["0", "25", "50", "75"]
    assert len(read_rows(data, ["a.csv"], 1000)) == 100
    assert len(read_rows(data, ["a.csv"], 99)) == 99


@pytest.mark.parametrize("count", [0, -1])
def test_no_rows_wanted_are_no_rows(data, count):
    """Nothing is read."""
    data.put("a.csv", table(3))
    assert read_rows(data, ["a.csv"], count) == []


def test_rows_come_from_the_first_blob_that_has_any(data):
    """Those that are gone or empty are passed over; none at all is no error."""
    data.put("_committed_7", b"x\n{}\n")
    data.put("empty.csv", b"p,q\n")
    data.put("b.csv", table(2))
    assert len(read_rows(data, ["_committed_7", "gone.csv", "empty.csv", "b.csv"], 5)) == 2
    assert read_rows(data, ["gone.csv", "empty.csv"], 5) == []
    assert read_rows(data, [], 5) == []


def test_tabs_byte_order_marks_and_empty_cells_are_read_as_they_are_meant(data):
    """A missing value is null, as training reads it; in UTF-16 as in UTF-8."""
    text = "p\tq\n1\t\n2\tx\n3\tNA\n"
    wanted = [{"p": "1", "q": None}, {"p": "2", "q": "x"}, {"p": "3", "q": None}]
    for encoding in ("utf-8", "utf-8-sig", "utf-16"):
        data.put("a.tsv", text.encode(encoding))
        assert read_rows(data, ["a.tsv"], 5) == wanted


def test_rows_that_are_not_those_of_the_header_are_refused(data):
    """Which value belongs to which column can't be told."""
    data.put("a.csv", b"p,q\n1,2\n1,2,3\n")
    with pytest.raises(ConfigurationError, match=r"a\.csv: line 3 has 3 values, and the table has 2 columns"):
        read_rows(data, ["a.csv"], 5)


def test_a_row_that_was_cut_off_is_left_out(data):
    """Of a large blob the beginning is read, to the end of a line."""
    line = b"1," + b"x" * 997 + b"\n"
    data.put("a.csv", b"p,q\n" + line * 1000)
    found = read_rows(data, ["a.csv"], 1000)
    assert 200 < len(found) < 300
    assert {len(row["q"] or "") for row in found} == {997}


def scoring(answer: Any, clock: ManualClock | None = None) -> Any:
    """A service that answers *answer*, or raises it, after two seconds of *clock*."""

    def score(_rows: Any) -> Any:
        if clock:
            clock.sleep(2.0)
        if isinstance(answer, BaseException):
            raise answer
        return answer

    return lambda: SimpleNamespace(score=score)


def seen(answer: Any) -> Look:
    return look(scoring(answer), ROWS, ManualClock())


def labels(*values: Any, **more: str) -> list[dict[str, Any]]:
    return [{"Scored Labels": value, **more} for value in values]


def test_equal_answers_are_the_same_to_six_digits():
    """Another machine may sum in another order; order of rows, text and columns count."""
    one = seen(labels("0.123456789", "1"))
    assert one.answers == seen(labels("0.1234567", 1.0)).answers
    others = [labels("0.12346", "1"), labels("1", "0.123456789"), labels("0.123456789", "one")]
    others.append(labels("0.123456789", "1", extra="x"))
    assert one.answers not in [seen(other).answers for other in others]


def test_scores_are_probabilities_or_else_labels():
    """None where one is no number, or not finite."""
    both = [{"Scored Labels": "1", "Scored Probabilities": "0.75"}] * 2
    assert seen(both).scores == (0.75, 0.75)
    assert seen(labels("1", "0")).scores == (1.0, 0.0)
    assert seen(labels("late", "early")).scores == ()
    assert seen(labels("1", "nan")).scores == ()
    assert seen(labels("1", "inf")).scores == ()


def test_an_answer_of_another_length_is_none():
    """A model that loses rows does not serve."""
    found = seen(labels("1"))
    assert (found.answers, found.error, found.told) == ("", "1 rows were answered for 2", "error")


def test_a_look_takes_its_time():
    """Whether it is answered or not."""
    for answer in (labels("1", "0"), Unreachable("away", "x")):
        clock = ManualClock()
        assert look(scoring(answer, clock), ROWS, clock).seconds == 2.0


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (Unreachable("away", "x"), ""),
        (Throttled("503", "x", status=503), ""),
        (Throttled("429", "x", status=429), ""),
        (ServiceError("500", "x", status=500), ""),
        (ServiceError("half an answer", "x"), ""),
        (ServiceError("408", "x", status=408), ""),
        (ServiceError("400", "x", status=400), "error"),
        (ServiceError("413", "x", status=413), "error"),
        (NotFound("404", "x", status=404), "error"),
        (CredentialError("401", "x"), "error"),
    ],
)
def test_an_error_tells_something_of_the_model_or_passes(error, told):
    """Nobody answered, half, or with a plea for patience: that says nothing of the model."""
    found = seen(error)
    assert (found.answers, found.error, found.told) == ("", error.cause, told)


@pytest.mark.parametrize("error", [UpdateCancelled, EngineGone])
def test_an_interrupted_update_is_no_answer(error):
    """It ends the look."""
    with pytest.raises(error):
        seen(error("stop", "again"))


def test_a_service_that_cannot_be_reached_at_all_is_seen_as_well():
    """Its key or address was not to be had."""

    def nowhere() -> Any:
        raise Unreachable("away", "x")

    assert look(nowhere, ROWS, ManualClock()).error == "away"


def test_a_shift_is_the_mean_absolute_difference():
    """Not known without scores of both, row by row."""
    assert shift((0.1, 0.9), (0.2, 0.6)) == pytest.approx(0.2)
    assert shift((1.0,), (1.0,)) == 0.0
    for new, old in (((), ()), ((), (1.0,)), ((1.0,), ()), ((1.0,), (1.0, 2.0))):
        assert math.isnan(shift(new, old))


def test_answers_of_two_deployments_differ_where_the_service_says_who_answered():
    """Two may serve the same model: who answered tells whose answer it is; nobody named is no difference."""

    def by(who: str) -> Look:
        service = SimpleNamespace(score=lambda _rows: labels("0.5", "0.25"), answered_by=who)
        return look(lambda: service, ROWS, ManualClock())

    assert by("ours").answers == by("ours").answers
    assert by("ours").answers != by("theirs").answers
    assert all(one != other for one, other in zip(by("ours").rows, by("theirs").rows, strict=True))
    assert by("").answers == seen(labels("0.5", "0.25")).answers
    assert by("ours").scores == by("theirs").scores == (0.5, 0.25)
