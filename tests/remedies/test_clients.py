"""What the clients of services advise: the fault as it comes over the wire, what is to be done, and the same call again."""

from __future__ import annotations

import io
import json
import resource
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest
from requests import Response
from requests.adapters import HTTPAdapter

from clients.clock import ManualClock
from clients.credentials import Target, resolve_target
from clients.http import connections
from clients.http.answers import text
from clients.http.transport import Transport
from clients.inventory import Inventory
from clients.poller import wait
from clients.storage import BlobRef, Container
from clients.storage.blobs import Blobs
from clients.studio_classic.bindings import StudioBindings
from clients.studio_classic.publishing import Publishing
from clients.studio_data_plane.jobs import StudioJobs
from clients.studio_data_plane.scoring import StudioScoring
from clients.studio_new.store import WebServiceStore
from tests.healing import Told
from tests.unit.test_operations import A, thing
from tests.unit.test_resource_manager import BUSY, manager
from tests.unit.test_transport import Service, envelope, in_their_place, play, transport

heals = pytest.mark.heals
TRANSPORT = "clients/http/transport.py"
CONTAINER = "clients/storage/container.py"
OPERATIONS = "clients/arm/operations.py"
FINE = (200, {"a": 1})
ACCOUNT = "AccountName=a;AccountKey=a2V5"
AT = "http://127.0.0.1:9/a"
SUBSCRIPTION = "/subscriptions/s"


@pytest.fixture(autouse=True)
def in_this_test_only() -> Iterator[None]:
    """What answers in a service's place; nobody waits between two tries."""
    with in_their_place(1):
        yield


def skewed() -> tuple[int, bytes, dict[str, str]]:
    then = datetime.now(UTC) + timedelta(minutes=90)
    return 403, b"", {"Date": format_datetime(then, usegmt=True)}


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param((200, b"<html>"), marks=heals("check that the address is the service's own", at=TRANSPORT)),
        pytest.param(
            (302, b"", {"Location": "http://b"}), marks=heals("check that the address is the service's own", at=TRANSPORT)
        ),
        pytest.param((404, {}), marks=heals("check the name; where it was deleted, run ./dev refresh, then ./dev up")),
        pytest.param((400, envelope("Bad", "no")), marks=heals("correct what the message names, then run the update again", at=TRANSPORT)),
        pytest.param((409, envelope("NameTaken", "no")), marks=heals("correct what the message names, then run the update again", at=TRANSPORT)),
        pytest.param((429, {}), marks=heals("run the update again in some minutes", at=TRANSPORT)),
        pytest.param((503, {}), marks=heals("run the update again in some minutes", at=TRANSPORT)),
        pytest.param((500, {}), marks=heals("run the update again in some minutes; if it stays, show this message to those who run the service")),
        pytest.param((409, {}), marks=heals("see what else is changing it, then run the update again")),
        pytest.param((412, {}), marks=heals("see what else is changing it, then run the update again")),
        pytest.param((409, envelope("WorkspaceInUse", "no")), marks=heals("delete what uses it, or let that use another, then run the update again")),
        pytest.param((403, {}), marks=heals("sign in with a credential that may do this (locally: ./dev cloud stop, then ./dev cloud start)")),
        pytest.param(skewed(), marks=heals("set this machine's clock, which is {} minutes {} the service's, then run it again")),
    ],
)  # fmt: skip
def test_a_refusal_and_the_same_call_once_its_reason_is_gone(remedy: Told, answer: Any) -> None:
    """Each status says the way out that is its own: a write, and its repetition."""
    told = Transport("the studio", "http://studio/")
    play(Service(answer, FINE), "http://studio/")
    remedy.fails(lambda: told.put("x", {}))
    assert told.put("x", {}) == {"a": 1}


@heals("check the address and that the service runs")
def test_a_service_that_is_started(remedy: Told) -> None:
    """At the address where nobody listened."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    remedy.fails(lambda: Transport("the studio", url).post("x"))
    play(Service(FINE), url)
    assert Transport("the studio", url).post("x") == {"a": 1}


@heals("check that the address is the service's own, then run it again", at="clients/http/answers.py")
@heals("check that the address is the service's own, then run it again", at=TRANSPORT)
def test_an_answer_that_says_nothing(remedy: Told) -> None:
    """Another service's."""
    service = transport(Service((200, {}), (200, []), (200, {"id": "7"})))
    remedy.fails(lambda: text(service.object("GET", "x"), "id"))
    remedy.fails(lambda: text(service.object("GET", "x"), "id"))
    assert text(service.object("GET", "x"), "id") == "7"


