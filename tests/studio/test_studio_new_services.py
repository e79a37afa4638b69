"""New web services, from the export of an experiment to the new model's answers."""

from __future__ import annotations

import json
import signal
import threading
from typing import Any

import httpx
import pytest

from tests.studio.houses import PREDICTIVE, RESOURCE, TRAINING
from tests.studio.new_services import PREVIEW, Arm, Service, completed, exported
from tests.studio.running import Running, Workspace
from tests.studio.shared import Trained, job_request
from tests.waiting import eventually

HOUSE = 100.0


def uri(location: dict[str, Any]) -> str:
    """Where a result is, as a definition names it: without its signature."""
    return f"{location['BaseLocation']}{location['RelativeLocation']}"


@pytest.fixture(scope="session")
def arm(studio: Running) -> Arm:
    side = Arm(studio)
    side.group()
    return side


@pytest.fixture(scope="session")
def plan(arm: Arm) -> str:
    return arm.plan()


@pytest.fixture(scope="session")
def definition(workspace: Workspace, trained: Trained, plan: str, studio: Running) -> dict[str, Any]:
    """The scoring experiment's definition, ready to be sent."""
    resource = {"Name": RESOURCE, "Kind": "TrainedModel", "Location": trained.baseline}
    shown = exported(workspace, "new-predictive", PREDICTIVE, [resource])
    return completed(shown, plan, studio.azurite.key)


@pytest.fixture
def service(arm: Arm, definition: dict[str, Any], request: pytest.FixtureRequest) -> Service:
    """A scoring service of this test alone, which serves the baseline."""
    made = arm.service(f"t{abs(hash(request.node.nodeid)) % 10**12}")
    made.put(definition)
    return made


def test_export_is_as_studio_writes_it(definition: dict[str, Any], trained: Trained) -> None:
    """Schema names are PascalCase, values are not; the model's asset has its name and place, and no signature."""
    properties = definition["Properties"]
    assert properties["PackageType"] == "Graph"
    assert properties["Title"] == "houses-predictive"
    [model] = [asset for asset in properties["Assets"].values() if asset["Type"] == "Resource"]
    assert model["Name"] == RESOURCE
    assert model["LocationInfo"] == {"Uri": uri(trained.baseline), "Credentials": None}
    [module] = [asset for asset in properties["Assets"].values() if asset["Type"] == "Module"]
    assert module["Name"] == "Score Model"
    assert module["LocationInfo"]["Uri"].startswith("aml://module/506153734175476c4f62416c57734963.")
    assert properties["Input"]["Properties"]["input1"]["Properties"]["surface"]["Type"] == "Integer"
    assert list(properties["Output"]["Properties"]) == ["output1"]
    assert properties["ExampleRequest"]["Inputs"]["input1"] == [[10]]
    assert properties["Package"]["Nodes"]["houses"] == {"InputId": "input1"}
    assert {"SourceNodeId": "houses", "TargetNodeId": "score", "TargetPortId": "Dataset"} in properties[
        "Package"
    ]["Edges"]


def test_the_documented_walkthrough(arm: Arm, service: Service, trained: Trained) -> None:
    """Get the definition, replace the model's uri, PATCH, wait: the service answers with the new model."""
    assert service.price(HOUSE) == pytest.approx(100_750, rel=0.01)
    begun = service.patch_model(uri(trained.dearer))
    assert begun.status_code == 200
    assert "retry-after" not in begun.headers
    assert begun.headers["azure-asyncoperationpercentcomplete"] == "0"
    assert begun.json()["properties"] == {"payloadsInBlobStorage": False, "provisioningState": "Provisioning"}
    assert service.model()[1]["locationInfo"]["uri"] == uri(trained.baseline), "before the operation ended"
    assert service.price(HOUSE) == pytest.approx(100_750, rel=0.01)
    ended = arm.end(begun)
    assert ended["status"] == "Succeeded"
    assert ended["percentComplete"] == 1.0
    assert service.model()[1]["locationInfo"]["uri"] == uri(trained.dearer)
    assert service.price(HOUSE) == pytest.approx(110_750, rel=0.01)


