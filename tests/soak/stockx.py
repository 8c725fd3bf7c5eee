"""Tenants offer shoes at StockX, change what they ask for, and take them away; buyers buy, sellers click elsewhere.

Each amount that is asked for is one that nobody has asked for before: so StockX's own record tells which request each
of its operations was for.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final

from local.sandbox.stockx.listings import Change, Listing, Operation
from sluice.listings.stockx import table as listings
from sluice.listings.stockx.follow import MOST_TRIES
from sluice.listings.stockx.table import Entry
from tests.soak.town import TENANTS, Town, Trade
from tests.support.store import Item

ALL: Final = "/v1/stockx/listings"
MOST: Final = 25
# Through which door Sluice's own changes come, as StockX tells.
OURS: Final = "PUBLIC-API"
# What our words for a listing are in StockX's.
WORDS: Final = {"SOLD": "MATCHED"}


@dataclass
class Mine:
    """A listing as its owner sees it. amount: the last that was asked for, and taken. touched: by somebody else."""

    tenant: str
    listing_id: str
    amount: str
    touched: bool = False


class StockX(Trade):
    """Listings of all tenants."""

    def __init__(self, town: Town) -> None:
        super().__init__(town)
        self._mine: dict[str, Mine] = {}
        self._amount = 100
        self._references = 0

    def act(self) -> None:
        mine = sorted(self._mine.values(), key=lambda one: one.listing_id)
        if not mine or (len(mine) < MOST and self._chance.random() < 0.25):
            self._chance.choice((self._create, self._create, self._create_many))()
            return
        one = self._chance.choice(mine)
        match self._chance.randint(0, 9):
            case 0 | 1 | 2 | 3:
                self._change(one, "PATCH", "", {"amount": self._next()})
            case 4:
                self._change(one, "POST", "/deactivate", {})
            case 5:
                self._change(one, "POST", "/activate", {})
            case 6:
                self._change(one, "DELETE", "", None)
            case 7 | 8:
                self._change_many([other for other in mine if other.tenant == one.tenant])
            case _:
                self._others(one)

    def _next(self) -> str:
        self._amount += 1
        return str(self._amount)

    def _new(self) -> dict[str, Any]:
        self._references += 1
        variant = self._town.variant("DD1391-100", self._chance.randint(0, 9))
        body: dict[str, Any] = {"variantId": variant, "amount": self._next(), "currency": "USD"}
        if self._chance.random() < 0.5:
            body["reference"] = f"shelf-{self._references}"
        return body

    def _create(self) -> None:
        tenant = self._chance.choice(TENANTS)
        body = self._new()
        answer = self._town.ask("POST", ALL, body, tenant=tenant)
        if answer.status == 202:
            self._taken(tenant, answer.json, body["amount"])

    def _create_many(self) -> None:
        tenant = self._chance.choice(TENANTS)
        items = [self._new() for _ in range(self._chance.randint(2, 4))]
        self._bulk(tenant, "create", items)

    def _change(self, one: Mine, method: str, path: str, body: dict[str, Any] | None) -> None:
        answer = self._town.ask(method, f"{ALL}/{one.listing_id}{path}", body, tenant=one.tenant)
        if answer.status == 202:
            self._taken(one.tenant, answer.json, (body or {}).get("amount"))

    def _change_many(self, mine: Sequence[Mine]) -> None:
        some = self._chance.sample(list(mine), min(len(mine), self._chance.randint(1, 4)))
        if self._chance.random() < 0.2:
            self._bulk(some[0].tenant, "delete", [{"listingId": one.listing_id} for one in some[:1]])
            return
        self._bulk(some[0].tenant, "update", [{"listingId": one.listing_id, "amount": self._next()} for one in some])

    def _bulk(self, tenant: str, action: str, items: list[dict[str, Any]]) -> None:
        """Ask for many; what could not be stored is asked for again."""
        for _ in range(20):
            answer = self._town.ask("POST", f"{ALL}/bulk", {"action": action, "items": items}, tenant=tenant)
            if answer.status >= 400:
                return
            told = answer.json["items"]
            for item, what in zip(items, told, strict=True):
                if "jobId" in what:
                    self._taken(tenant, what, item.get("amount"))
            lost = [what["index"] for what in told if what.get("error", {}).get("code") == "unavailable"]
            items = [items[index] for index in lost]
            if not items:
                return
        raise AssertionError(f"{len(items)} items could not be stored in twenty tries")

    def _taken(self, tenant: str, answer: dict[str, Any], amount: str | None) -> None:
        self._town.owe(tenant, answer["jobId"])
        one = self._mine.setdefault(answer["listingId"], Mine(tenant, answer["listingId"], ""))
        one.amount = amount or one.amount

    def _others(self, one: Mine) -> None:
        """A buyer buys it, or the seller changes it on StockX's own site."""
        there = self._listing_of(one)
        if there is None or there.status not in ("ACTIVE", "INACTIVE"):
            return
        one.touched, book, now = True, self._town.sandbox.stockx, self._town.clock.time
        if there.status == "ACTIVE" and self._chance.random() < 0.5:
            book.sell(one.tenant, there.listing_id, now)
        else:
            book.by_hand(one.tenant, there.listing_id, "UPDATE", Change(amount=self._next(), currency="USD"), now)

    def mend(self) -> None:
        """StockX ends what it had forgotten."""
        now = self._town.clock.time
        for tenant in TENANTS:
            for there in self._town.sandbox.stockx._book.operations(tenant, now):
                if not there.ended and there.outcome.pending_ms is None:
                    there.ready_ms = now

    # ── the end ──

    def wrong(self) -> Iterator[str]:
        for tenant in TENANTS:
            yield from self._once(tenant)
            yield from self._in_order(tenant)
        stored = {one["listing_id"]["S"]: one for one in self._town.store.items("listings") if "status" in one}
        for one in self._mine.values():
            if one.listing_id not in stored:
                yield f"listing {one.listing_id} was taken and is not there"
                continue
            for what in self._as_told(one, stored[one.listing_id]):
                yield f"listing {one.listing_id} of {one.tenant}: {what}"

    def _once(self, tenant: str) -> Iterator[str]:
        """What was asked for once is there once."""
        live = Counter(
            one.operations[0].change.amount
            for one in self._listings(tenant)
            if one.status != "DELETED" and one.operations[0].via == OURS
        )
        yield from (f"{number} listings for one request, of {amount}" for amount, number in live.items() if number > 1)

    def _in_order(self, tenant: str) -> Iterator[str]:
        """An older amount is never sent behind a newer one."""
        for there in self._listings(tenant):
            sent = [one for one in there.operations if one.via == OURS and one.change.amount]
            for before, after in pairwise(sent):
                older, newer = int(before.change.amount or 0), int(after.change.amount or 0)
                if newer < older:
                    yield f"listing {there.listing_id} of {tenant}: {_shown(after)} was sent behind {_shown(before)}"

    @staticmethod
    def _sent_again(there: Listing, entries: Sequence[Entry]) -> Iterator[str]:
        """A change is done once, but for one that does no harm twice: an UPDATE whose answer was lost is sent again,
        with the same amount and before anything newer (see `_in_order`), and Sluice says how often it has sent it.
        """
        tries = {
            entry.metadata["asked"].get("amount"): entry.metadata.get("tries") or 1
            for entry in entries
            if entry.metadata.get("asked")
        }
        sent = Counter(one.change.amount for one in there.operations if one.via == OURS and one.type == "UPDATE")
        for amount, number in sent.items():
            if number > min(tries.get(amount, 0), MOST_TRIES):
                yield f"{amount} was sent {number} times, and Sluice says {tries.get(amount, 0)}"

    def _as_told(self, one: Mine, stored: Item) -> Iterator[str]:
        """What Sluice says of a listing is what it is, and what was asked for last."""
        if stored.get("changes", {}).get("M"):
            yield f"changes are open still: {list(stored['changes']['M'].values())}"
            return
        entries = self._history(one)
        amounts = [entry for entry in entries if entry.metadata.get("asked", {}).get("amount")]
        if not amounts or amounts[-1].metadata["asked"]["amount"] != one.amount:
            yield f"{one.amount} was asked for last, and the history ends with {amounts and amounts[-1].metadata}"
        there = self._listing_of(one)
        status = stored["status"]["S"]
        if there is None:
            if status != "FAILED":
                yield f"it is {status} here, and StockX has none"
            return
        yield from self._sent_again(there, entries)
        if status == "FAILED":
            if there.exists:
                yield f"it is FAILED here, and {there.status} at StockX"
            return
        if one.touched:
            return
        if WORDS.get(status, status) != there.status:
            yield f"it is {status} here, and {there.status} at StockX"
        happened = [entry for entry in amounts if not entry.metadata.get("error") or entry.metadata.get("happened")]
        if happened and happened[-1].metadata["asked"]["amount"] != there.amount and there.status != "DELETED":
            yield f"it asks {there.amount} at StockX, and {happened[-1].metadata} was the last to happen"

    def _history(self, one: Mine) -> list[Entry]:
        return list(listings.history(one.tenant, one.listing_id, 1_000))

    def _listings(self, tenant: str) -> Sequence[Listing]:
        return self._town.sandbox.stockx.listings(tenant, self._town.clock.time)

    def _listing_of(self, one: Mine) -> Listing | None:
        stored = self._town.store.item("listings", tenant=one.tenant, listing_id=one.listing_id)
        known = stored and stored.get("marketplace_id", {}).get("S")
        return next((each for each in self._listings(one.tenant) if each.listing_id == known), None)


def _shown(operation: Operation) -> str:
    return f"{operation.type} {operation.change.amount} ({operation.phase})"
