"""A team's own metric: found, judged before anything is trained, run apart, and believed only where it is a number."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from clients.errors import ConfigurationError
from retrain_hooks.gate.measuring.own_metrics import OwnMetric
from retrain_hooks.gate.measuring.own_process import call

PROFIT = """
def profit(actual, scored):
    return sum(10 if really else -3 for really, said in zip(actual, scored) if said)
"""


def written(folder: Path, text: str, name: str = "metrics.py") -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(text, encoding="utf-8")
    return folder


def metric(tmp_path: Path, text: str, function: str = "profit") -> OwnMetric:
    return OwnMetric.find("metrics.py", function, "", written(tmp_path, text))


def value(tmp_path: Path, text: str) -> float:
    rows = [{"amount": "1.5"}, {"amount": "2"}, {"amount": None}]
    return metric(tmp_path, text).value([True, False, True], [True, True, False], [0.9, 0.6, 0.1], rows)


def test_the_function_is_called_with_what_happened_and_what_was_said(tmp_path):
    """Two lists with an entry a row."""
    assert value(tmp_path, PROFIT) == 7


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("def profit(y_true, y_pred, scores):\n    return sum(scores)\n", 1.6),
        (
            "def profit(actual, scored, *, rows):\n    return sum(float(r['amount'] or 0) for r in rows)\n",
            3.5,
        ),
        ("def profit(a, b, rows, scores, scale=2):\n    return scale * len(rows) * len(scores)\n", 18),
        (
            "import numpy as np\n\ndef profit(a, b):\n    return np.mean(np.asarray(a) == np.asarray(b))\n",
            1 / 3,
        ),
        ("from fractions import Fraction\n\ndef profit(a, b):\n    return Fraction(1, 4)\n", 0.25),
        ("def profit(a, b):\n    print('talks')\n    return 1\n", 1),
    ],
)
def test_it_gets_what_it_has_parameters_for(tmp_path, text, wanted):
    """Scores and rows by their names; libraries are there, and what it prints is no answer."""
    assert value(tmp_path, text) == pytest.approx(wanted)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("def profit(actual, scored)\n    return 1\n", "metrics.py, line 1: expected ':'"),
        ("def prophet(a, b):\n    return 1\n", "metrics.py has no function 'profit'; there is: prophet"),
        ("profit = 3\n", "has no function 'profit'; there is: none"),
        ("def profit(rows):\n    return 1\n", "line 1: profit cannot be called with (actual, scored)"),
        ("x = 1\n\ndef profit(a, b, c):\n    return 1\n", "line 3: profit cannot be called.*it asks for c"),
        ("async def profit(a, b):\n    return 1\n", "has no function 'profit'"),
        ("\0", "metrics.py"),
    ],
)
def test_what_cannot_be_called_is_refused_before_it_is(tmp_path, text, words):
    """By its text alone: nothing of it runs."""
    with pytest.raises(ConfigurationError, match=words.replace("(", r"\(").replace(")", r"\)")):
        metric(tmp_path, f"{text}")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (
            "def profit(a, b):\n    x = 1\n    return x / 0\n",
            "line 3: profit raises ZeroDivisionError: division",
        ),
        (
            "def profit(a, b):\n    return help_me(a)\n\ndef help_me(a):\n    raise KeyError('k')\n",
            "line 5: .*KeyError",
        ),
        (
            "import nothing_like_it\n\ndef profit(a, b):\n    return 1\n",
            "line 1: profit raises ModuleNotFound",
        ),
        ("def profit(a, b):\n    return float('nan')\n", "profit of metrics.py returned nan"),
        ("def profit(a, b):\n    return float('inf')\n", "returned inf"),
        ("def profit(a, b):\n    return None\n", "returned NoneType, not a number"),
        ("def profit(a, b):\n    return '7'\n", "returned str, not a number"),
        ("def profit(a, b):\n    return True\n", "returned bool, not a number"),
        ("def profit(a, b):\n    raise SystemExit(0)\n", "raises SystemExit"),
        ("import os\n\ndef profit(a, b):\n    os._exit(3)\n", "without an answer .exit code 3"),
    ],
)
def test_what_comes_to_no_number_is_an_error_with_its_place(tmp_path, text, words):
    """Not the model's verdict: nothing is concluded, and nothing is bound."""
    with pytest.raises(ConfigurationError, match=words):
        value(tmp_path, text)


def test_one_that_hangs_is_ended(tmp_path):
    """With all that it started."""
    text = b"import time\n\ndef profit(a, b):\n    time.sleep(600)\n"
    with pytest.raises(ConfigurationError, match=r"profit of metrics\.py took longer than 0\.5 s"):
        call(text, "metrics.py", "profit", [[], []], {}, seconds=0.5)


def test_one_that_takes_all_memory_is_ended():
    """At its limit, not the machine's."""
    text = b"def profit(a, b):\n    return len(bytearray(1 << 30))\n"
    with pytest.raises(ConfigurationError, match=r"needs more than 256 MB of memory"):
        call(text, "metrics.py", "profit", [[], []], {}, megabytes=256)


def test_it_sees_nothing_of_our_environment(tmp_path, monkeypatch):
    """No secret, no home, and the working directory is an empty one."""
    monkeypatch.setenv("RETRAIN_STUDIO_KEY", "s3cret")
    monkeypatch.setenv("AZURE_CLIENT_SECRET", "s3cret")
    text = (
        "import os\n\ndef profit(a, b):\n"
        "    return sum('s3cret' in v for v in os.environ.values()) + 10 * len(os.listdir('.'))\n"
    )
    assert value(tmp_path, text) == 0
    assert os.environ["RETRAIN_STUDIO_KEY"] == "s3cret"


def test_the_experiments_own_file_comes_before_the_programs(tmp_path):
    """Each experiment may have its own of the same name."""
    written(tmp_path, PROFIT)
    written(tmp_path / "experiments" / "sales", PROFIT.replace("10", "20"))
    own = OwnMetric.find("metrics.py", "profit", "sales", tmp_path)
    shared = OwnMetric.find("metrics.py", "profit", "flights", tmp_path)
    assert b"20" in own.content
    assert b"10" in shared.content
    assert own.digest != shared.digest


@pytest.mark.parametrize("file", ["../metrics.py", "/etc/metrics.py", "a/../../metrics.py"])
def test_a_file_outside_the_project_is_refused(tmp_path, file):
    """A rule names what belongs to the project."""
    with pytest.raises(ConfigurationError, match="is outside the project"):
        OwnMetric.find(file, "profit", "", tmp_path)


def test_a_file_that_is_not_there_is_named_with_both_its_places(tmp_path):
    """Where to write it."""
    with pytest.raises(ConfigurationError, match=r"experiments/sales/metrics.py or metrics.py"):
        OwnMetric.find("metrics.py", "profit", "sales", tmp_path)
