"""The dashboard in a real Chromium: signing in, looking, acting; both themes, a phone, no script, axe."""

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal, cast
from urllib.parse import parse_qsl, urlsplit

import pytest
from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import Browser, FilePayload, Page, ViewportSize, expect

from sluice.dashboard import layout
from sluice.dashboard.pages import PLACES
from sluice.dashboard.sessions import SessionItem
from sluice.jobs.model.job import Job
from sluice.listings.stockx.table import Listing
from sluice.operator import counts
from sluice.platform import aws
from sluice.platform.clock import DAY, SECOND
from tests.support import dashboard, dashboard_ebay, dashboard_shop
from tests.support.browser import CHROMIUM, WHY_NOT, chromium, new_page, press
from tests.support.dashboard import Server
from tests.support.http import call
from tests.support.pictures import small
from tests.support.stream import changes
from tests.unit.api.conftest import Cloud

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason=WHY_NOT)

SCREEN: ViewportSize = {"width": 1200, "height": 760}
PHONE: ViewportSize = {"width": 390, "height": 844}
# A folder for pictures of the pages that the documentation shows; without it none are made.
SCREENSHOTS = os.environ.get("SLUICE_SCREENSHOTS")
SHOWN = {
    "/dashboard": "overview",
    "/dashboard/job": "job",
    "/dashboard/product-page": "product-page",
    "/dashboard/portfolio/item": "portfolio-item",
    "/dashboard/webhook": "webhook",
    "/dashboard/configuration": "configuration",
}
# It would run if it were not text, and is one word that no phone is wide enough for.
HOSTILE = f"<script>alert(1)</script><img src=x onerror=alert(2)>{'W' * 120}"


@pytest.fixture(scope="module")
def opened() -> Iterator[Browser]:
    with chromium() as browser:
        yield browser


@pytest.fixture
def things(acme: Cloud) -> list[str]:
    """`acme` has one of everything; the pages of one thing. All that people wrote would run, if it were not text."""
    return dashboard_shop.fill(acme) if SCREENSHOTS else dashboard_shop.fill(acme, HOSTILE)


@pytest.fixture
def site(acme: Cloud, things: list[str], monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    """The dashboard of `acme`, and an issuer to sign in at."""
    monkeypatch.setattr(aws, "invoke", dashboard.api)
    # However long a test takes, no page changes by itself under its eyes.
    monkeypatch.setattr(layout, "REFRESH_SECONDS", DAY // SECOND)
    with dashboard.issuer(), Server() as server:
        yield server


@pytest.fixture
def browser(opened: Browser, site: Server) -> Iterator[Browser]:
    """No page is open any more when its site goes."""
    yield opened
    for context in opened.contexts:
        context.close()


class Visitor:
    """Somebody at a browser. elsewhere: addresses that were asked for on another host. wrong: what the console says."""

    def __init__(self, page: Page, site: Server) -> None:
        self.site, self.page = site, page
        self.elsewhere: list[str] = []
        self.wrong: list[str] = []
        self.page.on("request", lambda one: self._note(one.url))
        self.page.on("pageerror", lambda error: self.wrong.append(str(error)))
        self.page.on("console", lambda one: self._heed(one.text))

    def sign_in(self, roles: str = "operator platform") -> Page:
        """Go to the first page, and choose who one is at the issuer."""
        self.page.goto(f"{self.site.url}/dashboard")
        self.say_who(roles)
        expect(self.page.get_by_role("heading", name="Overview")).to_be_visible()
        self.elsewhere.clear()
        return self.page

    def say_who(self, roles: str = "operator platform") -> None:
        """Choose who one is, at the issuer's page."""
        self.page.get_by_role("textbox", name="Tenant").fill("acme")
        self.page.get_by_label("Roles").select_option(roles)
        self.page.get_by_role("button", name="Sign in").click()

    def go(self, path: str) -> Page:
        self.page.goto(f"{self.site.url}{path}")
        return self.page

    def _note(self, url: str) -> None:
        if not url.startswith((self.site.url, "data:")):
            self.elsewhere.append(url)

    def _heed(self, text: str) -> None:
        # A page that shows a refusal has its status, of which Chromium tells.
        if "Failed to load resource" not in text:
            self.wrong.append(text)


def visitor(browser: Browser, site: Server, **settings: Any) -> Visitor:
    return Visitor(new_page(browser, **settings), site)


def test_a_person_signs_in_finds_a_job_and_cancels_it(browser: Browser, site: Server) -> None:
    me = visitor(browser, site)
    page = me.sign_in("user operator admin")
    page.get_by_role("navigation").get_by_role("link", name="Jobs").click()
    page.get_by_role("link", name=re.compile("DZ5485-410")).click()
    expect(page.locator(".told")).to_contain_text("queued")
    page.get_by_role("button", name="Cancel").click()
    expect(page.locator(".told")).to_contain_text("1 done")
    page.go_back()
    page.reload()
    expect(page.locator(".told")).to_contain_text("cancelled")
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("heading", name="Signed out")).to_be_visible()
    assert [cookie["name"] for cookie in page.context.cookies() if cookie["name"] == "__Host-sluice"] == []
    assert me.wrong == []


def test_many_are_counted_then_confirmed_with_the_keyboard_alone(browser: Browser, site: Server) -> None:
    me = visitor(browser, site)
    page = me.sign_in("user operator admin")
    me.go("/dashboard/jobs?state=queued&kind=market.refresh")
    page.get_by_role("button", name="Cancel…").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Cancel 3?")).to_be_visible()
    page.get_by_label("Reason").focus()
    page.keyboard.type("wrong sizes")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_text("wrong sizes")).to_be_visible()


