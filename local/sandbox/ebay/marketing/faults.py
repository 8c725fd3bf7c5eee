"""The switch for single ads: which error eBay has for them, and whether the ad is made all the same."""

from fnmatch import fnmatchcase
from typing import Literal

from pydantic import Field

from local.sandbox.switch import AdAsked, Event, Switch


class RefuseAd(Switch):
    """An ad, or its new rate, is refused with `error_id`; the other rows of a bulk call are not.

    effect: it takes effect all the same, as an internal error (35001) may.
    """

    kind: Literal["refuse_ad"] = "refuse_ad"
    error_id: int = Field(ge=1, le=999_999)
    listing: str = "*"
    campaign: str = "*"
    effect: bool = False

    def matches(self, event: Event) -> bool:
        return (
            isinstance(event, AdAsked)
            and super().matches(event)
            and fnmatchcase(event.listing, self.listing)
            and fnmatchcase(event.campaign, self.campaign)
        )
