"""Data versions: what is in the blob counts, not when it was written."""

from __future__ import annotations

import hashlib
from collections.abc import Callable

import pytest

from clients.errors import ConfigurationError, DataVersionNotFound
from retrain_hooks.data import contents, hashes, training_data
from retrain_hooks.data.inputs import DataReference
from retrain_hooks.data.lifecycle import DataVersionLifecycle
from retrain_hooks.data.training_data import TrainingData
from retrain_hooks.host.lifecycle import UNKNOWN, Context
from retrain_hooks.registry.run_key import digest
from tests.unit.fakes import Listener, MemoryContainer, OpenGuard

PROPS = {"target": "local", "path": "flights/{version}.csv", "version": "2013-01"}
BLOB = "flights/2013-01.csv"


def former(container: MemoryContainer) -> dict:
    """What an earlier release left in a stack's state, and in the registry."""
    [blob] = container.list(BLOB)
    identity = {"md5": blob.md5, "size": blob.size}
    if blob.md5 is None:
        identity = {"sha256": hashlib.sha256(b"january").hexdigest(), "size": blob.size}
        name = digest({"url": container.url(BLOB), "etag": blob.etag})
        container.registry.put(f"hashes/{name}", identity["sha256"].encode())
    found = {"container": "data", "versions": ["2013-01"], "blobs": [BLOB], "bytes": 7}
    return PROPS | found | {"digest": digest([identity])}


@pytest.fixture
def container() -> MemoryContainer:
    found = MemoryContainer("data")
    found.put("flights/2013-01.csv", b"january")
    found.put("flights/2013-02.csv", b"february")
    found.registry = MemoryContainer()
    return found


@pytest.fixture
def fresh(container, monkeypatch) -> Callable[[], DataVersionLifecycle]:
    """Another process each time, which knows only what the registry remembers."""

    def made() -> DataVersionLifecycle:
        context = Context(Listener(), OpenGuard())
        monkeypatch.setattr(context, "data", lambda _target, _name=None: container)
        monkeypatch.setattr(context, "registry", lambda _target: container.registry)
        return DataVersionLifecycle(context)

    return made


@pytest.fixture
def life(fresh) -> DataVersionLifecycle:
    return fresh()


def test_a_preview_knows_digest_blobs_and_bytes(life, container):
    """Check resolves the version by reading only."""
    found = life.check(PROPS, {})
    assert (found["blobs"], found["bytes"], len(found["digest"])) == (["flights/2013-01.csv"], 7, 66)
    assert container.writes == []


def test_a_touched_blob_is_the_same_version(fresh, container):
    """Writing the same bytes again changes the ETag and not the digest."""
    before = fresh().check(PROPS, {})
    container.put("flights/2013-01.csv", b"january")
    after = fresh().check(PROPS, {})
    assert before["digest"] == after["digest"]
    assert not fresh().diff(before, after).changes


def test_changed_content_under_the_same_name_is_a_change(fresh, container):
    """A version is its content."""
    before = fresh().check(PROPS, {})
    container.put("flights/2013-01.csv", b"JANUARY")
    after = fresh().check(PROPS, {})
    assert fresh().diff(before, after).changes


def test_a_blob_without_content_md5_is_read_once_and_only_an_update_remembers(fresh, container):
    """A preview reads it without storing; after an update no byte is read again until the blob changes."""
    container.without_md5.add(BLOB)
    checked = fresh().check(PROPS, {})
    assert (container.registry.writes, container.read_blobs) == ([], [BLOB])
    life = fresh()
    life.create(life.check(PROPS, {}))
    assert (len(container.registry.writes), container.read_blobs) == (1, [BLOB, BLOB])
    assert fresh().check(PROPS, {})["digest"] == checked["digest"]
    assert container.read_blobs == [BLOB, BLOB]


def test_a_large_blob_without_content_md5_is_read_once_in_a_checkout(fresh, container, monkeypatch, tmp_path):
    """By the first preview already, which writes nothing to the registry; what is damaged there is read anew."""
    monkeypatch.setattr(hashes, "FOLDER", tmp_path / "hashes")
    monkeypatch.setattr(hashes, "LARGE", 1)
    container.without_md5.add(BLOB)
    first = fresh().check(PROPS, {})
    again = fresh().check(PROPS, {})
    life = fresh()
    life.create(life.check(PROPS, {}))
    assert first["digest"] == again["digest"]
    assert container.read_blobs == [BLOB]
    container.registry = MemoryContainer()
    [kept] = (tmp_path / "hashes").iterdir()
    for damaged in (b"", b"[]", b'["a", "b"]', b"[1, 2]", b"7", b"\xff"):
        kept.write_bytes(damaged)
        container.read_blobs.clear()
        assert fresh().check(PROPS, {})["digest"] == first["digest"]
        assert container.read_blobs == [BLOB]
    container.put(BLOB, b"JANUARY")
    assert fresh().check(PROPS, {})["digest"] != first["digest"]


