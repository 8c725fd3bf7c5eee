"""What the routes of listings take and give, and reading it: each field checked, each refusal naming its field."""

import re
from collections.abc import Callable
from typing import Annotated, ClassVar, Final, NamedTuple, NotRequired, TypeVar

from pydantic import Field
from typing_extensions import TypedDict

from sluice.catalog import meaning
from sluice.catalog.charts import NoVariant
from sluice.listings.stockx import views
from sluice.listings.stockx.changes import ListingStatus
from sluice.listings.stockx.kinds import MARKETPLACE
from sluice.listings.stockx.request import ListingDraft
from sluice.listings.stockx.table import Listing
from sluice.marketplaces import registry, sizes
from sluice.marketplaces.selling import Terms
from sluice.marketplaces.sizes import Size
from sluice.marketplaces.skus import normal_sku
from sluice.platform import money
from sluice.platform.clock import DAY, from_iso
from sluice.platform.http.models import Amount, Body, Example, Moment, OneOf, PageQuery, Text
from sluice.platform.refused import Refused

LONGEST_EXPIRY_MS: Final = 999 * DAY
_UUID = r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"

T = TypeVar("T")


class NewTerms(Body):
    """What a listing is to ask for. What is left out stays as it is."""

    example: ClassVar[Example] = {"amount": "175"}

    amount: Amount | None = None
    currency: Text | None = Field(None, description="only with an amount; the listing's own when left out")
    expires_at: Moment | None = Field(None, description="a time in the future, as `2027-01-31T12:00:00Z`")

    def is_empty(self) -> bool:
        """Whether nothing is to change."""
        return self.amount is None and self.currency is None and self.expires_at is None


class NewListing(Body):
    """One unit to offer: a `sku` with a `size` that the catalog knows, or a `variantId` of the marketplace."""

    example: ClassVar[Example] = {
        "sku": "DD1391-100",
        "size": "10",
        "amount": "180",
        "currency": "USD",
        "reference": "shelf-4-box-2",
    }

    sku: Text | None = None
    size: Text | None = None
    size_system: Text | None = Field(None, description="left out: what the size itself says, else the product's own")
    variant_id: Text | None = None
    amount: Amount
    currency: Text = "USD"
    expires_at: Moment | None = Field(None, description="a time in the future; StockX's own default is 999 days")
    active: bool = Field(True, description="false: not on the market until it is activated")
    reference: Text | None = Field(None, description="yours; asking again with the same one makes no second listing")


class ListingsQuery(PageQuery):
    """Which listings to show. All filters must match."""

    status: Annotated[str, OneOf(tuple(ListingStatus))] | None = None
    sku: Text | None = None
    variant_id: Text | None = None


class TakenSize(TypedDict):
    """As which size a SKU with a size was taken, in the product's own system; neither is there for a `variantId`."""

    size: NotRequired[str]
    sizeSystem: NotRequired[str]


class Accepted(TakenSize, TypedDict):
    """The change is taken; follow it with `GET /v1/operations/{jobId}`. operationId: null until it is known.

    size, sizeSystem: of a new listing that was named by SKU and size: as which size it was taken, in the product's own
    system.
    """

    jobId: str
    listingId: str
    operationId: str | None
    status: str


class ListingList(TypedDict):
    """A page of listings, by id. `next` leads to the next page; a page may be short, or empty, and not the last."""

    listings: list[views.ListingView]
    next: str | None


class History(TypedDict):
    """The changes of a listing that are final, oldest first. `next` leads on to later ones until it is null."""

    history: list[views.EntryView]
    next: str | None


def draft(body: NewListing, now: int, seed: str | None = None) -> ListingDraft:
    """What `body` asks for. seed: names the listing if the body has no reference, see `table.new_id`.

    Raises:
        Refused: naming the field that is wrong.
    """
    offered = read_variant(WantedListing(body.variant_id, body.sku, body.size, body.size_system), MARKETPLACE, now)
    asked = read_terms(body.amount, body.currency, body.expires_at, now, body.currency, MARKETPLACE)
    return ListingDraft(
        variant_id=offered.variant_id,
        terms=asked,
        active=body.active,
        reference=body.reference,
        sku=offered.sku,
        size=offered.size,
        size_system=offered.size_system,
        seed=seed,
    )


def taken(draft: ListingDraft) -> TakenSize:
    """The size of `draft`, as it is told."""
    return {"size": draft.size, "sizeSystem": draft.size_system} if draft.size and draft.size_system else {}


def new_terms(body: NewTerms, listing: Listing, now: int) -> Terms:
    """What `body` asks of `listing`.

    Raises:
        Refused: naming the field that is wrong.
    """
    own = listing.currency or NewListing.model_fields["currency"].default
    return read_terms(body.amount, body.currency, body.expires_at, now, own, MARKETPLACE)


