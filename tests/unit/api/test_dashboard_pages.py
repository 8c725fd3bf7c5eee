"""The dashboard's pages of what a shop has, and what their buttons do. Without a browser."""

import re
from html import unescape
from typing import Any
from urllib.parse import urlencode

import pytest

from sluice.dashboard.pages import MORE, PLACES, notifications, webhooks
from sluice.listings.stockx.table import Listing
from sluice.notifications import api as notifications_api
from sluice.pages.table import Tracker
from sluice.platform import aws
from sluice.webhooks import endpoints
from tests.support import dashboard, dashboard_shop
from tests.support.dashboard_page import form_of, look, send, signed_in
from tests.unit.api.conftest import Cloud

HOSTILE = "<script>alert(1)</script><img src=x onerror=alert(2)>'\""
EVERYTHING = ("user", "operator", "platform")


@pytest.fixture
def things(acme: Cloud, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """`acme` has one of everything; the pages of one thing. All that people wrote would run, if it were not text."""
    monkeypatch.setattr(aws, "invoke", dashboard.api)
    return acme.filled("a hostile shop", lambda: dashboard_shop.fill(acme, HOSTILE))


def of(things: list[str], page: str) -> str:
    return next(one for one in things if one.startswith(f"/dashboard/{page}?"))


def test_each_page_shows_what_people_wrote_as_text(things: list[str]) -> None:
    who = signed_in(*EVERYTHING)
    shown = {page: look(page, who) for page in [*PLACES, *things]}
    assert {page: one.status for page, one in shown.items() if one.status != 200} == {}
    assert [page for page, one in shown.items() if "<script>alert" in one.text or "<img" in one.text] == []
    # It is there, though: what was not shown would prove nothing.
    wrote = {page.partition("?")[0] for page, one in shown.items() if HOSTILE in unescape(one.text)}
    assert wrote >= {
        "/dashboard/dead-letters",
        "/dashboard/pauses",
        "/dashboard/actions",
        "/dashboard/action",
        "/dashboard/ebay-listings",
        "/dashboard/ebay-listing",
        "/dashboard/listings",
        "/dashboard/listing",
        "/dashboard/product-pages",
        "/dashboard/product-page",
        "/dashboard/checks",
        "/dashboard/checks/slow",
        "/dashboard/webhook",
    }


def test_every_page_of_one_thing_is_looked_at_here(things: list[str]) -> None:
    pages = {key.partition(" ")[2] for key in MORE if key.startswith("GET ")}
    assert {one.partition("?")[0] for one in things} - PLACES.keys() == pages


def test_each_table_can_be_taken_along_and_sorted_by_each_of_its_columns(things: list[str]) -> None:
    who = signed_in(*EVERYTHING)
    for page in [*PLACES, *things]:
        text = look(page, who).text
        for address in {unescape(one) for one in re.findall(r'href="([^"]*format=csv[^"]*)"', text)}:
            taken = look(address, who)
            assert taken.headers["Content-Type"].startswith("text/csv"), address
            assert taken.text.count("\r\n") >= 2, address
        for address in {unescape(one) for one in re.findall(r'<th[^>]*><a href="([^"]*)"', text)}:
            assert look(address, who).status == 200, address


def test_a_page_of_nothing_is_not_found(things: list[str]) -> None:
    who = signed_in(*EVERYTHING)
    for page in sorted({one.partition("?")[0] for one in things} - {"/dashboard/checks/slow", "/dashboard/what-if"}):
        for query in ("", "id=&name=&number=", "id=none&name=none&number=77", urlencode({"id": HOSTILE, "name": "/"})):
            assert look(page, who, query).status in (400, 404), (page, query)


@pytest.mark.parametrize(
    ("address", "field"),
    [
        ("listings?status=WRONG", "status"),
        ("ebay-listings?state=wrong", "state"),
        ("ebay-listings?drift=perhaps", "drift"),
        ("promotions?status=wrong", "status"),
        ("promotions?listingId=x", "listingId"),
        ("checks?status=wrong", "status"),
        ("checks?product=!", "product"),
        ("checks/slow?min_duration_ms=soon", "min_duration_ms"),
        ("checks/slow?limit=1000", "limit"),
        ("dead-letters?status=wrong", "status"),
        ("runs?function=wrong", "function"),
        ("calls?hours=x", "hours"),
        ("what-if?budget=nothing&interval_ms=1", "budget"),
        ("what-if?budget=stockx:acme&interval_ms=many", "interval_ms"),
        ("what-if?budget=stockx:acme&windows=5/week", "windows"),
        ("what-if?budget=stockx:acme&windows=5/hour&days=999", "days"),
    ],
)
def test_a_hand_made_address_shows_the_page_with_the_reason_at_its_field(
    things: list[str], address: str, field: str
) -> None:
    shown = look(f"/dashboard/{address}", signed_in(*EVERYTHING))
    assert shown.status == 400
    assert 'role="search"' in shown.text
    assert f'id="wrong-{field}"' in shown.text


@pytest.mark.parametrize(
    "address",
    ["operations?hours=x", "ads?hours=999", "budgets?cursor=!", "accounts?cursor=!", "actions?cursor=!",
     "listings?cursor=!", "ebay-listings?cursor=!", "budget?name=stockx:acme&days=999", "tenants?cursor=!"],
)  # fmt: skip
def test_a_hand_made_address_shows_the_page_with_the_reason(things: list[str], address: str) -> None:
    shown = look(f"/dashboard/{address}", signed_in(*EVERYTHING))
    assert shown.status == 400
    assert 'role="alert"' in shown.text
    assert 'aria-current="page"' in shown.text or "budget" in address


def test_the_overview_has_a_line_for_each_queue_and_a_gauge_for_each_budget(things: list[str]) -> None:
    text = look("/dashboard", signed_in()).text
    queues = text[text.index("Jobs of one kind at one marketplace") : text.index("<h2>Budgets</h2>")]
    for queue in ("listing.update:stockx", "market.refresh:stockx", "promotion.create:ebay"):
        row = next(one for one in queues.split("<tr>") if f">{queue}</a>" in one)
        assert "<polyline" in row
    budgets = text.partition("<h2>Budgets</h2>")[2].replace("<wbr>", "")
    assert ">stockx:acme</a>" in budgets
    assert "<meter" in budgets
    assert re.search(r"\d+ wait for it: done by <time", budgets)


def test_operations_are_drawn_by_hour_with_their_numbers_behind(things: list[str]) -> None:
    text = look("/dashboard/operations", signed_in()).text
    assert text.count("<polyline") == 3
    assert "listing.update" in text
    assert "market.refresh" not in text
    assert look("/dashboard/operations?format=csv&table=hours", signed_in()).text.count("\r\n") == 25


# Webhooks


def test_a_webhook_is_made_and_its_secret_shown_once(things: list[str]) -> None:
    who = signed_in()
    form = {
        **form_of(look("/dashboard/webhooks", who), "Make it"),
        "id": "second",
        "url": "https://hooks.example.com/x",
    }
    made = send("/dashboard/webhooks", {**form, "event.job.dead": "yes"}, who)
    assert made.status == 200
    assert "whsec_" in made.text
    again = send("/dashboard/webhooks", {**form, "event.job.dead": "yes"}, who)
    assert again.to == "/dashboard/webhook?id=second"
    assert "whsec_" not in look(again.to, who).text
    kept = endpoints.find("acme", "second")
    assert kept
    assert kept.event_types == ["job.dead"]


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"id": ""}, "id"),
        ({"id": "A B"}, "id"),
        ({"url": "ftp://hooks.example.com"}, "url"),
        ({"event.job.dead": ""}, "event"),
    ],
)
def test_a_webhook_that_cannot_be_is_refused_at_its_field_which_keeps_what_was_written(
    things: list[str], wrong: dict[str, str], field: str, acme: Cloud
) -> None:
    who, before = signed_in(), acme.content()
    form = form_of(look("/dashboard/webhooks", who), "Make it")
    given = {"id": "second", "url": "https://hooks.example.com/x", "event.job.dead": "yes", **wrong}
    shown = send("/dashboard/webhooks", form | {name: value for name, value in given.items() if value}, who)
    assert shown.status == 400
    assert f'id="wrong-{field}"' in shown.text
    assert {**acme.content(), "sessions": []} == {**before, "sessions": []}


