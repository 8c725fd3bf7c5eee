"""The one place that says what an HTTP answer, or a call without one, means. Pure."""

import json
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Any

import httpx

from sluice.marketplaces.http import errors
from sluice.marketplaces.http.errors import MarketplaceFailure, Said
from sluice.marketplaces.http.exchange import Answer, Call
from sluice.platform.clock import DAY, MINUTE, SECOND

# What is not here goes by its class: other 4xx are our fault, 5xx the marketplace's, and the rest is no answer at all.
STATUSES: dict[int, type[MarketplaceFailure]] = {
    401: errors.Unauthorized,
    402: errors.Rejected,
    403: errors.Forbidden,
    404: errors.NotFound,
    408: errors.Unavailable,
    409: errors.Rejected,
    410: errors.NotFound,
    422: errors.Rejected,
    425: errors.Unavailable,
    429: errors.RateLimited,
}
SHORTEST_PAUSE, LONGEST_PAUSE = SECOND, DAY
MESSAGE_CHARACTERS = 160
# Of an answer that lists its errors, so many are kept, with so many parameters each.
MOST_ERRORS, MOST_PARAMETERS = 10, 10


@dataclass(frozen=True)
class Rules:
    """How one marketplace words its limits.

    pause_ms: how long to stop after a 429 that gives no time; longer after each that follows it (`jobs.budgets.pace`).
    quota_codes: codes of a 429 that may mean a used-up quota, which somebody asks about before pauses and pace change.
    closed_until: reads that time (epoch ms) from a 429 in the marketplace's own way; None if it is not there.
    codes: what the marketplace's own codes mean, statuses: what an HTTP status means, where it is not the usual.
    remaining_header: the header (lower case) that says how many calls of this hour are left; empty if there is none.
    """

    pause_ms: int = MINUTE
    quota_codes: frozenset[str] = frozenset()
    closed_until: Callable[[Answer, int], int | None] = lambda _answer, _now: None
    remaining_header: str = ""
    codes: Mapping[str, type[MarketplaceFailure]] = field(default_factory=dict)
    statuses: Mapping[int, type[MarketplaceFailure]] = field(default_factory=dict)

    def remaining(self, answer: Answer) -> int | None:
        """The calls that are left, if the answer says so."""
        text = answer.headers.get(self.remaining_header, "")
        return int(text) if text.isascii() and text.isdecimal() and len(text) < 10 else None


def of_answer(answer: Answer, request: Call, rules: Rules, now: int) -> MarketplaceFailure | None:
    """The error that `answer` is; None when the call succeeded."""
    if 200 <= answer.status < 300:
        return None
    code, said = _said(answer.body)
    kind = _own_kind(answer.status, code, rules) or _kind(answer.status, understood=code is not None or bool(said))
    message = f"{answer.source}: {_status(answer.status)}"
    if said := clean(said, request.secrets()):
        message += f": {said}"
    failure = kind(
        message,
        status=answer.status,
        code=code and (clean(code, request.secrets())[:64] or None),
        retry_at=_until(answer, rules, now, refused=kind is errors.RateLimited),
        uncertain=answer.status < 400 or answer.status >= 500,
    )
    failure.said = listed_errors(answer.body, request.secrets())
    if isinstance(failure, errors.RateLimited):
        failure.named = _named_end(answer, rules, now) is not None
    return failure


def of_exception(error: httpx.HTTPError | httpx.InvalidURL, source: str) -> MarketplaceFailure:
    """The error that a call without a complete answer is.

    The exception's own text is left out: a client library may quote the header that it could not send.
    """
    match error:
        case httpx.ConnectTimeout() | httpx.PoolTimeout():
            return errors.TimedOut(f"{source}: no connection in time")
        case httpx.TimeoutException():
            return errors.TimedOut(f"{source}: no complete answer in time", uncertain=True)
        case httpx.ConnectError() | httpx.ProxyError():
            return errors.Unavailable(f"{source}: cannot connect")
        case httpx.InvalidURL() | httpx.UnsupportedProtocol() | httpx.LocalProtocolError():
            return errors.BadRequest(f"{source}: not a request that can be sent ({type(error).__name__})")
        case httpx.TransportError():
            return errors.Unavailable(f"{source}: connection lost ({type(error).__name__})", uncertain=True)
    return errors.BadAnswer(f"{source}: {type(error).__name__}", uncertain=True)


def retry_after(text: str, now: int) -> int | None:
    """A `Retry-After` header as epoch ms: seconds or an HTTP date (RFC 9110, section 10.2.3). None if it is neither.

    Seconds are whole by that document; some write them with a fraction all the same (`120.0`).
    """
    text = text.strip()
    if re.fullmatch(r"[0-9]+(\.[0-9]*)?", text):
        seconds, _, fraction = text.partition(".")
        return now + min(int(seconds[:10]) * SECOND + int(f"{fraction:0<3}"[:3]), LONGEST_PAUSE)
    return http_date(text)


