"""What clients send, at its worst: every route of the local cloud, in one process, is asked what nobody should send."""

from __future__ import annotations

import copy
import json
from collections.abc import AsyncIterator, Iterator
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from localcloud.arm.types import OPERATIONS
from localcloud.facilities import bodies
from tests.studio.every_route import WORKSPACE, House
from tests.studio.inside import CLOUD, opened

DEEP = "[" * 100_000
WORST = [
    DEEP.encode(),
    b'{"a":' * 5000 + b"1" + b"}" * 5000,
    b'{"month": 1' + b"0" * 400 + b"}",
    b'{"month": 1' + b"0" * 5000 + b"}",
    b'{"a": 1e400}',
    b'{"a": "\\ud800"}',
    b'{"\\udfff": 1}',
    b'"\xed\xa0\x80"',
    b"\xff\xfe{\x00}\x00",
    b"[]",
    b"null",
    b"1",
    b"{",
    b"",
]
NASTY: list[Any] = [
    None,
    True,
    0,
    -1,
    1.5,
    2**63,
    2**64,
    10**30,
    10**400,
    1e308,
    float("nan"),
    float("inf"),
    "",
    " ",
    "\x00",
    "\ud800",
    "\U0001f600",
    "x" * 200_000,
    "http://[",
    "http://]/x",
    "http://127.0.0.1:99999/",
    "https://",
    "?se=99999-99-99",
    "?se=2020-01-01T00:00:00",
    "AccountName=;AccountKey",
    "AccountName=a;AccountKey=%%%;BlobEndpoint=http://[",
    "../../x",
    "{0}",
    "%s",
    [],
    {},
    [[]],
    [None],
    {"": None},
    {"a": {"b": [1, "\udc00"]}},
    [1] * 1000,
]


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """The house, once."""
    with opened(tmp_path_factory.mktemp("house"), allow_faults=True) as inside:
        yield House(inside)