def test_a_double_click_acts_once(browser: Browser, site: Server) -> None:
    me = visitor(browser, site)
    page = me.sign_in("user operator admin")
    page.get_by_role("navigation").get_by_role("link", name="Jobs").click()
    page.get_by_role("link", name=re.compile("DZ5485-410")).click()
    page.get_by_role("button", name="Raise").dblclick()
    expect(page.get_by_text("1 done")).to_be_visible()
    me.go("/dashboard/actions")
    # The action that was there, and one more.
    expect(page.locator("tbody tr")).to_have_count(2)


def test_every_page_is_for_everybody(browser: Browser, site: Server, things: list[str]) -> None:
    """Both themes, phone width: axe finds nothing, the policy is never broken, nothing is loaded from elsewhere."""
    me = visitor(browser, site)
    page = me.sign_in()
    page.add_init_script(AXE_SCRIPT)
    page.add_init_script(
        "addEventListener('securitypolicyviolation', e => console.log('broken: ' + e.violatedDirective))"
    )
    for path in [*PLACES, *things, "/dashboard/jobs?state=wrong"]:
        page.set_viewport_size(SCREEN)
        page.emulate_media(color_scheme="light")
        me.go(path)
        assert_accessible(page, path)
        page.emulate_media(color_scheme="dark")
        assert_accessible(page, path, "color-contrast")
        keep(page, path, "light")
        keep(page, path, "dark")
        page.set_viewport_size(PHONE)
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), path
        assert_accessible(page, path, "scrollable-region-focusable", "target-size")
        assert page.evaluate("document.querySelectorAll('main img').length") == 0, path
    assert me.elsewhere == []
    assert me.wrong == []


def keep(page: Page, path: str, theme: Literal["light", "dark"]) -> None:
    """Write the page into the folder that `SLUICE_SCREENSHOTS` names, if it is one that the documentation shows."""
    name = None if "variant=" in path else SHOWN.get(path.partition("?")[0])
    if SCREENSHOTS and name and (theme == "light" or name == "overview"):
        page.emulate_media(color_scheme=theme)
        taken = page.screenshot(animations="disabled")
        Path(SCREENSHOTS, f"{name}-{theme}.png").write_bytes(small(taken))


def assert_accessible(page: Page, path: str, *rules: str) -> None:
    """axe, which stands in the page, finds nothing on it by all of its rules or by these."""
    only = {"runOnly": {"type": "rule", "values": list(rules)}} if rules else {}
    found = page.evaluate(
        "options => axe.run(options).then(told => told.violations.map(one => [one.id, one.nodes.map(n => n.html)]))",
        {"resultTypes": ["violations"], **only},
    )
    assert found == [], path


def test_every_page_shows_the_same_without_script(browser: Browser, site: Server, things: list[str]) -> None:
    me = visitor(browser, site, java_script_enabled=False)
    page = me.sign_in()
    for path in [*PLACES, *things]:
        answer = page.goto(f"{site.url}{path}")
        assert answer
        assert answer.status == 200, path
        expect(page.get_by_role("main").get_by_role("heading", level=1)).to_be_visible()


