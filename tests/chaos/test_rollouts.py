"""The campaign of rollouts in small, and that it would notice."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.chaos.azureml import rollouts
from tests.chaos.azureml.candidates import AT_A_STEP, BEFORE, candidate
from tests.chaos.azureml.house import Call
from tests.chaos.azureml.rollouts import ENDPOINT, LOST, REFUSED, SPLIT, UNDECIDED, Outcome, Rollouts
from tests.chaos.world import World

pytestmark = pytest.mark.cloud

SEED = 3


@pytest.fixture(scope="module")
def played(world: World) -> Iterator[Rollouts]:
    """An endpoint with its first model, and a client."""
    found = Rollouts(world, SEED, bake="0.2s", long_bake="0.2s")
    try:
        yield found.open()
    finally:
        found.close()


def test_no_call_is_lost_whatever_is_rolled_out(played):
    """One that does not start, a good one, one that answers wrongly, and so on; then what is wrong is noticed.

    After the second good one the first is still deployed, and the one that was refused between them is not.
    """
    outcomes = [played.play(index) for index in (1, 2, 3, 4, 13)]
    assert [each.violations for each in outcomes] == 5 * [[]]
    assert [bool(each.told) for each in outcomes] == [True, False, True, False, True]
    assert sum(each.figures["calls of the client"] for each in outcomes) > 10
    shares = played.shares()
    assert all(shares.values()), {share: len(answered) for share, answered in shares.items()}

    refused = outcomes[-1].candidate
    models = played.house.models(ENDPOINT)
    [name] = [each for each, address in models.items() if address == refused.run.address]
    _give(played, {name: 100})  # somebody lets callers have the model that the gate has refused
    noticed = Outcome(refused, told="the gate refuses it")
    played._answers()
    played._judge(refused, noticed)
    assert {kind for kind, _text in noticed.violations} == {REFUSED, UNDECIDED}
    _give(played, {})
    noticed = Outcome(refused, told="the gate refuses it")
    played._answers()
    played._judge(refused, noticed)
    assert LOST in {kind for kind, _text in noticed.violations}


def _give(played: Rollouts, traffic: dict[str, int]) -> None:
    house = played.house
    found = house.get(house.endpoint_id(ENDPOINT))
    properties = {"authMode": "Key", "traffic": traffic}
    body = {"location": found["location"], "identity": {"type": "SystemAssigned"}, "properties": properties}
    house.put(house.endpoint_id(ENDPOINT), body)


def test_each_second_candidate_fails_and_each_way_has_its_turn():
    """The same of a seed on every machine."""
    drawn = [candidate(7, index) for index in range(51)]
    assert drawn == [candidate(7, index) for index in range(51)]
    assert sum(bool(one.fault) for one in drawn[1:]) == 25
    assert {one.fault for one in drawn} == {"", *BEFORE, *AT_A_STEP}
    assert len({one.run.key for one in drawn}) == len(drawn)


def test_calls_are_counted_while_one_step_lasts():
    """Not those during which the traffic may have changed; a share that is too far off, or not told, is a violation."""

    def call(at: float, name: str) -> Call:
        return Call(at, at + 0.1, 200, name)

    seen = [(0.0, {"a": 100}), (1.0, {"a": 90, "b": 10}), (2.0, {"a": 90, "b": 10}), (3.0, {"b": 100})]
    calls = [call(0.5, "a"), call(1.2, "b"), call(1.4, "a"), call(1.95, "a"), call(2.5, "b")]
    shares = rollouts.shared(seen, calls)
    assert shares == {10: [True, False], 50: []}
    figures, violations = rollouts.uneven({10: [True] + 9 * [False], 50: 5 * [True, False]}, 10)
    assert violations == []
    assert set(figures.values()) == {"10.0 to 10.0 %", "50.0 to 50.0 %"}
    _figures, violations = rollouts.uneven({10: 2 * [True] + 8 * [False], 50: [True]}, 10)
    assert violations == [(SPLIT, "10 %: 20.0 %"), (SPLIT, "50 %: 1 calls only")]
