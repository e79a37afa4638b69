"""The studio's parts by themselves: store, journal, log, references, values."""

from __future__ import annotations

import asyncio
import json
import logging
import math
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pandas as pd
import pytest
from starlette.types import ASGIApp

from graph import Rows, rows_of
from graph.data.values import coerce, coerced
from localcloud.blobs.locations import locate_blob
from localcloud.facilities.bodies import UnreadableBody, parse_json
from localcloud.facilities.cloud import Cloud
from localcloud.facilities.errors import BadArgument
from localcloud.facilities.journal import Journal, effect_of
from localcloud.facilities.logs import RedactingFormatter, redact
from localcloud.facilities.store import Store, StoreError
from localcloud.server.api_table import arm_table, table
from localcloud.server.app import create_app
from localcloud.studio.request_response.wire import rows_json, table_json
from localcloud.works import pace
from localcloud.works.batch.processes import ProcessPool
from localcloud.works.context import open_works
from localcloud.works.services import new_key

CLOUD = Cloud(
    blob="http://127.0.0.1:2/retrainlocal",
    azurite="http://127.0.0.1:3/retrainlocal",
    account="retrainlocal",
    account_key="a2V5",
    arm_token="token",
    subscription="s",
)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = Store(tmp_path / "data")
    yield opened
    opened.close()


def test_arm_documents_are_found_whatever_the_case_of_their_id(store: Store) -> None:
    """Another spelling replaces the same document; a list is by prefix."""
    store.arm_put("/subscriptions/S/resourceGroups/A", {"id": 1})
    store.arm_put("/SUBSCRIPTIONS/s/resourcegroups/a/", {"id": 2})
    assert store.arm_get("/subscriptions/s/RESOURCEGROUPS/A") == {"id": 2}
    assert store.arm_list("/subscriptions/S/") == [{"id": 2}]
    assert store.arm_list("/subscriptions/S/resourceGroups/%") == []
    store.arm_delete("/subscriptions/s/resourceGroups/a")
    assert store.arm_get("/subscriptions/S/resourceGroups/A") is None


def test_a_failed_transaction_leaves_no_trace(store: Store) -> None:
    """Nested blocks belong to the outermost one."""

    def fail() -> None:
        with store.transaction():
            store.create_workspace("w", "name", "p", "s")
            raise LookupError

    with pytest.raises(LookupError):
        fail()
    assert store.workspace("w") is None


def test_a_database_of_another_format_is_refused(tmp_path: Path) -> None:
    """Cause and remedy are given instead of a wrong guess."""
    store = Store(tmp_path)
    with store.transaction() as connection:
        connection.execute("PRAGMA user_version=99")
    store.close()
    with pytest.raises(StoreError) as refused:
        Store(tmp_path)
    assert "format 99" in refused.value.cause
    assert refused.value.remedy


def test_only_the_owner_may_read_the_database(store: Store) -> None:
    """It holds keys and tokens: 0700 around 0600."""
    assert stat.S_IMODE(store.data_dir.stat().st_mode) == 0o700
    assert stat.S_IMODE((store.data_dir / "studio.db").stat().st_mode) == 0o600


@pytest.mark.parametrize(
    ("method", "target", "effect"),
    [
        ("GET", "/workspaces/w/webservices", "read"),
        ("HEAD", "/account/c/b", "read"),
        ("OPTIONS", "/x", "read"),
        ("PUT", "/account/c/b?comp=block", "write"),
        ("PATCH", "/x", "write"),
        ("DELETE", "/x", "write"),
        ("MERGE", "/x", "write"),
        ("POST", "/workspaces/w/services/e/jobs?api-version=2.0", "write"),
        ("POST", "/workspaces/w/services/e/jobs/j/start?api-version=2.0", "write"),
        ("POST", "/workspaces/w/services/e/execute?api-version=2.0", "read"),
        ("POST", "/subscriptions/s/x/listWorkspaceKeys?api-version=2019-10-01", "read"),
        ("POST", "/subscriptions/s/x/listkeys", "read"),
        ("POST", "/tenant/oauth2/v2.0/token", "read"),
        ("POST", "/x/workspaces/w/datastores/d/listSecrets?api-version=1", "read"),
        ("POST", "/mlflow/v1.0/x/api/2.0/mlflow/runs/search", "read"),
        ("POST", "/mlflow/v1.0/x/api/2.0/mlflow/runs/log-batch", "write"),
        ("POST", "/x/onlineEndpoints/e/token?api-version=1", "read"),
        ("POST", "/x/onlineEndpoints/e/deployments/d/getLogs?api-version=1", "read"),
        ("POST", "/x/onlineEndpoints/e/regenerateKeys?api-version=1", "write"),
        ("POST", "/inference/westeurope/e/score", "read"),
        ("POST", "/account/?restype=service&comp=userdelegationkey", "read"),
        ("POST", "/account/?comp=batch", "write"),
        ("POST", "/x?note=/execute", "write"),
        ("PUT", "/workspaces/w/execute", "write"),
    ],
)
def test_effects_follow_method_and_path(method: str, target: str, effect: str) -> None:
    """Key, token and scoring calls change nothing; every other POST may."""
    assert effect_of(method, target) == effect