def test_all_pages_work_without_script(browser: Browser, site: Server) -> None:
    me = visitor(browser, site, java_script_enabled=False)
    page = me.sign_in("user operator admin")
    page.get_by_role("navigation").get_by_role("link", name="Jobs").click()
    page.get_by_label("SKU begins with").fill("DZ5485")
    page.get_by_role("button", name="Filter").click()
    page.wait_for_url(re.compile(r"/dashboard/jobs\?.*sku=DZ5485"))
    expect(page.locator("tbody tr")).to_have_count(1)
    page.get_by_role("link", name=re.compile("DZ5485-410")).click()
    page.get_by_role("button", name="Cancel").click()
    expect(page.get_by_text("1 done")).to_be_visible()


def test_what_users_wrote_runs_nowhere(browser: Browser, site: Server) -> None:
    me = visitor(browser, site)
    page = me.sign_in("user operator admin")
    page.on("dialog", lambda dialog: me.wrong.append(dialog.message))
    me.go("/dashboard/jobs")
    page.get_by_label("Text", exact=True).fill(HOSTILE)
    page.get_by_role("button", name="Filter").click()
    page.wait_for_url(re.compile(r"/dashboard/jobs\?.*text=%3Cscript"))
    expect(page.get_by_label("Text", exact=True)).to_have_value(HOSTILE)
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    assert page.locator("main img").count() == 0
    assert me.wrong == []


