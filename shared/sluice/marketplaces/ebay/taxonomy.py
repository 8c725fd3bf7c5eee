"""eBay Taxonomy and Metadata APIs: what a category asks of its items. The `Categories` of eBay.

An application's token is enough. Whether an aspect is required says `aspectRequired`; `aspectUsage` has been seen to
call required ones RECOMMENDED.
"""

from typing import Final, Self

import httpx

from sluice.jobs.model.run import Calls
from sluice.marketplaces.accounts.session import Session
from sluice.marketplaces.ebay import access as ebay_access
from sluice.marketplaces.ebay.listing_errors import meaning
from sluice.marketplaces.ebay.quota import Quota
from sluice.marketplaces.http import fields
from sluice.marketplaces.http.errors import MarketplaceFailure, Rejected
from sluice.marketplaces.http.exchange import Call
from sluice.marketplaces.http.fields import Value
from sluice.marketplaces.publishing import Aspect
from sluice.platform.clock import Clock

TREE: Final = "/commerce/taxonomy/v1/category_tree/{tree}"
# "The specified category ID does not exist, or is no leaf": Taxonomy API.
NO_LEAF: Final = frozenset({"62004", "62005", "62009"})
# Metadata API `conditionId`, and the Inventory API's word for it (`ConditionEnum`).
CONDITIONS: Final = {
    "1000": "NEW",
    "1500": "NEW_OTHER",
    "1750": "NEW_WITH_DEFECTS",
    "2000": "CERTIFIED_REFURBISHED",
    "2010": "EXCELLENT_REFURBISHED",
    "2020": "VERY_GOOD_REFURBISHED",
    "2030": "GOOD_REFURBISHED",
    "2500": "SELLER_REFURBISHED",
    "2750": "LIKE_NEW",
    "2990": "PRE_OWNED_EXCELLENT",
    "3000": "USED_EXCELLENT",
    "3010": "PRE_OWNED_FAIR",
    "4000": "USED_VERY_GOOD",
    "5000": "USED_GOOD",
    "6000": "USED_ACCEPTABLE",
    "7000": "FOR_PARTS_OR_NOT_WORKING",
}


class Taxonomy:
    """What eBay's categories ask for; see `publishing.Categories`."""

    def __init__(self, session: Session, quota: Quota, calls: Calls, clock: Clock) -> None:
        self._session = session
        self._quota = quota
        self._calls = calls
        self._clock = clock

    @classmethod
    def open(cls, account_id: str, calls: Calls, clock: Clock, wire: httpx.BaseTransport | None = None) -> Self:
        """Categories as the application of `account_id` sees them. Opening calls nobody."""
        api = ebay_access.transport(clock, wire)
        tokens = ebay_access.application(account_id, api, clock)
        return cls(Session(api, tokens, ebay_access.sign, calls), Quota.open(tokens, clock, wire), calls, clock)

    def tree(self, site: str) -> str:
        """See `Categories`."""
        path = "/commerce/taxonomy/v1/get_default_category_tree_id"
        return self._call(Call("GET", path, query={"marketplace_id": site}), "taxonomy")["categoryTreeId"].text()

    def aspects(self, tree: str, category: str) -> list[Aspect]:
        """See `Categories`."""
        path = f"{TREE}/get_item_aspects_for_category"
        try:
            body = self._call(Call("GET", path, {"tree": tree}, {"category_id": category}), "taxonomy")
        except MarketplaceFailure as failure:
            if failure.code in NO_LEAF:
                raise Rejected(
                    f"eBay takes no items in category {category}: choose one that has no others below it",
                    status=failure.status,
                    code=failure.code,
                ) from None
            raise
        return [_aspect(row) for row in body["aspects"].optional_rows()]

    def conditions(self, site: str, category: str) -> frozenset[str]:
        """See `Categories`."""
        path = "/sell/metadata/v1/marketplace/{site}/get_item_condition_policies"
        query = {"filter": f"categoryIds:{{{category}}}"}
        body = self._call(Call("GET", path, {"site": site}, query), "metadata")
        ids = [
            one["conditionId"].optional_text()
            for row in body["itemConditionPolicies"].optional_rows()
            if row["categoryId"].optional_text() == category
            for one in row["itemConditions"].optional_rows()
        ]
        return frozenset(CONDITIONS[one] for one in ids if one in CONDITIONS)

    def _call(self, request: Call, api: str) -> Value:
        context = "commerce" if api == "taxonomy" else "sell"
        with self._quota.closing(self._calls, context, api):
            try:
                return fields.read(self._session.exchange(request))
            except MarketplaceFailure as failure:
                raise meaning(failure, self._clock.now()) from None


def _aspect(row: Value) -> Aspect:
    rules = row["aspectConstraint"]
    only_these = rules["aspectMode"].optional_text() == "SELECTION_ONLY"
    values = [one["localizedValue"].optional_text() for one in row["aspectValues"].optional_rows()]
    return Aspect(
        name=row["localizedAspectName"].text(),
        required=rules["aspectRequired"].raw is True,
        for_variations=rules["aspectEnabledForVariations"].raw is True,
        several=rules["itemToAspectCardinality"].optional_text() == "MULTI",
        values=tuple(filter(None, values)) if only_these else (),
    )
