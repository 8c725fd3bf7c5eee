"""What each HTTP answer, and each failure to get one, means."""

import json
from typing import Any

import httpx
import pytest

from sluice.jobs.model.outcomes import Then
from sluice.marketplaces.http import errors, mapping
from sluice.marketplaces.http.errors import MarketplaceFailure
from sluice.marketplaces.http.exchange import Answer, Call
from sluice.marketplaces.http.mapping import Rules
from sluice.platform.clock import DAY, HOUR, MINUTE, SECOND
from tests.unit.marketplaces.fakes import NOON

REQUEST = Call("GET", "/things/{id}", {"id": "7"}, headers={"authorization": "Bearer secret-token-123"})
SOURCE = "stockx GET /things/{id}"
STOCKX = {"statusCode": 0, "message": "It did not work"}


def _failure(status: int, body: Any = STOCKX, rules: Rules | None = None, **headers: str) -> MarketplaceFailure | None:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    return mapping.of_answer(Answer(SOURCE, status, names, raw), REQUEST, rules or Rules(), NOON)


def _must_fail(status: int, body: Any = STOCKX, rules: Rules | None = None, **headers: str) -> MarketplaceFailure:
    failure = _failure(status, body, rules, **headers)
    assert failure is not None
    return failure


@pytest.mark.parametrize(
    ("status", "kind", "action", "whole_batch", "uncertain"),
    [
        (304, errors.BadAnswer, Then.RETRY, False, True),
        (400, errors.BadRequest, Then.FATAL, False, False),
        (401, errors.Unauthorized, Then.RETRY, False, False),
        (402, errors.Rejected, Then.BUSINESS, False, False),
        (403, errors.Forbidden, Then.BUSINESS, False, False),
        (404, errors.NotFound, Then.FATAL, False, False),
        (408, errors.Unavailable, Then.RETRY, False, False),
        (409, errors.Rejected, Then.BUSINESS, False, False),
        (410, errors.NotFound, Then.FATAL, False, False),
        (413, errors.BadRequest, Then.FATAL, False, False),
        (415, errors.BadRequest, Then.FATAL, False, False),
        (422, errors.Rejected, Then.BUSINESS, False, False),
        (429, errors.RateLimited, Then.SNOOZE, True, False),
        (500, errors.Unavailable, Then.RETRY, False, True),
        (502, errors.Unavailable, Then.RETRY, False, True),
        (503, errors.Unavailable, Then.RETRY, False, True),
        (504, errors.Unavailable, Then.RETRY, False, True),
        (599, errors.Unavailable, Then.RETRY, False, True),
    ],
)
def test_status_decides(
    status: int, kind: type[MarketplaceFailure], action: Then, whole_batch: bool, uncertain: bool
) -> None:
    failure = _must_fail(status)
    assert type(failure) is kind
    assert (failure.action, failure.whole_batch, failure.uncertain) == (action, whole_batch, uncertain)
    assert failure.status == status
    assert failure.code == kind.code
    assert failure.message.startswith(SOURCE)
    assert "It did not work" in failure.message


@pytest.mark.parametrize("status", [200, 201, 204])
def test_success_is_no_failure(status: int) -> None:
    assert _failure(status, b"") is None


@pytest.mark.parametrize("body", [b"", b"<html>Access denied</html>", b"[]", b"\xff\xfe", b"[" * 50_000])
def test_a_403_of_a_firewall_says_nothing_about_the_account(body: bytes) -> None:
    assert type(_must_fail(403, body)) is errors.Unavailable


@pytest.mark.parametrize(
    ("body", "code", "said"),
    [
        ({"statusCode": 400, "message": "bad size"}, "bad_request", "bad size"),
        ({"errorMessage": "bad size"}, "bad_request", "bad size"),
        ({"error": "invalid_grant", "error_description": "gone"}, "invalid_grant", "gone"),
        ({"error": "bad size given"}, "bad_request", "bad size given"),
        ({"code": 3, "message": "Missing parameter", "details": []}, "3", "Missing parameter"),
        ({"errors": [{"errorId": 25007, "message": "no policy"}]}, "25007", "no policy"),
        ({"errors": [{"message": "bad size"}]}, "bad_request", "bad size"),
        ({"errors": "x", "message": None, "code": True}, "bad_request", "400 Bad Request"),
        ({"message": "two\nlines\x1b[2J"}, "bad_request", "two lines [2J"),
    ],
)
def test_the_marketplaces_own_words_are_kept(body: dict[str, Any], code: str, said: str) -> None:
    failure = _must_fail(400, body)
    assert failure.code == code
    assert failure.message.endswith(said)


def test_a_long_message_is_cut() -> None:
    assert len(_must_fail(400, {"message": "x" * 5_000}).message) < 300


def test_what_was_sent_as_a_secret_is_not_repeated() -> None:
    failure = _must_fail(401, {"message": "Bearer secret-token-123 is not valid", "code": "secret-token-123"})
    assert "secret-token-123" not in failure.message + failure.code
    assert "is not valid" in failure.message


