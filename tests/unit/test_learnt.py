"""What was learnt is held: classes, columns and types of a candidate against those of the champion."""

from __future__ import annotations

import json
import random
import re
import zipfile
from dataclasses import replace
from io import BytesIO

import pytest

from clients.errors import GateRefused
from graph.data.datasets import TASK_BINARY
from retrain_hooks.data.contents import Contents
from retrain_hooks.data.inputs import DataReference
from retrain_hooks.data.learnt import by_data, by_model
from retrain_hooks.gate.inputs import HELD, PASSED, PENDING
from retrain_hooks.registry.ledger import Learnt, Ledger, Run
from tests.unit.promotion_world import World, address, key

BASE = ("benign", "malignant")


def data(classes=BASE, columns=("radius", "area", "site"), *, swapped=False, rows=120, texts=()) -> bytes:
    """A table whose rows of the second class have the greater numbers, those of the first where they are *swapped*."""
    chance, lines = random.Random(1), [",".join([*columns, "diagnosis"])]
    for row in range(rows):
        positive = row % 3 == 0
        high = positive != swapped
        cells = [
            f"{chance.gauss(3 if high else 1, 1):.3f}" if name != "site" else "ab"[high] for name in columns
        ]
        cells = ["x" + cell if name in texts else cell for name, cell in zip(columns, cells, strict=True)]
        lines.append(",".join([*cells, classes[positive]]))
    return ("\n".join(lines) + "\n").encode()


def model(classes=BASE, columns=("radius", "area", "site"), texts=("site",), label="diagnosis") -> bytes:
    """The manifest of an `.ilearner`, with no arithmetic."""
    kinds = {name: "categorical" if name in texts else "numeric" for name in columns}
    manifest = {
        "format": "ilearner",
        "version": 1,
        "learner": "x",
        "task": TASK_BINARY,
        "link": "logistic",
        "encoding": "ordinal",
        "unknownLevels": True,
        "label": {"name": label, "type": "String", "classes": list(classes)},
        "features": [
            {
                "name": name,
                "type": "String" if kind == "categorical" else "Double",
                "kind": kind,
                "levels": [],
            }
            for name, kind in kinds.items()
        ],
        "example": dict.fromkeys(columns),
    }
    buffer = BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("manifest.json", json.dumps(manifest))
        archive.writestr("model.onnx", b"")
    return buffer.getvalue()


class Learning(World):
    """A world whose runs have data and a model that tells something, or (``opaque``) nothing."""

    opaque = False

    def learn(
        self, name: str, table: bytes, content: bytes = b"", *, auc=0.9, trained=True, learnt=None
    ) -> None:
        self.data.put(f"{name}.csv", table)
        self.registry.blobs.pop(f"runs/{key(name)}.json", None)
        if not trained:
            return
        self.registry.put(address(name), b"?" if self.opaque else content)
        etag = self.data.blobs[f"{name}.csv"][1]
        found = {"auc": auc, "number_of_examples": 100}
        where = {"container": "data", "version": name, "etags": {f"{name}.csv": etag}}
        run = Run(key(name), "flights", {}, "finished", data=where, sha256=name, metrics=found, learnt=learnt)
        Ledger(self.registry).plan(run)

    def wanted(self, name="new", **gate):
        blob = next(one for one in self.data.list() if one.name == f"{name}.csv")
        digest = Contents(self.context, "local", "data").look([blob]).digest
        reference = {"container": "data", "version": name, "digest": digest, "blobs": [blob.name]}
        found = self.props(name, **gate)
        return found | {"candidate": found["candidate"] | {"data": reference}}


CHANGES = {
    "other classes": (
        data(("cancer", "normal")),
        model(("cancer", "normal")),
        r"classes are 'cancer', 'normal'",
    ),
    "other class for the positive one": (
        data(("benign", "cancer")),
        model(("benign", "cancer")),
        r"classes are 'benign', 'cancer'",
    ),
    "the other way round": (data(), model(BASE[::-1]), r"positive: 'benign'"),
    "numbers for text": (data(("0", "1")), model(("0", "1")), r"classes are '0', '1'"),
    "swapped in meaning": (data(swapped=True), model(), r"its classes are swapped"),
    "a column less": (data(columns=("radius", "site")), model(columns=("radius", "site")), r"gone: 'area'"),
    "a column more": (
        data(columns=("radius", "area", "site", "age")),
        model(columns=("radius", "area", "site", "age")),
        r"new: 'age'",
    ),
    "a column renamed": (
        data(columns=("radius", "areas", "site")),
        model(columns=("radius", "areas", "site")),
        r"gone: 'area'; columns are new: 'areas'",
    ),
    "a column of text": (
        data(texts=("area",)),
        model(texts=("area", "site")),
        r"'area' holds text, for the champion numbers",
    ),
}


