"""What makes the explained and the executed plan differ is noticed: before the update, by its providers, or at its end."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from plans.approved import APPROVED, Approved
from plans.contract import PASSING, departures, differences, left
from plans.plan import Plan, made_of
from plans.steps import Step, steps_of
from retrain_hooks import providers
from tests.plans.documents import KEY, NEXT, binding, gate, model, retraining, step
from tests.plans.mutants import Document, doubled, mutants, out_of_turn
from tests.plans.test_contract import contract


def run() -> Document:
    """A retraining whose model has parameters and a price, one that binds by rings, and resources of Azure's."""
    document = retraining()
    store = "azure-native:storage:StorageAccount"
    model = document["steps"][1]["newState"]
    for part in ("inputs", "outputs"):
        model[part] |= {"parameters": {"Learning rate": 0.2}, "deadlineMinutes": 60, "ratePerHour": 2.5}
    rings = [{"name": "pilot", "endpoints": ["pilot", "europe"], "bake": "10m"}]
    more = binding(KEY, endpointName="other", rings=rings, steps=[10, 100], mirror=20)
    judged = gate(KEY, "2013-01", "passed", endpointName="other", holdout={"version": "h", "digest": "2-a"})
    return {
        "steps": [
            *document["steps"],
            step("create", "Promotion", "other-promotion", None, judged),
            step("create", "ModelBinding", "other-binding", None, more),
            step("create", store, "new-storage", None, {"name": "new", "sku": {"name": "Standard_LRS"}}),
        ]
    }


MUTANTS = dict(mutants(run()))
TURNS = dict([*doubled(run()), *out_of_turn(run())])


class Nothing:
    """A lifecycle that does nothing: what is tested comes before it."""

    def __init__(self, _context: object) -> None:
        pass

    def create(self, _props: object) -> tuple[str, dict[str, Any]]:
        """Nothing."""
        return "id", {}

    def update(self, *_given: object) -> dict[str, Any]:
        """Nothing."""
        return {}

    def delete(self, *_given: object) -> None:
        """Nothing."""


@pytest.fixture
def plan(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Plan:
    """The plan that was approved, as providers find it."""
    found = made_of("dev", run())
    monkeypatch.setenv(APPROVED, Approved(found.stages, tmp_path).written())
    monkeypatch.setattr(providers, "_context", lambda: None)
    for name in ("DataVersion", "TrainedModel", "Promotion", "ModelBinding", "StudioEndpoint"):
        monkeypatch.setattr(getattr(providers, f"{name}Provider"), "lifecycle", Nothing)
    return found


def executed(document: Document) -> str:
    """What the first provider says that refuses its step; empty where all have made theirs."""
    for told in document["steps"]:
        for each in steps_of({"steps": [told]}):
            if each.ours and each.op in ("create", "update", "delete"):
                try:
                    _call(each)
                except Exception as error:  # of a class that is called as its message
                    return type(error).__name__
    return ""


def _call(each: Step) -> None:
    provider = getattr(providers, f"{each.kind}Provider")()
    match each.op:
        case "create":
            provider.create(dict(each.inputs))
        case "update":
            provider.update("id", dict(each.old), dict(each.inputs))
        case _:
            provider.delete("id", dict(each.old))


def test_what_was_approved_is_executed(plan: Plan) -> None:
    """Nobody refuses it, and nothing is left: else the mutants would prove nothing."""
    assert executed(run()) == ""
    done = made_of("dev", run(), done=True)
    assert (departures(plan, done), left(plan, done)) == ([], [])
    assert differences(contract(run()), contract(run())) == []
    assert len(MUTANTS) + len(TURNS) > 100


@pytest.mark.parametrize("name", MUTANTS)
def test_an_update_that_would_do_other_things_is_refused_before_it_begins(name: str) -> None:
    """The preview that an update begins with is held against the plan."""
    assert differences(contract(run()), contract(MUTANTS[name]))


@pytest.mark.parametrize("name", MUTANTS | TURNS)
def test_an_update_that_does_other_things_is_stopped_or_told_of(plan: Plan, name: str) -> None:
    """Providers refuse what is none of the plan's stages, or not their turn; what is not ours, or not done, is told at the end."""
    document = (MUTANTS | TURNS)[name]
    refused = executed(document)
    done = made_of("dev", document, done=True)
    told = departures(plan, done) + left(plan, done)
    resource = name.partition(":")[0].partition(" ")[0]
    if name in TURNS or (" = " in name and "storage" not in resource):
        assert "the plan does not" in refused
    assert refused or resource in told or f"{resource}-other" in told


def _explained() -> Iterator[tuple[str, Plan]]:
    plan = made_of("dev", run())
    for at, stage in enumerate(plan.stages):
        for fact, value in stage.facts.items():
            if fact in PASSING or fact in stage.unknown:
                continue
            others = {fact: [*value, "more"] if isinstance(value, list) else f"{json.dumps(value)} or so"}
            stages = [*plan.stages[:at], replace(stage, facts=stage.facts | others), *plan.stages[at + 1 :]]
            yield f"{stage.name}: {fact}", replace(plan, stages=tuple(stages))


EXPLAINED = dict(_explained())


@pytest.mark.parametrize("name", EXPLAINED)
def test_a_plan_that_explains_other_things_than_it_promises_is_refused(name: str) -> None:
    """Also where whoever has edited it has sealed it again."""
    saved = contract(run())
    forged = replace(saved, plan=EXPLAINED[name])
    assert differences(type(saved).read(forged.text()), saved)


def test_who_judges_a_run_waits_for_one_of_its_models(tmp_path: Path) -> None:
    """Candidate and baseline may be of one run; the baseline, which no gate asks for, may come later."""
    new = model(NEXT, "2013-02", "b")
    steps = [
        step("create", "TrainedModel", "candidate", None, new),
        step("create", "TrainedModel", "baseline", None, new),
        step("create", "Promotion", "endpoint-promotion", None, gate(NEXT, "2013-02", "pending")),
    ]
    stages = made_of("dev", {"steps": steps}).stages
    given = {each.kind: each.inputs for each in steps_of({"steps": steps})}
    approved = Approved(stages, tmp_path)
    assert approved.claim("Promotion", "create", given["Promotion"]) is None
    trained = approved.claim("TrainedModel", "create", given["TrainedModel"])
    assert trained is not None
    assert approved.claim("Promotion", "create", given["Promotion"]) is None
    approved.carried_out(trained)
    assert approved.claim("Promotion", "create", given["Promotion"]) is not None
