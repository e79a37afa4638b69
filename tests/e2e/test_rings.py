"""Rings through ``./dev``: in order, back together, gone on with after a kill, and put right where somebody meddled."""

from __future__ import annotations

import os
import re
import signal
from dataclasses import dataclass, field
from typing import Any

import pytest
import requests

from clients.credentials import resolve_target
from clients.storage import Container
from clients.studio_data_plane.references import written
from tests.e2e.checkout import Checkout, Done, Told, jobs, writes
from tests.e2e.registry import records
from tests.waiting import eventually

pytestmark = pytest.mark.cloud

ENGINE = ("--engine", "embedded")
CHECK = '''"""A check of this project's."""

from pathlib import Path


def steady(seen):
    """Nothing gets to production while there is a file called ``freeze``."""
    if Path("freeze").exists() and seen.endpoint == "production":
        return f"no deployments now ({seen.looks} probes, {seen.errors:.0%} failed)"
    return True
'''
RINGS = {
    "rings": "[pilot, production]",
    "bake": "1s",
    "bakeRules": '["errors <= 0.01", "shift <= 1", "my_checks:steady"]',
    "probeSettle": "200ms",
    "probeDeadline": "20s",
}
ADDRESS = r"models/flights/[0-9a-f]{64}/\d+\.ilearner"
_NEW = "Microsoft.MachineLearning/webServices"


def declare(checkout: Checkout, **values: str) -> None:
    """Edit ``Pulumi.dev.yaml`` as a person does."""
    path = checkout.root / "Pulumi.dev.yaml"
    names = tuple(f"retraining:{name}:" for name in values)
    kept = [line for line in path.read_text().splitlines() if not line.strip().startswith(names)]
    added = [f"  retraining:{name}: {value}" for name, value in values.items()]
    path.write_text("\n".join([*kept, *added]) + "\n")


@dataclass
class Endpoints:
    """The endpoints of a stack, as any client of the services sees them; and somebody who binds behind its back."""

    checkout: Checkout
    kind: str

    def served(self) -> dict[str, str]:
        """The address of the model that each says that it serves."""
        return {name: self._address(self._get(name)) for name in ("pilot", "production")}

    def meddle(self, endpoint: str) -> str:
        """Bind the baseline to *endpoint*; its address."""
        baseline = self._get("default")
        if self.kind == "classic":
            target = resolve_target(
                "local", {"RETRAIN_CLOUD_FILE": str(self.checkout.root / ".local/cloud/cloud.json")}
            )
            place = Container(target.connection_string, target.registry_container, target.remedy)
            model = {
                "Name": self._resource(baseline)["Name"],
                "Location": written(place.readable(self._address(baseline))),
            }
            self._call("PATCH", endpoint, {"Resources": [model]})
            return self._address(baseline)
        found = self._get(endpoint)
        assets = found["properties"]["assets"]
        (name, asset), place = self._model(found), self._model(baseline)[1]["locationInfo"]
        assert asset["locationInfo"] != place
        body = {
            "properties": {"packageType": "Graph", "assets": assets | {name: asset | {"locationInfo": place}}}
        }
        self._call("PATCH", endpoint, body)
        eventually(lambda: self._address(self._get(endpoint)) == self._address(baseline), "the model")
        return self._address(baseline)

    def _get(self, endpoint: str) -> Any:
        return self._call("GET", endpoint).json()

    def _call(self, method: str, endpoint: str, body: Any = None) -> requests.Response:
        cloud, service = self.checkout.cloud, self.checkout.succeed("output", "service", "--json").json
        if self.kind == "classic":
            keys = requests.post(
                f"{cloud['studio']}{service['workspace']['resource']}/listWorkspaceKeys",
                params={"api-version": "2019-10-01"},
                headers={"Authorization": f"Bearer {cloud['armToken']}"},
                timeout=20,
            )
            token = keys.json()["primaryToken"]
            place = (
                f"/workspaces/{service['workspace']['id']}/webservices/{service['id']}/endpoints/{endpoint}"
            )
        else:
            token = cloud["armToken"]
            place = service["id"] if endpoint == "default" else f"{service['id']}-{endpoint}"
        answer = requests.request(
            method,
            cloud["studio"] + place,
            params={"api-version": "2017-01-01"},
            headers={"Authorization": f"Bearer {token}"},
            json=body,
            timeout=20,
        )
        answer.raise_for_status()
        return answer

    def _resource(self, found: Any) -> Any:
        return found["Resources"][0]

    def _model(self, found: Any) -> tuple[str, Any]:
        assets = found["properties"]["assets"].items()
        return next((name, asset) for name, asset in assets if asset["type"] == "Resource")

    def _address(self, found: Any) -> str:
        if self.kind == "classic":
            place = self._resource(found)["Location"]["RelativeLocation"]
        else:
            place = self._model(found)[1]["locationInfo"]["uri"]
        return re.findall(ADDRESS, str(place))[0]


