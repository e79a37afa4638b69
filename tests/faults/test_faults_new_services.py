"""Faults of New web services, by the paths of Resource Manager and of their data plane."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from tests.faults.conftest import Houses
from tests.studio.houses import PREDICTIVE, RESOURCE, TRAINING
from tests.studio.new_services import Arm, Service, completed, exported
from tests.studio.running import Endpoint
from tests.studio.shared import Shared, job_request
from tests.waiting import eventually

HOUSE = 100.0
OLD, NEW = pytest.approx(100_750, rel=0.01), pytest.approx(110_750, rel=0.01)
ARM_PATH = "*/providers/microsoft.machinelearning/webservices/*"


def uri(location: dict[str, Any]) -> str:
    return f"{location['BaseLocation']}{location['RelativeLocation']}"


@pytest.fixture(scope="session")
def definitions(running: Shared, published: Houses) -> tuple[Arm, dict[str, Any], dict[str, Any]]:
    """Resource Manager, and the definitions of the scoring and the training experiment."""
    arm = Arm(running)
    arm.group()
    plan, key = arm.plan(), running.azurite.key
    resource = {"Name": RESOURCE, "Kind": "TrainedModel", "Location": published.baseline}
    scoring = exported(published.workspace, "new-predictive", PREDICTIVE, [resource])
    training = exported(published.workspace, "new-training", TRAINING)
    return arm, completed(scoring, plan, key), completed(training, plan, key)


@pytest.fixture
def service(
    definitions: tuple[Arm, dict[str, Any], dict[str, Any]], studio: Shared, request: pytest.FixtureRequest
) -> Service:
    """A scoring service of this test alone, which serves the baseline."""
    arm, scoring, _ = definitions
    made = arm.service(f"f{abs(hash(request.node.nodeid)) % 10**12}")
    made.put(scoring)
    studio.forget()
    return made


def updated(service: Service, place: str) -> dict[str, Any]:
    """The end of the operation that moves the model there."""
    begun = service.patch_model(place)
    assert begun.status_code == 200
    ended = service.arm.end(begun)
    assert ended["status"] == "Succeeded"
    return ended


def test_an_update_that_changes_nothing(studio: Shared, service: Service, trained: Houses) -> None:
    """200 and Succeeded, and definition and answers are the old ones; an update of the title is not met."""
    studio.faults({"kind": "unchanged-binding", "path": ARM_PATH})
    body = {"properties": {"packageType": "Graph", "title": "another"}}
    service.arm.end(service.call("PATCH", body=body))
    assert service.get()["properties"]["title"] == "another"
    assert studio.fired() == [0]
    updated(service, uri(trained.dearer))
    assert service.model()[1]["locationInfo"]["uri"] == uri(trained.baseline)
    assert service.price(HOUSE) == OLD
    [entry] = studio.faulted()
    assert (entry["method"], entry["status"], entry["fault"]) == ("PATCH", 200, "unchanged-binding")


def test_a_model_that_stays_stale(studio: Shared, service: Service, trained: Houses) -> None:
    """The definition names the new model, and the old one answers, until the fault ends."""
    studio.faults({"kind": "stale-model", "count": 1, "path": ARM_PATH})
    updated(service, uri(trained.dearer))
    assert service.model()[1]["locationInfo"]["uri"] == uri(trained.dearer)
    assert service.price(HOUSE) == OLD
    body = {"properties": {"packageType": "Graph", "title": "another"}}
    assert service.arm.end(service.call("PATCH", body=body))["status"] == "Succeeded"
    assert service.price(HOUSE) == OLD, "an update that binds no model ends it"
    studio.quiet()
    assert service.price(HOUSE) == NEW


def test_a_model_that_is_rolled_back(studio: Shared, service: Service, trained: Houses) -> None:
    """The new model is bound and served, and a moment later definition and answers are the old ones."""
    studio.faults({"kind": "rolled-back", "seconds": 0.5, "count": 1, "path": ARM_PATH})
    updated(service, uri(trained.dearer))
    assert service.price(HOUSE) == NEW
    eventually(lambda: service.model()[1]["locationInfo"]["uri"] == uri(trained.baseline), "the old model")
    assert service.price(HOUSE) == OLD


def test_a_newer_update_is_not_rolled_back(studio: Shared, service: Service, trained: Houses) -> None:
    """What was bound after the update that is rolled back stays."""
    studio.faults({"kind": "rolled-back", "seconds": 0.3, "count": 1, "path": ARM_PATH})
    updated(service, uri(trained.dearer))
    updated(service, uri(trained.baseline))
    updated(service, uri(trained.dearer))
    studio.faults({"kind": "latency", "seconds": 0.5, "count": 1, "path": "*/execute"})
    assert service.price(HOUSE) == NEW


def test_incompatible_models(studio: Shared, service: Service, endpoint: Endpoint, trained: Houses) -> None:
    """Refused as ModelOutputMetadataMismatch, for both kinds of service; both go on with the old model."""
    studio.faults({"kind": "incompatible-model"})

    def refused(answer: httpx.Response) -> None:
        assert answer.status_code == 409
        assert answer.json()["error"]["code"] == "Conflict"
        assert answer.json()["error"]["details"][0]["code"] == "ModelOutputMetadataMismatch"

    refused(service.patch_model(uri(trained.dearer)))
    refused(endpoint.patch(RESOURCE, trained.dearer))
    assert service.price(HOUSE) == OLD
    assert endpoint.price(HOUSE) == OLD
    assert [entry["fault"] for entry in studio.faulted()] == ["incompatible-model"] * 2
    studio.quiet()
    updated(service, uri(trained.dearer))


def test_faults_of_answers_and_operations(studio: Shared, service: Service, trained: Houses) -> None:
    """An update that was carried out and not answered; a look at an operation that is refused."""
    studio.faults({"kind": "drop", "when": "after", "method": "PATCH", "path": ARM_PATH, "count": 1})
    with pytest.raises(httpx.RemoteProtocolError):
        service.patch_model(uri(trained.dearer))
    eventually(lambda: service.model()[1]["locationInfo"]["uri"] == uri(trained.dearer), "the new model")
    studio.faults({"kind": "status", "status": 503, "path": "*/operationsstatus/*", "count": 1})
    begun = service.patch_model(uri(trained.baseline))
    assert service.arm("GET", begun.headers["azure-asyncoperation"]).status_code == 503
    assert service.arm.end(begun)["status"] == "Succeeded"


def test_faults_of_jobs(
    studio: Shared, definitions: tuple[Arm, dict[str, Any], dict[str, Any]], trained: Houses
) -> None:
    """Jobs of a New training service are lost, stall, and give expired signatures as classic ones do."""
    arm, _, training = definitions
    service = arm.service("jobs")
    service.put(training)
    path = "/subscriptions/*/services/*/jobs/*"
    order = job_request(studio, "houses.csv", output1="models/f.ilearner")

    def started() -> str:
        job: str = service.plane("POST", "jobs", order).raise_for_status().json()
        service.plane("POST", f"jobs/{job}/start").raise_for_status()
        return job

    studio.faults({"kind": "lost-job", "count": 1, "path": path})
    assert service.plane("GET", f"jobs/{started()}").status_code == 404
    studio.faults(
        {"kind": "stalled-job", "seconds": 0.2, "path": path}, {"kind": "expired-sas", "path": path}
    )
    job = started()
    assert service.plane("GET", f"jobs/{job}").json()["StatusCode"] == "Running"

    def finished() -> Any:
        status = service.plane("GET", f"jobs/{job}").json()
        return status if status["StatusCode"] == "Finished" else None

    place = eventually(finished, "the job's end")["Results"]["output1"]
    assert studio.http.get(f"{uri(place)}{place['SasBlobToken']}").status_code == 403
