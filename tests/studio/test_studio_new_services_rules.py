"""What holds for New web services, whatever their graph: writers, secrets, versions, regions, lists, plans."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.studio.new_services import GROUP, PREVIEW, PROVIDER, Arm, Service
from tests.studio.running import SUBSCRIPTION, Running
from tests.waiting import eventually


@pytest.fixture(scope="session")
def arm(studio: Running) -> Arm:
    side = Arm(studio)
    side.group()
    return side


@pytest.fixture(scope="session")
def plan(arm: Arm) -> str:
    return arm.plan("rules")


@pytest.fixture
def body(plan: str) -> dict[str, Any]:
    """The smallest definition: it answers no calls, and all else holds for it too."""
    properties = {
        "packageType": "Graph",
        "title": "t",
        "storageAccount": {"name": "teststorage", "key": "a2V5"},
        "commitmentPlan": {"id": plan},
        "assets": {
            "m": {
                "name": "m",
                "type": "Resource",
                "locationInfo": {"uri": "https://a.example/m?sig=s3cret", "credentials": "k3y"},
            },
            "x": {"name": "x", "type": "Module", "locationInfo": {"uri": "aml://module/a.b.c"}},
        },
        "parameters": {"p": {"value": "1", "certificateThumbprint": None}, "q": {"value": "2"}},
    }
    return {"location": "southcentralus", "properties": properties}


@pytest.fixture
def service(arm: Arm, body: dict[str, Any], request: pytest.FixtureRequest) -> Service:
    made = arm.service(f"r{abs(hash(request.node.nodeid)) % 10**12}")
    made.put(body)
    return made


def patch(properties: dict[str, Any]) -> dict[str, Any]:
    return {"properties": {"packageType": "Graph", **properties}}


def detail(answer: Any) -> tuple[int, str]:
    """Status and the first detail's code of a refusal."""
    return answer.status_code, answer.json()["error"]["details"][0]["code"]


def test_a_patch_is_merged(arm: Arm, service: Service) -> None:
    """Members that a PATCH names are merged in, assets one by one; all else survives, order and secrets too."""
    before = service.get()["properties"]
    changed = {"name": "x", "type": "Module", "locationInfo": {"uri": "aml://module/d.e.f"}}
    sent = patch(
        {
            "keys": {"primary": "mine"},
            "realtimeConfiguration": {"maxConcurrentCalls": 30},
            "assets": {"x": changed, "new": changed},
            "title": None,
        }
    )
    assert arm.end(service.call("PATCH", body=sent))["status"] == "Succeeded"
    after = service.get()["properties"]
    assert after["assets"] == {**before["assets"], "x": changed, "new": changed}
    assert list(after["assets"]) == ["m", "x", "new"]
    assert after["realtimeConfiguration"] == {"maxConcurrentCalls": 30}
    assert after["title"] == "t"
    assert after["parameters"] == before["parameters"]
    keys = service.call("GET", "/listKeys").json()
    assert keys["primary"] == "mine"
    assert len(keys["secondary"]) == 88


def test_get_then_patch_or_put_keeps_hidden_credentials(
    arm: Arm, service: Service, body: dict[str, Any]
) -> None:
    """An asset that is sent back as GET shows it keeps what opens it; one that moves does not."""
    shown = service.get()["properties"]["assets"]
    assert shown["m"]["locationInfo"] == {"uri": "https://a.example/m", "credentials": None}
    arm.end(service.call("PATCH", body=patch({"assets": shown})))
    arm.end(service.call("PUT", body={**body, "properties": {**body["properties"], "assets": shown}}))
    kept = service.call("PATCH", body=patch({"description": "d"}), version=PREVIEW)
    arm.end(kept)
    assert "s3cret" not in kept.text
    assert "k3y" not in kept.text


