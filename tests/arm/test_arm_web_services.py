"""What Resource Manager refuses of New web services, before anything begins."""

from __future__ import annotations

from typing import Any

import pytest

VERSION = "2017-01-01"
PREVIEW = "2016-05-01-preview"
SERVICE = "/resourceGroups/rg/providers/Microsoft.MachineLearning/webServices/s"


def ask(arm: Any, method: str, path: str, body: Any = None, **query: str) -> Any:
    """One call in the services' api-version."""
    return arm(method, path, body, **{"api-version": VERSION, **query})


@pytest.fixture
def body(arm: Any) -> dict[str, Any]:
    """A definition that would be taken."""
    arm.group()
    plan = "/resourceGroups/rg/providers/Microsoft.MachineLearning/commitmentPlans/plan"
    sent = {"location": "southcentralus", "sku": {"name": "S1"}}
    made = ask(arm, "PUT", plan, sent, **{"api-version": PREVIEW}).json()
    properties = {
        "packageType": "Graph",
        "storageAccount": {"name": "a", "key": "a2V5"},
        "commitmentPlan": {"id": made["id"]},
    }
    return {"location": "southcentralus", "properties": properties}


@pytest.mark.parametrize(
    ("change", "code", "target"),
    [
        ({"packageType": None}, "IncompleteSettings", "properties.packageType"),
        ({"packageType": "Code"}, "WebServiceTypeInvalid", "properties.packageType"),
        ({"storageAccount": None}, "IncompleteSettings", "properties.storageAccount.name"),
        ({"storageAccount": {"name": "a"}}, "IncompleteSettings", "properties.storageAccount.key"),
        ({"commitmentPlan": None}, "IncompleteSettings", "properties.commitmentPlan.id"),
        ({"commitmentPlan": {"id": "/nowhere"}}, "CommitmentPlanNotFound", "properties.commitmentPlan"),
        ({"keys": {"primary": "p"}}, "MissingKeys", "properties.keys.secondary"),
        ({"readOnly": "yes"}, "BadParameterValue", "properties.readOnly"),
        (
            {"realtimeConfiguration": {"maxConcurrentCalls": 3}},
            "WebServiceConcurrentRequestRequirementInvalid",
            "properties.realtimeConfiguration.maxConcurrentCalls",
        ),
        (
            {"realtimeConfiguration": {"maxConcurrentCalls": 201}},
            "WebServiceTooManyConcurrentRequestRequirement",
            "properties.realtimeConfiguration.maxConcurrentCalls",
        ),
        ({"diagnostics": {"level": "Some"}}, "BadParameterValue", "properties.diagnostics.level"),
        ({"assets": {"a": 1}}, "BadParameterValue", "properties.assets.a"),
        ({"assets": {"a": {"type": "Module"}}}, "IncompleteSettings", "properties.assets.a.name"),
        ({"assets": {"a": {"name": "n"}}}, "BadParameterValue", "properties.assets.a.type"),
        (
            {"assets": {"a": {"name": "n", "type": "Resource"}}},
            "IncompleteSettings",
            "properties.assets.a.locationInfo.uri",
        ),
        ({"package": []}, "RequestBodyInvalid", "properties.package"),
        ({"PackageType": "Graph"}, "RequestBodyInvalid", "properties.packageType"),
    ],
)
def test_definitions_that_are_refused(
    arm: Any, body: dict[str, Any], change: dict[str, Any], code: str, target: str
) -> None:
    """A definition that lacks what it needs, or has what cannot be: 400, with the member's name."""
    answer = ask(arm, "PUT", SERVICE, {**body, "properties": {**body["properties"], **change}})
    assert answer.status_code == 400, answer.text
    [detail] = answer.json()["error"]["details"]
    assert (detail["code"], detail["target"]) == (code, target)
    assert detail["message"]
    assert ask(arm, "GET", SERVICE).status_code == 404


