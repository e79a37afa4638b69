"""The main job as a user does it: deploy, change nothing, preview, retrain, go back, destroy."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import requests
from azure.storage.blob import AccountSasPermissions, ResourceTypes, generate_account_sas

from tests.e2e.checkout import Checkout, Done, jobs, patches, writes

pytestmark = pytest.mark.cloud

FLIGHT_SCORE = re.compile(r"Scored Probabilities ([0-9.]+)")


@dataclass
class Chapter:
    """One command, what it asked of the cloud, and what the endpoint answered afterwards."""

    done: Done
    journal: list[dict[str, Any]]
    score: float | None = None


@dataclass
class Story:
    """The chapters by name, and the stack's outputs after each update."""

    chapters: dict[str, Chapter] = field(default_factory=dict)
    outputs: dict[str, dict[str, Any]] = field(default_factory=dict)

    def __getitem__(self, name: str) -> Chapter:
        return self.chapters[name]


def score(checkout: Checkout, outputs: dict[str, Any]) -> float:
    """The retrained endpoint's probability for the sample, asked over the wire."""
    sample = next(iter(json.loads((checkout.root / "experiments/flights/sample.json").read_text()).values()))
    key = checkout.succeed("output", "--show-secrets", "--json").json["endpointKey"]
    body = {"Inputs": {"input1": {"ColumnNames": list(sample), "Values": [list(map(str, sample.values()))]}}}
    answer = requests.post(
        f"{outputs['endpointUrl']}/execute?api-version=2.0&details=true",
        json=body,
        headers={"Authorization": f"Bearer {key}"},
        timeout=30,
    )
    value = answer.json()["Results"]["output1"]["value"]
    return float(value["Values"][0][value["ColumnNames"].index("Scored Probabilities")])


@pytest.fixture(scope="module")
def story(checkout: Checkout) -> Story:
    """All chapters, in their order, on one stack."""
    told = Story()

    def tell(name: str, *arguments: str) -> None:
        if (checkout.root / ".local/cloud/cloud.json").exists():
            checkout.reset_journal()
        done = checkout.dev(*arguments)
        assert (checkout.root / ".local/cloud/cloud.json").exists(), done.text
        told.chapters[name] = Chapter(done, checkout.journal())
        if arguments[0] == "up" and done.status == 0:
            told.outputs[name] = checkout.succeed("output", "--json").json
            told.chapters[name].score = score(checkout, told.outputs[name])

    engine = ("--engine", "embedded")
    tell("first preview", "preview", "--steps", *engine)
    tell("first up", "up", *engine)
    tell("second up", "up", *engine)
    tell("preview", "preview", "--steps", "-c", "dataVersion=2013-03", *engine)
    checkout.configure("dataVersion", "2013-02")
    tell("retrain", "up", *engine)
    tell("quiet", "up", *engine)
    checkout.configure("dataVersion", "2013-01")
    tell("back", "up", *engine)
    tell("unknown version", "up", "-c", "dataVersion=2014-07", *engine)
    tell("default endpoint", "up", "-c", "endpointName=default", *engine)
    tell("refresh", "refresh", "--yes", *engine)
    tell("destroy", "destroy", "--yes", *engine)
    return told


def test_the_first_preview_names_the_model_and_writes_nothing(story):
    """Before anything exists the model's address is known."""
    chapter = story["first preview"]
    assert chapter.done.status == 0, chapter.done.text
    assert re.search(r"models/flights/[0-9a-f]{64}/1\.ilearner", chapter.done.out)
    assert jobs(chapter.journal) == 0
    assert not [
        line for line in writes(chapter.journal) if "/workspaces/" in line or "resourceGroups" in line
    ]


def test_the_first_up_trains_once_and_scores_a_flight(story):
    """Baseline and candidate are one run; the sample is scored by both endpoints."""
    chapter = story["first up"]
    assert chapter.done.status == 0, chapter.done.text
    assert jobs(chapter.journal) == 1
    assert (
        patches(chapter.journal) == []
    )  # the endpoint starts as a copy of the default one, which serves this model
    scores = FLIGHT_SCORE.findall(chapter.done.out)
    assert len(scores) == 2
    assert scores[0] == scores[1]


def test_progress_names_state_seconds_and_rows(story):
    """A person who waits sees where the job is."""
    assert re.search(r"Running, \d+ s", story["first up"].done.text)
    assert re.search(r"[\d,]+ rows", story["first up"].done.text)


def test_a_second_up_does_nothing(story):
    """No write of any kind."""
    chapter = story["second up"]
    assert chapter.done.status == 0, chapter.done.text
    assert writes(chapter.journal) == []


def test_a_preview_shows_old_and_new_and_writes_nothing(story):
    """Data digest, run key, model address and binding, old to new."""
    chapter = story["preview"]
    assert chapter.done.status == 0, chapter.done.text
    assert writes(chapter.journal) == []
    old, text = story.outputs["first up"], chapter.done.out
    assert old["runKey"] in text
    assert old["modelAddress"] in text
    addresses = set(re.findall(r"models/flights/[0-9a-f]{64}/1\.ilearner", text))
    assert len(addresses) == 2
    for name in ("digest", "runKey", "address", "endpoint-binding"):
        assert name in text


def test_a_new_data_version_makes_one_job_and_one_patch(story):
    """Retrained once, bound once, and the answer is another."""
    chapter = story["retrain"]
    assert chapter.done.status == 0, chapter.done.text
    assert jobs(chapter.journal) == 1
    assert len(patches(chapter.journal)) == 1
    assert patches(chapter.journal)[0].endswith("/endpoints/retrained")
    assert chapter.score != story["first up"].score
    baseline, retrained = FLIGHT_SCORE.findall(chapter.done.out)
    assert baseline != retrained