def test_the_preview_repeats_what_was_sent(arm: Arm, body: dict[str, Any]) -> None:
    """The 201 of 2016-05-01-preview has everything, secrets and all; that of 2017-01-01 next to nothing."""
    service = arm.service("echo")
    begun = service.call("PUT", body=body, version=PREVIEW)
    assert begun.status_code == 201
    shown = begun.json()
    assert shown["location"] == "South Central US"
    assert shown["properties"]["storageAccount"] == body["properties"]["storageAccount"]
    assert shown["properties"]["keys"] == service.call("GET", "/listKeys").json()
    assert shown["properties"]["parameters"] == {"p": "1", "q": "2"}
    assert PREVIEW in begun.headers["azure-asyncoperation"]
    arm.end(begun)
    assert "payloadsInBlobStorage" not in service.get(version=PREVIEW)["properties"]
    assert service.get()["properties"]["payloadsInBlobStorage"] is False


def test_writers_that_meet(arm: Arm, service: Service) -> None:
    """A writer with an old ETag is told so; one that comes while an operation goes on, too."""
    etag = service.call("GET").headers["etag"]
    begun = service.call("PATCH", body=patch({"title": "one"}), headers={"If-Match": etag})
    assert begun.status_code == 200
    for method, sent in (("PATCH", patch({"title": "two"})), ("DELETE", None)):
        assert detail(service.call(method, body=sent)) == (409, "OperationInProgress")
    arm.end(begun)
    assert service.call("GET").headers["etag"] == begun.headers["etag"] != etag
    late = service.call("PATCH", body=patch({"title": "two"}), headers={"If-Match": etag})
    assert detail(late) == (412, "ConditionNotMet")
    assert service.get()["properties"]["title"] == "one"
    create = service.call("PUT", body=patch({}), headers={"If-None-Match": "*"})
    assert detail(create) == (412, "ConditionNotMet")
    absent = arm.service("absent").call("PUT", body=patch({}), headers={"If-Match": "*"})
    assert detail(absent) == (412, "ConditionNotMet")


def test_what_cannot_change(arm: Arm, service: Service, body: dict[str, Any]) -> None:
    """Storage account, commitment plan and location are those of the creation; each refusal says so."""
    properties = body["properties"]
    other = {"name": "other", "key": "a2V5"}
    refused = service.call("PATCH", body=patch({"storageAccount": other}))
    assert detail(refused) == (400, "CannotChangeStorageAccount")
    assert refused.json()["error"]["code"] == "BadRequest"
    put = service.call("PUT", body={**body, "properties": {**properties, "storageAccount": other}})
    assert detail(put) == (400, "CannotChangeStorageAccount")
    plan = {"id": arm.plan("other")}
    assert detail(service.call("PATCH", body=patch({"commitmentPlan": plan}))) == (
        400,
        "CannotChangeCommitmentPlan",
    )
    moved = service.call("PUT", body={**body, "location": "westeurope"})
    assert (moved.status_code, moved.json()["error"]["code"]) == (409, "InvalidResourceLocation")
    rotated = patch({"storageAccount": {"name": "teststorage", "key": "b3RoZXI="}})
    assert arm.end(service.call("PATCH", body=rotated))["status"] == "Succeeded"


def test_read_only_services_can_only_be_removed(arm: Arm, service: Service, body: dict[str, Any]) -> None:
    """Neither PUT nor PATCH, not even to set it back."""
    arm.end(service.call("PATCH", body=patch({"readOnly": True})))
    assert service.get()["properties"]["readOnly"] is True
    assert detail(service.call("PATCH", body=patch({"readOnly": False}))) == (400, "WebServiceIsReadOnly")
    assert detail(service.call("PATCH", body={"tags": {"a": "b"}})) == (400, "WebServiceIsReadOnly")
    assert detail(service.call("PUT", body=body)) == (400, "WebServiceIsReadOnly")
    assert service.call("DELETE").status_code == 202
    eventually(lambda: service.call("GET").status_code == 404, "the deletion")


def test_regions(arm: Arm, service: Service, studio: Running) -> None:
    """GET for another region is 404 until CreateRegionalBlob has prepared it; that is a write."""
    assert service.get(params={"region": "South Central US"})
    missing = service.call("GET", params={"region": "West Europe"})
    assert detail(missing) == (404, "PerRegionPayloadNotFound")
    begun = service.call("POST", "/CreateRegionalBlob", params={"region": "westeurope"})
    assert begun.status_code == 202
    assert arm.end(begun)["status"] == "Succeeded"
    assert service.get(params={"region": "West Europe"}) == service.get()
    effects = {
        entry["path"].split("?")[0].rpartition("/")[2]: entry["effect"]
        for entry in studio.journal()
        if service.id in entry["path"]
    }
    service.call("GET", "/listKeys")
    assert effects["CreateRegionalBlob"] == "write"
    [listed] = [one for one in studio.journal() if f"{service.id}/listKeys" in one["path"]]
    assert listed["effect"] == "read"


