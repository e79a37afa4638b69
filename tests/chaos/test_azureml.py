"""The histories of kind azureml in small, and that they would notice."""

from __future__ import annotations

import pytest

from tests.chaos import report
from tests.chaos.azureml import AZUREML
from tests.chaos.azureml.drawn import BAD, FOREIGN, STRIKES, history
from tests.chaos.azureml.histories import Judge
from tests.chaos.azureml.player import LOST, model_of
from tests.chaos.campaign import Campaign
from tests.chaos.histories import History, Step, Update
from tests.chaos.world import World

pytestmark = pytest.mark.cloud

HISTORIES, SEED = 2, 4


def test_histories_leave_no_duplicate_nothing_wrong_served_and_no_call_lost(world):
    """What fails is printed with its seed and its shortest steps."""
    outcomes = Campaign(HISTORIES, SEED, world=world, mode=AZUREML).run()
    failures = "\n".join(report.failure(each, AZUREML) for each in outcomes if each.violations)
    assert not failures, failures
    assert report.last_line(outcomes, AZUREML) == (
        f"{HISTORIES} histories: 0 duplicates, 0 orphans, 0 wrong bindings, 0 lost traffic"
    )


@pytest.mark.parametrize("call", [1, 2])
def test_an_engine_that_is_killed_at_its_first_calls_leaves_nothing_red(world: World, call: int) -> None:
    """Before the first, its provider has loaded nothing that could end it; after that it ends by itself."""
    told = History(0, call, (Step("up", (Update("a", "v1", boundary=call),)),))
    outcome = AZUREML.played(world, told, f"killed{call}")
    assert (outcome.violations, outcome.figures["kills of the engine"]) == ([], 1)


def test_what_is_wrong_is_noticed(world: World) -> None:
    """Each time behind the update's back: another model, a refused one, no traffic, a job of nobody's, a second one."""
    player = Judge(world, "noticed", History(0, 0))
    try:
        player.open()
        player.update(Update("a", "v1"))
        player.look(set())
        player.update(Update("a", BAD))
        player.look(player.whole())
        assert player.record.figures["refused by the gate"] == 1
        player.update(Update("a", "v1"))
        stack = player.stacks["a"]
        player.answered(stack)
        player.look(player.whole())
        player.judge_jobs()
        assert player.record.violations == []

        def noticed() -> set[str]:
            found = {kind for kind, _text in player.record.violations}
            player.record.violations.clear()
            return found

        reported, whole = set(stack.reported), player.whole()
        [refused] = player.refused()
        models = player.house.models(stack.endpoint)
        [deployment] = [name for name, address in models.items() if address == refused]
        found = player.house.get(player.house.endpoint_id(stack.endpoint))
        for traffic, wrong in (({deployment: 100}, {"wrong binding"}), ({}, {"wrong binding", LOST})):
            stack.reported = set(reported)
            properties = {"authMode": "Key", "traffic": traffic}
            body = {"location": found["location"], "identity": {"type": "SystemAssigned"}}
            player.house.put(player.house.endpoint_id(stack.endpoint), {**body, "properties": properties})
            player.answered(stack)
            player.look(whole)
            assert noticed() >= wrong
        first = player.house.list(f"{player.house.workspace}/jobs")[0]
        another = f"{first['name'].rpartition('-')[0]}-2"
        for name in ("strange", another):
            kept = {
                part: first["properties"][part]
                for part in ("command", "codeId", "environmentId", "inputs", "outputs", "experimentName")
            }
            player.house.put(
                f"{player.house.workspace}/jobs/{name}", {"properties": {"jobType": "Command", **kept}}
            )
        player.judge_jobs()
        assert noticed() == {"orphan"}
    finally:
        player.close()


def test_the_same_seed_draws_the_same_histories():
    """So that a failure can be seen again; and each kind of trouble has its turn."""
    drawn = [history(7, index) for index in range(100)]
    assert drawn == [history(7, index) for index in range(100)]
    steps: list[Step] = [step for each in drawn for step in each.steps]
    assert {step.kind for step in steps} == {"up", "twice", "foreign", "refresh", "faults"}
    assert {step.choice for step in steps if step.kind == "foreign"} == set(FOREIGN)
    struck = {strike.do for step in steps for update in step.updates for strike in update.strikes}
    assert struck == set(STRIKES)
    kinds = {rule["kind"] for step in steps for rule in step.rules}
    assert kinds == {
        "status",
        "drop",
        "truncate",
        "latency",
        "unchanged-binding",
        "stale-model",
        "rolled-back",
    }
    assert model_of(BAD) != model_of("v1")
