"""A seller's business policies: Account API; and who the seller is: Identity API."""

from functools import partial
from hashlib import sha256

from local.sandbox.accounts import Accounts
from local.sandbox.call import Answer, Call, Routes
from local.sandbox.ebay.errors import Json
from local.sandbox.ebay.inventory.book import Listings
from local.sandbox.ebay.inventory.errors import RefusedError
from local.sandbox.ebay.seller_api import SellerApi
from local.sandbox.limits import Limits

KINDS = ("fulfillment", "payment", "return")


class Account(SellerApi):
    """Policies, of one site at a time; and the seller's own name."""

    name = "ebay-account"
    prefixes: tuple[str, ...] = ("/sell/account/", "/commerce/identity/")
    refused = RefusedError
    limits = Limits(per_day=25_000, zone="America/Los_Angeles", retry_after=False)

    def __init__(self, accounts: Accounts, listings: Listings) -> None:
        super().__init__(accounts)
        self._listings = listings
        self._routes = Routes(
            *(("GET", f"/sell/account/v1/{kind}_policy", partial(self._get, kind)) for kind in KINDS),
            ("GET", "/commerce/identity/v1/user/", self._user),
        )

    def counted(self, path: str) -> bool:
        return path.startswith("/sell/account/")

    def _get(self, kind: str, call: Call) -> Answer:
        site = call.query.get("marketplace_id")
        if not site:
            raise RefusedError(20401, fieldName="marketplace_id")
        policies = self._listings.shop(self.account(call)).policies[kind]
        found: list[Json] = [one for one in policies if one["marketplaceId"] == site]
        href = f"{call.base_url}{call.path}?marketplace_id={site}"
        body = {"total": len(found), "href": href, "limit": 0, "offset": 0, f"{kind}Policies": found}
        return Answer(200, body)

    def _user(self, call: Call) -> Answer:
        account = self.account(call)
        user = {"userId": f"u-{sha256(account.encode()).hexdigest()[:11]}", "username": account}
        return Answer(200, {**user, "accountType": "BUSINESS", "registrationMarketplaceId": "EBAY_US"})
