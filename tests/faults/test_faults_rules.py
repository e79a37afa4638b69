"""Rules: what they accept, which requests they are for, and that they fire the same way again."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.applications import Starlette

from localcloud.facilities.errors import ApiError, BadArgument, on_api_error
from localcloud.faults.rules import KINDS, FaultRule, read_rule, read_rules
from localcloud.faults.state import Faults
from localcloud.server.faults_routes import routes


@pytest.mark.parametrize(
    ("rule", "field"),
    [
        ("drop", ""),
        ({}, ".kind"),
        ({"kind": "flood"}, ".kind"),
        ({"kind": ["drop"]}, ".kind"),
        ({"kind": "drop", "sevice": "blob"}, ".sevice"),
        ({"kind": "drop", "service": "arm"}, ".service"),
        ({"kind": "lost-job", "service": "blob"}, ".service"),
        ({"kind": "drop", "method": "PO ST"}, ".method"),
        ({"kind": "drop", "path": ""}, ".path"),
        ({"kind": "drop", "path": 1}, ".path"),
        ({"kind": "drop", "count": 0}, ".count"),
        ({"kind": "drop", "count": True}, ".count"),
        ({"kind": "drop", "after": -1}, ".after"),
        ({"kind": "drop", "after": 1.5}, ".after"),
        ({"kind": "drop", "probability": 1.01}, ".probability"),
        ({"kind": "drop", "probability": float("nan")}, ".probability"),
        ({"kind": "drop", "when": "during"}, ".when"),
        ({"kind": "drop", "seconds": 1}, ".seconds"),
        ({"kind": "truncate", "when": "before"}, ".when"),
        ({"kind": "latency"}, ".seconds"),
        ({"kind": "latency", "seconds": "1"}, ".seconds"),
        ({"kind": "latency", "seconds": float("inf")}, ".seconds"),
        ({"kind": "rolled-back"}, ".seconds"),
        ({"kind": "status"}, ".status"),
        ({"kind": "status", "status": 404}, ".status"),
        ({"kind": "status", "status": 503, "retryAfter": 0.5}, ".retryAfter"),
        ({"kind": "drop", "retryAfter": 1}, ".retryAfter"),
    ],
)
def test_a_rule_that_says_nothing_is_refused_by_its_field(rule: Any, field: str) -> None:
    """The error's target is the field, and its message says what it may be."""
    with pytest.raises(BadArgument) as refused:
        read_rules({"seed": 1, "rules": [{"kind": "drop"}, rule]})
    assert refused.value.details[0].target == f"rules[1]{field}"
    assert refused.value.details[0].message.startswith(f"rules[1]{field}: ")


@pytest.mark.parametrize(
    ("body", "field"),
    [({}, "rules"), ({"rules": {}}, "rules"), ({"rules": [], "seed": "1"}, "seed"), ({"rule": []}, "rule")],
)
def test_a_body_without_rules_is_refused(body: dict[str, Any], field: str) -> None:
    """Rules are a list, the seed is a whole number, and there is nothing else."""
    with pytest.raises(BadArgument) as refused:
        read_rules(body)
    assert refused.value.details[0].target == field


@pytest.mark.parametrize("kind", KINDS)
def test_a_rule_is_read_as_it_is_written(kind: str) -> None:
    """What GET shows of a rule could be PUT again, nulls included."""
    needed = {"latency": {"seconds": 2}, "status": {"status": 429}, "rolled-back": {"seconds": 0.5}}
    rule = read_rule({"kind": kind, "method": "patch", "path": None, "count": 2, **needed.get(kind, {})})
    assert rule.method == "PATCH"
    assert read_rule(rule.to_json()) == rule


def test_a_rule_is_for_the_requests_it_names() -> None:
    """Service, method and a glob over the whole path, whatever its case; null is any."""
    rule = FaultRule("drop", service="studio", method="POST", path="/workspaces/*/jobs")
    assert rule.matches("studio", "POST", "/workspaces/w/services/e/jobs")
    assert rule.matches("studio", "post", "/Workspaces/w/services/e/JOBS")
    assert not rule.matches("studio", "POST", "/workspaces/w/services/e/jobs/1/start")
    assert not rule.matches("blob", "POST", "/workspaces/w/jobs")
    assert not rule.matches("studio", "GET", "/workspaces/w/jobs")
    assert FaultRule("drop").matches("blob", "PUT", "/account/container/blob")


def hits(faults: Faults, targets: list[str]) -> list[str]:
    """The targets whose requests are dropped."""

    async def all_of_them() -> list[str]:
        return [target for target in targets if (await faults.meet("studio", "GET", target)).settles]

    return asyncio.run(all_of_them())


