"""The sandbox's Marketing API against eBay's document: each call of the adapter, its answer, and each refusal."""

from collections.abc import Iterator

import httpx
import pytest

from local.sandbox.ebay.marketing.faults import RefuseAd
from local.sandbox.faults import AddField, Fault, Hang, RetypeField, ServerError, Throttle
from local.sandbox.limits import Limits
from local.sandbox.server import Sandbox
from tests.contract.documents import Document, document
from tests.unit.sandbox.advertiser import BASE, Seller
from tests.unit.sandbox.client import Clock, connected

LISTINGS = ("110000000001", "110000000002")


@pytest.fixture(scope="module")
def ebay() -> Document:
    return document("ebay")


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(seed=7, clock=Clock(), limits=Limits(per_day=10_000, retry_after=False)) as sandbox:
        for listing in LISTINGS:
            sandbox.publish("tenant-a", listing, known_after_s=0)
        yield sandbox


@pytest.fixture
def seller(sandbox: Sandbox) -> Iterator[Seller]:
    with connected(sandbox) as client:
        yield Seller(client)


def _wrong(ebay: Document, answer: httpx.Response) -> list[str]:
    """What is wrong with the call that was sent and with its answer."""
    sent, path = answer.request, answer.request.url.path
    query, headers = dict(sent.url.params), dict(sent.headers)
    problems = ebay.check_request(sent.method, path, query=query, headers=headers, body=sent.content)
    given = answer.json() if answer.content else None
    return [*problems, *ebay.check_response(sent.method, path, answer.status_code, given)]


def test_a_day_of_ads_is_as_documented(ebay: Document, seller: Seller) -> None:
    created = seller.campaign()
    campaign = created.headers["location"].rpartition("/")[2]
    promoted = seller.promote(campaign, LISTINGS[0])
    ad_id = promoted.headers["location"].rpartition("/")[2]
    rows = {"requests": [{"listingId": each, "bidPercentage": "6.0"} for each in (*LISTINGS, "9")]}
    answers = [
        seller.refresh(),
        created,
        promoted,
        seller.call("GET", campaign_status="RUNNING", limit=500, offset=0),
        seller.call("GET", campaign_name="PLS"),
        seller.call("GET", f"/{campaign}"),
        seller.call("POST", f"/{campaign}/bulk_create_ads_by_listing_id", rows),
        seller.call("POST", f"/{campaign}/bulk_update_ads_bid_by_listing_id", rows),
        seller.call("POST", f"/{campaign}/ad/{ad_id}/update_bid", {"bidPercentage": "6.5"}),
        seller.call("GET", f"/{campaign}/ad", listing_ids=",".join(LISTINGS)),
        seller.call("GET", "/find_campaign_by_ad_reference", listing_id=LISTINGS[0]),
        seller.call("POST", f"/{campaign}/pause"),
        seller.call("POST", f"/{campaign}/resume"),
        seller.call("POST", f"/{campaign}/end"),
    ]
    expected = [200, 201, 201, 200, 200, 200, 207, 207, 204, 200, 200, 204, 204, 204]
    assert [answer.status_code for answer in answers] == expected
    assert [problem for answer in answers for problem in _wrong(ebay, answer)] == []


@pytest.mark.parametrize("error", [35001, 35002, 35036, 35048, 35052, 35054, 35058, 35061, 35063, 35077, 35078])
def test_each_error_of_an_ad_is_documented_for_the_call_that_has_it(
    ebay: Document, seller: Seller, sandbox: Sandbox, error: int
) -> None:
    campaign = seller.campaign().headers["location"].rpartition("/")[2]
    sandbox.faults.set(RefuseAd(error_id=error))
    answer = seller.promote(campaign, LISTINGS[0])
    assert _wrong(ebay, answer) == []
    assert error in _listed(ebay, f"{BASE}/{campaign}/ad", answer.status_code)


def test_each_refusal_is_as_documented(ebay: Document, seller: Seller) -> None:
    campaign = seller.campaign().headers["location"].rpartition("/")[2]
    refused = [
        seller.call("GET", "/77"),
        seller.call("GET", limit=501),
        seller.call("GET", "/find_campaign_by_ad_reference"),
        seller.campaign(),
        seller.campaign("another", bidPercentage="1.9"),
        seller.promote(campaign, "9"),
        seller.promote(campaign, LISTINGS[0], "5.25"),
        seller.call("POST", f"/{campaign}/bulk_create_ads_by_listing_id", {"requests": []}),
    ]
    assert all(answer.status_code >= 400 for answer in refused)
    assert [problem for answer in refused for problem in _wrong(ebay, answer)] == []


@pytest.mark.parametrize("fault", [Throttle(), ServerError(status=500), ServerError(status=503), Hang(hold_ms=1)])
def test_each_fault_is_as_documented(ebay: Document, seller: Seller, sandbox: Sandbox, fault: Fault) -> None:
    sandbox.faults.set(fault)
    answer = seller.call("GET")
    assert answer.status_code >= 400
    assert _wrong(ebay, answer) == []


def test_who_has_no_token_or_another_is_told_as_documented(ebay: Document, seller: Seller) -> None:
    scope = "https://api.ebay.com/oauth/api_scope"
    tokens = ("x", seller.refresh(grant_type="client_credentials", scope=scope).json()["access_token"])
    for seller.token, status in zip(tokens, (401, 403), strict=True):
        answer = seller.call("GET")
        assert answer.status_code == status
        assert _wrong(ebay, answer) == []


@pytest.mark.parametrize("fault", [RetypeField(field="campaigns"), AddField(field="total", value="many")])
def test_a_spoiled_answer_is_not_as_documented(ebay: Document, seller: Seller, sandbox: Sandbox, fault: Fault) -> None:
    seller.campaign()
    sandbox.faults.set(fault)
    assert _wrong(ebay, seller.call("GET")) != []


def _listed(ebay: Document, path: str, status: int) -> set[int]:
    """The error ids that the document lists for making an ad."""
    operation = ebay.operation("POST", path)
    assert operation is not None
    return {int(name) for name in operation.spec["responses"][str(status)]["content"]["application/json"]["examples"]}
