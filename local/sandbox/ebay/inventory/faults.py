"""The switches for single listings: which error or warning eBay has for them, and how late its reads are."""

from fnmatch import fnmatchcase
from typing import Literal

from pydantic import Field

from local.sandbox.switch import Event, ListingAsked, Switch


class ListingSwitch(Switch):
    """Narrowed by the call (`put_item`, `create_offer`, `update_offer`, `publish`, `withdraw`, `set_price`,
    `put_group`, `publish_group`, `read`) and the sku or group."""

    call: str = "*"
    sku: str = "*"

    def matches(self, event: Event) -> bool:
        return (
            isinstance(event, ListingAsked)
            and super().matches(event)
            and fnmatchcase(event.call, self.call)
            and fnmatchcase(event.sku, self.sku)
        )


class RefuseListing(ListingSwitch):
    """A write is refused with `error_id`; the other rows of a bulk call are not.

    effect: it is carried out all the same, as an internal error (25001) may. words: a parameter of the error.
    """

    kind: Literal["refuse_listing"] = "refuse_listing"
    error_id: int = Field(ge=1, le=999_999)
    effect: bool = False
    words: str = ""


class WarnListing(ListingSwitch):
    """A write is carried out with a warning. 25124 changes the return policy of the listing to `value`; 25127 every
    aspect value that is `value` to its upper case; others only say so."""

    kind: Literal["warn_listing"] = "warn_listing"
    warning_id: int = Field(ge=1, le=999_999)
    value: str = ""


class StaleRead(ListingSwitch):
    """A read shows what was there `seconds` ago: eBay's index is behind."""

    kind: Literal["stale_read"] = "stale_read"
    seconds: float = Field(gt=0)
