"""A model on one endpoint: reported as served only where it was seen, put back where it was not."""

from __future__ import annotations

import pytest

from clients.errors import BindingFailed, UpdateCancelled
from clients.storage import BlobRef
from tests.unit.rollout_world import NEW, OLD, OTHER, World, raise_for


@pytest.fixture
def world() -> World:
    return World()


def test_a_model_that_answers_is_reported_with_the_rows_that_it_was_seen_on(world):
    """Read back, probed against staging, kept so for the settling time, and nothing is left under way."""
    outputs = world.up()
    assert (outputs["bound"], outputs["serving"], outputs["probed"]) == (f"registry/{NEW}", {"live": NEW}, 8)
    assert world.seen("staging", "live") == [NEW, NEW]
    assert world.clock.monotonic() >= 5.0
    assert world.rollouts == []
    assert "seen on 8 probed rows" in world.told.lines[-1]


def test_staging_gets_a_model_before_anybody_is_served_by_it(world):
    """One that staging refuses never reaches the live endpoint."""
    world.endpoints["staging"].faults = ["incompatible"]
    cause = world.fails()
    assert "'staging' can't serve" in cause
    assert "ModelOutputMetadataMismatch" in cause
    assert cause.endswith("no endpoint was changed")
    assert world.endpoints["live"].writes == []
    assert world.rollouts == []


def test_an_answer_of_200_that_changed_nothing_is_a_failure(world):
    """The endpoint is named with what it serves."""
    world.endpoints["live"].faults = ["unchanged"]
    cause = world.fails()
    assert f"'live' accepted {NEW} and serves {OLD}" in cause
    assert cause.endswith(f"live serves {OLD}")
    assert world.seen("live") == [OLD]
    assert world.rollouts == []


def test_an_old_model_that_is_cached_for_a_while_is_waited_for(world):
    """Within the deadline."""
    world.endpoints["live"].faults = ["stale 20"]
    world.up()
    assert world.clock.monotonic() >= 25.0
    assert world.seen("live") == [NEW]


def test_an_old_model_that_is_cached_for_ever_fails_the_update_and_is_put_back(world):
    """Although the endpoint says that it serves the new one."""
    world.endpoints["live"].faults = ["stale"]
    cause = world.fails()
    assert f"'live' says that it serves {NEW}, and after 60 s {OLD} still answers" in cause
    assert cause.endswith(f"live serves {OLD} again")
    assert world.endpoints["live"].writes == [NEW, OLD]
    assert world.seen("live") == [OLD]


def test_an_old_model_cached_on_staging_and_live_at_once_is_not_taken_for_the_new_one(world):
    """They agree with each other, and with what was answered before."""
    world.endpoints["live"].faults = ["stale"]
    world.endpoints["staging"].faults = ["stale", "stale"]
    assert f"{OLD} still answers" in world.fails()
    assert world.seen("live") == [OLD]


def test_an_old_model_cached_on_staging_alone_is_bound_there_once_more(world):
    """The live endpoint does answer as the new model, which is seen once staging does."""
    world.endpoints["staging"].faults = ["stale"]
    world.up()
    assert world.endpoints["staging"].writes == [NEW, NEW]
    assert world.seen("live") == [NEW]


def test_what_staging_answered_before_is_no_proof_either(world):
    """Staging served a third model, as live does after somebody bound that: both go on with it."""
    world.endpoints["staging"].says = world.endpoints["staging"].answers = OTHER
    world.endpoints["staging"].faults = ["stale", "stale"]
    world.endpoints["live"].answers = OTHER
    world.endpoints["live"].faults = ["stale"]
    assert "still answers" in world.fails()


def test_staging_that_never_answers_as_the_new_model_is_what_the_error_names(world):
    """Live does, but that can't be known: it is put back."""
    world.endpoints["staging"].faults = ["stale", "stale"]
    cause = world.fails()
    assert f"staging says that it serves {NEW}" in cause
    assert cause.endswith(f"live serves {OLD} again")
    assert world.seen("live") == [OLD]


