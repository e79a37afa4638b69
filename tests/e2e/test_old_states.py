"""Stacks of commit 91e2b28, classic and New, alone and in rings, live on: quiet, updated, taken back, refreshed, destroyed."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest
import requests

from tests.e2e.checkout import Checkout, Told, jobs, writes
from tests.e2e.old_states import STACKS, restore
from tests.e2e.registry import records

pytestmark = [pytest.mark.cloud, pytest.mark.own_cloud]

OTHER = ("-c", "dataVersion=2013-04")
# One endpoint without rings, holdout and probe: enough to ask for the model.
PLAIN = {
    "rings": "[]",
    "bakeRules": "[]",
    "holdoutDataVersion": "",
    "gateRules": '["auc >= 0.5"]',
    "probeRows": "0",
}
KEPT = ("endpointUrl", "baselineUrl", "patchUrl", "endpointName", "modelAddress")


@dataclass
class Story:
    """What a stack said when it was found, and what was done with it since, by name."""

    checkout: Checkout
    stack: str
    recorded: dict[str, Any]
    chapters: dict[str, Told] = field(default_factory=dict)
    served: dict[str, set[str]] = field(default_factory=dict)

    def tell(self, name: str, *arguments: str, stack: str = "") -> None:
        """Run ``./dev`` with these arguments on the stack; note what it asked, and what its endpoints serve then."""
        self.checkout.reset_journal()
        done = self.checkout.dev(*arguments, "--json", "--engine", "embedded", "-s", stack or self.stack)
        self.chapters[name] = Told(done, self.checkout.journal())
        self.served[name] = {
            address
            for resource in state(self.checkout, self.stack)
            if resource["type"].endswith(":ModelBinding")
            for address in resource["outputs"]["serving"].values()
        }

    def __getitem__(self, name: str) -> Any:
        """What a command printed, which must have succeeded."""
        done = self.chapters[name].done
        assert done.status == 0, done.text
        return done.json


def state(checkout: Checkout, stack: str) -> list[dict[str, Any]]:
    """The resources that a stack's state has."""
    text = (checkout.root / f".pulumi/stacks/retraining/{stack}.json").read_text()
    return list(json.loads(text)["checkpoint"]["latest"].get("resources", []))


def changed(told: Mapping[str, Any]) -> list[tuple[str, str]]:
    """What a run changes, or finds changed; the lineage and its claim, which stacks have since, may be new."""
    return [
        (step["op"], step["name"])
        for step in told["steps"]
        if step["op"] not in ("same", "refresh")
        and not (step["op"] == "create" and step["type"].rpartition(":")[2] in ("Lineage", "StackClaim"))
    ]


@pytest.fixture(scope="module")
def world(checkout: Checkout) -> Checkout:
    """The four stacks, on a cloud that they share; two workers take a kind of service each, on two clouds."""
    restore(checkout)
    return checkout


@pytest.fixture(
    scope="module",
    params=[
        pytest.param(name, marks=pytest.mark.xdist_group(f"old {name.partition('-')[0]}")) for name in STACKS
    ],
)
def story(request: pytest.FixtureRequest, world: Checkout) -> Story:
    """What happens to each of them in turn, and to a fresh stack that declares the same models."""
    name = request.param
    told = Story(world, name, state(world, name)[0]["outputs"])
    told.tell("preview", "preview")
    told.tell("refreshing preview", "preview", "--refresh")
    told.tell("refresh", "refresh", "--yes")
    told.tell("up", "up", "--yes")
    fresh = f"{name}-again"
    (world.root / f"Pulumi.{fresh}.yaml").write_bytes((world.root / f"Pulumi.{name}.yaml").read_bytes())
    plain = [word for key, value in PLAIN.items() for word in ("-c", f"{key}={value}")]
    told.tell("fresh", "up", "--yes", *plain, stack=fresh)
    told.tell("other data", "up", "--yes", *OTHER)
    told.tell("quiet", "preview", "--refresh", *OTHER)
    told.tell("back", "up", "--yes")
    told.tell("destroy", "destroy", "--yes")
    return told


@pytest.mark.parametrize("name", ["preview", "refreshing preview", "refresh", "up"])
def test_nothing_changes(story: Story, name: str) -> None:
    """Every resource is the same, also where the services are asked, and answers where it did; nothing is written there."""
    assert changed(story[name]) == []
    assert {key: story[name]["outputs"][key] for key in KEPT} == {key: story.recorded[key] for key in KEPT}
    written = [entry for entry in story.chapters[name].journal if entry["effect"] == "write"]
    assert [entry for entry in written if entry["service"] == "studio"] == []


def test_a_preview_writes_nothing(story: Story) -> None:
    """Not even in the registry."""
    assert writes(story.chapters["preview"].journal) == []
    assert writes(story.chapters["refreshing preview"].journal) == []


def test_a_fresh_stack_takes_the_recorded_models(story: Story) -> None:
    """The same inputs train nothing, though another version of the code recorded the runs."""
    assert story["fresh"]["outputs"]["modelAddress"] == story.recorded["modelAddress"]
    assert jobs(story.chapters["fresh"].journal) == 0


def test_other_data_is_one_job_and_then_quiet(story: Story) -> None:
    """Every ring serves the new model, and answers where it did."""
    outputs = story["other data"]["outputs"]
    assert jobs(story.chapters["other data"].journal) == 1
    assert outputs["modelAddress"].startswith(f"models/flights/{outputs['runKey']}/")
    assert outputs["endpointUrl"] == story.recorded["endpointUrl"]
    assert story.served["other data"] == {outputs["modelAddress"]} != {story.recorded["modelAddress"]}
    assert changed(story["quiet"]) == []


def test_going_back_trains_nothing(story: Story) -> None:
    """The recorded model serves again, in every ring."""
    assert story["back"]["outputs"]["modelAddress"] == story.recorded["modelAddress"]
    assert jobs(story.chapters["back"].journal) == 0
    assert story.served["back"] == {story.recorded["modelAddress"]}


def test_destroy_leaves_nothing(story: Story) -> None:
    """Neither in the state nor in the cloud, nor a marker that says what is served."""
    assert story["destroy"]["changeSummary"].keys() == {"delete"}
    assert state(story.checkout, story.stack) == []
    cloud, group = story.checkout.cloud, f"rg-retraining-{story.stack}"
    answer = requests.get(
        f"{cloud['studio']}/subscriptions/{cloud['subscription']}/resourceGroups/{group}",
        params={"api-version": "2021-04-01"},
        headers={"Authorization": f"Bearer {cloud['armToken']}"},
        timeout=20,
    )
    assert answer.status_code == 404, answer.text
    markers = records(story.checkout, "bound/")
    assert [name for name, marker in markers.items() if f"/{group}/" in json.dumps(marker)] == []
