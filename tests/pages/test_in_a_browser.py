"""The pages as Chromium shows them: by eye, by ear and by keyboard, in light and in dark, with and without what lives on them."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import uvicorn
from selenium.webdriver import Chrome, Keys
from selenium.webdriver.common.by import By

from pages.app import served
from pages.door import Door
from pages.facts import Task
from pages.site import Site
from tests.pages.chromium import chromium, complaints, findings, text_of
from tests.pages.known import KEY, Known
from tests.waiting import eventually

PAGES = ("", "runs", f"runs/{KEY}", "jobs", "plan", "drift", "score", "journal", "nothing")


@contextmanager
def serving(source: Known) -> Iterator[tuple[str, Door]]:
    """The pages of a source at an address, and its door."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        door = Door("Ask for a link.", port)
        config = uvicorn.Config(served(Site(source, door)), log_level="error", lifespan="off")
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        try:
            yield f"http://127.0.0.1:{port}", door
        finally:
            server.should_exit = True
            thread.join()


@pytest.fixture(scope="module")
def browser() -> Iterator[Chrome]:
    with chromium() as found:
        yield found


def enter(browser: Chrome, place: str, door: Door) -> None:
    """Sign in by a link."""
    browser.get(f"{place}/sign-in?token={door.link()}")
    eventually(lambda: browser.current_url == f"{place}/", "the first page")


def test_no_page_keeps_anybody_out(browser: Chrome) -> None:
    """axe-core finds nothing grave, and the policy refuses nothing that a page has."""
    with serving(Known()) as (place, door):
        browser.get(place)
        grave = findings(browser)
        enter(browser, place, door)
        for path in PAGES:
            browser.get(f"{place}/{path}")
            assert browser.execute_script("return document.styleSheets.length") == 1
            grave += findings(browser)
        assert grave == []
        assert [one for one in complaints(browser) if "404" not in one] == []


def test_what_others_wrote_does_nothing(browser: Chrome) -> None:
    """Neither as it is served, nor as the script writes it."""
    with serving(Known()) as (place, door):
        enter(browser, place, door)
        browser.get(f"{place}/jobs")
        before = browser.find_element(By.CSS_SELECTOR, "tbody tr")
        eventually(
            lambda: before != browser.find_element(By.CSS_SELECTOR, "tbody tr"),
            "a table that is written anew",
        )
        assert "<script>alert(1)</script>" in browser.find_element(By.TAG_NAME, "tbody").text
        assert complaints(browser) == []


def test_what_runs_is_followed_to_its_end(browser: Chrome) -> None:
    """Line by line, and then the page shows what came of it."""
    source = Known(task=Task("Preview", "running", "2026-01-01T00:00:00Z", said=["one"]))
    with serving(source) as (place, door):
        enter(browser, place, door)
        browser.get(f"{place}/plan")
        assert "Preview runs since" in text_of(browser)
        source.task = Task("Preview", "running", "2026-01-01T00:00:00Z", said=["one", "two"])
        eventually(lambda: "two" in text_of(browser), "a further line")
        source.task = Task(
            "Preview", "failed", "2026-01-01T00:00:00Z", cause="the cause", remedy="the remedy"
        )
        eventually(lambda: "Preview failed: the cause" in text_of(browser), "the end")


def test_the_first_key_leads_past_the_navigation(browser: Chrome) -> None:
    """And what has the focus can be seen."""
    with serving(Known()) as (place, door):
        enter(browser, place, door)
        browser.find_element(By.TAG_NAME, "body").send_keys(Keys.TAB)
        focused = browser.switch_to.active_element
        assert focused.text == "To the content"
        assert focused.value_of_css_property("outline-style") == "solid"


def test_who_is_signed_out_meanwhile_is_told(browser: Chrome) -> None:
    """A page that lives asks for what is new, hears that nobody is signed in, and goes to where that is said."""
    with serving(Known()) as (place, door):
        enter(browser, place, door)
        browser.get(f"{place}/jobs")
        browser.delete_all_cookies()
        eventually(lambda: "signs in once" in text_of(browser), "how to sign in")
