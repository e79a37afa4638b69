"""Models that are folders: one manifest stands for all files, and no other file is ever served."""

from __future__ import annotations

import json

import pytest

from clients.azureml.models import gather, register
from clients.errors import LedgerError
from clients.storage import BlobRef
from tests.azureml.world import RESOURCE, TRAIN, World

TWO = TRAIN + 'pathlib.Path(model, "deep").mkdir()\npathlib.Path(model, "deep", "more.txt").write_text("x")\n'


@pytest.fixture
def trained(world: World) -> BlobRef:
    """A model of two files, as its job left it and gathered."""
    service = world.publish("training", train_py=TWO)
    assert world.trained(service, 8)["status"] == "Completed"
    model = world.registry.writable(world.address(8))
    gather(world.workspace, model)
    return model


def test_the_manifest_has_each_file_and_is_written_once(world: World, trained: BlobRef) -> None:
    """Equal files give equal bytes, whoever gathers them, and a second time nothing is written."""
    content, etag = world.registry.read(world.address(8))
    assert list(json.loads(content)["files"]) == ["deep/more.txt", "number.txt"]
    gather(world.workspace, trained)
    assert world.registry.read(world.address(8)) == (content, etag)
    world.registry.delete(world.address(8))
    gather(world.workspace, trained)
    assert world.registry.read(world.address(8))[0] == content


@pytest.mark.parametrize("change", ["changed", "gone", "added", "manifest", "no manifest"])
def test_a_file_that_is_not_its_runs_is_refused(world: World, trained: BlobRef, change: str) -> None:
    """Before it is registered, so that it is never deployed."""
    folder, registry = world.address(8).removesuffix(".ilearner"), world.registry
    if change == "changed":
        world.aml.cloud.upload("registry", f"{folder}/number.txt", b"9")
    elif change == "gone":
        registry.delete(f"{folder}/deep/more.txt")
    elif change == "added":
        world.aml.cloud.upload("registry", f"{folder}/pickle.pkl", b"9")
    elif change == "manifest":
        world.aml.cloud.upload("registry", world.address(8), b'{"files": []}')
    else:
        registry.delete(world.address(8))
    with pytest.raises(LedgerError):
        register(world.workspace, trained)
    service = world.publish()
    with pytest.raises(LedgerError):
        world.traffic(service).write(RESOURCE, trained)
    assert world.names() == []


def test_a_folder_is_served_as_it_is(world: World, trained: BlobRef) -> None:
    """What was trained answers."""
    service = world.publish(
        score_py="import os, pathlib, json\n"
        "def init():\n    global number\n"
        '    number = [p.read_text() for p in pathlib.Path(os.environ["AZUREML_MODEL_DIR"]).rglob("number.txt")][0]\n'
        'def run(raw):\n    return [number for _ in json.loads(raw)["input_data"]["data"]]\n'
    )
    world.traffic(service).write(RESOURCE, trained)
    assert world.says(service) == "8"