def spots(value: Any, so_far: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """All places in a document."""
    yield so_far
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, one in inner:
        yield from spots(one, (*so_far, key))


def put(value: Any, spot: tuple[Any, ...], what: Any, *, name: bool) -> Any:
    """The document with something else at a place, or under another name."""
    if not spot:
        return what
    changed = copy.deepcopy(value)
    holder = changed
    for key in spot[:-1]:
        holder = holder[key]
    if name and isinstance(holder, dict):
        holder[what if isinstance(what, str) else json.dumps(what)] = holder.pop(spot[-1])
    else:
        holder[spot[-1]] = what
    return changed


def refused_well(answer: Any, said: str) -> None:
    """No answer is one of a server that did not know what to do, and each error says what is wrong, in bounds."""
    assert answer.status_code < 500, f"{said}: {answer.status_code} {answer.text[:300]}"
    if answer.status_code >= 400 and answer.content:
        assert len(answer.content) < 10_000, f"{said}: an error of {len(answer.content)} bytes"


def test_every_route_refuses_the_worst_bodies(house: House) -> None:
    """Depth, surrogates, numbers, encodings: each route of each API answers, and not with 500."""
    for method, path, key, _ in house.with_bodies():
        for number, content in enumerate(WORST):
            answer = house.inside(method, path, key, content=content)
            refused_well(answer, f"{method} {path} with body {number}")
    house.inside.works.faults.stop()


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_no_route_fails_on_one_wrong_value(house: House, data: st.DataObject) -> None:
    """A good call of any route with one value or name replaced, anywhere in it, is answered, and not with 500."""
    method, path, key, body = data.draw(st.sampled_from(house.with_bodies()))
    spot = data.draw(st.sampled_from(list(spots(body))))
    house.settle()
    worse = put(body, spot, data.draw(st.sampled_from(NASTY)), name=data.draw(st.booleans()))
    answer = house.inside(method, path, key, content=json.dumps(worse).encode())
    refused_well(answer, f"{method} {path} with {json.dumps(worse)[:500]}")
    house.inside.works.faults.stop()


@pytest.mark.parametrize(
    ("content", "place"),
    [
        (b'{"Inputs": {"input1": [{"area": 1' + b"0" * 400 + b"}]}}", "Inputs.input1[0].area"),
        (b'{"Inputs": {"input1": [{"area": 1e999}]}}', "Inputs.input1[0].area"),
        (b'{"Inputs": {"input1": [{"area": "\\ud800"}]}}', "Inputs.input1[0].area"),
        (b'{"Inputs": {"input1": [{"\\ud800": 1}]}}', "Inputs.input1[0]"),
        (b'{"Inputs": \n{"input1": [}', "line 2, column 13"),
        (b'{"Inputs": "\xff"}', "byte 12"),
        (DEEP.encode(), "deeper than"),
    ],
)
def test_the_place_is_named(house: House, content: bytes, place: str) -> None:
    """A body that cannot be read is refused with the place of what is wrong, by Studio and Resource Manager alike."""
    scoring = house.services["scoring"][1]
    answer = house.inside(
        "POST",
        f"/workspaces/{WORKSPACE}/services/{scoring.id}/execute?api-version=2.0",
        scoring.primary_key,
        content=content,
    )
    assert answer.status_code == 400
    assert place in answer.text
    managed = f"/subscriptions/{CLOUD.subscription}/resourceGroups/other?api-version=2021-04-01"
    answer = house.inside("PUT", managed, CLOUD.arm_token, content=content)
    assert answer.status_code == 400
    assert place in answer.text


def test_pairs_of_surrogates_are_characters(house: House) -> None:
    """What is beyond the basic plane is kept, however it was written."""
    managed = f"/subscriptions/{CLOUD.subscription}/resourceGroups/other?api-version=2021-04-01"
    content = b'{"location": "westeurope", "tags": {"a": "\\ud83d\\ude00", "long": "' + b"1" * 400 + b'"}}'
    answer = house.inside("PUT", managed, CLOUD.arm_token, content=content)
    assert answer.json()["tags"] == {"a": "\U0001f600", "long": "1" * 400}


def test_nothing_is_read_for_somebody_who_may_not_call(house: House) -> None:
    """Without a key no route takes a byte of the body, except those whose body is the credential, and these are bounded."""

    async def endless() -> AsyncIterator[bytes]:
        nonlocal taken
        while True:
            taken += 1
            yield b"x" * 1_000_000

    for method, path, _, _ in house.calls():
        taken = 0
        if method in ("PUT", "POST", "PATCH", "DELETE") and "/_local/" not in path:
            answer = house.inside(method, path, content=endless())
            assert answer.status_code in (401, 404, 413), f"{method} {path}: {answer.status_code}"
            assert taken <= (1 if "oauth2" in path else 0), f"{method} {path} read {taken} parts"


def test_a_body_is_bounded(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """More bytes than are read: 413, whether or not the length was declared."""
    monkeypatch.setattr(bodies.read_body, "__defaults__", (1000,))

    async def parts() -> AsyncIterator[bytes]:
        for _ in range(3):
            yield b" " * 500

    for method, path, key, _ in house.with_bodies():
        if method == "PUT":
            for content in (b" " * 1001, parts()):
                answer = house.inside(method, path, key, content=content)
                assert answer.status_code in (400, 413), f"{method} {path}: {answer.status_code}"


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:80", "127.0.0.1.evil.example", "[::2]", "10.0.0.1", "["]
)
def test_other_hosts_are_refused(house: House, host: str) -> None:
    """A call by a name that is not the local cloud's is refused on every route, and does nothing."""
    for method, path, key, body in house.calls():
        answer = house.inside(method, path, key, json=body, headers={"Host": host})
        assert answer.status_code == 400, f"{method} {path}"
        assert method == "HEAD" or "InvalidHost" in answer.text


@pytest.mark.parametrize(
    "host", ["localhost:1", "LOCALHOST", "127.0.0.1", "127.9.9.9:80", "[::1]:80", "a.localhost"]
)
def test_this_machine_has_several_names(house: House, host: str) -> None:
    """Whatever leads to loopback is a name of the local cloud."""
    assert house.inside("GET", "/_local/journal", headers={"Host": host}).status_code == 200


def test_every_create_is_asked_twice(house: House) -> None:
    """Each type can be put again as it is: the answer is the same but for what the service counts up."""
    creates = house.creates()
    puts = {one.path for one in OPERATIONS if one.method == "PUT"}
    known = {path for path in puts if any(f"/{kind}/" in path for kind in creates)}
    others = puts - known - {"/subscriptions/{subscription}/resourceGroups/{group}"}
    assert not others, "a type without an example here"
    group = ("/resourceGroups/twice", "2021-04-01", {"location": "westeurope", "tags": {"a": "b"}})
    expected = {"group": (201, 200), "Microsoft.MachineLearning/webServices": (201, 200)}
    for kind, (path, version, body) in {"group": group, **creates}.items():
        path = path.removesuffix("/one") + "/twice" if path.endswith("/one") else path
        answers = []
        for _ in range(2):
            answers.append(house.arm("PUT", path, body, version))
            house.settle()
        assert tuple(one.status_code for one in answers) == expected.get(kind, (200, 200)), kind
        first, second = (
            {name: one for name, one in answer.json().items() if name != "etag"} for answer in answers
        )
        assert (first["id"], first["location"]) == (second["id"], second["location"]), kind
        if kind != "Microsoft.MachineLearning/webServices":
            assert first == second, kind
        changed = {**body, "tags": {"c": "d"}}
        if kind.endswith("commitmentPlans"):
            changed["sku"] = {"name": "S2", "capacity": 2}
        assert house.arm("PUT", path, changed, version).status_code == 200, kind
        house.settle()
        assert house.arm("GET", path, None, version).json()["tags"] == {"c": "d"}, kind


def test_every_type_has_its_regions(house: House) -> None:
    """Nothing is created on Mars, nor where its type is not; what the provider lists is what it takes."""
    providers = house.arm("GET", "/providers", None, "2021-04-01").json()["value"]
    listed = {
        f"{one['namespace']}/{kind['resourceType']}": kind["locations"]
        for one in providers
        for kind in one["resourceTypes"]
    }
    for kind, (path, version, body) in house.creates().items():
        assert "West Europe" in listed[kind]
        for location in ("Mars", *(["North Europe"] if "Learning" in kind else [])):
            fresh = path.removesuffix("/one") + "/fresh"
            error = house.arm("PUT", fresh, {**body, "location": location}, version).json()["error"]
            assert error["code"] == "LocationNotAvailableForResourceType", kind
            assert "westeurope" in error["message"]
            assert house.arm("GET", fresh, None, version).status_code == 404
    assert "East Asia" in listed["Microsoft.Storage/storageAccounts"]


def test_a_service_is_where_its_plan_is(house: House) -> None:
    """A New web service in one region and its plan in another are refused, with both named."""
    path, version, body = house.creates()["Microsoft.MachineLearning/webServices"]
    fresh = path.removesuffix("/one") + "/elsewhere"
    answer = house.arm("PUT", fresh, {**body, "location": "South Central US"}, version)
    assert answer.status_code == 400
    assert "westeurope" in answer.text
    assert "southcentralus" in answer.text
    assert house.arm("GET", fresh, None, version).status_code == 404


def test_numbers_of_numpy_are_doubles() -> None:
    """The bound of a number is that of a double."""
    largest = str(int(np.finfo(float).max))
    assert bodies.parse_json(largest.encode()) == int(largest)
    with pytest.raises(bodies.UnreadableBody):
        bodies.parse_json(b"1" + b"0" * 309)