def test_bodies_that_are_refused(arm: Any, body: dict[str, Any]) -> None:
    """No location, no properties, no JSON."""
    assert ask(arm, "PUT", SERVICE, {**body, "location": None}).json()["error"]["code"] == "LocationRequired"
    assert ask(arm, "PUT", SERVICE, {"location": "westeurope"}).status_code == 400
    headers = {"Authorization": f"Bearer {arm.cloud.arm_token}"}
    path = f"/subscriptions/{arm.cloud.subscription}{SERVICE}"
    for content, code in (
        (b"{", "InvalidRequestContent"),
        (b'{"a": NaN}', "InvalidRequestContent"),
        (b"[" * 100_000, "InvalidRequestContent"),
        (b'{"a": 1e999}', "InvalidRequestContent"),
        (b'{"a": "\\ud800"}', "InvalidRequestContent"),
        (b'{"a":' * 900 + b"1" + b"}" * 900, "InvalidRequestContent"),
    ):
        answer = arm.client.request(
            "PUT", path, params={"api-version": VERSION}, content=content, headers=headers
        )
        assert answer.status_code == 400
        assert answer.json()["error"]["code"] == code


def test_services_that_are_not_there(arm: Any) -> None:
    """404 in the provider's form for all but DELETE, which has nothing to do."""
    arm.group()
    for method, below, sent in (
        ("GET", "", None),
        ("GET", "/listKeys", None),
        ("PATCH", "", {"properties": {"packageType": "Graph"}}),
        ("POST", "/CreateRegionalBlob", None),
    ):
        answer = ask(arm, method, SERVICE + below, sent, region="westus")
        assert answer.status_code == 404
        error = answer.json()["error"]
        assert (error["code"], error["details"][0]["code"]) == ("NotFound", "WebServiceNotFound")
    assert ask(arm, "DELETE", SERVICE).status_code == 204
    assert ask(arm, "GET", "/providers/Microsoft.MachineLearning/webServices").json() == {"value": []}


def test_api_versions(arm: Any) -> None:
    """Two are answered, and regions are in the later one only."""
    arm.group()
    unknown = ask(arm, "GET", SERVICE, **{"api-version": "2020-01-01"})
    assert unknown.json()["error"]["code"] == "NoRegisteredProviderFound"
    regional = ask(arm, "POST", f"{SERVICE}/CreateRegionalBlob", **{"api-version": PREVIEW})
    assert regional.json()["error"]["code"] == "NoRegisteredProviderFound"


def test_the_providers_operations(arm: Any) -> None:
    """The provider lists what a role can allow, outside of any subscription."""
    answer = arm.raw("GET", "/providers/Microsoft.MachineLearning/operations", **{"api-version": VERSION})
    names = {one["name"] for one in answer.json()["value"]}
    assert "Microsoft.MachineLearning/webServices/write" in names
    assert all(set(one) == {"name", "display"} for one in answer.json()["value"])


def test_operations_that_are_unknown(arm: Any) -> None:
    """An operation that never was: 404."""
    place = "/providers/Microsoft.MachineLearning/locations/westeurope"
    for kind in ("operationsStatus", "operationresults"):
        assert ask(arm, "GET", f"{place}/{kind}/abc").status_code == 404


def test_lists_in_pages(arm: Any, body: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """A long list comes in pages, each with the address of the next."""
    monkeypatch.setattr("localcloud.arm.types.web_services._PAGE", 2)
    subscription = f"/subscriptions/{arm.cloud.subscription}"
    for number in range(5):
        service_id = f"{subscription}{SERVICE}{number}"
        properties = {**body["properties"], "provisioningState": "Succeeded", "createdOn": "", "keys": {}}
        document = {"id": service_id, "name": f"s{number}", "type": "Microsoft.MachineLearning/webServices"}
        more = {
            "location": "westus",
            "tags": {},
            "guid": str(number),
            "regions": [],
            "properties": properties,
        }
        arm.store.arm_put(service_id, {**document, **more})
    for path in (SERVICE.rpartition("/")[0], "/providers/Microsoft.MachineLearning/webServices"):
        names, page = [], ask(arm, "GET", path).json()
        while True:
            assert len(page["value"]) <= 2
            names += [one["name"] for one in page["value"]]
            if "nextLink" not in page:
                break
            headers = {"Authorization": f"Bearer {arm.cloud.arm_token}"}
            page = arm.client.request("GET", page["nextLink"], headers=headers).json()
        assert names == [f"s{number}" for number in range(5)]
