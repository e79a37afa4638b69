"""What resolving data versions asks of the storage account, however many blobs there are."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from clients.errors import DataVersionNotFound
from retrain_hooks.data.inputs import DataReference
from retrain_hooks.data.lifecycle import DataVersionLifecycle
from retrain_hooks.data.training_data import TrainingData
from retrain_hooks.host.lifecycle import Context
from tests.unit.fakes import Listener, MemoryContainer, OpenGuard

FILE, FOLDER = "f/{version}.csv", "f/{version}/"


class Counted(MemoryContainer):
    """Counts what it is asked; a listing is as many requests as it has thousands of blobs."""

    def __init__(self) -> None:
        super().__init__("data")
        self.listed: list[str] = []
        self.looked: list[str] = []

    def list(self, prefix=""):
        found = super().list(prefix)
        self.listed += [prefix] * (1 + len(found) // 5000)
        return found

    def stat(self, name):
        self.looked.append(name)
        return super().stat(name)


@pytest.fixture(scope="module")
def many() -> Counted:
    """20,000 blobs: each a version, or a part of one of 200."""
    container = Counted()
    for number in range(10_000):
        container.put(f"f/v{number}.csv", b"x")
        container.put(f"f/v{number // 50}/part-{number}.csv", b"x")
    return container


@pytest.fixture
def run(many, monkeypatch) -> Callable[[], Context]:
    """The context of another update each time; what was asked before is not counted."""
    many.listed.clear()
    many.looked.clear()
    registry = MemoryContainer()

    def begun() -> Context:
        context = Context(Listener(), OpenGuard())
        monkeypatch.setattr(context, "data", lambda _target, _name=None: many)
        monkeypatch.setattr(context, "registry", lambda _target: registry)
        return context

    return begun


def preview(context: Context, path: str, *versions: str) -> list[dict]:
    """Each data version is checked, and the model of it asks for its blobs once more."""
    found = []
    for version in versions:
        wanted = {"target": "local", "path": path, "version": version}
        checked = DataVersionLifecycle(context).check(wanted, {})
        reference = DataReference.parse(
            {name: checked[name] for name in ("container", "version", "digest", "blobs")}
        )
        TrainingData(context, "local", reference).digests()
        found.append(checked)
    return found


@pytest.mark.parametrize(
    ("path", "versions", "listed", "looked"),
    [
        (FILE, ("v1", "v2", "v9999"), 0, 3),
        (FILE, ("v1", "v1", "v1"), 0, 1),
        (FOLDER, ("v1", "v2"), 2, 0),
        (FOLDER, ("v1", "v1", "v1"), 1, 0),
        ("f/{version}/part-*.csv", ("v7", "v7"), 1, 0),
    ],
)
def test_a_preview_asks_for_what_it_needs_once(run, many, path, versions, listed, looked):
    """One look at a blob, one listing of a folder, shared by all that a run asks."""
    preview(run(), path, *versions)
    assert (len(many.listed), len(many.looked)) == (listed, looked)


def test_all_that_need_every_name_share_one_listing(run, many):
    """`latest`, windows, and versions that are missing."""
    context = run()
    preview(context, FILE, "latest", "v1..v3")
    with pytest.raises(DataVersionNotFound, match="the nearest of 10,000") as refused:
        preview(context, FILE, "v10000")
    assert len(str(refused.value)) < 400
    assert set(many.listed) == {"f/"}
    assert len(many.listed) == 1 + 20_000 // 5000


def test_another_run_asks_again(run, many):
    """What an earlier update has seen says nothing of now."""
    [before] = preview(run(), FOLDER, "v1")
    many.put("f/v1/part-1.csv", b"y")
    [after] = preview(run(), FOLDER, "v1")
    assert before["digest"] != after["digest"]


def test_an_update_looks_at_what_it_trains_from_anew(run, many):
    """Whatever its check has seen a moment ago."""
    context = run()
    [checked] = preview(context, FILE, "v3")
    many.looked.clear()
    DataVersionLifecycle(context).create(checked)
    assert many.looked == ["f/v3.csv"]
