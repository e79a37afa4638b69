"""Azure ML v2 through ``./dev``: trained, moved step by step, quiet, refused, repaired, interrupted, and gone without a trace."""

from __future__ import annotations

import json
import re
import shutil
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
import requests

from tests.e2e.calling import called
from tests.e2e.checkout import Checkout, Done, writes
from tests.e2e.registry import container, records
from tests.waiting import DEADLINE, eventually

pytestmark = pytest.mark.cloud

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
STACK = "azureml"
ROWS = 500
SMALL = (
    *("-c", "dataPath=tiny/{version}.csv", "-c", "baselineDataVersion=t1"),
    *("-c", 'parameters={"Number of trees constructed": "5"}', "-c", "probeSettle=0s"),
)
# Of a whole month, as the stack file names it: on the few rows of the others such a job has ended after half a minute.
ENDLESS = (
    "-c",
    'parameters={"Number of trees constructed": "10000", "Maximum number of leaves per tree": "200"}',
)
_VERSION = {"api-version": "2024-10-01"}


class Workspace:
    """The stack's workspace, as any client of Resource Manager sees it."""

    def __init__(self, checkout: Checkout) -> None:
        self._checkout = checkout

    def ask(self, path: str, body: Any = None) -> Any:
        """A resource below the workspace, changed where a body is given; None where there is none."""
        cloud = self._checkout.cloud
        answer = requests.request(
            "GET" if body is None else "PUT",
            f"{cloud['studio']}/subscriptions/{cloud['subscription']}/resourceGroups/rg-retraining-{STACK}-workspace"
            f"/providers/Microsoft.MachineLearningServices/workspaces/mlw-retraining-{STACK}-workspace/{path}",
            params=_VERSION,
            headers={"Authorization": f"Bearer {cloud['armToken']}"},
            json=body,
            timeout=20,
        )
        return answer.json() if answer.ok else None

    @property
    def shares(self) -> dict[str, int]:
        """What the endpoint's traffic is."""
        found: dict[str, int] = self.ask(ENDPOINT)["properties"]["traffic"]
        return found

    def divert(self, **shares: int) -> None:
        """Somebody else changes the traffic, and it is so."""
        endpoint = self.ask(ENDPOINT)
        body = {"location": endpoint["location"], "properties": {"authMode": "Key", "traffic": shares}}
        self.ask(ENDPOINT, body)
        eventually(lambda: self.shares == shares and settled(self.ask(ENDPOINT)), "the traffic")


ENDPOINT = f"onlineEndpoints/retrained-retraining-{STACK}"


def settled(resource: dict[str, Any]) -> bool:
    return bool(resource["properties"]["provisioningState"] == "Succeeded")


def jobs(journal: list[dict[str, Any]]) -> list[str]:
    """The jobs that were submitted."""
    return [line.rpartition("/")[2] for line in writes(journal) if re.match(r"PUT .*/jobs/[^/]+$", line)]


def moves(journal: list[dict[str, Any]]) -> int:
    """How often the endpoint was written."""
    return sum(bool(re.match(r"PUT .*/onlineEndpoints/[^/]+$", line)) for line in writes(journal))


@pytest.fixture(scope="module")
def tiny(checkout: Checkout) -> Checkout:
    """A checkout whose cloud has some rows of the flights as data versions t1, t2 and t3."""
    with container(checkout, checkout.cloud["dataContainer"]) as data:
        head, *rows = data.download_blob("flights/2013-01.csv").readall().splitlines()
        for number in range(3):
            part = rows[number * ROWS : (number + 1) * ROWS]
            data.upload_blob(f"tiny/t{number + 1}.csv", b"\n".join([head, *part, b""]), overwrite=True)
    return checkout


@dataclass
class Story:
    """What was done in turn: the commands, the journal, the outputs and the traffic after each."""

    done: dict[str, Done] = field(default_factory=dict)
    journals: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    outputs: dict[str, dict[str, Any]] = field(default_factory=dict)
    shares: dict[str, dict[str, int]] = field(default_factory=dict)
    state: str = ""
    left: Any = None


@contextmanager
def signed_in_as_reader(checkout: Checkout) -> Iterator[None]:
    """Resource Manager takes what is asked meanwhile for a Reader's."""
    file = checkout.root / ".local/cloud/cloud.json"
    before = file.read_text()
    file.write_text(json.dumps({**checkout.cloud, "armToken": checkout.cloud["reader"]["token"]}))
    yield
    file.write_text(before)


@pytest.fixture(scope="module", params=ENGINES)
def engine(request: pytest.FixtureRequest) -> str:
    """Both engines, where both are there."""
    return str(request.param)


