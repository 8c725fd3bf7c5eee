"""`Idempotency-Key`: whoever sends a request again hears what the first one was told, and it is done once."""

import json
import os
from io import StringIO
from typing import Any

import pytest
from aws_lambda_powertools.event_handler import Response

from sluice.listings.stockx.table import Listing
from sluice.pages.table import Tracker
from sluice.platform import tables as dynamo
from sluice.platform.clock import DAY, MINUTE, SECOND
from sluice.platform.config import live
from sluice.platform.config.document import parse
from sluice.platform.http import idempotency, routing
from sluice.platform.http.errors import Conflict
from tests.support.clock import VirtualClock
from tests.support.http import Answer, call, event, route_functions
from tests.support.store import Store
from tests.unit.api.conftest import Cloud
from tests.unit.api.document import conforms, document

NOON = 1_795_348_800_000  # 2026-11-22T12:00:00Z
REFRESH = "/v1/market/refresh"
LISTINGS = "/v1/stockx/listings"
VARIANT = "a7c5b2d0-4f6e-4f0a-9d57-6a0d2f1f0c11"
LISTING = {"variantId": VARIANT, "amount": "150", "currency": "USD"}
ITEMS = {"items": [{"sku": "DD1391-100", "size": "10"}]}
BAD = {"items": [{"sku": "", "size": "10"}]}
PAGE = {"url": "https://shop.example.com/p/1"}
NO_LETTER = "/v1/dead-letters/none/replay"

# A route, a body that it takes, and another one.
MAKERS: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
    (REFRESH, ITEMS, {"items": [{"sku": "DZ5485-612", "size": "10"}]}),
    ("/v1/inventory", ITEMS, {"items": [{"sku": "DZ5485-612", "size": "10"}]}),
    ("/v1/inventory/import", ITEMS, {"items": [{"sku": "DZ5485-612", "size": "10"}]}),
    (LISTINGS, LISTING, LISTING | {"amount": "151"}),
    (f"{LISTINGS}/bulk", {"action": "create", "items": [LISTING, LISTING]}, {"action": "create", "items": [LISTING]}),
    ("/v1/promotions", {"listingId": "110000000001", "adRate": 5.5}, {"listingId": "110000000001", "adRate": 6}),
    ("/v1/catalog/enrichment", {}, {"any": 1}),
    ("/v1/pages", PAGE, {"url": "https://shop.example.com/p/2"}),
    ("/v1/dead-letters/replay", {"code": "x"}, {"code": "y"}),
]


class Killed(BaseException):
    """The function is gone, in the middle of its work."""


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> VirtualClock:
    made = VirtualClock(NOON)
    monkeypatch.setattr(routing, "clock", made)
    return made


@pytest.fixture
def seller(acme: Cloud, clock: VirtualClock) -> Cloud:
    """`acme` with an account at StockX, and one at eBay."""
    acme.connect_seller("acme")
    return acme


def post(path: str, body: object = None, key: str | None = "k1", **more: Any) -> Answer:
    return call("POST", path, body=body, key=key, **more)


def refused(answer: Answer, code: str) -> Answer:
    assert (answer.status, answer.json["error"]["code"]) == (409, code), answer.text
    return answer


def kept(store: Store) -> list[dict[str, Any]]:
    return store.items("idempotency")


def replayed(answer: Answer) -> bool:
    return answer.headers.get(idempotency.REPLAYED) == "true"


def die(monkeypatch: pytest.MonkeyPatch, path: str, body: object) -> None:
    """Send a request whose function dies between its work and its answer."""

    def killed(*_: Any) -> None:
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(idempotency, "keep", killed)
        with pytest.raises(Killed):
            post(path, body)


