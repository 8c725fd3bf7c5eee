"""Connecting: the marketplace is asked whether it accepts the credentials, and disconnecting leaves none."""

import json
from typing import Any

import httpx
import pytest

from local.sandbox.faults import ExpiredToken, Fault, Forbidden, MalformedJson, ServerError, Throttle
from sluice.marketplaces.accounts import table as accounts
from sluice.platform.clock import HOUR, MINUTE, SECOND
from tests.support.http import Answer, call
from tests.support.sandbox_wire import SandboxWire
from tests.unit.market.world import CREDENTIALS, ELSEWHERE, Json, World, item

NAMES = {"stockx": CREDENTIALS, **ELSEWHERE}
SELLER = ("client_id", "client_secret", "refresh_token")
TOKEN, SEARCH = "/oauth/token", "/v2/catalog/search"


def good(world: World, marketplace: str, names: tuple[str, ...] | None = None) -> Json:
    """Credentials that the sandbox knows."""
    given = world.sandbox.connect("acme")
    return {name: getattr(given, name) for name in names or NAMES[marketplace]}


def shown(marketplace: str = "stockx") -> Json:
    found: Json = call("GET", f"/v1/accounts/{marketplace}").json
    return found


def refused(answer: Answer) -> set[str]:
    """The fields that are named, of an answer that says that the marketplace does not accept them."""
    assert (answer.status, answer.json["error"]["code"]) == (400, "credentials_refused")
    assert "nothing was changed" in answer.json["error"]["message"]
    return set(answer.fields)


@pytest.mark.parametrize("marketplace", NAMES)
def test_credentials_that_are_accepted(world: World, marketplace: str) -> None:
    answer = world.offer(marketplace, good(world, marketplace))
    assert (answer.status, answer.json["status"], answer.json["reason"]) == (200, "ACTIVE", None)
    assert answer.json["grants"][0]["verifiedAt"]
    assert answer.json == shown(marketplace)
    assert len(world.sandbox.requests()) == {"stockx": 2, "alias": 1, "ebay": 1}[marketplace]


@pytest.mark.parametrize(
    ("marketplace", "wrong", "named"),
    [
        ("stockx", "api_key", {"api_key"}),
        ("stockx", "client_id", {"client_id", "client_secret", "refresh_token"}),
        ("stockx", "client_secret", {"client_id", "client_secret", "refresh_token"}),
        ("stockx", "refresh_token", {"refresh_token"}),
        ("alias", "personal_access_token", {"personal_access_token"}),
        ("ebay", "client_id", {"client_id", "client_secret"}),
        ("ebay", "client_secret", {"client_id", "client_secret"}),
    ],
)
def test_credentials_that_are_refused_change_nothing(
    world: World, marketplace: str, wrong: str, named: set[str]
) -> None:
    given = good(world, marketplace)
    bad = {**given, wrong: "made-up-0123456789"}
    assert refused(world.offer(marketplace, bad)) == named
    assert call("GET", "/v1/accounts").json == {"accounts": []}
    assert world.store.items("accounts") == []
    assert world.offer(marketplace, given).status == 200
    before = world.store.items("accounts")
    assert refused(world.offer(marketplace, bad)) == named
    assert world.store.items("accounts") == before, "the connection that was there stays"
    assert "made-up" not in world.offer(marketplace, bad).text


