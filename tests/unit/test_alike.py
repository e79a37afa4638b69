"""Two models of different bytes that answer the probed rows alike: told apart by more rows, else said to be read back."""

from __future__ import annotations

import pytest

from retrain_hooks.serving.probe import read_rows
from tests.unit.fakes import MemoryContainer
from tests.unit.rollout_world import NEW, OLD, OTHER, Endpoint, World


class Alike(World):
    """NEW answers as OLD does, but for rows whose ``arr_delay`` is one of *telling*."""

    telling: tuple[str, ...] = ()

    def scoring(self, service, name):
        found, endpoint = super().scoring(service, name), self.endpoints[name]
        score = found.score

        def alike(rows):
            answers = score(rows)
            if endpoint.answers not in (OLD, NEW):
                return answers
            return [
                {
                    "Scored Probabilities": "1"
                    if endpoint.answers == NEW and row["arr_delay"] in self.telling
                    else "0"
                }
                for row in rows
            ]

        found.score = alike
        return found


@pytest.fixture
def world() -> Alike:
    return Alike()


def test_more_rows_tell_two_models_apart(world):
    """One row of the holdout is enough; nothing is waited for but the settling."""
    world.telling = ("19",)
    assert world.up()["serving"] == {"live": NEW}
    assert world.clock.monotonic() < 10
    assert "cannot be told apart" not in world.told.lines[-1]


def test_a_cached_model_is_seen_on_the_rows_that_tell(world):
    """The old one that still answers is not taken for the new one."""
    world.telling = ("19",)
    world.endpoints["live"].faults = ["stale"]
    assert f"{OLD} still answers" in world.fails()
    assert world.seen("live") == [OLD]


@pytest.mark.parametrize("served", ["staging", "default"])
def test_models_that_no_row_tells_apart_are_read_back(world, served):
    """Staging was seen to answer by what it is given; green, and said so, without a wait."""
    if served == "staging":
        world.endpoints["staging"].says = world.endpoints["staging"].answers = OTHER
    else:
        world.endpoints["default"] = Endpoint(world.clock, OTHER, OTHER)
    assert world.up()["serving"] == {"live": NEW}
    assert world.clock.monotonic() < 10
    assert "cannot be told apart from the one before: read back" in world.told.lines[-1]
    assert world.seen("staging", "live") == [NEW, NEW]
    assert world.rollouts == []


@pytest.mark.parametrize(("auc", "green"), [(0.8, True), (0.8000000001, False)])
def test_models_of_which_the_same_was_measured_are_read_back(world, auc, green):
    """Nobody has a third model, as after a first deployment; but the training service has seen both on their own rows."""
    world.trained(OLD, "one", metrics={"auc": 0.8, "rows": 7})
    world.trained(NEW, "another", metrics={"auc": auc, "rows": 7})
    if green:
        assert world.up()["serving"] == {"live": NEW}
        assert world.clock.monotonic() < 10
        assert "cannot be told apart from the one before: read back" in world.told.lines[-1]
        assert world.seen("staging", "live") == [NEW, NEW]
    else:
        assert "still answers" in world.fails()


@pytest.mark.parametrize("default", [None, OLD, OTHER])
def test_a_staging_endpoint_that_may_have_kept_the_old_model_proves_nothing(world, default):
    """There is no other model to see it by, or it does not answer by that either."""
    if default:
        world.endpoints["default"] = Endpoint(world.clock, default, default)
    world.endpoints["staging"].faults = ["stale"] * 9
    assert "still answers" in world.fails()
    assert world.seen("live") == [OLD]


def test_rows_with_missing_values_are_not_probed_with_where_there_are_others():
    """An experiment may drop them unscored."""
    data = MemoryContainer("data")
    lines = [f"{'' if number % 3 else number},{number}" for number in range(30)]
    data.put("a.csv", "\n".join(["p,q", *lines]).encode())
    assert [row["p"] for row in read_rows(data, ["a.csv"], 10)] == [str(number) for number in range(0, 30, 3)]
    assert len(read_rows(data, ["a.csv"], 20)) == 20
