"""What every call to an API of sellers has in common: who calls, what is counted, how errors look."""

from collections.abc import Callable, Mapping
from hashlib import sha256
from typing import TypeVar

from local.sandbox.accounts import Accounts
from local.sandbox.call import Answer, Call, Routes
from local.sandbox.ebay.inventory.book import Listings, Shop
from local.sandbox.ebay.inventory.errors import Json, RefusedError, said
from local.sandbox.ebay.inventory.faults import RefuseListing, StaleRead, WarnListing
from local.sandbox.ebay.tokens import USER
from local.sandbox.faults import Faults
from local.sandbox.limits import Limits
from local.sandbox.switch import ListingAsked

T = TypeVar("T")


class SellerApi:
    """An API that sellers call with their own token. audience: whose tokens it takes."""

    name = ""
    prefixes: tuple[str, ...] = ()
    limits = Limits(retry_after=False)
    audience = USER

    def __init__(self, accounts: Accounts) -> None:
        self._accounts = accounts
        self._routes = Routes()

    def account(self, call: Call) -> str:
        token = call.bearer()
        if not token:
            return "anonymous"
        known = self._accounts.of_token(token, call.at_ms, self.audience)
        return known or f"unknown-{sha256(token.encode()).hexdigest()[:8]}"

    def payer(self, call: Call) -> str:
        return self._accounts.application_of(self.account(call))

    def counted(self, _: str) -> bool:
        return True

    def cacheable(self, _: Call) -> bool:
        return False

    def route(self, call: Call) -> str:
        return self._routes.template(call.path) or call.path

    def answer(self, call: Call) -> Answer:
        try:
            if self._accounts.of_token(call.bearer(), call.at_ms, self.audience) is None:
                application = self._accounts.of_token(call.bearer(), call.at_ms, "ebay")
                raise RefusedError(1100 if application else 1001)
            if (found := self._routes.find(call)) is None:
                raise RefusedError(2002)
            if call.method == "POST" and "content-length" not in call.headers:
                return Answer(411, None)
            handler, parameters = found
            return handler(call, **parameters)
        except RefusedError as refused:
            return Answer(refused.status, {"errors": [refused.body()]})

    def error(self, status: int, message: str, headers: Mapping[str, str] | None = None) -> Answer:
        refused = RefusedError({401: 1001, 403: 1100, 404: 2002, 429: 2001}.get(status, 25001))
        return Answer(status, {"errors": [{**refused.body(), "message": message}]}, headers or {})

    def expire_token(self, call: Call, *, for_good: bool) -> Answer:
        if for_good:
            self._accounts.expire_token(call.bearer(), self.audience)
        return self.error(401, "Invalid access token")

    def refuse_refresh(self, _: Call) -> Answer | None:
        return None


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