def test_a_page_renews_itself_and_keeps_what_is_open_and_focused(
    browser: Browser, site: Server, acme: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(layout, "REFRESH_SECONDS", 10)
    me = visitor(browser, site)
    me.page.clock.install()
    page = me.sign_in("user operator admin")
    page.wait_for_load_state()
    expect(page.locator(".tile").first).to_contain_text("3")
    page.get_by_role("link", name=re.compile("Download as CSV")).focus()
    with site.one_at_a_time:
        acme.enqueue("acme", "BB0000-001")
        counts.follow(changes("jobs"))
    page.clock.run_for(10_500)
    expect(page.locator(".tile").first).to_contain_text("7")
    expect(page.get_by_role("link", name=re.compile("Download as CSV"))).to_be_focused()


def test_an_expired_session_leads_back_to_where_one_was(browser: Browser, site: Server) -> None:
    me = visitor(browser, site)
    page = me.sign_in()
    me.go("/dashboard/listings?status=ACTIVE")
    for item in SessionItem.scan():
        item.delete()
    page.get_by_role("link", name="SKU", exact=True).click()
    me.say_who()
    expect(page.get_by_role("heading", name="StockX listings")).to_be_visible()
    assert dict(parse_qsl(urlsplit(page.url).query)) == {"status": "ACTIVE", "sort": "sku"}
    # A form does nothing, says so, and leads back to its page.
    me.go("/dashboard/pauses")
    for item in SessionItem.scan():
        item.delete()
    page.get_by_role("button", name="Resume").click()
    page.get_by_role("link", name="Sign in").click()
    me.say_who()
    expect(page.get_by_role("heading", name="Pauses")).to_be_visible()
    expect(page.locator("tbody tr")).to_have_count(1)


def test_each_button_does_what_it_says(browser: Browser, site: Server, things: list[str], acme: Cloud) -> None:
    """One visit in which every action of every page is done, each by its button."""
    me = visitor(browser, site)
    page = me.sign_in()
    steps = (
        _job, _webhook, _listing, _ebay, _portfolio, _item, _promotion, _product_page, _mail, _letters, _pauses,
        _configuration,
    )  # fmt: skip
    for step in steps:
        step(me, page, things, acme)
    assert me.wrong == []
    assert me.elsewhere == []


def _job(me: Visitor, page: Page, things: list[str], _: Cloud) -> None:
    me.go(next(one for one in things if one.startswith("/dashboard/action?")))
    press(page, "Stop")
    expect(page.get_by_text("It stops before its next page")).to_be_visible()
    expect(page.get_by_role("button", name="Stop")).to_have_count(0)
    later = next(one for one in things if one.startswith("/dashboard/promotion?"))  # a job that is due in a while
    me.go(later.replace("promotion", "job", 1))
    page.get_by_role("button", name="Try now").dblclick()
    expect(page.locator(".told")).to_contain_text("1 done")
    me.go("/dashboard/actions")
    expect(page.locator("tbody tr")).to_have_count(2)


def _webhook(me: Visitor, page: Page, _: list[str], __: Cloud) -> None:
    me.go("/dashboard/webhooks")
    page.get_by_label("Id:").fill("second")
    page.get_by_label("Address (https)").fill("https://hooks.example.com/x")
    page.get_by_label("job.dead").check()
    press(page, "Make it")
    expect(page.get_by_text("whsec_")).to_be_visible()
    page.get_by_role("link", name="To the webhook").click()
    press(page, "Send a test")
    expect(page.get_by_role("cell", name="webhook.test")).to_be_visible()
    me.go("/dashboard/webhook?id=main")
    press(page, "Send again")
    expect(page.locator("tbody .word")).to_have_text("pending")
    page.get_by_text("New secret…").click()
    press(page, "New secret")
    expect(page.get_by_text("whsec_")).to_be_visible()
    page.get_by_role("link", name="To the webhook").click()
    page.get_by_label("Address (https)").fill("https://hooks.example.com/y")
    page.get_by_label("sends").uncheck()
    press(page, "Change it")
    expect(page.locator("dd .word")).to_have_text("disabled")
    page.get_by_text("Delete…").click()
    press(page, "Delete")
    expect(page.locator("tbody tr")).to_have_count(1)


def _listing(me: Visitor, page: Page, things: list[str], _: Cloud) -> None:
    me.go(next(one for one in things if one.startswith("/dashboard/listing?")))
    page.get_by_label("Price").fill("199")
    press(page, "Change it")
    expect(page.get_by_role("cell", name="199 USD")).to_be_visible()
    press(page, "Take off the market")
    expect(page.get_by_role("cell", name="deactivate", exact=True)).to_be_visible()
    Listing(dashboard_shop.TENANT, dashboard_shop.LISTING).update([Listing.status.set("INACTIVE")])
    page.reload()
    press(page, "Put on the market")
    expect(page.get_by_role("cell", name="activate", exact=True)).to_be_visible()
    page.get_by_text("Delete…").click()
    press(page, "Delete")
    expect(page.get_by_role("cell", name="delete", exact=True)).to_be_visible()


def _portfolio(me: Visitor, page: Page, _: list[str], __: Cloud) -> None:
    me.go("/dashboard/portfolio")
    page.get_by_label("SKU", exact=True).fill("DZ5485-612")
    page.get_by_label("Size", exact=True).last.fill("9.5")
    press(page, "Add it")
    expect(page.get_by_role("heading", name="DZ5485-612")).to_be_visible()
    press(page, "Fetch its prices now")
    expect(page.get_by_role("heading", name="Prices are asked for")).to_be_visible()
    page.get_by_text("Remove…").click()
    press(page, "Remove")
    expect(page.locator("tbody tr")).to_have_count(1)
    press(page, "Fetch all prices now")
    expect(page.get_by_role("heading", name="Prices are asked for")).to_be_visible()
    me.go("/dashboard/portfolio")
    file = {"name": "items.csv", "mimeType": "text/csv", "buffer": b"sku,size\nDZ5485-612,9.5\nDZ5485-612,\n"}
    page.get_by_label("A CSV file").set_input_files([cast(FilePayload, file)])
    press(page, "Import it")
    expect(page.locator(".told")).to_contain_text("0 of up to 1")
    expect(page.locator("tbody tr")).to_have_count(1)


def _item(me: Visitor, page: Page, things: list[str], _: Cloud) -> None:
    """Somebody else takes a lot away while the form is filled in."""
    item = next(one for one in things if one.startswith("/dashboard/portfolio/item?"))
    me.go(item)
    item_id = dict(parse_qsl(urlsplit(item).query))["id"]
    lots = {"lots": [{"quantity": 2, "cost": "110"}]}
    page.get_by_label("Cost of each").last.fill("70")
    page.get_by_label("Units").last.fill("5")
    assert call("PATCH", f"/v1/inventory/{item_id}", body=lots, tenant=dashboard_shop.TENANT).status == 200
    press(page, "Change it")
    expect(page.get_by_role("alert")).to_contain_text("95.50 USD")
    press(page, "Change it")
    expect(page.get_by_role("alert")).to_have_count(0)
    expect(page.get_by_role("cell", name="70 USD")).to_be_visible()


def _ebay(me: Visitor, page: Page, things: list[str], _: Cloud) -> None:
    me.go(next(one for one in things if one.startswith("/dashboard/ebay-listing?")))
    expect(page.get_by_role("button", name="Ours")).to_have_count(2)
    page.get_by_role("button", name="Ignore").first.click()
    expect(page.get_by_role("button", name="Ours")).to_have_count(1)
    press(page, "Check now")
    expect(page.get_by_role("button", name="Check now")).to_be_enabled()
    page.get_by_role("link", name="eBay groups").click()
    page.get_by_role("link", name=dashboard_ebay.GROUP_KEY).click()
    press(page, "Check now")
    expect(page.get_by_role("link", name=dashboard_ebay.MEMBER)).to_be_visible()
    jobs = {tuple(job.payload["skus"]) for job in Job.scan(Job.kind == "listing.compare")}
    assert jobs == {(dashboard_ebay.SKU,)}, "of the group nothing was published yet"


def _promotion(me: Visitor, page: Page, _: list[str], __: Cloud) -> None:
    me.go("/dashboard/promotions")
    page.get_by_label("Listing at eBay").last.fill("110559999999")
    page.get_by_label("Rate").fill("4.5")
    press(page, "Promote it")
    expect(page.get_by_text("4.5 % of the sale")).to_be_visible()
    press(page, "Take it back")
    expect(page.locator(".told .word")).to_have_text("cancelled")


def _product_page(me: Visitor, page: Page, _: list[str], __: Cloud) -> None:
    me.go("/dashboard/product-pages")
    page.get_by_label("Address of").fill("https://shop.example/p/2")
    page.get_by_label("drop by").fill("10")
    press(page, "Track it")
    expect(page.get_by_text("at a drop by 10 %")).to_be_visible()
    page.get_by_label("Your name").fill("winter boots")
    press(page, "Change it")
    expect(page.get_by_role("heading", name="winter boots")).to_be_visible()
    page.get_by_text("Track it no longer…").click()
    press(page, "Track it no longer")
    expect(page.locator("tbody tr")).to_have_count(1)
    me.go("/dashboard/checks")
    press(page, "Run now")
    expect(page.get_by_role("heading", name="A run has begun")).to_be_visible()


def _mail(me: Visitor, page: Page, _: list[str], acme: Cloud) -> None:
    me.go("/dashboard/notifications")
    page.get_by_label("One address").fill("ops@acme.example")
    press(page, "Have it so")
    expect(page.locator(".told .word")).to_have_text("pending")
    acme.mailbox.confirm("ops@acme.example")
    press(page, "Send a test")
    expect(page.locator("tbody tr")).to_have_count(1)
    page.get_by_text("Stop all mail…").click()
    press(page, "Stop all mail")
    expect(page.get_by_text("Nobody is told anything")).to_be_visible()


def _letters(me: Visitor, page: Page, _: list[str], __: Cloud) -> None:
    me.go("/dashboard/dead-letters")
    press(page, "Acknowledge")
    expect(page.get_by_text("1 done")).to_be_visible()
    me.go("/dashboard/dead-letters?code=unavailable&status=acknowledged")
    press(page, "Replay…")
    expect(page.get_by_text("Nothing was done.")).to_be_visible()


def _pauses(me: Visitor, page: Page, _: list[str], __: Cloud) -> None:
    me.go("/dashboard/pauses")
    page.get_by_label("What:").fill("stockx")
    page.get_by_label("Why;").fill("maintenance")
    press(page, "Pause")
    expect(page.get_by_role("cell", name="maintenance")).to_be_visible()
    page.get_by_role("row", name=re.compile("maintenance")).get_by_role("button", name="Resume").click()
    expect(page.get_by_role("cell", name="maintenance")).to_have_count(0)


def _configuration(me: Visitor, page: Page, _: list[str], acme: Cloud) -> None:
    document = page.get_by_label("What differs")
    me.go("/dashboard/configuration")
    document.fill("{")
    press(page, "Look at the difference")
    expect(page.get_by_text("is not JSON")).to_be_visible()
    document.fill('{"limits": {"stockx": {"interval_ms": 600}}, "engine": {"batch": 20}}')
    press(page, "Look at the difference")
    expect(page.locator("ins")).to_have_text("600")
    acme.parameter.put('{"limits": {"stockx": {"interval_ms": 900}}, "engine": {"batch": 10}}')
    press(page, "Have it hold")
    expect(page.get_by_role("alert")).to_contain_text("engine.batch")
    press(page, "Look at the difference")
    page.get_by_label("Reason").fill("StockX gives us more")
    press(page, "Have it hold")
    expect(page.get_by_role("cell", name="StockX gives us more")).to_be_visible()
    page.get_by_role("link", name="1", exact=True).click()
    press(page, "Go back to version 1")
    expect(document).to_have_value("{}")
