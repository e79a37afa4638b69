"""Killed at each of its own steps, raced by seven others, or led back in the middle: one run, and what was declared."""

from __future__ import annotations

import pytest

from tests.chaos.histories import HOLDING, Step, Strike, Update

pytestmark = pytest.mark.cloud

# The provider's own steps, by the request that they are done by.
STEPS = {
    "after the plan": ("after", 1, "PUT */runs/*"),
    "before the job is created": ("before", 1, "POST */jobs"),
    "after the job is created": ("after", 1, "POST */jobs"),
    "after the job is recorded": ("after", 2, "PUT */runs/*"),
    "after the start": ("after", 1, "POST */start"),
    "while it runs": ("after", 2, "GET */jobs/*"),
    "after the end, before that is recorded": ("before", 3, "PUT */runs/*"),
    "after the end is recorded": ("after", 3, "PUT */runs/*"),
    "before the service is published": ("before", 1, "POST */webservice"),
    "after the service is published": ("after", 2, "POST */webservice"),
    "after the endpoint is made": ("after", 1, "PUT */endpoints/*"),
    "before the PATCH": ("before", 1, "PATCH *"),
    "after the PATCH": ("after", 1, "PATCH *"),
}
KILLS = ("kill-provider", "kill-engine")


def up(version: str, *strikes: Strike, stack: str = "a", pause: float = 0.0) -> Step:
    return Step("up", (Update(stack, version, strikes=strikes),), pause)


@pytest.mark.parametrize("kill", KILLS)
@pytest.mark.parametrize("place", STEPS)
def test_killed_at_any_of_its_steps_an_update_leaves_one_job_for_the_next(tell, place, kill):
    """The next update attaches or reuses; no second job, no orphan, and it ends where it was to end."""
    outcome = tell(up("v1", Strike(kill, *STEPS[place])), up("v1"))
    assert outcome.violations == []
    assert outcome.figures["jobs started"] == 1


def test_eight_stacks_that_want_one_key_at_once_start_one_job(tell):
    """Seven wait for the eighth's job and reuse it."""
    outcome = tell(Step("up", tuple(Update(stack, "v1") for stack in "abcdefgh")))
    assert outcome.violations == []
    assert outcome.figures["jobs started"] == 1
    assert outcome.figures.get("failed updates", 0) == 0


@pytest.mark.parametrize("kill", KILLS)
def test_going_back_after_a_kill_behind_the_patch_binds_what_is_declared(tell, kill):
    """The state says v1 and the endpoint serves v2 already: declared is v1, so it is bound again."""
    outcome = tell(up("v1"), up("v2", Strike(kill, "after", 1, "PATCH *")), up("v1"))
    assert outcome.violations == []


@pytest.mark.parametrize("kill", KILLS)
@pytest.mark.parametrize("part", [1, 2])
def test_going_back_after_a_kill_behind_a_publication_publishes_what_is_declared(tell, kill, part):
    """No model is recorded under code that it was not trained with."""
    strike = Strike(kill, "after", part, "POST */webservice")
    outcome = tell(
        up("v1"), Step("code", choice="5"), up("v1", strike), Step("code", choice="4"), up("v3"), up("v2")
    )
    assert outcome.violations == []


def test_a_held_champion_is_not_bound_again(tell):
    """It goes on serving, even where its record and its blob are gone."""
    outcome = tell(
        up("v4"), Step("lose", choice="alter"), Step("corrupt", choice="half"), up("v3"), gate=HOLDING
    )
    assert outcome.violations == []


def test_a_model_that_was_bound_stays_right_when_the_record_of_its_run_is_lost(tell):
    """Its run ended, and nobody but the record ever said so; the next attempt makes no other model of it."""
    lost = Strike("corrupt-record", "after", 3, "PUT */runs/*")
    killed = Strike("kill-provider", "before", 1, "PATCH *")
    outcome = tell(up("v1", lost, killed), up("v1"))
    assert outcome.violations == []


def late(match: str) -> Strike:
    """Killed with its request on its way, which arrives when the next update is at work or has just ended."""
    return Strike("late-request", "before", 1, match)


def test_a_patch_that_arrives_late_does_not_undo_what_the_next_update_bound(tell):
    """Going back to what the state says, and on to another model."""
    assert tell(up("v1"), up("v2", late("PATCH *")), up("v1")).violations == []
    assert tell(up("v1"), up("v2", late("PATCH *")), up("v3")).violations == []


def test_a_publication_that_arrives_late_does_not_undo_the_next_one(tell):
    """No model is recorded under code that it was not trained with."""
    code = {trees: Step("code", choice=trees) for trees in "45"}
    killed = up("v1", late("POST */experiments"))
    between = up("v3", Strike("arrive", "before", 1, "POST */webservice"))
    outcome = tell(code["5"], up("v2"), code["4"], up("v1"), code["5"], killed, code["4"], between, up("v2"))
    assert outcome.violations == []
