"""The dashboard's pages of listings at eBay, and what their buttons do. Without a browser."""

import csv
import re
from html import unescape

import pytest

from sluice.dashboard.pages import ebay_listings as pages
from sluice.listings.ebay import bodies, cases
from sluice.listings.ebay.plan import MOST_DETAIL_REVISIONS
from sluice.listings.ebay.table import HistoryEntry, Record, find, version_entry
from sluice.marketplaces.publishing import MOST_REVISIONS
from sluice.platform import aws
from tests.support import dashboard, dashboard_ebay
from tests.support.dashboard_ebay import SKU
from tests.support.dashboard_page import form_of, look, send, signed_in
from tests.support.ebay_records import document
from tests.support.http import call
from tests.unit.api.conftest import Cloud

TEXT = "<b>Chicago</b>"
PAGE = f"/dashboard/ebay-listing?id={SKU}"
DRIFT = f"{PAGE}&format=csv&table=drift"


@pytest.fixture
def listed(acme: Cloud, monkeypatch: pytest.MonkeyPatch) -> Cloud:
    """`acme` has a listing at eBay with open differences."""
    monkeypatch.setattr(aws, "invoke", dashboard.api)
    acme.connect_seller("acme")
    dashboard_ebay.listed(acme, "acme", TEXT)
    return acme


def record() -> Record:
    found = find("acme", SKU)
    assert found
    return found


def put(sku: str, **changes: object) -> None:
    body = document(sku=None, **changes)
    assert call("PUT", f"/v1/ebay/listings/{sku}", body=body, tenant="acme").status == 202


def rows(page: str) -> list[str]:
    return look(page, signed_in("user")).text.splitlines()[1:]


def test_pages_know_what_the_api_takes() -> None:
    assert set(pages.STATES) == set(bodies.STATES)
    assert tuple(pages.ANSWERS) == cases.ANSWERS


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ("", [SKU, "OTHER"]),
        ("state=waiting", ["OTHER"]),
        ("drift=true", [SKU]),
        ("drift=false", ["OTHER"]),
        ("group=none", []),
    ],
)
def test_listings_are_filtered_by_state_and_by_what_differs(listed: Cloud, asked: str, found: list[str]) -> None:
    put("OTHER")
    shown = look(f"/dashboard/ebay-listings?{asked}", signed_in("user"))
    assert re.findall(r'href="/dashboard/ebay-listing\?id=([^"]+)"', shown.text) == found


def test_a_listing_shows_what_is_wanted_published_and_at_ebay_side_by_side(listed: Cloud) -> None:
    put(SKU, price={"amount": "250", "currency": "USD"})
    sides = dict(one.partition(",")[::2] for one in rows(f"{PAGE}&format=csv&table=sides") if "," in one)
    assert sides["price"] == '250 USD,245 USD,1 USD,"not published yet, eBay shows another"'
    assert sides["quantity"] == "3,3,3,"
    text = look(PAGE, signed_in("user")).text
    assert "<mark>245 USD</mark>" in text
    assert "<mark>1 USD</mark>" in text
    assert "<mark>3</mark>" not in text


def test_a_listing_shows_its_policies_by_name_its_snapshots_and_its_history(listed: Cloud) -> None:
    assert rows(f"{PAGE}&format=csv&table=policies") == [
        "Fulfilment,Std (6196932000),Std (6196932000)",
        "Payment,Card (6196947000),",
        "Returns,30 days (6196944000),",
    ]
    assert [one.partition(",")[0] for one in rows(f"{PAGE}&format=csv&table=snapshots")] == ["2", "1"]
    newest, first = csv.reader(rows(f"{PAGE}&format=csv&table=history"))
    assert (newest[0], newest[2:5]) == ("2", ["put", "/price/amount", "someone@acme"])
    assert first[0] == "1"
    shown = unescape(look(PAGE, signed_in("user")).text)
    assert f"{MOST_REVISIONS}, of which {MOST_DETAIL_REVISIONS} of more than price and quantity" in shown
    assert "25003: <b>Chicago</b>" in shown


