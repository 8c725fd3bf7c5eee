"""Whether eBay's daily quota is used up, and until when (Developer Analytics API, getRateLimits). No 429 says so."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Self

import httpx

from sluice.jobs.model.run import Calls
from sluice.marketplaces.accounts.access_tokens import Tokens
from sluice.marketplaces.accounts.session import Sign
from sluice.marketplaces.ebay import access as ebay_access
from sluice.marketplaces.http import fields
from sluice.marketplaces.http.errors import MarketplaceFailure, RateLimited
from sluice.marketplaces.http.exchange import Call
from sluice.marketplaces.http.fields import Value
from sluice.marketplaces.http.transport import Transport, refusal
from sluice.platform import days
from sluice.platform.clock import SECOND, Clock, iso
from sluice.platform.observe import logger

# It answers nothing that a price depends on, so it is not waited for as long as a price.
TIMEOUT_MS = 5 * SECOND
# The slash at the end belongs to the path.
PATH = "/developer/analytics/v1_beta/rate_limit/"


class Quota:
    """Asks eBay for an API's reset. It has a quota of its own, so nothing is charged.

    tokens: the application's; getRateLimits takes no others.
    """

    def __init__(self, transport: Transport, tokens: Tokens, sign: Sign, clock: Clock) -> None:
        self._transport = transport
        self._tokens = tokens
        self._sign = sign
        self._clock = clock

    @classmethod
    def open(cls, tokens: Tokens, clock: Clock, wire: httpx.BaseTransport | None = None) -> Self:
        """Quotas of the application with these tokens."""
        return cls(ebay_access.transport(clock, wire, timeout_ms=TIMEOUT_MS), tokens, ebay_access.sign, clock)

    @contextmanager
    def closing(self, calls: Calls, context: str, api: str) -> Iterator[None]:
        """Where a call inside is refused, close the budget: until the quota begins anew if it is used up, else shortly.

        Raises:
            RateLimited: with that time, in place of eBay's, which has none.
        """
        try:
            yield
        except RateLimited as refused:
            if refused.code != ebay_access.USED_UP:
                raise
            reason = refusal(ebay_access.NAME)
            if until := self.used_up_until(context, api):
                anew = f"the quota begins anew at {iso(until)}"
                calls.close(until, f"{reason}; {anew}")
                message = f"{refused.message}; {anew}"
            else:
                until = calls.refused(refused.retry_at or self._clock.now(), reason, named=refused.named)
                message = refused.message
            raise RateLimited(message, status=refused.status, code=refused.code, retry_at=until) from None

    def used_up_until(self, context: str, api: str) -> int | None:
        """When the quota of `api` (`browse`) in `context` (`buy`) begins anew, epoch ms; None unless it is used up.

        Midnight in California when eBay says that it is used up, and no time to come. What eBay does not say must not
        fail, for a 429 is at hand.
        """
        try:
            request = Call("GET", PATH, headers=self._sign(self._tokens.get()))
            answer = self._transport.call(request, None)
            # 204: eBay has nothing to say.
            resets = [] if answer.status == 204 else resets_of(fields.read(answer), context, api)
        except MarketplaceFailure as failure:
            logger.warning("eBay does not say whether its quota is used up", extra={"code": failure.code})
            return None
        now = self._clock.now()
        coming = [reset for reset in resets if reset and reset > now]
        return max(coming, default=days.Day.at(now, days.PACIFIC).end) if resets else None


def resets_of(body: Value, context: str, api: str) -> list[int | None]:
    """When each quota of the API that has no call remaining begins anew, in an answer of getRateLimits.

    eBay's own filters are case-sensitive and its spelling of names varies, so all are asked for and sorted out here.
    """
    return [
        rate["reset"].optional_time()
        for limit in body["rateLimits"].optional_rows()
        if (_lower(limit["apiContext"]), _lower(limit["apiName"])) == (context, api)
        for resource in limit["resources"].optional_rows()
        for rate in resource["rates"].optional_rows()
        if rate["remaining"].optional_text() == "0"
    ]


def _lower(value: Value) -> str:
    return (value.optional_text() or "").lower()
