"""A fleet's histories and kills in small, and that the campaign would notice what is wrong."""

from __future__ import annotations

import pytest

from tests.chaos import report
from tests.chaos.campaign import Campaign
from tests.chaos.fleets import FLEETS, KILLS
from tests.chaos.fleets.declared import FOUND, LISTED
from tests.chaos.fleets.drawn import VICTIMS, Act, Opening, history, killed
from tests.chaos.fleets.player import FleetPlayer
from tests.chaos.fleets.right import NOBODY, REASON, UNQUIET, WRONG, is_right
from tests.chaos.histories import History, Step, Update

pytestmark = pytest.mark.cloud

UP = Step("up", (Update("a", "v1"),))


@pytest.mark.parametrize(
    ("mode", "count", "seed"), [(FLEETS, 2, 3), (KILLS, 1, 2)], ids=["histories", "kills"]
)
def test_a_fleet_is_right_after_all_that_happens(world, mode, count, seed):
    """Drawn from a seed; what fails is printed with how to see it again."""
    outcomes = Campaign(count, seed, world=world, mode=mode).run()
    failures = "\n".join(report.failure(each, mode) for each in outcomes if each.violations)
    assert not failures, failures
    assert report.last_line(outcomes, mode) == (
        f"{count} histories: 0 duplicates, 0 orphans, 0 wrong bindings, 0 red quiet updates"
    )


def test_what_is_wrong_is_noticed(world):
    """After an update, and each time behind its back: another model, an endpoint of nobody's, a model less, a reason less."""
    player = FleetPlayer(world, "noticed")
    try:
        player.open()
        player.play(History(0, 0, (Opening("opening", choice=LISTED, members=3), UP)))
        is_right(player)
        assert player.record.violations == []
        assert player.record.figures["members with their models"] == 3

        def noticed() -> set[str]:
            found = {kind for kind, _text in player.record.violations}
            player.record.violations.clear()
            return found

        update = player.update
        player.update = lambda *_given: True  # nothing is done any more
        player.bind("shop1", player.served()["shop2"])
        is_right(player)
        assert noticed() == {WRONG, UNQUIET}
        player.update = update
        is_right(player)
        assert noticed() == set()
        player.update = lambda *_given: True
        shop = player.fleet.shops["shop3"]
        player.stack.fleet = player.fleet.without("shop3")
        is_right(player)
        assert noticed() == {NOBODY, UNQUIET}
        player.stack.fleet = player.fleet.with_(shop)
        player._act(Act("spoil", nth=2))
        is_right(player)
        assert noticed() == {REASON, UNQUIET}
    finally:
        player.close()


def test_the_same_seed_draws_the_same_histories():
    """So that a failure can be seen again; and each victim has its turn."""
    for drawn in (history, killed):
        assert [drawn(7, index) for index in range(50)] == [drawn(7, index) for index in range(50)]
        assert drawn(7, 1) != drawn(8, 1)
    struck = {step.updates[0].strikes[0].do for index in range(5) for step in killed(7, index).steps[-1:]}
    assert struck == set(VICTIMS)
    ways = {history(7, index).steps[0].choice for index in range(30)}
    assert ways >= {LISTED, FOUND}
