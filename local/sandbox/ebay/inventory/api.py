"""eBay Inventory API v1: all its calls, as one marketplace."""

from local.sandbox.accounts import Accounts
from local.sandbox.call import Routes
from local.sandbox.ebay.inventory.book import Listings
from local.sandbox.ebay.inventory.errors import RefusedError
from local.sandbox.ebay.inventory.groups import GroupCalls
from local.sandbox.ebay.inventory.items import ItemCalls
from local.sandbox.ebay.inventory.offers import OfferCalls
from local.sandbox.ebay.inventory.seller import Desk
from local.sandbox.ebay.seller_api import SellerApi
from local.sandbox.faults import Faults
from local.sandbox.limits import Limits


class Inventory(SellerApi):
    """Listings of sellers. A 429 says nothing of when to come back."""

    name = "ebay-inventory"
    prefixes: tuple[str, ...] = ("/sell/inventory/",)
    refused = RefusedError
    limits = Limits(per_day=2_000_000, zone="America/Los_Angeles", retry_after=False)

    def __init__(self, accounts: Accounts, listings: Listings, faults: Faults) -> None:
        super().__init__(accounts)
        desk = Desk(listings, faults, self.account)
        # A path that names what to do stands before one that names an offer.
        calls = (ItemCalls(desk), GroupCalls(desk), OfferCalls(desk))
        self._routes = Routes(*(route for one in calls for route in one.routes))
