"""The promotion when things move behind it: gates, bindings, verdicts, attempts; and under any history."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clients.errors import ConfigurationError, GateRefused, UpdateCancelled
from retrain_hooks.gate.lifecycle import HELD, PASSED
from retrain_hooks.host.lifecycle import UNKNOWN
from tests.unit.promotion_world import World, address, key


@pytest.fixture
def world() -> World:
    return World()


def test_going_back_is_judged_against_the_champion_of_today(world):
    """An earlier model is a candidate like any other."""
    world.trained("new", 0.9)
    rules = ("auc >= champion",)
    world.up(world.props(rules=rules))
    with pytest.raises(GateRefused, match=r"auc is 0\.7, must be >= 0\.9"):
        world.up(world.props("base", rules))
    assert world.live == address("new")
    assert world.up(world.props("base"))["verdict"] == PASSED
    assert world.live == address("base")


def test_going_back_to_the_champion_after_a_hold_is_quiet(world):
    """The candidate is then what is served; it does not have to beat the one that was held."""
    world.trained("new", 0.4)
    rules = ("auc > champion", "auc >= 0.65")
    world.up(world.props(rules=rules, onRejected="hold"))
    assert world.up(world.props("base", rules, onRejected="hold"))["verdict"] == PASSED
    assert world.live == address("base")


def test_a_stricter_gate_judges_what_is_served_and_leaves_it_there(world):
    """With fail the update is red, with hold it is green: the endpoint serves the same in both cases."""
    world.trained("new", 0.8)
    world.up(world.props())
    with pytest.raises(GateRefused):
        world.up(world.props(rules=("auc >= 0.85",)))
    assert world.up(world.props(rules=("auc >= 0.85",), onRejected="hold"))["verdict"] == HELD
    assert world.live == address("new")


def test_a_held_candidate_is_judged_anew_when_the_champion_changes(world):
    """Somebody binds a weaker model: the comparison is another one."""
    world.trained("new", 0.68)
    world.trained("weak", 0.6)
    props = world.props(rules=("auc >= champion",), onRejected="hold")
    assert world.up(props)["verdict"] == HELD
    world.bind(address("weak"))
    assert world.up(props)["verdict"] == PASSED
    assert world.live == address("new")


def test_a_refused_candidate_bound_by_hand_is_still_refused(world):
    """Binding it behind the gate's back does not make it pass."""
    world.trained("new", 0.4)
    props = world.props(onRejected="hold")
    world.up(props)
    world.bind(address("new"))
    found = world.preview(props)
    assert (found["verdict"], found["model"]["address"]) == (HELD, address("base"))


def test_a_candidate_bound_by_hand_before_it_was_judged_must_beat_what_was_promoted(world):
    """The champion is then what this stack chose last, scored on staging as it is served nowhere."""
    world.trained("new", 0.9)
    world.trained("sly", 0.5)
    rules, label = ("auc >= champion",), "arr_delay >= 15"
    world.up(world.props(rules=rules, label=label))
    world.bind(address("sly"))
    with pytest.raises(GateRefused, match="auc is"):
        world.up(world.props("sly", rules, label=label))
    assert ("staging", f"registry/{address('new')}") in world.services.patches


def test_a_lost_verdict_does_not_disturb_what_was_promoted(world):
    """It was let through; the state says so."""
    world.trained("new", 0.9)
    props = world.props(label="arr_delay >= 15")
    found = world.up(props)
    del world.registry.blobs[world.verdicts[0]]
    assert world.preview(props) is found


def test_a_corrupt_verdict_is_not_believed_and_judged_anew(world):
    """A held candidate does not slip through by it; the finding is told."""
    world.trained("new", 0.4)
    props = world.props(label="arr_delay >= 15", onRejected="hold")
    world.up(props)
    (name,) = world.verdicts
    world.registry.put(name, world.registry.read(name)[0].replace(b"refused", b"passed "))
    world.services.scored.clear()
    found = world.up(props)
    assert (found["verdict"], world.live) == (HELD, address("base"))
    assert world.services.scored == ["staging"]
    assert any("is not believed" in line for line in world.told.lines)
    assert world.preview(props) is found


def test_another_stack_s_verdict_is_used(world):
    """The same candidate, champion and gate on the same holdout are judged once."""
    world.trained("new", 0.9)
    props = world.props(rules=("auc >= champion",), label="arr_delay >= 15")
    world.up(props)
    other = World()
    other.registry, other.data = world.registry, world.data
    other.services.serving["staging"] = other.services.serving["default"]
    assert other.preview(props)["verdict"] == PASSED
    assert other.up(props)["verdict"] == PASSED
    assert other.services.scored == []


def test_a_new_attempt_at_a_lost_model_is_judged_by_itself(world):
    """The address is another, so the verdict of the first attempt is not its."""
    world.trained("new", 0.9)
    world.up(world.props())
    world.trained("new", 0.4, attempt=2)
    with pytest.raises(GateRefused):
        world.up(world.props())
    assert world.live == address("new")


def test_a_cancelled_update_writes_nothing(world):
    """Neither a PATCH of staging nor a verdict."""
    world.trained("new", 0.9)

    def stop() -> None:
        raise UpdateCancelled("cancelled", "again")

    world.guard.check = stop
    for gate in ({}, {"label": "arr_delay >= 15"}):
        with pytest.raises(UpdateCancelled):
            world.up(world.props(**gate))
    assert (world.verdicts, world.services.patches) == ([], [])


