"""Faults, limits and the log, as a client meets them over HTTP."""

import asyncio
import json
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from local.sandbox.faults import (
    AddField,
    Corruption,
    Drip,
    DropField,
    ExpiredToken,
    Fault,
    Hang,
    Latency,
    MalformedJson,
    NullField,
    RefuseRefresh,
    RetypeField,
    RevokedToken,
    ServerError,
    Throttle,
)
from local.sandbox.limits import Limits
from local.sandbox.server import Sandbox
from tests.support.patience import SECONDS
from tests.unit.sandbox.client import Client, Clock, connected

SEARCH = "/v2/catalog/search"
# So long a client waits for an answer that does not come; for all else, as long as it takes.
LITTLE = httpx.Timeout(SECONDS, read=0.1)


def _search(client: Client) -> httpx.Response:
    return client.get(SEARCH, query="DD1391-100")


def test_429_with_and_without_retry_after(client: Client, sandbox: Sandbox) -> None:
    sandbox.faults.set(Throttle(first=1, last=1, retry_after_s=30), Throttle(first=2, last=2))
    first, second, third = (_search(client) for _ in range(3))
    assert (first.status_code, first.headers["retry-after"]) == (429, "30")
    assert (second.status_code, second.headers.get("retry-after")) == (429, None)
    assert second.json() == {"statusCode": 429, "message": "Too Many Requests"}
    assert third.status_code == 200


def test_a_burst_of_5xx(client: Client, sandbox: Sandbox) -> None:
    sandbox.faults.set(ServerError(path="/v2/*", first=2, last=3, status=502))
    assert [_search(client).status_code for _ in range(4)] == [200, 502, 502, 200]
    assert [entry.faults for entry in sandbox.requests()] == [(), ("server_error",), ("server_error",), ()]


def test_an_expired_token_is_one_401_and_a_revoked_one_lasts(client: Client, sandbox: Sandbox) -> None:
    sandbox.faults.set(ExpiredToken(last=1))
    assert [_search(client).status_code for _ in range(2)] == [401, 200]
    sandbox.faults.set(RevokedToken(last=1))
    assert [_search(client).status_code for _ in range(2)] == [401, 401]
    client.refresh()
    assert _search(client).status_code == 200


def test_a_refused_refresh_leaves_other_calls_alone(client: Client, sandbox: Sandbox) -> None:
    sandbox.faults.set(RefuseRefresh())
    answer = client.token_call(grant_type="refresh_token", refresh_token=client.credentials.refresh_token)
    assert (answer.status_code, answer.json()["error"]) == (403, "invalid_grant")
    assert _search(client).status_code == 200


def test_malformed_json_is_still_a_200(client: Client, sandbox: Sandbox) -> None:
    sandbox.faults.set(MalformedJson(), AddField())
    answer = _search(client)
    assert answer.status_code == 200
    with pytest.raises(json.JSONDecodeError):
        answer.json()
    assert sandbox.requests()[0].faults == ("add_field", "malformed_json")


@pytest.mark.parametrize(
    ("fault", "value"),
    [
        (DropField(field="styleId"), "missing"),
        (NullField(field="styleId"), None),
        (RetypeField(field="styleId"), 10),
        (AddField(field="styleId", value="SB"), "SB"),
    ],
)
def test_spoiled_fields(client: Client, sandbox: Sandbox, fault: Corruption, value: object) -> None:
    sandbox.faults.set(fault)
    assert _search(client).json()["products"][0].get("styleId", "missing") == value


def test_errors_are_not_spoiled(client: Client, sandbox: Sandbox) -> None:
    sandbox.faults.set(MalformedJson())
    assert client.get(SEARCH).json()["statusCode"] == 400


def test_a_call_that_hangs_runs_into_the_clients_timeout_and_stays_unanswered(client: Client, sandbox: Sandbox) -> None:
    sandbox.faults.set(Hang(last=1))
    with pytest.raises(httpx.ReadTimeout):
        client.http.get(SEARCH, params={"query": "x"}, headers=client.headers, timeout=LITTLE)
    sandbox.wait_for(1, SECONDS)  # it may come to be read only after its caller has left
    assert _search(client).status_code == 200
    assert [(entry.status, entry.faults) for entry in sandbox.requests()] == [(None, ("hang",)), (200, ())]


def test_a_call_that_hangs_to_the_end_is_a_504(client: Client, sandbox: Sandbox) -> None:
    sandbox.faults.set(Hang(hold_ms=1))
    assert (_search(client).status_code, sandbox.requests()[0].status) == (504, 504)


def test_a_dripping_body_comes_in_parts(client: Client, sandbox: Sandbox) -> None:
    sandbox.faults.set(Drip(chunk_bytes=100, pause_ms=60_000))
    with client.http.stream("GET", SEARCH, params={"query": "DD1391-100"}, headers=client.headers) as answer:
        assert len(next(answer.iter_raw())) == 100 < int(answer.headers["content-length"])


def test_a_dripping_body_is_whole_in_the_end(client: Client, sandbox: Sandbox) -> None:
    whole = _search(client).json()
    sandbox.faults.set(Drip(chunk_bytes=100, pause_ms=1))
    assert _search(client).json() == whole


def test_a_body_that_drips_slowly_runs_into_the_clients_timeout(client: Client, sandbox: Sandbox) -> None:
    sandbox.faults.set(Drip(chunk_bytes=1, pause_ms=60_000))
    with pytest.raises(httpx.ReadTimeout):
        client.http.get(SEARCH, params={"query": "x"}, headers=client.headers, timeout=LITTLE)


