"""Faults of what the service does: jobs, shared access signatures, bindings."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from tests.faults.conftest import Houses
from tests.studio.houses import RESOURCE, slow_training
from tests.studio.running import Endpoint
from tests.studio.shared import Shared
from tests.waiting import eventually

HOUSE = 100.0


def started(trained: Houses) -> str:
    """The id of a job that was submitted and started."""
    job: str = trained.training.submit(trained.order()).raise_for_status().json()
    trained.training.call("POST", f"jobs/{job}/start").raise_for_status()
    return job


def state(endpoint: Endpoint, job: str) -> str:
    return str(endpoint.call("GET", f"jobs/{job}").raise_for_status().json()["StatusCode"])


def test_a_job_that_is_lost_as_it_starts(studio: Shared, trained: Houses) -> None:
    """The start is answered 200, then the service doesn't know the job; the next one runs."""
    studio.faults({"kind": "lost-job", "count": 1})
    job = started(trained)
    answer = trained.training.call("GET", f"jobs/{job}")
    assert answer.status_code == 404
    assert answer.json()["error"]["details"][0]["code"] == "JobNotFound"
    [entry] = studio.faulted()
    assert (entry["status"], entry["fault"]) == (200, "lost-job")
    assert entry["path"].split("?")[0].endswith(f"/jobs/{job}/start")
    trained.training.wait(started(trained), "Finished")


def test_a_job_that_stalls_until_it_is_cancelled(studio: Shared, trained: Houses) -> None:
    """It is Running and gets nowhere while others run; a second start is refused; cancelled, it is gone."""
    studio.faults({"kind": "stalled-job", "count": 1})
    job = started(trained)
    trained.training.wait(started(trained), "Finished")
    status = trained.training.call("GET", f"jobs/{job}").json()
    assert status == {"StatusCode": "Running", "Results": None, "Details": None}
    assert trained.training.call("POST", f"jobs/{job}/start").status_code == 400
    assert trained.training.call("DELETE", f"jobs/{job}").status_code == 200
    assert trained.training.call("GET", f"jobs/{job}").status_code == 404
    [entry] = studio.faulted()
    assert (entry["status"], entry["fault"]) == (200, "stalled-job")


def test_a_job_that_stalls_for_a_while(studio: Shared, trained: Houses) -> None:
    """After its seconds it runs to its end."""
    studio.faults({"kind": "stalled-job", "seconds": 0.2})
    job = started(trained)
    assert state(trained.training, job) == "Running"
    trained.training.wait(job, "Finished")


def test_the_end_of_faults_lets_stalled_jobs_go_on(studio: Shared, trained: Houses) -> None:
    """Other rules leave them as they are, DELETE doesn't."""
    studio.faults({"kind": "stalled-job"})
    job = started(trained)
    studio.faults()
    assert state(trained.training, job) == "Running"
    studio.quiet()
    trained.training.wait(job, "Finished")


def test_a_signature_that_has_expired(studio: Shared, trained: Houses, endpoint: Endpoint) -> None:
    """In the form of a good one; the blob store and a PATCH refuse it, and a further look gives a good one."""
    job = started(trained)
    trained.training.wait(job, "Finished")
    studio.faults({"kind": "expired-sas", "count": 1})
    stale, fresh = (
        trained.training.call("GET", f"jobs/{job}").json()["Results"]["output1"] for _ in range(2)
    )

    def fetch(location: dict[str, Any]) -> httpx.Response:
        url = location["BaseLocation"] + location["RelativeLocation"] + location["SasBlobToken"]
        return studio.http.get(url)

    def names(location: dict[str, Any]) -> list[str]:
        return [part.partition("=")[0] for part in location["SasBlobToken"].split("&")]

    assert names(stale) == names(fresh)
    assert fetch(stale).status_code == 403
    assert fetch(fresh).status_code == 200
    refused = endpoint.patch(RESOURCE, stale)
    assert refused.json()["error"]["details"][0]["code"] == "ExpiryTimeInThePast"
    assert [entry["fault"] for entry in studio.faulted()] == ["expired-sas"]


def bound(endpoint: Endpoint) -> str:
    """The name of the model that the endpoint is said to have."""
    answer = endpoint.workspace.manage("GET", f"/{endpoint.service}/endpoints/{endpoint.name}")
    return str(answer.raise_for_status().json()["Resources"][0]["Location"]["RelativeLocation"]).rsplit(
        "/", 1
    )[-1]


def test_a_binding_that_is_answered_and_not_made(studio: Shared, trained: Houses, endpoint: Endpoint) -> None:
    """200 with an empty body as ever; neither the binding nor the answers change."""
    price = endpoint.price(HOUSE)
    studio.faults({"kind": "unchanged-binding", "count": 1})
    answer = endpoint.patch(RESOURCE, trained.dearer)
    assert (answer.status_code, answer.content) == (200, b"")
    assert bound(endpoint) == "houses.ilearner"
    assert endpoint.price(HOUSE) == price
    [entry] = studio.faulted()
    assert (entry["method"], entry["status"], entry["fault"]) == ("PATCH", 200, "unchanged-binding")
    endpoint.patch(RESOURCE, trained.dearer).raise_for_status()
    assert endpoint.price(HOUSE) > price * 1.05


