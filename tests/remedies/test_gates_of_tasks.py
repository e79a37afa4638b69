"""What a gate of any task advises, done, and it is a gate; what a team's own metric is told, done, and it is a number."""

from __future__ import annotations

from pathlib import Path

import pytest

from retrain_hooks.gate.inputs import GateInputs
from retrain_hooks.gate.measures import measure
from retrain_hooks.gate.measuring.own_metrics import OwnMetric
from retrain_hooks.gate.measuring.own_process import call
from retrain_hooks.gate.settling import Settled, own_metrics, settled, unchanged
from tests.healing import Told

heals = pytest.mark.heals
GOOD = "def profit(actual, scored):\n    return 1.0\n"


def gate(*rules: str, holdout: bool = False, source: str = "", **given: str) -> Settled:
    return settled(GateInputs(rules, **given), source, holdout=holdout)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working directory, with a metric of one's own."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "metrics.py").write_text(GOOD, encoding="utf-8")
    return tmp_path


def profit(text: str = GOOD, file: str = "metrics.py", function: str = "profit") -> OwnMetric:
    Path("metrics.py").write_text(text, encoding="utf-8")
    return OwnMetric.find(file, function, "")


def value(text: str) -> float:
    return profit(text).value([True], [True], None, [])


@heals("leave out `at {}`; a threshold have: {}")
@heals("write it like precision at 0.8")
def test_thresholds(remedy: Told) -> None:
    """Of the metrics that depend on one, between 0 and 1."""
    remedy.fails(lambda: measure("auc at 0.5"))
    remedy.fails(lambda: measure("precision at 8"))
    assert measure("auc")
    assert measure("recall at 0.5")
    assert measure("precision at 0.8")


@heals("leave out gateLabel")
@heals("name the holdout's column of {}, such as {}")
def test_labels(remedy: Told) -> None:
    """A column for what has one."""
    remedy.fails(lambda: gate(task="clustering", label="kind", holdout=True))
    assert gate(task="clustering", holdout=True)
    remedy.fails(lambda: gate(task="regression", label="price >= 3", holdout=True))
    remedy.fails(lambda: gate(task="multiclass", holdout=True))
    assert gate(task="regression", label="price", holdout=True)
    assert gate(task="multiclass", label="species", holdout=True)


@heals("leave out `task`, which is for experiments whose graph is not known, or name another experiment")
@heals("leave out positiveClass")
@heals("write it like {}", at="retrain_hooks/gate/settling.py")
@heals("set holdoutDataVersion to data of which the outcome is known")
def test_what_the_task_does_not_have(remedy: Told) -> None:
    """Neither its metrics nor a positive class."""
    remedy.fails(lambda: gate(task="regression", source="flights"))
    assert gate(source="flights")
    assert gate(task="regression", source="another")
    remedy.fails(lambda: gate(task="regression", positive_class="late"))
    error = remedy.fails(lambda: gate("auc >= 0.6", task="regression"))
    assert gate(error.remedy.removeprefix("write it like "), task="regression")
    remedy.fails(lambda: gate("precision at 0.8 >= 0.6"))
    assert gate("precision at 0.8 >= 0.6", holdout=True, label="y == 1")


@heals("name it like metrics.py")
@heals("write the function {} into {}")
@heals("write `def {}(actual, scored):` into {}, or name one that it has")
@heals("write it like `def {}(actual, scored):`; it may also take `scores` and `rows`")
@heals("correct {}: it is no Python")
@heals("keep metrics in a file of their own")
@heals("correct the file", at="retrain_hooks/gate/measuring/own_metrics.py")
def test_a_metric_that_is_not_there(remedy: Told, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Written where it says, as it says."""
    remedy.fails(lambda: profit(file="../metrics.py"))
    remedy.fails(lambda: profit(file="other.py"))
    remedy.fails(lambda: profit(function="loss"))
    remedy.fails(lambda: profit("def profit(rows):\n    return 1\n"))
    remedy.fails(lambda: profit("def profit(:\n"))
    remedy.fails(lambda: profit(GOOD + "#" * 2**20))
    with monkeypatch.context() as broken:
        broken.setattr(Path, "read_bytes", _unreadable)
        remedy.fails(profit)
    assert profit(GOOD + "\ndef loss(actual, scored):\n    return 2\n", function="loss")
    assert profit("def profit(actual, scored, rows=None, *, scores):\n    return 1\n")
    (folder / "other.py").write_text(GOOD, encoding="utf-8")
    assert profit(file="other.py")


def _unreadable(_path: Path) -> bytes:
    raise PermissionError(13, "Permission denied")


@heals("let {} return a finite number for any rows")
@heals("correct {}, and try {} on a few rows")
@heals("let {} end sooner, or judge on a smaller holdout")
@heals("let {} keep less of the rows, or judge on a smaller holdout")
def test_a_metric_that_is_none(remedy: Told, folder: Path) -> None:
    """Corrected it is a number."""
    remedy.fails(lambda: value("def profit(a, b):\n    return float('nan')\n"))
    remedy.fails(lambda: value("def profit(a, b):\n    return 1 / 0\n"))
    slow = b"import time\n\ndef profit(a, b):\n    time.sleep(600)\n"
    large = b"def profit(a, b):\n    return len(bytearray(1 << 30))\n"
    remedy.fails(lambda: call(slow, "metrics.py", "profit", [[], []], {}, seconds=0.5))
    remedy.fails(lambda: call(large, "metrics.py", "profit", [[], []], {}, megabytes=256))
    assert value(GOOD) == 1


@heals("run the update again", at="retrain_hooks/gate/settling.py")
def test_a_metric_that_changes_during_an_update(remedy: Told, folder: Path) -> None:
    """The next one judges by what it is then."""
    rule = "metrics.py: profit >= 0"
    before = gate(rule, holdout=True, label="y == 1")
    (folder / "metrics.py").write_text(GOOD.replace("1.0", "2.0"), encoding="utf-8")

    def judged(found: Settled) -> bool:
        own = own_metrics(found.gate.rule_set.rules, "")
        unchanged(own, found.gate.functions)
        return bool(own)

    remedy.fails(lambda: judged(before))
    assert judged(gate(rule, holdout=True, label="y == 1"))
