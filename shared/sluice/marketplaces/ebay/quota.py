"""When eBay's daily quota begins anew (Developer Analytics API, getRateLimits), which its 429 does not say."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Self

import httpx

from sluice.jobs.budgets import days
from sluice.jobs.model.run import Calls
from sluice.marketplaces.accounts.access_tokens import Tokens
from sluice.marketplaces.accounts.session import Sign
from sluice.marketplaces.ebay import access as ebay_access
from sluice.marketplaces.http import fields
from sluice.marketplaces.http.errors import MarketplaceFailure, RateLimited
from sluice.marketplaces.http.exchange import Request
from sluice.marketplaces.http.fields import Value
from sluice.marketplaces.http.transport import Transport, refusal
from sluice.platform.clock import Clock, from_iso, iso
from sluice.platform.observe import logger

# What eBay calls a daily quota in a 429.
USED_UP = "2001"
# It answers nothing that a price depends on, so it is not waited for as long as a price.
SECONDS = 5.0
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
        return cls(ebay_access.transport(clock, wire, seconds=SECONDS), tokens, ebay_access.sign, clock)

    @contextmanager
    def closing(self, calls: Calls, context: str, api: str) -> Iterator[None]:
        """Where a call inside finds the quota of `api` used up, close the budget until it begins anew.

        Raises:
            RateLimited: with that time, in place of eBay's, which has none.
        """
        try:
            yield
        except RateLimited as refused:
            if refused.code != USED_UP:
                raise
            until = self.reset(context, api)
            anew = f"the quota begins anew at {iso(until)}"
            calls.close(until, f"{refusal(ebay_access.NAME)}; {anew}")
            message = f"{refused.message}; {anew}"
            raise RateLimited(message, status=refused.status, code=refused.code, retry_at=until) from None

    def reset(self, context: str, api: str) -> int:
        """When the quota of `api` (`browse`) in `context` (`buy`) begins anew, epoch ms.

        Midnight in California when eBay does not say: then this must not fail, for a 429 is at hand.
        """
        try:
            request = Request("GET", PATH, headers=self._sign(self._tokens.get()))
            answer = self._transport.call(request, None)
            # 204: eBay has nothing to say.
            found = None if answer.status == 204 else reset_of(fields.read(answer), context, api)
        except MarketplaceFailure as failure:
            logger.warning("eBay does not say when its quota begins anew", extra={"code": failure.code})
            found = None
        now = self._clock.now()
        return found if found and found > now else next_midnight(now)


def reset_of(body: Value, context: str, api: str) -> int | None:
    """The reset in an answer of getRateLimits: of what is used up, else of all there is. None if the API is not there.

    eBay's own filters are case-sensitive and its spelling of names varies, so all are asked for and sorted out here.
    """
    rates = [
        (rate["remaining"].optional_text() == "0", _time(rate["reset"]))
        for limit in body["rateLimits"].optional_rows()
        if (_lower(limit["apiContext"]), _lower(limit["apiName"])) == (context, api)
        for resource in limit["resources"].optional_rows()
        for rate in resource["rates"].optional_rows()
    ]
    used_up = any(empty for empty, _ in rates)
    return max((reset for empty, reset in rates if reset and empty == used_up), default=None)


def next_midnight(now: int) -> int:
    """The first midnight in California after `now`."""
    return days.Day.at(now, days.PACIFIC).end


def _lower(value: Value) -> str:
    return (value.optional_text() or "").lower()


def _time(value: Value) -> int | None:
    try:
        return from_iso(value.optional_text() or "")
    except ValueError:
        return None