def test_get_shows_no_secret(service: Service, definition: dict[str, Any], studio: Running) -> None:
    """Neither keys nor the account's key nor the plan are in what GET and the lists answer."""
    keys = service.call("GET", "/listKeys").json()
    shown = [service.call("GET").text, service.arm("GET", service.id.rpartition("/")[0]).text]
    for text in shown:
        assert keys["primary"] not in text
        assert studio.azurite.key not in text
        assert "commitmentPlan" not in text
    assert service.get()["properties"]["storageAccount"] == {"name": "teststorage"}


def test_put_with_an_imported_definition(
    arm: Arm, service: Service, definition: dict[str, Any], trained: Trained
) -> None:
    """The whole definition, in PascalCase, with another uri, updates the service: 200 and the same keys."""
    before = service.call("GET", "/listKeys").json()
    assets = {
        key: asset if asset["Type"] != "Resource" else {**asset, "LocationInfo": {"Uri": uri(trained.dearer)}}
        for key, asset in definition["Properties"]["Assets"].items()
    }
    changed = {**definition, "Properties": {**definition["Properties"], "Assets": assets}}
    begun = service.call("PUT", body=changed)
    assert begun.status_code == 200
    assert arm.end(begun)["status"] == "Succeeded"
    assert service.price(HOUSE) == pytest.approx(110_750, rel=0.01)
    assert service.call("GET", "/listKeys").json() == before


def test_a_client_that_never_looks(service: Service, trained: Trained) -> None:
    """An update takes effect without anybody polling it, only not at once."""
    service.patch_model(uri(trained.dearer)).raise_for_status()
    eventually(lambda: service.model()[1]["locationInfo"]["uri"] == uri(trained.dearer), "the new uri")
    assert service.price(HOUSE) == pytest.approx(110_750, rel=0.01)
    assert service.get()["properties"]["provisioningState"] == "Succeeded"


def test_answers_while_it_is_updated(arm: Arm, service: Service, trained: Trained) -> None:
    """Calls during updates are all answered, each by the old model or by the new one."""
    service.price(HOUSE)
    over, prices = threading.Event(), []

    def ask() -> None:
        while not over.is_set():
            prices.append(round(service.price(HOUSE)))

    asking = threading.Thread(target=ask)
    asking.start()
    for place in (trained.dearer, trained.baseline, trained.dearer):
        assert arm.end(service.patch_model(uri(place)))["status"] == "Succeeded"
    over.set()
    asking.join()
    assert len(set(prices)) == 2
    assert len(prices) > 5


@pytest.mark.parametrize(
    ("place", "code"),
    [
        ("{blob}/data/models/there-is-none.ilearner", "BlobNotFound"),
        ("https://acct.blob.core.windows.net/models/there-is-none.ilearner", "BlobNotFound"),
        ("{blob}/data/houses.csv", "InvalidBlob"),
        ("aml://models/x", "BadParameterValue"),
    ],
)
def test_a_model_that_cannot_be_served(arm: Arm, service: Service, place: str, code: str) -> None:
    """The operation fails and says why; definition and answers are the old ones."""
    before = service.get()["properties"]
    ended = arm.end(service.patch_model(place.format(blob=arm.studio.blob)))
    assert ended["status"] == "Failed"
    assert ended["error"]["code"] == code
    assert service.get()["properties"] == before
    assert service.price(HOUSE) == pytest.approx(100_750, rel=0.01)