@pytest.fixture(scope="module")
def story(tiny: Checkout, engine: str) -> Story:
    """A stack of kind azureml from its first update to its end."""
    told, workspace = Story(), Workspace(tiny)

    def tell(name: str, verb: str, version: str, *more: str) -> None:
        tiny.reset_journal()
        rules = () if "gateRules" in str(more) else ("-c", 'gateRules=["rows >= 1"]')
        options = ("-s", STACK, "--engine", engine, *SMALL, "-c", f"seed={len(engine)}", *rules)
        told.done[name] = tiny.dev(*verb.split(), *options, "-c", f"dataVersion={version}", *more)
        told.journals[name] = tiny.journal()
        if workspace.ask(ENDPOINT):
            told.shares[name] = workspace.shares
        if verb.startswith("up") and told.done[name].status == 0:
            told.outputs[name] = tiny.succeed("output", "--json", "-s", STACK).json

    tell("first preview", "preview --steps", "t1")
    tell("first", "up --yes", "t1")
    tell("quiet", "preview --expect-no-changes", "t1")
    with signed_in_as_reader(tiny):
        tell("reader", "preview --steps", "t2")
    tell("retrain", "up --yes", "t2")
    tell("refused", "up --yes", "t3", "-c", 'gateRules=["auc >= 0.99"]')
    tell("back", "up --yes", "t1")
    live, other = told.shares["back"], told.shares["retrain"]
    workspace.divert(**dict.fromkeys(live, 80), **dict.fromkeys(other, 20))
    tell("drift", "preview --diff --expect-no-changes", "t1")
    tell("repair", "up --yes", "t1")
    told.state = (tiny.root / f".pulumi/stacks/retraining/{STACK}.json").read_text()
    tell("destroy", "destroy --yes", "t1")
    told.left = workspace.ask("")
    return told


def test_the_first_preview_names_the_model_and_writes_nothing(story: Story) -> None:
    """Its address is known before anything is there."""
    done = story.done["first preview"]
    assert done.status == 0, done.text
    assert writes(story.journals["first preview"]) == []
    assert story.outputs["first"]["modelAddress"].rpartition("/")[0] in done.text.replace("\n", "")


def test_the_first_update_trains_once_and_serves(story: Story) -> None:
    """Baseline and candidate are one run's; one deployment gets all."""
    assert story.done["first"].status == 0, story.done["first"].text
    assert "adopted" not in story.done["first"].text
    assert len(jobs(story.journals["first"])) == 1
    assert list(story.shares["first"].values()) == [100]
    assert story.outputs["first"]["verdict"] == "passed"


@pytest.mark.parametrize("name", ["quiet", "reader"])
def test_a_preview_writes_nothing(story: Story, name: str) -> None:
    """Where nothing has changed it says so; and with a credential that may not write."""
    assert story.done[name].status == 0, story.done[name].text
    assert writes(story.journals[name]) == []


def test_new_data_is_one_job_and_moves_the_traffic_in_steps(story: Story) -> None:
    """At 10, 50 and 100 percent, each one write of the endpoint."""
    assert story.done["retrain"].status == 0, story.done["retrain"].text
    journal = story.journals["retrain"]
    assert (len(jobs(journal)), moves(journal)) == (1, 3)
    assert list(story.shares["retrain"].values()) == [100]
    assert story.shares["retrain"].keys().isdisjoint(story.shares["first"])


def test_a_model_that_the_gate_refuses_gets_no_traffic(story: Story) -> None:
    """It was trained, and scored at 0 % only."""
    done = story.done["refused"]
    assert done.status == 1
    assert "auc" in done.text
    assert "Traceback" not in done.text
    assert moves(story.journals["refused"]) == 0
    assert story.shares["refused"] == story.shares["retrain"]


def test_going_back_trains_nothing(story: Story) -> None:
    """The earlier model gets the traffic again."""
    assert story.done["back"].status == 0, story.done["back"].text
    assert jobs(story.journals["back"]) == []
    assert story.outputs["back"]["modelAddress"] == story.outputs["first"]["modelAddress"]
    assert story.shares["back"].keys() == story.shares["first"].keys()


def test_traffic_that_somebody_moved_is_shown_and_repaired(story: Story) -> None:
    """The preview has it; the update writes it as it was."""
    drift = story.done["drift"]
    assert drift.status != 0
    assert f'"80 % {story.outputs["back"]["modelAddress"]}, 20 % ' in drift.text
    assert writes(story.journals["drift"]) == []
    assert story.done["repair"].status == 0, story.done["repair"].text
    assert jobs(story.journals["repair"]) == []
    assert story.shares["repair"] == story.shares["back"]


def test_no_secret_is_in_the_state(story: Story, tiny: Checkout) -> None:
    """Neither a key of the cloud nor a signature."""
    for secret in (tiny.cloud["accountKey"], tiny.cloud["armToken"], "sig=", "AccountKey="):
        assert secret not in story.state


def test_destroy_leaves_nothing(story: Story) -> None:
    """The workspace is gone, with its endpoints."""
    assert story.done["destroy"].status == 0, story.done["destroy"].text
    assert story.left is None