WITHOUT_DESCRIPTORS = """
import os, resource, sys
import requests.adapters, stamina
from clients.errors import Unreachable
from clients.http.transport import Transport
stamina.set_testing(True, attempts=1, cap=True)
service = Transport("the service", sys.argv[1])
service.get("x")
from clients.http import connections
connections.SESSION.close()
held = [os.open(os.devnull, os.O_RDONLY)]
resource.setrlimit(resource.RLIMIT_NOFILE, (held[0] + 1, 1024))
try:
    service.get("x")
except Unreachable as error:
    print(error)
resource.setrlimit(resource.RLIMIT_NOFILE, (1024, 1024))
print(service.get("x"))
"""


@heals("raise the limit (ulimit -n 1024), then run it again")
def test_a_want_of_file_descriptors(remedy: Told, server: Any) -> None:
    """In a process of its own, with a real limit."""
    assert resource.getrlimit(resource.RLIMIT_NOFILE)[1] >= 1024
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT_DESCRIPTORS, server.url], capture_output=True, text=True, check=True
    )
    remedy(done.stdout)
    assert done.stdout.endswith("{}\n")


# Resource Manager's operations


@heals("wait until that is done, then run the update again")
def test_another_operation_that_ends(remedy: Told) -> None:
    """After which the change is made."""
    arm, service, _clock = manager(BUSY)
    remedy.fails(lambda: arm.put("/things/a", {}, "the thing 'a'"))
    service.answers = [(200, thing("Succeeded"))]
    arm.put("/things/a", {}, "the thing 'a'")


@pytest.mark.parametrize(
    "ends",
    [
        pytest.param(
            {"status": "Failed", "error": {"code": "NoRoom", "message": "full"}},
            marks=heals("correct what the message names, then run the update again", at=OPERATIONS),
        ),
        pytest.param({"what": "ever"}, marks=heals("look at the resource, then run the update again")),
    ],
)
def test_an_operation_that_ended_badly(remedy: Told, ends: Any) -> None:
    """The next one ends well."""
    arm, service, _clock = manager((202, b"", A), (200, ends))
    remedy.fails(lambda: arm.put("/things/a", {}, "the thing 'a'"))
    service.answers = [(202, b"", A), (200, {"status": "Succeeded"})]
    arm.put("/things/a", {}, "the thing 'a'")


@heals("check the address of Resource Manager: the link must be to the same host and scheme")
def test_a_link_to_another_host(remedy: Told) -> None:
    """Asked at its own address, the link leads there too."""
    arm, _service, _clock = manager((202, b"", {"Location": "http://elsewhere/1"}))
    remedy.fails(lambda: arm.put("/things/a", {}, "the thing 'a'"))
    arm, _service, _clock = manager((202, b"", {"Location": "http://studio/1"}), (200, thing("Succeeded")))
    arm.put("/things/a", {}, "the thing 'a'")


@heals("look at the service, then run the update again: it waits anew")
def test_a_wait_that_came_to_its_end(remedy: Told) -> None:
    """The next one has a deadline of its own."""
    clock, ends = ManualClock(), 900.0

    def once_more() -> bool:
        return wait(lambda _: clock.monotonic() >= ends or None, what="x", deadline=500, clock=clock)

    remedy.fails(once_more)
    assert once_more()


# Storage


class Storage(HTTPAdapter):
    """A storage account that answers what it is told, in order."""

    def __init__(self, *answers: Any) -> None:
        super().__init__()
        self.answers = list(answers)

    def send(self, request: Any, *_arguments: Any, **_options: Any) -> Response:
        status, code, *headers = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        answer = Response()
        answer.status_code, answer.request, answer.url, answer.raw = (
            status,
            request,
            request.url,
            io.BytesIO(b""),
        )
        answer.headers.update({"x-ms-error-code": code} if code else {"ETag": '"1"', "Content-Length": "0"})
        answer.headers.update(headers[0] if headers else {})
        return answer


