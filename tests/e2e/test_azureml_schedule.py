"""A schedule of Azure ML v2 through ``./dev``: it leaves marks, and `watch` trains once for them; it is kept as it is declared."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.e2e.checkout import Checkout, writes
from tests.e2e.test_azureml import ENGINES, STACK, Workspace, jobs, settled, tiny
from tests.waiting import DEADLINE, eventually

pytestmark = pytest.mark.cloud

__all__ = ["tiny"]  # the fixture, here as there

CONFIG = {
    "dataPath": "tiny/{version}.csv",
    "baselineDataVersion": "t1",
    "dataVersion": "t1",
    "parameters": '{"Number of trees constructed": "5"}',
    "probeSettle": "0s",
    "seed": "15",
    "gateRules": '["rows >= 1"]',
    "watchPolicy": "auto",
}
OFTEN = {"frequency": "minute", "name": "often"}
SCHEDULE = f"schedules/retraining-{STACK}-often"


def declare(checkout: Checkout, *triggers: dict[str, Any]) -> None:
    """Edit the stack's file as a person does: these triggers, and what the story needs."""
    path = checkout.root / f"Pulumi.{STACK}.yaml"
    given = {**CONFIG, "triggers": json.dumps(triggers)}
    known = tuple(f"retraining:{name}:" for name in given)
    kept = [line for line in path.read_text().splitlines() if not line.strip().startswith(known)]
    path.write_text("\n".join([*kept, *(f"  retraining:{k}: {v}" for k, v in given.items())]) + "\n")


def marks(workspace: Workspace) -> list[str]:
    """The jobs that the schedule has submitted."""
    found = (workspace.ask("jobs") or {"value": []})["value"]
    return [one["name"] for one in found if one["name"].startswith(f"retraining-{STACK}-often-2")]


@pytest.fixture(scope="module", params=ENGINES)
def scheduled(tiny: Checkout, request: pytest.FixtureRequest) -> Any:
    """A stack whose schedule has left a mark, and is disabled since, with the engine that made it."""
    workspace, options = Workspace(tiny), ("-s", STACK, "--engine", str(request.param))
    declare(tiny, {"schedule": OFTEN, "force": True})
    tiny.succeed("up", "--yes", *options)
    eventually(lambda: marks(workspace), "a mark", 2 * DEADLINE)
    declare(tiny, {"schedule": {**OFTEN, "enabled": False}, "force": True})
    tiny.succeed("up", "--yes", *options)
    yield workspace, options
    tiny.dev("destroy", "--yes", *options)


def test_a_mark_is_trained_for_once(tiny: Checkout, scheduled: Any) -> None:
    """However many there are, it is one job; a second look finds none; the previews write nothing."""
    workspace, options = scheduled
    before = tiny.succeed("output", "modelAddress", "-s", STACK).out
    tiny.reset_journal()
    done = tiny.succeed("watch", "--once", *options)
    assert "schedule: the schedule often was due at 20" in done.err
    assert len(jobs(tiny.journal())) == 1
    assert tiny.succeed("output", "modelAddress", "-s", STACK).out != before
    tiny.reset_journal()
    quiet = tiny.succeed("watch", "--once", *options)
    assert "has left no new mark; it is disabled in the workspace" in quiet.err
    assert writes(tiny.journal()) == []
    assert all(workspace.ask(f"jobs/{name}")["properties"]["status"] != "Failed" for name in marks(workspace))


def test_what_somebody_did_to_it_is_shown_and_taken_back(tiny: Checkout, scheduled: Any) -> None:
    """Enabled by hand: a refresh says so, the preview writes nothing, and the update disables it again."""
    workspace, options = scheduled
    declare(tiny, {"schedule": {**OFTEN, "enabled": False, "end": "2024-02-01T00:00:00"}})
    tiny.succeed("up", "--yes", *options)
    schedule = workspace.ask(SCHEDULE)
    assert schedule["properties"]["isEnabled"] is False
    assert schedule["properties"]["trigger"]["endTime"] == "2024-02-01T00:00:00"
    assert schedule["properties"]["tags"]["stack"] == STACK
    workspace.ask(SCHEDULE, {"properties": {**schedule["properties"], "isEnabled": True}})
    eventually(lambda: settled(workspace.ask(SCHEDULE)), "the change by hand")
    tiny.reset_journal()
    drift = tiny.dev("preview", "--refresh", "--diff", *options)
    assert drift.status == 0, drift.text
    assert "isEnabled" in drift.text
    assert writes(tiny.journal()) == []
    tiny.succeed("up", "--yes", "--refresh", *options)
    assert workspace.ask(SCHEDULE)["properties"]["isEnabled"] is False


def test_one_that_is_there_is_adopted_and_stays(tiny: Checkout, scheduled: Any) -> None:
    """Its jobs are marks, whatever they do; neither an update nor its removal from the stack writes it."""
    workspace, options = scheduled
    own = workspace.ask(SCHEDULE)["properties"]
    workspace.ask("schedules/theirs", {"properties": {**own, "isEnabled": True, "tags": {}}})
    eventually(lambda: settled(workspace.ask("schedules/theirs")), "another's schedule")
    declare(tiny, {"schedule": {"existing": "theirs", "name": "adopted"}})
    tiny.reset_journal()
    tiny.succeed("up", "--yes", *options)
    assert workspace.ask(SCHEDULE) is None, "the stack's own is gone with its trigger"
    assert not [line for line in writes(tiny.journal()) if line.endswith("/schedules/theirs")]
    quiet = tiny.succeed("watch", "--once", *options)
    assert "the schedule adopted has left no new mark" in quiet.err
    declare(tiny)
    tiny.succeed("up", "--yes", *options)
    assert workspace.ask("schedules/theirs")["properties"]["isEnabled"] is True
