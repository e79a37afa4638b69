"""A few of the campaign's worlds: each kind of change once, alone or with others."""

from __future__ import annotations

import pytest

from tests.e2e.checkout import Checkout
from tests.e2e.worlds.changes import KINDS
from tests.e2e.worlds.house import House
from tests.e2e.worlds.played import World, played

pytestmark = pytest.mark.cloud


@pytest.fixture(scope="module")
def worlds(checkout: Checkout, tmp_path_factory: pytest.TempPathFactory) -> list[World]:
    """One by one; the last is as the first was."""
    house = House.built(checkout, tmp_path_factory.mktemp("house"))
    return list(played(house, 17, range(len(KINDS))))


@pytest.mark.parametrize("index", range(len(KINDS)))
def test_a_plan_is_refused_by_the_name_of_what_differs(worlds: list[World], index: int) -> None:
    """Nothing else is named, and nothing is written."""
    assert worlds[index].faults == []
