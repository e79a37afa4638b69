"""Rings as they are declared: their endpoints, how long they bake, and what must hold."""

from __future__ import annotations

import math
import sys

import pytest

from clients.errors import ConfigurationError
from retrain_hooks.rings import Observation, Ring, Rule, duration, endpoints_of, parse_rings


def seen(**values: float) -> Observation:
    return Observation(
        "pilot", "pilot", "models/x", 20, **({"errors": 0.0, "p95": 10.0, "shift": 0.1} | values)
    )


@pytest.mark.parametrize(
    ("rule", "value", "holds"),
    [
        ("errors <= 0.01", 0.01, True),
        ("errors <= 0.01", 0.02, False),
        ("errors < 0.01", 0.01, False),
        ("p95 <= 250", 250.0, True),
        ("p95<250", 250.0, False),
        ("shift >= .1", 0.1, True),
        ("shift > 0.1", 0.1, False),
        (" shift  <=  2 ", 1.5, True),
        ("errors <= 1", math.nan, False),
        ("p95 <= 250", math.inf, False),
        ("shift >= 0", math.nan, False),
    ],
)
def test_a_rule_compares_what_was_measured_and_fails_closed(rule, value, holds):
    """What is not known does not hold."""
    parsed = Rule.parse(rule)
    reason = parsed.judge(seen(**{rule.split()[0].split("<")[0]: value}))
    assert (reason == "") is holds
    assert holds or reason.startswith(rule.split()[0].split("<")[0])


def test_a_broken_rule_says_what_was_measured_and_what_was_wanted():
    """Both as a person reads them."""
    assert Rule.parse("p95 <= 250").judge(seen(p95=300.4)) == "p95 is 300.4, not <= 250"
    assert Rule.parse("shift <= 0.2").judge(seen(shift=math.nan)) == "shift is not known, not <= 0.2"


@pytest.mark.parametrize(
    "text",
    ["", "auc >= 0.6", "errors == 0", "errors <=", "errors <= x", "errors <= 1 or 2", "a:b:c", 7, None],
)
def test_what_is_no_rule_is_refused_with_how_one_is_written(text):
    """Before anything is changed."""
    with pytest.raises(ConfigurationError, match="is no rule") as refused:
        Rule.parse(text)
    assert "errors <= 0.01" in refused.value.remedy


@pytest.fixture
def checks(tmp_path, monkeypatch):
    """A project with a module of checks."""
    (tmp_path / "ring_checks.py").write_text(
        "def steady(seen):\n    return True\n"
        "def odd(seen):\n    return f'{seen.endpoint} shifts by {seen.shift}'\n"
        "def nothing(seen):\n    pass\n"
        "def one(seen):\n    return 1\n"
        "def crash(seen):\n    raise KeyError('x')\n"
        "number = 7\n"
    )
    (tmp_path / "broken_checks.py").write_text("import nowhere_to_be_found\n")
    (tmp_path / "worse_checks.py").write_text("1 / 0\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    yield
    sys.modules.pop("ring_checks", None)


@pytest.mark.parametrize(
    ("function", "reason"),
    [
        ("steady", ""),
        ("odd", "ring_checks:odd says 'pilot shifts by 0.1'"),
        ("nothing", "ring_checks:nothing says None"),
        ("one", "ring_checks:one says 1"),
        ("crash", "ring_checks:crash failed: KeyError: 'x'"),
    ],
)
@pytest.mark.usefixtures("checks")
def test_a_check_of_ones_own_lets_a_model_through_with_true_only(function, reason):
    """A text, anything else, and an exception do not."""
    assert Rule.parse(f"ring_checks:{function}").judge(seen()) == reason


@pytest.mark.parametrize(
    "name",
    [
        "nowhere_checks:steady",
        "ring_checks:missing",
        "ring_checks:number",
        "broken_checks:steady",
        "worse_checks:steady",
    ],
)
@pytest.mark.usefixtures("checks")
def test_a_check_that_is_not_there_is_refused_before_anything_is_changed(name):
    """No module, one that cannot be imported, no function in it."""
    with pytest.raises(ConfigurationError, match="names no function") as refused:
        Rule.parse(name)
    assert name.split(":")[1] in refused.value.remedy


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("30s", 30), ("10m", 600), ("1.5h", 5400), ("250ms", 0.25), ("7", 7), (0, 0), (2.0, 2), (" 1 m ", 60)],
)
def test_a_duration_is_read_as_it_is_written(text, seconds):
    """Seconds without a unit."""
    assert duration(text) == seconds


@pytest.mark.parametrize("text", ["", "m", "-1s", "1d", "ten", "1m30s", None])
def test_what_is_no_duration_is_refused(text):
    """With how one is written."""
    with pytest.raises(ConfigurationError, match="is no duration"):
        duration(text)


def test_a_ring_is_read_with_defaults():
    """Called after its first endpoint, without bake and rules."""
    assert Ring.parse({"endpoints": [" pilot ", "asia"]}) == Ring("pilot", ("pilot", "asia"))
    full = Ring.parse({"name": "x", "endpoints": ["a"], "bake": "2m", "rules": ["errors <= 0"]})
    assert (full.name, full.bake, [rule.text for rule in full.rules]) == ("x", 120.0, ["errors <= 0"])


@pytest.mark.parametrize("endpoints", [[], [""], ["pilot", " "], None])
def test_a_ring_without_an_endpoint_is_refused(endpoints):
    """Named."""
    with pytest.raises(ConfigurationError, match="'x' has no endpoint"):
        Ring.parse({"name": "x", "endpoints": endpoints})


def test_an_endpoint_is_in_one_place_of_the_rings():
    """Neither in two rings nor twice in one; and no two rings have one name."""
    for endpoints in (["a", "b"], ["b"]), (["a", "a"], ["b"]):
        with pytest.raises(ConfigurationError, match="more than one place"):
            parse_rings([{"name": str(n), "endpoints": each} for n, each in enumerate(endpoints)])
    with pytest.raises(ConfigurationError, match="the same name"):
        parse_rings([{"name": "x", "endpoints": ["a"]}, {"name": "x", "endpoints": ["b"]}])


def test_the_endpoints_of_rings_are_known_whatever_their_rules():
    """A check that is gone keeps nobody from reading or deleting what it was for."""
    declared = [{"endpoints": ["a", "b"], "rules": ["gone:away"]}, {"endpoints": ["c"]}, {}]
    assert endpoints_of(declared) == ("a", "b", "c")