def http_date(text: str) -> int | None:
    """A date of HTTP (RFC 9110, section 5.6.7) as epoch ms. None if it is none."""
    try:
        return int(parsedate_to_datetime(text).timestamp() * SECOND)
    except (ValueError, OverflowError):
        return None


def _until(answer: Answer, rules: Rules, now: int, *, refused: bool) -> int | None:
    """When to call again; None where that is left to the engine's backoff."""
    if not refused and answer.status != 503:
        return None
    until = _named_end(answer, rules, now) if refused else retry_after(answer.headers.get("retry-after", ""), now)
    if refused and until is None:
        until = now + rules.pause_ms
    return until and min(max(until, now + SHORTEST_PAUSE), now + LONGEST_PAUSE)


def _named_end(answer: Answer, rules: Rules, now: int) -> int | None:
    """When a 429 says that calls are taken again, by the standard header or in the marketplace's own way."""
    return retry_after(answer.headers.get("retry-after", ""), now) or rules.closed_until(answer, now)


def _own_kind(status: int, code: str | None, rules: Rules) -> type[MarketplaceFailure] | None:
    """What the marketplace itself means by `code` or `status`. A 429 is one whatever its body says."""
    if status == 429:
        return errors.RateLimited
    return rules.codes.get(code or "") or rules.statuses.get(status)


def _kind(status: int, *, understood: bool) -> type[MarketplaceFailure]:
    if status == 403 and not understood:
        return errors.Unavailable  # a page of a firewall before the marketplace, which knows no account
    if known := STATUSES.get(status):
        return known
    if status >= 500:
        return errors.Unavailable
    return errors.BadRequest if status >= 400 else errors.BadAnswer


def _status(status: int) -> str:
    try:
        return f"{status} {HTTPStatus(status).phrase}"
    except ValueError:
        return str(status)


def _said(body: bytes) -> tuple[str | None, str]:
    """The code and the message of an error body, in any of the shapes that marketplaces use.

    StockX `{"statusCode", "message"}`, also `errorMessage`; OAuth `{"error", "error_description"}`; gRPC
    `{"code", "message"}`; eBay `{"errors": [{"errorId", "message"}]}`.
    """
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        return None, ""
    listed = document.get("errors") if isinstance(document, dict) else None
    inner = listed[0] if isinstance(listed, list) and listed and isinstance(listed[0], dict) else {}
    outer = document if isinstance(document, dict) else {}
    message = _first(outer, "message", "errorMessage", "error_description") or _first(inner, "message", "longMessage")
    code = _first(outer, "code") or _first(inner, "errorId", "code")
    error = _first(outer, "error")
    if error and " " in error:
        message = message or error
    else:
        code = code or error
    return code, message or code or ""


def listed_errors(body: bytes, secrets: Iterable[str]) -> tuple[Said, ...]:
    """The errors that a body of eBay's shape lists, each with its parameters; none where it lists none."""
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        return ()
    listed = document.get("errors") if isinstance(document, dict) else None
    rows = listed if isinstance(listed, list) else []
    return tuple(said(row, secrets) for row in rows[:MOST_ERRORS] if isinstance(row, dict))


def said(row: dict[str, Any], secrets: Iterable[str]) -> Said:
    """One error, or warning, of eBay's shape: `{"errorId", "longMessage", "parameters": [{"name", "value"}]}`."""
    code, words = _first(row, "errorId", "code"), _first(row, "longMessage", "message") or ""
    given = row.get("parameters")
    pairs = [one for one in given if isinstance(one, dict)] if isinstance(given, list) else []
    parameters = {
        clean(name, secrets): clean(_first(one, "value") or "", secrets)
        for one in pairs[:MOST_PARAMETERS]
        if (name := _first(one, "name"))
    }
    return Said(code and clean(code, secrets)[:64], clean(words, secrets), parameters)


def _first(document: dict[str, Any], *names: str) -> str | None:
    for name in names:
        value = document.get(name)
        if isinstance(value, str | int) and not isinstance(value, bool) and str(value).strip():
            return str(value).strip()
    return None


def clean(text: str, secrets: Iterable[str]) -> str:
    """One short line of `text`, with what we sent as a secret taken out."""
    for secret in secrets:
        text = text.replace(secret, "***")
    return " ".join("".join(letter if letter.isprintable() else " " for letter in text).split())[:MESSAGE_CHARACTERS]
