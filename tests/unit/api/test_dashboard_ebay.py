"""The dashboard's pages of listings at eBay, and what their buttons do. Without a browser."""

import csv
import re
from html import unescape

import pytest

from sluice.dashboard.pages import ebay_groups, ebay_over_time
from sluice.dashboard.pages import ebay_listings as pages
from sluice.jobs.model.job import Job
from sluice.listings.ebay import bodies, cases, sellers
from sluice.listings.ebay.plan import MOST_DETAIL_REVISIONS
from sluice.listings.ebay.table import HistoryEntry, Record, find, version_entry
from sluice.marketplaces.publishing import MOST_REVISIONS
from sluice.operator import counts
from sluice.platform import aws
from sluice.platform.clock import DAY, SystemClock, iso
from tests.support import dashboard, dashboard_ebay
from tests.support.dashboard_ebay import GROUP_KEY, MEMBER, SKU
from tests.support.dashboard_page import form_of, look, send, signed_in
from tests.support.ebay_records import accept, document
from tests.support.http import call
from tests.support.stream import changes
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
        ("", [SKU, MEMBER]),
        ("state=waiting", [MEMBER]),
        ("drift=true", [SKU]),
        ("drift=false", [MEMBER]),
        (f"group={GROUP_KEY}", [MEMBER]),
        ("group=none", []),
    ],
)
def test_listings_are_filtered_by_state_and_by_what_differs(listed: Cloud, asked: str, found: list[str]) -> None:
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


# Over time


def test_publishes_and_what_differs_are_drawn_over_time_above_all_listings(listed: Cloud) -> None:
    put(MEMBER, quantity=7)
    counts.follow(changes("jobs"))
    page = "/dashboard/ebay-listings?format=csv&table="
    hours = list(csv.DictReader(look(f"{page}publishes", signed_in()).text.splitlines()))
    waiting = [one for one in Job.scan(Job.kind == "listing.publish") if one.state == "queued"]
    assert waiting
    assert hours[0]["Not over at its end"] == str(len(waiting))
    assert sum(int(one["Ended well"]) for one in hours) == 2
    assert {one["Ended well, %"] for one in hours} == {"", "100.0"}
    assert look(f"{page}open", signed_in()).text.splitlines()[1:] == [
        f"{day(0)},0,1", f"{day(1)},3,1", f"{day(2)},2,0", f"{day(3)},0,0",
    ]  # fmt: skip
    shown = look("/dashboard/ebay-listings", signed_in()).text
    assert shown.count('class="chart"') == 3
    of_a_user = look("/dashboard/ebay-listings", signed_in("user")).text
    assert of_a_user.count('class="chart"') == 1, "how work fares is for operators"


def day(ago: int) -> str:
    return iso(SystemClock().now() - ago * DAY)[:10]


def test_before_anything_was_published_the_page_says_what_will_be_there(
    acme: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(aws, "invoke", dashboard.api)
    shown = look("/dashboard/ebay-listings", signed_in()).text
    for told in (pages.NONE_YET, ebay_over_time.NO_PUBLISH, ebay_over_time.NO_ROUND):
        assert told in unescape(shown)


def test_a_pause_of_publishing_stands_above_all_listings(listed: Cloud) -> None:
    sellers.pause("ebay:acme", listed.now + DAY, "the selling limit is reached")
    assert "the selling limit is reached" in look("/dashboard/ebay-listings", signed_in("user")).text


# Checking now, and groups

GROUP_PAGE = f"/dashboard/ebay-group?id={GROUP_KEY}"


@pytest.mark.parametrize(("page", "skus"), [(PAGE, [SKU]), (GROUP_PAGE, [MEMBER])])
def test_a_listing_or_all_of_a_group_is_checked_once_by_its_button(listed: Cloud, page: str, skus: list[str]) -> None:
    accept("acme", MEMBER, listed.now)
    who = signed_in()
    form = form_of(look(page, who), "Check now")
    path = page.partition("?")[0]
    assert [send(f"{path}/check", form, who).to for _ in range(2)] == [page, page]
    [job] = Job.scan(Job.kind == "listing.compare")
    assert job.payload["skus"] == skus


def test_what_was_never_published_has_no_button_and_says_why_it_is_not_checked(listed: Cloud) -> None:
    who = signed_in()
    page = f"/dashboard/ebay-listing?id={MEMBER}"
    assert "Check now" not in look(page, who).text
    form = form_of(look(PAGE, who), "Check now")
    refused = send("/dashboard/ebay-listing/check", {**form, "id": MEMBER}, who)
    assert refused.status == 409
    assert "nothing of this listing was published yet" in refused.text


def test_a_group_shows_its_members_its_snapshots_and_its_history(listed: Cloud) -> None:
    who = signed_in("user")
    assert re.findall(r'href="/dashboard/ebay-group\?id=([^"]+)"', look("/dashboard/ebay-groups", who).text) == [
        GROUP_KEY
    ]
    [member] = csv.reader(rows(f"{GROUP_PAGE}&format=csv&table=members"))
    assert member[:5] == [MEMBER, "waiting", "10", "245.0", "3"]
    [history] = csv.reader(rows(f"{GROUP_PAGE}&format=csv&table=history"))
    assert history[2] == "put"
    [way] = [
        unescape(one) for one in re.findall(r'href="(/dashboard/ebay-group/snapshot[^"]*)"', look(GROUP_PAGE, who).text)
    ]
    snapshot = look(way, who)
    assert snapshot.status == 200
    assert f'href="{GROUP_PAGE}"' in snapshot.text
    same = look(f"/dashboard/ebay-group/difference?key={GROUP_KEY}&before=1&after=1", who)
    assert "Nothing differs" in same.text
    assert f'href="{GROUP_PAGE}"' in look(f"/dashboard/ebay-listing?id={MEMBER}", who).text


def test_groups_without_any_say_how_one_comes_and_another_tenants_is_not_found(listed: Cloud) -> None:
    theirs = signed_in(tenant="globex")
    assert ebay_groups.NONE_YET in unescape(look("/dashboard/ebay-groups", theirs).text)
    assert look(GROUP_PAGE, theirs).status == 404
