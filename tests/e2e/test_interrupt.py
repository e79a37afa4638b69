"""Ctrl-C in the middle of a training: quick, quiet, and the job is not lost; and `./dev cancel --jobs`."""

from __future__ import annotations

import re
import shutil
import signal
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
import requests

from tests.e2e.checkout import Checkout, Done, jobs, patches, writes
from tests.e2e.registry import records
from tests.waiting import DEADLINE, eventually

pytestmark = [pytest.mark.cloud, pytest.mark.own_cloud]

ENGINES = [
    "embedded",
    pytest.param(
        "pulumi",
        marks=[
            pytest.mark.cli,
            pytest.mark.skipif(shutil.which("pulumi") is None, reason="no Pulumi CLI on PATH"),
        ],
    ),
]
SLOW = 'parameters={"Number of trees constructed": "3000"}'
# For a job that is cancelled: it never ends by itself before that, however busy the machine is.
ENDLESS = (
    "-c",
    'parameters={"Number of trees constructed": "10000", "Maximum number of leaves per tree": "200"}',
)


@dataclass(frozen=True)
class Interrupted:
    """An update that got SIGINT while its job ran: how it ended, what it had asked of the cloud."""

    done: Done
    journal: list[dict[str, Any]]

    @property
    def job(self) -> str:
        """The one job that it started; who asks for its start once more is told that it runs."""
        found = set(re.findall(r"/jobs/([0-9a-f]{32})/start", " ".join(writes(self.journal))))
        assert len(found) == 1, writes(self.journal)
        return str(found.pop())


@pytest.fixture(scope="module")
def deployed(checkout: Checkout) -> Checkout:
    """A stack whose endpoint serves the first data version's model."""
    checkout.up()
    return checkout


def until(journal: Callable[[], list[dict[str, Any]]], sign: str) -> list[dict[str, Any]]:
    """The journal once a write in it ends in *sign*."""

    def found() -> list[dict[str, Any]] | None:
        asked = journal()
        return asked if any(line.endswith(sign) for line in writes(asked)) else None

    return list(eventually(found, f"a write that ends in {sign}"))


def interrupted(checkout: Checkout, *arguments: str) -> Interrupted:
    """Start a slow training, and send SIGINT once its job has been started."""
    checkout.reset_journal()
    with checkout.start("up", "--yes", "-c", SLOW, *arguments) as process:
        until(checkout.journal, "/start")
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=DEADLINE)
    return Interrupted(Done(process.returncode, out, err), checkout.journal())


def run_of(checkout: Checkout, job: str) -> dict[str, Any]:
    """The record that names *job*."""
    found = [record for record in records(checkout, "runs/").values() if record["job"]["id"] == job]
    assert len(found) == 1
    return found[0]


@pytest.fixture(scope="module", params=ENGINES)
def engine(request: pytest.FixtureRequest) -> str:
    """Both engines, where both are there."""
    return str(request.param)


@pytest.fixture(scope="module")
def seed(engine: str) -> tuple[str, str]:
    """Another seed for each engine, so that each has a run of its own."""
    return ("-c", f"seed={1 + len(engine)}")


@pytest.fixture(scope="module")
def update(deployed: Checkout, engine: str, seed: tuple[str, str]) -> Interrupted:
    """An update that was interrupted while its job ran."""
    return interrupted(deployed, "--engine", engine, *seed)


def test_an_interrupted_update_returns_soon_and_says_what_to_do(update):
    """While its job goes on: exit status 130, cause and remedy on a line each, no traceback."""
    assert update.done.status == 130, update.done.text
    assert f"error: the update was cancelled; job {update.job} goes on" in update.done.text
    assert "remedy: run ./dev up again: it attaches to the job" in update.done.text
    assert "Traceback" not in update.done.text
    assert "KeyboardInterrupt" not in update.done.text


def test_an_interrupted_update_leaves_the_endpoint_as_it_was_and_keeps_its_job(deployed, update):
    """Nothing is bound, and the ledger names the job."""
    assert patches(update.journal) == []
    assert not [line for line in writes(update.journal) if line.startswith("DELETE ")]
    assert run_of(deployed, update.job)["state"] == "submitted"
    assert deployed.succeed("output", "modelAddress").out.strip() in json_of_endpoint(deployed)


def json_of_endpoint(checkout: Checkout) -> str:
    """The endpoint as the management API answers it, without its keys."""
    cloud, service = checkout.cloud, checkout.succeed("output", "service", "--json").json
    workspace = service["workspace"]
    keys = requests.post(
        f"{cloud['studio']}{workspace['resource']}/listWorkspaceKeys",
        params={"api-version": "2019-10-01"},
        headers={"Authorization": f"Bearer {cloud['armToken']}"},
        timeout=20,
    ).json()
    found = requests.get(
        f"{cloud['studio']}/workspaces/{workspace['id']}/webservices/{service['id']}/endpoints/retrained",
        headers={"Authorization": f"Bearer {keys['primaryToken']}"},
        timeout=20,
    ).json()
    return str(found["Resources"])


def test_the_next_update_attaches_to_the_job(deployed, engine, seed, update):
    """No second job for the key: the model of the first one is bound."""
    deployed.reset_journal()
    done = deployed.dev("up", "--yes", "--engine", engine, "-c", SLOW, *seed)
    assert done.status == 0, done.text
    journal = deployed.journal()
    assert (jobs(update.journal), jobs(journal), len(patches(journal))) == (1, 0, 1)
    assert run_of(deployed, update.job)["state"] == "finished"


def test_cancel_jobs_ends_the_job_with_the_update(deployed, engine):
    """`cancelJobs: true`: it doesn't wait for the job, which is gone at the service, failed on record, and trained anew."""
    wish = ("--engine", engine, "-c", "cancelJobs=true", "-c", f"seed={100 + len(engine)}", *ENDLESS)
    update = interrupted(deployed, *wish)
    assert update.done.status == 130, update.done.text
    assert f"error: the update was cancelled, and job {update.job} with it" in update.done.text
    assert [line for line in writes(update.journal) if line.endswith(f"/jobs/{update.job}")]
    record = run_of(deployed, update.job)
    assert record["state"] == "failed"
    assert record["error"].startswith("Cancelled by ")
    again = interrupted(deployed, *wish)
    assert again.job != update.job
    assert run_of(deployed, again.job)["attempt"] == 2


def test_cancel_cancels_only_the_jobs_of_its_own_stack(deployed):
    """At the service and on record; another stack's job goes on and is told."""
    update = interrupted(deployed, "--engine", "embedded", "-c", "seed=200", *ENDLESS)
    (deployed.root / "Pulumi.other.yaml").write_text("config: {}\n")
    (deployed.root / "empty.json").write_text('{"version": 3, "deployment": {}}')
    deployed.succeed("stack", "import", "-s", "other", "--file", "empty.json")
    others = deployed.dev("cancel", "--jobs", "-s", "other", "--engine", "embedded")
    assert "no unfinished job of other" in others.out
    assert f"left alone: run {run_of(deployed, update.job)['key'][:12]}" in others.out
    deployed.reset_journal()
    done = deployed.succeed("cancel", "--jobs", "--engine", "embedded")
    assert f"cancelled job {update.job}" in done.out
    assert [line for line in writes(deployed.journal()) if line.endswith(f"/jobs/{update.job}")]
    assert run_of(deployed, update.job)["state"] == "failed"
