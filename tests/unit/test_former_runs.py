"""What an earlier release trained stays: its runs are on record under keys of FORMAT 1, and are found under those of 2."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from clients.clock import ManualClock
from clients.errors import ConfigurationError
from clients.storage import BlobRef
from retrain_hooks.data.lifecycle import DataVersionLifecycle
from retrain_hooks.experiments.package import Experiment
from retrain_hooks.host.lifecycle import Context
from retrain_hooks.registry.catalogue import distinct
from retrain_hooks.registry.ledger import Job, Ledger, Run
from retrain_hooks.registry.run_key import Covered, digest
from retrain_hooks.training.lifecycle import TrainedModelLifecycle
from tests.unit.fakes import BatchService, Listener, MemoryContainer, OpenGuard
from tests.unit.test_run_key_format import DEFINITION, edited

SERVICE = {"id": "s", "workspace": {"resource": "/w", "id": "w"}}
VERSIONS = {version: f"late,delayed,day\n0,0,1\n1,1,{version[1]}\n".encode() for version in ("v1", "v2")}


class Stack:
    """A data version and a trained model, as an engine drives them: what is the same keeps its outputs."""

    def __init__(self, context: Context, definition: dict[str, Any] | None = None) -> None:
        self.context = context
        self.inputs: dict[str, dict[str, Any]] = {"data": {}, "model": {}}
        self.outputs: dict[str, dict[str, Any]] = {"data": {}, "model": {}}
        self.changed: list[str] = []
        self.definition = definition or DEFINITION

    def run(self, version: str = "v1", *, update: bool = True, **props: Any) -> dict[str, Any]:
        """Preview or update; the trained model's outputs, or its checked inputs."""
        self.changed = []
        Path("experiments/late").mkdir(parents=True, exist_ok=True)
        Path("experiments/late/training.json").write_text(json.dumps(self.definition))
        asked = {"target": "local", "path": "late/{version}.csv", "version": version}
        data = self._one("data", DataVersionLifecycle(self.context), asked, update)
        names = ("container", "version", "digest", "blobs")
        asked = {
            "target": "local",
            "experiment": Experiment("late", "training", self.definition).reference().props(),
            "source": "late",
            "service": SERVICE,
            "data": {name: data[name] for name in names},
            "parameters": {},
            "seed": 0.0,
        }
        return self._one("model", TrainedModelLifecycle(self.context), asked | props, update)

    def _one(self, name: str, life: Any, asked: dict[str, Any], update: bool) -> dict[str, Any]:
        checked = life.check(asked, self.inputs[name])
        old = self.outputs[name]
        if old and not life.diff(old, checked).changes:
            found = old
        else:
            self.changed.append(name)
            if not update:
                return checked
            found = life.update("", old, checked) if old else life.create(checked)[1]
        if update:
            self.inputs[name], self.outputs[name] = checked, found
        return found