def container(*answers: Any, name: str = "data", account: str = ACCOUNT) -> Container:
    connections.SESSION.mount("http://127.0.0.1:9", Storage(*answers))
    return Container(f"{account};BlobEndpoint={AT}", name, "start it")


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param((404, "ContainerNotFound"), marks=heals("create it and fill it (locally: ./dev cloud start)")),
        pytest.param((404, "BlobNotFound"), marks=heals("check its name")),
        pytest.param((412, "ConditionNotMet"), marks=heals("run the update again", at=CONTAINER)),
        pytest.param((409, "BlobAlreadyExists"), marks=heals("run the update again", at=CONTAINER)),
        pytest.param((409, "BlobArchived"), marks=heals("move it to another tier, such as Cool, wait until it is there, then run it again")),
        pytest.param((409, "BlobImmutableDueToPolicy"), marks=heals("end that policy or hold, then run the update again")),
        pytest.param((403, "AuthorizationFailure"), marks=heals("let this machine through the storage account's network rules")),
        pytest.param((403, "AuthorizationPermissionMismatch"), marks=heals("give a signature that may read, write, list and delete")),
        pytest.param((412, "LeaseIdMissing"), marks=heals("end the lease, then run the update again")),
        pytest.param((403, "AuthenticationFailed"), marks=heals("check the storage credential (locally: ./dev cloud stop, then ./dev cloud start)")),
    ],
)  # fmt: skip
def test_a_refusal_of_storage(remedy: Told, answer: Any) -> None:
    """By its code; once its reason is gone the same blob is written."""
    found = container(answer, (201, ""))
    remedy.fails(lambda: found.write("a", b"", etag='"1"'))
    assert found.write("a", b"", etag='"1"') == '"1"'


@pytest.mark.parametrize(
    ("wrong", "right"),
    [
        pytest.param("", "data", marks=heals("check it, and the container's name")),
        pytest.param(
            "SharedAccessSignature=sv=1",
            ACCOUNT,
            marks=heals("give a connection string with AccountName and AccountKey"),
        ),
    ],
)
def test_a_connection_string(remedy: Told, wrong: str, right: str) -> None:
    """With all that it takes."""

    def act(given: str) -> object:
        account = given if "=" in given else ACCOUNT
        return container((200, ""), name="data" if "=" in given else given, account=account).readable("a")

    remedy.fails(lambda: act(wrong))
    act(right)


# Classic web services, jobs, scores


@heals("look at the experiment, then run the update again")
def test_a_deployment_that_failed(remedy: Told) -> None:
    """The corrected experiment is deployed."""
    said = {"ExperimentId": "e", "ActivityId": "1", "WebServiceGroupId": "w", "EndpointId": "d"}
    failed, done = (200, said | {"Status": "Failed"}), (200, said | {"Status": "Completed"})
    studio = Publishing(transport(Service((200, said), failed, (200, said), done)), "w", ManualClock())
    remedy.fails(lambda: studio.publish("flights", {}, {}))
    assert studio.publish("flights", {}, {}).service == "w"


@heals("run ./dev refresh, then ./dev up", at="clients/studio_classic/bindings.py")
def test_an_endpoint_that_is_made_again(remedy: Told) -> None:
    """A refresh drops what is gone from the state, and the next update makes it."""
    bindings = StudioBindings(transport(Service((404, {}), (200, {"Resources": []}))), "endpoints/live", None)
    remedy.fails(bindings.read)
    assert bindings.read() == []


@heals("look at the job at the service; nothing was bound")
def test_a_job_in_an_odd_state(remedy: Told) -> None:
    """Its next state is known."""
    jobs = StudioJobs(transport(Service((200, {"StatusCode": "Odd"}), (200, {"StatusCode": "Running"}))))
    remedy.fails(lambda: jobs.status("j"))
    assert jobs.status("j")


@heals("run the update again", at="clients/studio_data_plane/jobs.py")
def test_a_result_that_is_fetched_again(remedy: Told) -> None:
    """Storage answers again."""
    result = BlobRef("http://b/", "c/x", "?s")
    jobs = StudioJobs(transport(Service(FINE)))
    play(Service(connections_error()), "http://b/")
    remedy.fails(lambda: jobs.fetch(result))
    play(Service((200, b"model")), "http://b/")
    assert jobs.fetch(result) == b"model"


def connections_error() -> Exception:
    import requests

    return requests.ConnectionError("reset")


@heals("look at the predictive experiment's output")
def test_an_output_that_is_a_table(remedy: Told) -> None:
    """Published anew, it scores."""
    table = {"value": {"ColumnNames": ["p"], "Values": [["0.5"]]}}
    service = transport(Service((200, {"Results": {}}), (200, {"Results": {"output1": table}})))
    remedy.fails(lambda: StudioScoring(service).score([{"a": 1}]))
    assert StudioScoring(service).score([{"a": 1}]) == [{"p": "0.5"}]


# What a target has


def target(*answers: Any) -> Target:
    play(Service(*answers), "http://arm/")
    found = resolve_target(
        "environment", {"RETRAIN_STORAGE_CONNECTION_STRING": f"{ACCOUNT};BlobEndpoint={AT}"}
    )
    return replace(found, arm=Transport("ARM", "http://arm/"))


