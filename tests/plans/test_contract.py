"""A saved plan is carried out as it is, or refused by the name of what differs."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from plans.approved import Approved
from plans.contract import Basis, Contract, NoPlan, contract_of, differences
from plans.plan import made_of
from tests.plans.documents import KEY, UNKNOWN, address, retraining

BASIS = Basis("dev", "0.1.0 (abcdefa)", {"retraining:dataVersion": "1" * 64}, "p" * 64, "")
Document = dict[str, Any]


def contract(document: Document, basis: Basis = BASIS) -> Contract:
    """The contract of a document's plan."""
    return contract_of(made_of("dev", document), document, basis, "2026-11-28T09:00:00Z")


def changed(change: Callable[[dict[str, Any]], None], number: int, state: str = "newState") -> Document:
    """The retraining, with the properties of one step's state changed, inputs and outputs."""
    document = copy.deepcopy(retraining())
    for part in ("inputs", "outputs"):
        change(document["steps"][number][state][part])
    return document


DATA, MODEL, GATE, BINDING = range(4)
WORLDS: dict[str, tuple[str, Document]] = {
    "data": ("data", changed(lambda p: p["data"].update(digest="2-" + "c" * 64), MODEL)),
    "another version": ("data", changed(lambda p: p["data"].update(version="2013-03"), MODEL)),
    "blobs of the data version": ("steps", changed(lambda p: p.update(bytes=1), DATA)),
    "code": ("code", changed(lambda p: p["experiment"].update(digest="e" * 64), MODEL)),
    "parameters": ("parameters", changed(lambda p: p.update(parameters={"Learning rate": 0.3}), MODEL)),
    "run": ("model", changed(lambda p: p.update(runKey=KEY[::-1]), MODEL)),
    "reused now": ("model", changed(lambda p: p.update(plan="reuse run 0769984"), MODEL)),
    "champion": ("champion", changed(lambda p: p["champion"].update(runKey="9" * 64), GATE)),
    "rules": ("rules", changed(lambda p: p["gate"].update(rules=["auc >= 0.6"]), GATE)),
    "a milder gate": ("rules", changed(lambda p: p["gate"].update(minimumRows=1), GATE)),
    "held instead of failed": ("rules", changed(lambda p: p["gate"].update(onRejected="hold"), GATE)),
    "no approval": ("rules", changed(lambda p: p["gate"].update(approval=True), GATE)),
    "classes": ("steps", changed(lambda p: p["gate"].update(allowChangedClasses=True), GATE)),
    "holdout": ("holdout", changed(lambda p: p.update(holdout={"version": "h", "digest": "2-x"}), GATE)),
    "model bound": ("bindings", changed(lambda p: p.update(address=address(KEY)), BINDING)),
    "rings": (
        "bindings",
        changed(lambda p: p["rings"].append({"endpoints": ["europe"], "bake": "10m"}), BINDING),
    ),
    "shares": ("bindings", changed(lambda p: p.update(steps=[10, 100]), BINDING)),
    "somebody bound another": (
        "bindings",
        changed(lambda p: p.update(found={"retrained": address("8" * 64)}), BINDING),
    ),
    "probe": ("steps", changed(lambda p: p["probe"].update(rows=1), BINDING)),
    "state": ("state", changed(lambda p: p.update(name="other"), 4, "oldState")),
    "one more step": ("steps", {"steps": [*retraining()["steps"][:5], *retraining()["steps"][:0]]}),
}


@pytest.mark.parametrize("world", WORLDS)
def test_a_changed_world_is_refused_by_name(world: str) -> None:
    """Each by the name of what differs."""
    name, document = WORLDS[world]
    told = differences(contract(retraining()), contract(document))
    assert any(each.startswith(name) for each in told), told


def test_the_same_world_is_carried_out() -> None:
    """Also where passing texts differ, where blobs were written again with the same bytes, and where the other engine writes
    what is unknown in its way.
    """
    again = json.loads(json.dumps(retraining()).replace(UNKNOWN, "[unknown]"))
    for part in ("inputs", "outputs"):
        again["steps"][DATA]["newState"][part]["etags"] = ["0x1"]
    for one in again["steps"]:
        if one["newState"] and "plan" in one["newState"]["inputs"]:
            one["newState"]["inputs"]["plan"] = one["newState"]["inputs"]["plan"].replace("12 s", "9 s")
        for state in filter(None, (one["oldState"], one["newState"])):
            for part in ("inputs", "outputs"):
                state[part]["__provider"] = "gASV"
    saved, now = contract(retraining()), contract(again)
    assert differences(saved, now) == []
    assert Contract.read(saved.text()) == saved


