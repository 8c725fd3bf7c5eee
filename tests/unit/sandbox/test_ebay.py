"""eBay over HTTP: the token, what a search finds, what it leaves out, and the quota."""

from base64 import b64encode
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from local.sandbox.catalog.golden import GOLDEN
from local.sandbox.catalog.prices import quote
from local.sandbox.faults import RefuseRefresh, RevokedToken, Throttle
from local.sandbox.limits import Limits
from local.sandbox.server import Sandbox
from tests.unit.sandbox.client import Client, Clock

TOKEN = "/identity/v1/oauth2/token"
SEARCH = "/buy/browse/v1/item_summary/search"
RATE_LIMITS = "/developer/analytics/v1_beta/rate_limit/"
SCOPE = "https://api.ebay.com/oauth/api_scope"
NEW = "conditions:{NEW},buyingOptions:{FIXED_PRICE}"

Search = Callable[..., httpx.Response]


def _basic(name: str, secret: str) -> dict[str, str]:
    return {"authorization": f"Basic {b64encode(f'{name}:{secret}'.encode()).decode()}"}


def _mint(client: Client, **form: str) -> httpx.Response:
    known = client.credentials
    return client.http.post(
        TOKEN,
        data={"grant_type": "client_credentials", "scope": SCOPE, **form},
        headers=_basic(known.client_id, known.client_secret),
    )


@pytest.fixture
def headers(client: Client) -> dict[str, str]:
    return {"authorization": f"Bearer {_mint(client).json()['access_token']}"}


@pytest.fixture
def search(client: Client, headers: dict[str, str]) -> Search:
    """A search as the application of `tenant-a`; `site` is eBay's marketplace id."""

    def call(site: str = "EBAY_US", **query: str) -> httpx.Response:
        return client.http.get(SEARCH, params=query, headers={**headers, "x-ebay-c-marketplace-id": site})

    return call


def _size(size: str, category: str = "15709", aspect: str = "US Shoe Size") -> dict[str, str]:
    return {"category_ids": category, "aspect_filter": f"categoryId:{category},{aspect}:{{{size}}}"}


def _items(answer: httpx.Response) -> list[Any]:
    assert answer.status_code == 200, answer.text
    assert "warnings" not in answer.json()
    found: list[Any] = answer.json().get("itemSummaries", [])
    return found


def test_an_application_gets_a_token_for_two_hours(client: Client, clock: Clock, search: Search) -> None:
    answer = _mint(client).json()
    assert (answer["expires_in"], answer["token_type"]) == (7_200, "Application Access Token")
    assert search(q="DD1391-100").status_code == 200
    clock.now += 7_200_000
    assert search(q="DD1391-100").json()["errors"][0]["errorId"] == 1001


@pytest.mark.parametrize(
    ("form", "error"),
    [({"grant_type": "password"}, "unsupported_grant_type"), ({"scope": "everything"}, "invalid_scope")],
)
def test_other_grants_are_refused(client: Client, form: dict[str, str], error: str) -> None:
    answer = _mint(client, **form)
    assert (answer.status_code, answer.json()["error"]) == (400, error)


def test_who_is_not_known_gets_no_token(client: Client, sandbox: Sandbox) -> None:
    form = {"grant_type": "client_credentials", "scope": SCOPE}
    for header in (_basic(client.credentials.client_id, "wrong"), _basic("x", "y"), {"authorization": "Basic ?"}, {}):
        assert client.http.post(TOKEN, data=form, headers=header).json()["error"] == "invalid_client"
    sandbox.faults.set(RefuseRefresh(last=1))
    assert _mint(client).status_code == 401
    sandbox.world.accounts.revoke("tenant-a")
    assert _mint(client).status_code == 401


def test_a_size_is_searched_for(search: Search, clock: Clock) -> None:
    items = _items(search(q="DD1391-100", filter=NEW, sort="price", limit="200", **_size("10")))
    assert len(items) > 3
    assert all("DD1391-100 US 10" in item["title"] for item in items)
    assert {(item["condition"], *item["buyingOptions"]) for item in items} == {
        ("New", "FIXED_PRICE"),
        ("New without box", "FIXED_PRICE"),
    }
    prices = [float(item["price"]["value"]) for item in items]
    assert prices == sorted(prices)
    ten = next(variant for variant in GOLDEN[0].variants if variant.size.value == "10")
    assert prices[0] == pytest.approx(quote(7, ten, clock.now).lowest_ask, rel=0.15)


