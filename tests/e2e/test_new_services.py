"""New web services through ``./dev``: moved to without a gap, retrained, quiet, and gone without a trace."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from time import monotonic
from typing import Any

import pytest
import requests

from tests.e2e.checkout import Checkout, Done, jobs, writes

pytestmark = pytest.mark.cloud

NEW = ("-c", "kind=new", "--engine", "embedded")
_TYPE = "providers/Microsoft.MachineLearning/webServices"
_VERSION = {"api-version": "2017-01-01"}


class Arm:
    """Resource Manager's side of a checkout's cloud, asked as any client would."""

    def __init__(self, checkout: Checkout) -> None:
        self._checkout = checkout

    def get(self, path: str) -> Any:
        """A resource; None where there is none."""
        cloud = self._checkout.cloud
        answer = requests.get(
            f"{cloud['studio']}/subscriptions/{cloud['subscription']}/resourceGroups/rg-retraining-dev-workspace/{path}",
            params=_VERSION,
            headers={"Authorization": f"Bearer {cloud['armToken']}"},
            timeout=20,
        )
        return answer.json() if answer.status_code == 200 else None

    def url_and_key(self, service: str) -> tuple[str, str] | None:
        """Where a web service answers, and its key; None as long as it is not there."""
        found = self.get(f"{_TYPE}/{service}")
        if found is None or found["properties"]["provisioningState"] != "Succeeded":
            return None
        keys = self.get(f"{_TYPE}/{service}/listKeys")
        return found["properties"]["swaggerLocation"].removesuffix("/swagger.json"), keys["primary"]


def answers(checkout: Checkout, url: str, key: str) -> bool:
    """Whether an endpoint scores the sample."""
    sample = next(iter(json.loads((checkout.root / "experiments/flights/sample.json").read_text()).values()))
    body = {"Inputs": {"input1": {"ColumnNames": list(sample), "Values": [list(map(str, sample.values()))]}}}
    answer = requests.post(
        f"{url}/execute?api-version=2.0", json=body, headers={"Authorization": f"Bearer {key}"}, timeout=30
    )
    return answer.status_code == 200


@dataclass
class Watch:
    """Whether the old endpoint, the new one, or either answered, by time."""

    looks: list[tuple[float, bool, bool]] = field(default_factory=list)


@contextmanager
def watched(checkout: Checkout, url: str, key: str) -> Iterator[Watch]:
    """Ask the classic endpoint at *url*, and the New one once there is one, all the time."""
    watch, ended, arm = Watch(), threading.Event(), Arm(checkout)

    def look() -> None:
        new: tuple[str, str] | None = None
        while not ended.is_set():
            new = new or arm.url_and_key("retraining-dev-flights-predictive-retrained")
            watch.looks.append(
                (
                    monotonic(),
                    answers(checkout, url, key),
                    new is not None and answers(checkout, *new),
                )
            )
            ended.wait(0.05)

    thread = threading.Thread(target=look, name="watch")
    thread.start()
    try:
        yield watch
    finally:
        ended.set()
        thread.join(60)


@dataclass
class Story:
    """What was done in turn: the commands, the journal and the stack's outputs after each."""

    done: dict[str, Done] = field(default_factory=dict)
    journals: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    outputs: dict[str, dict[str, Any]] = field(default_factory=dict)
    watch: Watch = field(default_factory=Watch)
    state: str = ""
    left: Any = None


