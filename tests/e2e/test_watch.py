"""A stack that is watched: real data, a real preview and update, and a plan that is approved by hand."""

from __future__ import annotations

import json
from typing import Any

import pytest

from clients.credentials import resolve_target
from clients.storage import Container
from tests.e2e.checkout import Checkout, jobs
from tests.e2e.test_gate import declare

pytestmark = pytest.mark.cloud

WATCH = ("watch", "--once", "--engine", "embedded")


@pytest.fixture(scope="module")
def watched(checkout: Checkout) -> Checkout:
    """A stack that serves the latest of the example's months, with a trigger."""
    declare(checkout, dataVersion="latest", watchPolicy="auto", triggers="[{newData: {every: 15m}}]")
    checkout.up()
    return checkout


def upload(checkout: Checkout, version: str) -> None:
    """Somebody uploads a month that is like one of the example's."""
    target = resolve_target("local", {}, checkout.root)
    data = Container(target.connection_string, target.data_container, "")
    like, _etag = data.read(f"flights/2013-{version[-2:]}.csv")
    data.write(f"flights/{version}.csv", like, etag=None)


def history(checkout: Checkout) -> list[dict[str, Any]]:
    return [json.loads(line) for line in checkout.succeed("watch", "--history").out.splitlines()]


def test_new_data_is_trained_and_served_once(watched: Checkout) -> None:
    """A look without news trains nothing; one with a new month trains it, binds it and says why; the next does nothing."""
    watched.succeed(*WATCH)
    before = watched.succeed("output", "modelAddress").out
    upload(watched, "2014-02")
    watched.reset_journal()
    done = watched.succeed(*WATCH)
    assert "newData: new data: flights/2014-02.csv" in done.err
    assert jobs(watched.journal()) == 1
    served = watched.succeed("output", "modelAddress").out
    assert served != before
    watched.succeed(*WATCH)
    assert jobs(watched.journal()) == 1
    applied = history(watched)[-1]
    assert applied["outcome"] == "applied"
    assert applied["runKeys"]["candidate"] in served


def test_a_plan_waits_until_it_is_approved(watched: Checkout) -> None:
    """Under the policy `ask` a new month is not trained; the command that the plan has trains it, and takes the plan away."""
    declare(watched, dataVersion="latest", watchPolicy="ask", triggers="[{newData: {every: 15m}}]")
    upload(watched, "2014-03")
    watched.reset_journal()
    watched.succeed(*WATCH)
    assert jobs(watched.journal()) == 0
    plan = watched.root / ".local/watch/dev/plan.json"
    kept = json.loads(plan.read_text())
    key = kept["runKeys"]["candidate"]
    told = watched.succeed("approve", key[:5], "--dry-run").out
    assert f"trains candidate {key[:12]}" in told
    assert f"because {kept['reasons'][0]}" in told
    approve = kept["approve"].split()
    assert approve[0] == "./dev"
    watched.succeed(*approve[1:], "--engine", "embedded")
    assert jobs(watched.journal()) == 1
    assert history(watched)[-1]["outcome"] == "waits"


def test_a_dry_run_reads_only(watched: Checkout) -> None:
    """It says what would be done; no file of `watch` changes, nothing is written to the cloud."""
    upload(watched, "2014-04")
    folder = watched.root / ".local/watch/dev"
    before = {path.name: path.read_bytes() for path in folder.glob("*")}
    watched.reset_journal()
    done = watched.succeed("watch", "--once", "--dry-run", "--engine", "embedded")
    assert "newData: fires: new data: flights/2014-04.csv" in done.err
    assert "a plan would wait for approval" in done.err
    assert [entry for entry in watched.journal() if entry["effect"] == "write"] == []
    assert {path.name: path.read_bytes() for path in folder.glob("*")} == before


def test_a_trigger_that_is_none_is_refused_by_the_preview(watched: Checkout) -> None:
    """In a line, with its remedy, though nothing of the program reads it."""
    declare(watched, triggers='[{cron: "0 3 30 2 *"}]')
    done = watched.dev("preview", "--engine", "embedded")
    assert done.status == 1
    assert "triggers[0]: cron: '0 3 30 2 *' never comes" in done.text
    assert "remedy: name a day that some month has" in done.text
    refused = watched.dev("config", "set", "triggers", '[{"age": "old"}]')
    assert refused.status == 2
    assert "triggers[0]: age: 'old' is not a duration" in refused.err