def test_endpoints_that_answer_differently_with_the_same_model_are_not_believed(world):
    """Neither the old model nor the one of staging."""
    world.endpoints["live"].faults = ["third"]
    cause = world.fails()
    assert (
        f"'live' and staging both say that they serve {NEW}, and after 60 s they answer differently" in cause
    )
    assert cause.endswith(f"live serves {OLD} again")


@pytest.mark.parametrize("seconds", [1, 4])
def test_a_model_that_is_rolled_back_while_it_settles_fails_the_update(world, seconds):
    """With what it went back to."""
    world.endpoints["live"].faults = [f"rolled-back {seconds}"]
    cause = world.fails()
    assert f"'live' took {NEW} and went back to {OLD}" in cause
    assert cause.endswith(f"live serves {OLD}")
    assert world.seen("live") == [OLD]


def test_a_model_that_answers_late_must_settle_from_then_on(world):
    """Two seconds as new, then old again: the settling time begins anew."""
    live = world.endpoints["live"]
    live.faults = ["stale 2"]
    live.later += [(4.0, lambda: setattr(live, "answers", OLD)), (6.0, lambda: setattr(live, "answers", NEW))]
    world.up()
    assert world.clock.monotonic() >= 11.0


def test_an_incompatible_model_fails_and_leaves_the_old_one(world):
    """409 ModelOutputMetadataMismatch, with the request's id."""
    world.endpoints["live"].faults = ["incompatible"]
    with pytest.raises(BindingFailed) as failed:
        world.up()
    assert (
        f"can't serve {NEW}: its outputs are not those of the model that it serves, {OLD}"
        in failed.value.cause
    )
    assert failed.value.cause.endswith(f"live serves {OLD}")
    assert failed.value.request_id == "r1"
    assert world.clock.monotonic() < 10.0  # a refusal leaves nothing on its way


@pytest.mark.parametrize("fault", ["came-through", "half", "crashed", "busy"])
def test_a_lost_answer_does_not_matter_where_the_model_came_through(world, fault):
    """Dropped, half sent, or a 5xx after all was done."""
    world.endpoints["live"].faults = [fault]
    world.up()
    assert world.seen("live") == [NEW]


def test_a_request_that_was_lost_fails_the_update(world):
    """What is restored waits for what may be on its way."""
    world.endpoints["live"].faults = ["lost"]
    cause = world.fails()
    assert "nobody answers" in cause
    assert cause.endswith(f"live serves {OLD} again")
    assert world.endpoints["live"].writes == [NEW, OLD]


@pytest.mark.parametrize("fault", ["late 4", "late 9"])
def test_a_request_that_arrives_after_its_answer_was_lost_is_undone(world, fault):
    """Reported as put back, it is so for good."""
    world.endpoints["live"].faults = [fault]
    assert world.fails().endswith(f"live serves {OLD} again")
    world.clock.sleep(60)
    assert world.seen("live") == [OLD]


def test_half_an_answer_is_no_refusal(world):
    """The operation that it began is waited for before the old model is put back."""
    world.endpoints["live"].faults = ["half 3"]
    assert world.fails().endswith(f"live serves {OLD} again")
    world.clock.sleep(60)
    assert world.seen("live") == [OLD]


def test_a_conflict_is_no_proof_that_nothing_is_on_its_way(world):
    """What an earlier request began may be what conflicts: the note stays open, and the way back waits."""
    world.endpoints["live"].faults = ["conflict"]
    assert world.fails().endswith(f"live serves {OLD} again")
    assert world.clock.monotonic() >= 10.0


@pytest.mark.parametrize(("fault", "told"), [("refused", "BlobNotFound"), ("failed", "it failed")])
def test_a_refusal_is_told_and_nothing_is_waited_for(world, fault, told):
    """400, or an operation that ended badly: the model can't be read."""
    world.endpoints["live"].faults = [fault]
    assert told in world.fails()
    assert world.seen("live") == [OLD]
    assert world.clock.monotonic() < 10.0


