"""The same as JSON: what it says of itself is what it answers, whatever it is sent."""

from __future__ import annotations

import json
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, settings

from tests.pages.known import HERE, KEY, PORT, Browser, Known

BROWSER = Browser(Known())
DOCUMENT = BROWSER.get("/api/openapi.json").json()
schema = schemathesis.openapi.from_dict(DOCUMENT)


@schema.parametrize()
@settings(max_examples=20, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
def test_nothing_that_is_sent_makes_it_fail(case: Any) -> None:
    """Requests as its document allows them, and as it does not: no 5xx, and every refusal has a cause."""
    sent = case.as_transport_kwargs(base_url=HERE)
    headers = {**(sent.pop("headers", None) or {}), "Origin": HERE}
    headers.pop("Cookie", None)
    body = sent.get("data", sent.get("json"))
    content = body if isinstance(body, bytes | None) else json.dumps(body).encode()
    sent = {"params": sent.get("params"), "content": content}
    answer = BROWSER.request(case.method, case.formatted_path, headers=headers, **sent)
    assert answer.status_code < 500
    if answer.status_code >= 400 and "json" in answer.headers.get("content-type", ""):
        assert answer.json()["cause"]


def test_each_operation_that_it_names_answers() -> None:
    """With what the document calls for."""
    for path, methods in DOCUMENT["paths"].items():
        for method in methods:
            body = {"key": KEY, "endpoint": "live", "row": {"month": 1}}
            address = path.replace("{key}", KEY)
            answer = BROWSER.get(address) if method == "get" else BROWSER.give(address, body)
            assert answer.status_code in (200, 202), address
            assert str(answer.status_code) in methods[method]["responses"], address


def test_it_names_the_cookie_that_opens_it() -> None:
    """Which has the port in its name."""
    assert DOCUMENT["components"]["securitySchemes"]["session"]["name"] == f"page-{PORT}"


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b"nan", b'{"key": 1}', b"\xff", b"[" * 100_000])
def test_a_body_that_is_none_is_refused(body: bytes) -> None:
    """Before anything is done."""
    source: Any = BROWSER.site.source
    before = list(source.done)
    answer = BROWSER.request("POST", "/api/plan/carry-out", content=body, headers={"Origin": HERE})
    assert answer.status_code == 400
    assert source.done == before


def test_a_body_that_never_ends_is_not_read() -> None:
    """A form or a row is short."""
    answer = BROWSER.request("POST", "/api/score", content=b" " * 300_000, headers={"Origin": HERE})
    assert answer.status_code == 413