def test_writes_are_kept_before_reads_are_counted(store: Store) -> None:
    """Reads wait in memory, a write takes them along, in order; clearing empties both."""
    journal = Journal(store)
    journal.record("2024-01-01T00:00:00.001Z", "GET", "/a?sig=x&se=1", 200, "blob")
    assert store.rows("SELECT * FROM journal") == []
    journal.record("2024-01-01T00:00:00.002Z", "PUT", "/b", 201, "blob")
    assert [row["path"] for row in store.rows("SELECT path FROM journal ORDER BY id")] == [
        "/a?sig=***&se=1",
        "/b",
    ]
    journal.record("2024-01-01T00:00:00.000Z", "GET", "/c", 200, "studio")
    assert [entry["path"] for entry in journal.entries()] == ["/a?sig=***&se=1", "/b", "/c"]
    journal.clear()
    assert journal.entries() == []


def test_no_secret_reaches_the_log() -> None:
    """SAS, account key, bearer token and endpoint key go, in arguments and in tracebacks too."""
    key = new_key()
    text = redact(
        f"GET /x?sv=1&sig=abc%2B&se=2 AccountName=a;AccountKey={key};X=1 Authorization: Bearer s3cret key {key}"
    )
    assert text == (
        "GET /x?sv=1&sig=***&se=2 AccountName=a;AccountKey=***;X=1 Authorization: Bearer *** key ***"
    )
    try:
        raise ValueError("failed for ?sig=abc")
    except ValueError as error:
        record = logging.LogRecord("n", logging.ERROR, "p", 1, "%s", (f"Bearer {key}",), None)
        record.exc_info = (type(error), error, error.__traceback__)
        shown = RedactingFormatter().format(record)
    assert key not in shown
    assert "sig=abc" not in shown.replace('ValueError("failed for ?sig=abc")', "")


@pytest.mark.parametrize(
    ("reference", "expected"),
    [
        (
            {"ConnectionString": "AccountName=a;AccountKey=k", "RelativeLocation": "/cont/p/b.csv"},
            ("http://127.0.0.1:2/retrainlocal/", "cont/p/b.csv", "retrainlocal"),
        ),
        (
            {
                "connectionstring": "BlobEndpoint=http://h:1/other/;accountname=other;ACCOUNTKEY=k==",
                "relativeLocation": "cont/b.csv",
            },
            ("http://h:1/other/", "cont/b.csv", "other"),
        ),
        (
            {"BaseLocation": "http://h", "RelativeLocation": "cont/b.csv", "SasBlobToken": "sv=1"},
            ("http://h/", "cont/b.csv", ""),
        ),
        (
            {
                "ConnectionString": None,
                "BaseLocation": "http://h/",
                "RelativeLocation": "/b",
                "SasBlobToken": None,
            },
            ("http://h/", "b", ""),
        ),
    ],
)
def test_references_mean_one_blob(reference: dict[str, Any], expected: tuple[str, str, str]) -> None:
    """A named BlobEndpoint is honoured; without one the account is the local one; SAS parts concatenate."""
    location = locate_blob(reference, CLOUD, "input1")
    assert (location.base, location.relative, location.account) == expected
    if not location.key:
        assert location.read_url() in ("http://h/cont/b.csv?sv=1", "http://h/b")


@pytest.mark.parametrize(
    ("relative", "code"),
    [
        ("b.csv", "ContainerSegmentInvalid"),
        ("c/b.csv", "ContainerSegmentInvalid"),
        ("cont/" + "x" * 1025, "BlobNameTooLong"),
    ],
)
def test_places_that_no_blob_can_have_are_refused(relative: str, code: str) -> None:
    """A container has at least three characters, a blob's name at most 1024."""
    reference = {"ConnectionString": "AccountName=a;AccountKey=k", "RelativeLocation": relative}
    with pytest.raises(BadArgument) as refused:
        locate_blob(reference, CLOUD, "input1")
    assert refused.value.details[0].code == code


def test_secrets_of_a_reference_are_not_shown() -> None:
    """Its representation has neither key nor SAS."""
    reference = {"ConnectionString": "AccountName=a;AccountKey=c2VjcmV0", "RelativeLocation": "cont/b"}
    assert "c2VjcmV0" not in repr(locate_blob(reference, CLOUD, "x"))
    assert "a2V5" not in repr(CLOUD)


def test_values_are_written_as_dotnet_writes_them() -> None:
    """Strings throughout; whole doubles lose their fraction; missing text is null; JSON has no Infinity."""
    frame = pd.DataFrame(
        {
            "d": [1.0, 0.1, math.nan],
            "i": [1, 2, 3],
            "b": [True, False, True],
            "s": ["x", None, ""],
            "e": [math.inf, -math.inf, 1e-9],
        }
    )
    value = json.loads(table_json(frame, {"i": "Int64"}, details=True))["value"]
    assert value["Values"] == [
        ["1", "1", "True", "x", "Infinity"],
        ["0.1", "2", "False", None, "-Infinity"],
        ["NaN", "3", "True", "", "1e-09"],
    ]
    assert value["ColumnTypes"] == ["Double", "Int64", "Boolean", "String", "Double"]


