"""Data versions: what is in the blob counts, not when it was written."""

from __future__ import annotations

import pytest

from clients.errors import ConfigurationError, DataVersionNotFound
from retrain_hooks.data_version import DataVersionLifecycle
from retrain_hooks.lifecycle import UNKNOWN, Context
from tests.unit.fakes import Listener, MemoryContainer, OpenGuard

PROPS = {"target": "local", "path": "flights/{version}.csv", "version": "2013-01"}


@pytest.fixture
def container() -> MemoryContainer:
    found = MemoryContainer("data")
    found.put("flights/2013-01.csv", b"january")
    found.put("flights/2013-02.csv", b"february")
    found.registry = MemoryContainer()
    return found


@pytest.fixture
def life(container, monkeypatch) -> DataVersionLifecycle:
    context = Context(Listener(), OpenGuard())
    monkeypatch.setattr(context, "data", lambda _target, _name=None: container)
    monkeypatch.setattr(context, "registry", lambda _target: container.registry)
    return DataVersionLifecycle(context)


def test_a_preview_knows_digest_blobs_and_bytes(life, container):
    """Check resolves the version by reading only."""
    found = life.check(PROPS, {})
    assert (found["blobs"], found["bytes"], len(found["digest"])) == (["flights/2013-01.csv"], 7, 64)
    assert container.writes == []


def test_a_touched_blob_is_the_same_version(life, container):
    """Writing the same bytes again changes the ETag and not the digest."""
    before = life.check(PROPS, {})
    container.put("flights/2013-01.csv", b"january")
    after = life.check(PROPS, {})
    assert before["digest"] == after["digest"]
    assert not life.diff(before, after).changes


def test_changed_content_under_the_same_name_is_a_change(life, container):
    """A version is its content."""
    before = life.check(PROPS, {})
    container.put("flights/2013-01.csv", b"JANUARY")
    after = life.check(PROPS, {})
    assert life.diff(before, after).changes


def test_a_blob_without_content_md5_is_hashed_once_and_only_an_update_remembers(life, container):
    """A preview hashes without storing; after an update no byte is read again until the blob changes."""
    container.without_md5.add("flights/2013-01.csv")
    checked = life.check(PROPS, {})
    assert container.registry.writes == []
    life.create(checked)
    assert len(container.registry.writes) == 1
    container.read = None
    assert life.check(PROPS, {})["digest"] == checked["digest"]


def test_a_touched_blob_without_content_md5_is_hashed_again_to_the_same_digest(life, container):
    """Its ETag is another, its content is not."""
    container.without_md5.add("flights/2013-01.csv")
    before = life.check(PROPS, {})
    life.create(before)
    container.put("flights/2013-01.csv", b"january")
    assert life.check(PROPS, {})["digest"] == before["digest"]
    container.put("flights/2013-01.csv", b"JANUARY")
    assert life.check(PROPS, {})["digest"] != before["digest"]


def test_latest_is_the_last_of_all_versions(life, container):
    """A new month moves it."""
    assert life.check(PROPS | {"version": "latest"}, {})["versions"] == ["2013-02"]
    container.put("flights/2013-10.csv", b"october")
    assert life.check(PROPS | {"version": "latest"}, {})["versions"] == ["2013-10"]


def test_a_window_is_all_versions_between_its_ends(life, container):
    """Both ends included, in their order, by one listing."""
    container.put("flights/2013-03.csv", b"march")
    container.put("flights/2013-04.csv", b"april")
    listings = []
    container.list, inner = lambda prefix: listings.append(prefix) or inner(prefix), container.list
    found = life.check(PROPS | {"version": "2013-02..2013-04"}, {})
    assert found["versions"] == ["2013-02", "2013-03", "2013-04"]
    assert found["bytes"] == len(b"februarymarchapril")
    assert listings == ["flights/"]


@pytest.mark.parametrize("window", ["2013-02..", "..2013-01", "2013-02..2013-01"])
def test_a_window_that_cannot_be_is_refused(life, window):
    """It has two ends, the earlier one first."""
    with pytest.raises(ConfigurationError, match="no window"):
        life.check(PROPS | {"version": window}, {})


def test_a_window_whose_end_does_not_exist_is_refused(life):
    """Training on less than what was asked for would be silent."""
    with pytest.raises(DataVersionNotFound, match="2013-09, which does not exist"):
        life.check(PROPS | {"version": "2013-01..2013-09"}, {})


@pytest.mark.parametrize(
    ("path", "names"),
    [
        ("f/{version}/", ["f/v1/a.csv", "f/v1/b/c.csv"]),
        ("f/{version}/*.csv", ["f/v1/a.csv"]),
        ("f/{version}/b/c.csv", ["f/v1/b/c.csv"]),
        ("*/{version}/a.csv", ["f/v1/a.csv"]),
    ],
)
def test_a_version_is_a_blob_a_folder_or_a_pattern(life, container, path, names):
    """As teams lay out their data."""
    for name in ("f/v1/a.csv", "f/v1/b/c.csv", "f/v2/a.csv"):
        container.put(name, b"x")
    assert life.check(PROPS | {"path": path, "version": "v1"}, {})["blobs"] == names


def test_an_unknown_version_names_those_that_exist(life):
    """The error says what could have been meant."""
    with pytest.raises(DataVersionNotFound, match="there is: 2013-01, 2013-02"):
        life.check(PROPS | {"version": "2014-01"}, {})


def test_a_version_cannot_reach_out_of_its_folder(life, container):
    """A version is one name, never a path."""
    container.put("flights/secret/2013-01.csv", b"x")
    with pytest.raises(DataVersionNotFound):
        life.check(PROPS | {"version": "secret/2013-01"}, {})


def test_a_path_without_its_placeholder_is_refused(life):
    """The path says where the version goes."""
    with pytest.raises(ConfigurationError, match=r"does not hold \{version\} once"):
        life.check(PROPS | {"path": "flights/all.csv"}, {})


def test_what_is_unknown_stays_unknown(life):
    """A version that another resource makes is not guessed."""
    assert life.check(PROPS | {"version": UNKNOWN}, {}) == PROPS | {"version": UNKNOWN}