@pytest.fixture(scope="module")
def story(checkout: Checkout) -> Story:
    """A classic stack is moved to New web services, retrained there, and destroyed."""
    told = Story()

    def tell(name: str, *arguments: str) -> None:
        checkout.reset_journal()
        told.done[name] = checkout.dev(*arguments)
        told.journals[name] = checkout.journal()
        if arguments[0] == "up" and told.done[name].status == 0:
            told.outputs[name] = checkout.succeed("output", "--json").json

    checkout.up()
    secret = checkout.succeed("output", "--json", "--show-secrets").json
    tell("preview of the move", "preview", "--steps", *NEW)
    with watched(checkout, secret["endpointUrl"], secret["endpointKey"]) as told.watch:
        tell("move", "up", "--yes", *NEW)
    tell("quiet", "preview", "--refresh", "--expect-no-changes", *NEW)
    tell("retrain", "up", "--yes", *NEW, "-c", "dataVersion=2013-06")
    tell("still quiet", "preview", "--refresh", "--expect-no-changes", *NEW, "-c", "dataVersion=2013-06")
    tell("back", "up", "--yes", *NEW)
    told.state = (checkout.root / ".pulumi/stacks/retraining/dev.json").read_text()
    tell("destroy", "destroy", "--yes", "--engine", "embedded")
    told.left = Arm(checkout).get(_TYPE)
    return told


def test_the_preview_shows_what_is_replaced(story):
    """Services, endpoints, promotion and binding; the model is the same, so nothing is trained."""
    done = story.done["preview of the move"]
    assert done.status == 0, done.text
    for resource in ("training-service", "predictive-service", "endpoint-studio", "endpoint-binding"):
        assert f"{resource} replace" in done.text
    assert "CommitmentPlan workspace-plan create" in done.text
    assert writes(story.journals["preview of the move"]) == []


def test_the_move_trains_nothing(story):
    """Both kinds of service are the same run key's."""
    assert story.done["move"].status == 0, story.done["move"].text
    assert jobs(story.journals["move"]) == 0
    assert "/subscriptions/" in story.outputs["move"]["endpointUrl"]


def test_at_no_moment_did_nothing_answer(story):
    """The classic endpoint goes only when the New one answers."""
    looks = story.watch.looks
    assert any(old and not new for _, old, new in looks), (
        "the watch began too late to see the classic one alone"
    )
    assert any(new and not old for _, old, new in looks), "the watch ended before the classic one was gone"
    assert [look for look in looks if not look[1] and not look[2]] == []


def test_after_the_move_nothing_changes(story):
    """Also when the services are asked how they are."""
    assert story.done["quiet"].status == 0, story.done["quiet"].text
    assert story.done["still quiet"].status == 0, story.done["still quiet"].text


def test_new_data_is_one_job_and_one_patch_of_each_service_that_is_bound(story):
    """The live service's model is replaced by one PATCH, right after its definition was read."""
    assert story.done["retrain"].status == 0, story.done["retrain"].text
    journal = story.journals["retrain"]
    assert jobs(journal) == 1
    patched = [line for line in writes(journal) if line.startswith("PATCH ")]
    service = "retraining-dev-flights-predictive"
    staging, retrained = (line.rpartition("/")[2] for line in patched)
    assert staging.startswith(f"{service}-stagingretrained")
    assert retrained == f"{service}-retrained"
    paths = [(entry["method"], entry["path"].partition("?")[0]) for entry in journal]
    live = next(
        at for at, (method, path) in enumerate(paths) if method == "PATCH" and path.endswith("-retrained")
    )
    reads = [path for method, path in paths[:live] if method == "GET" and path.endswith("-retrained")]
    assert reads[-1] == paths[live][1]


def test_going_back_trains_nothing(story):
    """The earlier model is bound again."""
    assert story.done["back"].status == 0, story.done["back"].text
    assert jobs(story.journals["back"]) == 0
    assert story.outputs["back"]["modelAddress"] == story.outputs["move"]["modelAddress"]


def test_no_secret_is_in_the_state(story, checkout):
    """Neither a key of the cloud nor a signature."""
    for secret in (checkout.cloud["accountKey"], checkout.cloud["armToken"], "sig=", "AccountKey="):
        assert secret not in story.state


def test_destroy_leaves_no_web_service(story):
    """Nor the plan or the group that they were in."""
    assert story.done["destroy"].status == 0, story.done["destroy"].text
    assert story.left is None
