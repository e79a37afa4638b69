"""The campaign of bindings in small, and that it would notice."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.chaos.bindings import campaign as campaigns
from tests.chaos.bindings.drawn import Fault, Trial, trial
from tests.chaos.bindings.house import CLASSIC, LIVE, PILOT, STAGING, House
from tests.chaos.bindings.trials import FALSE_SUCCESS, WRONG_REPORT, Outcome, play
from tests.chaos.world import World

pytestmark = pytest.mark.cloud

# A seed whose first four trials have both kinds of services, kills, and all faults but the one that is tried below.
BINDINGS, PART, SEED = 4, 2, 17
STALE, UNCHANGED = {"kind": "stale-model"}, {"kind": "unchanged-binding"}


@pytest.mark.parametrize("first", range(0, BINDINGS, PART))
def test_bindings_that_meet_faults_are_reported_as_they_are(world, first):
    """Classic and New; what fails is printed with its seed and its faults."""
    outcomes = campaigns.Campaign(PART, SEED, first=first, world=world).run()
    assert len(outcomes) == PART
    failures = "\n".join(campaigns.failure(outcome) for outcome in outcomes if outcome.violations)
    assert not failures, failures
    assert campaigns.last_line(outcomes).startswith(
        f"{PART} bindings: 0 false successes, 0 wrongly reported, "
    )
    assert all(outcome.figures["met a fault"] for outcome in outcomes)


def test_the_same_seed_draws_the_same_bindings():
    """So that a failure can be seen again."""
    assert [trial(7, index) for index in range(50)] == [trial(7, index) for index in range(50)]
    assert trial(7, 1) != trial(8, 1)
    kinds = {fault.rule["kind"] for index in range(200) for fault in trial(7, index).faults}
    assert kinds == {
        "unchanged-binding",
        "stale-model",
        "rolled-back",
        "incompatible-model",
        "drop",
        "truncate",
        "status",
        "latency",
    }


@pytest.fixture(scope="module")
def house(world: World) -> Iterator[House]:
    """Classic web services of this file's own."""
    found = House(world, CLASSIC)
    try:
        yield found.deploy()
    finally:
        found.close()


def told(*faults: Fault) -> Trial:
    return Trial(0, 0, CLASSIC, ((PILOT,), (LIVE,)), "0", 1, faults)


@pytest.mark.parametrize(
    ("sabotage", "faults", "noticed"),
    [
        ("", [Fault(STALE, (LIVE, "bind")), Fault(STALE, (STAGING, "bind"))], set()),
        ("believes what it is told", [Fault(STALE, (LIVE, "bind"))], {FALSE_SUCCESS}),
        ("says that it is back", [Fault(UNCHANGED, (LIVE, "bind"))], {WRONG_REPORT}),
    ],
)
def test_a_broken_product_is_noticed(house, sabotage, faults, noticed):
    """One that does not probe, and one that puts nothing back; the whole one holds."""
    outcome = play(house, told(*faults), sabotage)
    assert {kind for kind, _text in outcome.violations} == noticed, outcome.violations


def test_a_violation_is_shown_with_how_to_see_it_again():
    """Seed, index, faults, command."""
    outcome = Outcome(3, 9, "classic, live: x", violations=[(FALSE_SUCCESS, "live answers as before")])
    text = campaigns.failure(outcome)
    assert "false success: live answers as before" in text
    assert "./dev chaos --bindings -n 1 --seed 3 --first 9" in text
    assert campaigns.last_line([outcome]) == "1 bindings: 1 false successes, 0 wrongly reported, 0 restored"
