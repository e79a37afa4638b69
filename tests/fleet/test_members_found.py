"""Members of a fleet whose data lies in files of their own."""

from __future__ import annotations

from pathlib import Path

import pytest

from clients.errors import DataVersionNotFound
from retrain_hooks.data.training_data import TrainingData
from retrain_hooks.fleet.members.blobs import Listing
from tests.fleet.members import PATTERN, Asked, Data, named

MONTHS = ("2013-01", "2013-02", "2013-03")


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Data:
    monkeypatch.chdir(tmp_path)
    return Data()


def test_who_has_data_is_a_member(data: Data) -> None:
    """In the order of their names, each with its blob and the identity of its bytes."""
    data.months("SFO", "LAX", versions=MONTHS)
    found = data.find({"path": PATTERN}, "", "2013-02")
    assert [(one.name, one.endpoint, one.problem) for one in found.members] == [
        ("LAX", "lax", ""),
        ("SFO", "sfo", ""),
    ]
    lax = found.members[0]
    assert lax.data is not None
    assert (lax.data.container, lax.data.version) == ("data", "2013-02")
    assert lax.data.blobs == ("flights/LAX/2013-02.csv",)
    assert set(lax.etags) == set(lax.data.blobs)
    assert lax.data.digest.startswith("2-")
    assert found.version == "2013-02"


def test_a_customer_who_uploads_data_is_a_member_then(data: Data) -> None:
    """And nobody else is touched by it."""
    data.months("LAX")
    before = data.find({"path": PATTERN})
    data.months("new customer")
    after = data.find({"path": PATTERN})
    assert after.members[0] == before.members[0]
    assert [one.name for one in after.members] == ["LAX", "new customer"]
    assert after.digest != before.digest


def test_who_lacks_the_version_stays_a_member_with_a_problem(data: Data) -> None:
    """It doesn't leave because one month is missing."""
    data.months("LAX", versions=MONTHS)
    data.months("SFO", versions=MONTHS[:1])
    found = data.problems({"path": PATTERN}, "", "2013-03")
    assert found == {"SFO": "it has no data of version 2013-03, only of 2013-01; upload it"}


def test_the_latest_is_each_ones_own(data: Data) -> None:
    """Who uploads later than others goes on with what there is, which is said."""
    data.months("LAX", versions=MONTHS)
    data.months("SFO", versions=MONTHS[:2])
    found = data.find({"path": PATTERN}, "", "latest")
    assert [one.data.version for one in found.members if one.data] == ["2013-03", "2013-02"]
    assert found.version == "2013-03"
    assert found.notes == (
        "not of 2013-03, the latest of others, but of an earlier version is the data of SFO",
    )


def test_a_window_takes_what_each_has_of_it(data: Data) -> None:
    data.months("LAX", versions=MONTHS)
    data.months("SFO", versions=MONTHS[1:])
    found = data.find({"path": PATTERN}, "", "2013-01..2013-02")
    assert [len(one.data.blobs) for one in found.members if one.data] == [2, 1]
    assert found.notes == ("of 2013-01..2013-02 a part only is there for SFO",)


@pytest.mark.parametrize("version", ["2014-01", "2013-01..2014-01"])
def test_a_version_that_nobody_has_is_the_fleets_error(data: Data, version: str) -> None:
    data.months("LAX", versions=MONTHS)
    with pytest.raises(DataVersionNotFound, match="2014-01"):
        data.find({"path": PATTERN}, "", version)


@pytest.mark.parametrize(
    ("path", "blob"),
    [
        ("{member}/{version}/part-*.csv", "LAX/2013-01/part-7.csv"),
        ("by/{version}/{member}.csv", "by/2013-01/LAX.csv"),
        ("by/{version}/{member}/", "by/2013-01/LAX/x/y.csv"),
        ("one/{member}.csv", "one/LAX.csv"),
    ],
)
@pytest.mark.parametrize("version", ["2013-01", "latest"])
@pytest.mark.parametrize("list_them", [False, True])
def test_other_layouts(data: Data, path: str, blob: str, version: str, list_them: bool) -> None:
    """Versions above members, folders of parts, no versions at all; found or listed."""
    data.put(blob)
    data.put("by/2013-01")
    data.put("one/LAX.csv.bak")
    found = data.find({"path": path} | (named("LAX") if list_them else {}), "", version)
    assert [(one.name, one.data and one.data.blobs, one.problem) for one in found.members] == [
        ("LAX", (blob,), "")
    ]