@pytest.mark.parametrize(
    ("text", "until"),
    [
        ("120", NOON + 120 * SECOND),
        (" 120 ", NOON + 120 * SECOND),
        ("0", NOON + SECOND),
        ("999999999", NOON + DAY),
        ("9" * 5_000, NOON + DAY),
        ("Sun, 22 Nov 2026 12:05:00 GMT", NOON + 5 * MINUTE),
        ("Sunday, 22-Nov-26 12:05:00 GMT", NOON + 5 * MINUTE),
        ("Sun, 22 Nov 2026 11:00:00 GMT", NOON + SECOND),
        ("Sun, 22 Nov 2099 12:00:00 GMT", NOON + DAY),
        ("", NOON + MINUTE),
        ("soon", NOON + MINUTE),
        ("-5", NOON + MINUTE),
        ("120.0", NOON + 120 * SECOND),
        ("120.", NOON + 120 * SECOND),
        ("1.5", NOON + 1_500),
        ("7.0005", NOON + 7 * SECOND),
        ("0.5", NOON + SECOND),
        ("9" * 5_000 + ".0", NOON + DAY),
        ("1.5.0", NOON + MINUTE),
        ("-1.0", NOON + MINUTE),
        ("1e3", NOON + MINUTE),
        ("\u0661\u0662", NOON + MINUTE),
        ("Sun, 22 Nov 99999 12:00:00 GMT", NOON + MINUTE),
    ],
)
def test_retry_after(text: str, until: int) -> None:
    assert _must_fail(429, retry_after=text).retry_at == until


def test_a_marketplace_may_word_its_limits_its_own_way() -> None:
    assert _must_fail(429, rules=Rules(pause_ms=5 * SECOND)).retry_at == NOON + 5 * SECOND
    own = Rules(closed_until=lambda answer, now: now + HOUR if b"daily" in answer.body else None)
    assert _must_fail(429, {"message": "daily limit"}, own).retry_at == NOON + HOUR
    assert _must_fail(429, {"message": "slow down"}, own).retry_at == NOON + MINUTE
    assert _must_fail(429, {"message": "daily limit"}, own, retry_after="7").retry_at == NOON + 7 * SECOND


def test_a_503_may_say_when_to_come_back() -> None:
    assert _must_fail(503, retry_after="30").retry_at == NOON + 30 * SECOND
    assert _must_fail(503).retry_at is None
    assert _must_fail(500, retry_after="30").retry_at is None


@pytest.mark.parametrize(("text", "left"), [("12", 12), ("0", 0), ("", None), ("-1", None), ("many", None)])
def test_calls_that_are_left(text: str, left: int | None) -> None:
    rules = Rules(remaining_header="x-calls-left")
    assert rules.remaining(Answer(SOURCE, 200, {"x-calls-left": text}, b"")) == left
    assert Rules().remaining(Answer(SOURCE, 200, {"x-calls-left": text}, b"")) is None


@pytest.mark.parametrize(
    ("error", "kind", "uncertain"),
    [
        (httpx.ConnectTimeout("x"), errors.TimedOut, False),
        (httpx.PoolTimeout("x"), errors.TimedOut, False),
        (httpx.ReadTimeout("x"), errors.TimedOut, True),
        (httpx.WriteTimeout("x"), errors.TimedOut, True),
        (httpx.ConnectError("x"), errors.Unavailable, False),
        (httpx.ReadError("x"), errors.Unavailable, True),
        (httpx.WriteError("x"), errors.Unavailable, True),
        (httpx.RemoteProtocolError("x"), errors.Unavailable, True),
        (httpx.LocalProtocolError("secret-token-123"), errors.BadRequest, False),
        (httpx.UnsupportedProtocol("x"), errors.BadRequest, False),
        (httpx.InvalidURL("x"), errors.BadRequest, False),
        (httpx.DecodingError("x"), errors.BadAnswer, True),
    ],
)
def test_no_answer(error: httpx.HTTPError | httpx.InvalidURL, kind: type[MarketplaceFailure], uncertain: bool) -> None:
    failure = mapping.of_exception(error, SOURCE)
    assert type(failure) is kind
    assert failure.uncertain is uncertain
    assert failure.status is None
    assert "secret" not in failure.message


def test_the_docstring_draws_the_whole_tree() -> None:
    assert errors.__doc__
    lines = [line for line in errors.__doc__.splitlines() if "── " in line]
    drawn = {line.split("── ")[1].split()[0]: line for line in lines}
    kinds = {kind.__name__: kind for kind in MarketplaceFailure.__subclasses__()}
    assert drawn.keys() == kinds.keys() | {"MarketplaceFailure"}
    for name, kind in kinds.items():
        assert f" {kind.action.value}" in drawn[name]
        assert ("whole batch" in drawn[name]) == kind.whole_batch
