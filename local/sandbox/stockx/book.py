"""Everything that accounts have at StockX: listings, operations and batches, one account apart from another."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from local.sandbox.call import Call
from local.sandbox.catalog.products import Variant
from local.sandbox.chance import chance, digest
from local.sandbox.faults import Faults
from local.sandbox.outcomes import OperationFault, outcome
from local.sandbox.stockx import bodies
from local.sandbox.stockx.inputs import RefusedError
from local.sandbox.stockx.listings import DEFAULT_EXPIRY_MS, Change, Listing, Operation, OperationType, Order, settle
from local.sandbox.switch import Started

# How long an operation takes unless the plan says otherwise, by seed.
SHORTEST_MS, LONGEST_MS = 2_000, 10_000


@dataclass
class Account:
    listings: dict[str, Listing] = field(default_factory=dict)
    serial: int = 0


class Book:
    """Listings by account. Every look settles first what has come due by then."""

    def __init__(self, seed: int, faults: Faults) -> None:
        self._seed, self._faults = seed, faults
        self._accounts: defaultdict[str, Account] = defaultdict(Account)

    @property
    def accounts(self) -> Sequence[str]:
        return sorted(self._accounts)

    def listings(self, account: str, at_ms: int) -> Sequence[Listing]:
        """Every listing that exists, deleted ones too, oldest first."""
        return [listing for listing in self._settled(account, at_ms) if listing.exists]

    def operations(self, account: str, at_ms: int) -> Sequence[Operation]:
        """Every operation taken on, in that order within a listing, also those of listings that did not come to be."""
        return [operation for listing in self._settled(account, at_ms) for operation in listing.operations]

    def find(self, account: str, listing_id: str, at_ms: int, *, gone: bool = False) -> Listing:
        """A listing of the account. 404 without it, and unless `gone` when its creation failed."""
        listing = self._accounts[account].listings.get(listing_id)
        if listing is not None:
            settle(listing, at_ms)
        if listing is None or not (listing.exists or gone):
            raise RefusedError(404, "Listing not found")
        return listing

    def create(
        self,
        call: Call,
        account: str,
        variant: Variant,
        change: Change,
        inventory_type: str = "STANDARD",
        *,
        batch: Mapping[str, str] | None = None,
        item: int | None = None,
    ) -> Operation:
        """Take on a new listing; `change` says its amount and currency."""
        listing = self._new(account, variant, change, call.at_ms, inventory_type, batch)
        operation = self.start(call, listing, "CREATE", change, item=item)
        listing.listed_at_ms += operation.outcome.listed_late_ms
        return operation

    def start(
        self, call: Call, listing: Listing, type_: OperationType, change: Change, *, item: int | None = None
    ) -> Operation:
        """Take on an operation; it begins when those before it on the same listing have ended."""
        operation_id = self.new_id(listing.account, "operation")
        variant_id = bodies.variant_id(listing.variant)
        started = Started(
            call.method, call.path, listing.account, type_, listing.listing_id, variant_id, change.amount, item
        )
        struck = [strike.fault for strike in self._faults.strikes(started)]
        usual_ms = SHORTEST_MS + (LONGEST_MS - SHORTEST_MS) * chance(self._seed, "pending", operation_id)
        planned = outcome(round(usual_ms), [fault for fault in struck if isinstance(fault, OperationFault)])
        waits = planned.looks or planned.pending_ms is None
        operation = Operation(
            operation_id=operation_id,
            listing_id=listing.listing_id,
            type=type_,
            change=change,
            created_at_ms=call.at_ms,
            updated_at_ms=call.at_ms,
            outcome=planned,
            ready_ms=None if waits else call.at_ms + (planned.pending_ms or 0),
        )
        listing.operations.append(operation)
        settle(listing, call.at_ms)
        return operation

    def _new(
        self,
        account: str,
        variant: Variant,
        change: Change,
        at_ms: int,
        inventory_type: str,
        batch: Mapping[str, str] | None,
    ) -> Listing:
        listing = Listing(
            listing_id=self.new_id(account, "listing"),
            account=account,
            variant=variant,
            amount=change.amount or "",
            currency=change.currency or "USD",
            expires_at_ms=change.expires_at_ms or at_ms + DEFAULT_EXPIRY_MS,
            inventory_type=inventory_type,
            created_at_ms=at_ms,
            updated_at_ms=at_ms,
            listed_at_ms=at_ms,
            ask_id=str(int(self.new_id(account, "ask").replace("-", "")[:15], 16)),
            batch=batch,
        )
        self._accounts[account].listings[listing.listing_id] = listing
        return listing

    def sell(self, account: str, listing_id: str, at_ms: int) -> Listing:
        """Somebody buys what is offered: MATCHED, with its order. Operations under way fail."""
        listing = self.find(account, listing_id, at_ms)
        listing.status, listing.updated_at_ms = "MATCHED", at_ms
        number = self.new_id(account, "order").replace("-", "")
        listing.order = Order(f"{int(number[:8], 16) % 10**8:08d}-{int(number[8:16], 16) % 10**8:08d}", at_ms)
        return listing

    def list_by_hand(self, account: str, variant: Variant, change: Change, at_ms: int, via: str) -> str:
        """What its owner offers elsewhere, through the door `via`: there at once. Returns the listing's id."""
        listing = self._new(account, variant, change, at_ms, "STANDARD", None)
        self._at_once(listing, "CREATE", change, at_ms, via)
        return listing.listing_id

    def by_hand(
        self, account: str, listing_id: str, type_: OperationType, change: Change, at_ms: int, via: str
    ) -> Operation:
        """What its owner does to a listing elsewhere, through the door `via`: done at once."""
        return self._at_once(self.find(account, listing_id, at_ms), type_, change, at_ms, via)

    def _at_once(self, listing: Listing, type_: OperationType, change: Change, at_ms: int, via: str) -> Operation:
        account, listing_id = listing.account, listing.listing_id
        operation = Operation(
            operation_id=self.new_id(account, "operation"),
            listing_id=listing_id,
            type=type_,
            change=change,
            created_at_ms=at_ms,
            updated_at_ms=at_ms,
            outcome=outcome(0, []),
            ready_ms=at_ms,
            via=via,
        )
        listing.operations.append(operation)
        settle(listing, at_ms)
        return operation

    def new_id(self, account: str, kind: str) -> str:
        """A UUID that depends on the seed and on what the account did before, and on no other account."""
        self._accounts[account].serial += 1
        return str(UUID(digest(self._seed, kind, account, self._accounts[account].serial)))

    def _settled(self, account: str, at_ms: int) -> Sequence[Listing]:
        listings = list(self._accounts[account].listings.values())
        for listing in listings:
            settle(listing, at_ms)
        return listings
