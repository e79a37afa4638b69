"""The pages in a browser: signed in by a link, a plan made and approved, its job watched, a row scored."""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import requests
from selenium.webdriver import Chrome
from selenium.webdriver.common.by import By

from tests.e2e.checkout import Checkout
from tests.pages.chromium import chromium, complaints, press, text_of
from tests.waiting import eventually

pytestmark = pytest.mark.cloud


@pytest.fixture(scope="module")
def browser() -> Iterator[Chrome]:
    with chromium() as found:
        yield found


@pytest.fixture(scope="module")
def deployed(browser: Chrome, checkout: Checkout) -> Checkout:
    """A stack with its first model, on a cloud that may misbehave; after the browser, which may not be there."""
    checkout.succeed("cloud", "start", "--allow-faults")
    checkout.up()
    return checkout


@contextmanager
def page(checkout: Checkout, *options: str) -> Iterator[str]:
    """The page's link, while the page is served."""
    process = checkout.start("ui", "--engine", "embedded", *options)
    assert process.stdout is not None
    link = process.stdout.readline().strip()
    try:
        assert link, process.communicate()
        yield link
    finally:
        process.send_signal(signal.SIGINT)
        try:
            process.communicate(timeout=40)
        except subprocess.TimeoutExpired:
            process.kill()


def stall(checkout: Checkout) -> None:
    """From now on a job that is started gets nowhere."""
    rules = {"seed": 1, "rules": [{"kind": "stalled-job"}]}
    requests.put(f"{checkout.studio}/_local/faults", json=rules, timeout=20).raise_for_status()


def go_on(checkout: Checkout) -> None:
    """All jobs go on."""
    requests.delete(f"{checkout.studio}/_local/faults", timeout=20).raise_for_status()


def shows(browser: Chrome, *texts: str) -> None:
    """Wait until the page says all of it."""

    def says() -> bool:
        text = text_of(browser)
        return all(one in text for one in texts)

    eventually(says, f"{texts} on the page")


def test_a_plan_is_approved_and_its_job_watched(deployed: Checkout, browser: Chrome) -> None:
    """From the link to the row that the new model scores; and no page complains."""
    deployed.configure("dataVersion", "2013-02")
    stall(deployed)
    with page(deployed, "--allow-approve") as link:
        place = link.partition("/sign-in")[0]
        browser.get(link)
        shows(browser, "What serves", "retrained", "2013-01")
        assert "token" not in browser.current_url
        assert not browser.execute_script("return document.cookie")

        browser.get(f"{place}/plan")
        press(browser, "Make a plan")
        shows(browser, "data 2013-01", "2013-02", "Approve this plan")
        press(browser, "Approve this plan")
        shows(browser, "Update runs since")

        browser.get(f"{place}/jobs")
        shows(browser, "data 2013-02", "Running")
        bar = browser.find_element(By.TAG_NAME, "progress")
        begun = float(str(bar.get_attribute("value")))
        eventually(
            lambda: float(str(browser.find_element(By.TAG_NAME, "progress").get_attribute("value"))) >= begun,
            "progress",
        )
        go_on(deployed)
        shows(browser, "No job runs.")
        browser.get(f"{place}/plan")
        shows(browser, "Update ended")

        browser.get(f"{place}/score?endpoint=retrained")
        press(browser, "Score this row")
        shows(browser, "Answer of retrained", "Scored Probabilities")
        browser.find_element(By.TAG_NAME, "summary").click()
        browser.find_element(By.ID, "json").send_keys('{"mont": 1}')
        press(browser, "Score this JSON")
        shows(browser, "month", "Correct the row")

        browser.get(f"{place}/drift")
        press(browser, "Compare the data now")
        shows(browser, "The comparison of the data ended")

        browser.get(f"{place}/runs")
        browser.find_element(By.CSS_SELECTOR, "tbody a").click()
        shows(browser, "Metrics", "Verdicts")
        assert [one for one in complaints(browser) if "424" not in one] == []


def test_the_local_cloud_has_a_page(deployed: Checkout, browser: Chrome) -> None:
    """At its address, behind a link of its own; it scores by the endpoint's key, and has what it was asked in its journal."""
    link = deployed.succeed("cloud", "page").out.strip()
    browser.get(f"{deployed.studio}/")
    shows(browser, "./dev cloud page prints a link")
    browser.get(link)
    shows(browser, "What serves", "retrained of", "trains models, by batch jobs", "Finished")
    browser.find_element(
        By.XPATH, "//tr[contains(., 'retrained of')][not(contains(., 'staging'))]//a"
    ).click()
    press(browser, "Score this row")
    shows(browser, "Answer of retrained", "Scored Probabilities")
    browser.find_element(By.LINK_TEXT, "Journal").click()
    shows(browser, "/execute?api-version=2.0")
    assert complaints(browser) == []
