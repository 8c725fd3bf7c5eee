"""Somebody signs in to the dashboard, looks, is seen again after a while, and signs out: on the deployed stack."""

import re
from html import unescape
from urllib.parse import urlencode, urlsplit

import httpx
from playwright.sync_api import Page

from local.front import Front
from local.laptop import Laptop
from sluice.dashboard.pages import PLACES
from sluice.platform.clock import SystemClock
from tests.integration.levers import make_idle
from tests.support.browser import chromium, new_page
from tests.support.patience import SECONDS

SESSION, SIGN_IN = "__Host-sluice", "__Host-sluice-sign-in"


def browse(laptop: Laptop) -> None:
    """Somebody signs in with Chromium and looks at each page, and at the first thing of each list."""
    with Front(laptop.stack.api_url) as front:
        browse_at(front.url)


def browse_at(url: str) -> None:
    """The same of the dashboard at `url`."""
    with chromium() as browser:
        page, asked, wrong = new_page(browser), list[str](), list[str]()
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on("request", lambda request: asked.append(request.url))
        page.goto(f"{url}/dashboard")
        page.get_by_role("textbox", name="Tenant").fill("acme")
        page.get_by_label("Roles").select_option("operator platform")
        page.get_by_role("button", name="Sign in").click()
        page.wait_for_url(f"{url}/dashboard")
        asked.clear()
        for path in PLACES:
            _looks(page, f"{url}{path}")
            first = page.locator("tbody td:first-child a[href^='/dashboard/']").first
            if first.count():
                _looks(page, f"{url}{first.get_attribute('href')}")
        assert wrong == []
        assert [one for one in asked if not one.startswith((url, "data:"))] == []


def _looks(page: Page, address: str) -> None:
    answer = page.goto(address)
    assert answer
    assert answer.status == 200, f"{address}: {page.content()}"
    assert page.get_by_role("heading", level=1).inner_text()


class DashboardDay:
    """One person's day. Cookies are kept here: clients that are no browsers send none that is Secure over http."""

    def __init__(self, laptop: Laptop) -> None:
        self.laptop = laptop
        self.cookies: dict[str, str] = {}

    def live(self) -> None:
        """All of it."""
        with (
            Front(self.laptop.stack.api_url) as front,
            httpx.Client(base_url=front.url, timeout=SECONDS) as self.client,
        ):
            self.signs_in()
            first = self.get("/dashboard")
            assert first.status_code == 200, first.text
            assert "<h1>Overview</h1>" in first.text
            make_idle(self.laptop, SystemClock().now())
            for page in PLACES:
                assert self.get(page).status_code == 200, page
            job = unescape(re.findall(r'href="(/dashboard/job[?][^"]+)"', self.get("/dashboard/jobs").text)[0])
            assert "What happened" in self.get(job).text
            self.signs_out(first.text)
            assert self.get("/dashboard").status_code == 303

    def signs_in(self) -> None:
        """At the issuer, as the browser does it."""
        begun = self.get("/dashboard/sign-in")
        chosen = {"tenant": "acme", "roles": "user operator platform"}
        issuer = f"{begun.headers['location']}&{urlencode(chosen)}"
        back = httpx.get(issuer, timeout=SECONDS).headers["location"]
        signed_in = self.get(f"/dashboard/signed-in?{urlsplit(back).query}")
        assert signed_in.status_code == 303, signed_in.text
        assert self.cookies[SESSION]

    def signs_out(self, page: str) -> None:
        key = re.findall(r'name="form_key" value="([^"]+)"', page)[0]
        cookie = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        headers = {"cookie": cookie, "sec-fetch-site": "same-origin"}
        assert self.client.post("/dashboard/sign-out", data={"form_key": key}, headers=headers).status_code == 303

    def get(self, path: str) -> httpx.Response:
        cookie = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        answer = self.client.get(path, headers={"cookie": cookie} if cookie else {})
        for one in answer.headers.get_list("set-cookie"):
            name, _, value = one.partition(";")[0].partition("=")
            self.cookies[name] = value
        return answer
