"""The gate as a user meets it: refused, held, waiting for approval, and compared on a holdout."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import Any

import pytest

from clients.credentials import resolve_target
from clients.storage import Container
from tests.e2e.checkout import Checkout, Told, jobs, writes

pytestmark = pytest.mark.cloud

ENGINE = ("--engine", "embedded")
BINDING_NEWS = re.compile(r"ModelBinding endpoint-binding (update|create|replace)")


def declare(checkout: Checkout, **values: str | None) -> None:
    """Edit ``Pulumi.dev.yaml`` as a person does: set these keys, or take them out."""
    path = checkout.root / "Pulumi.dev.yaml"
    kept = [line for line in path.read_text().splitlines() if not line.strip().startswith(_names(values))]
    path.write_text(
        "\n".join([*kept, *(f"  retraining:{k}: {v}" for k, v in values.items() if v is not None)]) + "\n"
    )


def _names(values: dict[str, str | None]) -> tuple[str, ...]:
    return tuple(f"retraining:{name}:" for name in values)


@dataclass
class Chapter(Told):
    """One command, what it asked of the cloud, and the stack's outputs after an update."""

    outputs: dict[str, Any]


@dataclass
class Story:
    """The chapters by name."""

    checkout: Checkout
    chapters: dict[str, Chapter] = field(default_factory=dict)

    def tell(self, name: str, verb: str, **values: str | None) -> Chapter:
        """Declare *values*, run ``./dev`` *verb*, and note what happened."""
        declare(self.checkout, **values)
        if (self.checkout.root / ".local/cloud/cloud.json").exists():
            self.checkout.reset_journal()
        done = self.checkout.dev(verb, *(["--yes", "--steps"] if verb == "up" else ["--steps"]), *ENGINE)
        journal = self.checkout.journal()
        changed = verb == "up" and done.status == 0
        outputs = self.checkout.succeed("output", "--json").json if changed else {}
        self.chapters[name] = Chapter(done, journal, outputs)
        return self.chapters[name]

    def __getitem__(self, name: str) -> Chapter:
        return self.chapters[name]


@pytest.fixture(scope="module")
def story(checkout: Checkout) -> Story:
    """All chapters, in their order, on one stack."""
    told = Story(checkout)
    told.tell("first", "up", gateRules='["auc >= 0.65", "auc >= champion - 0.2"]')
    told.tell("refused", "up", dataVersion="2013-02", gateRules='["auc >= 0.9"]')
    told.tell("refused again", "preview")
    told.tell("held in preview", "preview", gateOnRejected="hold")
    told.tell("held", "up")
    told.tell("held, quiet", "up")
    told.tell("waiting", "up", gateRules='["auc >= 0.65"]', gateApproval="true")
    told.tell("approved in preview", "preview", approve=told["waiting"].outputs["runKey"])
    told.tell("approved", "up")
    told.tell(
        "worse on the holdout",
        "up",
        dataVersion="2013-01",
        holdoutDataVersion="2013-02",
        gateRules='["auc >= champion - 0.05", "rows >= 20000"]',
        gateOnRejected="fail",
        gateApproval="false",
    )
    told.tell("worse, preview", "preview")
    told.tell("worse, elsewhere", "up", location="westeurope")
    renamed = {"endpointName": "second", "gateOnRejected": "hold"}
    told.tell("held under another name, preview", "preview", location="southcentralus", **renamed)
    told.tell("held under another name", "up")
    told.tell("held under another name, quiet", "preview")
    told.tell("held elsewhere", "up", location="westeurope")
    told.tell("held elsewhere, quiet", "preview")
    told.tell("good enough", "up", gateRules='["auc >= champion - 0.5"]')
    told.tell("good enough, preview", "preview")
    return told


