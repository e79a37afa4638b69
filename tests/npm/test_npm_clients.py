"""Published clients, unchanged, over HTTPS: azure-arm-machinelearning 1.1.0-preview, @azure/arm-commitmentplans 1.3.1."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from localcloud.studio.web_services.schema import canonical
from tests.npm.conftest import Npm, Refused
from tests.studio.houses import PREDICTIVE, RESOURCE
from tests.studio.new_services import Arm, Service, completed, exported
from tests.studio.running import Running, Workspace
from tests.studio.shared import Trained

GROUP = "tests"
HOUSE = 100.0
PLAN = {"location": "southcentralus", "sku": {"capacity": 1, "name": "S1", "tier": "Standard"}}


def uri(location: dict[str, Any]) -> str:
    return f"{location['BaseLocation']}{location['RelativeLocation']}"


@pytest.fixture(scope="module")
def arm(studio: Running) -> Arm:
    side = Arm(studio)
    side.group()
    return side


@pytest.fixture(scope="module")
def definition(arm: Arm, workspace: Workspace, trained: Trained) -> dict[str, Any]:
    """The scoring experiment as a definition, as the client's models are: in camelCase, and a name of its own."""
    resource = {"Name": RESOURCE, "Kind": "TrainedModel", "Location": trained.baseline}
    shown = exported(workspace, "npm-predictive", PREDICTIVE, [resource])
    made = canonical(completed(shown, arm.plan("npm"), arm.studio.azurite.key))
    made["properties"]["packageProperty"] = made["properties"].pop("package")
    return made


@pytest.fixture(scope="module")
def created(npm: Npm, arm: Arm, definition: dict[str, Any]) -> Service:
    """A web service that the npm client created."""
    made = npm("webServices", "webServices", "createOrUpdate", GROUP, "npmservice", definition)
    assert made["properties"]["provisioningState"] == "Succeeded"
    return arm.service("npmservice")


def test_it_reads_what_it_created(npm: Npm, created: Service, definition: dict[str, Any]) -> None:
    """get gives the definition back, whole, with nothing secret in it; the service scores with its key."""
    found = npm("webServices", "webServices", "get", GROUP, "npmservice")
    sent = definition["properties"]
    for name in ("title", "packageType", "packageProperty", "exampleRequest"):
        assert found["properties"][name] == sent[name]
    columns = found["properties"]["input"]["properties"]["input1"]["properties"]
    assert columns["surface"]["type"] == "Integer"
    assert set(found["properties"]["assets"]) == set(sent["assets"])
    assert "keys" not in found["properties"]
    assert found["properties"]["storageAccount"] == {"name": "teststorage"}
    keys = npm("webServices", "webServices", "listKeys", GROUP, "npmservice")
    assert keys == created.call("GET", "/listKeys").json()
    assert created.price(HOUSE) == pytest.approx(100_750, rel=0.01)


def test_it_binds_another_model(npm: Npm, created: Service, trained: Trained) -> None:
    """patch with the assets it has read, one place changed: the service answers with the new model."""
    assets = npm("webServices", "webServices", "get", GROUP, "npmservice")["properties"]["assets"]
    [key] = [key for key, asset in assets.items() if asset["type"] == "Resource"]
    assets[key]["locationInfo"] = {"uri": uri(trained.dearer)}
    body = {"location": "southcentralus", "properties": {"packageType": "Graph", "assets": assets}}
    patched = npm("webServices", "webServices", "patch", GROUP, "npmservice", body)
    assert patched["properties"]["assets"][key]["locationInfo"]["uri"] == uri(trained.dearer)
    assert created.price(HOUSE) == pytest.approx(110_750, rel=0.01)


def test_it_reads_what_others_bound(npm: Npm, arm: Arm, created: Service, trained: Trained) -> None:
    """A service that this client created and another one updated: it reads the new binding back."""
    for place in (trained.dearer, trained.baseline):
        assert arm.end(created.patch_model(uri(place)))["status"] == "Succeeded"
        found = npm("webServices", "webServices", "get", GROUP, "npmservice")
        [model] = [one for one in found["properties"]["assets"].values() if one["type"] == "Resource"]
        assert model["name"] == RESOURCE
        assert model["locationInfo"]["uri"] == uri(place)


def test_it_lists_and_prepares_regions(npm: Npm, created: Service) -> None:
    """Both lists have the service; createRegionalProperties ends, and get for that region answers."""
    for method, arguments in (("listByResourceGroup", [GROUP]), ("listBySubscriptionId", [])):
        found = npm("webServices", "webServices", method, *arguments)
        assert "npmservice" in [one["name"] for one in found]
    with pytest.raises(Refused) as refused:
        npm("webServices", "webServices", "get", GROUP, "npmservice", {"region": "westeurope"})
    assert refused.value.status == 404
    npm("webServices", "webServices", "createRegionalProperties", GROUP, "npmservice", "westeurope")
    assert npm("webServices", "webServices", "get", GROUP, "npmservice", {"region": "westeurope"})


