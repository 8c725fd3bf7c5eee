"""What sellers ask for, again and again until each request has an answer, whatever dies meanwhile."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random
from typing import Any
from uuid import UUID

from local.ebay_demo import record
from local.laptop import Laptop
from local.neighbours import VARIANT, style
from sluice_command.api import Api
from sluice_command.errors import ApiError

TENANTS = ("acme", "globex")
# What each seller asks for in a round.
KINDS = ("price", "listing", "ad", "record")
# Between two looks, or two tries of the same request.
AGAIN_SECONDS = 0.5
# The answers of a request that has to be sent again: of one under the same key that is still under way, too, and of a
# cloud that has not found all of its routes again.
AGAIN = {0, 404, 409, 429, 500, 502, 503, 504}
PATIENCE_SECONDS = 600.0  # only what never comes takes as long
# What `Ask.what` and `Ask.name` are, in words.
WORDS = {
    "price": "price of {}",
    "listing": "StockX listing at {}",
    "change": "change of a StockX listing to {}",
    "ad": "ad of eBay listing {}",
    "record": "eBay record {}",
}
FIRST_AD = 110_661_000_000
FIRST_AMOUNT = 100


@dataclass
class Ask:
    """One thing that was asked for. name: an amount, an eBay listing id, a SKU or a style, which no other ask has.

    what: `price`, `listing`, `change`, `ad` or `record`. listing_id: ours, of a listing.
    job_id: the job that does it; "" for a record that is as it should be already.
    asked_at: when the request was answered, epoch seconds.
    """

    tenant: str
    what: str
    name: str
    job_id: str = ""
    listing_id: str = ""
    asked_at: float = field(default_factory=time.time, compare=False)

    def __str__(self) -> str:
        job = f" (job {self.job_id})" if self.job_id else ""
        return f"{self.tenant}'s {WORDS[self.what].format(self.name)}{job}"


@dataclass
class Load:
    """All that was asked for so far, and how often a request had to be sent again."""

    laptop: Laptop
    seed: int
    asks: list[Ask] = field(default_factory=list)
    repeated: int = 0
    over: threading.Event = field(default_factory=threading.Event)

    def connect(self) -> None:
        """Connect the sellers' accounts."""
        for tenant in TENANTS:
            self.laptop.connect(tenant, "stockx", "ebay")

    def live(self, tenant: str, pause: float) -> None:
        """What a seller does until it is over, and one round at least: one wish of each kind in a round."""
        chance, number = Random(f"{self.seed} {tenant}"), TENANTS.index(tenant) * 10_000
        with self.laptop.api(tenant) as api:
            while True:
                for wish in (self._price, self._listing, self._ad, self._record):
                    self.over.wait(pause)
                    wish(api, tenant, number, chance)
                number += 1
                if self.over.is_set():
                    return

    def _price(self, api: Api, tenant: str, number: int, chance: Random) -> None:
        ask = Ask(tenant, "price", style(number % 10_000 % 400 + 500 * TENANTS.index(tenant)))
        item = {"sku": ask.name, "size": "9", "sizeSystem": "us", "priority": chance.choice(["manual", "background"])}
        answer = self.sent(lambda key: api.post("/v1/market/refresh", {"items": [item]}, key), chance)
        ask.job_id = answer["items"][0]["jobId"]
        self.asks.append(ask)

    def _listing(self, api: Api, tenant: str, number: int, chance: Random) -> None:
        """A new listing at a price that no other has; sometimes an earlier one is changed to one that no other has."""
        earlier = [one for one in self.asks if (one.tenant, one.what) == (tenant, "listing")]
        amount = str(FIRST_AMOUNT + number)
        if len(earlier) > 2 and chance.random() < 0.3:
            listing_id, body = earlier[0].listing_id, {"amount": amount}
            path = f"/v1/stockx/listings/{listing_id}"
            answer = self.sent(lambda _: api.call("PATCH", path, body), chance)
            self.asks.append(Ask(tenant, "change", amount, answer["jobId"], listing_id))
            return
        body = {"variantId": VARIANT, "amount": amount, "currency": "USD"}
        answer = self.sent(lambda key: api.post("/v1/stockx/listings", body, key), chance)
        self.asks.append(Ask(tenant, "listing", amount, answer["jobId"], answer["listingId"]))

    def _ad(self, api: Api, tenant: str, number: int, chance: Random) -> None:
        listing_id = str(FIRST_AD + number)
        self.laptop.sandbox.publish(tenant, listing_id, known_after_s=0)
        answer = self.sent(
            lambda key: api.post("/v1/promotions", {"listingId": listing_id, "adRate": 5.5}, key), chance
        )
        self.asks.append(Ask(tenant, "ad", listing_id, answer["jobId"]))

    def _record(self, api: Api, tenant: str, number: int, chance: Random) -> None:
        sku = f"CHAOS-{number}"
        answer = self.sent(lambda _: api.put(f"/v1/ebay/listings/{sku}", record("10")), chance)
        self.asks.append(Ask(tenant, "record", sku, answer["jobId"] or ""))

    def sent(self, send: Callable[[str], Any], chance: Random) -> Any:
        """The answer of a request, sent under one key until there is one."""
        key = str(UUID(int=chance.getrandbits(128)))
        deadline = time.monotonic() + PATIENCE_SECONDS
        while True:
            try:
                return send(key)
            except ApiError as refused:
                if refused.status not in AGAIN or time.monotonic() > deadline:
                    raise
                self.repeated += 1
                time.sleep(AGAIN_SECONDS)
