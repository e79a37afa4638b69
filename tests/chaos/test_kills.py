"""A process is killed during a real update; the next one is right, and the campaign would notice if it weren't."""

from __future__ import annotations

import pytest

from tests.chaos.kills.house import PROVIDER, House
from tests.chaos.kills.rounds import ORPHAN, Outcome, Round, Rounds, drawn

pytestmark = pytest.mark.cloud


def test_the_update_after_a_kill_is_right(tmp_path):
    """The provider, in the middle; then a job that no record names, and another model than the declared one, are noticed."""
    house = House(tmp_path / "checkout")
    try:
        rounds, wanted = Rounds(house), Round(0, "v2", 1, PROVIDER, 0.5)
        [outcome] = rounds.play([wanted])
        assert outcome.violations == []
        assert outcome.figures["killed: provider"] == 1
        assert house.wrong(house.key("v3", 1))
        house.named.clear()
        later = Outcome(wanted)
        rounds._jobs(later)
        assert {kind for kind, _job in later.violations} == {ORPHAN}
    finally:
        house.close()


def test_each_victim_has_its_turn():
    """And the same seed draws the same rounds."""
    assert drawn(30, 7) == drawn(30, 7) != drawn(30, 8)
    assert len({each.victim for each in drawn(6, 7)}) == 6
