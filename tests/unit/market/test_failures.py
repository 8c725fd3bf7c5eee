"""What StockX may answer instead of a price, and what becomes of the job."""

from fnmatch import fnmatch

import httpx
import pytest

from local.sandbox.faults import (
    AddField,
    Disconnect,
    Drip,
    DropField,
    Fault,
    Hang,
    MalformedJson,
    NotFound,
    NullField,
    RetypeField,
    ServerError,
)
from local.sandbox.server import Sandbox
from sluice.marketplaces.http.exchange import Answer, Call
from sluice.marketplaces.http.transport import Transport
from sluice.platform.clock import MINUTE, SECOND
from sluice.prices.kinds import REFRESH
from tests.support.haste import give_up
from tests.support.patience import SECONDS
from tests.unit.market.world import Json, World, item

PRICE = "*/market-data"
# The time of a call that the sandbox holds: shorter than it holds it.
HASTE_S = 0.8


@pytest.fixture
def hasty(acme: World, monkeypatch: pytest.MonkeyPatch) -> World:
    """The first call for a price is given up soon. All others have the time of a busy machine."""
    exchange, first = Transport._exchange, [True]

    def soon(transport: Transport, request: Call, path: str, source: str) -> Answer:
        is_held = fnmatch(path, PRICE) and bool(first) and first.pop()
        with monkeypatch.context() as patch:
            patch.setattr(transport, "_seconds", SECONDS)
            if is_held:
                give_up(patch, transport, HASTE_S, lambda: acme.sandbox.requests(path=PRICE))
            patch.setattr(transport, "_timeout", httpx.Timeout(transport._seconds))
            return exchange(transport, request, path, source)

    monkeypatch.setattr(Transport, "_exchange", soon)
    return acme


def events(job: Json) -> list[tuple[str, int]]:
    return [(entry["event"], entry["attempt"]) for entry in job["history"]]


def test_an_unknown_product_is_dead_at_once_and_says_so(acme: World) -> None:
    [job] = acme.finish(item("ZZ0000-000"))
    assert (job["state"], job["attempts"], job["dueAt"]) == ("dead", 1, None)
    assert (job["error"]["code"], job["error"]["message"]) == (
        "product_unknown",
        "stockx has no product with style ZZ0000-000",
    )
    [letter] = acme.letters()
    assert (letter["job_id"], letter["tenant"], letter["payload"]["sku"]) == (job["jobId"], "acme", "ZZ0000-000")
    assert letter["error"]["message"] == job["error"]["message"]
    acme.run()
    assert (acme.routes(), acme.charged()) == (["search"], 1)


def test_a_size_that_the_product_lacks_is_dead_at_once_and_names_those_it_has(acme: World) -> None:
    [job] = acme.finish(item("DD1391-100", "99"))
    assert (job["state"], job["error"]["code"]) == ("dead", "size_unknown")
    assert job["error"]["message"] == (
        "DD1391-100 has no size 99 in us; it has 3.5, 4, 4.5, 5, 5.5, 6, 6.5, 7, 7.5, 8, 8.5, 9 and 10 more"
    )
    assert (len(acme.letters()), acme.charged()) == (1, 2)


def test_once_the_product_is_known_such_a_size_is_refused_when_it_is_asked_for(acme: World) -> None:
    acme.finish(item("DD1391-100", "10"))
    jobs = len(acme.store.items("jobs"))
    answer = acme.ask(item("DD1391-100", "10"), item("DD1391-100", "99"), item("CW1590-100", "99"))
    refused = answer.json["items"][1]
    assert (answer.status, refused["outcome"]) == (202, "refused")
    assert refused["error"]["fields"] == [
        {
            "field": "items[1].size",
            "message": "DD1391-100 has no size 99 in us; "
            "it has 3.5, 4, 4.5, 5, 5.5, 6, 6.5, 7, 7.5, 8, 8.5, 9 and 10 more",
        }
    ]
    assert len(acme.store.items("jobs")) == jobs + 1


def test_a_product_that_is_gone_is_dead_at_once(acme: World) -> None:
    acme.finish(item())
    acme.clock.time += 11 * MINUTE
    acme.sandbox.faults.set(NotFound(path=PRICE))
    [job] = acme.finish(item())
    assert (job["state"], job["attempts"], job["error"]["code"]) == ("dead", 1, "not_found")
    assert len(acme.prices("DD1391-100")) == 1