@pytest.mark.parametrize("fault", ["unchanged", "lost", "stale", "rolled-back 1"])
def test_a_restore_is_tried_three_times(world, fault):
    """The third comes through."""
    world.endpoints["live"].faults = ["stale", fault, fault]
    assert world.fails().endswith(f"live serves {OLD} again")
    world.clock.sleep(60)
    assert world.seen("live") == [OLD]
    assert world.rollouts == []


def test_what_could_not_be_put_back_is_named_with_what_is_served(world):
    """The record of the rollout stays, so that the next update knows what is good."""
    world.endpoints["live"].faults = ["stale", *["unchanged"] * 3]
    cause = world.fails()
    assert f"live could not be put back to {OLD}: " in cause
    assert cause.endswith(f"it says that it serves {NEW}")
    assert len(world.rollouts) == 1
    world.endpoints["live"].faults = []
    world.up()
    assert world.seen("live") == [NEW]
    assert world.rollouts == []


def test_what_is_served_after_a_failed_restore_may_be_unknown(world):
    """And is called so."""
    live = world.endpoints["live"]
    live.faults = ["stale"]
    live.later.append((30.0, lambda: setattr(live, "gone", True)))
    cause = world.fails()
    assert "there is no endpoint 'live' any more" in cause
    assert cause.endswith("what it serves is not known")


def test_an_endpoint_that_does_not_answer_is_not_changed(world):
    """What it answered before could not be told from what it answers afterwards."""
    world.endpoints["live"].broken = lambda: "busy"
    cause = world.fails()
    assert "'live' answers no probe before it is changed: 503" in cause
    assert cause.endswith("no endpoint was changed")
    assert world.endpoints["live"].writes == []


def test_a_wait_for_an_endpoint_can_be_cancelled(world):
    """At its next look."""
    world.endpoints["live"].broken = lambda: "busy"
    world.guard.at = 5
    with pytest.raises(UpdateCancelled):
        world.up(NEW)
    assert world.endpoints["live"].writes == []


def test_an_endpoint_that_answers_after_a_while_is_waited_for(world):
    """Before it is bound."""
    live = world.endpoints["live"]
    live.broken = lambda: "busy" if world.clock.monotonic() < 10 else ""
    world.up()
    assert world.seen("live") == [NEW]


def test_a_broken_model_can_be_replaced(world):
    """That it could not score is an answer, too."""
    live = world.endpoints["live"]
    live.broken = lambda: "refused" if live.answers == OLD else ""
    world.up()
    assert world.seen("live") == [NEW]


def test_a_broken_model_can_be_gone_back_to(world):
    """It could not score before, and can't again."""
    live = world.endpoints["live"]
    live.broken = lambda: "refused"
    assert world.fails().endswith(f"live serves {OLD} again")


def test_an_endpoint_that_stops_to_answer_is_put_back(world):
    """With the service's own words."""
    live = world.endpoints["live"]
    live.broken = lambda: "busy" if live.says == NEW else ""
    cause = world.fails()
    assert "the endpoint 'live' answers no probe after 60 s: 503" in cause
    assert cause.endswith(f"live serves {OLD} again")


def test_staging_that_stops_to_answer_is_named(world):
    """It is staging that does not."""
    staging = world.endpoints["staging"]
    staging.broken = lambda: "busy" if staging.says == NEW else ""
    assert world.fails().startswith("staging answers no probe after 60 s: 503; live serves")


def test_two_endpoints_that_do_not_answer_do_not_agree(world):
    """Neither live nor staging is seen."""
    for endpoint in (world.endpoints["live"], world.endpoints["staging"]):
        endpoint.broken = lambda endpoint=endpoint: "refused" if endpoint.says == NEW else ""
    assert "answers no probe after 60 s" in world.fails()


def test_two_models_of_equal_content_need_not_differ(world):
    """A lost model that was trained again has another address and the same bytes."""
    world.content[NEW] = OLD
    world.trained(OLD, "same")
    world.up(sha256="same")
    assert world.seen("live") == [NEW]


