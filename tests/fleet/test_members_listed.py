"""Members that a program or a file lists: what is wrong with one is its problem, what is wrong with the list is the fleet's."""

from __future__ import annotations

import json
import string
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clients.errors import ConfigurationError
from retrain_hooks.fleet.members import file, sources
from retrain_hooks.fleet.members.inputs import MembersInputs
from retrain_hooks.fleet.members.names import endpoint_of, wrong_endpoint
from retrain_hooks.fleet.members.pattern import Pattern
from tests.fleet.members import PATTERN, Data, named

CSV = """name,path,version,endpoint,formerly,probeRows,gate.rules,gate.minimumRows,gate.approval,parameters.trees
LAX,,2013-01,losangeles,,10,auc >= 0.6; accuracy >= champion - 0.01,20,true,50
SFO,flights/LAX/{version}.csv,,,Frisco,,,,,
"""
ENTRIES = [
    {
        "name": "LAX",
        "version": "2013-01",
        "endpoint": "losangeles",
        "probeRows": 10,
        "gate": {
            "rules": ["auc >= 0.6", "accuracy >= champion - 0.01"],
            "minimumRows": "20",
            "approval": True,
        },
        "parameters": {"trees": "50"},
    },
    {"name": "SFO", "path": "flights/LAX/{version}.csv", "formerly": "Frisco"},
]


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Data:
    monkeypatch.chdir(tmp_path)
    found = Data()
    found.months("LAX", "SFO", "lax", "BOS")
    return found


def write(name: str, content: str | bytes) -> dict[str, str]:
    Path(name).write_bytes(content.encode() if isinstance(content, str) else content)
    return {"file": name}


def test_a_file_says_what_a_list_says(data: Data) -> None:
    """In CSV, in JSON, in the program."""
    listed = data.find({"list": ENTRIES})
    assert [one.problem for one in listed.members] == ["", ""]
    assert listed.members[0].gate == ENTRIES[0]["gate"]
    assert listed.members[1].formerly == "Frisco"
    assert data.find(write("m.csv", CSV)) == listed
    assert data.find(write("m.json", json.dumps(ENTRIES))) == listed
    assert data.find(write("m.tsv", CSV.replace(",", "\t"))) == listed


def test_a_bare_name_is_a_member(data: Data) -> None:
    assert [one.name for one in data.find(write("m.json", '["LAX", {"name": "SFO"}]')).members] == [
        "LAX",
        "SFO",
    ]


@pytest.mark.parametrize(
    ("entry", "problem"),
    [
        ({"name": ""}, "it has no name; give it one"),
        ({"path": "x"}, "it has no name; give it one"),
        ({"name": "a/b"}, "its name 'a/b' has a slash in it; give it one without"),
        (
            {"name": "a\x1b[1m"},
            "its name 'a\\x1b[1m' has characters that nobody sees; give it one without them",
        ),
        ({"name": "x" * 201}, "its name has 201 characters; give it one of 200 at most"),
        ({"name": "BOS", "endpiont": "x"}, "there is no endpiont; write endpoint"),
        ({"name": "BOS", "gate": {"rule": []}}, "there is no gate.rule; write gate.rules"),
        ({"name": "BOS", "gate": {"rules": ["auc > much"]}}, "gateRules"),
        ({"name": "BOS", "gate": {"minimumRows": -1}}, "gateMinimumRows: -1 is less than 0 rows"),
        ({"name": "BOS", "endpoint": "Los-Angeles"}, "'Los-Angeles' is not a name for an endpoint"),
        ({"name": "BOS", "endpoint": "default"}, "endpoint `default` cannot be re-bound"),
        ({"name": "BOS", "probeRows": "many"}, "probeRows: 'many' is not a whole number"),
        ({"name": "BOS", "parameters": 3}, "parameters: 3 has no properties"),
        ({"name": "OAK"}, "there is no blob like data/flights/OAK/{version}.csv; upload it"),
        (
            {"name": "BOS", "formerly": "LAX"},
            "it says that it was LAX, which is a member still; leave out `formerly`",
        ),
    ],
)
def test_what_is_wrong_with_a_member_is_its_own_problem(
    data: Data, entry: dict[str, Any], problem: str
) -> None:
    """One line, and the other one is as it was."""
    lax, other = data.find({"list": [{"name": "LAX"}, entry]}).members
    assert problem in other.problem
    assert "\n" not in other.problem
    assert other.data is None or "formerly" in entry
    assert lax == data.find(named("LAX")).members[0]


def test_who_it_is_stays_known_whatever_is_wrong(data: Data) -> None:
    """So that nothing is taken from it."""
    [one] = data.find(
        {"list": [{"name": "BOS", "formerly": "Boston", "endpoint": "logan", "probeRows": "x"}]}
    ).members
    assert (one.name, one.formerly, one.endpoint) == ("BOS", "Boston", "logan")