def test_a_dead_job_may_be_asked_for_again(acme: World) -> None:
    acme.sandbox.faults.set(NotFound(path="*/search", last=1))
    [dead] = acme.finish(item())
    assert dead["state"] == "dead"
    assert acme.ask(item()).json["items"][0]["outcome"] == "created"
    acme.run()
    again = acme.job(dead["jobId"])
    assert (again["state"], again["attempts"], again["error"]) == ("succeeded", 1, None)
    assert len(acme.letters()) == 1


PASSING: list[tuple[Fault, str]] = [
    (ServerError(path=PRICE, last=2), "unavailable"),
    (ServerError(path=PRICE, status=500, last=2), "unavailable"),
    (ServerError(path=PRICE, status=504, last=2), "unavailable"),
    (Disconnect(path=PRICE, last=2), "unavailable"),
    (MalformedJson(path=PRICE, last=2), "bad_answer"),
    (MalformedJson(path=PRICE, html=True, last=2), "bad_answer"),
    (MalformedJson(path="*/search", last=2), "bad_answer"),
    (MalformedJson(path="*/variants", last=2), "bad_answer"),
]


@pytest.mark.parametrize(("fault", "code"), PASSING, ids=lambda value: getattr(value, "kind", value))
def test_what_passes_is_tried_again_with_a_backoff(acme: World, fault: Fault, code: str) -> None:
    acme.sandbox.faults.set(fault)
    [job_id] = acme.enqueue(item())
    acme.run()
    failed = acme.job(job_id)
    assert (failed["state"], failed["attempts"], failed["error"]["code"]) == ("queued", 1, code)
    assert failed["dueAt"] > failed["updatedAt"]
    assert failed["wait"]["reason"] == "not_due"
    acme.run_until(lambda: acme.job(job_id)["state"] == "succeeded", minutes=5)
    job = acme.job(job_id)
    assert (job["attempts"], job["error"]) == (3, None)
    assert events(job) == [("retry", 1), ("retry", 2)]
    assert len(acme.prices("DD1391-100")) == 1
    assert acme.charged() == len(acme.calls())
    assert acme.letters() == []


@pytest.mark.parametrize("kind_of_sandbox", [Sandbox], ids=["served"])
@pytest.mark.parametrize("fault", [Hang(path=PRICE, last=1), Drip(path=PRICE, chunk_bytes=4, pause_ms=100, last=1)])
def test_an_answer_that_takes_too_long_is_given_up_and_tried_again(hasty: World, fault: Fault) -> None:
    hasty.sandbox.faults.set(fault)
    [job_id] = hasty.enqueue(item())
    hasty.run()
    assert hasty.job(job_id)["error"]["code"] == "timed_out"
    hasty.run_until(lambda: hasty.job(job_id)["state"] == "succeeded", minutes=3)
    assert hasty.charged() == len(hasty.calls()) == 4


@pytest.mark.parametrize("kind_of_sandbox", [Sandbox], ids=["served"])
def test_a_slow_body_that_comes_in_time_is_a_price(acme: World) -> None:
    acme.sandbox.faults.set(Drip(path=PRICE, chunk_bytes=1_000, pause_ms=20))
    [job] = acme.finish(item())
    assert job["state"] == "succeeded"


def test_what_never_passes_is_dead_after_its_attempts_with_its_whole_history(acme: World) -> None:
    acme.sandbox.faults.set(ServerError(path=PRICE))
    [job_id] = acme.enqueue(item())
    acme.run_until(lambda: acme.job(job_id)["state"] == "dead", minutes=30)
    job = acme.job(job_id)
    assert job["attempts"] == job["maxAttempts"] == REFRESH.max_attempts == 5
    assert events(job) == [("retry", 1), ("retry", 2), ("retry", 3), ("retry", 4), ("bury", 5)]
    assert {entry["code"] for entry in job["history"]} == {"unavailable"}
    [letter] = acme.letters()
    assert [entry["attempt"] for entry in letter["history"]] == [1, 2, 3, 4, 5]
    assert all("503" in entry["message"] for entry in letter["history"])
    assert len(acme.calls(path=PRICE)) == 5
    assert [kind for kind, _ in acme.bus.events] == ["job.dead"]
    assert acme.prices("DD1391-100") == []


