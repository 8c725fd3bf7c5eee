"""What the routes of promotions take."""

import re
from decimal import Decimal
from typing import Annotated, ClassVar

from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema
from pydantic_core import PydanticCustomError

from sluice.marketplaces import advertising
from sluice.platform.http.errors import FieldError, Invalid
from sluice.platform.http.items import MOST_ITEMS
from sluice.platform.http.models import Body, Example, OneOf, PageQuery, join
from sluice.promotions.views import STATUSES
from sluice.promotions.wanted import WantedAd

# Each is a call to the marketplace before the request is answered.
MOST_CAMPAIGNS = 5
# Two spellings of one listing would be two jobs.
_DIGITS = r"[1-9][0-9]{0,18}"


def _rate(value: object) -> Decimal:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise PydanticCustomError("ad_rate", "must be a number or text")
    try:
        return advertising.rate(str(value))
    except ValueError as error:
        raise PydanticCustomError("ad_rate", "{why}", {"why": str(error)}) from None


def _digits(text: str) -> str:
    if not re.fullmatch(_DIGITS, text):
        raise PydanticCustomError("digits", "must be 1 to 19 digits, of which the first is not 0")
    return text


AdRate = Annotated[
    Decimal,
    BeforeValidator(_rate),
    WithJsonSchema(
        {
            "anyOf": [{"type": "number", "minimum": 2, "maximum": 100, "multipleOf": 0.1}, {"type": "string"}],
            "description": "what the ad costs, in percent of the sale: 2.0 to 100.0 with one decimal place",
        }
    ),
]
Digits = Annotated[str, AfterValidator(_digits)]
URGENT, ORDINARY = "manual", "hot"
# As everywhere: what somebody waits for is `manual`.
Priority = Annotated[
    Annotated[str, OneOf((URGENT, ORDINARY))],
    Field(description="`manual` for an urgent one: it goes before those of yours that are not"),
]


class NewPromotion(Body):
    """An ad for a listing. Without a campaign it stands in your running one, or in one that is made for it."""

    listing_id: Annotated[Digits, Field(description="eBay's id of the listing")]
    ad_rate: AdRate
    campaign_id: Annotated[Digits | None, Field(description="one of your cost-per-sale campaigns")] = None
    priority: Priority = ORDINARY


class NewPromotions(Body):
    """One promotion, or in `batch` up to 500, each of another listing. Of a batch with a bad row nothing is taken."""

    example: ClassVar[Example] = {"listingId": "110551234567", "adRate": 5.5}

    listing_id: Digits | None = None
    ad_rate: AdRate | None = None
    campaign_id: Digits | None = None
    priority: Priority | None = Field(None, description="of one promotion; in a batch each row has its own")
    batch: Annotated[list[NewPromotion] | None, Field(min_length=1, max_length=MOST_ITEMS)] = None

    def wanted(self) -> list[WantedAd]:
        """What is asked for, in its order.

        Raises:
            Invalid: both or neither of the two forms, or rows that cannot stand together; names each field.
        """
        single = {
            "listingId": self.listing_id,
            "adRate": self.ad_rate,
            "campaignId": self.campaign_id,
            "priority": self.priority,
        }
        if self.batch is None:
            if self.listing_id is None or self.ad_rate is None:
                missing = [name for name in ("listingId", "adRate") if single[name] is None]
                raise Invalid.of([FieldError(name, "is required") for name in missing])
            return [WantedAd(self.listing_id, self.ad_rate, self.campaign_id, self.priority == URGENT)]
        if extra := [name for name, value in single.items() if value is not None]:
            raise Invalid.of([FieldError(name, "stands in the rows of the batch") for name in extra])
        rows = [WantedAd(row.listing_id, row.ad_rate, row.campaign_id, row.priority == URGENT) for row in self.batch]
        if problems := [*_twice(rows), *_too_many_campaigns(rows)]:
            raise Invalid.of(problems)
        return rows

    def place(self, row: int, field: str = "") -> str:
        """The path of a field of what `wanted` has at `row`."""
        return join(f"batch[{row}]", field) if self.batch else field or "body"


class PromotionsQuery(PageQuery):
    """Which promotions to list. All filters must match."""

    status: Annotated[str, OneOf(STATUSES)] | None = None
    listing_id: Digits | None = None


def _twice(rows: list[WantedAd]) -> list[FieldError]:
    first: dict[str, int] = {}
    found = []
    for number, row in enumerate(rows):
        before = first.setdefault(row.listing_id, number)
        if before != number:
            found.append(FieldError(f"batch[{number}].listingId", f"is the listing of batch[{before}] too"))
    return found


def _too_many_campaigns(rows: list[WantedAd]) -> list[FieldError]:
    campaigns = {row.campaign_id for row in rows if row.campaign_id}
    if len(campaigns) <= MOST_CAMPAIGNS:
        return []
    return [FieldError("batch", f"names {len(campaigns)} campaigns; a batch may name {MOST_CAMPAIGNS}")]