def test_where_nothing_can_be_kept_it_is_read(fresh, container, monkeypatch, tmp_path):
    """A checkout may be read-only."""
    (tmp_path / "hashes").write_text("no folder")
    monkeypatch.setattr(hashes, "FOLDER", tmp_path / "hashes")
    monkeypatch.setattr(hashes, "LARGE", 1)
    container.without_md5.add(BLOB)
    assert fresh().check(PROPS, {})["digest"] == fresh().check(PROPS, {})["digest"]


def test_a_set_is_read_once_for_what_it_is_and_for_its_rows(fresh, container):
    """By an update; the rows are in the order of the names, whichever part came first."""
    names = [f"f/v1/part-{number:04}.csv" for number in range(50)]
    for number, name in enumerate(names):
        container.put(name, f"late,day\n0,{number}\n".encode())
    life = fresh()
    _id, found = life.create(life.check(PROPS | {"path": "f/{version}/", "version": "v1"}, {}))
    read: list[str] = []
    inner = container.read
    container.read = lambda name: read.append(name) or inner(name)
    data = TrainingData(life._context, "local", DataReference("data", "v1", found["digest"], tuple(names)))
    data.snapshot()
    data.reference()
    assert read == []
    joined = container.registry.read(f"datasets/{found['digest']}.csv")[0]
    assert joined == b"late,day\n" + b"".join(b"0,%d\n" % number for number in range(50))


def test_parts_are_joined_in_their_order_and_few_are_held_at_once(fresh, container):
    """In a process that has not read them before: eight at a time, however many there are."""
    names = [f"f/v1/part-{number:04}.csv" for number in range(50)]
    for number, name in enumerate(names):
        container.put(name, f"late,day\n0,{number}\n".encode())
    reference = DataReference("data", "v1", "2-" + "0" * 64, tuple(names))
    data = TrainingData(fresh()._context, "local", reference)
    started: list[str] = []
    inner = container.read
    container.read = lambda name: started.append(name) or inner(name)
    for number, (name, content) in enumerate(data._parts()):
        assert (name, content) == (names[number], f"late,day\n0,{number}\n".encode())
        assert len(started) <= number + training_data._READERS
    assert sorted(started) == names


def test_the_same_bytes_have_the_same_digest_however_they_were_uploaded(fresh, container):
    """A block list has no Content-MD5; a touched one is read again."""
    before = fresh().check(PROPS, {})
    container.without_md5.add(BLOB)
    fresh().create(fresh().check(PROPS, {}))
    container.put(BLOB, b"january")
    assert fresh().check(PROPS, {})["digest"] == before["digest"]
    container.put(BLOB, b"JANUARY")
    assert fresh().check(PROPS, {})["digest"] != before["digest"]


def test_the_digest_covers_names_and_order(fresh, container):
    """The same bytes under other names are another set."""
    container.put("a/v1/1.csv", b"x")
    container.put("a/v2/2.csv", b"x")
    wanted = PROPS | {"path": "a/{version}/"}
    digests = {fresh().check(wanted | {"version": version}, {})["digest"] for version in ("v1", "v2")}
    assert len(digests) == 2


REFUSED = r"the Content-MD5 of data/flights/2013-01\.csv is not that of its bytes"


def test_other_bytes_under_a_kept_content_md5_are_refused(fresh, container):
    """Whoever stores a blob may keep its old Content-MD5: a preview reads what was stored anew, and writes nothing."""
    _id, deployed = fresh().create(fresh().check(PROPS, {}))
    container.put(BLOB, b"JANUARY", md5_of=b"january")
    writes = list(container.registry.writes)
    with pytest.raises(ConfigurationError, match=REFUSED):
        fresh().check(PROPS, deployed)
    assert container.registry.writes == writes
    container.put(BLOB, b"JANUARY")
    assert fresh().diff(deployed, fresh().check(PROPS, deployed)).changes


def test_a_fresh_stack_refuses_them_too(fresh, container):
    """The registry knows what the bytes were under that Content-MD5."""
    fresh().create(fresh().check(PROPS, {}))
    container.put(BLOB, b"JANUARY", md5_of=b"january")
    with pytest.raises(ConfigurationError, match=REFUSED):
        fresh().check(PROPS, {})


def test_a_first_version_whose_content_md5_lies_is_refused_by_the_update_and_by_what_follows(
    fresh, container
):
    """The update reads what it trains from, and remembers it."""
    container.put(BLOB, b"JANUARY", md5_of=b"january")
    planned = fresh().check(PROPS, {})
    with pytest.raises(ConfigurationError, match=REFUSED):
        fresh().create(planned)
    with pytest.raises(ConfigurationError, match=REFUSED):
        fresh().check(PROPS, {})
    container.without_md5.add(BLOB)
    again = fresh().check(PROPS, {})
    assert fresh().create(again)[1]["digest"] == again["digest"] != planned["digest"]