def test_a_job_in_backoff_spends_nothing_before_its_time(acme: World) -> None:
    acme.chance = lambda: 0.999  # the longest backoff: ten seconds, twenty, …
    acme.sandbox.faults.set(ServerError(path=PRICE, last=1))
    [job_id] = acme.enqueue(item())
    acme.run()
    acme.clock.time += 9 * SECOND
    acme.run()
    assert acme.job(job_id)["attempts"] == 1
    acme.clock.time += SECOND
    acme.run()
    assert acme.job(job_id)["state"] == "succeeded"


NEEDED = [
    ("*/search", "products"),
    ("*/search", "productId"),
    ("*/search", "hasNextPage"),
    ("*/variants", "variantId"),
    (PRICE, "productId"),
    (PRICE, "variantId"),
    (PRICE, "currencyCode"),
]


@pytest.mark.parametrize("damage", [DropField, NullField, RetypeField])
@pytest.mark.parametrize(("path", "field"), NEEDED)
def test_an_answer_without_what_a_price_needs_is_tried_again_and_names_the_place(
    acme: World, path: str, field: str, damage: type[DropField | NullField | RetypeField]
) -> None:
    acme.sandbox.faults.set(damage(path=path, field=field, last=1))
    sku = "ZZ0000-000" if field == "hasNextPage" else "DD1391-100"
    [job_id] = acme.enqueue(item(sku))
    acme.run()
    job = acme.job(job_id)
    assert (job["state"], job["error"]["code"]) == ("queued", "bad_answer")
    assert f".{field} " in job["error"]["message"] or "the answer" in job["error"]["message"]
    acme.run_until(lambda: acme.job(job_id)["state"] in ("succeeded", "dead"), minutes=3)
    assert acme.job(job_id)["state"] == ("dead" if sku == "ZZ0000-000" else "succeeded")


DECORATION = [
    ("*/search", "brand"),
    ("*/search", "title"),
    ("*/search", "urlKey"),
    ("*/search", "productType"),
    ("*/search", "productAttributes"),
    ("*/search", "count"),
    ("*/variants", "gtins"),
    ("*/variants", "variantName"),
    ("*/variants", "variantValue"),
    (PRICE, "lowestAskAmount"),
    (PRICE, "highestBidAmount"),
    (PRICE, "earnMoreAmount"),
    (PRICE, "standardMarketData"),
    (PRICE, "flexMarketData"),
]


@pytest.mark.parametrize("damage", [DropField, NullField])
@pytest.mark.parametrize(("path", "field"), DECORATION)
def test_an_answer_without_its_decoration_is_a_price_all_the_same(
    acme: World, path: str, field: str, damage: type[DropField | NullField]
) -> None:
    acme.sandbox.faults.set(damage(path=path, field=field))
    [job] = acme.finish(item())
    assert job["state"] == "succeeded", job["error"]


def test_a_market_without_ask_or_bid_is_stored_as_that(acme: World) -> None:
    acme.sandbox.faults.set(
        NullField(path=PRICE, field="lowestAskAmount"),
        NullField(path=PRICE, field="highestBidAmount"),
        NullField(path=PRICE, field="standardMarketData"),
    )
    acme.finish(item())
    [price] = acme.prices("DD1391-100")
    assert (price["ask"], price["bid"]) == (None, None)


def test_fields_that_nobody_documented_change_nothing(acme: World) -> None:
    acme.finish(item())
    [before] = acme.prices("DD1391-100")
    acme.sandbox.faults.set(AddField(field="force", value={"deep": ["0"]}), AddField(field="0", value=None))
    acme.clock.time += 11 * MINUTE
    [job] = acme.finish(item())
    [after] = acme.prices("DD1391-100")
    assert job["state"] == "succeeded"
    assert after.keys() == before.keys()


def test_one_bad_job_does_not_stop_the_others_of_its_batch(acme: World) -> None:
    acme.sandbox.faults.set(ServerError(path="*/search", first=2, last=2))
    skus = ["DD1391-100", "CP9654", "ZZ0000-000", "M2002RDA"]
    jobs = acme.finish(*(item(sku, "9") for sku in skus))
    assert sorted(job["state"] for job in jobs) == ["dead", "queued", "succeeded", "succeeded"]
