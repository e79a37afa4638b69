"""Faults of the answer, over sockets: what the client sees, what the service did, what the journal says."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import requests
from azure.core.exceptions import HttpResponseError, ServiceRequestError, ServiceResponseError
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from localcloud.facilities.journal import Journal, JournalMiddleware
from localcloud.facilities.store import Store
from localcloud.faults.errors import ConnectionDropped
from localcloud.faults.middleware import FaultsMiddleware
from localcloud.faults.rules import FaultRule
from localcloud.faults.state import Faults
from tests.faults.conftest import Houses
from tests.studio.running import ARM_TOKEN, SUBSCRIPTION
from tests.studio.shared import Shared

GROUP = f"/subscriptions/{SUBSCRIPTION}/resourceGroups"
ARM = {"api-version": "2021-04-01"}
BEARER = {"Authorization": f"Bearer {ARM_TOKEN}"}


@pytest.fixture
def client() -> Iterator[requests.Session]:
    with requests.Session() as session:
        session.trust_env = False
        session.headers.update(BEARER)
        yield session


def put_group(client: requests.Session, studio: Shared, name: str) -> requests.Response:
    body = {"location": "westeurope"}
    return client.put(f"{studio.url}{GROUP}/{name}", params=ARM, json=body, timeout=10)


def groups(client: requests.Session, studio: Shared) -> set[str]:
    answer = client.get(f"{studio.url}{GROUP}", params=ARM, timeout=10).json()
    return {group["name"] for group in answer["value"]}


@pytest.mark.parametrize("status", [429, 500, 503])
@pytest.mark.parametrize("retry_after", [None, 7])
def test_a_status_before_the_request_is_carried_out(
    studio: Shared, client: requests.Session, status: int, retry_after: int | None
) -> None:
    """The envelope with code, message and details, Retry-After as asked, and nothing was done."""
    studio.faults(
        {"kind": "status", "status": status, "retryAfter": retry_after, "method": "PUT", "path": f"{GROUP}/*"}
    )
    name = f"refused-{status}-{retry_after}"
    answer = put_group(client, studio, name)
    assert answer.status_code == status
    assert answer.headers.get("Retry-After") == (None if retry_after is None else "7")
    assert answer.headers["x-ms-request-id"]
    error = answer.json()["error"]
    assert set(error) == {"code", "message", "details"}
    assert error["details"][0]["code"] == error["code"]
    assert name not in groups(client, studio)
    [entry] = studio.faulted()
    assert (entry["status"], entry["fault"], entry["effect"]) == (status, "status", "write")
    assert "served" not in entry


def test_a_status_after_the_request_was_carried_out(studio: Shared, client: requests.Session) -> None:
    """The client is refused, the group is there, and the journal has both statuses."""
    studio.faults({"kind": "status", "status": 503, "when": "after", "method": "PUT", "count": 1})
    assert put_group(client, studio, "done-after-all").status_code == 503
    assert "done-after-all" in groups(client, studio)
    [entry] = studio.faulted()
    assert (entry["status"], entry["served"], entry["fault"]) == (503, 201, "status")


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_dropped_answer(studio: Shared, client: requests.Session, when: str) -> None:
    """The connection ends without an answer, and the group is made, or not; the journal has status 0."""
    studio.faults({"kind": "drop", "when": when, "method": "PUT", "count": 1})
    name = f"dropped-{when}"
    with pytest.raises(requests.ConnectionError, match="without response"):
        put_group(client, studio, name)
    assert (name in groups(client, studio)) == (when == "after")
    [entry] = studio.faulted()
    assert (entry["status"], entry["fault"]) == (0, "drop")
    assert entry.get("served") == (201 if when == "after" else None)
    assert studio.fired() == [1]
    assert "Traceback" not in studio.log


def test_a_half_sent_answer(studio: Shared, client: requests.Session) -> None:
    """All of the head, half of the body, then the end of the connection."""
    put_group(client, studio, "half")
    whole = client.get(f"{studio.url}{GROUP}/half", params=ARM, timeout=10)
    studio.faults({"kind": "truncate", "method": "GET", "path": f"{GROUP}/half"})
    with client.get(f"{studio.url}{GROUP}/half", params=ARM, timeout=10, stream=True) as answer:
        assert answer.status_code == 200
        assert int(answer.headers["Content-Length"]) == len(whole.content)
        assert answer.raw.read(len(whole.content) // 2) == whole.content[: len(whole.content) // 2]
        with pytest.raises(requests.exceptions.ChunkedEncodingError, match="more expected"):
            _ = answer.content
    with pytest.raises(requests.exceptions.ChunkedEncodingError):
        client.get(f"{studio.url}{GROUP}/half", params=ARM, timeout=10)
    assert [(entry["status"], entry["fault"]) for entry in studio.faulted()] == [(200, "truncate")] * 2
    assert "Traceback" not in studio.log


def test_an_answer_without_a_body_cannot_be_cut_in_half(studio: Shared, client: requests.Session) -> None:
    """It isn't sent at all, though what was asked is done."""
    put_group(client, studio, "empty")
    studio.faults({"kind": "truncate", "method": "HEAD"})
    with pytest.raises(requests.ConnectionError):
        client.head(f"{studio.url}{GROUP}/empty", params=ARM, timeout=10)
    [entry] = studio.faulted()
    assert (entry["status"], entry["served"], entry["fault"]) == (0, 204, "truncate")


