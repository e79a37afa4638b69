"""Renamed, replaced and reverted, declared twice, lost, respelt, tagged, protected: nobody's endpoint is taken away."""

from __future__ import annotations

import pytest

from tests.chaos.histories import NEIGHBOUR, Step, Strike, Update
from tests.chaos.program import CHANGES

pytestmark = pytest.mark.cloud


def up(version: str, stack: str = "a", **more) -> Step:
    return Step("up", (Update(stack, version, **more),))


def move(kind: str, choice: str = "", *strikes: Strike) -> Step:
    return Step(kind, (Update("a", "v1", strikes=strikes),), choice=choice)


def killed(match: str) -> Strike:
    return Strike("kill-both", "after", 1, match)


@pytest.mark.parametrize("change", CHANGES)
def test_a_replacement_that_is_refused_or_killed_and_reverted_takes_nothing_along(tell, change):
    """Another endpoint, service, kind of service, or workspace; and back."""
    refused = up("v2", change=change, refuse=True)
    outcome = tell(
        up("v1"), refused, up("v1"), up("v2", change=change, strikes=(killed("PATCH *"),)), up("v1")
    )
    assert outcome.violations == []


def test_a_rename_is_refused_and_an_alias_moves_marks_only(tell):
    """Also where the update that moves them is killed."""
    struck = move("alias", "", killed("PUT */owners/*"))
    outcome = tell(up("v1"), move("rename"), move("alias"), move("rename"), struck)
    assert outcome.violations == []
    assert outcome.figures["renamed with an alias"] == 2


def test_what_replaces_a_protected_endpoint_is_refused_before_anything_is_written(tell):
    """The endpoint itself, or the service under it."""
    outcome = tell(up("v1"), *(move("protect", change) for change in CHANGES))
    assert outcome.violations == []
    assert outcome.figures["failed updates"] == len(CHANGES)


def test_an_id_respelt_and_a_tag_from_outside_change_nothing(tell):
    """A preview says what it said before."""
    outcome = tell(up("v1"), move("respell"), move("tag"))
    assert outcome.violations == []
    assert outcome.figures["previews"] == 4


def test_of_two_bindings_one_is_deleted_and_a_prune_keeps_what_is_served(tell):
    """The marker stays the other one's."""
    outcome = tell(up("v2"), up("v1"), move("second"))
    assert outcome.violations == []
    assert outcome.figures["prunes"] == 1


def test_a_second_checkout_takes_nothing_unless_asked_to(tell):
    """Refused; or it takes all over without a job or a binding, also where that is killed in the middle."""
    struck = move("checkout", "taken over", killed("PUT */owners/*"))
    outcome = tell(up("v1"), move("checkout", "refused"), move("checkout", "taken over"), struck)
    assert outcome.violations == []
    assert outcome.figures["jobs started"] == 1


def test_a_second_stack_on_the_workspace_leaves_the_first_one_whole(tell):
    """Its updates and its end."""
    outcome = tell(up("v1"), up("v2", NEIGHBOUR), Step("destroy", choice=NEIGHBOUR))
    assert outcome.violations == []
    assert outcome.figures["stacks that others left alone"] >= 2
