"""Commitment plans: what New web services are billed by."""

from __future__ import annotations

from typing import Any

VERSION = "2016-05-01-preview"
PLANS = "/resourceGroups/rg/providers/Microsoft.MachineLearning/commitmentPlans"
BODY: dict[str, Any] = {
    "location": "South Central US",
    "sku": {"name": "S1", "tier": "Standard", "capacity": 2},
}


def ask(arm: Any, method: str, path: str, body: Any = None, **query: str) -> Any:
    """One call in the plans' api-version."""
    return arm(method, path, body, **{"api-version": VERSION, **query})


def made(arm: Any, name: str = "plan", body: Any = None) -> Any:
    """A plan in the group."""
    arm.group()
    answer = ask(arm, "PUT", f"{PLANS}/{name}", body or BODY)
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_a_plan_has_what_its_sku_includes(arm: Any) -> None:
    """PUT answers 200 when it creates, with an etag and the quantities of the sku, by its capacity."""
    plan = made(arm)
    assert plan["etag"]
    assert plan["sku"] == {"capacity": 2, "name": "S1", "tier": "Standard"}
    included = plan["properties"]["includedQuantities"]
    assert included["machineLearningWebServiceTransactions"]["allowance"] == 200_000
    assert included["machineLearningWebServiceComputeHours"]["allowance"] == 50
    assert plan["properties"]["maxAssociationLimit"] == 10_000
    assert plan["tags"] == {}
    assert ask(arm, "GET", f"{PLANS}/plan").json() == plan
    assert ask(arm, "GET", PLANS).json() == {"value": [plan]}
    everywhere = "/providers/Microsoft.MachineLearning/commitmentPlans"
    assert ask(arm, "GET", everywhere).json() == {"value": [plan]}


def test_a_plan_is_put_again(arm: Any) -> None:
    """PUT of a plan that is there changes its sku and keeps its date of creation."""
    before = made(arm)
    after = made(arm, body=BODY | {"sku": BODY["sku"] | {"capacity": 1}})
    assert after["sku"]["capacity"] == 1
    assert after["properties"]["creationDate"] == before["properties"]["creationDate"]


def test_patch_takes_tags_and_sku(arm: Any) -> None:
    """PATCH changes tags and capacity, and nothing else but the etag."""
    before = made(arm)
    after = ask(arm, "PATCH", f"{PLANS}/plan", {"tags": {"a": "b"}, "sku": {"capacity": 3}}).json()
    assert after["tags"] == {"a": "b"}
    assert after["sku"] == {"capacity": 3, "name": "S1", "tier": "Standard"}
    assert after["properties"]["creationDate"] == before["properties"]["creationDate"]
    assert after["etag"] != before["etag"]


def test_refusals(arm: Any) -> None:
    """An unknown sku, too much capacity, a missing location: each says what it must be."""
    arm.group()
    for change, target in (
        ({"sku": {"name": "S9"}}, "sku.name"),
        ({"sku": {"name": "S1", "capacity": 11}}, "sku.capacity"),
        ({"location": None}, "location"),
    ):
        answer = ask(arm, "PUT", f"{PLANS}/plan", {**BODY, **change})
        assert answer.status_code == 400
        assert answer.json()["error"]["target"] == target


def test_the_api_version_is_the_plans_own(arm: Any) -> None:
    """Another api-version is refused by name."""
    made(arm)
    answer = arm("GET", f"{PLANS}/plan", **{"api-version": "2017-01-01"})
    assert answer.status_code == 400
    assert answer.json()["error"]["code"] == "NoRegisteredProviderFound"
    assert VERSION in answer.json()["error"]["message"]


def test_usage_and_skus(arm: Any) -> None:
    """Usage shows a period in which nothing was used; the catalogue has the skus and where they are."""
    made(arm)
    [usage] = ask(arm, "GET", f"{PLANS}/plan/usageHistory").json()["value"]
    assert usage["planUsageOverage"] == dict.fromkeys(usage["planQuantitiesAfterUsage"], 0)
    skus = ask(arm, "GET", "/providers/Microsoft.MachineLearning/skus").json()["value"]
    assert [sku["name"] for sku in skus] == ["S1", "S2", "S3"]
    assert ask(arm, "GET", f"{PLANS}/plan/commitmentAssociations").json() == {"value": []}


def test_delete(arm: Any) -> None:
    """200, then 204 and 404."""
    made(arm)
    assert ask(arm, "DELETE", f"{PLANS}/plan").status_code == 200
    assert ask(arm, "DELETE", f"{PLANS}/plan").status_code == 204
    assert ask(arm, "GET", f"{PLANS}/plan").status_code == 404
