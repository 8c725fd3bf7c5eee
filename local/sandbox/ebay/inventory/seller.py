"""What every call on listings needs: the seller's shop, and what the switches have for it."""

from collections.abc import Callable
from typing import TypeVar

from local.sandbox.call import Call
from local.sandbox.ebay.errors import Json
from local.sandbox.ebay.inventory.book import Listings, Shop
from local.sandbox.ebay.inventory.errors import RefusedError, said
from local.sandbox.ebay.inventory.faults import RefuseListing, StaleRead, WarnListing
from local.sandbox.faults import Faults
from local.sandbox.switch import ListingAsked

T = TypeVar("T")


class Desk:
    """What every call on listings needs: the seller's shop, and what the switches have for it."""

    def __init__(self, listings: Listings, faults: Faults, account: Callable[[Call], str]) -> None:
        self.listings, self._faults, self.account = listings, faults, account

    def shop(self, call: Call) -> Shop:
        return self.listings.shop(self.account(call))

    def seen(self, call: Call, sku: str) -> Shop:
        """The shop as a read shows it."""
        asked = ListingAsked(call.method, call.path, self.account(call), sku, "read")
        for strike in self._faults.strikes(asked):
            if isinstance(strike.fault, RefuseListing):
                raise RefusedError(strike.fault.error_id)
            if isinstance(strike.fault, StaleRead):
                return self.shop(call).as_of(call.at_ms - round(strike.fault.seconds * 1000))
        return self.shop(call)

    def done(self, call: Call, name: str, sku: str, act: Callable[[], T]) -> tuple[T, list[Json]]:
        """Carry out a write on `sku`, or what a switch has for it; what it gives, and the warnings."""
        asked = ListingAsked(call.method, call.path, self.account(call), sku, name)
        struck = [strike.fault for strike in self._faults.strikes(asked)]
        refusal = next((fault for fault in struck if isinstance(fault, RefuseListing)), None)
        if refusal and not refusal.effect:
            raise _refused(refusal)
        if any(isinstance(fault, StaleRead) for fault in self._faults.current):
            self.shop(call).remember(call.at_ms)
        result = act()
        if refusal:
            raise _refused(refusal)
        warned = [fault for fault in struck if isinstance(fault, WarnListing)]
        return result, [self._warned(call, sku, fault) for fault in warned]

    def _warned(self, call: Call, sku: str, fault: WarnListing) -> Json:
        shop = self.shop(call)
        if fault.warning_id == 25124:
            for offer in shop.offers_of(sku):
                policies = offer.body.get("listingPolicies") or {}
                offer.body["listingPolicies"] = {**policies, "returnPolicyId": fault.value}
        if fault.warning_id == 25127 and (item := shop.items.get(sku)):
            product = item.body.get("product") or {}
            aspects = {
                name: [value.upper() if value == fault.value else value for value in values]
                for name, values in (product.get("aspects") or {}).items()
            }
            item.body["product"] = {**product, "aspects": aspects}
        return said(fault.warning_id, {"text1": fault.value} if fault.value else None)


def _refused(fault: RefuseListing) -> RefusedError:
    return RefusedError(fault.error_id, **({"text1": fault.words} if fault.words else {}))
