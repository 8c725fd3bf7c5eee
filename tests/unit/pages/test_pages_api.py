"""The routes of tracked pages as a client sees them, and what bad input gets."""

from typing import Any

import pytest

from sluice.pages.alerts import KINDS
from sluice.pages.table import Product, Tracker
from sluice.platform.config.document import Config
from sluice.platform.config.tenants import Allowances, Tenants
from sluice.platform.http import answers
from tests.support.http import Answer, call
from tests.support.shop import HOST, URL, Desk, page
from tests.unit.api.document import conforms

PAGES = "/v1/pages"
ONE = f"{PAGES}/{{page_id}}"


def post(body: Any, **caller: Any) -> Answer:
    answer = call("POST", PAGES, body=body, **caller)
    conforms(f"POST {PAGES}", answer)
    return answer


def get(page_id: str, more: str = "", **caller: Any) -> Answer:
    answer = call("GET", f"{PAGES}/{page_id}{more}", **caller)
    conforms(f"GET {ONE}{more}", answer)
    return answer


def patch(page_id: str, body: Any, **caller: Any) -> Answer:
    answer = call("PATCH", f"{PAGES}/{page_id}", body=body, **caller)
    conforms(f"PATCH {ONE}", answer)
    return answer


def test_a_page_is_shown_as_it_was_asked_for(desk: Desk) -> None:
    wish = {
        "url": f"{URL}?utm_source=mail#reviews",
        "label": "winter boots",
        "dropPercent": "12.5",
        "variants": {"ids": [], "options": {"Size": ["42", "43"]}},
        "alerts": ["price_dropped"],
    }
    answer = post(wish)
    assert answer.status == 201
    shown = answer.json["page"]
    assert shown == {
        "pageId": shown["pageId"],
        "url": URL,
        "label": "winter boots",
        "title": "",
        "canonicalUrl": None,
        "sameAs": [],
        "status": "waiting",
        "seen": None,
        "source": "",
        "checkedAt": None,
        "readAt": None,
        "ageSeconds": None,
        "nextCheckAt": "2026-11-22T12:00:00.000Z",
        "targetPrice": None,
        "dropPercent": "12.5",
        "wantedVariants": {"ids": [], "options": {"Size": ["42", "43"]}},
        "alerts": ["price_dropped"],
        "problem": None,
        "createdAt": "2026-11-22T12:00:00.000Z",
    }
    assert get(shown["pageId"]).json["page"]["variants"] == []


def test_facts_are_shown_with_age_and_source(desk: Desk) -> None:
    own = desk.track()
    desk.shops.replies[URL] = page("1099.5")
    desk.check()
    desk.clock.time += 61_000
    shown = get(own).json["page"]
    assert (shown["title"], shown["ageSeconds"], shown["source"], shown["status"]) == (
        "Ridge Boot",
        61,
        "json-ld",
        "product",
    )
    [variant] = shown["variants"]
    assert (variant["variantId"], variant["followed"], variant["gone"]) == ("RB", True, False)
    assert variant["price"]["price"] == {"amount": "1099.50", "currency": "EUR"}
    assert (variant["price"]["confirmed"], variant["stock"]["availability"]) == (False, "in")
    [check] = shown["lastChecks"]
    assert (check["status"], check["metadata"]["source"], check["metadata"]["httpStatus"]) == (
        "product",
        "json-ld",
        200,
    )


BAD_URLS = {
    "ftp://shop.example/a": "https://",
    "file:///etc/passwd": "https://",
    "https://someone@shop.example/": "user",
    "https:///a": "host",
    "https://shop.example:8080/": "port",
    "https://10.0.0.1/": "public",
    "https://2130706433/": "public",
    "https://[::ffff:10.0.0.1]/": "public",
    "https://shop.example./": "dot",
    "https://shop.example/" + "a" * 1_980: "2000",
    "": "https://",
}


@pytest.mark.parametrize("url", BAD_URLS, ids=lambda url: url[:40])
def test_a_bad_url_is_refused_and_stores_nothing(desk: Desk, url: str) -> None:
    answer = post({"url": url})
    assert (answer.status, list(answer.fields)) == (400, ["url"])
    assert BAD_URLS[url] in answer.fields["url"]
    assert not list(Product.scan())
    assert not list(Tracker.scan())


