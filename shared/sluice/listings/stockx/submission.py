"""What a job remembers of a change that it has sent, or was about to send."""

from dataclasses import asdict, dataclass, replace
from typing import Any

from sluice.listings.stockx import changes
from sluice.listings.stockx.changes import Change
from sluice.marketplaces.selling import Operation


@dataclass(frozen=True)
class Submission:
    """One sending of a change.

    It is stored before the marketplace is called, so whoever finds one without an operation finds out first what became
    of it. sent_at: epoch ms. tries: how often it was sent. marketplace_id: the marketplace's listing, as far as known.
    """

    change: Change
    sent_at: int
    tries: int = 1
    marketplace_id: str | None = None
    operation_id: str | None = None

    def started(self, operation: Operation) -> "Submission":
        """The marketplace has answered with `operation`."""
        return replace(self, operation_id=operation.operation_id, marketplace_id=operation.listing_id)

    def payload(self, listing_id: str) -> dict[str, Any]:
        """The payload of a job with this submission."""
        return {"listing_id": listing_id, "submission": {**asdict(self), "change": self.change.fields()}}


def of(payload: dict[str, Any]) -> Submission | None:
    """The submission in a job's payload, if it has one."""
    fields = payload.get("submission")
    return Submission(**{**fields, "change": changes.of(fields["change"])}) if fields else None