def test_a_token_that_takes_its_time_leaves_time_to_try_the_key(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    answer = SandboxWire.handle_request

    def in_its_time(wire: SandboxWire, request: httpx.Request) -> httpx.Response:
        world.clock.take(7 * SECOND if request.url.path == TOKEN else 0)
        return answer(wire, request)

    monkeypatch.setattr(SandboxWire, "handle_request", in_its_time)
    given = good(world, "stockx")
    assert refused(world.offer("stockx", {**given, "api_key": "made-up-0123456789"})) == {"api_key"}
    assert world.offer("stockx", given).json["status"] == "ACTIVE"


def test_a_sellers_token_that_ebay_refuses(world: World) -> None:
    given = good(world, "ebay", SELLER)
    assert refused(world.offer("ebay", {**given, "refresh_token": "v^1.1#made-up"})) == {"refresh_token"}
    answer = world.offer("ebay", given)
    assert [(one["grant"], one["status"]) for one in answer.json["grants"]] == [
        ("application", "ACTIVE"),
        ("seller", "ACTIVE"),
    ]
    without = world.offer("ebay", {name: given[name] for name in ELSEWHERE["ebay"]})
    [_, seller] = without.json["grants"]
    assert (seller["status"], seller["reason"]) == (
        "NOT_CONNECTED",
        "connect the account again with refresh_token: promotions and listings need it",
    )


def test_the_token_that_was_got_is_used(world: World) -> None:
    assert world.offer("stockx", good(world, "stockx")).status == 200
    assert world.charged() == 1, "the search counts"
    [job] = world.finish(item())
    assert job["state"] == "succeeded"
    assert len(world.sandbox.requests(path=TOKEN)) == 1


@pytest.mark.parametrize(
    "fault",
    [
        ServerError(path=TOKEN),
        ServerError(path=SEARCH, status=500),
        Throttle(path=SEARCH),
        MalformedJson(path=TOKEN, html=True),
        MalformedJson(path=SEARCH),
        Forbidden(path=TOKEN),
    ],
    ids=lambda fault: f"{fault.kind} {fault.path}",
)
def test_a_marketplace_that_cannot_be_asked_claims_nothing_and_the_first_use_tells(world: World, fault: Fault) -> None:
    world.sandbox.faults.set(fault)
    answer = world.offer("stockx", good(world, "stockx"))
    assert (answer.status, answer.json["status"]) == (200, "UNVERIFIED")
    assert "could not be asked" in answer.json["reason"]
    assert answer.json["grants"][0]["verifiedAt"] is None
    world.sandbox.faults.clear()
    world.clock.time += HOUR
    [job] = world.finish(item())
    assert job["state"] == "succeeded"
    assert (shown()["status"], shown()["reason"]) == ("ACTIVE", None)


def test_without_a_call_left_it_is_not_asked(world: World) -> None:
    world.configure(limits={"stockx": {"windows": [{"calls": 1, "per": "hour"}]}})
    assert world.offer("stockx", good(world, "stockx")).json["status"] == "ACTIVE"
    calls = len(world.calls())
    answer = world.offer("stockx", good(world, "stockx"))
    assert (answer.status, answer.json["status"], len(world.calls())) == (200, "UNVERIFIED", calls)
    assert "no calls left" in answer.json["reason"]


def test_unverified_credentials_that_are_refused_at_their_first_use_break_the_account(world: World) -> None:
    world.sandbox.faults.set(ServerError(path=TOKEN, last=1))
    bad = {**good(world, "stockx"), "refresh_token": "made-up-0123456789"}
    assert world.offer("stockx", bad).json["status"] == "UNVERIFIED"
    [job] = world.finish(item())
    assert (job["wait"]["reason"], shown()["status"]) == ("account", "EXPIRED")


@pytest.mark.parametrize(
    ("marketplace", "given", "named"),
    [
        ("stockx", {}, {"api_key", "client_id", "client_secret", "refresh_token"}),
        ("stockx", {"api_key": 7, "client_id": "a b"}, {"api_key", "client_id", "client_secret", "refresh_token"}),
        ("alias", {"api_key": "x"}, {"api_key", "personal_access_token"}),
        ("ebay", {"client_id": "x" * 300}, {"client_id", "client_secret"}),
    ],
)
def test_all_that_is_missing_or_wrong_is_named_at_once(
    world: World, marketplace: str, given: dict[str, Any], named: set[str]
) -> None:
    answer = world.offer(marketplace, given)
    assert (answer.status, set(answer.fields)) == (400, named)
    assert world.sandbox.requests() == []


# ── one refused call ──


def test_a_403_of_one_call_fails_that_job_with_the_reason_and_nothing_else(acme: World) -> None:
    acme.sandbox.faults.set(Forbidden(path="*/market-data", last=1))
    first, second = sorted(acme.finish(item("DD1391-100"), item("CP9654")), key=lambda job: job["state"])
    assert (first["state"], first["attempts"], first["error"]["code"]) == ("dead", 1, "forbidden")
    assert "403 Forbidden" in first["error"]["message"]
    assert second["state"] == "succeeded"
    assert (shown()["status"], len(acme.letters())) == ("ACTIVE", 1)
    assert [kind for kind, _ in acme.bus.events if kind == "account.broken"] == []


# ── disconnecting ──


def test_a_disconnected_account_has_no_secret_and_is_not_there(acme: World) -> None:
    def secrets() -> int:
        [account] = acme.store.items("accounts")
        return sum("B" in value for value in account.values())

    acme.finish(item())
    assert secrets() == 2
    answer = call("DELETE", "/v1/accounts/stockx")
    assert (answer.status, answer.json["account"]) == (200, "stockx:acme")
    assert secrets() == 0
    for again in (call("GET", "/v1/accounts/stockx"), call("DELETE", "/v1/accounts/stockx")):
        assert again.status == 404
        assert "PUT /v1/accounts/stockx" in again.json["error"]["message"]
    assert call("GET", "/v1/accounts").json == {"accounts": []}
    [row] = acme.ask(item("CP9654")).json["error"]["fields"]
    assert "PUT /v1/accounts/stockx" in row["message"]


def test_its_jobs_wait_until_it_is_connected_again_and_shared_ones_move_to_the_next_asker(acme: World) -> None:
    [own, shared] = acme.enqueue(item("DD1391-100"), item("CP9654"))
    assert call("DELETE", "/v1/accounts/stockx").status == 200
    acme.run()
    for job in (own, shared):
        waiting = acme.job(job)
        assert (waiting["state"], waiting["attempts"], waiting["wait"]["reason"]) == ("queued", 0, "account")
        assert "is not connected" in waiting["wait"]["message"]
    assert acme.calls() == []
    acme.connect("bolt")
    assert acme.ask(item("CP9654"), tenant="bolt").json["items"][0]["outcome"] == "merged"
    acme.run()
    assert (acme.job(shared)["state"], acme.job(own)["state"]) == ("succeeded", "queued")
    assert {entry.account for entry in acme.calls()} == {"bolt"}
    acme.connect("acme")
    acme.run()
    assert acme.job(own)["state"] == "succeeded"


def test_a_worker_that_has_begun_stops_within_a_minute_and_breaks_nothing(acme: World) -> None:
    acme.finish(item("DD1391-100"))
    assert call("DELETE", "/v1/accounts/stockx").status == 200
    acme.clock.time += MINUTE
    acme.connect("acme")
    before = acme.store.item("accounts", account="stockx:acme")
    assert not accounts.mark("stockx:acme", accounts.Status.BROKEN, "a late 401", acme.clock.time, 1)
    assert acme.store.item("accounts", account="stockx:acme") == before
    acme.sandbox.faults.set(ExpiredToken(path="/v2/*", last=1))
    [job] = acme.finish(item("CP9654"))
    assert job["state"] == "succeeded"


def test_prices_stay_when_the_account_goes(acme: World) -> None:
    acme.finish(item())
    call("DELETE", "/v1/accounts/stockx")
    assert len(acme.prices("DD1391-100")) == 1


def test_another_tenants_account_cannot_be_disconnected(acme: World) -> None:
    assert call("DELETE", "/v1/accounts/stockx", tenant="bolt").status == 404
    assert shown()["status"] == "ACTIVE"
    assert json.dumps(shown())