BAD_WISHES = [
    ({"targetPrice": {"amount": "0", "currency": "EUR"}}, "targetPrice.amount"),
    ({"targetPrice": {"amount": "-5", "currency": "EUR"}}, "targetPrice.amount"),
    ({"targetPrice": {"amount": "9,99", "currency": "EUR"}}, "targetPrice.amount"),
    ({"targetPrice": {"amount": "9.999", "currency": "EUR"}}, "targetPrice.amount"),
    ({"targetPrice": {"amount": "9", "currency": "euro"}}, "targetPrice.currency"),
    ({"targetPrice": {"amount": "9"}}, "targetPrice.currency"),
    ({"targetPrice": "9"}, "targetPrice"),
    ({"dropPercent": 0}, "dropPercent"),
    ({"dropPercent": "100"}, "dropPercent"),
    ({"dropPercent": "x"}, "dropPercent"),
    ({"dropPercent": 5, "targetPrice": {"amount": "9", "currency": "EUR"}}, "dropPercent"),
    ({"alerts": ["everything"]}, "alerts[0]"),
    ({"variants": {"options": {"Size": []}}}, "variants.options.Size"),
    ({"variants": {"ids": [7]}}, "variants.ids[0]"),
    ({"label": ""}, "label"),
    ({"label": "a\nb"}, "label"),
    ({"colour": "red"}, "colour"),
]


@pytest.mark.parametrize(("wish", "field"), BAD_WISHES)
def test_a_bad_wish_is_refused_by_its_field_and_stores_nothing(desk: Desk, wish: dict[str, Any], field: str) -> None:
    answer = post({"url": URL, **wish})
    assert (answer.status, list(answer.fields)) == (400, [field])
    assert not list(Product.scan())
    assert not list(Tracker.scan())
    own = desk.track()
    before = get(own).json
    assert patch(own, wish).status == 400
    assert get(own).json == before


def test_a_target_in_a_currency_that_the_page_does_not_have_is_refused_or_told(desk: Desk) -> None:
    own = desk.track(targetPrice={"amount": "90", "currency": "USD"})
    desk.shops.replies[URL] = page("100")
    desk.confirmed()
    assert "USD" in get(own).json["page"]["problem"]
    answer = post({"url": URL, "targetPrice": {"amount": "90", "currency": "SEK"}}, tenant="globex")
    assert (answer.status, list(answer.fields)) == (400, ["targetPrice.currency"])
    assert "EUR" in answer.fields["targetPrice.currency"]
    assert patch(own, {"targetPrice": {"amount": "90", "currency": "SEK"}}).status == 400
    assert patch(own, {"targetPrice": {"amount": "90", "currency": "EUR"}}).json["page"]["problem"] is None


def test_a_page_is_tracked_once(desk: Desk) -> None:
    own = desk.track()
    answer = post({"url": f"{URL}#x"})
    assert (answer.status, answer.json["error"]["code"], answer.json["pageId"]) == (409, "tracked", own)
    assert Product.get(own).trackers == 1


def test_wishes_are_changed_one_by_one(desk: Desk) -> None:
    own = desk.track(label="a", targetPrice={"amount": "90", "currency": "EUR"})
    changed = patch(own, {"dropPercent": 10}).json["page"]
    assert (changed["targetPrice"], changed["dropPercent"], changed["label"]) == (None, "10", "a")
    changed = patch(own, {"label": None, "alerts": [], "variants": {"ids": ["x"]}}).json["page"]
    assert (changed["label"], changed["alerts"], changed["dropPercent"]) == (None, [], "10")
    assert changed["wantedVariants"] == {"ids": ["x"], "options": {}}
    changed = patch(own, {"dropPercent": None, "variants": {}}).json["page"]
    assert (changed["dropPercent"], changed["wantedVariants"]["ids"]) == (None, [])
    assert patch(own, {}).json["page"] == changed


def test_a_new_target_starts_from_what_is_known(desk: Desk) -> None:
    own = desk.track(targetPrice={"amount": "50", "currency": "EUR"})
    desk.shops.replies[URL] = page("100")
    desk.confirmed()
    patch(own, {"targetPrice": {"amount": "120", "currency": "EUR"}})
    desk.confirmed()
    assert desk.events == [], "it was below the target when that was set"
    desk.shops.replies[URL] = page("130")
    desk.confirmed()
    desk.shops.replies[URL] = page("110")
    desk.confirmed()
    assert len(desk.told("price_dropped")) == 1


def test_two_urls_with_one_canonical_link_are_shown_as_such(desk: Desk) -> None:
    twin = f"{URL}?colour=red"
    canonical = f'<head><link rel="canonical" href="{URL}">'
    for url in (URL, twin):
        desk.track(url)
        desk.shops.replies[url] = page().replace("<head>", canonical)
    other = desk.track(f"https://{HOST}/p/sandal")
    desk.check()
    answer = call("GET", PAGES)
    conforms(f"GET {PAGES}", answer)
    same = {one["pageId"]: one["sameAs"] for one in answer.json["pages"]}
    [first, second] = [one for one in same if one != other]
    assert (same[first], same[second], same[other]) == ([second], [first], [])
    assert get(first).json["page"]["sameAs"] == [second]
    assert get(first).json["page"]["canonicalUrl"] == URL


