"""A real Chromium for the tests of pages. Debian's, or the one that the variable `SLUICE_CHROMIUM` names."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Browser, sync_playwright

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


@contextmanager
def chromium() -> Iterator[Browser]:
    """The browser, headless."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        try:
            yield browser
        finally:
            browser.close()
