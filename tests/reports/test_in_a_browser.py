"""Reports as Chromium shows them: by eye, by ear and by keyboard, on a telephone, in light, in dark, and printed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from selenium.webdriver import ActionChains, Chrome, Keys

from reports.page import render
from tests.pages.chromium import chromium, complaints, findings
from tests.reports.pages import a_report, scores
from tests.reports.test_page import ODD


@pytest.fixture(scope="module")
def browser() -> Iterator[Chrome]:
    with chromium() as found:
        yield found


def shown(browser: Chrome, page: str, folder: Path) -> None:
    file = folder / "report.html"
    file.write_text(page, encoding="utf-8")
    browser.get(file.as_uri())


@pytest.mark.parametrize("name", ["two-class", "clustering", "a fleet", "no runs", "long names"])
def test_a_report_is_for_everybody(browser: Chrome, name: str, tmp_path: Path) -> None:
    """axe-core finds nothing grave, the browser has nothing to complain of, a telephone need not be moved sideways."""
    shown(browser, render(ODD.get(name) or a_report(scores=scores(name))), tmp_path)
    assert findings(browser) == []
    assert complaints(browser) == []
    telephone = {"width": 400, "height": 800, "deviceScaleFactor": 1, "mobile": False}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", telephone)
    width = browser.execute_script("return document.documentElement.scrollWidth")
    browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
    assert width <= 400


def test_a_keyboard_reaches_links_and_what_scrolls(browser: Chrome, tmp_path: Path) -> None:
    """In the order in which they are read; the first leads to the content."""
    shown(browser, render(a_report(scores=scores("two-class"))), tmp_path)
    wanted = browser.execute_script(
        "return [...document.querySelectorAll('a[href], [tabindex=\"0\"]')].map(one => one.outerHTML.slice(0, 80))"
    )
    reached = []
    for _each in wanted:
        ActionChains(browser).send_keys(Keys.TAB).perform()
        reached.append(browser.execute_script("return document.activeElement.outerHTML.slice(0, 80)"))
    assert reached == wanted
    assert 'href="#main"' in reached[0]


def test_what_is_printed_is_black_on_white(browser: Chrome, tmp_path: Path) -> None:
    """In a browser that is dark, too."""
    shown(browser, render(a_report()), tmp_path)
    dark = [{"name": "prefers-color-scheme", "value": "dark"}]
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print", "features": dark})
    paper = browser.execute_script("return getComputedStyle(document.body).backgroundColor")
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "", "features": []})
    assert paper == "rgb(255, 255, 255)"
