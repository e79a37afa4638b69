"""The pictures of the documents, docs/pictures: the report and the page of a stack that was really deployed and retrained.

``python -m tests.e2e.screenshots`` makes them, in about two minutes; it needs Chromium with its chromedriver.
"""

from __future__ import annotations

import io
import signal
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from PIL import Image
from selenium.webdriver import Chrome

from cli.project import ROOT
from tests.e2e.checkout import Checkout
from tests.pages.chromium import chromium, press
from tests.waiting import DEADLINE, eventually

PICTURES = ROOT / "docs" / "pictures"
_VERSIONS = ("2013-01", "2013-02", "2013-03")
_NEXT = "2013-04"


def main() -> None:
    """Deploy the example in a checkout of its own, retrain it, and take the pictures."""
    PICTURES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, chromium() as browser:
        checkout = Checkout.copy(Path(folder) / "retraining")
        try:
            for version in _VERSIONS:
                checkout.configure("dataVersion", version)
                checkout.up()
            report = checkout.root / "report.html"
            checkout.succeed("report", "-o", str(report))
            browser.get(report.as_uri())
            take(browser, "report")
            browser.execute_script("document.getElementById('compared').scrollIntoView()")
            take(browser, "report-compared")
            checkout.configure("dataVersion", _NEXT)
            with page(checkout) as link:
                browser.get(link)
                take(browser, "page")
                browser.get(f"{browser.current_url}plan")
                press(browser, "Make a plan")
                eventually(
                    lambda: "Approve this plan" in browser.page_source, "the plan on the page", 2 * DEADLINE
                )
                take(browser, "page-plan")
        finally:
            checkout.dev("cloud", "stop")


def take(browser: Chrome, name: str) -> None:
    """Write what the window shows."""
    shown = Image.open(io.BytesIO(browser.get_screenshot_as_png()))
    shown.convert("RGB").save(PICTURES / f"{name}.webp", quality=80, method=6)


@contextmanager
def page(checkout: Checkout) -> Iterator[str]:
    """The page's link, while it is served."""
    process = checkout.start("ui", "--engine", "embedded", "--allow-approve")
    assert process.stdout is not None
    try:
        yield process.stdout.readline().strip()
    finally:
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=60)


if __name__ == "__main__":
    try:
        main()
    except pytest.skip.Exception as missing:  # no browser
        sys.exit(str(missing))
