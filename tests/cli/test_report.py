"""What is said at the end of an update: each line tells of one run, what serves or what was judged."""

from __future__ import annotations

import io
import re
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.console import Console

from cli.services.report import after_up, secret_outputs, summary
from clients.errors import ConfigurationError
from retrain_hooks.registry.run_key import key_of
from tests.unit.gated_world import Gated
from tests.unit.promotion_world import address, key

# Distinct in all that is said of them.
RUNS = {"base": 0.7, "worse": 0.41, "bad": 0.52, "good": 0.83, "best": 0.94}
MOVES = st.tuples(
    st.sampled_from(sorted(RUNS)),
    st.sampled_from(["declared", "held", "waiting", "approved", "pinned", "drift", "targeted"]),
)


def a_world() -> Gated:
    world = Gated()
    for name, auc in RUNS.items():
        world.trained(name, auc, version=f"data-{name}")
    return world


def play(world: Gated, name: str, move: str) -> None:
    """One thing that happens to a stack."""
    if move == "drift" and "live" in world.services.serving:
        world.services.serving["live"] = f"registry/{address(name)}"
        world.refresh()
        return
    gate: dict[str, Any] = {"onRejected": "hold"}
    if move in ("waiting", "approved"):
        gate |= {"approval": True, "approve": key(name)[:12] if move == "approved" else ""}
    if move != "targeted":
        world.deploy(name, **gate)
        return
    promotion = world.resources["promotion"]
    promotion.up(world.context, world.props(name, **gate) | {"service": world.service}, [])


def exported(world: Gated) -> dict[str, Any]:
    """The stack's outputs, as ``Endpoint.outputs`` makes them of promotion and binding."""
    judged, bound = (world.resources[name].outputs for name in ("promotion", "binding"))
    served, run = bound.get("address", ""), bound.get("run") or {}
    candidate = judged["candidate"]
    return {
        "endpointUrl": "http://live",
        "modelAddress": served,
        "serving": {"modelAddress": served, "runKey": key_of(served), **_of(run, "dataVersion", "metrics")},
        **_of(candidate, "runKey", "dataVersion", "metrics"),
        "asked": {"runKey": candidate["runKey"], "dataVersion": candidate["dataVersion"]},
        "verdict": judged["verdict"],
        "rules": judged.get("rules", []),
    }


def _of(found: Mapping[str, Any], *names: str) -> dict[str, Any]:
    return {name: found.get(name) for name in names}


def told_of(line: str) -> set[str]:
    """The runs of which a line holds a key, a data version or a metric."""
    facts = {name: (key(name)[:12], f"data-{name}", f"{auc:.3f}".rstrip("0")) for name, auc in RUNS.items()}
    return {name for name, known in facts.items() if any(fact in line for fact in known)}


@settings(deadline=None, max_examples=60)
@given(st.lists(MOVES, min_size=1, max_size=6))
def test_each_line_tells_of_one_run(moves):
    """Whatever serves, was judged, is held, waits, is pinned or was bound by somebody else."""
    world = a_world()
    for name, move in [("good", "declared"), *moves]:
        play(world, name, move)
        outputs = exported(world)
        lines = summary(outputs)
        served = {one for one in RUNS if address(one) == outputs["modelAddress"]}
        judged = {one for one in RUNS if key(one) == outputs["runKey"]}
        titles = list(lines)
        first = titles.index("Candidate") if "Candidate" in titles else len(titles)
        assert (first == len(titles)) == (served == judged)
        for place, (title, text) in enumerate(lines.items()):
            assert told_of(text) <= (served if place < first else judged), f"{title}: {text}"
        assert (
            told_of(lines["Run key"]) == told_of(lines["Data version"]) == told_of(lines["Metrics"]) == served
        )
        if first < len(titles):
            assert told_of(lines["Candidate"]) == told_of(lines["  metrics"]) == judged


def shown(outputs: Mapping[str, Any]) -> str:
    text = io.StringIO()
    after_up(outputs, Console(file=text, width=10_000))
    return text.getvalue()


def test_a_candidate_that_waits_says_what_to_do():
    """Beside what serves: its own run, data, numbers, verdict, and the key to approve."""
    world = a_world()
    play(world, "good", "declared")
    play(world, "best", "waiting")
    text = shown(exported(world))
    assert re.search(r"^Data version  data-good$", text, re.MULTILINE)
    assert re.search(
        rf"^Candidate     run {key('best')[:12]} \(data version data-best\), not served$", text, re.MULTILINE
    )
    assert re.search(r"^Gate          awaiting approval: ", text, re.MULTILINE)
    assert f"./dev approve {key('best')[:12]}" in text


def test_before_a_model_passes_nothing_is_said_to_serve():
    """The first candidate is held: its facts are in its own lines only."""
    world = a_world()
    play(world, "bad", "held")
    lines = summary(exported(world))
    assert lines["Model"] == "none that has passed the gate yet"
    assert lines["Candidate"] == f"run {key('bad')[:12]} (data version data-bad), not served"
    assert (lines["Run key"], lines["Data version"], lines["Metrics"]) == ("", "", "")


@pytest.mark.parametrize("own", ["2013-01", "latest (flights/2013-12.csv)"])
def test_a_pin_names_the_version_that_was_asked_for_and_its_runs_own(own):
    """The run that serves is of the data that it was trained from; what the program asks for is said as such."""
    world = a_world()
    play(world, "good", "declared")
    outputs = exported(world)
    outputs["dataVersion"] = outputs["serving"]["dataVersion"] = own
    outputs["asked"] = {"runKey": outputs["runKey"], "dataVersion": "2013-02"}
    assert summary(outputs)["Data version"] == f"{own} (2013-02 was asked for)"
    outputs["asked"]["dataVersion"] = own.split(" ")[0]
    assert summary(outputs)["Data version"] == own


def test_a_model_that_was_trained_and_not_judged_waits():
    """A partial update ends there; nothing of it is said of the run that serves."""
    world = a_world()
    play(world, "good", "declared")
    lines = summary(exported(world) | {"asked": {"runKey": key("best"), "dataVersion": "data-best"}})
    assert lines["Waits"] == f"run {key('best')[:12]}, asked for by data version data-best, not judged yet"
    assert [title for title, text in lines.items() if "best" in told_of(text)] == ["Waits"]


EXPORTED = [
    *("endpointUrl", "modelAddress", "serving", "runKey", "dataVersion", "asked", "metrics"),
    *("verdict", "rules"),
]


@settings(deadline=None)
@given(st.sets(st.sampled_from(EXPORTED)))
def test_secret_outputs_are_shown_as_such(secret):
    """As they come from the engine, `[secret]` in place of each: the report says so, and never fails."""
    world = a_world()
    play(world, "good", "declared")
    play(world, "bad", "held")
    outputs = exported(world)
    outputs["serving"] |= dict.fromkeys(secret & set(outputs["serving"]), "[secret]")
    outputs |= dict.fromkeys(secret, "[secret]")
    assert ("[secret]" in shown(outputs)) == bool(secret)


@pytest.mark.parametrize("outputs", [{}, {"service": "[secret]", "target": "local", "endpointName": "live"}])
def test_keys_of_a_service_that_is_not_told_are_refused(outputs):
    """In one line, with the way out."""
    with pytest.raises(ConfigurationError, match="do not say which service"):
        secret_outputs(outputs)


def test_a_program_that_exports_no_model_has_no_summary():
    """There is nothing to say of it, and nothing fails."""
    assert shown({"token": "[secret]"}) == ""