def test_a_delay(studio: Shared, client: requests.Session) -> None:
    """The answer comes all the same, once; how long it waits is the rules' (`test_faults_rules.py`)."""
    studio.faults({"kind": "latency", "seconds": 0.01, "method": "PUT", "count": 1})
    assert put_group(client, studio, "slow").status_code == 201
    [entry] = studio.faulted()
    assert (entry["status"], entry["fault"]) == (201, "latency")
    assert put_group(client, studio, "slow").status_code == 200
    assert studio.fired() == [1]


def test_faults_of_scoring_management_and_jobs(studio: Shared, trained: Houses) -> None:
    """Every API of the port can be told to fail, each by its path."""
    endpoint = trained.workspace.endpoint(trained.service)
    for method, path, call in (
        ("POST", "*/execute", lambda: endpoint.score(100)),
        ("GET", "*/webservices", lambda: trained.workspace.manage("GET")),
        ("POST", "*/jobs", lambda: trained.training.submit(trained.order())),
        ("GET", "/api/*", lambda: trained.workspace.api("GET", "experiments")),
    ):
        studio.faults({"kind": "status", "status": 500, "method": method, "path": path, "count": 1})
        assert [call().status_code for _ in range(2)] == [500, 200], path


def test_nothing_below_local_meets_a_fault(studio: Shared) -> None:
    """A studio that drops everything can still be asked for its journal and told to stop."""
    studio.faults({"kind": "drop"})
    assert studio.http.get(f"{studio.url}/_local/health").status_code == 200
    assert studio.journal() == []
    assert studio.fired() == [0]
    studio.quiet()
    assert studio.http.get(f"{studio.url}/_local/faults").json() == {"seed": 0, "rules": [], "later": 0}


def test_a_blob_operation_that_is_refused(studio: Shared) -> None:
    """The blob service's own form of error, before or after the blob was written."""
    for when, written in (("before", False), ("after", True)):
        studio.forget()
        studio.faults(
            {
                "kind": "status",
                "status": 503,
                "retryAfter": 1,
                "when": when,
                "service": "blob",
                "method": "PUT",
            }
        )
        with studio.blobs() as service:
            blob = service.get_blob_client("data", f"refused-{when}")
            with pytest.raises(HttpResponseError) as refused:
                blob.upload_blob(b"bytes")
            assert refused.value.error_code == "ServerBusy"
            assert refused.value.response is not None
            assert refused.value.response.headers["Retry-After"] == "1"
            assert blob.exists() == written
        [entry] = studio.faulted()
        assert (entry["status"], entry["fault"], entry["service"]) == (503, "status", "blob")
        assert entry.get("served") == (201 if written else None)


def test_a_blob_operation_that_is_not_answered(studio: Shared) -> None:
    """The connection is closed, before or after the blob was written."""
    for when, written in (("before", False), ("after", True)):
        studio.forget()
        studio.faults({"kind": "drop", "when": when, "path": "/*/data/dropped-*", "method": "PUT"})
        with studio.blobs() as service:
            blob = service.get_blob_client("data", f"dropped-{when}")
            with pytest.raises((ServiceRequestError, ServiceResponseError)):
                blob.upload_blob(b"bytes")
            assert blob.exists() == written
        assert {(entry["status"], entry.get("served")) for entry in studio.faulted()} == {
            (0, 201 if written else None)
        }


def test_a_blob_and_a_list_of_blobs_that_are_half_sent(studio: Shared, client: requests.Session) -> None:
    """Half of the bytes under the whole length, also where the blob store would send chunks."""
    studio.upload("data", "half/way", b"0123456789")
    studio.forget()
    studio.faults({"kind": "truncate", "service": "blob", "method": "GET"})
    with studio.blobs() as service:
        url = service.get_blob_client("data", "half/way").url
        credential = service.credential
        assert credential is not None
        with pytest.raises(HttpResponseError, match=r"(?i)incomplete|more expected"):
            service.get_blob_client("data", "half/way").download_blob().readall()
        with pytest.raises(HttpResponseError, match=r"(?i)incomplete|more expected"):
            list(service.get_container_client("data").list_blobs())
    assert {entry["status"] for entry in studio.faulted()} <= {200, 206}
    assert all(entry["fault"] == "truncate" for entry in studio.faulted())
    with pytest.raises(requests.exceptions.ChunkedEncodingError):
        client.get(url, headers={"Authorization": ""}, timeout=10)