def test_the_preview_kept_its_promise(story):
    """The address that the outputs give is the one that a preview computes."""
    outputs = story.outputs["retrain"]
    assert outputs["dataVersion"] == "2013-02"
    assert outputs["modelAddress"] == f"models/flights/{outputs['runKey']}/1.ilearner"
    assert outputs["runKey"] != story.outputs["first up"]["runKey"]


def test_the_retrained_model_is_as_good_as_measured(story):
    """A boosted tree of a month has an AUC of about 0.75 on that month's held-out flights."""
    for name in ("first up", "retrain"):
        metrics = story.outputs[name]["metrics"]
        assert {"auc", "accuracy", "precision", "recall", "f1", "log_loss"} <= set(metrics)
        assert 0.70 < metrics["auc"] < 0.85


def test_again_there_is_nothing_to_do(story):
    """The update after a retraining is quiet."""
    assert writes(story["quiet"].journal) == []


def test_going_back_trains_nothing(story):
    """An earlier data version is a past run: one PATCH, no job, the old answer."""
    chapter = story["back"]
    assert chapter.done.status == 0, chapter.done.text
    assert jobs(chapter.journal) == 0
    assert len(patches(chapter.journal)) == 1
    assert chapter.score == story["first up"].score


@pytest.mark.parametrize(
    ("name", "cause", "remedy"),
    [
        ("unknown version", "there is no data version '2014-07'", "set the data version to one that exists"),
        ("default endpoint", "the endpoint `default` can't be re-bound", "set `endpointName`"),
    ],
)
def test_bad_input_is_one_cause_and_one_remedy_and_changes_nothing(story, name, cause, remedy):
    """Refused before anything is written, without a traceback."""
    chapter = story[name]
    assert chapter.done.status == 1
    assert cause in chapter.done.text
    assert remedy in chapter.done.text
    assert "Traceback" not in chapter.done.text
    assert jobs(chapter.journal) == 0
    assert patches(chapter.journal) == []


def test_an_unknown_version_names_those_that_exist(story):
    """The nearest of the twelve months."""
    assert "the nearest of 12 that there are: 2013-06, " in story["unknown version"].done.text


def test_a_refresh_finds_no_drift(story):
    """What was recorded is what is there."""
    assert story["refresh"].done.status == 0, story["refresh"].done.text
    assert writes(story["refresh"].journal) == []


def test_destroy_leaves_nothing_that_the_stack_created(story, checkout):
    """Group, account, workspace, services and endpoints are gone; data and models stay."""
    assert story["destroy"].done.status == 0, story["destroy"].done.text
    cloud = checkout.cloud
    groups = requests.get(
        f"{cloud['studio']}/subscriptions/{cloud['subscription']}/resourcegroups",
        params={"api-version": "2021-04-01"},
        headers={"Authorization": f"Bearer {cloud['armToken']}"},
        timeout=20,
    )
    assert groups.json()["value"] == []
    assert checkout.succeed("output", "--json").json == {}


def test_a_preview_needs_no_more_than_a_read_only_credential(story, checkout):
    """With a SAS that may read and list, and nothing else, the model's address is named."""
    assert story["destroy"].done.status == 0
    cloud = checkout.cloud
    sas = generate_account_sas(
        cloud["account"],
        cloud["accountKey"],
        ResourceTypes(container=True, object=True),
        AccountSasPermissions(read=True, list=True),
        datetime.now(UTC) + timedelta(hours=1),
    )
    checkout.environment.update(
        RETRAIN_STUDIO_URL=cloud["studio"],
        RETRAIN_WORKSPACE_TOKEN="of-no-use",
        RETRAIN_STORAGE_CONNECTION_STRING=f"BlobEndpoint={cloud['blob']};SharedAccessSignature={sas}",
    )
    azure_native = {"PULUMI_DEBUG_PROVIDERS": f"azure-native:{cloud['azureNative']}"}
    checkout.environment.update(azure_native)
    checkout.reset_journal()
    checkout.succeed("stack", "init", "readonly")
    done = checkout.dev(
        "preview", "--steps", "-s", "readonly", "-c", "target=environment", "--engine", "embedded"
    )
    for name in [name for name in checkout.environment if name.startswith(("RETRAIN_", "PULUMI_"))]:
        del checkout.environment[name]
    assert done.status == 0, done.text
    assert re.search(r"models/flights/[0-9a-f]{64}/1\.ilearner", done.out)
    assert writes(checkout.journal()) == []
    assert sas not in done.text


def test_no_secret_is_in_state_outputs_or_logs(story, checkout):
    """Account key, tokens, endpoint keys and SAS signatures are nowhere but in the cloud's 0600 file."""
    assert story["destroy"].done.status == 0
    cloud = checkout.cloud
    canaries = [cloud[name] for name in ("accountKey", "armToken", "identityHeader")]
    canaries += [cloud[name]["clientSecret"] for name in ("owner", "reader")]
    places = [
        path
        for folder in (".pulumi", ".local/cloud/logs", ".local/logs")
        for path in (checkout.root / folder).rglob("*")
    ]
    texts = {str(path): path.read_text(errors="replace") for path in places if path.is_file()}
    assert any("stacks" in name for name in texts)
    texts |= {
        name: chapter.done.text + json.dumps(chapter.journal) for name, chapter in story.chapters.items()
    }
    for name, text in texts.items():
        assert not [canary for canary in canaries if canary in text], name
        assert not re.search(r"sig=(?!\*\*\*)[A-Za-z0-9%]", text), name