@pytest.mark.parametrize(
    "fault", [Hang(), Latency(delay_ms=600_000), Drip(chunk_bytes=1, pause_ms=600_000)], ids=lambda fault: fault.kind
)
def test_no_call_in_flight_keeps_the_sandbox_from_stopping(fault: Fault) -> None:
    with ThreadPoolExecutor(1) as pool, Sandbox() as sandbox, connected(sandbox) as client:
        sandbox.faults.set(fault)
        waiting = pool.submit(client.get, SEARCH, query="x")
        sandbox.wait_for(2, SECONDS)
        sandbox.stop()
        assert waiting.result(timeout=SECONDS).status_code in {200, 504}


def test_it_ends_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hundreds of tests start and end a sandbox. uvicorn's own end sleeps for a tenth of a second, twice."""
    slept, sleep = list[float](), asyncio.sleep

    async def noted(seconds: float) -> None:
        slept.append(seconds)
        await sleep(seconds)

    monkeypatch.setattr(asyncio, "sleep", noted)
    with Sandbox() as sandbox, connected(sandbox) as client:
        assert _search(client).status_code == 200
        sandbox.stop()
    assert sum(slept) < 0.1


def test_a_call_that_a_fault_holds_is_answered_when_the_fault_goes(client: Client, sandbox: Sandbox) -> None:
    """Which call comes first is so a test's choice, and no matter of who is quick."""
    with ThreadPoolExecutor(1) as pool:
        sandbox.faults.set(Latency(delay_ms=600_000, last=1))
        held = pool.submit(client.get, SEARCH, query="x")
        sandbox.wait_for(1, SECONDS)
        assert client.get(SEARCH, query="y").status_code == 200
        assert not held.done()
        sandbox.faults.clear()
        assert held.result(timeout=SECONDS).status_code == 200


def test_waiting_for_calls_that_do_not_come_says_how_many_came(client: Client, sandbox: Sandbox) -> None:
    _search(client)
    with pytest.raises(TimeoutError, match="1 of 2 calls"):
        sandbox.wait_for(2, seconds=0.01)


def test_many_calls_wait_out_their_latency_side_by_side(client: Client, sandbox: Sandbox) -> None:
    sandbox.set_latency(300)
    with ThreadPoolExecutor(60) as pool:
        answers = list(pool.map(lambda _: _search(client).status_code, range(60)))
    assert answers == [200] * 60
    assert len(sandbox.requests(status=200)) == 60


def test_the_quota_answers_429_and_is_seen_in_the_report(client: Client, sandbox: Sandbox, clock: Clock) -> None:
    sandbox.set_limits(Limits(interval_ms=600, per_hour=2))
    statuses = []
    for step in (0, 1, 600, 600):
        clock.now += step
        statuses.append(_search(client).status_code)
    assert statuses == [200, 429, 200, 429]
    assert [entry.over for entry in sandbox.requests()] == [None, "interval", None, "hour"]
    usage = sandbox.report().usage["stockx/tenant-a"]
    assert (usage.calls, usage.max_in_clock_hour, usage.smallest_gap_ms) == (4, 4, 1)
    assert (sandbox.report().over, usage.over) == (2, {"interval": 1, "hour": 1})


def test_a_quota_that_is_not_enforced_only_counts(client: Client, sandbox: Sandbox) -> None:
    sandbox.set_limits(Limits(per_hour=1, enforce=False))
    assert [_search(client).status_code for _ in range(2)] == [200, 200]
    assert sandbox.report().over == 1


def test_the_429_of_the_quota_says_when_to_come_back(client: Client, sandbox: Sandbox, clock: Clock) -> None:
    sandbox.set_limits(Limits(interval_ms=1500))
    assert [_search(client).headers.get("retry-after") for _ in range(2)] == [None, "2"]
    sandbox.set_limits(Limits(interval_ms=1500, retry_after=False))
    assert _search(client).headers.get("retry-after") is None


def test_token_calls_are_logged_and_not_charged(client: Client, sandbox: Sandbox) -> None:
    sandbox.set_limits(Limits(per_hour=1))
    assert [client.refresh().status_code for _ in range(3)] == [200] * 3
    assert [entry.path for entry in sandbox.requests()] == ["/oauth/token"] * 3
    assert sandbox.report().usage == {}


def test_the_log_has_no_key_and_no_token(client: Client, sandbox: Sandbox) -> None:
    client.refresh()
    _search(client)
    client.http.get(SEARCH, headers={"x-api-key": "somebody-elses-key"})
    logged = json.dumps([entry.as_dict() for entry in sandbox.requests()])
    secrets = [client.token, client.credentials.api_key, client.credentials.refresh_token, "somebody-elses-key"]
    assert not any(secret in logged for secret in (*secrets, client.credentials.client_secret))
    accounts = [entry.account for entry in sandbox.requests(path="/v2/*")]
    assert accounts[0] == "tenant-a"
    assert accounts[1].startswith("unknown-")


STORY: tuple[Fault, ...] = (
    Throttle(chance=0.2, path="/v2/*"),
    ServerError(chance=0.2, path="/v2/*"),
    NullField(chance=0.5, path="/v2/*"),
)


def _story(seed: int) -> list[tuple[int, str]]:
    with Sandbox(seed, clock=Clock(), limits=Limits()) as sandbox, connected(sandbox) as client:
        sandbox.faults.set(*STORY)
        return [(answer.status_code, answer.text) for answer in (_search(client) for _ in range(30))]


def test_the_same_seed_tells_the_same_story() -> None:
    assert _story(7) == _story(7)
    assert _story(7) != _story(8)