def test_a_body_that_waits_for_its_continue(studio: Shared) -> None:
    """A client that asks before it sends is refused at once, or is told to go on and then dropped."""
    for when in ("before", "after"):
        studio.faults({"kind": "status", "status": 500, "when": when, "service": "blob"})
        received = asyncio.run(_expecting(studio.blob_port))
        assert (b"100" in received.split(b"\r\n")[0]) == (when == "after")
        assert b" 500 " in received


async def _expecting(port: int) -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    head = b"PUT /retrainlocal/data/b HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\nExpect: 100-continue\r\n"
    writer.write(head + b"Connection: close\r\n\r\n")
    received = await reader.readuntil(b"\r\n\r\n")
    if b"100" in received.split(b"\r\n")[0]:
        writer.write(b"abc")
    received += await reader.read()
    writer.close()
    await writer.wait_closed()
    return received


def test_the_same_history_again(studio: Shared, client: requests.Session) -> None:
    """Twice the same seed and the same requests: the same statuses in the same places."""
    seen = []
    for _ in range(2):
        studio.faults({"kind": "status", "status": 429, "path": f"{GROUP}/*", "probability": 0.5}, seed=11)
        seen.append([put_group(client, studio, f"again-{n}").status_code == 429 for n in range(12)])
    assert seen[0] == seen[1]
    assert len(set(seen[0])) == 2


class InProcess:
    """An application behind journal and faults, without a socket."""

    def __init__(self, store: Store) -> None:
        async def answer(request: Request) -> Response:
            self.bodies.append(await request.body())
            return JSONResponse({"answer": "whole"})

        async def fail(request: Request) -> Response:
            raise LookupError(request.url.path)

        self.bodies: list[bytes] = []
        self.faults = Faults()
        self.journal = Journal(store)
        routes = [Route("/fails", fail, methods=["POST"]), Route("/{name}", answer, methods=["POST"])]
        self.app = JournalMiddleware(FaultsMiddleware(Starlette(routes=routes), self.faults), self.journal)

    def post(self, path: str) -> httpx.Response:
        async def call() -> httpx.Response:
            async with httpx.AsyncClient(
                transport=httpx.ASGITransport(self.app), base_url="http://studio.test"
            ) as http:
                return await http.post(path, content=b"asked")

        return asyncio.run(call())


@pytest.fixture
def within(tmp_path: Path) -> Iterator[InProcess]:
    store = Store(tmp_path / "data")
    yield InProcess(store)
    store.close()


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_dropped_call_within_the_process_raises(within: InProcess, when: str) -> None:
    """Where there is no connection to close, its user gets an error that is one of connections."""
    within.faults.replace(0, [FaultRule("drop", when=when)])
    with pytest.raises(ConnectionDropped):
        within.post("/one")
    assert within.bodies == ([b"asked"] if when == "after" else [])
    assert within.journal.entries()[0]["status"] == 0


def test_two_faults_of_one_call_are_both_journalled(within: InProcess) -> None:
    """A status after a delay: both kinds, joined by a plus."""
    within.faults.replace(0, [FaultRule("latency", seconds=0), FaultRule("status", status=500, when="after")])
    assert within.post("/one").status_code == 500
    [entry] = within.journal.entries()
    assert (entry["fault"], entry["served"]) == ("latency+status", 200)


def test_a_handler_that_fails_is_refused_all_the_same(within: InProcess) -> None:
    """The service's own 500 is what it answered; the client sees the status of the rule."""
    within.faults.replace(0, [FaultRule("status", status=503, when="after")])
    assert within.post("/fails").status_code == 503
    assert within.journal.entries()[0]["served"] == 500


def test_a_call_that_meets_no_fault_has_no_mark(within: InProcess) -> None:
    """Neither `fault` nor `served` is in its entry."""
    within.faults.replace(0, [FaultRule("drop", path="/two")])
    assert within.post("/one").json() == {"answer": "whole"}
    entry: dict[str, Any] = dict(within.journal.entries()[0])
    assert set(entry) == {"id", "at", "method", "path", "status", "effect", "service"}


def test_a_journal_from_before_there_were_faults_is_kept(tmp_path: Path) -> None:
    """A database of the first format gets the new columns; its entries stay as they were."""
    store = Store(tmp_path)
    Journal(store).record("2026-01-01T00:00:00.000Z", "PUT", "/old", 201, "studio")
    with store.transaction() as connection:
        for column in ("fault", "served"):
            connection.execute(f"ALTER TABLE journal DROP COLUMN {column}")
        connection.execute("PRAGMA user_version=1")
    store.close()
    store = Store(tmp_path)
    journal = Journal(store)
    journal.record("2026-01-02T00:00:00.000Z", "PUT", "/new", 0, "blob", faults=("drop",), served=201)
    assert [(one["path"], one.get("fault"), one.get("served")) for one in journal.entries()] == [
        ("/old", None, None),
        ("/new", "drop", 201),
    ]
    store.close()
