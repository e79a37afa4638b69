"""What Resource Manager goes on with after its answer: followed to its end, whichever way it is told."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import grpc
import pytest
from google.protobuf import empty_pb2
from pulumi.runtime.proto import provider_pb2, status_pb2
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from localcloud.azure_native.server import Server
from localcloud.azure_native.wire import decode, encode
from tests.azure_native.conftest import SUBSCRIPTION, Engine, Listener, urn_of, write_cloud_file
from tests.healing import Told
from tests.waiting import DEADLINE

SIGNED = "t=1&c=2&s=signature-of-the-operation&h=3"
ID = (
    f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg/providers"
    "/Microsoft.MachineLearningServices/workspaces/mlw"
)
URN = urn_of("machinelearningservices:Workspace")
INPUTS = {"resourceGroupName": "rg", "workspaceName": "mlw", "location": "westeurope"}


@dataclass
class Script:
    """How an operation is answered: status and headers of the call, then what its address says, one by one."""

    status: int
    header: str
    says: list[Any]
    where: str = ""
    there: bool = False
    asked: list[str] = field(default_factory=list)
    methods: list[str] = field(default_factory=list)
    waiting: threading.Event = field(default_factory=threading.Event)


class Service:
    """A Resource Manager that does what a script says."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.script = Script(200, "", [])

    def app(self) -> Starlette:
        """Its application."""
        return Starlette(
            routes=[
                Route("/operations/one", self._operation),
                Route("/{rest:path}", self._resource, methods=["GET", "PUT", "DELETE"]),
            ]
        )

    async def _operation(self, request: Request) -> Response:
        script = self.script
        script.asked.append(f"{request.url.query} {request.headers['authorization'][:7]}")
        script.waiting.set()
        said = script.says.pop(0) if len(script.says) > 1 else script.says[0]
        return Response(status_code=said) if isinstance(said, int) else JSONResponse(said)

    async def _resource(self, request: Request) -> Response:
        script = self.script
        script.methods.append(request.method)
        if request.method == "GET":
            if not script.there:
                return JSONResponse({"error": {"code": "ResourceNotFound", "message": "none"}}, 404)
            return JSONResponse({"id": ID, "name": "mlw", "systemData": {"createdBy": URN}})
        script.there = request.method == "PUT"
        headers = {script.header: script.where or f"{self.url}/operations/one?{SIGNED}"}
        headers.setdefault("Location", f"{self.url}/nothing-of-the-kind")
        return JSONResponse({"id": ID}, script.status, headers)


@pytest.fixture
def service(listener: Listener) -> Service:
    """The scripted service."""
    made = Service(listener.url)
    listener.app = made.app()
    return made


@pytest.fixture
def run(service: Service, tmp_path: Path) -> Iterator[Engine]:
    """A run whose provider speaks to it."""
    server = Server(write_cloud_file(tmp_path / "cloud.json", service.url))
    server.start()
    engine = Engine(server.port)
    yield engine
    engine.channel.close()
    server.stop()


def status(word: str, **error: Any) -> dict[str, Any]:
    """An operation's document."""
    return {"status": word, "percentComplete": 0.0, **({"error": error} if error else {})}


def failure(act: Callable[[], object]) -> grpc.RpcError:
    """What the engine is told."""
    with pytest.raises(grpc.RpcError) as caught:
        act()
    return caught.value


def kept(error: Any) -> Any:
    """What the engine keeps of a resource that is there but failed."""
    found = provider_pb2.ErrorResourceInitFailed()
    for key, value in error.trailing_metadata():
        if key == "grpc-status-details-bin":
            assert status_pb2.Status.FromString(value).details[0].Unpack(found)
    return found


@pytest.mark.parametrize(
    ("answer", "header", "says"),
    [
        (201, "Azure-AsyncOperation", [status("InProgress"), status("Updating"), status("Succeeded")]),
        (202, "Azure-AsyncOperation", [status("Creating"), status("Succeeded")]),
        (202, "Location", [202, 202, 200]),
        (202, "Location", [202, 204]),
    ],
)
def test_a_put_is_waited_for(
    service: Service, run: Engine, answer: int, header: str, says: list[Any]
) -> None:
    """Either header, with the signature and the token; then the resource is read. The address is in no state."""
    service.script = Script(answer, header, list(says))
    id_, outputs = run.create(URN, INPUTS)
    assert (id_, outputs["name"]) == (ID, "mlw")
    assert service.script.asked == [f"{SIGNED} Bearer "] * len(says)
    assert service.script.methods == ["GET", "PUT", "GET"]
    assert "signature" not in str(outputs)


