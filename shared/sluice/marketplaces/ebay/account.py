"""eBay Account API v1: a seller's business policies. The `PolicyReader` of eBay."""

from typing import Final

from sluice.marketplaces.ebay.listing_errors import meaning
from sluice.marketplaces.ebay.seller_api import SellerApi
from sluice.marketplaces.ebay.sites import DEFAULT_LOCALE, EBAY_SITES
from sluice.marketplaces.ebay.values import digest
from sluice.marketplaces.http import fields
from sluice.marketplaces.http.exchange import Call
from sluice.marketplaces.publishing import POLICY_KINDS, Policy

BASE: Final = "/sell/account/v1"


class SellerAccount(SellerApi):
    """One seller's policies; see `publishing.PolicyReader`."""

    api = "account"
    _means = staticmethod(meaning)

    def policies(self, kind: str, site: str) -> list[Policy]:
        """See `PolicyReader`. Without `Content-Language` eBay leaves out what is written in another language."""
        if kind not in POLICY_KINDS:
            raise ValueError(f"no kind of policy {kind!r}; there are {', '.join(POLICY_KINDS)}")
        locale = EBAY_SITES[site].locales[0] if site in EBAY_SITES else DEFAULT_LOCALE
        headers = {"content-language": locale, "accept-language": locale}
        request = Call("GET", f"{BASE}/{kind}_policy", query={"marketplace_id": site}, headers=headers)
        body = fields.read(self._exchange(request))
        rows = body[f"{kind}Policies"].optional_rows()
        return [
            Policy(kind, row[f"{kind}PolicyId"].text(), row["name"].optional_text() or "", digest(row.raw))
            for row in rows
        ]