def test_lists(arm: Arm, service: Service) -> None:
    """Services are listed in their group and in the subscription, without their graphs."""
    everywhere = f"/subscriptions/{SUBSCRIPTION}/providers/Microsoft.MachineLearning/webServices"
    for path in (f"{PROVIDER}/webServices", everywhere):
        [found] = [one for one in arm("GET", path).json()["value"] if one["id"] == service.id]
        assert found["properties"]["packageType"] == "Graph"
        assert "assets" not in found["properties"]
    ids = [one["id"] for one in arm("GET", everywhere).json()["value"]]
    before = [one for one in sorted(ids, key=str.lower) if one.lower() < service.id.lower()]
    after = arm("GET", everywhere, params={"$skiptoken": service.id}).json()["value"]
    assert [one["id"] for one in after] == [one for one in ids if one not in (*before, service.id)]


def test_large_definitions_are_in_a_blob(arm: Arm, body: dict[str, Any], studio: Running) -> None:
    """Over 3 MB, GET says where the large part lies, and the account's owner can read it there."""
    service = arm.service("large")
    package = {"nodes": {}, "note": "ü" * 2_000_000}
    account = {"name": "teststorage", "key": studio.azurite.key}
    service.put({**body, "properties": {**body["properties"], "package": package, "storageAccount": account}})
    properties = service.get()["properties"]
    assert properties["payloadsInBlobStorage"] is True
    assert "package" not in properties
    assert "assets" not in properties
    container, _, blob = properties["payloadsLocation"]["uri"].removeprefix(f"{studio.blob}/").partition("/")
    content = json.loads(studio.download(container, blob))
    assert content["package"] == package
    assert "s3cret" not in str(content["assets"])
    arm.end(service.call("PATCH", body=patch({"package": {"nodes": {}}})))
    assert service.get()["properties"]["package"] == {"nodes": {}}


def test_plans_that_are_in_use(arm: Arm, body: dict[str, Any]) -> None:
    """A web service is an association of its plan, which cannot be deleted before it is moved."""
    here, there = arm.plan("here"), arm.plan("there")
    service = arm.service("billed")
    service.put({**body, "properties": {**body["properties"], "commitmentPlan": {"id": here.upper()}}})
    [found] = arm("GET", f"{here}/commitmentAssociations", version=PREVIEW).json()["value"]
    assert found["properties"]["associatedResourceId"] == service.id
    assert arm("GET", found["id"], version=PREVIEW).json() == found
    refused = arm("DELETE", here, version=PREVIEW)
    assert (refused.status_code, refused.json()["error"]["code"]) == (409, "CommitmentPlanInUse")
    moved = arm("POST", f"{found['id']}/move", {"destinationPlanId": there}, PREVIEW)
    assert moved.json()["properties"]["commitmentPlanId"] == there
    assert arm("DELETE", here, version=PREVIEW).status_code == 200
    assert arm("DELETE", there, version=PREVIEW).status_code == 409


def test_a_group_goes_with_its_services(arm: Arm, body: dict[str, Any]) -> None:
    """Deleting a resource group deletes services in it, those that are being made too."""
    group = f"{GROUP}2"
    arm("PUT", group, {"location": "westeurope"}, "2021-04-01").raise_for_status()
    service = Service(arm, f"{group}/providers/Microsoft.MachineLearning/webServices/gone")
    begun = service.call("PUT", body=body)
    begun.raise_for_status()
    arm("DELETE", group, version="2021-04-01").raise_for_status()
    assert arm.end(begun)["status"] == "Failed"
    assert service.call("GET").json()["error"]["code"] == "ResourceGroupNotFound"
    assert "unexpected error" not in arm.studio.log
