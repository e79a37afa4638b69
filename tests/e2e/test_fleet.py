"""A fleet through ``./dev``, classic and New: an airport a member, each with an endpoint and a model of its own."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
import requests

from clients.credentials import resolve_target
from tests.e2e.checkout import Checkout, jobs, writes
from tests.e2e.registry import blobs, container, records
from tests.e2e.test_interrupt import ENGINES
from tests.waiting import eventually

pytestmark = pytest.mark.cloud

AIRPORTS = ("EWR", "JFK", "LGA")
SAMPLE = Path(__file__).parents[2] / "experiments/flights/sample.json"


@pytest.fixture(params=["classic", "new"])
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(params=ENGINES)
def fleet(
    request: pytest.FixtureRequest, checkout: Checkout, kind: str, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Fleet]:
    """A stack of its own, which is destroyed after the test."""
    monkeypatch.chdir(checkout.root)
    found = Fleet(checkout, kind, request.param)
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

        services = web_services(resolve_target("local"), output["service"], SystemClock())
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


def test_each_airport_has_a_model_and_then_nothing_is_written(fleet: Fleet) -> None:
    """Three endpoints with three models; the next month retrains all; a second update writes nothing."""
    asked = fleet.up()
    assert jobs(asked) == 4  # the baseline's, too
    found = fleet.status()
    assert {name: row["state"] for name, row in found.items()} == dict.fromkeys(AIRPORTS, "serving")
    assert len({row["address"] for row in found.values()}) == 3
    assert len({fleet.scored(name) for name in AIRPORTS}) == 3
    assert writes(fleet.up()) == []
    fleet.declare({"column": "origin"}, dataVersion="2013-02")
    assert "3 retrain (data): EWR, JFK, LGA" in fleet.dev("preview")
    assert jobs(fleet.up()) == 3
    assert writes(fleet.up()) == []
    rows = fleet.checkout.succeed("runs", "--fleet", "-s", "fleet", "--json").json
    assert {row["dataVersion"] for row in rows} == {"2013-02"}


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


def test_who_leaves_is_asked_for(fleet: Fleet) -> None:
    """In a pipe that is `--yes`; then the endpoint is gone, and the others stay."""
    fleet.declare({"column": "origin", "list": ["EWR", "JFK"]})
    fleet.up()
    fleet.declare({"column": "origin", "list": ["JFK"]})
    refused = fleet.checkout.dev("up", "-s", "fleet", "--engine", fleet.engine)
    assert refused.status != 0
    assert "fleet-members (EWR)" in refused.text
    assert "EWR" in fleet.status()
    fleet.up()
    assert list(fleet.status()) == ["JFK"]
    assert writes(fleet.up()) == []


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


def test_an_update_that_is_killed_goes_on(fleet: Fleet) -> None:
    """Each run is trained once, and the next update is right."""
    killed(fleet, "2013-03")
    fleet.dev("up", "--yes")
    assert {row["state"] for row in fleet.status().values()} == {"serving"}
    started = [line for line in writes(fleet.checkout.journal()) if line.endswith("/start")]
    found = [
        one for one in records(fleet.checkout, "runs/").values() if one["data"].get("version") == "2013-03"
    ]
    assert all(run["attempt"] == 1 for run in found)
    assert len(set(started)) <= 4
    assert writes(fleet.up()) == []


def test_a_first_update_that_is_killed_can_be_destroyed(fleet: Fleet) -> None:
    """Nothing that it made by then is left."""
    killed(fleet, "2013-04")
    fleet.dev("destroy", "--yes")
    for folder in ("fleets/", "owners/", "bound/", "rollouts/"):
        assert blobs(fleet.checkout, folder) == set()


def test_destroy_leaves_models_only(fleet: Fleet) -> None:
    """No endpoint, no owner's mark, no record of a member."""
    fleet.up()
    fleet.dev("destroy", "--yes")
    for folder in ("fleets/", "owners/", "bound/", "rollouts/"):
        assert blobs(fleet.checkout, folder) == set()
