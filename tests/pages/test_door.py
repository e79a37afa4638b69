"""Who may come in, and by what."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from starlette.routing import Route

from pages.app import routes
from tests.pages.known import HERE, KEY, PORT, Browser, Known


@pytest.fixture
def browser() -> Browser:
    return Browser(Known())


@pytest.fixture
def stranger() -> Browser:
    return Browser(Known(), signed_in=False)


def calls(browser: Browser) -> Iterator[tuple[str, str]]:
    """Every method and path that is answered."""
    for route in routes(browser.site):
        assert isinstance(route, Route)
        path = route.path.replace("{key}", KEY).replace("{name}", "page.css")
        for method in sorted(route.methods or ()):
            yield method, path


def test_a_link_signs_in_once(stranger: Browser) -> None:
    """The second who has it is told where another comes from."""
    link = stranger.link()
    first = stranger.get(link)
    cookie = first.headers["set-cookie"]
    stranger.cookies.clear()
    second = stranger.get(link)
    assert first.status_code == 200
    assert "HttpOnly" in cookie
    assert "samesite=strict" in cookie.lower()
    assert second.status_code == 403
    assert "Ask for a link." in second.text
    assert "set-cookie" not in second.headers


def test_a_used_link_takes_who_is_in_to_the_page(browser: Browser) -> None:
    """Two tabs of one browser share the session."""
    assert browser.get("/sign-in?token=used").headers["location"] == "/"


def test_who_looks_ahead_uses_no_link_up(stranger: Browser) -> None:
    """HEAD is what a chat sends to show a preview of a link."""
    link = stranger.link()
    assert stranger.request("HEAD", link).status_code == 403
    assert stranger.get(link).status_code == 200


def test_without_a_session_nothing_is_told_and_nothing_done(stranger: Browser) -> None:
    """Of all paths only the way in, the style sheet and the script are open."""
    source: Any = stranger.site.source
    for method, path in calls(stranger):
        answer = stranger.request(method, path, headers={"Origin": HERE})
        if path.startswith("/static/"):
            continue
        assert answer.status_code in (200, 303, 401, 403), (method, path)
        assert KEY[:7] not in answer.text, (method, path)
        assert "finished" not in answer.text, (method, path)
        if path.startswith("/api/"):
            assert answer.status_code == 401
    assert source.done == []


@pytest.mark.parametrize("session", ["", "guess", "é"])
def test_a_session_that_was_not_given_is_none(stranger: Browser, session: str) -> None:
    """Whatever the cookie says."""
    answer = stranger.get("/api/jobs", headers={"Cookie": f"page-{PORT}={session}".encode()})
    assert answer.status_code == 401


def test_who_signs_out_is_out(browser: Browser) -> None:
    """The session ends at the server, whatever the browser keeps."""
    kept = dict(browser.cookies)
    assert browser.send("/sign-out").status_code == 303
    browser.cookies.update(kept)
    assert browser.get("/api/jobs").status_code == 401


@pytest.mark.parametrize(
    "host", ["evil.example", f"evil.example:{PORT}", "127.0.0.1:1", "127.0.0.1.evil.example", "", "[::1"]
)
def test_another_name_is_refused_everywhere(browser: Browser, host: str) -> None:
    """A page of another site reaches this server under a name of its own that resolves to it."""
    for method, path in calls(browser):
        answer = browser.request(method, path, headers={"Host": host, "Origin": HERE})
        assert answer.status_code == 400, (method, path)


@pytest.mark.parametrize(
    "origin", ["http://evil.example", "null", "http://127.0.0.1:9", f"https://127.0.0.1:{PORT}", None]
)
def test_what_another_page_sends_is_refused(browser: Browser, origin: str | None) -> None:
    """Also where the browser sends the session along: sites are told apart without their ports."""
    source: Any = browser.site.source
    headers = {} if origin is None else {"Origin": origin}
    for method, path in calls(browser):
        if method == "POST":
            answer = browser.request("POST", path, headers=headers, content=b"key=x")
            assert answer.status_code == 403, path
    assert source.done == []


def test_every_answer_forbids_what_a_page_could_be_made_to_do(browser: Browser) -> None:
    """No inline script or style, nothing from elsewhere, in no frame, in no cache."""
    for method, path in [*calls(browser), ("GET", "/nothing"), ("PUT", "/"), ("GET", "/static/../door.py")]:
        answer = browser.request(method, path, headers={"Origin": HERE})
        policy = answer.headers["content-security-policy"]
        assert "default-src 'none'" in policy, (method, path)
        assert "unsafe" not in policy
        assert "frame-ancestors 'none'" in policy
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.status_code < 500, (method, path)