def test_a_model_that_passes_is_bound_and_its_numbers_are_shown(story):
    """The report has a line for the gate, the outputs have verdict and rules."""
    first = story["first"]
    assert first.done.status == 0, first.done.text
    assert first.outputs["verdict"] == "passed"
    assert first.outputs["asked"] == {"runKey": first.outputs["runKey"], "dataVersion": "2013-01"}
    assert re.search(r"^Gate +passed: .*auc 0\.\d+ >= 0\.65", first.done.out, re.MULTILINE)
    assert {rule["text"] for rule in first.outputs["rules"]} >= {"auc >= 0.65", "auc >= champion - 0.2"}
    assert all(rule["passed"] for rule in first.outputs["rules"])


def test_a_refused_model_leaves_the_endpoint_as_it_was(story):
    """`up` is red and names rule and numbers, without a traceback; it was trained once and never bound."""
    refused = story["refused"]
    assert refused.done.status == 1
    assert re.search(
        r"the gate refuses run [0-9a-f]{12} \(data version 2013-02\): auc is 0\.\d+, must be >= 0\.9",
        refused.done.text,
    )
    assert "remedy: " in refused.done.text
    assert "Traceback" not in refused.done.text
    assert jobs(refused.journal) == 1
    assert refused.patched == []


def test_the_next_preview_does_not_promise_it_again(story):
    """Red for the same reason, with nothing written and no new binding shown."""
    again = story["refused again"]
    assert again.done.status == 1
    assert "must be >= 0.9" in again.done.text
    assert writes(again.journal) == []
    assert not BINDING_NEWS.search(again.done.text)


def test_held_is_green_and_the_champion_stays(story):
    """As the preview said: the verdict changes, the binding does not, and nothing is trained again."""
    preview, held = story["held in preview"], story["held"]
    for chapter in (preview, held):
        assert chapter.done.status == 0, chapter.done.text
        assert '"passed" => "held"' in chapter.done.text
        assert re.search(r"candidate +run \w{7} \(data version 2013-02\)$", chapter.done.out, re.MULTILINE)
        assert re.search(r"verdict +held: auc is 0\.\d+, must be >= 0\.9$", chapter.done.out, re.MULTILINE)
        assert not BINDING_NEWS.search(chapter.done.text)
    assert re.search(r"^Data version +2013-01$", held.done.out, re.MULTILINE)
    assert held.outputs["verdict"] == "held"
    assert held.outputs["modelAddress"] == story["first"].outputs["modelAddress"]
    assert re.search(r"^Gate +held: auc is 0\.\d+, must be >= 0\.9", held.done.out, re.MULTILINE)
    serves, waits = held.outputs["serving"], held.outputs["runKey"]
    assert serves == {**serves, "runKey": story["first"].outputs["runKey"], "dataVersion": "2013-01"}
    assert serves["metrics"] == story["first"].outputs["metrics"] != held.outputs["metrics"]
    assert f"\nCandidate     run {waits[:12]} (data version 2013-02), not served\n" in held.done.out
    assert (jobs(held.journal), held.patched) == (0, [])


@pytest.mark.parametrize("name", ["held, quiet", "held under another name, quiet", "good enough, preview"])
def test_afterwards_nothing_is_promised_and_nothing_done(story, name):
    """What is held, waits or was promoted does not flip."""
    chapter = story[name]
    assert chapter.done.status == 0, chapter.done.text
    assert writes(chapter.journal) == []
    assert not re.search(r"(Promotion|ModelBinding) \S+ (update|create|replace)", chapter.done.text)


def test_a_model_that_waits_is_bound_once_it_is_approved(story):
    """Until then the champion serves; the key to approve is told."""
    waiting, preview, approved = story["waiting"], story["approved in preview"], story["approved"]
    key = waiting.outputs["runKey"]
    assert waiting.done.status == 0, waiting.done.text
    assert waiting.outputs["verdict"] == "awaiting approval"
    assert f"set `approve` to {key}" in waiting.done.text
    assert waiting.patched == []
    assert f"models/flights/{key}/1.ilearner" in preview.done.text
    assert BINDING_NEWS.search(preview.done.text)
    assert writes(preview.journal) == []
    assert approved.done.status == 0, approved.done.text
    assert approved.outputs["verdict"] == "passed"
    assert approved.outputs["modelAddress"] == f"models/flights/{key}/1.ilearner"
    assert (jobs(approved.journal), approved.patched) == (0, ["retrained"])