@heals("name one of these, by its name or its resource id")
def test_a_workspace_by_its_name(remedy: Told) -> None:
    """One that the error names."""
    subscriptions = (200, {"value": [{"subscriptionId": "s"}]})
    id_ = f"{SUBSCRIPTION}/resourceGroups/g/providers/Microsoft.MachineLearning/workspaces/prices"
    found = (200, {"value": [{"id": id_, "name": "prices", "properties": {"workspaceId": "1" * 32}}]})
    none = (200, {"value": []})
    place = target(subscriptions, none, found, subscriptions, found, subscriptions, none, found)
    error = remedy.fails(lambda: Inventory(place, ManualClock()).workspaces("pirces"))
    assert "prices" in error.cause
    assert Inventory(place, ManualClock()).workspaces("prices")


@heals("sign in where the account is, or move the service to another: ./dev definition export, then import")
def test_an_account_of_another_subscription(remedy: Told) -> None:
    """Signed in there, its key is read; a service of our own account needs none."""
    account = {"id": f"{SUBSCRIPTION}/x", "name": "theirs"}
    keys = (200, {"keys": [{"value": "a2V5"}]})
    place = target((200, {"value": []}), (200, {"value": [account]}), keys)
    remedy.fails(lambda: Blobs(place, "s").key("theirs"))
    assert Blobs(place, "s").key("theirs").key == "a2V5"
    assert Blobs(place, "s").key("a").name == "a"


@heals("check the address and the network", at="clients/storage/blobs.py")
def test_a_blob_behind_a_signature(remedy: Told) -> None:
    """At the address where it is."""
    place = target(FINE)
    play(Service(connections_error()), "http://gone/")
    play(Service((200, b"x")), "http://there/")
    remedy.fails(lambda: Blobs(place, "s").read("http://gone/c/x?sig=s"))
    assert Blobs(place, "s").read("http://there/c/x?sig=s") == b"x"


@heals("publish the web service again from its exported definition: ./dev definition import")
def test_the_large_part_of_a_definition(remedy: Told) -> None:
    """Written anew, it is read."""
    store = WebServiceStore(
        target(FINE), {"resource": f"{SUBSCRIPTION}/resourceGroups/g", "id": ""}, ManualClock()
    )
    definition = {
        "properties": {"payloadsInBlobStorage": True, "payloadsLocation": {"uri": "http://b/c/x?sig=s"}}
    }
    play(Service((200, b"half"), (200, json.dumps({"package": {}}).encode())), "http://b/")
    remedy.fails(lambda: store.whole(definition))
    assert store.whole(definition)["properties"]["package"] == {}


@pytest.mark.parametrize(
    ("name", "at", "act"),
    [
        pytest.param(
            "RETRAIN_STUDIO_URL",
            "http://studio",
            lambda found: found.studio("w").get("x"),
            marks=heals("check RETRAIN_STUDIO_URL and that the service runs"),
        ),
        pytest.param(
            "RETRAIN_ARM_URL",
            "http://arm",
            lambda found: replace(found.arm, authorize=dict).get("x"),
            marks=heals("check RETRAIN_ARM_URL and the network"),
        ),
    ],
)
def test_the_address_of_a_service(remedy: Told, name: str, at: str, act: Callable[[Target], object]) -> None:
    """Where it answers."""
    env = {"RETRAIN_STORAGE_CONNECTION_STRING": ACCOUNT, "RETRAIN_WORKSPACE_TOKEN": "t"}
    play(Service(connections_error()), "http://gone")
    play(Service(FINE), at)
    remedy.fails(lambda: act(resolve_target("environment", env | {name: "http://gone"})))
    assert act(resolve_target("environment", env | {name: at})) == {"a": 1}


@heals("set RETRAIN_WORKSPACE_TOKEN to a token of this workspace, or unset it to have it read")
@pytest.mark.parametrize("token", ["right", None])
def test_a_workspaces_token(remedy: Told, token: str | None) -> None:
    """Given, or read."""
    env = {"RETRAIN_STORAGE_CONNECTION_STRING": ACCOUNT, "RETRAIN_STUDIO_URL": "http://studio"}
    play(Service((401, {}), FINE), "http://studio")
    play(Service((200, {"primaryToken": "read"})), "http://arm/")
    wrong = resolve_target("environment", env | {"RETRAIN_WORKSPACE_TOKEN": "wrong"})
    remedy.fails(lambda: wrong.studio("w").get("x"))
    found = resolve_target("environment", env | ({"RETRAIN_WORKSPACE_TOKEN": token} if token else {}))
    found = replace(found, arm=Transport("ARM", "http://arm/"))
    assert found.studio("/subscriptions/s/w").get("x") == {"a": 1}
    assert found.workspace_token == token
