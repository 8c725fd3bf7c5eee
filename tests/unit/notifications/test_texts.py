"""How events are said in a mail: every kind that is told, in words that SNS takes, and nothing of anybody else."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from local.cloud import template as templates
from sluice.capabilities import EVENTS
from sluice.feed import bus_events
from sluice.notifications import texts
from sluice.notifications.texts import Line
from tests.unit.notifications.conftest import NOON, broken, dead, event

OWN: dict[str, Any] = {"tenant": "acme"}
LISTING: dict[str, Any] = {
    "listingId": "l1",
    "change": 3,
    "action": "update",
    "reason": "found",
    "status": "SOLD",
    "marketplaceId": None,
    "order": None,
}
EBAY: dict[str, Any] = {"sku": "DD1391-100", "listingId": "1101", "class": "external_only", "groups": ["price"]}
PAGE: dict[str, Any] = {
    "kind": "price_dropped",
    "pageId": "p1",
    "url": "https://shop.example.com/dunk",
    "label": None,
    "title": "Dunk Low",
    "variants": [],
    "reason": None,
}
OTHERS: dict[str, dict[str, Any]] = {
    "listing.changed": LISTING,
    "listing.live": {"marketplace": "ebay", "listingId": "1101", "sku": "DD1391-100"},
    "listing.drift": EBAY,
    "listing.sold": EBAY | {"quantity": 2},
    "listing.ended": EBAY | {"by": "ebay"},
    "listing.on_hold": EBAY,
    "failures.high": {
        "percent": 35.5,
        "threshold": 20,
        "dead": 71,
        "ended": 200,
        "since": "2026-11-22T11:00:00.000Z",
        "queues": [{"kind": "market.refresh", "marketplace": "stockx", "dead": 71, "ended": 100}],
    },
    "summary.daily": {
        "day": "2026-11-22",
        "from": "2026-11-21T12:00:00.000Z",
        "to": "2026-11-22T12:00:00.000Z",
        "jobs": [{"kind": "market.refresh", "marketplace": "stockx", "succeeded": 9, "dead": 1, "cancelled": 0}],
        "prices": [
            {
                "sku": "DD1391-100",
                "size": "US 10",
                "marketplace": "stockx",
                "currency": "USD",
                "before": "150",
                "after": "120",
                "percent": -20.0,
            }
        ],
        "waiting": [
            {
                "kind": "market.refresh",
                "marketplace": "stockx",
                "queued": 3,
                "reason": "the calls are used up",
                "until": "2026-11-22T13:00:00.000Z",
            }
        ],
        "quotas": [
            {"service": "stockx", "window": "hour", "used": 100, "limit": 100, "opensAt": "2026-11-22T13:00:00.000Z"}
        ],
    },
    "webhook.disabled": {"webhookId": "main", "reason": "it answered 410"},
    "page.price_dropped": PAGE,
    "page.back_in_stock": PAGE,
    "page.variant_gone": PAGE,
    "page.unreadable": PAGE | {"reason": "a login page"},
}
SAMPLES = {
    "job.dead": dead(),
    "account.broken": broken(),
    **{kind: event(kind, OWN | data) for kind, data in OTHERS.items()},
}


def said(kind: str, tenant: str = "acme") -> str:
    return texts.said(kind, bus_events.data(bus_events.event(SAMPLES[kind]), tenant))


def test_all_that_happens_can_be_told_but_what_goes_as_wanted() -> None:
    assert set(texts.SAID) == set(EVENTS) - {"job.succeeded", "job.cancelled"}
    assert set(texts.SAID) == set(texts.NAMES) == set(SAMPLES)


def test_the_bus_hands_on_what_can_be_told() -> None:
    rule = templates.load()["Resources"]["NotificationRule"]["Properties"]["EventPattern"]
    assert (rule["source"], sorted(rule["detail-type"])) == (["sluice"], sorted(texts.SAID))


@pytest.mark.parametrize("kind", texts.SAID)
def test_each_kind_says_what_happened(kind: str) -> None:
    detail = SAMPLES[kind]["detail"]
    about = ("day", "percent", "jobId", "marketplace", "listingId", "sku", "pageId", "webhookId")
    named = [str(detail[name]) for name in about if detail.get(name)]
    assert any(name in said(kind) for name in named)
    assert "None" not in said(kind)
    assert "{" not in said(kind)


@pytest.mark.parametrize("kind", texts.SAID)
def test_a_line_end_in_others_words_makes_no_line_of_ours(kind: str) -> None:
    """A shop names a product, and a marketplace gives a reason: neither may say what looks like another event."""
    forged = "Dunk\r\n\n2026-11-22T12:00:00.000Z  Your stockx account is BROKEN: https://evil.example\x1b\x85\u2028"

    def worded(value: Any) -> Any:
        if isinstance(value, dict):
            return {name: worded(one) for name, one in value.items()}
        if isinstance(value, list):
            return [worded(one) for one in value]
        return f"{value}{forged}" if isinstance(value, str) else value

    data = bus_events.data(bus_events.event(SAMPLES[kind]), "acme")
    told = texts.said(kind, worded(data))
    assert len(told.splitlines()) == len(texts.said(kind, data).splitlines())
    assert [one for one in told if not one.isprintable() and one != "\n"] == []


def test_a_dead_job_names_no_other_tenant() -> None:
    assert "globex" not in said("job.dead")
    assert "stockx:(another seller) answered 503 (unavailable)" in said("job.dead")
    assert "stockx:globex answered 503" in said("job.dead", "globex")


def test_a_dead_job_of_which_no_reason_is_known_says_so() -> None:
    found = bus_events.event(dead(error=None, attempts=1))
    assert "after 1 try: no reason was kept" in texts.said("job.dead", bus_events.data(found, "acme"))


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"reason": "found", "order": "0042"}, "it is SOLD, by order 0042"),
        ({"reason": "confirmed", "status": "ACTIVE"}, "what became of the update of listing l1: it is ACTIVE"),
        ({"reason": "twin", "marketplaceId": "m2"}, "the second one (m2) was withdrawn"),
    ],
)
def test_a_listing_that_changed_says_how(more: dict[str, Any], words: str) -> None:
    assert words in texts.said("listing.changed", LISTING | more)


def test_a_listing_that_is_live_says_where() -> None:
    stockx = texts.said("listing.live", {"marketplace": "stockx", "listingId": "l1", "sku": None})
    assert stockx == "The listing l1 is live at stockx. GET /v1/stockx/listings/l1"
    assert "GET /v1/ebay/listings/DD1391-100" in said("listing.live")


def test_a_summary_says_all_of_a_day() -> None:
    assert said("summary.daily").splitlines() == [
        "Your day 2026-11-22: 2026-11-21T12:00:00.000Z to 2026-11-22T12:00:00.000Z.",
        "Jobs:",
        "  market.refresh at stockx: 9 succeeded, 1 died",
        "Prices that changed most:",
        "  DD1391-100 US 10 at stockx: 150 -> 120 USD (-20.0 %)",
        "What waits:",
        "  market.refresh at stockx: 3 wait: the calls are used up (until 2026-11-22T13:00:00.000Z)",
        "Quotas:",
        "  stockx, this hour: 100 of 100 calls",
    ]


@pytest.mark.parametrize(
    ("prices", "words"), [(None, "compared from the next summary on"), ([], "no price of what you own has changed")]
)
def test_an_empty_day_says_so(prices: list[Any] | None, words: str) -> None:
    quiet = {**OTHERS["summary.daily"], "jobs": [], "prices": prices, "waiting": [], "quotas": []}
    assert texts.said("summary.daily", quiet).splitlines()[1:] == [
        "Jobs: none has ended.",
        f"Prices that changed most: {words}.",
        "What waits: nothing.",
        "Quotas: no account is connected whose calls are limited.",
    ]


def test_a_page_is_called_as_its_tenant_calls_it() -> None:
    assert texts.said("page.price_dropped", PAGE | {"label": "My dunk"}).startswith("My dunk: its price has dropped.")
    assert texts.said("page.price_dropped", PAGE | {"title": None}).startswith("https://shop.example.com/dunk: ")


def test_a_flood_is_one_mail_that_counts_it() -> None:
    lines = [Line("job.dead", NOON + number, f"job {number}") for number in range(500)]
    mail = texts.mail([*lines, Line("account.broken", NOON, "stockx")], "prod")
    assert mail.subject == "Sluice (prod): 500 dead jobs, 1 broken account"
    assert "2026-11-22T12:00:00.000Z  job 0\n" in mail.text
    assert "… and 461 more." in mail.text
    assert mail.text.endswith(texts.HOW_TO_STOP)


def test_what_is_rare_is_not_hidden_by_a_flood() -> None:
    """Most of a flood is alike; what else has happened is said in the subject even where it is not shown."""
    flood = [Line("job.dead", NOON, "job") for _ in range(100)]
    assert "1 broken account" in texts.mail([*flood, Line("account.broken", NOON, "stockx")], "prod").subject


@given(
    st.lists(st.tuples(st.sampled_from(list(texts.SAID)), st.integers(0, NOON), st.text(max_size=80)), min_size=1),
    st.sampled_from(["local", "dev", "prod"]),
)
def test_every_mail_is_one_that_sns_takes(found: list[tuple[str, int, str]], stage: str) -> None:
    mail = texts.mail([Line(*one) for one in found], stage)
    assert 0 < len(mail.subject) <= texts.MOST_SUBJECT
    assert mail.subject.isascii()
    assert mail.subject.isprintable()
    assert len(mail.text.encode()) < 256 * 1024
    assert mail.text.count(texts.HOW_TO_STOP) == 1


def test_the_documents_name_what_can_be_told() -> None:
    page = (Path(__file__).parents[3] / "docs" / "notifications.md").read_text(encoding="utf-8")
    assert [kind for kind in texts.SAID if f"`{kind}`" not in page] == []
