"""Tracked pages as the API and the events show them. Pure."""

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated, Any

from typing_extensions import TypedDict

from sluice.pages import money_text, wanted
from sluice.pages.alerts import Told, Watch
from sluice.pages.facts import Fact, PageFacts, VariantFacts
from sluice.pages.reading import FAILED, UNCHANGED, Availability, Money, ReadOutcome
from sluice.platform.clock import SECOND, iso, iso_or_none
from sluice.platform.http.shapes import Among, Time

if TYPE_CHECKING:
    from sluice.pages.table import PageCheck, PricePoint, Product, Tracker

WAITING = "waiting"


class MoneyView(TypedDict):
    """An amount in major units, as text, and its ISO 4217 code."""

    amount: str
    currency: str


class FactView(TypedDict):
    """A price or an availability. confirmed: two checks have read it. since: when it was first read; seenAt: last."""

    confirmed: bool
    since: Time | None
    seenAt: Time | None
    source: str
    text: str


class PagePriceView(FactView):
    """price: null where none is known."""

    price: MoneyView | None


class StockView(FactView):
    """availability: `in`, `out`, `preorder`, `backorder` or `unknown`."""

    availability: Annotated[str, Among(Availability)]


class VariantView(TypedDict):
    """A variant. followed: your alerts are about it. gone: the shop does not have it any more."""

    variantId: str
    options: dict[str, str]
    sku: str
    gtin: str
    followed: bool
    gone: bool
    price: PagePriceView
    stock: StockView


class ToldVariant(TypedDict):
    """A variant in an alert: what was confirmed before and is now, and the text that was read."""

    variantId: str
    options: dict[str, str]
    before: Any
    after: Any
    source: str
    text: str


class AlertView(TypedDict):
    """What you were told. reason: of `unreadable`."""

    id: str
    kind: str
    at: Time
    variants: list[ToldVariant]
    reason: str | None


class CheckView(TypedDict):
    """One check. status: `product`, `unchanged`, `unclear`, `no_product`, `blocked`, `gone` or `failed`."""

    startedAt: Time
    endedAt: Time
    durationMs: int
    status: Annotated[str, Among((*ReadOutcome, UNCHANGED, FAILED))]
    error: str | None
    about: str | None
    metadata: dict[str, Any]


class WantedVariants(TypedDict):
    """The variants that your alerts are about; both empty for all."""

    ids: list[str]
    options: dict[str, list[str]]


class PageSummary(TypedDict):
    """A tracked page in a list.

    status: of the last check, `waiting` before the first.
    seen: what it saw, in words.
    readAt, ageSeconds: of what is known.
    sameAs: others of your pages with the same canonical link, of those on this page of the list; of one page alone, of
        your first 200.
    problem: why a wish of yours can tell you nothing.
    """

    pageId: str
    url: str
    label: str | None
    title: str
    canonicalUrl: str | None
    sameAs: list[str]
    status: str
    seen: str | None
    source: str
    checkedAt: Time | None
    readAt: Time | None
    ageSeconds: int | None
    nextCheckAt: Time
    targetPrice: MoneyView | None
    dropPercent: str | None
    wantedVariants: WantedVariants
    alerts: list[str]
    problem: str | None
    createdAt: Time


class PageView(PageSummary):
    """A tracked page with what is known of it, its last checks and what you were told, each newest first."""

    variants: list[VariantView]
    lastChecks: list[CheckView]
    lastAlerts: list[AlertView]


class PointView(TypedDict):
    """A confirmed price and stock, from `at` on. availability: also `gone`."""

    at: Time
    price: MoneyView | None
    availability: str | None


def money(value: Money) -> MoneyView:
    """An amount with the decimals of its currency, and more where it has more."""
    least = money_text.minor_digits(value.currency)
    places = max(least, -int(value.amount.normalize().as_tuple().exponent))
    return {"amount": f"{value.amount:.{places}f}", "currency": value.currency}