@pytest.mark.parametrize(("label", "said"), [("Ours", "ours"), ("Theirs", "theirs"), ("Ignore", "ignore")])
def test_an_open_difference_is_decided_once_however_often_it_is_pressed(listed: Cloud, label: str, said: str) -> None:
    who = signed_in()
    form = {**form_of(look(PAGE, who), label), "answer": said}
    assert [send("/dashboard/ebay-listing/answer", form, who).to for _ in range(2)] == [PAGE, PAGE]
    assert [one["class"] for one in record().drift] == ["policy_gone"]
    assert record().version == (3 if said == "theirs" else 2)
    assert record().wanted.price.amount == ("1" if said == "theirs" else "245")
    assert len(rows(DRIFT)) == 1


def test_what_cannot_be_taken_over_is_not_offered_and_refused_with_the_reason(listed: Cloud) -> None:
    who = signed_in()
    [_, gone] = re.findall(r"<form[^>]*ebay-listing/answer.*?</form>", look(PAGE, who).text, re.DOTALL)
    assert re.findall(r">(\w+)</button>", gone) == ["Ours", "Ignore"]
    case = record().drift[1]["case"]
    form = {**form_of(look(PAGE, who), "Ours"), "case": case, "answer": "theirs"}
    refused = send("/dashboard/ebay-listing/answer", form, who)
    assert refused.status == 409
    assert "change the record" in refused.text
    assert len(record().drift) == 2


def test_a_difference_that_somebody_else_has_decided_is_told_beside_the_others(listed: Cloud) -> None:
    who = signed_in()
    form = {**form_of(look(PAGE, who), "Ignore"), "answer": "ignore"}
    assert call("POST", f"/v1/ebay/cases/{form['case']}", body={"answer": "ignore"}, tenant="acme").status == 200
    late = send("/dashboard/ebay-listing/answer", form, who)
    assert late.status == 404
    assert 'role="alert"' in late.text
    assert f"eBay listing {SKU}" in late.text


def test_lists_of_one_page_go_on_each_by_itself(listed: Cloud) -> None:
    for version in range(100, 151):
        HistoryEntry(
            record().listing, version_entry(version), version=version, action="patch", fields=[], changed_by=TEXT,
            changed_at=listed.now,
        ).save()  # fmt: skip
    first = look(PAGE, signed_in())
    [on] = [unescape(one) for one in re.findall(r'href="([^"]*)" rel="next"', first.text)]
    assert "history.cursor=" in on
    assert rows(f"{on}&format=csv&table=history") != rows(f"{PAGE}&format=csv&table=history")
    assert rows(f"{on}&format=csv&table=snapshots") == rows(f"{PAGE}&format=csv&table=snapshots")
    for name in ("snapshots", "history"):
        assert look(f"{PAGE}&{name}.cursor=!", signed_in()).status == 400


def test_another_tenants_listing_is_not_found(listed: Cloud) -> None:
    assert look(PAGE, signed_in(tenant="globex")).status == 404


def test_two_snapshots_stand_side_by_side_with_what_differs_marked(listed: Cloud) -> None:
    who = signed_in("user")
    one = look(f"/dashboard/ebay-listing/snapshot?sku={SKU}&number=2", who)
    [way] = [unescape(each) for each in re.findall(r'href="(/dashboard/ebay-listing/difference[^"]*)"', one.text)]
    shown = unescape(look(way, who).text)
    assert '<del>"240"</del>' in shown
    assert '<ins>"245"</ins>' in shown
    assert shown.count("<pre") == 2
    assert rows(f"{way}&format=csv") == ['/price/amount,"""240""","""245"""']
    same = look(f"/dashboard/ebay-listing/difference?sku={SKU}&before=2&after=2", who)
    assert "Nothing differs" in same.text
    first = look(f"/dashboard/ebay-listing/snapshot?sku={SKU}&number=1", who)
    assert first.status == 200
    assert "/dashboard/ebay-listing/difference" not in first.text


@pytest.mark.parametrize(
    ("asked", "status", "field"),
    [("", 400, "before"), ("&before=x&after=2", 400, "before"), ("&before=1&after=0", 400, "after"),
     ("&before=1&after=77", 404, None)],
)  # fmt: skip
def test_snapshots_that_are_none_cannot_be_compared(listed: Cloud, asked: str, status: int, field: str | None) -> None:
    shown = look(f"/dashboard/ebay-listing/difference?sku={SKU}{asked}", signed_in("user"))
    assert shown.status == status
    assert field is None or f'id="wrong-{field}"' in shown.text
