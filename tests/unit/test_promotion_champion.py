"""The champion: whom a candidate is compared with, and on which rows."""

from __future__ import annotations

import pytest

from clients.errors import BindingFailed, ConfigurationError, GateRefused
from retrain_hooks.gate.inputs import HELD, PASSED
from tests.unit.promotion_world import World, address, key


@pytest.fixture
def world() -> World:
    return World()


def test_the_champion_is_judged_by_its_own_run_where_there_is_no_holdout(world):
    """Its metrics are the ledger's."""
    world.trained("new", 0.72)
    assert world.up(world.props(rules=("auc >= champion + 0.02",)))["rules"][-1]["bound"] == 0.72
    other = World()
    other.trained("new", 0.71)
    with pytest.raises(GateRefused, match=r"auc is 0.71, must be >= 0.72 \(`auc >= champion \+ 0.02`\)"):
        other.up(other.props(rules=("auc >= champion + 0.02",)))


@pytest.mark.parametrize("damage", ["gone", "corrupt", "another attempt", "another's model"])
def test_a_champion_without_metrics_is_beaten_by_nobody(world, damage):
    """Its run is gone, unreadable, or not the one that is served."""
    world.trained("new", 0.99)
    record = f"runs/{key('base')}.json"
    if damage == "gone":
        del world.registry.blobs[record]
    elif damage == "corrupt":
        world.registry.put(record, b"{")
    elif damage == "another attempt":
        world.trained("base", 0.1, attempt=2)
    else:
        world.services.serving["live"] = "elsewhere/model.ilearner"
    with pytest.raises(GateRefused, match="there are no metrics of the champion"):
        world.up(world.props(rules=("auc >= champion",)))


def test_on_a_holdout_any_champion_can_be_measured(world):
    """Also one that no ledger knows: it is scored where it is served."""
    world.trained("new", 0.9)
    world.services.serving["live"] = "elsewhere/model.ilearner"
    world.services.skill["elsewhere/model.ilearner"] = 0.5
    found = world.up(world.props(rules=("auc >= champion",), label="arr_delay >= 15"))
    assert found["verdict"] == PASSED
    assert found["champion"] == {"address": "elsewhere/model.ilearner", "runKey": ""}


def test_the_candidate_is_scored_on_staging_and_the_champion_where_it_serves(world):
    """One PATCH, of the staging endpoint; the live one is only asked."""
    world.trained("new", 0.9)
    found = world.up(world.props(rules=("auc >= champion",), label="arr_delay >= 15"))
    assert world.services.patches == [("staging", f"registry/{address('new')}")]
    assert sorted(world.services.scored) == ["live", "staging"]
    assert found["rules"][0]["value"] == 20
    assert 0.8 < found["rules"][-1]["value"] < 1
    assert found["rules"][-1]["bound"] < found["rules"][-1]["value"]


def test_without_a_comparison_the_champion_is_not_scored(world):
    """Nothing is asked that no rule needs."""
    world.trained("new", 0.9)
    world.up(world.props(label="arr_delay >= 15"))
    assert world.services.scored == ["staging"]


def test_a_candidate_that_is_staged_already_is_not_patched_again(world):
    """After a crash the next update goes on from there."""
    world.trained("new", 0.9)
    props = world.props(label="arr_delay >= 15")
    world.services.serving["staging"] = f"registry/{address('new')}"
    assert world.up(props)["verdict"] == PASSED
    assert world.services.patches == []


def test_a_staging_endpoint_that_says_yes_and_does_not_is_found_out(world):
    """ "200 but unchanged" is no measurement."""
    world.trained("new", 0.9)
    world.services.deaf = True
    with pytest.raises(BindingFailed, match=r"accepted .* and serves"):
        world.up(world.props(label="arr_delay >= 15"))
    assert world.verdicts == []


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("p,arr_delay\n", "has a header and no rows"),
        ("p,arr_delay\n0.5,20\n", "all 1 rows of the holdout are positive"),
        ("p,arr_delay\n" + "0.5,20\n" * 20_000, "all 20000 rows of the holdout are positive"),
    ],
)
def test_a_holdout_that_proves_nothing_is_refused_by_the_preview(world, content, words):
    """Whatever the candidate's own evaluation says; nothing is staged for it."""
    world.trained("new", 0.99)
    world.data.put("holdout.csv", content.encode())
    with pytest.raises(ConfigurationError, match=words):
        world.preview(world.props(label="arr_delay >= 15"))
    assert world.services.patches == []


def test_a_holdout_with_too_few_rows_refuses(world):
    """The minimum counts the holdout's rows, not the evaluation's."""
    world.trained("new", 0.9)
    with pytest.raises(GateRefused, match="rows is 20, must be >= 21"):
        world.up(world.props(label="arr_delay >= 15", minimumRows=21))


def test_a_holdout_that_changed_since_the_plan_is_not_judged_on(world):
    """The verdict is filed under the content that was planned."""
    world.trained("new", 0.9)
    props = world.props(label="arr_delay >= 15")
    world.data.put("holdout.csv", b"p,arr_delay\n0.5,20\n0.4,1\n")
    with pytest.raises(ConfigurationError, match="has changed since this update was planned"):
        world.up(props)
    assert world.verdicts == []


@pytest.mark.parametrize("lost", ["its model", "its model and its record"])
def test_a_champion_that_is_lost_with_its_endpoint_is_none(world, lost):
    """It can serve nowhere any more: what the gate refuses is held, and nothing serves until a model passes."""
    world.trained("new", 0.5)
    held = world.up(world.props(onRejected="hold"))
    assert held["model"]["address"] == address("base")
    del world.services.serving["live"]
    del world.registry.blobs[address("base")]
    if "record" in lost:
        del world.registry.blobs[f"runs/{key('base')}.json"]
    gone = world.up(world.props(onRejected="hold"))
    assert (gone["verdict"], gone["model"]["address"]) == (HELD, "")
    assert world.told.lines[-1].startswith(
        "gate: run 6e6577000000 (data version 2013-02) is held, live serves nothing"
    )
