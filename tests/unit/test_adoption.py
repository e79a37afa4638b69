"""The model that was served before the program is the model of a data version: nothing is trained or bound for it."""

from __future__ import annotations

import hashlib
from dataclasses import asdict, replace
from types import SimpleNamespace
from typing import Any

import pytest

from clients.errors import ConfigurationError, NotFound, Unreachable
from clients.protocols import Binding
from clients.storage import BlobRef
from clients.storage.blobs import Blobs
from retrain_hooks.binding.lifecycle import ModelBindingLifecycle
from retrain_hooks.data.contents import Contents
from retrain_hooks.gate.lifecycle import PromotionLifecycle
from retrain_hooks.host.lifecycle import Context
from retrain_hooks.registry.adoption import adopted_model
from retrain_hooks.registry.ledger import Ledger, Run
from retrain_hooks.training.lifecycle import TrainedModelLifecycle
from tests.unit.fakes import Listener, ManualClock, MemoryContainer, OpenGuard

RESOURCE = "Flight delay [trained model]"
SERVICE = {"id": "s1", "workspace": {"resource": "/subscriptions/sub/w", "id": "w1"}}
THEIRS = "experimentoutput/7/7.ilearner"
URI = f"https://theirs.blob.core.windows.net/{THEIRS}"
MODEL = b"their model"


