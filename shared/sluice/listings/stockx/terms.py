"""Reading what a caller asks for: variants and terms, each checked, each refusal naming its field."""

from collections.abc import Callable
from typing import NamedTuple, TypeVar

from sluice.catalog import meaning
from sluice.catalog.charts import NoVariant
from sluice.listings.stockx import rules
from sluice.listings.stockx.kinds import MARKETPLACES
from sluice.listings.stockx.request import Refusal
from sluice.marketplaces import registry, sizes
from sluice.marketplaces.selling import Terms
from sluice.marketplaces.sizes import Size
from sluice.marketplaces.skus import normal_sku

T = TypeVar("T")


class Wanted(NamedTuple):
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


def marketplace(name: str) -> str:
    """`name`, if listings can be made there.

    Raises:
        Refusal: they cannot. Like every function here.
    """
    if name not in MARKETPLACES:
        raise Refusal("marketplace", f"must be one of {', '.join(sorted(MARKETPLACES))}")
    return name


def terms(amount: object, currency: str | None, expires_at: str | None, now: int, own: str, at: str) -> Terms:
    """The terms that a caller gives. own: the currency that holds when none is given. at: the marketplace.

    An amount always goes with its currency: a marketplace would take one without for dollars.
    """
    if amount is None:
        if currency is not None:
            raise Refusal("amount", "is required with a currency")
        return Terms(expires_at=_expiry(expires_at, now))
    unit = _checked("currency", lambda: rules.currency(currency or own, at))
    return Terms(_checked("amount", lambda: rules.amount(amount, unit, at)), unit, _expiry(expires_at, now))


def offered(wanted: Wanted, at: str, now: int) -> Offered:
    """The variant of a listing. One that is named by its id is taken as it is: only the marketplace knows them all."""
    if wanted.variant_id is not None:
        if wanted.sku is not None or wanted.size is not None:
            raise Refusal("variantId", "stands alone; leave out sku and size")
        name = wanted.variant_id
        return Offered(_checked("variantId", lambda: rules.variant_id(name)))
    if wanted.sku is None:
        raise Refusal("sku", "is required, with a size; or variantId")
    name, system = wanted.sku, wanted.size_system
    sku = _checked("sku", lambda: normal_sku(name))
    if system is not None and system not in registry.get(at).size_systems:
        raise Refusal("sizeSystem", f"must be one of {', '.join(registry.get(at).size_systems)}")
    if wanted.size is None:
        raise Refusal("size", "is required with sku")
    text = wanted.size
    return _variant(at, sku, _checked("size", lambda: sizes.read(text, system)), now)


def _variant(at: str, sku: str, size: Size, now: int) -> Offered:
    """The variant in the catalog, however old it is there: a listing goes by its id."""
    known = meaning.known([meaning.Wanted(at, sku, size)])
    try:
        variant = meaning.variant(at, sku, size, known, now, age_ms=now)
    except NoVariant as none:
        raise Refusal(none.field, none.message) from None
    if variant is None:
        raise Refusal("sku", f"is not in the catalog; POST /v1/market/refresh for {sku} looks it up")
    return Offered(variant.variant_id, sku, variant.size, variant.size_system)


def _expiry(text: str | None, now: int) -> int | None:
    return None if text is None else _checked("expiresAt", lambda: rules.expiry(text, now))


def _checked(field: str, read: Callable[[], T]) -> T:
    try:
        return read()
    except ValueError as error:
        raise Refusal(field, str(error)) from None