def test_a_refused_binding_uses_no_fault_up(studio: Shared, trained: Houses, endpoint: Endpoint) -> None:
    """A rule counts bindings that would have been made."""
    studio.faults({"kind": "unchanged-binding", "count": 1})
    assert endpoint.patch("Another", trained.dearer).status_code == 400
    assert studio.fired() == [0]


def test_a_model_that_stays_in_a_cache(studio: Shared, trained: Houses, endpoint: Endpoint) -> None:
    """The binding shows the new one, the answers are the old one's for ever, until one is bound again."""
    price = endpoint.price(HOUSE)
    studio.faults({"kind": "stale-model", "count": 1})
    endpoint.patch(RESOURCE, trained.dearer).raise_for_status()
    assert bound(endpoint) == "dearer.ilearner"
    assert endpoint.price(HOUSE) == price
    assert [(entry["method"], entry["fault"]) for entry in studio.faulted()] == [
        ("PATCH", "stale-model"),
        ("POST", "stale-model"),
    ]
    endpoint.patch(RESOURCE, trained.dearer).raise_for_status()
    assert endpoint.price(HOUSE) > price * 1.05


def test_a_model_that_leaves_the_cache(studio: Shared, trained: Houses, endpoint: Endpoint) -> None:
    """After its seconds, and at the end of faults, the bound model is served."""
    price = endpoint.price(HOUSE)
    studio.faults({"kind": "stale-model", "seconds": 0.2})
    endpoint.patch(RESOURCE, trained.dearer).raise_for_status()
    assert endpoint.price(HOUSE) == price
    eventually(lambda: endpoint.price(HOUSE) > price * 1.05, "the bound model", 5)
    studio.faults({"kind": "stale-model"})
    endpoint.patch(RESOURCE, trained.baseline).raise_for_status()
    assert endpoint.price(HOUSE) > price * 1.05
    studio.quiet()
    assert endpoint.price(HOUSE) == price


def test_a_binding_that_is_rolled_back(studio: Shared, trained: Houses, endpoint: Endpoint) -> None:
    """Bound and served at first; after its seconds binding and answers are the old ones."""
    price = endpoint.price(HOUSE)
    studio.faults({"kind": "rolled-back", "seconds": 0.3, "count": 1})
    endpoint.patch(RESOURCE, trained.dearer).raise_for_status()
    assert bound(endpoint) == "dearer.ilearner"
    eventually(lambda: bound(endpoint) == "houses.ilearner", "the old binding", 5)
    assert endpoint.price(HOUSE) == price


@pytest.mark.parametrize("how", ["bound again", "faults end"])
def test_a_roll_back_that_is_called_off(
    studio: Shared, trained: Houses, endpoint: Endpoint, how: str
) -> None:
    """A later binding stays, and so does one whose faults have ended; another endpoint's goes back meanwhile."""
    other = trained.workspace.endpoint(trained.service, "goesback")
    studio.faults({"kind": "rolled-back", "seconds": 0.2, "count": 1})
    endpoint.patch(RESOURCE, trained.dearer).raise_for_status()
    if how == "bound again":
        endpoint.patch(RESOURCE, trained.dearer).raise_for_status()
    else:
        studio.quiet()
    studio.faults({"kind": "rolled-back", "seconds": 0.3, "count": 1})
    other.patch(RESOURCE, trained.dearer).raise_for_status()
    eventually(lambda: bound(other) == "houses.ilearner", "the other endpoint's old binding", 5)
    assert bound(endpoint) == "dearer.ilearner"


def test_the_worker_of_a_lost_job_is_stopped(studio: Shared, trained: Houses) -> None:
    """A job that is lost while it runs ends there and then, and another worker takes its worker's place."""
    workspace = trained.workspace
    slow = workspace.endpoint(workspace.publish("slow", slow_training()))
    job = slow.submit(trained.order() | {"GlobalParameters": {"Trees": "10000"}}).json()
    slow.call("POST", f"jobs/{job}/start").raise_for_status()
    slow.wait(job, "Running")
    [worker] = studio.workers()
    studio.faults({"kind": "lost-job"})
    assert slow.call("GET", f"jobs/{job}").status_code == 404
    worker.wait(5)
    eventually(lambda: [one for one in studio.workers() if one != worker], "another worker", 10)


def test_a_job_that_is_lost_at_a_later_look(studio: Shared, trained: Houses) -> None:
    """A rule for GET counts the looks at started jobs: two are answered, the third says 404."""
    studio.faults({"kind": "lost-job", "method": "GET", "path": "*/jobs/*", "after": 2, "count": 1})
    unstarted = trained.training.submit(trained.order()).json()
    assert state(trained.training, unstarted) == "NotStarted"
    job = started(trained)
    looks = [trained.training.call("GET", f"jobs/{job}").status_code for _ in range(4)]
    assert looks == [200, 200, 404, 404]
    assert [entry["status"] for entry in studio.faulted()] == [404]


def test_a_stalled_job_and_a_restart(studio: Shared, trained: Houses) -> None:
    """A restarted studio has no rules: what stalled waits for a worker again."""
    studio.faults({"kind": "stalled-job"}, {"kind": "drop", "path": "/never"})
    job = started(trained)
    assert state(trained.training, job) == "Running"
    studio.stop()
    studio.start()
    assert studio.fired() == []
    assert state(trained.training, job) == "NotStarted"