@pytest.mark.parametrize(
    ("name", "basis"),
    [
        ("the stack", Basis("prod", BASIS.version, BASIS.config, BASIS.program, "")),
        ("the tool's version", Basis("dev", "0.2.0 (1234567)", BASIS.config, BASIS.program, "")),
        ("configuration", Basis("dev", BASIS.version, {"retraining:seed": "2" * 64}, BASIS.program, "")),
        ("the program", Basis("dev", BASIS.version, BASIS.config, "q" * 64, "")),
    ],
)
def test_another_basis_is_refused_by_name(name: str, basis: Basis) -> None:
    """Stack, version, configuration, program."""
    told = differences(contract(retraining()), contract(retraining(), basis))
    assert told
    assert told[0].startswith(name)


def test_every_edit_of_the_file_is_noticed() -> None:
    """Each value of it changed, one after the other."""
    text = contract(retraining()).text()

    def edits(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
        if isinstance(value, dict):
            return [each for name in value for each in edits(value[name], (*path, name))]
        if isinstance(value, list):
            return [each for at in range(len(value)) for each in edits(value[at], (*path, at))]
        return [path]

    paths = edits(json.loads(text))
    assert len(paths) > 50
    for path in paths:
        body = json.loads(text)
        inner = body
        for name in path[:-1]:
            inner = inner[name]
        inner[path[-1]] = "edited" if inner[path[-1]] != "edited" else "else"
        with pytest.raises(NoPlan):
            Contract.read(json.dumps(body))


@pytest.mark.parametrize("text", ["", "{}", "[]", "null", '{"form": 1}', '{"seal": "x", "form": "other/2"}'])
def test_what_is_no_plan_is_refused(text: str) -> None:
    """Whatever it is."""
    with pytest.raises(NoPlan):
        Contract.read(text)


def test_the_file_holds_no_secret() -> None:
    """Values that engines mask are left out of the promises."""
    document = changed(lambda p: p.update(webhook="[secret]"), MODEL)
    assert all("webhook" not in stage.promised for stage in contract(document).plan.stages)


def approved(folder: Path, *without: str) -> Approved:
    """The stages of the retraining, but those of some kinds, as providers find them."""
    folder.mkdir()
    plan = contract(retraining()).plan
    stages = [each for each in plan.stages if each.kind not in without]
    found = Approved.read(Approved(stages, folder).written())
    assert list(found.stages) == stages
    return found


def test_providers_keep_to_the_promises(tmp_path: Path) -> None:
    """What is known must be equal and there, what was unknown may be anything; another kind or operation is none of the plan's."""
    inputs = retraining()["steps"][MODEL]["newState"]["inputs"]
    for at, (given, kind, call) in enumerate(
        [
            (inputs | {"runKey": KEY}, "TrainedModel", "update"),
            ({name: each for name, each in inputs.items() if name != "parameters"}, "TrainedModel", "update"),
            (inputs, "TrainedModel", "create"),
            (inputs, "DataVersion", "update"),
            ({"name": "retrained"}, "StudioEndpoint", "update"),
        ]
    ):
        assert approved(tmp_path / str(at)).claim(kind, call, given) is None
    for at, given in enumerate((inputs, inputs | {"sha256": "f" * 64, "plan": "another text"})):
        assert approved(tmp_path / f"equal-{at}").claim("TrainedModel", "update", given)


def test_each_stage_is_carried_out_once_and_after_what_it_rests_on(tmp_path: Path) -> None:
    """Trained, then judged, then bound; the second time it is none of the plan's."""
    plan = approved(tmp_path / "plan")
    steps = retraining()["steps"]
    order = [(MODEL, "TrainedModel"), (GATE, "Promotion"), (BINDING, "ModelBinding")]
    given = {kind: steps[at]["newState"]["inputs"] | {"sha256": "f" * 64} for at, kind in order}
    for place, (_step, kind) in enumerate(order, 1):
        for _step, other in order[place:]:
            assert plan.claim(other, "update", given[other]) is None
        stage = plan.claim(kind, "update", given[kind])
        assert stage
        assert plan.claim(kind, "update", given[kind]) is None
        plan.carried_out(stage)
    assert approved(tmp_path / "bound", "TrainedModel", "Promotion").claim(
        "ModelBinding", "update", given["ModelBinding"]
    )