def test_on_the_same_rows_january_s_model_is_worse_on_february_than_february_s(story):
    """Each on its own month they look alike; the holdout tells them apart, and the endpoint keeps the better one."""
    worse = story["worse on the holdout"]
    assert worse.done.status == 1
    found = re.search(r"auc is (0\.\d+), must be >= (0\.\d+) \(`auc >= champion - 0\.05`\)", worse.done.text)
    assert found, worse.done.text
    assert 0.5 < float(found[1]) < 0.62
    assert float(found[2]) > 0.65
    assert "retrained" not in worse.patched


def test_what_was_judged_on_a_holdout_is_judged_once(story):
    """The next preview knows the verdict, stages nothing and scores nothing."""
    again = story["worse, preview"]
    assert again.done.status == 1
    assert "must be >= 0." in again.done.text
    assert writes(again.journal) == []
    assert not [entry for entry in again.journal if "/execute" in entry["path"]]


def test_what_is_known_to_be_refused_is_refused_before_anything_is_deleted(story):
    """Another location replaces the workspace, and what is in it: not for a candidate whose refusal is on record."""
    elsewhere = story["worse, elsewhere"]
    assert elsewhere.done.status == 1
    assert re.search(
        r"must be >= 0\.\d+ .*the endpoint that would be replaced is unchanged", elsewhere.done.text
    )
    assert writes(elsewhere.journal) == []


def test_an_endpoint_under_another_name_serves_the_champion_while_the_candidate_is_held(story):
    """Not the baseline that it is made with; the preview says so, and nothing is trained or judged again."""
    preview, held = (story[f"held under another name{which}"] for which in (", preview", ""))
    champion = story["approved"].outputs["modelAddress"]
    assert champion != story["first"].outputs["modelAddress"]
    assert preview.done.status == 0, preview.done.text
    assert champion in preview.done.text
    assert writes(preview.journal) == []
    assert held.done.status == 0, held.done.text
    assert held.outputs["endpointName"] == "second"
    assert (held.outputs["verdict"], held.outputs["modelAddress"]) == ("held", champion)
    assert (jobs(held.journal), held.patched) == (0, ["second"])


def test_the_champion_goes_along_to_another_workspace(story):
    """The endpoint that served it is deleted before the new one is made; it is neither judged again nor trained."""
    elsewhere, champion = story["held elsewhere"], story["approved"].outputs["modelAddress"]
    assert elsewhere.done.status == 0, elsewhere.done.text
    assert (elsewhere.outputs["verdict"], elsewhere.outputs["modelAddress"]) == ("held", champion)
    assert (jobs(elsewhere.journal), elsewhere.patched) == (0, ["second"])


def test_a_weaker_rule_lets_the_same_model_through(story):
    """Staged already, it is scored again by the new rule, and bound: one PATCH, no job."""
    passed = story["good enough"]
    assert passed.done.status == 0, passed.done.text
    assert passed.outputs["verdict"] == "passed"
    assert (jobs(passed.journal), passed.patched) == (0, ["second"])
    rules = {rule["text"]: rule for rule in passed.outputs["rules"]}
    assert rules["rows >= 1"]["value"] > 20_000
    assert rules["auc >= champion - 0.5"]["value"] < 0.62


def test_verdicts_are_in_the_registry_and_hold_no_secret(story):
    """What the gate wrote down is free of keys and signatures, and so is the stack's state."""
    target = resolve_target(
        "local", {"RETRAIN_CLOUD_FILE": str(story.checkout.root / ".local/cloud/cloud.json")}
    )
    registry = Container(target.connection_string, target.registry_container, target.remedy)
    written = [registry.read(blob.name)[0].decode() for blob in registry.list("verdicts/")]
    assert {json.loads(text)["outcome"] for text in written} == {"passed", "refused"}
    state = [path.read_text() for path in (story.checkout.root / ".pulumi/stacks").rglob("*.json")]
    assert any('"verdict"' in text for text in state)
    for text in written + state:
        assert story.checkout.cloud["accountKey"] not in text
        assert "sig=" not in text
