"""Forms of the dashboard that were made before somebody else's change. Without a browser."""

import re
from collections.abc import Callable
from html import unescape
from typing import Any, NamedTuple
from urllib.parse import parse_qs, urlsplit

import pytest

from sluice.dashboard import stale
from sluice.dashboard.parts import NONE
from sluice.listings.stockx.table import Listing
from sluice.platform import aws
from tests.support import dashboard, dashboard_shop
from tests.support.dashboard import Shown
from tests.support.dashboard_page import filled, look, send, signed_in
from tests.support.http import call
from tests.unit.api.conftest import Cloud


class Case(NamedTuple):
    """A form. page: that it stands on. fill: what somebody writes. meanwhile: what another does. told: of that."""

    page: str
    action: str
    fill: dict[str, str]
    meanwhile: Callable[[str], object]
    told: str


def put(path: str, body: dict[str, Any], method: str = "PUT") -> None:
    assert call(method, path, body=body, tenant="acme").status < 300


def cheaper(listing_id: str) -> None:
    Listing("acme", listing_id).update([Listing.amount.set("170")])


CASES = {
    "a webhook": Case(
        "/dashboard/webhook",
        "/dashboard/webhooks",
        {"url": "https://hooks.example.com/y"},
        lambda _: put("/v1/webhooks/main", {"url": "https://hooks.example.com/x", "eventTypes": ["job.cancelled"]}),
        "events: job.dead → job.cancelled",
    ),
    "mail": Case(
        "/dashboard/notifications",
        "/dashboard/notifications",
        {"address": "mine@acme.example"},
        lambda _: put("/v1/notifications", {"mail": {"address": "ops@acme.example", "eventTypes": ["job.dead"]}}),
        f"address: {NONE} → ops@acme.example",
    ),
    "a product page": Case(
        "/dashboard/product-page",
        "/dashboard/product-page/change",
        {"label": "winter boots"},
        lambda page_id: put(f"/v1/pages/{page_id}", {"dropPercent": "15"}, "PATCH"),
        f"at a drop by so many percent: {NONE} → 15",
    ),
    "a listing": Case(
        "/dashboard/listing",
        "/dashboard/listing/change",
        {"amount": "199"},
        cheaper,
        "price: 180 USD → 170 USD",
    ),
}


@pytest.fixture
def things(acme: Cloud, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    monkeypatch.setattr(aws, "invoke", dashboard.api)
    return dashboard_shop.fill(acme)


def page_of(case: Case, things: list[str]) -> str:
    return next((one for one in things if one.startswith(f"{case.page}?")), case.page)


def told(shown: Shown) -> str:
    [alert] = re.findall(r'<div class="refused" role="alert">(.*?)</div>', shown.text, re.DOTALL)
    return " ".join(re.sub(r"<[^>]*>", " ", unescape(alert)).split())


@pytest.mark.parametrize("name", CASES)
def test_a_form_of_an_old_version_does_nothing_and_says_what_was_changed_until_it_is_sent_again(
    things: list[str], acme: Cloud, name: str
) -> None:
    case, who = CASES[name], signed_in()
    page = page_of(case, things)
    form = {**filled(look(page, who), case.action), **case.fill}
    case.meanwhile(parse_qs(urlsplit(page).query).get("id", [""])[0])
    before = acme.content()
    late = send(case.action, form, who)
    assert late.status == stale.CONFLICT
    assert case.told in told(late)
    after = acme.content()
    assert {**after, "sessions": []} == {**before, "sessions": []}
    again = filled(late, case.action)
    assert {key: again[key] for key in case.fill} == case.fill, "what was written stays"
    assert send(case.action, again, who).status == 303


@pytest.mark.parametrize("name", CASES)
def test_a_form_that_is_sent_twice_is_done(things: list[str], name: str) -> None:
    case, who = CASES[name], signed_in()
    form = {**filled(look(page_of(case, things), who), case.action), **case.fill}
    assert [send(case.action, form, who).status for _ in range(2)] == [303, 303]


@pytest.mark.parametrize("seen", ["", "{", "[1]", "[" * 9_999, '{"address": 7}', '{"other": "x"}'])
def test_a_form_that_does_not_say_what_it_showed_is_of_no_version(things: list[str], seen: str) -> None:
    """It was made by hand: what it names that is none of the thing's is not compared."""
    who = signed_in()
    form = {**filled(look("/dashboard/notifications", who), "/dashboard/notifications"), "address": "a@acme.example"}
    answer = send("/dashboard/notifications", {**form, "seen": seen}, who)
    assert answer.status == (stale.CONFLICT if "7" in seen else 303)