def test_a_webhook_is_changed_disabled_tried_and_deleted(things: list[str]) -> None:
    who, page = signed_in(), "/dashboard/webhook?id=main"
    shown = look(page, who)
    assert send("/dashboard/webhook/test", form_of(shown, "Send a test"), who).to == page
    assert "webhook.test" in look(page, who).text
    form = form_of(shown, "Change it") | {"url": "https://hooks.example.com/new", "event.job.dead": "yes"}
    assert send("/dashboard/webhooks", form, who).to == page
    changed = look(page, who)
    assert "disabled" in changed.text
    assert ">Send a test<" not in changed.text
    secret = send("/dashboard/webhook/secret", form_of(changed, "New secret"), who)
    assert "whsec_" in secret.text
    gone = [send("/dashboard/webhook/delete", form_of(changed, "Delete"), who).to for _ in range(2)]
    assert gone == ["/dashboard/webhooks"] * 2
    assert endpoints.find("acme", "main") is None


def test_an_address_that_no_webhook_can_have_is_not_compared_with_the_masked_one(things: list[str]) -> None:
    """Each `?` of it was where the masked part could end: 60,000 of them took 12 seconds."""
    shown, longest = "https://hooks.example.com/a/***?***", "https://hooks.example.com/a/b?c=".ljust(2_048, "?")
    assert webhooks._fits(longest, shown)
    assert not webhooks._fits(f"{longest}?", shown)
    who = signed_in()
    form = form_of(look("/dashboard/webhook?id=main", who), "Change it") | {
        "url": "?" * 20_000,
        "event.job.dead": "yes",
    }
    answer = send("/dashboard/webhooks", form, who)
    assert (answer.status, 'id="wrong-url"' in answer.text) == (400, True)


