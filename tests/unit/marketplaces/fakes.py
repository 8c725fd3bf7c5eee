"""Stand-ins for what surrounds the marketplaces: time, budget, network."""

import threading
from collections.abc import Callable, Sequence
from typing import Any

import httpx

from sluice.jobs.model.outcomes import Failure
from sluice.marketplaces.accounts.access_tokens import Tokens
from sluice.marketplaces.accounts.token_cache import Access
from tests.support.clock import VirtualClock

NOON = 1_795_348_800_000
"""2026-11-22T12:00:00Z"""

ACCOUNT = "stockx:acme"
CREDENTIALS = {
    "api_key": "key-of-acme-0123456789",
    "client_id": "client-of-acme-0123456789",
    "client_secret": "secret-of-acme-0123456789",
    "refresh_token": "refresh-of-acme-0123456789",
}
API = "http://api.test/v2"
AUTH = "http://auth.test"
ALIAS_API = "http://alias.test/api/v1"
EBAY_API = "http://ebay.test"


class WatchedClock(VirtualClock):
    """A virtual clock that starts at noon, counts the waits and calls `on_wait` in each."""

    def __init__(self) -> None:
        super().__init__(NOON)
        self.waits = 0
        self.on_wait: Callable[[], None] = lambda: None

    def wait_until(self, at: int, wake: threading.Event) -> bool:
        self.waits += 1
        woken = super().wait_until(at, wake)
        self.on_wait()
        return woken


class BudgetLog:
    """A budget that writes down what it is told. `refusal` is raised in place of a call."""

    def __init__(self, refusal: Failure | None = None) -> None:
        self.taken = 0
        self.closed: list[int] = []
        self.named: list[bool] = []
        self.answers = 0
        self.left: list[int] = []
        self.refusal = refusal

    def take(self) -> None:
        if self.refusal:
            raise self.refusal
        self.taken += 1

    def close(self, until: int, reason: str) -> None:
        self.closed.append(until)

    def refused(self, until: int, reason: str, *, named: bool) -> int:
        self.closed.append(until)
        self.named.append(named)
        return until

    def answered(self) -> None:
        self.answers += 1

    def remaining(self, calls: int) -> None:
        self.left.append(calls)


class Network(httpx.MockTransport):
    """Answers requests with `answers` in turn, the last one for ever, and keeps what was sent.

    An answer is a response, an exception to raise, or a function of the request. Token calls have answers of their own.
    """

    def __init__(self, *answers: Any, tokens: Sequence[Any] = ()) -> None:
        super().__init__(self._answer)
        self.sent: list[httpx.Request] = []
        self.token_calls: list[httpx.Request] = []
        self._answers = list(answers)
        self._tokens = list(tokens)

    def _answer(self, request: httpx.Request) -> httpx.Response:
        is_token = request.url.path in ("/oauth/token", "/identity/v1/oauth2/token")
        (self.token_calls if is_token else self.sent).append(request)
        queue = self._tokens if is_token else self._answers
        answer = queue.pop(0) if len(queue) > 1 else queue[0]
        if callable(answer):
            answer = answer(request)
        if isinstance(answer, Exception):
            raise answer
        assert isinstance(answer, httpx.Response)
        # A response can be read once; the same answer may be given again.
        return httpx.Response(answer.status_code, headers=answer.headers, content=answer.content)


class Ready(Tokens):
    """An account that has a token."""

    def __init__(self) -> None:
        pass

    def get(self) -> Access:
        return Access(CREDENTIALS, "token-1-0123456789", 1, NOON)

    def accepted(self, access: Access) -> None:
        """It is known to be verified."""


def answer(status: int = 200, json: Any = None, **headers: str) -> httpx.Response:
    """An answer in JSON. Headers by name with `_` for `-`."""
    return httpx.Response(status, json=json, headers={name.replace("_", "-"): value for name, value in headers.items()})


def error(status: int, message: str = "", **headers: str) -> httpx.Response:
    """An error as StockX words it."""
    return answer(
        status, {"statusCode": status, "message": message or httpx.codes.get_reason_phrase(status)}, **headers
    )


def token(value: str = "token-1-0123456789", expires_in: int = 43_200, **more: Any) -> httpx.Response:
    """An answer to the token call."""
    return answer(200, {"access_token": value, "expires_in": expires_in, "token_type": "Bearer", **more})


def refused_grant(
    code: str = "invalid_grant", description: str = "Unknown or invalid refresh token."
) -> httpx.Response:
    """The token call says no."""
    return answer(403, {"error": code, "error_description": description})
