"""A change that somebody asked for: numbered in the order of asking, and kept on its listing until it is settled.

Pure. What it asks (`Change`), what is remembered of its sending (`Submission`, of a batch `Sent`), and why its fate is
not known (`Doubt`).
"""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from enum import StrEnum
from typing import Any, Final

from sluice.marketplaces.selling import MarketBatch, Operation, Terms

# The attributes of a submission that are stored as None are left out.
_CHANGE = "change"


class Status(StrEnum):
    """How far an operation is."""

    IN_PROGRESS = "IN_PROGRESS"
    COMPLETED = "COMPLETED"
    FAILED = "FAILED"
    PARTIAL = "PARTIAL"


class Action(StrEnum):
    """What can be done to a listing."""

    CREATE = "CREATE"
    UPDATE = "UPDATE"
    DELETE = "DELETE"
    ACTIVATE = "ACTIVATE"
    DEACTIVATE = "DEACTIVATE"


class ListingStatus(StrEnum):
    """What a listing is. FAILED: it never came into being. UNCONFIRMED: nobody knows yet what became of a change of it;
    this is never stored, but follows from its changes.
    """

    PENDING = "PENDING"
    ACTIVE = "ACTIVE"
    INACTIVE = "INACTIVE"
    DELETED = "DELETED"
    SOLD = "SOLD"
    CANCELED = "CANCELED"
    FAILED = "FAILED"
    UNCONFIRMED = "UNCONFIRMED"


# A listing in one of these is over: nothing can be done to it any more.
OVER: Final = frozenset({ListingStatus.DELETED, ListingStatus.SOLD, ListingStatus.CANCELED, ListingStatus.FAILED})


@dataclass(frozen=True)
class Doubt:
    """Why nobody knows what became of a change that was sent.

    code, message: of the job's end. since: when it ended, epoch ms. sending: what is known of the sending
    (`Submission.sending`). read: whether the listing could be read since; seen: the marketplace's word for it then,
    None where it has no such listing.
    """

    code: str
    message: str
    since: int
    sending: dict[str, Any]
    read: bool = False
    seen: str | None = None


@dataclass(frozen=True)
class Change:
    """One change of one listing.

    number: its place among the changes of the listing. job_id: the job that does it. asked_at: epoch ms; asked_by: the
    caller's subject. active: whether a created listing goes on the market at once. doubt: its job is over, and what
    became of it is not known: the change is UNCONFIRMED.
    """

    number: int
    action: Action
    job_id: str
    asked_at: int
    asked_by: str
    terms: Terms = field(default_factory=Terms)
    active: bool = True
    doubt: Doubt | None = None

    def fields(self) -> dict[str, Any]:
        """As it is stored, without what is not given."""
        body = asdict(self) | {"terms": given(self.terms)}
        return {name: value for name, value in body.items() if value not in ({}, None)}

    def without_doubt(self) -> "Change":
        """The change itself, as it was asked for."""
        return replace(self, doubt=None)

    def encode(self) -> str:
        """As it stands on its listing."""
        return json.dumps(self.fields(), separators=(",", ":"))


@dataclass(frozen=True)
class Submission:
    """One sending of a change.

    It is stored before the marketplace is called, so whoever finds one without an operation finds out first what became
    of it.

    sent_at: epoch ms; of a change that was sent again, the last time. first_at: the first time, where that is another.
    tries: how often it was sent.
    marketplace_id: the marketplace's listing, as far as known.
    operation_id, batch_id: the marketplace's operation, or the batch that the change is part of.
    since: when the job that follows it now began to; None: when it was sent.
    was: the listing's status before. refused: code and message of the marketplace's refusal, while the listing is still
        to be read. gone_at: when the marketplace first said that it has no such listing.
    """

    change: Change
    sent_at: int
    tries: int = 1
    marketplace_id: str | None = None
    operation_id: str | None = None
    batch_id: str | None = None
    since: int | None = None
    was: str | None = None
    refused: tuple[str, str] | None = None
    gone_at: int | None = None
    first_at: int | None = None

    @property
    def first_sent(self) -> int:
        """When the change was sent first."""
        return self.first_at or self.sent_at

    @property
    def followed_since(self) -> int:
        """From when on its job's time counts."""
        return self.since or self.sent_at

    def started(self, operation: Operation) -> "Submission":
        """The marketplace has answered with `operation`."""
        return replace(self, operation_id=operation.operation_id, marketplace_id=operation.listing_id)

    def sending(self) -> dict[str, Any]:
        """All but the change, without what is not known."""
        return {name: value for name, value in asdict(self).items() if name != _CHANGE and value is not None}

    def payload(self, listing_id: str) -> dict[str, Any]:
        """The payload of a job with this submission."""
        change = self.change.without_doubt().fields()
        return {"listing_id": listing_id, "submission": {**self.sending(), _CHANGE: change}}