@dataclass
class Chapter(Told):
    """One command, what it asked of the cloud, and what the endpoints served afterwards."""

    served: dict[str, str]


@dataclass
class Story:
    """The chapters by name, on one stack."""

    checkout: Checkout
    kind: str
    options: tuple[str, ...] = ENGINE
    chapters: dict[str, Chapter] = field(default_factory=dict)
    meddled: str = ""

    @property
    def endpoints(self) -> Endpoints:
        """The stack's endpoints."""
        return Endpoints(self.checkout, self.kind)

    def tell(self, name: str, *arguments: str, **values: str) -> None:
        """Declare *values*, run ``./dev`` with *arguments*, and note what happened."""
        declare(self.checkout, **values)
        if (self.checkout.root / ".local/cloud/cloud.json").exists():
            self.checkout.reset_journal()
        done = self.checkout.dev(*arguments, *self.options)
        self.chapters[name] = Chapter(done, self.checkout.journal(), self.endpoints.served())

    def drift(self, endpoint: str) -> None:
        """Somebody binds another model to *endpoint*; what a nightly run, a refresh and an update make of it."""
        self.tell("quiet", "preview", "--refresh", "--expect-no-changes")
        self.meddled = self.endpoints.meddle(endpoint)
        self.tell("nightly", "preview", "--refresh", "--expect-no-changes")
        self.tell("refresh", "refresh", "--yes")
        self.tell("put right", "up", "--yes")
        self.tell("quiet again", "preview", "--refresh", "--expect-no-changes")

    def __getitem__(self, name: str) -> Chapter:
        return self.chapters[name]


def production_bakes(checkout: Checkout) -> bool:
    """Whether a rollout on record has the pilot behind it and the next ring baking."""
    return any(each["done"] and each["since"] for each in records(checkout, "rollouts/").values())


def kill_while_production_bakes(story: Story) -> None:
    """``kill -9`` of the engine, once production is bound and begins to bake."""
    story.checkout.reset_journal()
    process = story.checkout.start("up", "--yes", *story.options, start_new_session=True)
    with process:
        eventually(lambda: production_bakes(story.checkout), "the bake of production")
        os.killpg(process.pid, signal.SIGKILL)
        out, err = process.communicate(timeout=60)
    served = story.endpoints.served()
    story.chapters["killed"] = Chapter(Done(process.returncode, out, err), story.checkout.journal(), served)


@pytest.fixture(scope="module")
def story(checkout: Checkout) -> Story:
    """A first model, one that production refuses, one whose rollout is killed, and somebody who meddles."""
    told = Story(checkout, "classic")
    (checkout.root / "my_checks.py").write_text(CHECK)
    freeze = checkout.root / "freeze"
    told.tell("first", "up", "--yes", **RINGS)
    freeze.touch()
    told.tell("red", "up", "--yes", dataVersion="2013-02")
    told.tell("red, preview", "preview", "--steps")
    freeze.unlink()
    declare(checkout, bake="6s")
    kill_while_production_bakes(told)
    told.tell("gone on", "up", "--yes")
    told.tell("nothing more", "up", "--yes")
    told.drift("pilot")
    return told


