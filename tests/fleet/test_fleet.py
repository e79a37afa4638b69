"""A fleet from its first update on: members come, go, are renamed and fail, and nobody else is touched by it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from clients.errors import ConfigurationError, FleetError, Unreachable, UpdateCancelled
from retrain_hooks.fleet.roster import FleetRosterLifecycle
from tests.fleet.world import Fleet

NAMES = ("ann", "bob", "cid", "dan")


@pytest.fixture
def fleet() -> Fleet:
    world = Fleet()
    for name in NAMES:
        world.shop(name)
    return world


def test_each_member_serves_the_model_of_its_own_data(fleet: Fleet) -> None:
    """One job and one endpoint a member; a second update asks three lists and writes nothing."""
    assert fleet.preview() == ["4 new: ann, bob, cid, dan"]
    outputs = fleet.up()
    assert outputs["counts"] == {"members": 4, "serving": 4, "failed": 0}
    assert len({fleet.serves(name) for name in NAMES}) == 4
    assert sorted(fleet.services.batch.created) == [f"shops/{name}/1.csv" for name in NAMES]
    assert json.loads(outputs["addresses"]) == {name: f"http://{name}" for name in NAMES}
    writes, calls = len(fleet.registry.writes), len(fleet.services.calls)
    assert fleet.up() is outputs
    assert fleet.preview() == ["4 unchanged"]
    assert len(fleet.registry.writes) == writes
    assert set(fleet.services.calls[calls:]) == {"listed"}


def test_new_data_of_one_retrains_that_one(fleet: Fleet) -> None:
    """The others are not even asked."""
    fleet.up()
    fleet.shop("bob", says="auc=0.9")
    served = {name: fleet.services.serving[name] for name in NAMES}
    fleet.services.calls.clear()
    assert fleet.preview() == ["3 unchanged", "1 retrain (data): bob"]
    fleet.up()
    changed = {name for name in NAMES if fleet.services.serving[name] != served[name]}
    assert changed == {"bob"}
    assert fleet.services.batch.created[4:] == ["shops/bob/1.csv"]
    assert not any(
        call.startswith("bind") and "bob" not in call and "staging" not in call
        for call in fleet.services.calls
    )


def test_going_back_reuses_runs(fleet: Fleet) -> None:
    """The plan says so, and no job is started."""
    fleet.up()
    fleet.shop("bob", version="2", says="auc=0.9")
    fleet.up(members={"path": fleet.props()["members"]["path"], "list": [{"name": "bob"}]}, version="2")
    lines = fleet.preview(members={"path": fleet.props()["members"]["path"], "list": [{"name": "bob"}]})
    assert lines == ["1 reuse a run (data): bob"]


def test_members_come_and_go_when_they_are_named(fleet: Fleet) -> None:
    """One that is named no more goes with its endpoint; the plan says so, and lets it be asked for."""
    members: dict[str, Any] = {"path": fleet.props()["members"]["path"]}
    fleet.up(members={**members, "list": [{"name": name} for name in ("ann", "bob")]})
    assert fleet.live == {"ann", "bob"}
    now = {**members, "list": [{"name": name} for name in ("bob", "cid")]}
    assert fleet.preview(members=now) == ["1 unchanged", "1 new: cid", "1 leaves: ann"]
    fleet.up(members=now)
    assert fleet.live == {"bob", "cid"}
    assert fleet.inputs["leaves"] == ["ann"]
    assert fleet.states() == {"bob": "serving", "cid": "serving"}


def test_a_member_that_is_found_no_more_keeps_its_endpoint(fleet: Fleet) -> None:
    """Late data is no wish to delete; unless the fleet says so."""
    fleet.up()
    del fleet.data.blobs["shops/dan/1.csv"]
    assert fleet.preview() == ["3 unchanged", "1 stays (no data): dan"]
    fleet.up()
    assert "dan" in fleet.live
    assert fleet.preview(missing="leaves") == ["3 unchanged", "1 leaves: dan"]
    fleet.up(missing="leaves")
    assert fleet.live == {"ann", "bob", "cid"}


def renamed(**more: Any) -> dict[str, Any]:
    """The members of a fleet in which ann is called anna by now."""
    entry = {"name": "anna", "formerly": "ann", "path": "shops/ann/{version}.csv", **more}
    return {"list": [entry], "path": "shops/{member}/{version}.csv"}


@pytest.mark.parametrize("endpoint", ["anna", "ann"])
def test_a_renamed_member_keeps_its_model(fleet: Fleet, endpoint: str) -> None:
    """Nothing is trained or judged anew; its endpoint has the new name, or stays where its name is given."""
    fleet.up(members={"list": [{"name": "ann"}], "path": "shops/{member}/{version}.csv"})
    served, jobs = fleet.serves("ann"), len(fleet.services.batch.created)
    now = renamed(endpoint=endpoint)
    assert fleet.preview(members=now) == ["1 new (it was ann): anna", "1 renamed (anna takes its place): ann"]
    fleet.up(members=now)
    assert fleet.live == {endpoint}
    assert fleet.serves(endpoint) == served
    assert len(fleet.services.batch.created) == jobs
    assert fleet.states() == {"anna": "serving"}
    assert fleet.preview(members=now) == ["1 unchanged"]


def test_a_renamed_member_that_fails_keeps_the_old_endpoint(fleet: Fleet) -> None:
    """New data that the gate refuses: what served before goes on serving, under its old name."""
    fleet.up(members={"list": [{"name": "ann"}], "path": "shops/{member}/{version}.csv"})
    served = fleet.serves("ann")
    fleet.shop("ann", says="auc=0.1")
    fleet.up(members=renamed())
    assert fleet.serves("ann") == served
    assert fleet.live == {"ann"}
    fleet.shop("ann", says="auc=0.9")
    fleet.up(members=renamed())
    assert fleet.live == {"anna"}
    assert fleet.states() == {"anna": "serving"}


def test_one_that_fails_stops_nobody_and_is_not_tried_again(fleet: Fleet) -> None:
    """A job that fails by its data, and a gate that refuses: the fleet is green, its verdict is not."""
    fleet.shop("bob", says="broken")
    fleet.shop("cid", says="auc=0.5")
    outputs = fleet.up()
    assert outputs["counts"] == {"members": 4, "serving": 2, "failed": 2}
    assert fleet.live == {"ann", "dan"}
    assert [line.partition(":")[0] for line in outputs["failed"]] == ["bob", "cid"]
    with pytest.raises(
        FleetError, match=r"2 of 4 members failed, 1 may: bob: .*one class.*; cid: .*auc is 0.5"
    ):
        fleet.verdict("1")
    assert fleet.verdict("50%")
    jobs = len(fleet.services.batch.created)
    assert fleet.up() is outputs
    assert len(fleet.services.batch.created) == jobs
    fleet.shop("bob", says="auc=0.9")
    fleet.up()
    assert fleet.outputs["counts"] == {"members": 4, "serving": 3, "failed": 1}


def test_a_refused_model_leaves_the_champion(fleet: Fleet) -> None:
    """What served before goes on serving."""
    fleet.up()
    before = fleet.serves("ann")
    fleet.shop("ann", says="auc=0.1")
    outputs = fleet.up()
    assert outputs["failed"] == [f"ann: {fleet.records.find('ann').value.standing.error}"]
    assert fleet.serves("ann") == before
    assert fleet.preview() == ["3 unchanged", "1 failed: ann"]


def test_a_passing_fault_is_tried_again_by_the_next_update(fleet: Fleet) -> None:
    """The member is unfinished; what was done is not done again."""
    fleet.services.errors["bob"] = lambda: Unreachable("nobody answers", "wait")
    fleet.up()
    assert fleet.states()["bob"] == "unfinished"
    assert fleet.outputs["counts"]["failed"] == 1
    del fleet.services.errors["bob"]
    assert fleet.preview() == ["3 unchanged", "1 goes on: bob"]
    fleet.up()
    assert fleet.states()["bob"] == "serving"
    assert len(fleet.services.batch.created) == 4


def test_too_many_failures_end_the_run_before_all_are_begun() -> None:
    """The rest stays as it is; it is begun when more may fail."""
    fleet = Fleet()
    names = [f"shop{number:02}" for number in range(40)]
    for name in names:
        fleet.shop(name, says="broken")
    outputs = fleet.up(schedule={"maxFailures": "3", "concurrency": 2})
    begun = len(fleet.services.batch.created)
    assert 4 <= begun <= 6
    assert outputs["failed"][0] == f"{40 - begun} members were not begun after {begun} failed"
    assert "and" in outputs["failed"][-1] or len(outputs["failed"]) == begun + 1
    fleet.up(schedule={"maxFailures": "100%", "concurrency": 8})
    assert len(fleet.services.batch.created) == 40


def test_a_wave_bakes_before_the_next(fleet: Fleet) -> None:
    """Members of the first wave that go back to another model stop the second."""
    fleet.up(schedule={"waves": ["1", "100%"], "bake": "10s"})
    assert fleet.live == set(NAMES)
    assert fleet.clock.monotonic() >= 10

    def meddle(seconds: float) -> None:
        fleet.services.serving["ann"] = fleet.services.serving["default"]
        type(fleet.clock).sleep(fleet.clock, seconds)

    for name in NAMES:
        fleet.shop(name, says="auc=0.7")
    jobs = len(fleet.services.batch.created)
    fleet.clock.sleep = meddle  # type: ignore[method-assign]
    outputs = fleet.up(schedule={"waves": ["1", "100%"], "bake": "10s", "maxFailures": "0"})
    assert outputs["failed"][0] == "3 members were not begun after 1 failed"
    assert "went back to another model" in outputs["failed"][1]
    assert len(fleet.services.batch.created) == jobs + 1


def test_a_lost_model_and_a_foreign_binding_are_mended(fleet: Fleet) -> None:
    """A model that is gone is trained again; an endpoint that somebody else bound is bound again."""
    fleet.up()
    mine = fleet.services.serving["bob"]
    fleet.services.serving["bob"] = fleet.services.serving["default"]
    fleet.registry.delete(fleet.services.serving["cid"].removeprefix("registry/"))
    assert fleet.preview() == [
        "2 unchanged",
        "1 retrain (its model is lost): cid",
        "1 bound again (somebody else bound another): bob",
    ]
    fleet.up()
    assert fleet.services.serving["bob"] == mine
    assert fleet.services.serving["cid"].endswith("/2.ilearner")
    assert fleet.preview() == ["4 unchanged"]


def test_an_interrupted_update_goes_on_where_it_was(fleet: Fleet) -> None:
    """Every member is trained once."""

    def interrupt(blob: str) -> None:
        if "cid" in blob:
            raise UpdateCancelled("the update was cancelled", "run it again")

    fleet.services.batch.before_create = interrupt
    with pytest.raises(UpdateCancelled):
        fleet.up(schedule={"concurrency": 1})
    fleet.services.batch.before_create = lambda _blob: None
    fleet.up()
    assert sorted(fleet.services.batch.created) == [f"shops/{name}/1.csv" for name in NAMES]
    assert fleet.live == set(NAMES)


def test_what_changes_between_preview_and_update_is_refused(fleet: Fleet) -> None:
    """Nothing is done that no preview showed."""
    from retrain_hooks.fleet.lifecycle import FleetLifecycle

    life = FleetLifecycle(fleet.context)
    checked = life.check(fleet.props(), {})
    fleet.shop("eve")
    with pytest.raises(ConfigurationError, match="have changed since this update was planned"):
        FleetLifecycle(fleet.context).create(checked)
    assert fleet.services.batch.created == []


def test_a_plan_that_was_not_expected_is_refused(fleet: Fleet) -> None:
    """By its digest, or its first digits; a fleet with nothing to do needs none."""
    from retrain_hooks.fleet.lifecycle import FleetLifecycle

    life = FleetLifecycle(fleet.context)
    key = life.check(fleet.props(), {})["planKey"]
    with pytest.raises(ConfigurationError, match="not the expected 0000000"):
        life.check(fleet.props(expect="0" * 7), {})
    fleet.up(expect=key[:9])
    assert fleet.preview(expect=key[:9]) == ["4 unchanged"]


def test_own_parameters_gate_and_probe(fleet: Fleet) -> None:
    """One member's own gate refuses it; another's own parameter is another run."""
    members = {
        "path": fleet.props()["members"]["path"],
        "list": [
            {"name": "ann", "gate": {"rules": ["auc >= 0.95"]}},
            {"name": "bob", "parameters": {"Rate": "2"}},
            {"name": "cid", "probeRows": 0},
        ],
    }
    outputs = fleet.up(members=members)
    assert outputs["counts"] == {"members": 3, "serving": 2, "failed": 1}
    assert "must be >= 0.95" in outputs["failed"][0]
    members["list"][1]["parameters"] = {"Rate": "3"}
    assert fleet.preview(members=members) == ["1 unchanged", "1 retrain (parameters): bob", "1 failed: ann"]
    members["list"][0]["gate"] = {"rules": ["auc >= 0.7"]}
    assert "1 judged and bound anew: ann" in fleet.preview(members=members)


def test_a_gate_of_another_task_is_refused_before_any_member_is_begun(fleet: Fleet) -> None:
    """The shared one; one of a member's own is that member's problem."""
    gate = {"rules": ["rmse <= 5"], "task": "two-class"}
    with pytest.raises(ConfigurationError, match="a two-class classification has none"):
        fleet.up(gate=gate)
    assert fleet.services.batch.created == []
    own = {"name": "ann", "gate": {"rules": ["rmse <= 5"], "task": "two-class"}}
    members = {"path": fleet.props()["members"]["path"], "list": [own, {"name": "bob"}]}
    assert fleet.preview(members=members) == ["1 new: bob", "1 failed: ann"]


def test_a_fleet_without_rules_has_its_tasks_default_gate(fleet: Fleet) -> None:
    """Nothing changes for one that wrote it out before."""
    fleet.up(gate={"rules": ["auc >= 0.65"]})
    assert fleet.preview(gate={"rules": []}) == ["4 unchanged"]


def test_a_member_is_judged_on_its_own_rows_of_the_holdout(fleet: Fleet) -> None:
    """Of a version of its own; one without rows there has that as its problem."""
    for name in NAMES[:3]:
        fleet.shop(name, version="held")
    lines = fleet.preview(holdout="held", gate={"rules": ["auc >= 0.6"], "label": "number >= 15"})
    assert lines == ["3 new: ann, bob, cid", "1 failed: dan"]


def test_what_the_slices_of_a_table_are_is_recorded_once_for_all(fleet: Fleet) -> None:
    """Not by each member, all at once, in one record."""
    rows = "".join(f"{number},shop{number % 9}\n" for number in range(180))
    fleet.data.put("shops/all/1.csv", f"number,shop\n{rows}".encode())
    outputs = fleet.up(members={"column": "shop", "minimumRows": 10}, schedule={"maxFailures": "100%"})
    assert outputs["counts"]["members"] == 9
    assert len([name for name in fleet.registry.writes if name.startswith("hashes/")]) == 1


def test_destroy_leaves_models_and_nothing_else(fleet: Fleet) -> None:
    """Endpoints, staging endpoints, marks of owners and records go."""
    fleet.up()
    fleet.destroy()
    assert set(fleet.services.serving) == {"default"}
    left = {name.partition("/")[0] for name in fleet.registry.blobs}
    assert left <= {"models", "runs", "verdicts", "experience", "hashes", "binding"}


def test_destroy_finds_what_a_first_update_made_that_was_cut_off(fleet: Fleet) -> None:
    """The fleet itself is in no state then; its roster is."""

    def interrupt(blob: str) -> None:
        if "cid" in blob:
            raise UpdateCancelled("the update was cancelled", "run it again")

    fleet.services.batch.before_create = interrupt
    with pytest.raises(UpdateCancelled):
        fleet.up(schedule={"concurrency": 1})
    assert "ann" in fleet.live
    FleetRosterLifecycle(fleet.context).delete("id", fleet.roster)
    assert set(fleet.services.serving) == {"default"}
    left = {name.partition("/")[0] for name in fleet.registry.blobs}
    assert left <= {"models", "runs", "verdicts", "experience", "hashes", "binding"}


def test_approval_of_single_members_is_refused(fleet: Fleet) -> None:
    """A fleet is approved as a plan."""
    with pytest.raises(ConfigurationError, match="a fleet has no approval a member"):
        fleet.preview(gate={"rules": ["auc >= 0.6"], "approval": True})


def test_a_record_that_is_nonsense_is_taken_up_anew(fleet: Fleet) -> None:
    """The member is new again; its endpoint is its own still."""
    fleet.up()
    blob = next(name for name in fleet.registry.blobs if name.startswith("fleets/"))
    fleet.registry.put(blob, b"nonsense")
    assert any("new" in line or "unchanged" in line for line in fleet.preview())
    fleet.up()
    assert fleet.states() == dict.fromkeys(NAMES, "serving")
    assert len(fleet.services.batch.created) == 4