@pytest.fixture
def context(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Context:
    found = Context(Listener(), OpenGuard(), ManualClock())
    registry, data = MemoryContainer(), MemoryContainer("data")
    for version, content in VERSIONS.items():
        data.put(f"late/{version}.csv", content)
    jobs = BatchService(registry)
    found.registry = lambda _target: registry
    found.data = lambda _target, _name=None: data
    found.services = lambda _target, _service: SimpleNamespace(jobs=lambda _id: jobs)
    found.jobs = jobs
    monkeypatch.chdir(tmp_path)
    return found


def former(context: Context, version: str = "v1", **fields: Any) -> tuple[Run, dict[str, Any]]:
    """A run as an earlier release recorded it, and what it left in a stack's state: data version and trained model."""
    [blob] = context.data("local").list(f"late/{version}.csv")
    data = digest([{"md5": blob.md5, "size": blob.size}])
    summary = Experiment("late", "training", DEFINITION).reference().props()
    covered = Covered(summary["digest"], data, {}, 0, "", format=1)
    given = {"state": "finished", "sha256": "s", "bytes": 1, "metrics": {"auc": 0.7}} | fields
    run = Run(covered.key, "late", covered.inputs, **given, version=1)
    registry = context.registry("local")
    if run.state == "finished":
        registry.put_model(run.address, run.sha256, b"m")
    Ledger(registry).plan(run)
    reference = {"container": "data", "version": version, "digest": data, "blobs": [blob.name]}
    asked = {"target": "local", "path": "late/{version}.csv", "versions": [version], "bytes": blob.size}
    model = {
        "target": "local",
        "experiment": summary,
        "service": SERVICE,
        "data": reference,
        "parameters": {},
        "seed": 0.0,
        "runKey": run.key,
        "address": run.address,
        "why": "NEW",
        "plan": "train",
    }
    return run, {"data": asked | reference, "model": model}


def old_stack(context: Context) -> tuple[Stack, Run]:
    """A stack that an earlier release deployed."""
    run, state = former(context)
    stack = Stack(context)
    stack.inputs = dict(state)
    stack.outputs = {"data": state["data"], "model": state["model"] | {"sha256": "s", "metrics": {}}}
    return stack, run


def test_an_old_stack_is_unchanged(context):
    """Neither its data version nor its model changes, and nothing is written."""
    stack, run = old_stack(context)
    writes = list(context.registry("local").writes)
    for update in (False, True, True):
        assert stack.run(update=update)["address"] == run.address
        assert stack.changed == []
    assert context.registry("local").writes == writes
    assert (stack.inputs["model"]["why"], stack.inputs["model"]["runKey"]) == ("NEW", run.key)


def test_a_description_that_is_edited_later_changes_nothing(context):
    """The state knows what determines the model by then."""
    stack, run = old_stack(context)
    stack.run()
    stack.definition = edited(lambda found: found.update(description="better"))
    assert (stack.run()["address"], stack.changed) == (run.address, [])
    assert context.jobs.created == []


def test_other_data_trains_once_and_going_back_trains_nothing(context):
    """Even where a description was edited meanwhile: the run that is left is recorded under its new key."""
    stack, run = old_stack(context)
    stack.run()
    stack.definition = edited(lambda found: found.update(description="better"))
    found = stack.run("v2")
    assert found["why"] == f"DATA v1 ({stack_digest(run, context)}) → v2 ({found['covers']['data'][2:10]})"
    assert len(context.jobs.created) == 1
    assert found["address"] == f"models/late/{found['runKey']}/1.ilearner"
    assert stack.run("v1")["address"] == run.address
    assert stack.run("v1")["runKey"] == run.key
    assert len(context.jobs.created) == 1


def stack_digest(_run: Run, context: Context) -> str:
    return Stack(context).run(update=False)["covers"]["data"][2:10]


def test_a_fresh_stack_takes_the_recorded_model_and_records_it_under_its_new_key(context):
    """The same inputs train nothing, whichever release trained them; a description that is edited then does not either."""
    run, _state = former(context)
    stack = Stack(context)
    preview = stack.run(update=False)
    assert (preview["address"], preview["plan"][:9], preview["sha256"]) == (run.address, "reuse run", "s")
    found = stack.run()
    assert (found["address"], found["runKey"], found["reused"]) == (run.address, run.key, True)
    entry = Ledger(context.registry("local")).find(found["covers"]["key"])
    assert (entry.run.former, entry.run.address, entry.run.version) == (run.key, run.address, 2)
    assert distinct(list(Ledger(context.registry("local")).runs())) == [run]
    edit = edited(lambda found: found.update(description="better"))
    assert Stack(context, edit).run()["address"] == run.address
    assert context.jobs.created == []


@pytest.mark.parametrize("how", ["block list", "touched"])
def test_the_same_bytes_uploaded_anew_are_the_same_data(context, how):
    """A block list has no Content-MD5."""
    stack, run = old_stack(context)
    if how == "block list":
        context.data("local").without_md5.add("late/v1.csv")
    context.data("local").put("late/v1.csv", VERSIONS["v1"])
    assert stack.run("v1")["address"] == run.address
    assert context.jobs.created == []


def test_a_running_job_of_an_earlier_release_is_attached_to(context):
    """One job for one input, through an upgrade."""
    context.jobs.created.append("theirs")
    run, _state = former(
        context,
        state="submitted",
        started_at=context.clock.now().isoformat(),
        job=Job("theirs", "s", SERVICE["workspace"]),
        sha256="",
        bytes=0,
    )
    context.jobs.outputs["theirs"] = {
        "output1": BlobRef("", f"registry/{run.address}"),
        "output2": BlobRef("", f"registry/{run.address}.csv"),
    }
    assert Stack(context).run(update=False)["plan"] == "attach to job theirs"
    assert Stack(context).run()["address"] == run.address
    assert context.jobs.created == ["theirs"]


@pytest.mark.parametrize("fields", [{"state": "failed"}, {"state": "retired"}, {"state": "planned"}])
def test_a_run_without_a_model_is_trained_under_its_new_key(context, fields):
    """There is nothing to go on with."""
    run, _state = former(context, **fields)
    found = Stack(context).run()
    assert found["runKey"] == found["covers"]["key"] != run.key


def test_a_lost_model_of_an_earlier_release_is_trained_anew_at_another_address(context):
    """The next attempt is one of the new key."""
    stack, run = old_stack(context)
    stack.run()
    del context.registry("local").blobs[run.address]
    found = stack.run()
    assert found["address"] == f"models/late/{found['covers']['key']}/2.ilearner"
    assert found["why"] == "LOST attempt 1 → 2"


def test_a_forged_record_is_not_believed(context):
    """Its inputs are not those of its key."""
    run, _state = former(context)
    blob = f"runs/{run.key}.json"
    record = json.loads(context.registry("local").read(blob)[0])
    record["inputs"]["seed"] = 1
    context.registry("local").put(blob, json.dumps(record).encode())
    assert Stack(context).run()["address"] != run.address


@pytest.mark.parametrize("which", ["former", "present"])
def test_a_key_of_either_format_is_expected_and_pinned(context, which):
    """A person approved the one that the preview showed then, or the one of today."""
    run, _state = former(context)
    expected = run.key if which == "former" else Stack(context).run(update=False)["covers"]["key"]
    assert Stack(context).run(expectRunKey=expected[:12])["address"] == run.address
    assert Stack(context).run("v2", pin=expected)["address"] == run.address
    with pytest.raises(ConfigurationError, match="not the expected"):
        Stack(context).run("v2", expectRunKey=expected)
