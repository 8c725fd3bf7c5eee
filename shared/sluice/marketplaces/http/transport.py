"""THE seam: every call to a marketplace goes through `Transport.call`, and nothing else makes an HTTP client.

```
 take a call from the budget → send, once → read, capped in size and time → log and count → the answer
                                                                                          → or an error of the tree
                                                             429: close the budget first, for everybody
```
"""

import logging
import time
import zlib
from threading import Lock

import httpx

from sluice.jobs.model.run import Calls
from sluice.marketplaces.http import mapping
from sluice.marketplaces.http.errors import BadAnswer, MarketplaceFailure, RateLimited, Unavailable, before_sending
from sluice.marketplaces.http.exchange import Answer, Call
from sluice.marketplaces.http.mapping import Rules
from sluice.platform import call_counts, deadline
from sluice.platform.clock import SECOND, Clock
from sluice.platform.observe import count, logger

CONNECT_MS = 5 * SECOND
TOTAL_MS = 20 * SECOND
MOST_BYTES = 1024 * 1024

_lock = Lock()
_shared: list[httpx.Client] = []

# The line that this seam logs for each call is the one; httpx's own would show ids and search texts besides.
for _name in ("httpx", "httpcore"):
    logging.getLogger(_name).setLevel(logging.WARNING)


class Transport:
    """One host of a marketplace. Safe to share between threads."""

    def __init__(
        self,
        marketplace: str,
        base_url: str,
        clock: Clock,
        rules: Rules | None = None,
        *,
        wire: httpx.BaseTransport | None = None,
        timeout_ms: int = TOTAL_MS,
    ) -> None:
        """`wire` stands in for the network, for tests (`httpx.MockTransport`). `timeout_ms`: for a whole call."""
        self.marketplace = marketplace
        self._base_url = base_url.rstrip("/")
        self._clock = clock
        self._rules = rules or Rules()
        self._own = None if wire is None else _client(wire)
        self._seconds = timeout_ms / SECOND
        self._timeout = httpx.Timeout(self._seconds, connect=min(CONNECT_MS, timeout_ms) / SECOND)

    def call(self, request: Call, calls: Calls | None) -> Answer:
        """Send `request` once and return the answer, whose status is 2xx.

        calls: what the call is charged to; None for a host that the marketplace does not count (its token server).

        Raises:
            MarketplaceFailure: any other answer, or none.
            BudgetClosed, BudgetEmpty, OutOfTime: the call may not be made, and was not.
        """
        source = f"{self.marketplace} {request.method} {request.path}"
        path = request.filled_path()
        if calls:
            with before_sending():
                calls.take()
        began = time.monotonic()
        answer, failure = self._outcome(request, path, source)
        self._record(request, answer, failure, round((time.monotonic() - began) * SECOND), charged=calls is not None)
        if calls:
            try:
                self._tell(calls, answer, failure)
            except Exception:  # noqa: BLE001 - the marketplace has answered: that must not get lost behind it
                logger.exception("what an answer says of the budget was not stored", extra={"source": source})
        if failure:
            # Here and not where it was caught, so that it has no cause: httpx may quote a header in its own text.
            raise failure
        assert answer is not None  # noqa: S101 - one of the two is there
        return answer

    def _outcome(self, request: Call, path: str, source: str) -> tuple[Answer | None, MarketplaceFailure | None]:
        try:
            answer = self._exchange(request, path, source)
        except MarketplaceFailure as failure:
            return None, failure
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            return None, mapping.of_exception(error, source)
        return answer, mapping.of_answer(answer, request, self._rules, self._clock.now())

    def _exchange(self, request: Call, path: str, source: str) -> Answer:
        client = self._own or _shared_client()
        with (
            deadline.within(self._seconds),
            client.stream(
                request.method,
                self._base_url + path,
                params=dict(request.query) or None,
                headers={"accept": "application/json", "accept-encoding": "gzip", **request.headers},
                json=request.json,
                data=request.form,
                timeout=self._timeout,
            ) as response,
        ):
            try:
                body = _body(response, source, request.most_bytes or MOST_BYTES)
            except (httpx.HTTPError, BadAnswer):
                if response.is_success:
                    raise
                body = b""  # the status alone says what to do, and a 429 must not get lost behind its body
            headers = {name.lower(): value for name, value in response.headers.items()}
            return Answer(source, response.status_code, headers, body, frozenset(request.secrets()))

    def _tell(self, calls: Calls, answer: Answer | None, failure: MarketplaceFailure | None) -> None:
        """Pass on what the answer says about the budget."""
        if answer and (left := self._rules.remaining(answer)) is not None:
            calls.remaining(left)
        if isinstance(failure, RateLimited) and failure.retry_at:
            if failure.code in self._rules.quota_codes:
                calls.close(failure.retry_at, refusal(self.marketplace))  # until it is found out what it means
            else:
                failure.retry_at = calls.refused(failure.retry_at, refusal(self.marketplace), named=failure.named)
        elif isinstance(failure, Unavailable) and failure.retry_at:
            calls.close(failure.retry_at, f"{self.marketplace} is not available, and has said until when")
        elif answer and answer.status < 500:
            calls.answered()

    def _record(
        self, request: Call, answer: Answer | None, failure: MarketplaceFailure | None, ms: int, *, charged: bool
    ) -> None:
        status = answer.status if answer else None
        about = {
            "marketplace": self.marketplace,
            "method": request.method,
            "path": request.path,
            "status": status,
            "ms": ms,
        }
        logger.info("marketplace call", extra={**about, "code": failure.code} if failure else about)
        if charged:
            call_counts.note(self.marketplace, status, ms)
            count("CallsMade")
            if isinstance(failure, RateLimited):
                count("CallsRefused")


def refusal(marketplace: str) -> str:
    """Why a budget is closed, for everybody whose calls it counts: so without the call that was refused."""
    return f"{marketplace} answered 429 Too Many Requests"


def _client(wire: httpx.BaseTransport) -> httpx.Client:
    """No proxy or .netrc of the environment may change what is sent, and a redirect is not followed with our keys."""
    return httpx.Client(transport=wire, trust_env=False, follow_redirects=False, headers={"user-agent": "sluice"})


def _shared_client() -> httpx.Client:
    """The client of this process, made at its first call: it loads the CA bundle, and keeps connections open."""
    with _lock:
        if not _shared:
            _shared.append(_client(deadline.Transport()))
        return _shared[0]


def forget() -> None:
    """Close this process's connections."""
    with _lock:
        while _shared:
            _shared.pop().close()


def _body(response: httpx.Response, source: str, most: int) -> bytes:
    """The body, unpacked, of at most `most` bytes: neither a long stream nor a small one that unpacks to a huge one
    is taken into memory."""
    too_large = BadAnswer(
        f"{source}: the answer is larger than {most} bytes", status=response.status_code, uncertain=True
    )
    body = bytearray()
    assert isinstance(response.stream, httpx.SyncByteStream)  # noqa: S101 - for the type checker
    for chunk in response.stream:
        body += chunk
        if len(body) > most:
            raise too_large
    if response.headers.get("content-encoding", "identity").lower() not in ("gzip", "x-gzip", "deflate"):
        return bytes(body)
    try:
        unpacked = zlib.decompressobj(wbits=zlib.MAX_WBITS | 32).decompress(bytes(body), most + 1)
    except zlib.error:
        message = f"{source}: the answer cannot be unpacked"
        raise BadAnswer(message, status=response.status_code, uncertain=True) from None
    if len(unpacked) > most:
        raise too_large
    return unpacked