def test_a_delivery_is_sent_again_once_however_often_it_is_pressed(things: list[str]) -> None:
    who, page = signed_in(), "/dashboard/webhook?id=main"
    form = form_of(look(page, who), "Send again")
    assert [send("/dashboard/webhook/resend", form, who).to for _ in range(2)] == [page, page]
    assert "pending" in look(page, who).text


def test_a_user_sees_webhooks_and_is_offered_no_button(things: list[str]) -> None:
    text = look("/dashboard/webhook?id=main", signed_in("user")).text
    assert "<button" not in text.partition("<main")[2]


# Notifications


def test_mail_is_wanted_tried_and_stopped(things: list[str], acme: Cloud) -> None:
    who, page = signed_in(), "/dashboard/notifications"
    wrong = send(page, {**form_of(look(page, who), "Have it so"), "address": "nobody", "event.job.dead": "yes"}, who)
    assert wrong.status == 400
    assert 'id="wrong-address"' in wrong.text
    assert 'value="nobody"' in wrong.text
    form = {**form_of(wrong, "Have it so"), "address": "ops@acme.example", "event.job.dead": "yes"}
    assert send(page, form, who).to == page
    early = send(f"{page}/test", form_of(look(page, who), "Send a test"), who)
    assert early.status == 409
    assert "confirm" in early.text
    acme.mailbox.confirm("ops@acme.example")
    test = form_of(look(page, who), "Send a test")
    assert [send(f"{page}/test", test, who).to for _ in range(2)] == [page, page]
    assert look(f"{page}?format=csv", who).text.count("\r\n") == 2
    assert send(f"{page}/stop", form_of(look(page, who), "Stop all mail"), who).to == page
    assert "Nobody is told anything" in look(page, who).text


def test_mail_tells_of_what_the_api_takes() -> None:
    assert set(notifications.TELLS) == set(notifications_api.TYPES)


# Listings


def test_a_listing_is_changed_and_what_is_wrong_stands_at_its_field(things: list[str]) -> None:
    who, page = signed_in(), of(things, "listing")
    form = form_of(look(page, who), "Change it")
    wrong = send("/dashboard/listing/change", {**form, "amount": "cheap"}, who)
    assert wrong.status == 400
    assert 'id="wrong-amount"' in wrong.text
    assert 'value="cheap"' in wrong.text
    right = {**form_of(wrong, "Change it"), "amount": "190"}
    assert [send("/dashboard/listing/change", right, who).to for _ in range(2)] == [page, page]
    assert "190 USD" in look(page, who).text
    opened = Listing.get("acme", dashboard_shop.LISTING).open_changes()
    assert [one.terms.amount for one in opened if one.terms.amount == "190"] == ["190"]


