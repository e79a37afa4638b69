"""The pages: everything that others have written is text, and every form does what its button says."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from typing import Any

import pytest

from pages.facts import Task
from tests.pages.known import HOSTILE, KEY, Browser, Known

PAGES = [
    "/",
    "/runs",
    f"/runs/{KEY}",
    "/jobs",
    "/plan",
    "/drift",
    "/score",
    "/journal",
    "/runs/zz",
    "/nothing",
]


@pytest.fixture
def browser() -> Browser:
    return Browser(Known())


class Page(HTMLParser):
    """What a page is made of."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.labelled: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def all(self, *names: str) -> list[dict[str, str | None]]:
        return [attrs for tag, attrs in self.tags if tag in names]


@pytest.mark.parametrize("path", PAGES)
def test_what_others_wrote_is_text(browser: Browser, path: str) -> None:
    """And nothing on a page is from elsewhere, or inline."""
    text = browser.get(path).text
    page = Page(text)
    assert HOSTILE not in text
    assert [script["src"] for script in page.all("script")] == ["/static/page.js"]
    assert not page.all("style", "iframe", "img", "base")
    for tag, attrs in page.tags:
        assert not [name for name in attrs if name.startswith("on") or name == "style"], tag
        for name in ("src", "href", "action"):
            assert (attrs.get(name) or "/").startswith(("/", "#")), (tag, attrs)


@pytest.mark.parametrize("path", PAGES)
def test_a_page_can_be_read_by_ear(browser: Browser, path: str) -> None:
    """One heading of the first level, landmarks, a caption to each table, a label to each field."""
    page = Page(browser.get(path).text)
    assert len(page.all("h1")) == len(page.all("main")) == 1
    assert page.all("nav")
    assert all(nav.get("aria-label") for nav in page.all("nav"))
    assert len(page.all("caption")) == len(page.all("table"))
    assert all(cell.get("scope") for cell in page.all("th"))
    labels = {label.get("for") for label in page.all("label")}
    fields = [one for one in page.all("input", "select", "textarea") if one.get("type") != "hidden"]
    assert {one.get("id") for one in fields} <= labels


def test_runs_come_a_page_at_a_time(browser: Browser) -> None:
    """With ways to the newer and the older ones."""
    first = browser.get("/runs").text
    last = browser.get("/runs?offset=200").text
    assert "Runs 1 to 100 of 250" in first
    assert "Older runs" in first
    assert "Newer runs" not in first
    assert "Runs 201 to 250 of 250" in last
    assert "Older runs" not in last
    assert "No run is that old" in browser.get("/runs?offset=300").text
    assert browser.get("/runs?limit=2000000000000").status_code == 400


def test_a_row_is_scored_by_its_form(browser: Browser) -> None:
    """What was written stays in the form."""
    answer = browser.send("/score", endpoint="live", **{"column:month": "7"})
    assert "Scored Labels" in answer.text
    assert 'value="7"' in answer.text


@pytest.mark.parametrize(
    ("fields", "status", "said"),
    [
        ({"row": '{"mont": 1}'}, 424, "the column month is not there"),
        ({"row": "{"}, 400, "This is no JSON"),
        ({"row": "[1]"}, 400, "This is no row"),
        ({"row": '{"month": {"a": 1}}'}, 400, "This is no row"),
        ({"row": '{"month": NaN}'}, 400, "This is no JSON"),
        ({"row": '{"month": "\\ud800"}'}, 400, "This is no JSON"),
        ({"endpoint": "gone"}, 404, "There is no such endpoint"),
    ],
)
def test_what_is_wrong_with_a_row_is_said_on_the_page(
    browser: Browser, fields: dict[str, str], status: int, said: str
) -> None:
    """In words, with the form as it was."""
    answer = browser.send("/score", **{"endpoint": "live", **fields})
    assert answer.status_code == status
    assert said in answer.text
    assert "<textarea" in answer.text or status == 404


@pytest.mark.parametrize(
    ("path", "fields", "done"),
    [
        ("/plan", {}, ("plan",)),
        ("/plan/carry-out", {"key": KEY}, ("carry out", KEY)),
        ("/plan/approve", {"key": KEY}, ("approve", KEY)),
        ("/drift", {}, ("drift",)),
    ],
)
def test_a_button_does_what_it_says(browser: Browser, path: str, fields: dict[str, str], done: Any) -> None:
    """And leads back to the page, so that to load it again does nothing again."""
    source: Any = browser.site.source
    answer = browser.send(path, **fields)
    assert answer.status_code == 303
    assert source.done == [done]


def test_who_may_not_approve_has_no_button_for_it() -> None:
    """The page says how it would have been started."""
    text = Browser(Known(may_approve=False)).get("/plan").text
    assert "carry-out" not in text
    assert "plan/approve" not in text
    assert "--allow-approve" in text


def test_what_is_approved_is_not_approved_again(browser: Browser) -> None:
    """It waits for an update, and the page says so."""
    text = browser.get("/plan").text
    assert text.count('action="/plan/approve"') == 1
    assert "Run cd34cd34cd34 is approved" in text


def test_a_page_without_a_script_follows_what_runs() -> None:
    """It loads itself again, where no script does that."""
    source = Known(task=Task("Preview", "running", "2026-01-01T00:00:00Z", said=["one", "two"]))
    text = Browser(source).get("/plan").text
    assert re.search(r'<noscript><meta http-equiv="refresh" content="2"></noscript>', text)
    assert "one\ntwo" in text


def test_pages_stand_below_another_path(browser: Browser) -> None:
    """All but the first, and every link knows it."""
    inside = Browser(Known(), base="/_local/page")
    page = Page(inside.get("/").text)
    links = [str(one.get("href") or one.get("action")) for one in page.all("a", "form", "link")]
    assert all(link in ("/", "#main") or link.startswith("/_local/page/") for link in links)
    assert inside.get("/_local/page/runs").status_code == 200
    assert inside.get("/runs").status_code == 404