def test_the_table_of_operations_says_what_each_does() -> None:
    """Every route has its row and its sentence."""
    rows = [line for line in table().splitlines() if line.startswith("| `")]
    assert (
        "| `POST /workspaces/{workspace}/services/{endpoint}/execute` | POST execute: score rows" in table()
    )
    assert len(rows) > 40
    assert [row for row in rows if row.endswith("|  |")] == []


def test_the_documentation_has_the_table_of_resource_manager() -> None:
    """docs/local-cloud.md shows the operations that are answered, and no others."""
    assert arm_table() in (Path(__file__).parents[2] / "docs" / "local-cloud.md").read_text()


def test_an_unexpected_failure_is_answered_with_the_envelope(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Inside a handler or around it, the client gets code, message and details; the log gets the traceback."""
    studio = open_works(CLOUD, tmp_path, executor=ProcessPool(0))

    def fail(*_arguments: object, **_named: object) -> None:
        raise OSError("the disk is full")

    try:
        client = httpx.Client(transport=InProcess(create_app(studio)), base_url="http://localhost")
        with client, monkeypatch.context() as patched:
            patched.setattr(studio.store, "workspace", fail)
            inside = client.get("/workspaces/w/webservices")
        with httpx.Client(transport=InProcess(create_app(studio)), base_url="http://localhost") as client:
            monkeypatch.setattr(studio.journal, "record", fail)
            around = client.get("/workspaces/w/webservices")
    finally:
        studio.scoring.shutdown()
        studio.store.close()
    for answer in (inside, around):
        assert answer.status_code == 500
        assert answer.json()["error"]["code"] == "InternalError"
        assert answer.json()["error"]["details"][0]["code"] == "UnknownError"
        assert "disk" not in answer.text
        assert answer.headers["x-ms-request-id"]
    assert "the disk is full" in caplog.text


class InProcess(httpx.BaseTransport):
    """Calls an ASGI application without a server; what it raises does not reach the client."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        async def call() -> httpx.Response:
            transport = httpx.ASGITransport(self._app, raise_app_exceptions=False)
            sent = httpx.Request(request.method, request.url, headers=request.headers, content=request.read())
            answer = await transport.handle_async_request(sent)
            return httpx.Response(answer.status_code, headers=answer.headers, content=await answer.aread())

        return asyncio.run(call())


@pytest.mark.parametrize("name", ["plain", 'a "quote"', "100 %s", "ü\n", "%(x)s"])
def test_answers_are_the_json_that_the_library_writes(name: str) -> None:
    """Rows written a column at a time are those that json writes of them, whatever names and values hold."""
    cells = [None, "", 'a"b\\', "\u2028é", "line\nend", "7 % of it"]
    rows = Rows(
        {name: cells, "n": [1, 2, 3, None, 5, 6], "d": [0.5, -0.0, 1e300, 2.0, None, 0.1]}, len(cells)
    )
    types = {name: "String", "n": "Int32", "d": "Double"}
    for frame in (coerced(rows, types), coerce(rows.frame(), types)):
        expected = json.dumps(rows_of(frame, types), ensure_ascii=False, separators=(",", ":"))
        assert rows_json(frame, types) == expected
        table = json.loads(table_json(frame, types, details=True))["value"]
        assert table["ColumnNames"] == [name, "n", "d"]
        assert table["ColumnTypes"] == ["String", "Int32", "Double"]
        assert table["Values"] == [list(row.values()) for row in json.loads(expected)]


@pytest.mark.parametrize("before", range(0, 60, 7))
@pytest.mark.parametrize("digits", [309, 310, 330, 4000])
def test_a_number_beyond_a_double_is_found_wherever_it_is(before: int, digits: int) -> None:
    """However the text lies, an integer of so many digits is refused with its place."""
    body = b'{"a": "' + b"x" * before + b'", "b": [1, ' + b"9" * digits + b"]}"
    with pytest.raises(UnreadableBody) as refused:
        parse_json(body)
    assert refused.value.place == "b[1]"


def test_only_requests_that_were_quick_are_answered_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """A larger request than any that was quick goes to a thread, and so do all after three slow ones."""
    seconds = iter([0.0, 0.0005, 0.0, 0.002, *[0.0, 0.002] * 3])
    monkeypatch.setattr(pace.time, "thread_time", lambda: next(seconds))
    scorer: Any = type("Scorer", (), {})()
    known = pace.Pace()
    assert not known.is_quick(scorer, 10)
    with known.measured(scorer, 100):
        pass
    assert known.is_quick(scorer, 100)
    assert not known.is_quick(scorer, 101)
    with known.measured(scorer, 5000):
        pass
    assert known.is_quick(scorer, 100)
    for _ in range(3):
        with known.measured(scorer, 100):
            pass
    assert not known.is_quick(scorer, 100)
    assert known.is_quick(scorer, 50)