# Interrupted


@contextmanager
def under_way(checkout: Checkout, *options: str) -> Iterator[subprocess.Popen[str]]:
    """An update that ends with what is done meanwhile; where that fails, what the update said is told with it."""
    with checkout.start("up", "--yes", "-s", STACK, *options) as process:
        try:
            yield process
        except BaseException as failure:
            process.kill()
            failure.add_note("\n".join(process.communicate(timeout=DEADLINE)))
            raise


def interrupted(checkout: Checkout, *options: str) -> tuple[Done, str]:
    """Send SIGINT while the job of an update runs; how it ended, and the job."""
    checkout.reset_journal()
    with under_way(checkout, *options) as process:
        job = eventually(
            lambda: next((one for one in jobs(checkout.journal()) if runs(checkout, one)), None),
            "a job that runs",
            2 * DEADLINE,
        )
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=DEADLINE)
    return Done(process.returncode, out, err), job


def looks(checkout: Checkout, job: str) -> int:
    """How often the job was asked for since the last reset of the journal."""
    return sum(f"/jobs/{job}" in entry["path"] for entry in checkout.journal())


def runs(checkout: Checkout, job: str) -> bool:
    return state_of(checkout, job) == "Running"


def state_of(checkout: Checkout, job: str) -> str:
    """How a job stands at the service."""
    found = Workspace(checkout).ask(f"jobs/{job}")
    return str(found["properties"]["status"]) if found else ""


def test_an_interrupted_update_leaves_its_job_or_ends_it_as_it_is_told(tiny: Checkout, engine: str) -> None:
    """The job goes on, and the next update attaches to it; with cancelJobs it is cancelled, as its record says."""
    options = ("--engine", engine, *ENDLESS, "-c", f"seed={10 + len(engine)}")
    done, job = interrupted(tiny, *options)
    assert done.status == 130, done.text
    assert f"job {job} goes on" in done.text
    assert "Traceback" not in done.text
    assert runs(tiny, job)
    ended, same = interrupted_again(tiny, job, *options, "-c", "cancelJobs=true")
    assert ended.status == 130, ended.text
    assert same == [], "a second job for the same run"
    assert f"job {job} with it" in ended.text, ended.text
    eventually(lambda: state_of(tiny, job) == "Canceled", "the end of the job")
    [record] = [one for one in records(tiny, "runs/").values() if (one["job"] or {}).get("id") == job]
    assert (record["state"], record["error"][:13]) == ("failed", "Cancelled by ")
    tiny.succeed("destroy", "--yes", "-s", STACK, "--engine", engine, *ENDLESS)


def interrupted_again(checkout: Checkout, job: str, *options: str) -> tuple[Done, list[str]]:
    """Send SIGINT to an update that has attached to a job; how it ended, and the jobs that it submitted."""
    checkout.reset_journal()
    with under_way(checkout, *options) as process:
        eventually(
            lambda: process.poll() is not None or looks(checkout, job) > 2,
            "an update that looks at the job",
            2 * DEADLINE,
        )
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=DEADLINE)
    return Done(process.returncode, out, err), jobs(checkout.journal())


# The three kinds


@dataclass
class Kind:
    """What a stack of a kind learnt, and what an application was answered."""

    record: dict[str, Any]
    metrics: dict[str, float]
    answers: tuple[Any, Any]


@pytest.fixture(scope="module")
def kinds(tiny: Checkout) -> dict[str, Kind]:
    """The same data trained from on each kind, which trains its own by `force`."""
    found = {}
    small = (*SMALL, "-c", "dataVersion=t1", "-c", 'gateRules=["rows >= 1"]', "-c", "seed=3")
    for kind, stack in (("classic", "dev"), ("new", "dev"), ("azureml", STACK)):
        tiny.up("-s", stack, "-c", f"kind={kind}", *small, "-c", f"force={kind}")
        outputs = tiny.succeed("output", "--json", "-s", stack).json
        [record] = [one for one in records(tiny, "runs/").values() if one["key"] == outputs["runKey"]]
        found[kind] = Kind(record, outputs["metrics"], called(tiny, kind, stack))
    return found


def test_equal_data_gives_equal_models_on_the_three_kinds(kinds: dict[str, Kind]) -> None:
    """Metrics to the last digit and each byte."""
    assert len({one.record["sha256"] for one in kinds.values()}) == 1, kinds
    assert kinds["classic"].metrics == kinds["new"].metrics == kinds["azureml"].metrics


def test_an_application_is_answered_alike_by_the_three_kinds(kinds: dict[str, Kind]) -> None:
    """By curl and by Python, as the page for applications has them."""
    answers = [answer for one in kinds.values() for answer in one.answers]
    assert answers[0][0]["Scored Probabilities"]
    assert answers == [answers[0]] * 6
