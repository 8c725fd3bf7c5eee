"""eBay Account API v1: a seller's business policies. The `Policies` of eBay."""

from typing import Final, Self

import httpx

from sluice.jobs.model.run import Calls
from sluice.marketplaces.accounts.session import Session
from sluice.marketplaces.ebay import access as ebay_access
from sluice.marketplaces.ebay.listing_errors import meaning
from sluice.marketplaces.ebay.quota import Quota
from sluice.marketplaces.ebay.sites import DEFAULT_LOCALE, EBAY_SITES
from sluice.marketplaces.ebay.values import digest
from sluice.marketplaces.http import fields
from sluice.marketplaces.http.errors import MarketplaceFailure
from sluice.marketplaces.http.exchange import Call
from sluice.marketplaces.publishing import POLICY_KINDS, Policy
from sluice.platform.clock import Clock

BASE: Final = "/sell/account/v1"


class Account:
    """One seller's policies; see `publishing.Policies`."""

    def __init__(self, session: Session, quota: Quota, calls: Calls, clock: Clock) -> None:
        self._session = session
        self._quota = quota
        self._calls = calls
        self._clock = clock

    @classmethod
    def open(cls, account_id: str, calls: Calls, clock: Clock, wire: httpx.BaseTransport | None = None) -> Self:
        """Policies of the seller whose account it is. Opening calls nobody; there is nothing to close."""
        api = ebay_access.transport(clock, wire)
        session = Session(api, ebay_access.seller(account_id, api, clock), ebay_access.sign, calls)
        quota = Quota.open(ebay_access.application(account_id, api, clock), clock, wire)
        return cls(session, quota, calls, clock)

    def policies(self, kind: str, site: str) -> list[Policy]:
        """See `Policies`. Without `Content-Language` eBay leaves out what is written in another language."""
        if kind not in POLICY_KINDS:
            raise ValueError(f"no kind of policy {kind!r}; there are {', '.join(POLICY_KINDS)}")
        locale = EBAY_SITES[site].locales[0] if site in EBAY_SITES else DEFAULT_LOCALE
        headers = {"content-language": locale, "accept-language": locale}
        request = Call("GET", f"{BASE}/{kind}_policy", query={"marketplace_id": site}, headers=headers)
        with self._quota.closing(self._calls, "sell", "account"):
            try:
                body = fields.read(self._session.exchange(request))
            except MarketplaceFailure as failure:
                raise meaning(failure, self._clock.now()) from None
        rows = body[f"{kind}Policies"].optional_rows()
        return [
            Policy(kind, row[f"{kind}PolicyId"].text(), row["name"].optional_text() or "", digest(row.raw))
            for row in rows
        ]