class WantedListing(NamedTuple):
    """What a listing offers: a variant, or a SKU and size that the catalog knows."""

    variant_id: str | None
    sku: str | None
    size: str | None
    size_system: str | None


class Offered(NamedTuple):
    """The variant, and how it was named."""

    variant_id: str
    sku: str | None = None
    size: str | None = None
    size_system: str | None = None


def read_terms(amount: object, currency: str | None, expires_at: str | None, now: int, own: str, at: str) -> Terms:
    """The terms that a caller gives. own: the currency that holds when none is given. at: the marketplace.

    An amount always goes with its currency: a marketplace would take one without for dollars.

    Raises:
        Refused: naming the field that is wrong. Like every function below.
    """
    if amount is None:
        if currency is not None:
            raise Refused("amount", "is required with a currency, because a price means another one in it; send both")
        return Terms(expires_at=_expiry(expires_at, now))
    unit = _checked("currency", lambda: read_currency(currency or own, at))
    return Terms(_checked("amount", lambda: read_amount(amount, unit, at)), unit, _expiry(expires_at, now))


def read_variant(wanted: WantedListing, at: str, now: int) -> Offered:
    """The variant of a listing. One that is named by its id is taken as it is: only the marketplace knows them all."""
    if wanted.variant_id is not None:
        if wanted.sku is not None or wanted.size is not None:
            raise Refused("variantId", "stands alone; leave out sku and size")
        name = wanted.variant_id
        return Offered(_checked("variantId", lambda: read_variant_id(name)))
    if wanted.sku is None:
        raise Refused("sku", "is required, with a size; or variantId")
    name, system = wanted.sku, wanted.size_system
    sku = _checked("sku", lambda: normal_sku(name))
    if system is not None and system not in registry.get(at).size_systems:
        raise Refused("sizeSystem", f"must be one of {', '.join(registry.get(at).size_systems)}")
    if wanted.size is None:
        raise Refused("size", "is required with sku")
    text = wanted.size
    return _variant_in_catalog(at, sku, _checked("size", lambda: sizes.read(text, system)), now)


def _variant_in_catalog(at: str, sku: str, size: Size, now: int) -> Offered:
    """The variant in the catalog, however old it is there: a listing goes by its id."""
    known = meaning.known([meaning.WantedSize(at, sku, size)])
    try:
        variant = meaning.variant(at, sku, size, known, now, age_ms=now)
    except NoVariant as none:
        raise Refused(none.field, none.message) from None
    if variant is None:
        raise Refused("sku", f"is not in the catalog; POST /v1/market/refresh for {sku} looks it up")
    return Offered(variant.variant_id, sku, variant.size, variant.size_system)


def _expiry(text: str | None, now: int) -> int | None:
    return None if text is None else _checked("expiresAt", lambda: read_expiry(text, now))


def _checked(field: str, read: Callable[[], T]) -> T:
    try:
        return read()
    except ValueError as error:
        raise Refused(field, str(error)) from None


def read_currency(value: str, marketplace: str) -> str:
    """`value`, if the marketplace takes listings in it.

    Raises:
        ValueError: it does not; lists those that it takes.
    """
    known = registry.get(marketplace).listing_currencies
    if value not in known:
        raise ValueError(f"{marketplace} takes listings in {', '.join(sorted(known))}")
    return value


def read_amount(value: object, currency: str, marketplace: str) -> str:
    """`value` as an amount that the marketplace takes for a listing.

    Raises:
        ValueError: it does not; says why.
    """
    written = money.amount(value, currency)
    if registry.get(marketplace).whole_amounts and not money.is_whole(written):
        raise ValueError(f"must be a whole amount: {marketplace} takes no decimals in a listing, whatever the currency")
    return written


def read_expiry(value: str, now: int) -> int:
    """An RFC 3339 time in the future, as epoch ms.

    Raises:
        ValueError: it is not; says why.
    """
    try:
        at = from_iso(value)
    except ValueError:
        raise ValueError("must be a time with its time zone, as 2027-01-31T12:00:00Z") from None
    if at <= now:
        raise ValueError("must be in the future")
    if at > now + LONGEST_EXPIRY_MS:
        raise ValueError(f"must be within {LONGEST_EXPIRY_MS // DAY} days")
    return at


def read_variant_id(value: str) -> str:
    """`value` in lower case, if it has the form of StockX's variant ids (a UUID).

    Raises:
        ValueError: it has not.
    """
    if not re.fullmatch(_UUID, value.lower()):
        raise ValueError("must be a variant id of the marketplace, a UUID")
    return value.lower()