def test_listed_members_use_the_fleets_path(data: Data) -> None:
    data.months("LAX", "SFO", "JFK")
    found = data.find(named("SFO", "LAX"))
    assert [one.name for one in found.members] == ["SFO", "LAX"]
    assert data.container.asked[0].startswith("list flights/")


def test_members_may_share_their_data(data: Data) -> None:
    """Where only parameters differ."""
    data.put("flights/2013-01.csv")
    listed = {"list": [{"name": "deep", "parameters": {"trees": 100}}, {"name": "flat", "probeRows": 0}]}
    deep, flat = data.find(listed, "flights/{version}.csv").members
    assert deep.data == flat.data is not None
    assert (deep.parameters, flat.parameters, deep.probe_rows, flat.probe_rows) == (
        {"trees": 100},
        {},
        None,
        0,
    )


def test_a_member_may_have_a_path_and_a_version_of_its_own(data: Data) -> None:
    """What is wrong with them is its own problem."""
    data.months("LAX", versions=MONTHS)
    data.put("other/SFO-1.csv")
    listed = [
        {"name": "LAX", "version": "2013-02"},
        {"name": "SFO", "path": "other/{member}-1.csv", "version": "1"},
        {"name": "own", "path": "other/SFO-{version}.csv", "version": "latest"},
        {"name": "S*O", "path": "other/{member}-1.csv"},
        {"name": "BOS", "version": "2014-07"},
        {"name": "JFK"},
        {"name": "odd", "path": "x/{member}*"},
    ]
    found = {one.name: one for one in data.find({"list": listed}).members}
    assert [one.data.blobs for one in found.values() if one.data] == [
        ("flights/LAX/2013-02.csv",),
        ("other/SFO-1.csv",),
        ("other/SFO-1.csv",),
    ]
    assert {name: one.problem for name, one in found.items() if one.problem} == {
        "S*O": "there is no blob like data/other/S*O-1.csv; upload it",
        "BOS": "there is no data version '2014-07' in data/flights/{member}/{version}.csv; there is: none; set the data "
        "version to one that exists, or upload data/flights/{member}/2014-07.csv",
        "JFK": "there is no data version '2013-01' in data/flights/{member}/{version}.csv; there is: none; set the data "
        "version to one that exists, or upload data/flights/{member}/2013-01.csv",
        "odd": "path: in 'x/{member}*' nobody can say where the name of a member ends; give {member} a folder or name "
        "of its own, as in flights/{member}/{version}.csv",
    }


def test_a_thousand_members_cost_one_listing(data: Data) -> None:
    """And ten thousand a listing of as many pages as they have; nothing is read of a blob with Content-MD5."""
    data.months(*(f"m{at}" for at in range(1_000)))
    found = data.find({"path": PATTERN})
    assert len(found.members) == 1_000
    assert not any(one.problem for one in found.members)
    assert data.container.asked == ["list flights/"]
    assert len(data.registry.asked) == 1
    assert data.container.read_blobs == []
    data.container.asked.clear()
    assert len(data.find(named(*(f"m{at}" for at in range(1_000)))).members) == 1_000
    own = {"list": [{"name": f"m{at}", "path": f"flights/m{at}/{{version}}.csv"} for at in range(1_000)]}
    assert {one.name: one.data for one in data.find(own).members} == {
        one.name: one.data for one in found.members
    }
    assert data.container.asked == ["list flights/"] * 2


def test_a_blob_whose_md5_is_anothers_is_its_members_problem(data: Data) -> None:
    """Found by the update, which reads the bytes once; a preview relies on it until then."""
    data.months("LAX", "SFO")
    data.container.put("flights/LAX/2013-01.csv", b"other bytes", md5_of=b"said")
    found = data.find({"path": PATTERN})
    problems = data.verify(*found.members)
    assert list(problems) == ["LAX"]
    assert problems["LAX"].startswith(
        "the Content-MD5 of data/flights/LAX/2013-01.csv is not that of its bytes; store"
    )
    assert list(data.problems({"path": PATTERN})) == ["LAX"]


