"""A fleet through ``./dev``, classic and New: an airport a member, each with an endpoint and a model of its own."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil
import pytest
import requests

from clients.credentials import resolve_target
from tests.e2e.checkout import Checkout, Done, jobs, writes
from tests.e2e.registry import blobs, container, records
from tests.e2e.test_interrupt import ENGINES
from tests.waiting import eventually

pytestmark = pytest.mark.cloud

AIRPORTS = ("EWR", "JFK", "LGA")
FOLDERS = ("fleets/", "owners/", "bound/", "rollouts/")
SAMPLE = Path(__file__).parents[2] / "experiments/flights/sample.json"


@pytest.fixture(scope="module", params=["classic", "new"])
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module", params=ENGINES)
def engine(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def fleet(checkout: Checkout, kind: str, engine: str) -> Iterator[Fleet]:
    """A stack of its own, which is destroyed after the test."""
    found = Fleet(checkout, kind, engine)
    yield found
    found.dev("destroy", "--yes")


class Fleet:
    """The stack `fleet` of a checkout, by one *engine*, with web services of one *kind*."""

    def __init__(self, checkout: Checkout, kind: str, engine: str) -> None:
        self.checkout, self._kind, self.engine = checkout, kind, engine
        self.declare({"column": "origin"})

    def declare(self, members: object, **more: str) -> None:
        """Write the stack's file, as a person does."""
        values = {
            "kind": self._kind,
            "dataVersion": "2013-01",
            "baselineDataVersion": "2013-01",
            "members": json.dumps(members),
            # No run of the other kind, or engine, is reused.
            "seed": str(
                1 + ["classic", "new", "azureml"].index(self._kind) + 3 * (self.engine == "embedded")
            ),
            "gateRules": '["auc >= 0.5"]',
            "probeSettle": '"0"',
            "holdoutDataVersion": '""',
            **more,
        }
        salt = (self.checkout.root / "Pulumi.dev.yaml").read_text().splitlines()[0]
        lines = [salt, "config:", *(f"  retraining:{name}: {value}" for name, value in values.items())]
        (self.checkout.root / "Pulumi.fleet.yaml").write_text("\n".join(lines) + "\n")

    def dev(self, verb: str, *arguments: str) -> str:
        """A verb that runs the stack, which succeeds; all that a person sees."""
        return self.checkout.succeed(verb, "-s", "fleet", "--engine", self.engine, *arguments).text

    def up(self) -> list[dict[str, object]]:
        """An update; what it asked of the cloud."""
        self.checkout.reset_journal()
        self.dev("up", "--yes")
        return self.checkout.journal()

    def status(self) -> dict[str, dict[str, str]]:
        """Where each member is."""
        rows = self.checkout.succeed("fleet", "status", "--json").json
        return {row["member"]: row for row in rows}

    def scored(self, member: str) -> str:
        """What a member's endpoint says of the sample, as any client would ask it."""
        output = self.checkout.succeed("output", "--json", "-s", "fleet").json
        from clients.clock import SystemClock
        from clients.web_services import web_services

        target = resolve_target("local", {}, self.checkout.root)
        services = web_services(target, output["service"], SystemClock())
        url, endpoint = self.status()[member]["url"], self.status()[member]["endpoint"]
        answer = requests.post(
            f"{url}/execute?api-version=2.0",
            json={
                "Inputs": {"input1": [next(iter(json.loads(SAMPLE.read_text()).values()))]},
                "GlobalParameters": {},
            },
            headers={"Authorization": f"Bearer {services.key(output['service']['id'], endpoint)}"},
            params={"format": "swagger"},
            timeout=30,
        )
        assert answer.status_code == 200, answer.text
        return answer.text

    def left(self) -> set[str]:
        """What the registry has of a fleet besides its models."""
        return set().union(*(blobs(self.checkout, folder) for folder in FOLDERS))


def killed(fleet: Fleet, version: str) -> None:
    """An update that is killed, with all that it has started, when its second job is submitted."""
    fleet.declare({"column": "origin"}, dataVersion=version)
    fleet.checkout.reset_journal()
    with fleet.checkout.start("up", "--yes", "-s", "fleet", "--engine", fleet.engine) as process:
        eventually(lambda: jobs(fleet.checkout.journal()) >= 2, "two jobs")
        family = [psutil.Process(process.pid), *psutil.Process(process.pid).children(recursive=True)]
        for one in family:
            with contextlib.suppress(psutil.NoSuchProcess):
                one.kill()


@dataclass
class Story:
    """What happened to a fleet in turn: what each command said and asked of the cloud, and where its members were then."""

    fleet: Fleet
    said: dict[str, Done] = field(default_factory=dict)
    asked: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    members: dict[str, dict[str, dict[str, str]]] = field(default_factory=dict)
    scores: dict[str, str] = field(default_factory=dict)
    versions: set[str] = field(default_factory=set)
    trained: list[dict[str, Any]] = field(default_factory=list)
    left: set[str] = field(default_factory=set)

    def tell(self, name: str, verb: str, *arguments: str) -> None:
        """A verb that runs the stack, as it is declared."""
        self.fleet.checkout.reset_journal()
        self.go_on(name, verb, *arguments)

    def go_on(self, name: str, verb: str, *arguments: str) -> None:
        """The same, with what was asked before it."""
        fleet = self.fleet
        self.said[name] = fleet.checkout.dev(verb, *arguments, "-s", "fleet", "--engine", fleet.engine)
        self.asked[name] = fleet.checkout.journal()
        self.members[name] = fleet.status() if verb == "up" else {}


