"""A real Chromium for the tests of pages. Debian's, or the one that the variable `SLUICE_CHROMIUM` names."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.support.patience import SECONDS

CHROMIUM = os.environ.get("SLUICE_CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
WHY_NOT = "there is no Chromium on this machine: apt-get install chromium, or name one by SLUICE_CHROMIUM"
# It asks nobody but the pages that a test opens, and needs no rights that a container does not give.
FLAGS = [
    "--no-sandbox",
    "--disable-quic",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


# For one look at a page, for one step on it, and for the browser's start. By itself Playwright gives up after 5 s.
PATIENCE_MS = SECONDS * 1_000


@contextmanager
def chromium() -> Iterator[Browser]:
    """The browser, headless. What is expected of a page is waited for as long as tests wait for anything."""
    expect.set_options(timeout=PATIENCE_MS)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS, timeout=PATIENCE_MS)
        try:
            yield browser
        finally:
            browser.close()


def new_page(browser: Browser, **settings: Any) -> Page:
    """A page of a context of its own, with these settings; it is closed with its context."""
    page = browser.new_context(**settings).new_page()
    page.set_default_timeout(PATIENCE_MS)
    return page


def press(page: Page, button: str) -> None:
    """Press a button that sends a form, and wait for the page that it leads to. What is looked for may be here too."""
    with page.expect_navigation():
        page.get_by_role("button", name=button).click()