def test_a_model_of_other_columns(arm: Arm, service: Service, workspace: Workspace, studio: Running) -> None:
    """A model whose columns are others is refused as classic endpoints refuse it."""
    studio.upload(
        "data", "rooms.csv", b"rooms,price\r\n" + b"".join(b"%d,%d\r\n" % (n, n * 9) for n in range(1, 99))
    )
    training = workspace.endpoint(workspace.publish("houses-training", TRAINING))
    training.run(job_request(studio, "rooms.csv", output1="models/rooms.ilearner"))
    ended = arm.end(service.patch_model(f"{studio.blob}/data/models/rooms.ilearner"))
    assert ended["error"]["code"] == "ModelOutputMetadataMismatch"


def test_what_opens_a_model(arm: Arm, service: Service, trained: Trained, studio: Running) -> None:
    """A signature on the uri, a connection string as credentials, or the account's key; neither is shown."""
    address = uri(trained.dearer)
    signed = f"{address}{trained.dearer['SasBlobToken']}"
    assert arm.end(service.patch_model(signed))["status"] == "Succeeded"
    assert service.model()[1]["locationInfo"] == {"uri": address, "credentials": None}
    ended = arm.end(service.patch_model(address, studio.connection_string))
    assert ended["status"] == "Succeeded"
    assert service.model()[1]["locationInfo"] == {"uri": address, "credentials": None}
    assert service.price(HOUSE) == pytest.approx(110_750, rel=0.01)


def test_a_wrong_account_key(arm: Arm, definition: dict[str, Any], plan: str) -> None:
    """A service whose storage key does not open the model is not provisioned, and says so; it can be put right."""
    service = arm.service("wrongkey")
    account = {"Name": "teststorage", "Key": "d3Jvbmc="}
    body = {**definition, "Properties": {**definition["Properties"], "StorageAccount": account}}
    begun = service.call("PUT", body=body)
    assert begun.status_code == 201
    ended = arm.end(begun)
    assert (ended["status"], ended["error"]["code"]) == ("Failed", "BlobNotFound")
    assert "d3Jvbmc=" not in str(ended)
    assert service.get()["properties"]["provisioningState"] == "Failed"
    assert service.plane("POST", "execute", {}).status_code == 404
    service.put(definition)
    assert service.price(HOUSE) == pytest.approx(100_750, rel=0.01)


def test_training_by_a_new_service(arm: Arm, workspace: Workspace, plan: str, studio: Running) -> None:
    """A New training service runs batch jobs as a classic one does: outputs, parameters, signatures."""
    service = arm.service("training")
    service.put(completed(exported(workspace, "new-training", TRAINING), plan, studio.azurite.key))
    order = job_request(studio, "dearer.csv", output1="models/new.ilearner")
    job = (
        service.plane("POST", "jobs", {**order, "GlobalParameters": {"Ridge": "0.01"}})
        .raise_for_status()
        .json()
    )
    service.plane("POST", f"jobs/{job}/start").raise_for_status()

    def look() -> dict[str, Any] | None:
        status: dict[str, Any] = service.plane("GET", f"jobs/{job}").raise_for_status().json()
        return status if status["StatusCode"] in ("Finished", "Failed") else None

    done = eventually(look, "the job's end")
    assert done["StatusCode"] == "Finished", done
    place = done["Results"]["output1"]
    assert place["RelativeLocation"] == "data/models/new.ilearner"
    assert studio.http.get(f"{uri(place)}{place['SasBlobToken']}").status_code == 200
    assert (
        service.plane("POST", "execute", {}).json()["error"]["details"][0]["code"] == "WebServiceTypeInvalid"
    )
    assert service.plane("DELETE", f"jobs/{job}").status_code == 200


def test_swagger_of_a_new_service(service: Service, studio: Running) -> None:
    """swaggerLocation is on the host that the client used, needs no key, and describes that address."""
    document = studio.http.get(service.get()["properties"]["swaggerLocation"]).raise_for_status().json()
    assert document["basePath"] == service.url.removeprefix(studio.url)
    assert document["definitions"]["input1Item"]["properties"]["surface"]["type"] == "integer"
    classic = service.url.replace("/subscriptions/", "/workspaces/")
    assert studio.http.get(f"{classic}/swagger.json").status_code == 404