@pytest.fixture(scope="module")
def story(checkout: Checkout, kind: str, engine: str) -> Story:
    """An airport a member, from the first update to the end; one leaves, and comes back in an update that is killed."""
    fleet = Fleet(checkout, kind, engine)
    told = Story(fleet)
    told.tell("first", "up", "--yes")
    told.scores = {name: fleet.scored(name) for name in AIRPORTS}
    fleet.declare({"column": "origin"}, dataVersion="2013-02")
    told.tell("preview", "preview")
    told.tell("retrain", "up", "--yes")
    told.tell("quiet", "up", "--yes")
    listed = checkout.succeed("runs", "--fleet", "-s", "fleet", "--json").json
    told.versions = {row["dataVersion"] for row in listed}
    fleet.declare({"column": "origin", "list": ["JFK", "LGA"]}, dataVersion="2013-02")
    told.tell("leaves, unasked", "up")
    told.tell("leaves", "up", "--yes")
    known = records(checkout, "runs/").keys()
    killed(fleet, "2013-03")
    told.go_on("after a kill", "up", "--yes")
    told.trained = [one for name, one in records(checkout, "runs/").items() if name not in known]
    told.tell("at last", "up", "--yes")
    told.tell("destroy", "destroy", "--yes")
    told.left = fleet.left()
    return told


def test_each_airport_has_a_model_of_its_own(story: Story) -> None:
    """Three endpoints, which answer in three ways, after one job for each and one for the baseline."""
    assert story.said["first"].status == 0, story.said["first"].text
    assert jobs(story.asked["first"]) == 4
    found = story.members["first"]
    assert {name: row["state"] for name, row in found.items()} == dict.fromkeys(AIRPORTS, "serving")
    assert len({row["address"] for row in found.values()}) == 3
    assert len(set(story.scores.values())) == 3


def test_the_next_month_retrains_all_and_then_nothing_is_written(story: Story) -> None:
    """As the preview says, a job for each member; the ledger has them."""
    assert "3 retrain (data): EWR, JFK, LGA" in story.said["preview"].text
    assert writes(story.asked["preview"]) == []
    assert story.said["retrain"].status == 0, story.said["retrain"].text
    assert jobs(story.asked["retrain"]) == 3
    assert story.versions == {"2013-02"}
    assert story.said["quiet"].status == 0, story.said["quiet"].text
    assert writes(story.asked["quiet"]) == []


def test_who_leaves_is_asked_for(story: Story) -> None:
    """In a pipe that is `--yes`; then the endpoint is gone, and the others stay."""
    refused = story.said["leaves, unasked"]
    assert refused.status != 0
    assert "fleet-members (EWR)" in refused.text
    assert set(story.members["leaves, unasked"]) == set(AIRPORTS)
    assert story.said["leaves"].status == 0, story.said["leaves"].text
    assert list(story.members["leaves"]) == ["JFK", "LGA"]
    assert jobs(story.asked["leaves"]) == 0


def test_an_update_that_is_killed_goes_on(story: Story) -> None:
    """Each run is trained once, that of the member who is back too, and the next update is right."""
    assert story.said["after a kill"].status == 0, story.said["after a kill"].text
    found = story.members["after a kill"]
    assert {name: row["state"] for name, row in found.items()} == dict.fromkeys(AIRPORTS, "serving")
    assert [(run["attempt"], run["data"]["version"]) for run in story.trained] == 3 * [(1, "2013-03")]
    started = [line for line in writes(story.asked["after a kill"]) if line.endswith("/start")]
    assert len(set(started)) == 3
    assert story.said["at last"].status == 0, story.said["at last"].text
    assert writes(story.asked["at last"]) == []


def test_destroy_leaves_models_only(story: Story) -> None:
    """No endpoint, no owner's mark, no record of a member."""
    assert story.said["destroy"].status == 0, story.said["destroy"].text
    assert story.left == set()


def test_customers_who_upload_data_have_models_of_their_own(fleet: Fleet) -> None:
    """By a pattern; one whose data can't be trained from fails alone."""
    with container(fleet.checkout, fleet.checkout.cloud["dataContainer"]) as data:
        table = data.download_blob("flights/2013-01.csv").readall().decode().splitlines()
        folder = f"shops-{os.urandom(4).hex()}"
        for number, name in enumerate(("ann", "bob")):
            rows = "\n".join([table[0], *table[1 + number :: 8]])
            data.upload_blob(f"{folder}/{name}/1.csv", rows)
        data.upload_blob(f"{folder}/cid/1.csv", "price\n1\n")
    fleet.declare({"path": f"{folder}/{{member}}/{{version}}.csv"}, dataVersion='"1"', fleetMaxFailures='"1"')
    fleet.up()
    states = {name: row["state"] for name, row in fleet.status().items()}
    assert states == {"ann": "serving", "bob": "serving", "cid": "failed"}
    told = fleet.checkout.succeed("fleet", "explain", "cid").text
    assert "price" in told or "has no column" in told
    fleet.declare({"path": f"{folder}/{{member}}/{{version}}.csv"}, dataVersion='"1"', fleetMaxFailures='"0"')
    done = fleet.checkout.dev("up", "--yes", "-s", "fleet", "--engine", fleet.engine)
    assert done.status != 0
    assert "1 of 3 members failed, 0 may: cid:" in done.text


def test_a_first_update_that_is_killed_can_be_destroyed(fleet: Fleet) -> None:
    """Nothing that it made by then is left."""
    killed(fleet, "2013-04")
    fleet.dev("destroy", "--yes")
    assert fleet.left() == set()