def test_after_and_count_bound_where_a_rule_fires() -> None:
    """The first `after` requests pass, then `count` fire, and no more; the query takes no part."""
    faults = Faults()
    faults.replace(0, [FaultRule("drop", path="/a*", after=2, count=3)])
    assert hits(faults, [f"/a{n}?b" for n in range(9)]) == ["/a2?b", "/a3?b", "/a4?b"]
    assert faults.to_json()["rules"][0] | {"matched": 9, "fired": 3} == faults.to_json()["rules"][0]


@given(
    seed=st.integers(),
    probability=st.floats(0, 1),
    others=st.lists(st.integers(0, 3), min_size=20, max_size=20),
)
def test_the_same_seed_gives_the_same_faults(seed: int, probability: float, others: list[int]) -> None:
    """Whatever other requests come between those that a rule matches."""
    rules = [
        FaultRule("drop", path="/other/*", probability=0.5),
        FaultRule("drop", path="/a*", probability=probability),
    ]
    alone, among = Faults(), Faults()
    alone.replace(seed, rules)
    among.replace(seed, rules)
    targets = [f"/a{n}" for n in range(20)]
    mixed = [each for n, target in enumerate(targets) for each in (*["/other/x"] * others[n], target)]
    assert hits(alone, targets) == [each for each in hits(among, mixed) if each != "/other/x"]


def test_another_seed_gives_other_faults() -> None:
    """Of 200 requests at one half, two seeds drop about half each, and not the same ones."""
    found = []
    for seed in (1, 2):
        faults = Faults()
        faults.replace(seed, [FaultRule("drop", probability=0.5)])
        found.append(hits(faults, [f"/{n}" for n in range(200)]))
    assert found[0] != found[1]
    assert all(60 < len(each) < 140 for each in found)


def test_delays_add_up_and_the_first_settling_rule_is_the_last_asked() -> None:
    """Two delays and a status: later rules don't count a request that was settled before them."""
    waited: list[float] = []

    async def pause(seconds: float) -> None:
        waited.append(seconds)

    faults = Faults(pause=pause)
    rules = [
        FaultRule("latency", seconds=2),
        FaultRule("latency", seconds=0.5),
        FaultRule("status", status=503),
        FaultRule("drop"),
    ]
    faults.replace(0, rules)
    met = asyncio.run(faults.meet("blob", "PUT", "/account/c/b?comp=block"))
    assert waited == [2.5]
    assert met.kinds == ("latency", "status")
    assert met.settles == rules[2]
    assert not met.carried_out
    assert [rule["matched"] for rule in faults.to_json()["rules"]] == [1, 1, 1, 0]


class Host:
    """A local cloud that is nothing but its faults."""

    def __init__(self, *, allowed: bool) -> None:
        self.faults = Faults(allowed=allowed)


def ask(host: Host, method: str, body: Any = None) -> httpx.Response:
    """One call of the API of faults."""
    app = Starlette(routes=routes(), exception_handlers={ApiError: on_api_error})
    app.state.works = host

    async def call() -> httpx.Response:
        async with httpx.AsyncClient(
            transport=httpx.ASGITransport(app), base_url="http://studio.test"
        ) as http:
            return await http.request(method, "/_local/faults", json=body)

    return asyncio.run(call())


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
def test_a_studio_started_without_them_refuses_faults(method: str) -> None:
    """403 with the reason and how to get them, whatever is asked, and no rule comes in force."""
    host = Host(allowed=False)
    answer = ask(host, method, {"rules": [{"kind": "drop"}]})
    assert answer.status_code == 403
    error = answer.json()["error"]
    assert error["code"] == "Forbidden"
    assert error["details"][0]["code"] == "FaultsNotAllowed"
    assert "./dev cloud start --allow-faults" in error["details"][0]["message"]
    assert hits(host.faults, ["/a"]) == []


def test_rules_replace_each_other_and_a_refused_set_changes_nothing() -> None:
    """PUT answers as GET does, with counters at zero; a wrong rule leaves the others in force."""
    host = Host(allowed=True)
    shown = ask(host, "PUT", {"seed": 7, "rules": [{"kind": "drop", "path": "/a"}]}).json()
    assert shown == ask(host, "GET").json()
    assert (shown["seed"], shown["rules"][0]["path"], shown["rules"][0]["fired"]) == (7, "/a", 0)
    assert hits(host.faults, ["/a"]) == ["/a"]
    refused = ask(host, "PUT", {"rules": [{"kind": "drop", "count": "2"}]})
    assert refused.status_code == 400
    assert refused.json()["error"]["details"][0]["target"] == "rules[0].count"
    assert (
        ask(host, "GET").json()["rules"][0] | {"matched": 1, "fired": 1}
        == ask(host, "GET").json()["rules"][0]
    )
    assert ask(host, "PUT", {"rules": []}).json() == {"seed": 0, "rules": [], "later": 0}