def test_a_created_resource_may_be_its_own_location(service: Service, run: Engine) -> None:
    """201 with `Location` only: that is where the resource is, not an operation."""
    service.script = Script(201, "Location", [500])
    assert run.create(URN, INPUTS)[0] == ID
    assert service.script.asked == []


@pytest.mark.parametrize("header", ["Azure-AsyncOperation", "Location"])
def test_a_delete_is_waited_for(service: Service, run: Engine, header: str) -> None:
    """Also where the resource is gone from its address already."""
    says = [202, 204] if header == "Location" else [status("InProgress"), status("Succeeded")]
    service.script = Script(202, header, says, there=True)
    run.delete(URN, ID)
    assert len(service.script.asked) == 2


def test_a_failed_operation_is_the_services_own_error(service: Service, run: Engine) -> None:
    """Its code and message; the engine keeps the resource that is there, so that the next run goes on with it."""
    error = {"code": "OutOfQuota", "message": "Not enough quota available\nfor Standard_DS3_v2."}
    service.script = Script(201, "Azure-AsyncOperation", [status("InProgress"), status("Failed", **error)])
    told = failure(lambda: run.create(URN, INPUTS))
    assert told.details().startswith("OutOfQuota: Not enough quota available for Standard_DS3_v2.\nremedy: ")
    assert "signature" not in told.details()
    found = kept(told)
    assert (found.id, decode(found.inputs), decode(found.properties)["name"]) == (ID, INPUTS, "mlw")
    assert "OutOfQuota" in found.reasons[0]
    service.script = Script(202, "Location", [202, 200], there=True)
    assert run.update(URN, ID, decode(found.properties), {**INPUTS, "tags": {"a": "b"}})["name"] == "mlw"


def test_a_cancelled_operation_has_no_error_of_its_own(service: Service, run: Engine) -> None:
    """It is named for what it is."""
    service.script = Script(202, "Azure-AsyncOperation", [status("Canceled")])
    assert failure(lambda: run.create(URN, INPUTS)).details().startswith("OperationCanceled: ")


def test_a_failed_delete_is_an_error(service: Service, run: Engine) -> None:
    """What is still there stays in the state."""
    error = {"code": "Conflict", "message": "it has traffic"}
    service.script = Script(202, "Azure-AsyncOperation", [status("Failed", **error)], there=True)
    assert failure(lambda: run.delete(URN, ID)).details().startswith("Conflict: it has traffic")


def test_the_token_goes_nowhere_else(service: Service, run: Engine) -> None:
    """An operation's address at another host is not asked."""
    service.script = Script(202, "Location", [200], where="http://127.0.0.1:9/operations/one")
    told = failure(lambda: run.create(URN, INPUTS))
    assert "not at this local cloud" in told.details()
    assert "127.0.0.1:9" not in told.details()


@pytest.mark.heals("./dev up goes on where this run ended")
def test_a_run_that_is_stopped_waits_no_longer(remedy: Told, service: Service, run: Engine) -> None:
    """`Cancel` ends the wait; the resource stays in the state, and the next run goes on with it."""
    service.script = Script(202, "Azure-AsyncOperation", [status("InProgress")])
    waits = run.stub.Create.future(provider_pb2.CreateRequest(urn=URN, properties=encode(INPUTS)))
    assert service.script.waiting.wait(DEADLINE)
    run.stub.Cancel(empty_pb2.Empty())
    told = failure(lambda: waits.result(timeout=DEADLINE))
    remedy(told.details())
    assert kept(told).id == ID
    service.script = Script(202, "Location", [202, 200], there=True)
    run.configure()
    assert run.create(URN, INPUTS)[0] == ID


def test_a_timeout_of_the_program_is_kept(service: Service, run: Engine) -> None:
    """`custom_timeouts` says how long a create may take."""
    service.script = Script(202, "Location", [202])
    request = provider_pb2.CreateRequest(urn=URN, properties=encode(INPUTS), timeout=0.2)
    assert failure(lambda: run.stub.Create(request)).details().startswith("OperationNotFinished: ")