@pytest.mark.parametrize(
    ("site", "sku", "size", "currency"),
    [
        ("EBAY_GB", "DD1391-100", _size("9", aspect="UK Shoe Size"), "GBP"),
        ("EBAY_DE", "CP9654", _size("42 2/3", aspect="EU-Schuhgröße"), "EUR"),
        ("EBAY_AU", "DD1503-101", _size("8", "95672"), "AUD"),
        ("EBAY_CA", "CW1590-100 5Y", {}, "CAD"),
    ],
)
def test_each_site_has_its_currency_and_its_names(
    search: Search, site: str, sku: str, size: dict[str, str], currency: str
) -> None:
    items = _items(search(site, q=sku, filter=NEW, **size))
    assert {item["price"]["currency"] for item in items} == {currency}


def test_what_the_filter_keeps_out(search: Search) -> None:
    every = _items(search(q="DD1391-100", filter="buyingOptions:{FIXED_PRICE|AUCTION}", limit="200", **_size("10")))
    assert {item["conditionId"] for item in every} == {"1000", "1500", "3000"}
    assert [item for item in every if "price" not in item] != []
    fixed = _items(search(q="DD1391-100", limit="200", **_size("10")))
    assert {option for item in fixed for option in item["buyingOptions"]} == {"FIXED_PRICE"}


def test_nothing_found_is_no_list(search: Search) -> None:
    body = search(q="ZZ0000-000", filter=NEW).json()
    assert body["total"] == 0
    assert "itemSummaries" not in body


@pytest.mark.parametrize(
    ("query", "left_out"),
    [
        ({"filter": "conditions:{SHINY}"}, "conditions"),
        ({"filter": "colour:{RED}"}, "colour"),
        ({"aspect_filter": "categoryId:15709,US Shoe Size:{10}"}, "aspect_filter"),
        (_size("10", aspect="Schuhgröße"), "Schuhgröße"),
        ({"sort": "cheapest"}, "sort"),
    ],
)
def test_what_is_not_understood_is_left_out_with_a_warning(
    search: Search, query: dict[str, str], left_out: str
) -> None:
    answer = search(q="DD1391-100", **query)
    assert answer.status_code == 200
    assert [warning["message"] for warning in answer.json()["warnings"]] == [f"The '{left_out}' filter is invalid."]
    assert answer.json()["total"] > 20


@pytest.mark.parametrize(
    ("query", "status", "error_id"),
    [
        ({}, 400, 12001),
        ({"q": "x", "limit": "0"}, 400, 12006),
        ({"q": "x", "limit": "201"}, 400, 12006),
        ({"q": "x", "limit": "ten"}, 400, 12007),
        ({"q": "x", "offset": "-1"}, 400, 12005),
        ({"q": "x", "limit": "10", "offset": "5"}, 400, 12515),
        ({"q": "x", "site": "EBAY_MOON"}, 409, 12019),
    ],
)
def test_a_bad_search_is_refused_by_id(search: Search, query: dict[str, str], status: int, error_id: int) -> None:
    answer = search(**query)
    assert (answer.status_code, answer.json()["errors"][0]["errorId"]) == (status, error_id)


def test_pages_follow_each_other(search: Search) -> None:
    query = {"q": "DD1391-100", "filter": NEW, "sort": "price", **_size("10")}
    whole = _items(search(limit="200", **query))
    paged = [
        item for start in range(0, len(whole), 2) for item in _items(search(limit="2", offset=str(start), **query))
    ]
    assert paged == whole


def test_the_quota_is_one_for_the_application_and_says_when_it_begins_anew(
    client: Client, sandbox: Sandbox, search: Search, headers: dict[str, str], clock: Clock
) -> None:
    sandbox.set_limits(Limits(per_day=2, retry_after=False), "ebay")
    answers = [search(q="DD1391-100") for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert answers[-1].json()["errors"][0]["errorId"] == 2001
    limits = client.http.get(RATE_LIMITS, headers=headers).json()["rateLimits"]
    (browse,) = (limit for limit in limits if limit["apiName"].lower() == "browse")
    (rate,) = browse["resources"][0]["rates"]
    assert (rate["limit"], rate["remaining"], rate["reset"]) == (2, 0, "2026-11-24T00:00:00.000Z")
    assert sandbox.report().usage["ebay/tenant-a"].calls == 3


def test_an_application_without_a_daily_limit_is_told_nothing(client: Client, headers: dict[str, str]) -> None:
    answer = client.http.get(RATE_LIMITS, headers=headers)
    assert (answer.status_code, answer.content) == (204, b"")


def test_faults_strike_here_too(search: Search, sandbox: Sandbox) -> None:
    sandbox.faults.set(Throttle(last=1, retry_after_s=5))
    refused = search(q="x")
    assert (refused.json()["errors"][0]["errorId"], refused.headers["retry-after"]) == (2001, "5")
    sandbox.faults.set(RevokedToken(last=1))
    assert [search(q="x").status_code for _ in range(2)] == [401, 401]
