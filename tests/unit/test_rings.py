"""Rings as they are declared: their endpoints, how long they bake, and what must hold."""

from __future__ import annotations

import math
import sys

import pytest

from clients.errors import ConfigurationError
from retrain_hooks.binding.bake_rules import BakeRule, Observation
from retrain_hooks.binding.inputs import ModelBindingInputs, RingInputs
from retrain_hooks.binding.lifecycle import ModelBindingLifecycle
from retrain_hooks.host.inputs import Duration
from retrain_hooks.host.lifecycle import UNKNOWN
from tests.unit.rollout_world import World, ring


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
    parsed = BakeRule.parse(rule)
    reason = parsed.judge(seen(**{rule.split()[0].split("<")[0]: value}))
    assert (reason == "") is holds
    assert holds or reason.startswith(rule.split()[0].split("<")[0])


def test_a_broken_rule_says_what_was_measured_and_what_was_wanted():
    """Both as a person reads them."""
    assert BakeRule.parse("p95 <= 250").judge(seen(p95=300.4)) == "p95 is 300.4, not <= 250"
    assert BakeRule.parse("shift <= 0.2").judge(seen(shift=math.nan)) == "shift is not known, not <= 0.2"


@pytest.mark.parametrize(
    "text",
    ["", "auc >= 0.6", "errors == 0", "errors <=", "errors <= x", "errors <= 1 or 2", "a:b:c", 7, None],
)
def test_what_is_no_rule_is_refused_with_how_one_is_written(text):
    """Before anything is changed."""
    with pytest.raises(ConfigurationError, match="is not a rule") as refused:
        BakeRule.parse(text)
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
        "import sys, asyncio\n"
        "class Own(BaseException): pass\n"
        "def leaves(seen):\n    sys.exit(seen.endpoint)\n"
        "def leaves_well(seen):\n    sys.exit(0)\n"
        "def cancelled(seen):\n    raise asyncio.CancelledError('x')\n"
        "def closes(seen):\n    raise GeneratorExit\n"
        "def own(seen):\n    raise Own('x')\n"
        "def interrupted(seen):\n    raise KeyboardInterrupt\n"
    )
    (tmp_path / "leaving_checks.py").write_text("import sys\nsys.exit(0)\n")
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
        ("leaves", "ring_checks:leaves failed: SystemExit: pilot"),
        ("leaves_well", "ring_checks:leaves_well failed: SystemExit: 0"),
        ("cancelled", "ring_checks:cancelled failed: CancelledError: x"),
        ("closes", "ring_checks:closes failed: GeneratorExit: "),
        ("own", "ring_checks:own failed: Own: x"),
    ],
)
@pytest.mark.usefixtures("checks")
def test_a_check_of_ones_own_lets_a_model_through_with_true_only(function, reason):
    """A text, anything else, and an exception do not."""
    assert BakeRule.parse(f"ring_checks:{function}").judge(seen()) == reason


@pytest.mark.usefixtures("checks")
def test_an_interrupt_goes_through_a_check_of_ones_own():
    """It is the person's at the terminal, who wants the update to end."""
    with pytest.raises(KeyboardInterrupt):
        BakeRule.parse("ring_checks:interrupted").judge(seen())


@pytest.mark.parametrize(
    "name",
    [
        "nowhere_checks:steady",
        "ring_checks:missing",
        "ring_checks:number",
        "broken_checks:steady",
        "worse_checks:steady",
        "leaving_checks:steady",
    ],
)
@pytest.mark.usefixtures("checks")
def test_a_check_that_is_not_there_is_refused_before_anything_is_changed(name):
    """No module, one that cannot be imported, no function in it."""
    with pytest.raises(ConfigurationError, match="does not name a function") as refused:
        BakeRule.parse(name)
    assert name.split(":")[1] in refused.value.remedy


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("30s", 30), ("10m", 600), ("1.5h", 5400), ("250ms", 0.25), ("7", 7), (0, 0), (2.0, 2), (" 1 m ", 60)],
)
def test_a_duration_is_read_as_it_is_written(text, seconds):
    """Seconds without a unit."""
    assert Duration.parse(text) == seconds


@pytest.mark.parametrize("text", ["", "m", "-1s", "1w", "ten", "1m30s", None])
def test_what_is_no_duration_is_refused(text):
    """With how one is written."""
    with pytest.raises(ConfigurationError, match="is not a duration"):
        Duration.parse(text)


