"""`.ilearner` files: data only, checked in full before use."""

from __future__ import annotations

import ast
import io
import json
import pickle
import random
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import graph
from graph import InvalidModel, TrainedModel, model_schema
from graph.models import onnx_models
from graph.models.ilearner import MANIFEST, MODEL

FORBIDDEN = {"pickle", "cPickle", "joblib", "dill", "cloudpickle", "marshal", "shelve"}


@pytest.fixture(scope="session")
def data(trained: dict[str, Any]) -> bytes:
    model: bytes = trained["01"].model
    return model


def parts(data: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def packed(entries: dict[str, bytes], compression: int = zipfile.ZIP_STORED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", compression) as archive:
        for name, content in entries.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def test_reading_and_writing_give_the_same_bytes(data: bytes) -> None:
    """A model that is read and written again is unchanged."""
    assert TrainedModel.from_bytes(data).to_bytes() == data


def test_a_compressed_file_is_read_too(data: bytes) -> None:
    """The entries may be deflated by whoever passed the file on."""
    again = packed(parts(data), zipfile.ZIP_DEFLATED)
    assert len(again) < len(data)
    assert model_schema(again) == model_schema(data)


def test_only_data_is_inside(data: bytes) -> None:
    """The file is a zip of a JSON manifest and an ONNX graph, with fixed times."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        assert archive.namelist() == [MANIFEST, MODEL]
        assert {info.date_time for info in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}
    manifest = json.loads(parts(data)[MANIFEST])
    assert manifest["label"]["name"] == "late"
    assert "JFK" in next(f for f in manifest["features"] if f["name"] == "origin")["levels"]


def test_no_module_of_the_graph_can_load_code() -> None:
    """Nothing in studio.graph imports a serialiser that runs code, or calls eval or exec."""
    for path in Path(graph.__file__).parent.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                assert not {alias.name.split(".")[0] for alias in node.names} & FORBIDDEN, path
            elif isinstance(node, ast.ImportFrom):
                assert (node.module or "").split(".")[0] not in FORBIDDEN, path
            elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                assert node.func.id not in ("eval", "exec", "compile", "__import__"), path


def manifest_with(change: Callable[[dict[str, Any]], Any]) -> Callable[[bytes], bytes]:
    def make(data: bytes) -> bytes:
        entries = parts(data)
        manifest = json.loads(entries[MANIFEST])
        change(manifest)
        return packed({MANIFEST: json.dumps(manifest).encode(), MODEL: entries[MODEL]})

    return make


def onnx_with(change: Callable[[Any], Any]) -> Callable[[bytes], bytes]:
    def make(data: bytes) -> bytes:
        import onnx

        entries = parts(data)
        model = onnx.load_model_from_string(entries[MODEL])
        change(model)
        return packed({MANIFEST: entries[MANIFEST], MODEL: model.SerializeToString()})

    return make


def attribute(model: Any, name: str) -> Any:
    return next(a for a in model.graph.node[0].attribute if a.name == name)


def to_file(model: Any) -> None:
    tensor = model.graph.initializer[0]
    tensor.ClearField("raw_data")
    tensor.data_location = 1
    entry = tensor.external_data.add()
    entry.key, entry.value = "location", "/etc/hostname"


BAD = {
    "empty": lambda d: b"",
    "text": lambda d: b"model",
    "pickle": lambda d: pickle.dumps({"model": 1}),
    "cut short": lambda d: d[: len(d) // 2],
    "pickled entry": lambda d: packed({MANIFEST: parts(d)[MANIFEST], MODEL: pickle.dumps([1])}),
    "further entry": lambda d: packed({**parts(d), "code.py": b"1"}),
    "other order": lambda d: packed(dict(reversed(parts(d).items()))),
    "no model": lambda d: packed({MANIFEST: parts(d)[MANIFEST]}),
    "bomb": lambda d: packed({MANIFEST: b" " * (17 * 2**20), MODEL: b""}, zipfile.ZIP_DEFLATED),
    "not JSON": lambda d: packed({MANIFEST: b"{", MODEL: parts(d)[MODEL]}),
    "NaN in JSON": lambda d: packed({MANIFEST: b'{"version": NaN}', MODEL: parts(d)[MODEL]}),
    "deep JSON": lambda d: packed({MANIFEST: b"[" * 200_000, MODEL: parts(d)[MODEL]}),
    "later version": manifest_with(lambda m: m.update(version=2)),
    "other link": manifest_with(lambda m: m.update(link="identity")),
    "one class": manifest_with(lambda m: m["label"].update(classes=[0])),
    "class of another type": manifest_with(lambda m: m["label"].update(classes=["0", "1"])),
    "feature missing": manifest_with(lambda m: (m["features"].pop(), m["example"].popitem())),
    "feature twice": manifest_with(lambda m: m["features"].append(m["features"][0])),
    "external data": onnx_with(to_file),
    "feature out of range": onnx_with(lambda m: attribute(m, "nodes_featureids").ints.__setitem__(0, 99)),
    "child out of range": onnx_with(lambda m: attribute(m, "nodes_truenodeids").ints.__setitem__(0, 10**9)),
    "cycle": onnx_with(lambda m: attribute(m, "tree_roots").ints.pop()),
    "shorter array": onnx_with(lambda m: attribute(m, "nodes_trueleafs").ints.pop()),
    "another operation": onnx_with(lambda m: setattr(m.graph.node[1], "op_type", "Mul")),
    "another operator set": onnx_with(lambda m: setattr(m.opset_import[0], "version", 7)),
    "a function": onnx_with(lambda m: m.functions.add()),
}


@pytest.mark.parametrize("name", BAD)
def test_anything_else_is_refused_with_a_reason(data: bytes, name: str) -> None:
    """A file that is not exactly a model of this format is refused in one line, and nothing of it is used."""
    with pytest.raises(InvalidModel) as caught:
        model_schema(BAD[name](data))
    assert str(caught.value)
    assert "\n" not in str(caught.value)


@given(content=st.binary(max_size=200))
@settings(max_examples=100, deadline=None)
def test_any_bytes_are_refused(content: bytes) -> None:
    """Whatever is sent instead of a model causes InvalidModel and nothing else."""
    with pytest.raises(InvalidModel):
        model_schema(content)


def test_a_damaged_graph_is_refused_or_still_a_graph(data: bytes) -> None:
    """Whatever bytes of the ONNX part change, it is refused or runs; the runtime never sees a bad index."""
    model = TrainedModel.from_bytes(data)
    width = len(model.features)
    rows = np.random.default_rng(0).normal(size=(8, width))
    chance = random.Random(5)
    refused = 0
    for _ in range(150):
        damaged = bytearray(model.arithmetic)
        # Most of the file is weights; the structure is at both ends.
        near = chance.choice((chance.randrange(200), len(damaged) - 1 - chance.randrange(300)))
        damaged[near] = chance.randrange(256)
        try:
            onnx_models.check(bytes(damaged), width)
            onnx_models.session(bytes(damaged)).run(["score"], {"features": rows})
        except InvalidModel:
            refused += 1
    assert refused > 20


def test_a_schema_names_what_must_stay(data: bytes) -> None:
    """Task, label, features with their kinds and the scored columns are compared; levels and learner are not."""
    schema = model_schema(data)
    assert schema["task"] == "binary"
    assert schema["label"] == "late"
    assert {"name": "carrier", "kind": "categorical"} in schema["features"]
    assert [output["name"] for output in schema["outputs"]] == ["Scored Labels", "Scored Probabilities"]