def test_an_entry_that_is_none(data: Data) -> None:
    assert data.problems(write("m.json", '["LAX", 3]')) == {
        "": "3 is neither a name nor an object; write a name, or name: …"
    }


@pytest.mark.parametrize(
    ("entries", "problem"),
    [
        (named("LAX", "LAX"), "there are 2 members of this name; give each a name of its own"),
        (named("LAX", "lax"), "a service cannot tell the names LAX, lax apart"),
        (named("BOS", " bos "), "a service cannot tell the names  bos , BOS apart"),
        (named("BOS", "LAX", endpoint="here"), "the members BOS, LAX would have one endpoint, here"),
        (named("BOS", "LAX", formerly="OAK"), "the members BOS, LAX both say that they were OAK"),
    ],
)
def test_members_that_are_not_told_apart(data: Data, entries: dict[str, Any], problem: str) -> None:
    """A problem of both; the third goes on."""
    entries["list"].append({"name": "SFO"})
    one, other, third = data.find(entries).members
    assert problem in one.problem
    assert problem in other.problem
    assert third.problem == ""


def test_names_found_in_the_data_that_are_not_told_apart(data: Data) -> None:
    assert set(data.problems({"path": PATTERN})) == {"LAX", "lax"}


def test_blank_data_is_none(data: Data) -> None:
    data.put("flights/OAK/2013-01.csv", "")
    assert data.problems(named("OAK", "LAX")) == {
        "OAK": "its data is empty: flights/OAK/2013-01.csv; upload it again",
    }


@pytest.mark.parametrize(
    ("name", "endpoint"),
    [
        ("LAX", "lax"),
        ("shop7", "shop7"),
        ("Los Angeles", "losangeles"),
        ("漢字", ""),
        ("x" * 30, "x" * 18),
        ("default", "default"),
    ],
)
def test_endpoints_are_made_of_names(name: str, endpoint: str) -> None:
    """The plain form where it is all of the name, else with six digits of a hash."""
    found = endpoint_of(name)
    assert found == endpoint if len(found) == len(endpoint) else found[:-6] == endpoint
    assert found != "default"


@given(st.lists(st.text(string.ascii_letters + " -.é", min_size=1, max_size=4), min_size=2, max_size=2))
def test_endpoints_of_different_names_are_different(names: list[str]) -> None:
    """And each is one that a service takes."""
    one, other = names
    assert not wrong_endpoint(endpoint_of(one))
    same = " ".join(one.casefold().split()) == " ".join(other.casefold().split())
    assert (endpoint_of(one) == endpoint_of(other)) is same


@pytest.mark.parametrize(
    "change", ["member", "version", "parameters", "data", "gate", "endpoint", "problem", "formerly"]
)
def test_the_digest_changes_with_each_of_it(data: Data, change: str) -> None:
    entry: dict[str, Any] = {"name": "SFO"}
    before = data.find({"list": [entry]}).digest
    more: dict[str, Any] = {
        "parameters": {"parameters": {"trees": 1}},
        "gate": {"gate": {"minimumRows": 3}},
        "endpoint": {"endpoint": "other"},
        "formerly": {"formerly": "OAK"},
        "problem": {"gate": {"minimumRows": -1}},
    }
    version = "2013-01"
    if change in more:
        entry |= more[change]
    elif change == "version":
        data.months("SFO", versions=("2013-02",))
        version = "2013-02"
    elif change == "data":
        data.put("flights/SFO/2013-01.csv", "a,b\n9,9\n")
    entries = [entry, {"name": "LAX"}] if change == "member" else [entry]
    assert data.find({"list": entries}, version=version).digest != before


def test_the_digest_stays_where_the_same_bytes_are_stored_anew(data: Data) -> None:
    before = data.find(named("SFO"))
    data.months("SFO")
    after = data.find(named("SFO"))
    assert after.digest == before.digest
    assert after.members[0].etags != before.members[0].etags


# What is wrong with all of it, and its remedy.


@pytest.mark.heals("give the path of a file in the project's folder")
def test_a_file_that_is_not_there(data: Data, remedy) -> None:
    error = remedy.fails(lambda: data.find({"file": "m.csv"}))
    assert error.cause == "there is no file m.csv"
    assert data.find(write("m.csv", CSV)).members


@pytest.mark.heals("let it be read, or {}")
def test_a_file_that_cannot_be_read(data: Data, remedy) -> None:
    Path("m.csv").mkdir()
    remedy.fails(lambda: data.find({"file": "m.csv"}))
    assert data.find(write("other.csv", CSV)).members