def test_two_models_of_unknown_content_must_differ(world):
    """No hash on record is no equality."""
    world.content[NEW] = OLD
    world.trained(OLD, "")
    assert "still answers" in world.fails(sha256="")


def test_the_hash_of_an_earlier_attempt_is_not_that_of_a_later_one(world):
    """The ledger's record is of another address."""
    world.content[NEW] = OLD
    world.trained(OLD.replace("/1.", "/2."), "same", attempt=2)
    assert "still answers" in world.fails(sha256="same")


def test_a_run_that_was_trained_again_may_answer_alike_though_its_record_is_lost(world):
    """Its inputs are the same: what the attempt before was, nobody has to know."""
    again = OLD.replace("/1.", "/2.")
    world.trained(again, "same", attempt=2)
    world.content[again] = OLD
    assert world.up(again, sha256="same")["serving"] == {"live": again}


@pytest.mark.parametrize(
    "without",
    [{"probe": None}, {"probe": {"rows": 0}}, {"stagingEndpoint": ""}, {"probe": {"blobs": ["gone"]}}],
)
def test_without_rows_a_binding_is_read_back_only_and_says_so(world, without):
    """None declared, no staging, or the data is gone."""
    props = world.props() | {name: value for name, value in without.items() if not isinstance(value, dict)}
    if isinstance(without.get("probe"), dict):
        props["probe"] = props["probe"] | without["probe"]
    world.endpoints["live"].faults = ["stale"]
    outputs = world.lifecycle().create(props)[1]
    assert outputs["probed"] == 0
    assert world.told.lines[-1].endswith("read back, not probed")
    assert world.endpoints["staging"].writes == []


def test_what_is_read_back_is_judged_without_rows_too(world):
    """200 and unchanged."""
    world.endpoints["live"].faults = ["unchanged"]
    assert f"accepted {NEW} and serves {OLD}" in world.fails(stagingEndpoint="")


def test_a_restore_without_rows_is_read_back(world):
    """Several tries, as with rows."""
    world.endpoints["live"].faults = ["late 5", "unchanged"]
    assert world.fails(stagingEndpoint="").endswith(f"live serves {OLD} again")


def test_a_model_that_is_no_ones_run_is_put_back_by_what_the_service_said(world):
    """Adopted with the endpoint: its location and credential are known from the service only."""
    world.endpoints["live"].says = world.endpoints["live"].answers = "baseline/theirs.ilearner"
    world.foreign["baseline/theirs.ilearner"] = BlobRef(
        "http://theirs/", "baseline/theirs.ilearner", "?theirs"
    )
    world.endpoints["live"].faults = ["stale"]
    assert world.fails().endswith("live serves baseline/theirs.ilearner again")
    assert world.models[-1].signature == "?theirs"
    assert "?theirs" not in str(world.registry.blobs)


def test_an_endpoint_that_is_gone_is_bound_again(world):
    """It is made again, and nothing is said of what it serves before that was seen."""
    world.up()
    world.endpoints["live"].gone = True
    checked = world.lifecycle().check(world.props(), world.outputs)
    assert checked["found"] == {"live": "gone"}
    assert world.lifecycle().diff(world.outputs, checked).changes


def test_a_record_that_cannot_be_closed_is_told_with_what_is_served(world):
    """The model is served, the storage is away: the next update closes it."""
    delete, world.registry.delete = world.registry.delete, lambda _name, **_condition: raise_for("busy", "")
    cause = world.fails()
    assert cause.startswith("the record of this rollout could not be closed: 503")
    assert cause.endswith(f"live serves {NEW}")
    world.registry.delete = delete
    world.up()
    assert world.rollouts == []


def test_a_record_that_cannot_be_closed_after_a_way_back_does_not_hide_why(world):
    """What failed is the binding."""
    world.endpoints["live"].faults = ["unchanged"]
    world.registry.delete = lambda _name, **_condition: raise_for("busy", "")
    assert "accepted" in world.fails()
    assert len(world.rollouts) == 1
