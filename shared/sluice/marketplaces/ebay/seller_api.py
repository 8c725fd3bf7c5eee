"""What eBay's APIs for sellers have in common: the seller's token, the daily quota, and error ids with a meaning."""

from typing import ClassVar, Self

import httpx

from sluice.jobs.model.run import Calls
from sluice.marketplaces.accounts.session import Session
from sluice.marketplaces.ebay import access as ebay_access
from sluice.marketplaces.ebay.quota import Quota
from sluice.marketplaces.http.errors import MarketplaceFailure, UnknownReason
from sluice.marketplaces.http.exchange import Answer, Call
from sluice.platform import call_counts
from sluice.platform.clock import Clock
from sluice.platform.observe import count, logger, tally


class SellerApi:
    """An API that is called for one seller.

    api: its name below `sell` in getRateLimits.
    """

    api: ClassVar[str]

    def __init__(self, session: Session, quota: Quota, calls: Calls, clock: Clock) -> None:
        self._session = session
        self._quota = quota
        self._calls = calls
        self._clock = clock

    @classmethod
    def open(cls, account_id: str, calls: Calls, clock: Clock, wire: httpx.BaseTransport | None = None) -> Self:
        """The API for the seller whose account it is. Opening calls nobody; there is nothing to close."""
        transport = ebay_access.transport(clock, wire)
        session = Session(transport, ebay_access.seller(account_id, transport, clock), ebay_access.sign, calls)
        quota = Quota.open(ebay_access.application(account_id, transport, clock), clock, wire)
        return cls(session, quota, calls, clock)

    @staticmethod
    def _means(failure: MarketplaceFailure, now: int) -> MarketplaceFailure:
        """What `failure` of a call is, as far as the API's error ids tell more than HTTP does. Pure."""
        raise NotImplementedError

    def _exchange(self, request: Call) -> Answer:
        """Call eBay.

        Raises:
            MarketplaceFailure: what the refusal means.
        """
        with self._quota.closing(self._calls, "sell", self.api):
            try:
                answer = self._session.exchange(request)
            except MarketplaceFailure as failure:
                _tally(request, failure.status)
                raise self._understood(failure) from None
            _tally(request, answer.status)
            return answer

    def _understood(self, failure: MarketplaceFailure) -> MarketplaceFailure:
        """What `failure` means. A reason that has no meaning here yet is logged and counted, so that it gets one."""
        told = self._means(failure, self._clock.now())
        if isinstance(told, UnknownReason):
            logger.warning("eBay refuses for an unknown reason", extra={"code": told.code, "reason": told.message})
            count("UnknownReasons")
        return told


def _tally(request: Call, status: int | None) -> None:
    """Count a call by its method and path, and by what came of it."""
    call = f"{request.method} {request.path}"
    tally("adapter.calls", {"call": call, "result": call_counts.outcome(status)})