class World:
    """A registry, an endpoint `prod` that serves a model from elsewhere, and the three resources of a program."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.registry, self.data, self.told = MemoryContainer(), MemoryContainer("data"), Listener()
        for version in ("1", "2"):
            self.data.put(f"flights/{version}.csv", f"a,b\n{version},2\n".encode())
        default = self.at(f"{URI}.default", f"{THEIRS}.default")
        self.serving = {"prod": self.at(URI, THEIRS), "staging": default}
        self.writes: list[tuple[str, Any]] = []
        self.blobs = {URI: MODEL}
        monkeypatch.setattr(Blobs, "read", lambda _self, uri, _credentials="": self.read(uri))

    @property
    def context(self) -> Context:
        """As a new provider process has it."""
        context = Context(self.told, OpenGuard(), ManualClock())
        context.registry = lambda _target: self.registry
        context.data = lambda _target, _name=None: self.data
        context.target = lambda _name: None
        context.services = lambda _target, _service: self
        return context

    @staticmethod
    def at(uri: str, location: str) -> Binding:
        base = uri.removesuffix(location)
        return Binding(RESOURCE.upper(), location, BlobRef(base, location))

    def read(self, uri: str) -> bytes:
        if uri not in self.blobs:
            raise NotFound(f"there is no blob {uri}", "look", status=404)
        return self.blobs[uri]

    # What a lifecycle asks of services

    def endpoint(self, _service: str, name: str) -> object | None:
        return SimpleNamespace(models=(self.serving[name],)) if name in self.serving else None

    def jobs(self, _service: str) -> Any:
        raise AssertionError("no job is asked for")

    def bindings(self, _service: str, endpoint: str) -> Any:
        def write(resource: str, model: Any) -> None:
            assert resource == RESOURCE
            self.writes.append((endpoint, model))
            location = model.path
            self.serving[endpoint] = Binding(RESOURCE, location, model)

        return SimpleNamespace(read=lambda: [self.serving[endpoint]], write=write)

    def scoring(self, _service: str, endpoint: str) -> Any:
        """Answers by what is served: their model is the same from wherever it is read."""

        def score(rows: Any) -> list[dict[str, str]]:
            location = self.serving[endpoint].location.removeprefix("registry/")
            theirs = {THEIRS: MODEL, f"{THEIRS}.default": b"default"}
            content = theirs.get(location) or self.registry.read(location)[0]
            probability = int(hashlib.sha256(content).hexdigest()[:6], 16) / 2**24
            return [{"Scored Probabilities": str(probability)} for _ in rows]

        return SimpleNamespace(score=score)

    # The program

    def model(self, version: str = "1", **props: Any) -> dict[str, Any]:
        def data(which: str) -> dict[str, Any]:
            blobs = [f"flights/{which}.csv"]
            digest = Contents(self.context, "local", "data").look(self.data.list(blobs[0])).digest
            return {"digest": digest, "blobs": blobs, "version": which, "container": "data"}

        experiment = {
            "name": "flights",
            "digest": "e" * 64,
            "input": "input1",
            "modelOutput": "output1",
            "evaluationOutput": "output2",
            "parameters": ["Rate"],
        }
        adopts = {"service": SERVICE, "endpoint": "prod", "resource": RESOURCE, "data": data("1")}
        return {
            "target": "local",
            "experiment": experiment,
            "service": SERVICE,
            "data": data(version),
            "parameters": {},
            "seed": 0.0,
            "adopts": adopts,
        } | props

    def create(self, **props: Any) -> dict[str, Any]:
        life = TrainedModelLifecycle(self.context)
        return life.create(life.check(self.model(**props), {}))[1]

    def trained(self, name: str) -> dict[str, Any]:
        """Another model of the registry, with what a TrainedModel says of it."""
        key = name.encode().hex().ljust(64, "0")
        content = f"model {name}".encode()
        run = Run(
            key, "flights", {}, "finished", sha256=hashlib.sha256(content).hexdigest(), metrics={"auc": 0.7}
        )
        run = replace(run, metrics={"auc": 0.7, "rows": 100})
        Ledger(self.registry).plan(replace(run, bytes=len(content)))
        self.registry.put(run.address, content)
        self.registry.without_md5.add(run.address)
        return {"address": run.address, "sha256": run.sha256, "runKey": key, "metrics": run.metrics}

    def promotion(self, candidate: dict[str, Any]) -> dict[str, Any]:
        names = ("address", "sha256", "runKey", "metrics")
        return {
            "target": "local",
            "service": SERVICE,
            "endpointName": "prod",
            "stagingEndpoint": "staging",
            "resource": RESOURCE,
            "candidate": {name: candidate[name] for name in names} | {"dataVersion": "1"},
            "gate": {"rules": ["auc >= 0.65"], "minimumRows": 1.0},
            "holdout": None,
        }

    def promote(self, candidate: dict[str, Any], old: dict[str, Any]) -> dict[str, Any]:
        life = PromotionLifecycle(self.context)
        return life.update("id", old, life.check(self.promotion(candidate), old))

    def bind(self, model: dict[str, Any], old: dict[str, Any]) -> dict[str, Any]:
        life = ModelBindingLifecycle(self.context)
        probe = {"container": "data", "blobs": ["flights/1.csv"], "rows": 5}
        place = {
            name: self.promotion(model)[name] for name in ("target", "service", "endpointName", "resource")
        }
        new = place | {"stagingEndpoint": "staging", "probe": probe, "address": model["address"]}
        new = life.check(new | {"sha256": model["sha256"]}, old)
        if old and not life.diff(old, new).changes:
            return old
        return life.update("id", old, new) if old else life.create(new)[1]


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    return World(monkeypatch)


def test_a_first_preview_says_what_would_be_adopted_and_writes_nothing(world):
    """Key and address are known before."""
    found = TrainedModelLifecycle(world.context).check(world.model(), {})
    assert found["plan"] == "adopt the model that prod serves"
    assert found["address"] == f"models/flights/{found['runKey']}/1.ilearner"
    assert (world.registry.writes, world.writes) == ([], [])


def test_the_present_model_becomes_a_finished_run_with_its_bytes(world):
    """No job; the record says where it came from, and no secret of it."""
    world.serving["prod"] = replace(
        world.serving["prod"], model=replace(world.serving["prod"].model, signature="?sig=s3cret")
    )
    world.blobs = {f"{URI}?sig=s3cret": MODEL}
    outputs = world.create()
    run = Ledger(world.registry).find(outputs["runKey"]).run
    assert (run.state, run.job, run.metrics, run.data["version"]) == ("finished", None, {}, "1")
    assert run.sha256 == outputs["sha256"] == hashlib.sha256(MODEL).hexdigest()
    assert world.registry.read(outputs["address"])[0] == MODEL
    assert asdict(run.adopted) == {
        "service": "s1",
        "endpoint": "prod",
        "resource": RESOURCE.upper(),
        "location": THEIRS,
        "uri": URI,
    }
    assert "s3cret" not in str(world.registry.blobs) + str(world.told.lines)
    assert outputs["reused"] is True


def test_adopting_changes_nothing_and_previews_are_quiet_afterwards(world):
    """The gate passes it without a measurement, the binding is seen and not written; nothing flips."""
    model = world.create()
    promotion = world.promote(model, {})
    assert promotion["verdict"] == "passed"
    assert promotion["rules"][0]["text"] == "adopted"
    assert promotion["champion"] is None
    bound = world.bind(model, {})
    assert [endpoint for endpoint, _ in world.writes] == ["staging"]
    assert (bound["bound"], bound["serving"]) == (THEIRS, {"prod": model["address"]})
    life = TrainedModelLifecycle(world.context)
    checked = life.check(world.model(), model)
    assert not life.diff(model, checked).changes
    gate = PromotionLifecycle(world.context)
    assert not gate.diff(promotion, gate.check(world.promotion(model), promotion)).changes
    assert world.bind(model, bound) is bound
    assert ModelBindingLifecycle(world.context).read("id", bound)[0] == bound


def test_a_new_model_is_bound_once_and_going_back_binds_the_copy(world):
    """The champion is the adopted run; the way back needs neither training nor their storage."""
    adopted = world.create()
    promoted, bound = world.promote(adopted, {}), world.bind(adopted, {})
    candidate = world.trained("february")
    world.writes.clear()
    promoted = world.promote(candidate, promoted)
    assert (promoted["verdict"], promoted["champion"]["runKey"]) == ("passed", adopted["runKey"])
    bound = world.bind(candidate, bound)
    assert world.serving["prod"].location == f"registry/{candidate['address']}"
    world.blobs.clear()
    promoted = world.promote(adopted, promoted)
    assert promoted["verdict"] == "passed"
    bound = world.bind(adopted, bound)
    assert world.serving["prod"].location == f"registry/{adopted['address']}"
    assert bound["serving"] == {"prod": adopted["address"]}


def test_a_model_that_cannot_be_read_stays_where_it_is(world):
    """It is said, and adopted by its location: nothing is written to any endpoint, nothing is probed."""
    world.blobs.clear()
    model = world.create()
    assert "can't be copied" in world.told.lines[0]
    assert (model["sha256"], world.registry.stat(model["address"])) == ("", None)
    assert Ledger(world.registry).intact(Ledger(world.registry).find(model["runKey"]).run)
    bound = world.bind(model, {})
    assert (world.writes, bound["probed"]) == ([], 0)  # not even to staging
    assert world.bind(model, bound) is bound
    bound = world.bind(world.trained("february"), bound)
    assert world.serving["prod"].location.startswith("registry/")
    world.bind(model, bound)
    endpoint, reference = world.writes[-1]
    assert endpoint == "prod"
    assert reference.url == URI


def test_another_version_at_the_first_update_adopts_first(world):
    """So that going back to the present model is possible ever after; the plan says that it is trained."""
    life = TrainedModelLifecycle(world.context)
    checked = life.check(world.model("2"), {})
    assert checked["plan"].startswith("train")
    with pytest.raises(AssertionError, match="no job"):
        life.create(checked)
    present = life.check(world.model("1"), {})
    assert adopted_model(world.registry, present["address"]).location == THEIRS


def test_what_was_adopted_is_not_adopted_again_for_other_inputs(world):
    """Only a resource that is created adopts: changed parameters are trained for."""
    model = world.create()
    life = TrainedModelLifecycle(world.context)
    checked = life.check(world.model(parameters={"Rate": 0.2}), model)
    assert checked["plan"].startswith("train")
    with pytest.raises(AssertionError, match="no job"):
        life.update("id", model, checked)
    assert len(list(Ledger(world.registry).runs())) == 2


def test_a_model_that_a_program_trained_is_not_adopted(world):
    """After a destroy the endpoint serves one of this experiment's runs: it stands for its own data, not for another's."""
    run = world.trained("february")
    world.serving["prod"] = world.at(f"https://a/registry/{run['address']}", f"registry/{run['address']}")
    life = TrainedModelLifecycle(world.context)
    checked = life.check(world.model(), {})
    assert checked["plan"].startswith("train")
    with pytest.raises(AssertionError, match="no job"):
        life.create(checked)


def test_a_crash_between_copy_and_record_is_made_good(world):
    """The same bytes are there already; other bytes are somebody else's, and the next attempt's place is taken."""
    expected = world.create()
    world.registry.blobs.pop(f"runs/{expected['runKey']}.json")
    assert world.create()["address"] == expected["address"]
    world.registry.blobs.pop(f"runs/{expected['runKey']}.json")
    world.registry.put(expected["address"], b"another")
    assert world.create()["address"].endswith("/2.ilearner")


def test_nothing_to_adopt_is_refused_before_anything_is_written(world):
    """An endpoint without this resource."""
    world.serving["prod"] = Binding("another", THEIRS)
    with pytest.raises(ConfigurationError, match="serves no model that could be adopted"):
        TrainedModelLifecycle(world.context).check(world.model(), {})
    assert world.registry.writes == []


def test_records_of_runs_that_were_trained_look_as_before(world):
    """Earlier releases read them; only an adopted one has the new member."""
    world.trained("february")
    [name] = [name for name in world.registry.blobs if name.startswith("runs/")]
    assert b"adopted" not in world.registry.read(name)[0]


def test_what_was_never_copied_is_said_where_nobody_answers_either(world, monkeypatch):
    """An unreachable storage account is no reason to fail."""

    def nobody(*_: Any) -> bytes:
        raise Unreachable("nothing answers", "wait")

    monkeypatch.setattr(Blobs, "read", nobody)
    assert world.create()["sha256"] == ""
    assert "nothing answers" in world.told.lines[0]