@pytest.mark.parametrize(("label", "word"), [("Take off the market", "deactivate"), ("Delete", "delete")])
def test_a_listing_is_taken_off_the_market_once(things: list[str], label: str, word: str) -> None:
    who, page = signed_in(), of(things, "listing")
    form = form_of(look(page, who), label)
    assert [send(f"/dashboard/listing/{word}", form, who).status for _ in range(2)] == [303, 303]
    actions = [one.action for one in Listing.get("acme", dashboard_shop.LISTING).open_changes()]
    assert [one.lower() for one in actions].count(word) == 1
    assert word in look(page, who).text


# Promotions


def test_a_promotion_is_asked_for_and_taken_back(things: list[str]) -> None:
    who = signed_in()
    form = form_of(look("/dashboard/promotions", who), "Promote it")
    wrong = send("/dashboard/promotions", {**form, "listingId": "110559999999", "adRate": "1"}, who)
    assert wrong.status == 400
    assert 'id="wrong-adRate"' in wrong.text
    asked = send("/dashboard/promotions", {**form, "listingId": "110559999999", "adRate": "4.5"}, who)
    assert asked.status == 303
    form = form_of(look(asked.to, who), "Take it back")
    assert [send("/dashboard/promotion/cancel", form, who).to for _ in range(2)] == [asked.to] * 2
    assert "cancelled" in look(asked.to, who).text


# Product pages and their checks


def test_a_page_is_tracked_changed_and_tracked_no_longer(things: list[str]) -> None:
    who = signed_in()
    form = form_of(look("/dashboard/product-pages", who), "Track it")
    wrong = send("/dashboard/product-pages", {**form, "url": "ftp://x", "amount": "1", "currency": "EUR"}, who)
    assert wrong.status == 400
    assert 'id="wrong-url"' in wrong.text
    made = send("/dashboard/product-pages", {**form, "url": "https://shop.example/p/2", "dropPercent": "10"}, who)
    assert made.status == 303
    page_id = made.to.partition("=")[2]
    change = form_of(look(made.to, who), "Change it")
    both = {**change, "amount": "5", "currency": "EUR", "dropPercent": "3"}
    assert 'id="wrong-dropPercent"' in send("/dashboard/product-page/change", both, who).text
    assert send("/dashboard/product-page/change", {**change, "amount": "5", "currency": "EUR"}, who).to == made.to
    assert "at 5.00 EUR" in look(made.to, who).text
    change = form_of(look(made.to, who), "Change it")
    assert send("/dashboard/product-page/change", {**change, "label": "mine"}, who).to == made.to
    assert "at a drop by 1 %" in look(made.to, who).text
    form = form_of(look(made.to, who), "Track it no longer")
    gone = [send("/dashboard/product-page/untrack", form, who).to for _ in range(2)]
    assert gone == ["/dashboard/product-pages"] * 2
    assert [one.product for one in Tracker.query("acme")] != [page_id]


def test_a_price_is_drawn_with_its_gap(things: list[str]) -> None:
    shown = look(of(things, "product-page"), signed_in()).text
    assert shown.count("<polyline") == 1
    assert shown.count("<circle") == 1
    assert "95.50 EUR" in shown


def test_prices_that_nobody_can_have_asked_for_are_not_told_to_be_none(things: list[str]) -> None:
    shown = look(f"{of(things, 'product-page')}&variant={'4' * 101}", signed_in())
    assert shown.status == 400
    assert "variant: " in shown.text
    assert "No price is confirmed yet." not in shown.text


def test_a_run_is_begun_once_and_says_what_it_asked_for(things: list[str]) -> None:
    who = signed_in()
    form = form_of(look("/dashboard/checks", who), "Run now")
    answers = [send("/dashboard/checks/run", form, who) for _ in range(2)]
    assert [one.status for one in answers] == [200, 200]
    assert "checks asked for" in answers[0].text
    # The page is made anew, with another key for its forms, of the same answer.
    assert [re.findall(r"<dd>(.*?)</dd>", one.text) for one in answers] == [
        re.findall(r"<dd>(.*?)</dd>", answers[0].text)
    ] * 2