@pytest.mark.parametrize(("path", "body", "other"), MAKERS, ids=[path for path, *_ in MAKERS])
def test_a_repeat_is_answered_alike_and_changes_nothing(
    path: str, body: dict[str, Any], other: dict[str, Any], seller: Cloud, clock: VirtualClock
) -> None:
    first = post(path, body)
    assert first.status < 300, first.text
    assert not replayed(first)
    before, queued, invoked = seller.content(), list(seller.queued), list(seller.invoked)
    clock.time += DAY - SECOND
    again = post(path, body)
    assert (again.status, again.text) == (first.status, first.text)
    assert replayed(again)
    assert {**again.headers, idempotency.REPLAYED: ""} == {**first.headers, idempotency.REPLAYED: ""}
    conforms(f"POST {path}", again)
    wrong = refused(post(path, other), "key_used")
    assert list(wrong.fields) == [idempotency.HEADER]
    conforms(f"POST {path}", wrong)
    assert (seller.content(), seller.queued, seller.invoked) == (before, queued, invoked)


@pytest.mark.parametrize(("path", "body", "_"), MAKERS, ids=[path for path, *_ in MAKERS])
def test_a_run_that_died_is_done_again_after_its_lease_and_makes_nothing_twice(
    path: str, body: dict[str, Any], _: object, seller: Cloud, clock: VirtualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    def made() -> dict[str, list[str]]:
        """What there is of each thing, by its keys alone."""
        names = ("jobs", "inventory", "imports", "listings", "trackers", "pages", "dead-letters")
        keys = ("job_id", "tenant", "item", "import_id", "listing_id", "product", "dead_letter")
        content = seller.content()
        rows = {name: [json.loads(one) for one in content[name]] for name in names}
        return {
            name: sorted(json.dumps([row.get(key) for key in keys]) for row in found if not is_batch(row))
            for name, found in rows.items()
        }

    def is_batch(row: dict[str, Any]) -> bool:
        """A batch's job is new each time; which listings it may change stands on them."""
        return "listing.batch:" in json.dumps(row.get("job_id", ""))

    die(monkeypatch, path, body)
    before = made()
    running = refused(post(path, body), "in_progress")
    assert int(running.headers["Retry-After"]) > 0
    conforms(f"POST {path}", running)
    clock.time += idempotency.LEASE_MS
    second = post(path, body)
    assert second.status < 300, second.text
    assert made() == before
    assert post(path, body).text == second.text


def test_the_second_run_of_a_bulk_create_finds_the_listings_of_the_first(
    seller: Cloud, clock: VirtualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, body = f"{LISTINGS}/bulk", {"action": "create", "items": [LISTING, LISTING]}
    die(monkeypatch, path, body)
    first = sorted(one.listing_id for one in Listing.scan())
    clock.time += idempotency.LEASE_MS
    told = post(path, body).json["items"]
    assert len(first) == 2
    assert sorted(one["listingId"] for one in told) == first


def test_a_page_at_the_end_of_the_allowance_is_found_by_the_second_run(
    seller: Cloud, clock: VirtualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = parse(json.dumps({"tenants": {"allowances": {"pages": 1}}}))
    monkeypatch.setattr(live, "current", lambda: config)
    die(monkeypatch, "/v1/pages", PAGE)
    clock.time += idempotency.LEASE_MS
    assert post("/v1/pages", PAGE).status == 201
    assert len(list(Tracker.scan())) == 1
    assert post("/v1/pages", PAGE, key="k2").status in (409, 429)


def test_without_a_key_nothing_is_read_or_written(seller: Cloud, tables: Store, requests: list[str]) -> None:
    assert post(LISTINGS, LISTING, key=None).json != post(LISTINGS, LISTING, key=None).json
    assert kept(tables) == []
    before = len(requests)
    call("POST", NO_LETTER, key=None)
    without = len(requests) - before
    call("POST", NO_LETTER, key="k")
    assert len(requests) - before - without == without + 2


def test_a_key_belongs_to_a_tenant_and_a_route(seller: Cloud) -> None:
    seller.connect("other")
    ours, theirs = post(LISTINGS, LISTING), post(LISTINGS, LISTING, tenant="other")
    assert ours.json["listingId"] != theirs.json["listingId"]
    assert not replayed(theirs)
    assert not replayed(post(REFRESH, ITEMS))
    assert post(LISTINGS, LISTING, key="k2").json["listingId"] != ours.json["listingId"]


def test_a_key_belongs_to_what_the_path_and_the_query_say(seller: Cloud) -> None:
    assert post(NO_LETTER).status == 404
    refused(post("/v1/dead-letters/other/replay"), "key_used")
    refused(post(NO_LETTER, query={"a": "1"}), "key_used")


def test_who_may_not_ask_gets_no_answer_of_another(seller: Cloud) -> None:
    assert post("/v1/operator/checks/run-now").status == 200
    assert replayed(post("/v1/operator/checks/run-now"))
    assert post("/v1/operator/checks/run-now", roles="user").status == 403


def test_a_final_refusal_is_kept(seller: Cloud) -> None:
    first = post(REFRESH, BAD)
    assert first.status == 400
    again = post(REFRESH, BAD)
    assert (again.status, again.text, replayed(again)) == (400, first.text, True)
    refused(post(REFRESH, ITEMS), "key_used")


def test_too_many_requests_are_not_kept(seller: Cloud, clock: VirtualClock, monkeypatch: pytest.MonkeyPatch) -> None:
    config = parse(json.dumps({"tenants": {"allowances": {"items_per_hour": 1}}}))
    with monkeypatch.context() as patch:
        patch.setattr(live, "current", lambda: config)
        two = {"items": [{"sku": "DD1391-100", "size": size} for size in ("10", "11")]}
        assert post(REFRESH, two).status == 429
    answer = post(REFRESH, two)
    assert (answer.status, replayed(answer)) == (202, False)


def test_a_fault_of_ours_is_not_kept(seller: Cloud, monkeypatch: pytest.MonkeyPatch, logged: StringIO) -> None:
    def fault(*_: Any, **__: Any) -> None:
        raise RuntimeError

    with monkeypatch.context() as patch:
        patch.setattr("sluice.prices.api.require_room", fault)
        assert post(REFRESH, ITEMS).status == 500
    assert post(REFRESH, ITEMS).status == 202


def test_an_answer_that_could_not_be_stored_is_not_given(
    seller: Cloud, clock: VirtualClock, monkeypatch: pytest.MonkeyPatch, logged: StringIO
) -> None:
    def lost(*_: Any) -> None:
        raise dynamo.Contention("locked")

    with monkeypatch.context() as patch:
        patch.setattr(idempotency, "_write", lost)
        assert post(LISTINGS, LISTING).status == 503
    refused(post(LISTINGS, LISTING), "in_progress")
    clock.time += idempotency.LEASE_MS
    assert post(LISTINGS, LISTING).status == 202
    assert len(list(Listing.scan())) == 1


def test_of_two_at_once_one_is_done(seller: Cloud, clock: VirtualClock) -> None:
    """The other one runs in another function's process, which has claimed the key and is at work."""
    sent = event("POST", LISTINGS, body=LISTING, key="k1")
    asked = idempotency.read("k1", "acme", "POST /v1/stockx/listings", {}, sent)
    claims = [idempotency.claim(asked, NOON)]
    with pytest.raises(Conflict):
        claims.append(idempotency.claim(asked, NOON))
    refused(post(LISTINGS, LISTING), "in_progress")
    assert list(Listing.scan()) == []
    [claim] = claims
    assert isinstance(claim, idempotency.Claim)
    done = idempotency.keep(claim, Response(202, routing.JSON, {"jobId": "theirs"}), NOON)
    assert post(LISTINGS, LISTING).text == done.body
    assert list(Listing.scan()) == []


def test_whoever_has_lost_the_lease_gives_no_answer(
    seller: Cloud, clock: VirtualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A clock that goes wrong: another run has taken over while the first one was at work."""
    asked = idempotency.Repeatable("acme", "POST /v1/x k", "f")
    slow = idempotency.claim(asked, NOON)
    assert isinstance(slow, idempotency.Claim)
    fast = idempotency.claim(asked, NOON + idempotency.LEASE_MS)
    assert isinstance(fast, idempotency.Claim)
    answer = Response(200, "text/plain", "slow")
    with pytest.raises(Conflict, match="not answered yet"):
        idempotency.keep(slow, answer, NOON + MINUTE)
    idempotency.release(slow)
    told = idempotency.keep(fast, Response(200, "text/plain", "fast"), NOON + MINUTE)
    assert told.body == "fast"
    found = idempotency.claim(asked, NOON + MINUTE)
    assert isinstance(found, Response)
    assert found.body == "fast"


def test_after_a_day_the_key_is_free(seller: Cloud, clock: VirtualClock, tables: Store) -> None:
    assert post(REFRESH, ITEMS).status == 202
    [row] = kept(tables)
    assert int(row["expires_at"]["N"]) == (NOON + DAY) // SECOND
    clock.time += DAY
    other = {"items": [{"sku": "DZ5485-612", "size": "10"}]}
    answer = post(REFRESH, other)
    assert (answer.status, replayed(answer)) == (202, False)
    assert replayed(post(REFRESH, other))


def test_a_repeat_counts_as_a_request_and_not_for_what_it_asks(
    seller: Cloud, tables: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    def counted() -> tuple[int, int]:
        [row] = [row for row in tables.items("usage") if row["period"]["S"] == "2026-11-22T12"]
        return int(row["m00"]["N"]), int(row["items"]["N"])

    post(REFRESH, ITEMS)
    assert counted() == (1, 1)
    post(REFRESH, ITEMS)
    assert counted() == (2, 1)
    refused(post(REFRESH, BAD), "key_used")
    assert counted() == (3, 1)
    post(REFRESH, ITEMS, key="no key")
    assert counted() == (4, 1)
    config = parse(json.dumps({"tenants": {"allowances": {"requests_per_minute": 4}}}))
    monkeypatch.setattr(live, "current", lambda: config)
    assert post(REFRESH, ITEMS).status == 429


@pytest.mark.parametrize("key", ["", " ", "a b", "ä", "k\n", "x" * 256, "\x7f"])
def test_a_key_that_is_none_is_refused(key: str, seller: Cloud) -> None:
    before = seller.content()
    answer = post(LISTINGS, LISTING, key=key)
    assert (answer.status, list(answer.fields)) == (400, [idempotency.HEADER])
    assert seller.content() == before


@pytest.mark.parametrize("key", ["k", "!" + "x" * 254, '"5f0c"', "a#b/c"])
def test_any_visible_characters_are_a_key(key: str, seller: Cloud) -> None:
    first = post(LISTINGS, LISTING, key=key)
    assert first.status == 202
    assert post(LISTINGS, LISTING, key=key).text == first.text


def test_an_answer_that_is_too_long_to_keep_is_given_once(clock: VirtualClock, cloud: Cloud) -> None:
    asked = idempotency.Repeatable("acme", "POST /v1/x k", "f")
    claim = idempotency.claim(asked, NOON)
    assert isinstance(claim, idempotency.Claim)
    long = os.urandom(idempotency.MOST_BYTES).hex()
    assert idempotency.keep(claim, Response(202, routing.JSON, {"made": long}), NOON).body
    with pytest.raises(Conflict, match="answered 202") as told:
        idempotency.claim(asked, NOON)
    assert told.value.code == "answer_not_kept"


def test_a_new_secret_is_kept_nowhere(cloud: Cloud, tables: Store) -> None:
    cloud.webhook()
    path = "/v1/webhooks/main/secret"
    first, second = post(path), post(path)
    assert first.json["secret"] != second.json["secret"]
    assert kept(tables) == []


def test_the_document_names_the_key_at_each_post_that_takes_it() -> None:
    paths = document()["paths"]
    reference = {"$ref": f"#/components/parameters/{idempotency.HEADER}"}
    told = {key for key in route_functions() if reference in operation(paths, key)["parameters"]}
    posts = {key for key in route_functions() if key.startswith("POST ")}
    assert told == posts - {"POST /v1/webhooks/{webhook_id}/secret"}
    assert all("409" in operation(paths, key)["responses"] for key in told)
    parameter = document()["components"]["parameters"][idempotency.HEADER]
    assert (parameter["in"], parameter["required"], parameter["schema"]["maxLength"]) == ("header", False, 255)


def operation(paths: dict[str, Any], key: str) -> dict[str, Any]:
    method, _, path = key.partition(" ")
    found: dict[str, Any] = paths[path][method.lower()]
    return found
