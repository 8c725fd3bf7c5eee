"""A listing and the operations on it. Pure: time comes as a value, and what happened by then follows from it.

operation   queued ──look──► running ──► succeeded | failed        one after the other on each listing
listing     INACTIVE ◄─DEACTIVATE── ──ACTIVATE─► ACTIVE            CREATE goes to either, DELETE ends in DELETED
                                                   └─ sold ─► MATCHED, with its order: nothing can be changed any more
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

from local.sandbox.catalog.products import Variant
from local.sandbox.outcomes import Outcome, Phase

OperationType = Literal["CREATE", "UPDATE", "DELETE", "ACTIVATE", "DEACTIVATE"]
Status = Literal["INACTIVE", "ACTIVE", "DELETED", "MATCHED"]
UNCHANGEABLE = "Listing is MATCHED and cannot be changed"
DAY_MS = 86_400_000
DEFAULT_EXPIRY_MS = 999 * DAY_MS


@dataclass(frozen=True)
class Change:
    """What an operation sets; None leaves a field as it is."""

    amount: str | None = None
    currency: str | None = None
    expires_at_ms: int | None = None
    active: bool | None = None


@dataclass
class Operation:
    """`updated_at_ms` is when it ended, once `phase` is `succeeded` or `failed`."""

    operation_id: str
    listing_id: str
    type: OperationType
    change: Change
    created_at_ms: int
    updated_at_ms: int
    outcome: Outcome
    phase: Phase = "queued"
    error: str | None = None
    looks: int = 0
    ready_ms: int | None = None
    """When it may end. None: not before the looks it waits for, or never."""
    via: str = "PUBLIC-API"

    @property
    def ended(self) -> bool:
        return self.phase in ("succeeded", "failed")

    def look(self, at_ms: int) -> None:
        """Somebody asks how far it is. An operation that waits for looks ends at the one after the last of them."""
        self.looks += 1
        if not self.ended:
            self.phase = "running"
        if self.outcome.looks and self.looks == self.outcome.looks + 1 and self.outcome.pending_ms is not None:
            self.ready_ms = max(at_ms, self.created_at_ms + self.outcome.pending_ms)


@dataclass
class Ask:
    ask_id: str
    created_at_ms: int
    updated_at_ms: int


@dataclass(frozen=True)
class Order:
    order_number: str
    created_at_ms: int


@dataclass
class Listing:
    """One thing offered. `listed_at_ms` is when the list of listings begins to show it."""

    listing_id: str
    account: str
    variant: Variant
    amount: str
    currency: str
    expires_at_ms: int
    inventory_type: str
    created_at_ms: int
    updated_at_ms: int
    listed_at_ms: int
    ask_id: str
    batch: Mapping[str, str] | None = None
    status: Status = "INACTIVE"
    ask: Ask | None = None
    operations: list[Operation] = field(default_factory=list)
    order: Order | None = None

    @property
    def exists(self) -> bool:
        """A listing whose creation failed has never been one; only its operations remain."""
        return self.operations[0].phase != "failed"

    @property
    def busy(self) -> bool:
        return not self.operations[-1].ended

    def expired(self, at_ms: int) -> bool:
        return self.status not in ("DELETED", "MATCHED") and self.expires_at_ms <= at_ms


def copied(listing: Listing) -> Listing:
    """A copy that later calls do not change."""
    return replace(listing, operations=[replace(operation) for operation in listing.operations])


def settle(listing: Listing, at_ms: int) -> None:
    """End every operation whose time has come by `at_ms`, in order: none overtakes an earlier one."""
    free_ms = listing.created_at_ms
    for operation in listing.operations:
        if not operation.ended:
            if operation.ready_ms is None or max(operation.ready_ms, free_ms) > at_ms:
                return
            _end(listing, operation, max(operation.ready_ms, free_ms))
        free_ms = operation.updated_at_ms


def _end(listing: Listing, operation: Operation, at_ms: int) -> None:
    operation.error = operation.outcome.error or _impossible(listing)
    operation.phase = "failed" if operation.error else "succeeded"
    operation.updated_at_ms = at_ms
    if not operation.error:
        _apply(listing, operation, at_ms)


def _impossible(listing: Listing) -> str | None:
    """Why the listing, as it has become since the call, cannot be changed."""
    if not listing.exists:
        return "Listing was not created"
    if listing.status == "MATCHED":
        return UNCHANGEABLE
    return "Listing is deleted" if listing.status == "DELETED" else None


def _apply(listing: Listing, operation: Operation, at_ms: int) -> None:
    change = operation.change
    listing.updated_at_ms = at_ms
    listing.amount = change.amount or listing.amount
    listing.currency = change.currency or listing.currency
    listing.expires_at_ms = change.expires_at_ms or listing.expires_at_ms
    if operation.type == "DELETE":
        listing.status = "DELETED"
    elif change.active is not None:
        listing.status = "ACTIVE" if change.active else "INACTIVE"
    if listing.status == "ACTIVE":
        created_at_ms = listing.ask.created_at_ms if listing.ask else at_ms
        listing.ask = Ask(listing.ask_id, created_at_ms, at_ms)
    else:
        listing.ask = None