# The configuration


PLATFORM = ("platform",)


def edit(document: str, who: dict[str, str]) -> Any:
    form = form_of(look("/dashboard/configuration", who), "Look at the difference")
    return send("/dashboard/configuration/check", {**form, "document": document}, who)


def test_the_configuration_is_changed_after_a_look_at_the_difference(things: list[str], acme: Cloud) -> None:
    who = signed_in(*PLATFORM)
    shown = edit('{"limits": {"stockx": {"interval_ms": 600}}}', who)
    assert shown.status == 200
    assert "limits.stockx.interval_ms" in shown.text
    assert "<del>900</del>" in shown.text
    assert "<ins>600</ins>" in shown.text
    assert len(acme.parameter.versions) == 2
    form = {**form_of(shown, "Have it hold"), "reason": "StockX gives us more"}
    assert [send("/dashboard/configuration", form, who).to for _ in range(2)] == ["/dashboard/configuration"] * 2
    assert len(acme.parameter.versions) == 3
    assert "StockX gives us more" in look("/dashboard/configuration", who).text


@pytest.mark.parametrize(
    "document",
    [
        "{",
        "[]",
        '{"engine": {"batch": 0}}',
        '{"nothing": 1}',
        '{"limits": {"stockx": {"x": 1}}}',
        "1" * 9999,
        "[" * 9999,
    ],
)
def test_a_text_that_cannot_hold_is_refused_with_the_reason_and_stays(
    things: list[str], acme: Cloud, document: str
) -> None:
    shown = edit(document, signed_in(*PLATFORM))
    assert shown.status == 400
    assert 'id="wrong-document"' in shown.text
    assert document in unescape(shown.text)
    assert len(acme.parameter.versions) == 2


def test_a_form_of_an_old_version_is_refused_with_what_changed_meanwhile(things: list[str], acme: Cloud) -> None:
    who = signed_in(*PLATFORM)
    shown = edit('{"limits": {"stockx": {"interval_ms": 600}}}', who)
    acme.parameter.put('{"limits": {"stockx": {"interval_ms": 700}}, "engine": {"batch": 10}}')
    stale = send("/dashboard/configuration", form_of(shown, "Have it hold"), who)
    assert stale.status == 409
    assert "engine.batch" in stale.text
    assert "was 20, is 10" in unescape(stale.text)
    assert len(acme.parameter.versions) == 3
    # The text is not lost, and the next look at the difference is one from theirs.
    kept = form_of(stale, "Look at the difference")
    [written] = re.findall(r"<textarea[^>]*>\n(.*?)</textarea>", stale.text, re.DOTALL)
    again = send("/dashboard/configuration/check", {**kept, "document": unescape(written)}, who)
    assert '<del>{"batch": 10}</del>' in unescape(again.text)
    assert send("/dashboard/configuration", form_of(again, "Have it hold"), who).status == 303


def test_an_earlier_version_holds_again(things: list[str], acme: Cloud) -> None:
    who = signed_in(*PLATFORM)
    shown = look("/dashboard/configuration/version?number=1", who)
    back = send("/dashboard/configuration/revert", form_of(shown, "Go back to version 1"), who)
    assert back.to == "/dashboard/configuration"
    assert acme.parameter.versions[-1]["Value"] == "{}"
    stale = send("/dashboard/configuration/revert", form_of(shown, "Go back to version 1"), who)
    assert stale.status in (303, 409)


def test_what_if_plays_a_limit_and_changes_nothing(things: list[str], acme: Cloud) -> None:
    before = acme.content()
    shown = look("/dashboard/what-if?budget=stockx%3Aacme&windows=50/hour,+200/10s", signed_in(*PLATFORM))
    assert shown.status == 200
    assert "As it would be" in shown.text
    assert "50/hour, 200/10s" in shown.text
    assert {**acme.content(), "sessions": []} == {**before, "sessions": []}
