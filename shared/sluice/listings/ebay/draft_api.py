"""The route that proposes a record for something in the inventory, and stores nothing."""

from typing import Annotated, Any, ClassVar, Final

from pydantic import Field
from typing_extensions import TypedDict

from sluice.catalog import table as catalog
from sluice.inventory import table as items
from sluice.listings.ebay import draft
from sluice.listings.ebay.api import READ
from sluice.marketplaces.ebay.sites import EBAY_SITES
from sluice.platform.http.errors import NotFound
from sluice.platform.http.models import Body, Example, OneOf
from sluice.platform.http.routing import HttpRequest, Route

# Whose words and pictures of a product are taken, in this order.
KNOWN_BY: Final = ("stockx", "alias")


class DraftBody(Body):
    """What to propose a record for."""

    example: ClassVar[Example] = {"itemId": "the-itemId-of-your-inventory", "marketplace": "EBAY_US"}

    item_id: str = Field(min_length=1, max_length=160, description="of your inventory, as it shows it")
    marketplace: Annotated[str, OneOf(tuple(EBAY_SITES))] = "EBAY_US"


class DraftView(TypedDict):
    """A record to begin with. missing: the required fields that nobody but you can say."""

    record: dict[str, Any]
    missing: list[str]


def draft_ebay_listing(request: HttpRequest[DraftBody, None]) -> DraftView:
    """Propose a record."""
    key = items.from_public(request.body.item_id)
    item = items.find(request.tenant, key) if key else None
    if item is None:
        raise NotFound.of("item", "itemId")
    known = catalog.load_many([(marketplace, item.sku) for marketplace in KNOWN_BY])
    products = [known[marketplace, item.sku] for marketplace in KNOWN_BY if (marketplace, item.sku) in known]
    proposed = draft.of(item, products, request.body.marketplace)
    return {"record": proposed.record, "missing": proposed.missing}


ROUTES = (
    Route(
        "POST",
        "/v1/ebay/listings/draft",
        "Propose a record for an item of your inventory, and store nothing",
        draft_ebay_listing,
        DraftView,
        READ,
        body=DraftBody,
        errors=(NotFound,),
    ),
)