@pytest.mark.parametrize(
    ("gate", "words"),
    [
        ({"rules": "auc >= 0.5"}, "gateRules: 'auc >= 0.5' is not a list"),
        ({"rules": ["auc"]}, r"gateRules\[0\]: 'auc' is not a rule of a gate"),
        ({"onRejected": "ignore"}, "gateOnRejected: 'ignore' is not one of fail, hold"),
        ({"approval": "yes"}, "gateApproval: 'yes' is neither true nor false"),
        ({"approve": "yes"}, "approve: 'yes' is not a run key"),
        ({"approve": "abc123"}, "approve: 'abc123' is not a run key"),
        ({"minimumRows": -1}, "gateMinimumRows: -1 is less than 0 rows"),
        ({"minimumRows": 0.5}, "gateMinimumRows: 0.5 is not a whole number of rows"),
        ({"label": "arr_delay"}, "gateLabel: 'arr_delay' does not say which rows"),
    ],
)
def test_a_gate_that_is_none_is_refused_in_the_preview(world, gate, words):
    """Before anything is trained or bound, also where nothing else is known yet."""
    props = world.props("untrained") | {"service": UNKNOWN}
    with pytest.raises(ConfigurationError, match=words):
        world.preview(props | {"gate": props["gate"] | gate})


def test_a_holdout_needs_a_label_and_a_staging_endpoint_of_its_own(world):
    """The live endpoint is never where a candidate is tried."""
    props = world.props(label="arr_delay >= 15")
    with pytest.raises(ConfigurationError, match="which of its rows are positive"):
        world.preview(props | {"gate": props["gate"] | {"label": ""}})
    for name in ("", "live"):
        with pytest.raises(ConfigurationError, match="staging endpoint"):
            world.preview(props | {"stagingEndpoint": name})


def test_nothing_held_without_something_to_hold(world):
    """An endpoint that serves nothing has no champion to keep: nothing is to be served."""
    world.trained("new", 0.4)
    world.services.serving["live"] = ""
    with pytest.raises(GateRefused, match="live serves nothing until a model passes"):
        world.promote(world.props())
    held = world.promote(world.props(onRejected="hold"))
    assert (held["verdict"], held["model"]) == (HELD, {"address": "", "sha256": ""})


def test_only_candidate_champion_and_gate_are_changes(world):
    """Never the model, which follows from them, and never what a later look knows better."""
    world.trained("new", 0.9)
    old = world.up(world.props())
    new = world.life.check(world.props(), world.inputs)
    assert not world.life.diff(old, new).changes
    assert not world.life.diff(old, new | {"model": {"address": "x"}, "rules": [], "verdict": HELD}).changes
    assert not world.life.diff(
        old, world.life.check(world.props(rules=(" auc>=0.650",)), world.inputs)
    ).changes
    for change in (
        {"candidate": new["candidate"] | {"address": "x"}},
        {"champion": {"address": "x"}},
        {"gate": new["gate"] | {"approve": "x"}},
        {"holdout": {"digest": "x", "blobs": [], "container": "data", "version": "v"}},
    ):
        assert world.life.diff(old, new | change).changes


def test_what_is_read_is_what_was_decided(world):
    """The decision is the stack's own; nothing is deleted with it."""
    world.trained("new", 0.9)
    found = world.up(world.props())
    assert world.life.read("id", found)[0] == found
    assert "rules" not in world.life.read("id", found)[1]
    world.life.delete("id", found)
    assert world.verdicts


MODELS = {"base": 0.7, "good": 0.8, "better": 0.9, "bad": 0.4, "broken": "nan"}
STEP = st.tuples(
    st.sampled_from(sorted(MODELS)),
    st.sampled_from([("auc >= 0.65",), ("auc >= champion",), ("auc > champion", "auc >= 0.6")]),
    st.fixed_dictionaries(
        {
            "onRejected": st.sampled_from(["fail", "hold"]),
            "approval": st.booleans(),
            "approve": st.sampled_from(["", *map(key, MODELS)]),
        }
    ),
)


@settings(max_examples=150, deadline=None)
@given(st.lists(STEP, min_size=1, max_size=6))
def test_whatever_is_declared_only_what_passed_is_ever_bound(steps):
    """Any history: what is newly bound passed its rules, was approved where asked, and a second update does nothing."""
    world = World()
    for name, auc in MODELS.items():
        world.trained(name, auc)
    for candidate, rules, gate in steps:
        before, props = world.live, world.props(candidate, rules, **gate)
        try:
            promised = world.preview(props)
            found = world.up(props)
        except GateRefused:
            assert world.live == before
            continue
        assert promised["model"]["address"] == found["model"]["address"] == world.live
        assert promised["verdict"] == found["verdict"]
        if world.live != before:
            assert world.live == address(candidate)
            assert MODELS[candidate] >= 0.6
            assert "champion" not in rules[0] or MODELS[candidate] >= world.services.skill[before]
            assert not gate["approval"] or gate["approve"] == key(candidate)
        writes = list(world.registry.writes)
        assert world.up(props) is found
        assert world.registry.writes == writes