@pytest.fixture(params=["told by the model", "told by the data"])
def world(request) -> Learning:
    world = Learning()
    world.opaque = request.param == "told by the data"
    return world


def served(world: Learning) -> Learning:
    """With a champion of its own."""
    world.learn("base", data(), model(), learnt=Learnt("diagnosis") if world.opaque else None)
    if world.opaque:
        relearn(world, "base")
    return world


def relearn(world: Learning, name: str) -> None:
    """As a training run records it of a model that tells nothing, whose graph names its label."""
    ledger = Ledger(world.registry)
    entry = ledger.find(key(name))
    reference = DataReference("data", name, "", tuple(entry.run.data["etags"]))
    learnt = by_data(world.context, "local", Learnt(), reference, "diagnosis")
    ledger.advance(entry, replace(entry.run, learnt=learnt))


@pytest.mark.parametrize("name", CHANGES)
def test_what_was_learnt_otherwise_is_refused(world, name):
    """By the preview where it is trained already, and where only its data is known; nothing is bound."""
    table, content, words = CHANGES[name]
    told_by_data = name != "the other way round"
    if world.opaque and not told_by_data:
        return
    served(world)
    if told_by_data:
        world.learn("new", table, trained=False)
        with pytest.raises(GateRefused, match=words):
            world.preview(world.wanted())
    world.learn("new", table, content)
    if world.opaque:
        relearn(world, "new")
    with pytest.raises(GateRefused, match=f"(?s){words}.*allowChangedClasses"):
        world.preview(world.wanted())
    with pytest.raises(GateRefused, match=words):
        world.up(world.wanted())
    assert world.live == address("base")


@pytest.mark.parametrize("name", CHANGES)
def test_what_was_learnt_otherwise_may_be_allowed(name):
    """The ruling says what has changed; without the permission it is refused again."""
    world = served(Learning())
    table, content, words = CHANGES[name]
    world.learn("new", table, content)
    outputs = world.up(world.wanted(allowChangedClasses=True))
    assert outputs["verdict"] == PASSED
    assert any(re.search(words, rule["reason"]) for rule in outputs["rules"])
    world.bind(address("base"))
    with pytest.raises(GateRefused, match=words):
        world.up(world.wanted())


def test_the_same_kind_of_model_passes(world):
    """Other numbers, other rows, a class of other share: nothing of what is held has changed."""
    served(world)
    world.learn("new", data(rows=99), trained=False)
    assert world.preview(world.wanted())["verdict"] == PENDING
    world.learn("new", data(rows=99), model())
    if world.opaque:
        relearn(world, "new")
    assert world.up(world.wanted())["verdict"] == PASSED


def test_hold_keeps_the_champion():
    """In the preview as in the update."""
    world = served(Learning())
    world.learn("new", data(("cancer", "normal")), trained=False)
    assert world.preview(world.wanted(onRejected="hold"))["verdict"] == HELD
    world.learn("new", data(("cancer", "normal")), model(("cancer", "normal")))
    assert world.up(world.wanted(onRejected="hold"))["verdict"] == HELD
    assert world.live == address("base")


def test_the_positive_class_is_held():
    """Of the first model as of every other, whatever else is allowed."""
    world = Learning()
    world.services.serving.pop("live")
    world.learn("new", data(("cancer", "normal")), model(("cancer", "normal")))
    for declared in ("cancer", "malignant"):
        with pytest.raises(GateRefused, match=f"positive: 'normal'.*positiveClass is '{declared}'"):
            world.up(world.wanted(positiveClass=declared, allowChangedClasses=True))
    assert world.up(world.wanted(positiveClass="normal"))["verdict"] == PASSED


def test_a_positive_class_that_nothing_tells_of_is_not_let_through():
    """The gate fails closed."""
    world = Learning()
    world.opaque = True
    world.learn("new", b"", b"?")
    with pytest.raises(GateRefused, match="not known, and positiveClass is 'malignant'"):
        world.up(world.wanted(positiveClass="malignant"))


def test_old_runs_tell_by_their_models_and_unknown_ones_are_not_compared():
    """A run that an earlier release recorded; a champion that is none of ours; data that is gone."""
    world = served(Learning())
    world.data.blobs.pop("base.csv")
    world.learn("new", data(("cancer", "normal")), model(("cancer", "normal")))
    with pytest.raises(GateRefused, match="classes"):
        world.up(world.wanted())
    world.registry.blobs.pop(address("base"))
    assert world.preview(world.wanted())["verdict"] == PASSED


def test_a_model_that_cannot_be_read_tells_nothing():
    """Bytes of any kind."""
    whole = model()
    for content in (
        b"",
        b"PK\x03\x04",
        whole[:60],
        whole[:-200][:100],
        b"\x00" * 100,
        b"PK\x03\x04" + b"\xff" * 100,
    ):
        assert by_model(content) == Learnt()
    assert by_model(whole).classes == BASE
