"""What is stored is damaged: the next updates heal it, serve nothing wrong, lose nothing and train nothing for nothing."""

from __future__ import annotations

from itertools import count

import pytest

from tests.chaos import report
from tests.chaos.campaign import Campaign
from tests.chaos.damage import DAMAGE, NOTHING, RED, WRONG
from tests.chaos.damage.drawn import FOLDERS, damage, history
from tests.chaos.damage.patient import play
from tests.chaos.histories import History, Step, Update
from tests.chaos.program import PASSING, Gate

pytestmark = pytest.mark.cloud

HISTORIES, SEED = 2, 2
V1, V2, V3 = (Step("up", (Update("a", version),)) for version in ("v1", "v2", "v3"))
RECORDS = [damage(folder, "half", nth) for folder in FOLDERS for nth in range(4)]
TWIN = damage("model", "twin, MD5 kept")

numbers = count(1)


@pytest.fixture
def tell(world):
    """Plays steps, and answers how it went."""

    def told(*steps: Step, gate: Gate = PASSING, sabotage: str = ""):
        return play(world, History(0, 0, steps, gate), f"d{next(numbers)}", sabotage)

    return told


def test_histories_with_damage_heal(world):
    """Drawn from a seed; what fails is printed with how to see it again."""
    outcomes = Campaign(HISTORIES, SEED, world=world, mode=DAMAGE).run()
    failures = "\n".join(report.failure(each, DAMAGE) for each in outcomes if each.violations)
    assert not failures, failures
    assert report.last_line(outcomes, DAMAGE) == (
        f"{HISTORIES} histories: 0 served a wrong model, 0 lost, 0 retrained for nothing, 0 red for ever"
    )


@pytest.mark.parametrize(
    "damages",
    [RECORDS, [damage("cloud", "lost"), TWIN], [damage("state", "lost"), TWIN]],
    ids=["records", "cloud and model", "state and model"],
)
def test_each_kind_of_store_heals_whole(tell, damages):
    """Records of all folders at once, the local cloud's state, the registry with it, a stack's state; and then the end."""
    outcome = tell(V1, V2, *damages, V2, *damages[:3], Step("destroy", choice="a"))
    assert outcome.violations == []
    assert outcome.figures["models scored"] >= 3


def test_a_champion_that_is_lost_with_its_endpoint_serves_again(tell):
    """Its run is trained again for the baseline; the candidate is held as before."""
    outcome = tell(V1, V3, damage("everything", "reset"), V3, gate=Gate(("auc >= 0.71",), hold=True))
    assert outcome.violations == []
    assert outcome.figures["converged: held"] == 1


@pytest.mark.parametrize(
    ("sabotage", "steps", "noticed"),
    [
        ("believes sizes", [V1, V2, V1, TWIN, damage("cloud", "lost"), V1], WRONG),
        ("sets all aside", [V1, V2, damage("runs", "half"), V2, V2], NOTHING),
        ("owns nothing", [V1, *(damage("owners", "half", nth) for nth in range(5)), V1], RED),
    ],
)
def test_a_product_that_does_not_heal_is_noticed(tell, sabotage, steps, noticed):
    """Each column has a mistake that fills it."""
    outcome = tell(*steps, sabotage=sabotage)
    assert noticed in {kind for kind, _text in outcome.violations}, outcome.violations


def test_the_same_seed_draws_the_same_damage():
    """So that a failure can be seen again."""
    assert [history(7, index) for index in range(50)] == [history(7, index) for index in range(50)]
    assert str(history(7, 1)) != str(history(8, 1))
