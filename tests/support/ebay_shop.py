"""A seller's listings at the sandbox's eBay, through the real adapters, on a clock of a test's own."""

from dataclasses import dataclass, field
from typing import Any

import httpx

from local.sandbox import world as worlds
from local.sandbox.ebay.inventory.book import Shop
from local.sandbox.ebay.tokens import USER
from local.sandbox.limits import Limits
from sluice.marketplaces.accounts.access_tokens import Tokens
from sluice.marketplaces.accounts.session import Session
from sluice.marketplaces.accounts.token_cache import Access
from sluice.marketplaces.ebay import access as ebay_access
from sluice.marketplaces.ebay.access import sign
from sluice.marketplaces.ebay.account import SellerAccount
from sluice.marketplaces.ebay.feed import Feed
from sluice.marketplaces.ebay.inventory import Inventory
from sluice.marketplaces.ebay.quota import Quota
from sluice.marketplaces.ebay.taxonomy import Taxonomy
from sluice.marketplaces.http.transport import Transport
from tests.support.clock import VirtualClock
from tests.support.sandbox_wire import SandboxWire
from tests.unit.marketplaces.fakes import NOON, BudgetLog

SELLER = "acme"
SKU = "DZ5485-612-10"
POLICIES = {"fulfillmentPolicyId": "6196932000", "paymentPolicyId": "6196947000", "returnPolicyId": "6196944000"}
Json = dict[str, Any]


class Held(Tokens):
    """An account whose token is at hand."""

    def __init__(self, token: str) -> None:
        self._token = token

    def get(self) -> Access:
        return Access({}, self._token, 1, NOON)

    def accepted(self, access: Access) -> None:
        """It is known to be verified."""


@dataclass
class EbayShop:
    """`acme` with a token, and nothing listed. sent: every request with its answer."""

    seed: int = 7
    clock: VirtualClock = field(default_factory=lambda: VirtualClock(NOON))
    calls: BudgetLog = field(default_factory=BudgetLog)
    sent: list[tuple[httpx.Request, httpx.Response]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.world = worlds.build(self.seed, clock=self.clock.now, limits=Limits())
        self.wire = SandboxWire(self.world)
        self.wire.after = self._keep
        made = self.world.accounts.connect(SELLER)
        form = {
            "client_id": made.client_id,
            "client_secret": made.client_secret,
            "refresh_token": made.refresh_token,
        }
        accounts = self.world.accounts
        user = Held(accounts.refresh(form, NOON, USER, 86_400 * 365))
        own = Held(accounts.application_token(made.client_id, made.client_secret, NOON, "ebay", 86_400 * 365))
        api = Transport("ebay", "http://sandbox.test", self.clock, ebay_access.RULES, wire=self.wire)
        quota = Quota(api, own, sign, self.clock)
        session = Session(api, user, sign, self.calls)
        self.inventory = Inventory(session, quota, self.calls, self.clock)
        self.account = SellerAccount(session, quota, self.calls, self.clock)
        self.feed = Feed(session, quota, self.calls, self.clock)
        self.taxonomy = Taxonomy(Session(api, own, sign, self.calls), quota, self.calls, self.clock)

    def _keep(self, request: httpx.Request, response: httpx.Response) -> None:
        assert isinstance(response.stream, httpx.ByteStream)
        copy = httpx.Response(response.status_code, headers=response.headers, content=b"".join(response.stream))
        self.sent.append((request, copy))

    @property
    def shop(self) -> Shop:
        """What is really there."""
        return self.world.ebay.shop(SELLER)

    def publish(self, sku: str = SKU, **offer: Any) -> tuple[str, str]:
        """List a pair of shoes: the ids of its offer and its listing."""
        self.inventory.put_item(sku, item_body())
        offer_id = self.inventory.create_offer(offer_body(sku, **offer)).made
        return offer_id, self.inventory.publish(offer_id).made


def item_body(quantity: int = 1, **product: Any) -> Json:
    """A pair of shoes."""
    about = {
        "title": "Air Jordan 1 Retro High OG Chicago Lost and Found",
        "description": "New in box.",
        "brand": "Jordan",
        "imageUrls": ["https://shop.example/a.jpg", "https://shop.example/b.jpg"],
        "aspects": {"US Shoe Size": ["10"], "Department": ["Men"], "Color": ["Red"]},
    }
    return {
        "condition": "NEW",
        "availability": {"shipToLocationAvailability": {"quantity": quantity}},
        "product": about | product,
    }


def offer_body(sku: str = SKU, price: str = "245.00", quantity: int = 1, **more: Any) -> Json:
    """How it is offered."""
    return {
        "sku": sku,
        "marketplaceId": "EBAY_US",
        "format": "FIXED_PRICE",
        "availableQuantity": quantity,
        "categoryId": "15709",
        "listingDescription": "New in box.",
        "listingDuration": "GTC",
        "merchantLocationKey": "home",
        "includeCatalogProductDetails": False,
        "listingPolicies": POLICIES,
        "pricingSummary": {"price": {"value": price, "currency": "USD"}},
        **more,
    }