def test_the_list_goes_on_where_a_page_ended(desk: Desk) -> None:
    made = {desk.track(f"{URL}{number}") for number in range(5)}
    found = list[str]()
    cursor: str | None = ""
    for _ in range(3):
        answer = call("GET", PAGES, query={"limit": 2, **({"cursor": cursor} if cursor else {})})
        found += [one["pageId"] for one in answer.json["pages"]]
        cursor = answer.json["next"]
    assert (set(found), len(found)) == (made, 5)
    assert cursor is None


@pytest.mark.parametrize(
    ("query", "field"),
    [({"limit": 0}, "limit"), ({"limit": 101}, "limit"), ({"cursor": "x"}, "cursor"), ({"all": 1}, "all")],
)
def test_a_bad_query_is_refused_by_its_field(desk: Desk, query: dict[str, Any], field: str) -> None:
    answer = call("GET", PAGES, query=query)
    assert (answer.status, list(answer.fields)) == (400, [field])


def test_each_tenant_sees_and_changes_its_own(desk: Desk) -> None:
    own = desk.track(label="mine")
    for answer in (
        get(own, tenant="globex"),
        patch(own, {"label": "yours"}, tenant="globex"),
        call("DELETE", f"{PAGES}/{own}", tenant="globex"),
        get(own, "/prices", tenant="globex"),
        get(own, "/saved", tenant="globex"),
    ):
        assert answer.status == 404
    assert call("GET", PAGES, tenant="globex").json == {"pages": [], "next": None}
    assert desk.track(tenant="globex") == own
    assert get(own, tenant="globex").json["page"]["label"] is None
    assert call("DELETE", f"{PAGES}/{own}", tenant="globex").status == 200
    assert get(own).json["page"]["label"] == "mine"


@pytest.mark.parametrize("own", ["x", "0" * 31, "Z" * 32, "%00", "a" * 2_000])
def test_an_odd_id_is_not_found(desk: Desk, own: str) -> None:
    assert get(own).status == patch(own, {}).status == call("DELETE", f"{PAGES}/{own}").status == 404


def test_the_history_of_a_variant(desk: Desk) -> None:
    own = desk.track()
    for price in ("100", "90.5"):
        desk.shops.replies[URL] = page(price)
        desk.confirmed()
    answer = call("GET", f"{PAGES}/{own}/prices", query={"variant": "RB"})
    conforms(f"GET {ONE}/prices", answer)
    points = answer.json["points"]
    assert [point["price"]["amount"] for point in points] == ["90.50", "100.00"]
    assert points[0]["availability"] == "in"
    answer = call("GET", f"{PAGES}/{own}/prices", query={"variant": "XX"})
    assert (answer.json["points"], "'RB'" in answer.json["message"]) == ([], True)


def test_a_saved_page_is_text_and_no_page_of_ours(desk: Desk) -> None:
    own = desk.track()
    assert get(own, "/saved").status == 404
    desk.shops.replies[URL] = "<html><title>Shop</title><script>alert(1)</script></html>"
    desk.check()
    answer = get(own, "/saved")
    assert (answer.status, answer.headers["Content-Type"]) == (200, "text/plain; charset=utf-8")
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert "alert(1)" in answer.text


@pytest.mark.parametrize("sign", ["\N{PILE OF POO}", '"', "\x01"])
def test_of_a_saved_page_as_much_is_shown_as_can_be_sent(desk: Desk, sign: str) -> None:
    """Lambda returns 6 MB, in which a letter may take several bytes: a shop's page must not end in a fault."""
    own = desk.track()
    desk.shops.replies[URL] = f"<html><title>Shop</title>{sign * 2_200_000}</html>"
    desk.check()
    answer = get(own, "/saved")
    assert (answer.status, answer.text[:12]) == (200, "<html><title")
    assert answers.fits(answer.text)
    assert answer.headers["X-Saved-Whole"] == str(sign == '"').lower()


def test_a_tenant_tracks_as_many_pages_as_it_may(desk: Desk) -> None:
    desk.config = Config(tenants=Tenants(overrides={"acme": Allowances(pages=2)}))
    for number in range(2):
        desk.track(f"{URL}{number}")
    answer = post({"url": URL})
    assert (answer.status, list(answer.fields)) == (429, ["pages"])
    assert answer.headers["Retry-After"] == "3600"
    assert desk.track(tenant="globex")


@pytest.mark.parametrize(("method", "path"), [("POST", PAGES), ("GET", PAGES), ("GET", f"{PAGES}/{'0' * 32}")])
def test_it_needs_a_token(desk: Desk, method: str, path: str) -> None:
    assert call(method, path, tenant=None, body={"url": URL} if method == "POST" else None).status == 401


def test_all_alerts_are_wanted_unless_it_says_otherwise(desk: Desk) -> None:
    assert post({"url": URL}).json["page"]["alerts"] == sorted(KINDS)