def test_bytes_are_read_once(data: Data) -> None:
    """By the update that trains from them; what they are is in one record for all."""
    data.months("LAX", "SFO", "JFK")
    data.container.without_md5.add("flights/JFK/2013-01.csv")
    found = data.find({"path": PATTERN})
    assert data.container.read_blobs == ["flights/JFK/2013-01.csv"]
    assert data.verify(*found.members) == {}
    assert data.verify(found.members[0]) == {}
    assert data.find({"path": PATTERN}) == found
    assert sorted(data.container.read_blobs) == [
        "flights/JFK/2013-01.csv",
        "flights/JFK/2013-01.csv",
        "flights/LAX/2013-01.csv",
        "flights/SFO/2013-01.csv",
    ]
    assert len(data.registry.writes) == 1


def test_what_changed_since_it_was_planned_is_not_trained_from(data: Data) -> None:
    data.months("LAX", "SFO", "JFK")
    found = data.find({"path": PATTERN})
    data.put("flights/LAX/2013-01.csv", "a,b\n9,9\n")
    del data.container.blobs["flights/SFO/2013-01.csv"]
    problems = data.verify(*found.members)
    assert problems["LAX"].startswith(
        "the data version 2013-01 has changed since this update was planned; run"
    )
    assert problems["SFO"].startswith("the blob data/flights/SFO/2013-01.csv is gone; upload it again")
    assert set(problems) == {"LAX", "SFO"}


def test_bytes_that_change_under_their_md5_are_seen(data: Data) -> None:
    """With the ETags that they had, or with what an update has recorded."""
    data.months("LAX", "SFO")
    found = data.find({"path": PATTERN})
    etags = {name: etag for one in found.members for name, etag in one.etags.items()}
    content = data.container.blobs["flights/LAX/2013-01.csv"][0]
    data.container.put("flights/LAX/2013-01.csv", b"a,b\n7,7\n", md5_of=content)
    assert list(data.problems({"path": PATTERN}, before=etags)) == ["LAX"]
    assert data.problems({"path": PATTERN}) == {}


def test_what_was_verified_with_others_is_not_read_or_recorded_again(data: Data) -> None:
    """By no training run of the update: forty at once would all write one record."""
    for name in ("LAX", "SFO", "JFK"):
        data.put(f"one/{name}.csv")
    context = data.context
    found = data.find({"path": "one/{member}.csv"})
    assert data.verify(*found.members, context=context) == {}
    before = list(data.container.read_blobs), list(data.registry.writes), list(data.registry.asked)
    for one in found.members:
        assert one.data is not None
        snapshot = TrainingData(context, "local", one.data).snapshot()
        assert snapshot["etags"] == one.etags
    assert (data.container.read_blobs, data.registry.writes, data.registry.asked) == before


def test_what_was_verified_is_read_again_when_it_changes(data: Data) -> None:
    data.months("LAX")
    context = data.context
    [lax] = data.find({"path": PATTERN}).members
    assert data.verify(lax, context=context) == {}
    data.put("flights/LAX/2013-01.csv", "a,b\n9,9\n")
    assert list(data.verify(lax, context=context)) == ["LAX"]
    assert len(data.container.read_blobs) == 2


def test_few_listings_hold_all_that_is_asked_for() -> None:
    """One for several that begin alike, and of folders where there are too many."""
    shelf = Asked("data")
    Listing.of(shelf, ["a/", "a/b", "c"])
    assert shelf.asked == ["list a/", "list c"]
    shelf.asked.clear()
    Listing.of(shelf, [f"a/b/{at}" for at in range(9)] + ["c/"])
    assert shelf.asked == ["list a/b/", "list c/"]
    shelf.asked.clear()
    Listing.of(shelf, [f"{at}/x" for at in range(9)])
    assert shelf.asked == ["list "]


def test_a_blob_that_was_touched_since_is_the_same_data(data: Data) -> None:
    data.months("LAX")
    found = data.find({"path": PATTERN})
    data.months("LAX")
    assert data.verify(*found.members) == {}


@pytest.mark.parametrize("name", ["S*O", "a.b", "{version}"])
def test_a_name_is_itself_whatever_characters_it_has(data: Data, name: str) -> None:
    data.months(name, "SxO", "axb", "v")
    [found] = data.find(named(name)).members
    assert found.data is not None
    assert found.data.blobs == (f"flights/{name}/2013-01.csv",)
    assert data.container.asked == [f"list flights/{name}/"]