def test_a_ring_is_read_with_defaults():
    """Called after its first endpoint, without bake and rules."""
    plain = RingInputs.parse({"endpoints": [" pilot ", "asia"]})
    assert (plain.title, plain.names, plain.bake, plain.bake_rules) == ("pilot", ("pilot", "asia"), 0.0, ())
    full = RingInputs.parse({"name": "x", "endpoints": ["a"], "bake": "2m", "rules": ["errors <= 0"]})
    assert (full.title, full.bake, [rule.text for rule in full.bake_rules]) == ("x", 120.0, ["errors <= 0"])


def test_without_rings_the_live_endpoint_is_one():
    """By itself."""
    assert ModelBindingInputs.parse(World().props()).endpoints == ("live",)


def rings(*named: tuple[str, list[str]]) -> list[dict]:
    return [{"name": name, "endpoints": endpoints} for name, endpoints in named]


@pytest.mark.parametrize(
    ("declared", "cause"),
    [
        ({"rings": rings(("x", []))}, "rings: the ring 'x' has no endpoint"),
        ({"rings": rings(("x", ["live", " "]))}, "rings: the ring 'x' has no endpoint"),
        (
            {"rings": rings(("x", ["pilot", "live"]), ("y", ["live"]))},
            "rings: the endpoint 'live' is in more than one place",
        ),
        ({"rings": rings(("x", ["live", " live"]))}, "rings: the endpoint 'live' is in more than one place"),
        ({"rings": rings(("x", ["pilot"]), ("x", ["live"]))}, "rings: two rings are called 'x'"),
        ({"rings": rings(("x", ["pilot"]))}, "rings: the live endpoint 'live' is in none of them"),
        (
            {"rings": rings(("x", ["staging"]), ("y", ["live"]))},
            "rings: the endpoint 'staging' is the staging endpoint",
        ),
        ({"stagingEndpoint": "live"}, "rings: the endpoint 'live' is the staging endpoint"),
        ({"rings": "live"}, "rings: 'live' is not a list"),
        ({"rings": [{"name": "x"}]}, "rings[0].endpoints is not given"),
        ({"rings": [ring("live", "ten")]}, "bake: 'ten' is not a duration"),
        ({"rings": [ring("live", "-1s")]}, "bake: '-1s' is not a duration"),
        (
            {"rings": [ring("live", "1s", "errors == 0")]},
            "bakeRules[0]: 'errors == 0' is not a rule of a ring",
        ),
        (
            {"rings": [ring("live", "1s", "nowhere:to_be")]},
            "bakeRules[0]: 'nowhere:to_be' does not name a function",
        ),
        ({"probe": {"rows": -1}}, "probeRows: -1 is less than 0 rows"),
        ({"probe": {"rows": "many"}}, "probeRows: 'many' is not a whole number of rows"),
        ({"probe": {"deadline": "ten"}}, "probeDeadline: 'ten' is not a duration"),
        ({"probe": {"settle": "1w"}}, "probeSettle: '1w' is not a duration"),
    ],
)
@pytest.mark.usefixtures("checks")
def test_what_a_rollout_could_not_be_done_with_is_refused_by_the_preview(declared, cause):
    """With its name, as the stack's configuration has it; also where the service is not known yet."""
    world = World()
    with pytest.raises(ConfigurationError) as refused:
        world.lifecycle().check(world.props(**declared) | {"service": UNKNOWN, "address": UNKNOWN}, {})
    assert refused.value.cause.startswith(cause)
    assert refused.value.remedy


def test_a_staging_endpoint_that_is_not_known_yet_collides_with_nothing():
    """Its name is an output in a first preview."""
    world = World()
    props = world.props(stagingEndpoint=UNKNOWN) | {"service": UNKNOWN, "address": UNKNOWN}
    assert world.lifecycle().check(props, {}) == props


def test_a_state_whose_check_is_gone_can_still_be_read_and_deleted():
    """Its endpoints are known whatever their rules."""
    world = World()
    outputs = world.up()
    outputs |= {"rings": [ring("live", "1s", "gone:away")]}
    life: ModelBindingLifecycle = world.lifecycle()
    assert life.read("id", outputs)[0] == outputs
    assert not life.diff(outputs, outputs).changes
    life.delete("id", outputs)
    assert not [name for name in world.registry.blobs if name.startswith("bound/")]