def test_what_is_too_large_for_a_preview_is_read_by_the_update(fresh, container, monkeypatch):
    """The preview says on what it relies, and plans an update that reads the bytes; after it all is quiet."""
    _id, deployed = fresh().create(fresh().check(PROPS, {}))
    monkeypatch.setattr(contents, "_READ_IN_PREVIEW", 3)
    container.put(BLOB, b"january")
    container.read_blobs.clear()
    life = fresh()
    found = life.check(PROPS, deployed)
    assert (found["digest"], found["unverified"]) == (deployed["digest"], [BLOB])
    assert "was stored anew under an unchanged Content-MD5" in life._context.progress.lines[0]
    assert (life.diff(deployed, found).changes, container.read_blobs) == (True, [])
    outputs = life.update("", deployed, found)
    assert (container.read_blobs, "unverified" in outputs) == ([BLOB], False)
    assert not life.diff(outputs, fresh().check(PROPS, found)).changes


def test_a_large_one_with_other_bytes_under_a_kept_content_md5_is_refused_by_the_update(
    fresh, container, monkeypatch
):
    """So does each preview from then on."""
    _id, deployed = fresh().create(fresh().check(PROPS, {}))
    monkeypatch.setattr(contents, "_READ_IN_PREVIEW", 3)
    container.put(BLOB, b"JANUARY", md5_of=b"january")
    found = fresh().check(PROPS, deployed)
    with pytest.raises(ConfigurationError, match=REFUSED):
        fresh().update("", deployed, found)
    with pytest.raises(ConfigurationError, match=REFUSED):
        fresh().check(PROPS, deployed)


@pytest.mark.parametrize("md5", [True, False])
def test_a_state_of_format_1_keeps_its_digest_while_the_blobs_are_these(fresh, container, md5):
    """Nothing changes in its preview, nor after a touch; other bytes are a change."""
    if not md5:
        container.without_md5.add(BLOB)
    old = former(container)
    found = fresh().check(PROPS, old)
    assert (found["digest"], fresh().diff(old, found).changes) == (old["digest"], False)
    container.put(BLOB, b"january")
    assert fresh().check(PROPS, found)["digest"] == old["digest"]
    container.put(BLOB, b"JANUARY")
    assert fresh().diff(old, fresh().check(PROPS, found)).changes


def test_a_state_of_format_1_gets_a_digest_of_format_2_with_another_version(fresh, container):
    """The next version is of the new format, going back to the first one too."""
    old = former(container)
    other = fresh().check(PROPS | {"version": "2013-02"}, old)
    assert other["digest"].startswith("2-")
    assert fresh().check(PROPS, other)["digest"].startswith("2-")


def test_a_version_is_one_listing_and_one_record_of_what_was_read(fresh, container):
    """However many blobs it is made of."""
    names = [f"f/v1/part-{number:04}.csv" for number in range(40)]
    for name in names:
        container.put(name, name.encode())
    wanted = PROPS | {"path": "f/{version}/", "version": "v1"}
    life = fresh()
    life.create(life.check(wanted, {}))
    assert len(container.registry.writes) == 1
    assert sorted(container.read_blobs) == names


def test_latest_is_the_last_of_all_versions(fresh, container):
    """A new month moves it."""
    assert fresh().check(PROPS | {"version": "latest"}, {})["versions"] == ["2013-02"]
    container.put("flights/2013-10.csv", b"october")
    assert fresh().check(PROPS | {"version": "latest"}, {})["versions"] == ["2013-10"]


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
    with pytest.raises(ConfigurationError, match="not a window"):
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


def test_the_digest_of_known_blobs_never_changes(fresh):
    """A release that computes another digest would train everything anew."""
    found = fresh().check(PROPS | {"version": "2013-01..2013-02"}, {})
    assert found["digest"] == "2-7ad0e969d8de3a1a836cc5d312bab8779d95196909aace135fbdd8082f7cfe33"


@pytest.mark.parametrize("marker", ["_SUCCESS", "_committed_7", ".part-0.csv.crc", "z/_SUCCESS"])
def test_a_marker_that_appears_later_is_no_other_data(fresh, container, marker):
    """It is joined to no table, so that nothing is trained anew for it."""
    container.put("f/v1/part-0.csv", b"late,day\n0,1\n")
    container.put("f/v1/part-1.csv", b"late,day\n1,1\n")
    wanted = PROPS | {"path": "f/{version}/", "version": "v1"}
    before = fresh().check(wanted, {})["digest"]
    container.put(f"f/v1/{marker}", b"x")
    after = fresh().check(wanted, {})
    assert after["digest"] == before
    life = fresh()
    life.create(after)
    reference = DataReference("data", "v1", after["digest"], tuple(after["blobs"]))
    assert TrainingData(life._context, "local", reference).as_planned()
    container.put(f"f/v1/{marker}", b"y")
    assert fresh().check(wanted, {})["digest"] == before


def test_a_file_that_is_named_like_a_marker_is_data_where_it_is_all_there_is(fresh, container):
    """Whoever calls a table so means it."""
    container.put("f/_2013.csv", b"late,day\n0,1\n")
    wanted = PROPS | {"path": "f/_{version}.csv", "version": "2013"}
    before = fresh().check(wanted, {})["digest"]
    container.put("f/_2013.csv", b"late,day\n1,1\n")
    assert fresh().check(wanted, {})["digest"] != before