def test_a_first_model_is_served_by_all_rings(story):
    """The baseline's own: endpoints begin with it, so that nothing is bound."""
    first = story["first"]
    assert first.done.status == 0, first.done.text
    assert first.patched == []
    assert len(set(first.served.values())) == 1


def test_a_ring_that_does_not_hold_takes_the_one_before_it_back(story):
    """The update is red with the check's own words, and with what each endpoint serves."""
    first, red = story["first"], story["red"]
    assert red.done.status == 1
    text = red.done.text
    assert re.search(
        r"'production' does not hold on 'production': my_checks:steady says 'no deployments now", text
    )
    model = first.served["production"]
    assert f"production serves {model} again; pilot serves {model} again" in text
    assert "remedy: " in text
    assert "Traceback" not in text
    assert red.patched == ["pilot", "production", "production", "pilot"]
    assert red.served == first.served


def test_the_next_preview_after_a_way_back_shows_the_change_again(story):
    """From the model that is served to the one that is declared; nothing is written."""
    preview = story["red, preview"]
    assert preview.done.status == 0, preview.done.text
    old = story["first"].served["pilot"]
    assert re.search(
        rf'ModelBinding endpoint-binding update(.|\n)*address +: "{old}" => "{ADDRESS}"', preview.done.text
    )
    assert writes(preview.journal) == []


def test_a_killed_rollout_goes_on_where_it_stood(story):
    """No endpoint is bound a second time, nothing is trained, and the state says what is served."""
    killed, gone_on = story["killed"], story["gone on"]
    assert killed.done.status != 0
    assert killed.patched == ["pilot", "production"]
    assert gone_on.done.status == 0, gone_on.done.text
    assert "an interrupted rollout goes on" in gone_on.done.text
    assert (gone_on.patched, jobs(gone_on.journal)) == ([], 0)
    assert gone_on.served == killed.served
    assert gone_on.served["pilot"] != story["first"].served["pilot"]
    nothing = story["nothing more"]
    assert nothing.done.status == 0, nothing.done.text
    assert writes(nothing.journal) == []


@pytest.fixture(scope="module")
def new_story(story: Story) -> Story:
    """The same stack moved to New web services, and somebody who meddles there."""
    told = Story(story.checkout, "new", (*ENGINE, "-c", "kind=new"))
    told.tell("moved", "up", "--yes", bake='"0"')
    told.drift("pilot")
    return told


@pytest.fixture(params=["classic", "new"])
def drifted(request: pytest.FixtureRequest, story: Story, new_story: Story) -> Story:
    """A story of each kind. Both are named above, so that one worker has them (`tests/spread.py`)."""
    return story if request.param == "classic" else new_story


def test_a_nightly_preview_is_green_until_somebody_binds_another_model(drifted):
    """And red then, with both runs."""
    assert drifted["quiet"].done.status == 0, drifted["quiet"].done.text
    nightly, declared = drifted["nightly"], drifted["quiet"].served["pilot"]
    assert drifted.meddled != declared
    assert nightly.done.status != 0
    there, wanted = (address.split("/")[2][:7] for address in (drifted.meddled, declared))
    assert f"serves     run {there} → run {wanted}" in nightly.done.text
    assert writes(nightly.journal) == []


def test_a_refresh_shows_a_binding_that_was_changed_old_to_new(drifted):
    """The address that the state has, and the one that is served."""
    refresh = drifted["refresh"]
    assert refresh.done.status == 0, refresh.done.text
    assert f'"{drifted["quiet"].served["pilot"]}" => "{drifted.meddled}"' in refresh.done.text
    assert refresh.patched == []


def test_the_next_update_puts_the_binding_right(drifted):
    """That endpoint alone, and the nightly preview is green again."""
    right = drifted["put right"]
    assert right.done.status == 0, right.done.text
    assert [
        name.removeprefix("retraining-dev-flights-predictive-")
        for name in right.patched
        if "staging" not in name
    ] == ["pilot"]
    assert right.served == drifted["quiet"].served
    assert drifted["quiet again"].done.status == 0, drifted["quiet again"].done.text