@pytest.mark.heals("list the members alone in it")
def test_a_file_that_is_much_too_large(data: Data, remedy, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(file, "_MOST_BYTES", 2**20)
    remedy.fails(lambda: data.find(write("m.csv", CSV + " " * 2**20)))
    assert data.find(write("m.csv", CSV)).members


@pytest.mark.heals("call it {}, or leave it out")
@pytest.mark.parametrize(
    ("column", "meant"),
    [("Endpoint name", "endpoint"), ("gate.rule", "gate.rules"), ("parameter.x", "parameters.<name>")],
)
def test_a_column_that_says_nothing_of_a_member(data: Data, remedy, column: str, meant: str) -> None:
    """The key that is meant is named."""
    error = remedy.fails(lambda: data.find(write("m.csv", f"name,{column}\nLAX,\n")))
    assert error.remedy.startswith(f"call it {meant},")
    assert data.find(write("m.csv", f"name,{meant}\nLAX,\n")).members


@pytest.mark.heals("correct line {} of {}")
def test_json_that_is_none(data: Data, remedy) -> None:
    error = remedy.fails(lambda: data.find(write("m.json", '[\n"LAX",\n}')))
    assert error.cause.startswith("m.json: line 3 is not JSON")
    assert data.find(write("m.json", '[\n"LAX"\n]')).members


@pytest.mark.heals("write {} in UTF-8, as a list")
@pytest.mark.parametrize("content", [b"\xff[]", b"[" * 100_000])
def test_json_that_nobody_reads(data: Data, remedy, content: bytes) -> None:
    remedy.fails(lambda: data.find(write("m.json", content)))
    assert data.find(write("m.json", '["LAX"]')).members


@pytest.mark.heals('write a list of members: [{"name": "LAX"}, {"name": "SFO"}]')
def test_json_that_is_no_list(data: Data, remedy) -> None:
    remedy.fails(lambda: data.find(write("m.json", '{"members": []}')))
    assert data.find(write("m.json", '[{"name": "LAX"}, {"name": "SFO"}]')).members


def test_csv_that_is_malformed_names_its_line(data: Data) -> None:
    with pytest.raises(ConfigurationError, match=r"m.csv: line 2 has 2 values, and the table has 1 column"):
        data.find(write("m.csv", "name\nLAX,1\n"))


@pytest.mark.heals("name one at least")
@pytest.mark.parametrize("members", [{"list": []}, {"file": "none.json"}, {"file": "none.csv"}])
def test_no_members_in_a_list(data: Data, remedy, members: dict[str, Any]) -> None:
    write("none.json", "[]")
    write("none.csv", "name\n")
    remedy.fails(lambda: data.find(members))
    assert data.find(named("LAX")).members


@pytest.mark.heals("upload the data, or correct the path")
@pytest.mark.parametrize("members", [{"path": "trains/{member}.csv"}, {"column": "dest"}])
def test_no_members_in_the_data(data: Data, remedy, members: dict[str, Any]) -> None:
    remedy.fails(lambda: data.find(members, "trains.csv"))
    data.put("trains.csv", "dest\nLAX\n")
    data.put("trains/LAX.csv")
    assert [one.name for one in data.find(members, "trains.csv").members] == ["LAX"]


@pytest.mark.heals("make several fleets of them")
def test_more_members_than_a_fleet_has(data: Data, remedy, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sources, "MOST", 3)
    remedy.fails(lambda: data.find({"path": PATTERN}))
    assert len(data.find(named("BOS", "LAX")).members) == 2


@pytest.mark.heals("give one of the two")
@pytest.mark.heals("give one of list, file, path (a pattern) or column (of one table)")
@pytest.mark.heals("name the column whose rows it counts, or leave it out")
@pytest.mark.heals("write it like sales/{member}/{version}.csv", at="retrain_hooks/fleet/members/inputs.py")
def test_inputs_that_are_no_answer(remedy) -> None:
    for wrong in (
        {"list": [], "file": "m.csv"},
        {"path": PATTERN, "column": "dest"},
        {},
        {"path": PATTERN, "minimumRows": 3},
        {"path": "flights/{version}.csv"},
    ):
        remedy.fails(lambda wrong=wrong: MembersInputs.parse(wrong))
    for right in ({"file": "m.csv"}, {"path": PATTERN}, {"column": "dest", "minimumRows": 3}):
        MembersInputs.parse(right)


@pytest.mark.heals("give {} a folder or name of its own, as in flights/{}/{}.csv")
@pytest.mark.heals("write each of {} and {} once at most")
def test_patterns_that_can_be_read_in_two_ways(remedy) -> None:
    for wrong in ("{member}-{version}.csv", "x/{member}*", "{version}/{version}/{member}"):
        remedy.fails(lambda wrong=wrong: Pattern.parse(wrong))
    assert Pattern.parse("flights/{member}/{version}.csv").beginning == "flights/"
