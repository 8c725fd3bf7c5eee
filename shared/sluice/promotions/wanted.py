"""What somebody asks for. Pure."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, NamedTuple


class WantedAd(NamedTuple):
    """An ad for a listing, at a rate in percent.

    campaign_id: where it is to stand; None leaves the choice to us. urgent: it goes before those that are not.
    """

    listing_id: str
    rate: Decimal
    campaign_id: str | None = None
    urgent: bool = False

    def payload(self, by: str) -> dict[str, Any]:
        """The payload of the job that places it; `by`: who asked last."""
        fields = {"listing_id": self.listing_id, "rate": str(self.rate), "asked_by": by}
        return fields | ({"campaign_id": self.campaign_id} if self.campaign_id else {})


def of(payload: Mapping[str, Any]) -> WantedAd:
    """What a job is to place."""
    return WantedAd(payload["listing_id"], Decimal(payload["rate"]), payload.get("campaign_id"))