def summary(tracker: "Tracker", product: "Product", same: Iterable[str], now: int) -> PageSummary:
    """A page as its tracker sees it in a list."""
    known, watch = product.facts, wanted.watch(tracker.wants)
    return {
        "pageId": tracker.product,
        "url": tracker.url,
        "label": tracker.label,
        "title": known.title,
        "canonicalUrl": product.canonical,
        "sameAs": sorted(same),
        "status": product.outcome or WAITING,
        "seen": product.seen,
        "source": known.source,
        "checkedAt": iso_or_none(product.checked_at),
        "readAt": iso_or_none(product.good_at),
        "ageSeconds": (now - product.good_at) // SECOND if product.good_at else None,
        "nextCheckAt": iso(max(product.check_at, now)),
        "targetPrice": money(watch.target) if watch.target else None,
        "dropPercent": f"{watch.percent:f}" if watch.percent is not None else None,
        "wantedVariants": {
            "ids": sorted(watch.ids),
            "options": {name: sorted(values) for name, values in watch.options.items()},
        },
        "alerts": sorted(watch.kinds),
        "problem": problem(watch, known),
        "createdAt": iso(tracker.created_at),
    }


def page(
    tracker: "Tracker", product: "Product", same: Iterable[str], checks: Iterable["PageCheck"], now: int
) -> PageView:
    """A page as its tracker sees it."""
    watch = wanted.watch(tracker.wants)
    return {
        **summary(tracker, product, same, now),
        "variants": [variant(one, watch) for one in product.facts.variants.values()],
        "lastChecks": [check(one) for one in checks],
        "lastAlerts": [alert(one) for one in tracker.alerts or ()],
    }


def variant(one: VariantFacts, watch: Watch) -> VariantView:
    """What is known of a variant."""
    price, stock = one.price.latest, one.stock.latest
    return {
        "variantId": one.id,
        "options": one.options,
        "sku": one.sku,
        "gtin": one.gtin,
        "followed": watch.wants(one),
        "gone": one.gone,
        "price": {**_fact(one.price), "price": money(price) if price else None},
        "stock": {**_fact(one.stock), "availability": str(stock or Availability.UNKNOWN)},
    }


def _fact(fact: Fact[Any]) -> FactView:
    seen = fact.seen_at or fact.pending_at
    return {
        "confirmed": fact.confirmed is not None,
        "since": iso(fact.since or fact.pending_at) if seen else None,
        "seenAt": iso(seen) if seen else None,
        "source": fact.source,
        "text": fact.text,
    }


def told(one: Told) -> ToldVariant:
    """A variant's part in an alert."""
    return {
        "variantId": one.variant.id,
        "options": one.variant.options,
        "before": _plain(one.before),
        "after": _plain(one.after),
        "source": one.source,
        "text": one.text,
    }


def alert(stored: Mapping[str, Any]) -> AlertView:
    """An alert as its tracker keeps it."""
    return {
        "id": stored["id"],
        "kind": stored["kind"],
        "at": stored["at"],
        "variants": stored["variants"],
        "reason": stored.get("reason"),
    }


def check(one: "PageCheck") -> CheckView:
    """A check."""
    return {
        "startedAt": one.at.partition("#")[0],
        "endedAt": iso(one.ended_at),
        "durationMs": one.ms,
        "status": one.status,
        "error": one.error,
        "about": one.about,
        "metadata": one.metadata,
    }


def point(one: "PricePoint") -> PointView:
    """A point of a variant's history."""
    known = one.amount and one.currency
    return {
        "at": one.at,
        "price": money(Money(Decimal(one.amount), one.currency)) if known else None,
        "availability": one.availability,
    }


def problem(watch: Watch, known: PageFacts) -> str | None:
    """Why a wish can tell nothing, as far as that is known."""
    followed = [one for one in known.variants.values() if watch.wants(one)]
    if known.variants and not followed:
        return "none of the page's variants is one of those that you follow"
    currencies = {one.price.latest.currency for one in followed if one.price.latest}
    if watch.target and currencies and watch.target.currency not in currencies:
        has = ", ".join(sorted(currencies))
        return (
            f"the target price is in {watch.target.currency}; the page's prices are in {has}, and are never converted"
        )
    return None


def _plain(value: Any) -> Any:
    if isinstance(value, Money):
        return money(value)
    return str(value) if isinstance(value, Availability) else value
