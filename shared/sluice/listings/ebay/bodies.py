"""What the routes of eBay listings take: names and types. What eBay allows in them is in `rules`."""

from typing import Annotated, Any, ClassVar, Final

from pydantic import Field

from sluice.listings.ebay.desired import OnDrift, Status
from sluice.listings.ebay.item_rules import CONDITIONS, MOST_SUBTITLE, MOST_TITLE
from sluice.listings.ebay.table import STANDINGS
from sluice.marketplaces.ebay.sites import EBAY_SITES
from sluice.platform.http.items import MOST_ITEMS
from sluice.platform.http.models import Amount, Body, DocumentedAs, Example, OneOf, PageQuery, Query
from sluice.platform.imports.sheet import MOST_ROWS

SITES: Final = tuple(EBAY_SITES)
STATUSES: Final = tuple(str(one) for one in Status)
ON_DRIFT: Final = tuple(str(one) for one in OnDrift)
# What a record is shown as; see `views.state`.
STATES: Final = tuple(dict.fromkeys(("waiting", "failed", "archived", "paused", "ended", *STANDINGS)))

_Said = Annotated[str, OneOf(ON_DRIFT)] | None


class PriceBody(Body):
    """What a unit costs."""

    amount: Amount
    currency: str = Field(description="the site's: `USD` at `EBAY_US`")


class PriceEdit(Body):
    """The same, where only some of it changes."""

    amount: Amount | None = None
    currency: str | None = None


class PolicyBody(Body):
    """A business policy, by eBay's id or by your name of it: one of the two."""

    id: str | None = None
    name: str | None = None


class PoliciesBody(Body):
    """The business policies of a listing."""

    fulfillment: PolicyBody
    payment: PolicyBody
    return_: PolicyBody = Field(alias="return")


class PoliciesEdit(Body):
    """The same, where only some of them change."""

    fulfillment: PolicyBody | None = None
    payment: PolicyBody | None = None
    return_: PolicyBody | None = Field(None, alias="return")


class BestOfferBody(Body):
    """Buyers may offer less. What reaches `accept` is taken, what is below `decline` refused, by itself."""

    accept: Amount | None = None
    decline: Amount | None = None


class ProductBody(Body):
    """What the thing is known as; for product ids that there are none of, eBay's own words, as `Does not apply`."""

    brand: str | None = None
    mpn: str | None = None
    upc: list[str] | None = None
    ean: list[str] | None = None
    isbn: list[str] | None = None
    epid: str | None = None


class OnDriftBody(Body):
    """What is done where eBay's state differs from the record: mend it, open a case, or leave it."""

    price: _Said = None
    quantity: _Said = None
    details: _Said = None
    images: _Said = None
    policies: _Said = None


class _Common(Body):
    status: Annotated[str, OneOf(STATUSES)] | None = Field(
        None, description="`paused` shows no stock and keeps the listing; `ended` takes it down"
    )
    subtitle: str | None = Field(None, description=f"at most {MOST_SUBTITLE} characters")
    description: str | None = Field(None, description="HTML of a plain kind, without scripts, forms and styles")
    condition_description: str | None = None
    product: ProductBody | None = None
    best_offer: BestOfferBody | None = None
    auto_promote: bool | None = Field(None, description="whether an ad is placed once it is published")
    ad_rate: Amount | None = Field(None, description="of the ad, in percent of the sale")
    on_drift: OnDriftBody | None = None
    group: str | None = Field(None, description="the key of the group that it is a variation of")


class RecordBody(_Common):
    """How a listing is to be: all of it. What is left out is not kept from before."""

    example: ClassVar[Example] = {
        "marketplace": "EBAY_US",
        "language": "en-US",
        "title": "Nike Dunk Low Panda, size 10",
        "description": "<p>New, with box.</p>",
        "condition": "NEW",
        "category": "15709",
        "aspects": {"Brand": ["Nike"], "US Shoe Size": ["10"]},
        "images": ["https://img.example.com/1.jpg"],
        "price": {"amount": "150", "currency": "USD"},
        "quantity": 1,
        "policies": {
            "fulfillment": {"name": "Standard"},
            "payment": {"name": "Standard"},
            "return": {"name": "Standard"},
        },
        "location": "warehouse-1",
    }

    sku: str | None = Field(None, description="as the path has it; in a list of records it must be given")
    marketplace: str
    language: str
    title: str = Field(description=f"at most {MOST_TITLE} characters")
    condition: Annotated[str, OneOf(CONDITIONS)]
    category: str
    aspects: dict[str, list[str]] | None = None
    images: list[str]
    price: PriceBody
    quantity: int
    policies: PoliciesBody
    location: str

    def document(self, sku: str) -> dict[str, Any]:
        """The same as a document, of the record called `sku`."""
        return {**self.model_dump(by_alias=True, exclude_none=True), "sku": sku}


class RecordEdit(_Common):
    """What is to change (JSON Merge Patch): null takes a field away, an object changes what it names."""

    example: ClassVar[Example] = {"price": {"amount": "145"}, "quantity": 2}

    marketplace: str | None = None
    language: str | None = None
    title: str | None = None
    condition: Annotated[str, OneOf(CONDITIONS)] | None = None
    category: str | None = None
    aspects: dict[str, list[str] | None] | None = None
    images: list[str] | None = None
    price: PriceEdit | None = None
    quantity: int | None = None
    policies: PoliciesEdit | None = None
    location: str | None = None

    def changes(self) -> dict[str, Any]:
        """What was said, nulls too."""
        return self.model_dump(by_alias=True, exclude_unset=True)


class RecordItem(RecordBody):
    """A record in a list of them."""

    sku: str


class Records(Body):
    """Whole records. Each is checked and taken on its own: a bad one stops no other."""

    example: ClassVar[Example] = {"items": [{"sku": "SHELF-4-BOX-2", **RecordBody.example}]}

    items: Annotated[list[Annotated[Any, DocumentedAs(RecordItem)]], Field(min_length=1, max_length=MOST_ITEMS)]


class ImportRecords(Records):
    """The same, stored behind the answer."""

    items: Annotated[list[Annotated[Any, DocumentedAs(RecordItem)]], Field(min_length=1, max_length=MOST_ROWS)]


class DryRunBody(Body):
    """The record that would be put; left out, the one that is stored."""

    example: ClassVar[Example] = {}

    record: RecordBody | None = None


class RecordsQuery(PageQuery):
    """Which records to list. All filters must match."""

    state: Annotated[str, OneOf(STATES)] | None = None
    status: Annotated[str, OneOf(STATUSES)] | None = None
    marketplace: Annotated[str, OneOf(SITES)] | None = None
    group: str | None = Field(None, min_length=1, max_length=50)
    drift: bool | None = Field(None, description="only those with drift that is open, or only those without")


class DiffQuery(Query):
    """Two snapshots, by number."""

    before: int = Field(ge=1)
    after: int = Field(ge=1)
