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
    return found


@pytest.fixture
def life(container, monkeypatch) -> DataVersionLifecycle:
    context = Context(Listener(), OpenGuard())
    monkeypatch.setattr(context, "data", lambda _target: container)
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


def test_a_blob_without_content_md5_is_hashed_to_the_same_digest(life, container):
    """Tools that set no Content-MD5 make no other version."""
    before = life.check(PROPS, {})
    container.without_md5.add("flights/2013-01.csv")
    assert life.check(PROPS, {})["digest"] == before["digest"]


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