@dataclass(frozen=True)
class Sent:
    """What a batch job remembers of its call: stored before it is made.

    sent_at: when it was made last, epoch ms; first_at: when first, if it was made again; tries: how often. counts: the
    marketplace's items by status word. refused: code and message of the marketplace's refusal of the whole, while
    listings are still to be read.
    """

    sent_at: int
    tries: int = 1
    batch_id: str | None = None
    counts: dict[str, int] | None = None
    first_at: int | None = None
    refused: tuple[str, str] | None = None

    @property
    def is_answered(self) -> bool:
        """Whether the marketplace has taken it, or refused it."""
        return self.batch_id is not None or self.refused is not None

    @property
    def first_sent(self) -> int:
        """When it was made first."""
        return self.first_at or self.sent_at

    def known(self, batch: MarketBatch) -> "Sent":
        """The marketplace has shown `batch`."""
        return replace(self, batch_id=batch.batch_id, counts=dict(batch.counts))


def change_of(fields: dict[str, Any]) -> Change:
    """The change that `Change.fields` gave."""
    doubt = fields.get("doubt")
    return Change(
        **{
            **fields,
            "action": Action(fields["action"]),
            "terms": Terms(**fields.get("terms", {})),
            "doubt": Doubt(**doubt) if doubt else None,
        }
    )


def decode(text: str) -> Change:
    """The change that `Change.encode` wrote."""
    return change_of(json.loads(text))


def given(terms: Terms) -> dict[str, Any]:
    """What `terms` say, without what they leave as it is."""
    return {name: value for name, value in asdict(terms).items() if value is not None}


def merged(older: Terms, newer: Terms) -> Terms:
    """What two updates ask for together: the newer one's word, and the older one's where the newer says nothing."""
    return Terms(**{**given(older), **given(newer)})


def resumed(change: Change, sending: dict[str, Any]) -> Submission:
    """The submission of `change` of which `Submission.sending` gave `sending`."""
    refused = sending.get("refused")
    return Submission(**{**sending, _CHANGE: change, "refused": tuple(refused) if refused else None})


def submission_of(payload: dict[str, Any]) -> Submission | None:
    """The submission in a job's payload, if it has one."""
    fields = payload.get("submission")
    return resumed(change_of(fields[_CHANGE]), fields) if fields else None


def sent_of(payload: dict[str, Any]) -> Sent | None:
    """What a batch job's payload knows of its call."""
    fields = payload.get("sent")
    if not fields:
        return None
    refused = fields.get("refused")
    return Sent(**{**fields, "refused": tuple(refused) if refused else None})


def refusal(status: str, action: Action, open_changes: Sequence[Change] = ()) -> str | None:
    """Why `action` cannot be done to a listing with this status and these changes under way."""
    if action is Action.CREATE:
        return None if status in (ListingStatus.PENDING, ListingStatus.FAILED) else f"the listing is {status} already"
    if status in OVER:
        return f"the listing is {status}; it cannot be changed any more"
    if action is not Action.DELETE and any(change.action is Action.DELETE for change in open_changes):
        return "the listing is being deleted"
    return None


def needless(status: str, action: Action) -> bool:
    """Whether a listing with this status is as `action` wants it, so that there is nothing to send.

    One that was asked for twice exists; one that never came into being, or has gone, need not be taken away.
    """
    if action is Action.CREATE:
        return status in (ListingStatus.ACTIVE, ListingStatus.INACTIVE)
    gone = (ListingStatus.DELETED, ListingStatus.CANCELED, ListingStatus.FAILED)
    return action is Action.DELETE and status in gone
