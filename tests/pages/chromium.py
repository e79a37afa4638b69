"""A browser without a window, and what a person who needs a screen reader or a keyboard would stumble over in a page."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.resources import files
from typing import Any

import pytest
from selenium.webdriver import Chrome, ChromeOptions
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By

_BROWSERS = ("chromium", "chromium-browser", "google-chrome")
_QUIET = (
    "--headless=new",
    "--no-sandbox",
    "--disable-dev-shm-usage",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--window-size=1200,900",
)
_GRAVE = ("serious", "critical")


@contextmanager
def chromium() -> Iterator[Chrome]:
    """A Chromium; skips the test where there is none."""
    browser = next(filter(None, map(shutil.which, _BROWSERS)), None)
    driver = shutil.which("chromedriver")
    if browser is None or driver is None:
        pytest.skip("no Chromium with its chromedriver on PATH (apt-get install chromium chromium-driver)")
    options = ChromeOptions()
    options.binary_location = browser
    for each in _QUIET:
        options.add_argument(each)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    found = Chrome(options, Service(driver))
    try:
        found.set_page_load_timeout(60)
        yield found
    finally:
        found.quit()


def text_of(browser: Chrome) -> str:
    """What a person reads."""
    return str(browser.execute_script("return document.body.innerText"))


def press(browser: Chrome, button: str) -> None:
    """Press the button that says so."""
    browser.find_element(By.XPATH, f"//button[contains(., '{button}')]").click()


def findings(browser: Chrome) -> list[str]:
    """What axe-core finds grave in the page that is shown, in light and in dark."""
    browser.execute_script((files("axe_core_python") / "axe.min.js").read_text(encoding="utf-8"))
    found = []
    for scheme, rules in (("light", "{}"), ("dark", "{runOnly: ['color-contrast']}")):
        media = {"features": [{"name": "prefers-color-scheme", "value": scheme}]}
        browser.execute_cdp_cmd("Emulation.setEmulatedMedia", media)
        result: dict[str, Any] = browser.execute_async_script(
            f"axe.run(document, {rules}).then(arguments[arguments.length - 1])"
        )
        found += [
            f"{browser.current_url} ({scheme}): {one['id']}: {one['nodes'][0]['html']}"
            for one in result["violations"]
            if one["impact"] in _GRAVE
        ]
    return found


def complaints(browser: Chrome) -> list[str]:
    """What the browser's console has of errors: what the policy refuses, and scripts that fail."""
    return [one["message"] for one in browser.get_log("browser") if one["level"] == "SEVERE"]