def test_it_is_told_why(npm: Npm, created: Service, trained: Trained) -> None:
    """A failed operation and a refusal are errors of the client, with the service's code."""
    key, asset = created.model()
    moved = {**asset, "locationInfo": {"uri": f"{uri(trained.dearer)}.gone"}}
    body = {"location": "southcentralus", "properties": {"packageType": "Graph", "assets": {key: moved}}}
    with pytest.raises(Refused) as failed:
        npm("webServices", "webServices", "patch", GROUP, "npmservice", body)
    assert failed.value.code == "BlobNotFound"
    account = {
        "location": "southcentralus",
        "properties": {"packageType": "Graph", "storageAccount": {"name": "other"}},
    }
    with pytest.raises(Refused) as refused:
        npm("webServices", "webServices", "patch", GROUP, "npmservice", account)
    assert (refused.value.status, refused.value.code) == (400, "BadRequest")


def test_it_removes(npm: Npm, arm: Arm, definition: dict[str, Any]) -> None:
    """remove waits for the end, and what is gone is gone."""
    npm("webServices", "webServices", "createOrUpdate", GROUP, "npmgone", definition)
    npm("webServices", "webServices", "remove", GROUP, "npmgone")
    assert arm.service("npmgone").call("GET").status_code == 404
    npm("webServices", "webServices", "remove", GROUP, "npmgone")


def test_plans(npm: Npm, arm: Arm) -> None:
    """@azure/arm-commitmentplans creates, reads, patches, lists and removes a plan."""
    made = npm("commitmentPlans", "commitmentPlans", "createOrUpdate", PLAN, GROUP, "npmplan")
    assert made["sku"] == PLAN["sku"]
    included = made["properties"]["includedQuantities"]
    assert included["machineLearningWebServiceTransactions"]["allowance"] == 100_000
    change = {"tags": {"a": "b"}, "sku": {"capacity": 2, "name": "S1", "tier": "Standard"}}
    npm("commitmentPlans", "commitmentPlans", "patch", change, GROUP, "npmplan")
    found = npm("commitmentPlans", "commitmentPlans", "get", GROUP, "npmplan")
    assert (found["tags"], found["sku"]["capacity"]) == ({"a": "b"}, 2)
    for method, arguments in (("listInResourceGroup", [GROUP]), ("list", [])):
        listed = npm("commitmentPlans", "commitmentPlans", method, *arguments)
        assert "npmplan" in [one["name"] for one in listed]
    assert npm("commitmentPlans", "usageHistory", "list", GROUP, "npmplan")
    assert [sku["name"] for sku in npm("commitmentPlans", "skus", "list")] == ["S1", "S2", "S3"]
    npm("commitmentPlans", "commitmentPlans", "remove", GROUP, "npmplan")
    with pytest.raises(Refused) as gone:
        npm("commitmentPlans", "commitmentPlans", "get", GROUP, "npmplan")
    assert (gone.value.status, gone.value.code) == (404, "ResourceNotFound")


def test_associations(npm: Npm, created: Service, arm: Arm) -> None:
    """The service that the one client created is an association for the other, which moves it to another plan."""
    there = arm.plan("npmthere")
    [found] = npm("commitmentPlans", "commitmentAssociations", "list", GROUP, "npm")
    assert found["properties"]["associatedResourceId"] == created.id
    name = found["name"]
    assert npm("commitmentPlans", "commitmentAssociations", "get", GROUP, "npm", name)["name"] == name
    with pytest.raises(Refused) as used:
        npm("commitmentPlans", "commitmentPlans", "remove", GROUP, "npm")
    assert (used.value.status, used.value.code) == (409, "CommitmentPlanInUse")
    moved = npm(
        "commitmentPlans", "commitmentAssociations", "move", GROUP, "npm", name, {"destinationPlanId": there}
    )
    assert moved["properties"]["commitmentPlanId"] == there


def test_the_lock_file_names_no_registry() -> None:
    """Versions and hashes, and no address: npm takes the registry that is configured."""
    lock = json.loads((Path(__file__).parent / "package-lock.json").read_text())
    assert len(lock["packages"]) > 50
    for name, package in lock["packages"].items():
        assert "resolved" not in package, name
        assert "funding" not in package, f"delete funding of {name} in the lock file"
        assert not name or package["integrity"].startswith("sha")
