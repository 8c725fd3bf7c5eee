"""What the routes of listings take and give."""

from typing import Annotated

from pydantic import Field
from typing_extensions import TypedDict

from sluice.listings.stockx import terms as reading
from sluice.listings.stockx import views
from sluice.listings.stockx.kinds import MARKETPLACES
from sluice.listings.stockx.request import Draft
from sluice.listings.stockx.status import ListingStatus
from sluice.listings.stockx.table import Listing
from sluice.listings.stockx.terms import Wanted
from sluice.marketplaces.selling import Terms
from sluice.platform.http.models import Amount, Body, Moment, OneOf, Query, Text


class NewTerms(Body):
    """What a listing is to ask for. What is left out stays as it is."""

    amount: Amount | None = None
    currency: Text | None = Field(None, description="only with an amount; the listing's own when left out")
    expires_at: Moment | None = Field(None, description="a time in the future, as `2027-01-31T12:00:00Z`")

    def is_empty(self) -> bool:
        """Whether nothing is to change."""
        return self.amount is None and self.currency is None and self.expires_at is None


class NewListing(Body):
    """One unit to offer: a `sku` with a `size` that the catalog knows, or a `variantId` of the marketplace."""

    marketplace: Text = "stockx"
    sku: Text | None = None
    size: Text | None = None
    size_system: Text | None = Field(None, description="left out: what the size itself says, else the product's own")
    variant_id: Text | None = None
    amount: Amount
    currency: Text = "USD"
    expires_at: Moment | None = Field(None, description="a time in the future; StockX's own default is 999 days")
    active: bool = Field(True, description="false: not on the market until it is activated")
    reference: Text | None = Field(None, description="yours; asking again with the same one makes no second listing")


class ListingsQuery(Query):
    """Which listings to show. All filters must match."""

    status: Annotated[str, OneOf(tuple(ListingStatus))] | None = None
    marketplace: Annotated[str, OneOf(tuple(sorted(MARKETPLACES)))] | None = None
    sku: Text | None = None
    variant_id: Text | None = None
    limit: int = Field(50, ge=1, le=100)
    cursor: Text | None = Field(None, description="a page's `next`")


class Accepted(TypedDict):
    """The change is taken; follow it with `GET /v1/operations/{jobId}`. operationId: null until it is known."""

    jobId: str
    listingId: str
    operationId: str | None
    status: str


class ListingList(TypedDict):
    """A page of listings, by id. `next` leads to the next page; a page may be short, or empty, and not the last."""

    listings: list[views.ListingView]
    next: str | None


class History(TypedDict):
    """Every change of a listing that is final, oldest first."""

    history: list[views.EntryView]


def draft(body: NewListing, now: int, seed: str | None = None) -> Draft:
    """What `body` asks for. seed: names the listing if the body has no reference, see `table.new_id`.

    Raises:
        Refusal: naming the field that is wrong.
    """
    at = reading.marketplace(body.marketplace)
    offered = reading.offered(Wanted(body.variant_id, body.sku, body.size, body.size_system), at, now)
    asked = reading.terms(body.amount, body.currency, body.expires_at, now, body.currency, at)
    return Draft(
        variant_id=offered.variant_id,
        terms=asked,
        active=body.active,
        reference=body.reference,
        marketplace=at,
        sku=offered.sku,
        size=offered.size,
        size_system=offered.size_system,
        seed=seed,
    )


def new_terms(body: NewTerms, listing: Listing, now: int) -> Terms:
    """What `body` asks of `listing`.

    Raises:
        Refusal: naming the field that is wrong.
    """
    own = listing.currency or NewListing.model_fields["currency"].default
    return reading.terms(body.amount, body.currency, body.expires_at, now, own, listing.marketplace)