def test_deleted_services_answer_404(arm: Arm, service: Service) -> None:
    """202 and an operation; afterwards neither Resource Manager nor the data plane knows the service."""
    address, keys = service.url, service.call("GET", "/listKeys").json()
    begun = service.call("DELETE")
    assert begun.status_code == 202
    result = begun.headers["location"]
    assert arm("GET", result).status_code == 202
    eventually(lambda: arm("GET", result).status_code == 204, "the deletion's end")
    gone = service.call("GET")
    assert gone.status_code == 404
    assert gone.json()["error"]["code"] == "NotFound"
    assert gone.json()["error"]["details"][0]["code"] == "WebServiceNotFound"
    answer = arm.studio.http.post(
        f"{address}/execute", params={"api-version": "2.0"}, json={},
        headers={"Authorization": f"Bearer {keys['primary']}"},
    )  # fmt: skip
    assert answer.status_code == 404
    assert service.call("DELETE").status_code == 204


def test_graphs_of_other_modules_are_kept(arm: Arm, definition: dict[str, Any]) -> None:
    """A definition that this local cloud cannot run is stored and returned whole; calls of it say what is the matter."""
    graph = {
        "nodes": {"n": {"assetId": "a", "parameters": {"R": {"value": "x"}}}, "o": {"outputId": "out"}},
        "edges": [{"sourceNodeId": "n", "sourcePortId": "p", "targetNodeId": "o"}],
        "Überraschung": {"z": [1, {"b": None, "a": "ü"}], "a": 1.5},
    }
    assets = {
        "a": {"name": "Execute R Script", "type": "Module", "locationInfo": {"uri": "aml://module/x.y.z"}}
    }
    properties = {
        "unknown": {"Title": 1},
        "packageType": "Graph",
        "assets": assets,
        "package": graph,
        "parameters": {"p": {"value": "v"}},
        "storageAccount": {"name": "teststorage", "key": "any"},
        "commitmentPlan": {"id": definition["Properties"]["CommitmentPlan"]["Id"]},
    }
    service = arm.service("foreign")
    service.put({"location": "southcentralus", "properties": properties, "tags": {"a": "b"}})
    shown = service.get()
    assert shown["tags"] == {"a": "b"}
    for name in ("unknown", "assets", "package", "parameters"):
        assert shown["properties"][name] == properties[name]
    assert list(shown["properties"]["package"]["Überraschung"]["z"][1]) == ["b", "a"]
    assert service.get(version=PREVIEW)["properties"]["parameters"] == {"p": "v"}
    refused = service.plane("POST", "execute", {"Inputs": {}})
    assert refused.status_code == 400
    assert "Execute R Script" in refused.json()["error"]["details"][0]["message"]


def test_a_server_killed_in_the_middle(
    own_studio: Running, studio: Running, definition: dict[str, Any], trained: Trained
) -> None:
    """Creation, update and deletion that a kill interrupted go on after the restart, and end."""
    arm = Arm(own_studio.start())
    arm.group()
    arm.plan()
    service = arm.service("killed")
    here = json.loads(json.dumps(definition).replace(studio.blob, own_studio.blob))
    dearer = uri(trained.dearer).replace(studio.blob, own_studio.blob)

    def killed(begun: httpx.Response) -> None:
        own_studio.stop(signal.SIGKILL)
        own_studio.start()
        assert arm.end(begun)["status"] == "Succeeded"

    killed(service.call("PUT", body=here))
    assert service.price(HOUSE) == pytest.approx(100_750, rel=0.01)
    killed(service.patch_model(dearer))
    assert service.price(HOUSE) == pytest.approx(110_750, rel=0.01)
    assert service.model()[1]["locationInfo"]["uri"] == dearer
    killed(service.call("DELETE"))
    assert service.call("GET").status_code == 404
