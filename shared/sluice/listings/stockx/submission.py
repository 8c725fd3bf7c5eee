"""What is remembered of a change that was sent, or was about to be sent."""

from dataclasses import asdict, dataclass, replace
from typing import Any

from sluice.listings.stockx import changes
from sluice.listings.stockx.changes import Change
from sluice.marketplaces.selling import Operation

# The attributes of a submission that are stored as None are left out.
_CHANGE = "change"


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


def resumed(change: Change, sending: dict[str, Any]) -> Submission:
    """The submission of `change` of which `Submission.sending` gave `sending`."""
    refused = sending.get("refused")
    return Submission(**{**sending, _CHANGE: change, "refused": tuple(refused) if refused else None})


def of(payload: dict[str, Any]) -> Submission | None:
    """The submission in a job's payload, if it has one."""
    fields = payload.get("submission")
    return resumed(changes.of(fields[_CHANGE]), fields) if fields else None
