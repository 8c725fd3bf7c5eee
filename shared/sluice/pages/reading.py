"""What one check of a page has read, as values. Pure."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from enum import StrEnum
from itertools import accumulate
from typing import Final, NamedTuple, Protocol, TypeVar

T = TypeVar("T")

# What is kept of texts that a page shows.
TEXT_CHARACTERS = 200
MOST_VARIANTS = 500
# Of one variant; no shop has as many ways to tell its variants apart.
MOST_OPTIONS = 12
# Bytes of what a page says of its variants. What is known of it must fit into one item of 400 KB, with what was known
# before, and most shops say less than 70 bytes of each.
MOST_BYTES = 100_000


class ReadOutcome(StrEnum):
    """What a check came to."""

    PRODUCT = "product"  # a product, with at least a price or a stock that is certain
    UNCLEAR = "unclear"  # a product, or what looks like one; nothing of it is certain
    NO_PRODUCT = "no_product"  # a page, and no product on it
    BLOCKED = "blocked"  # a challenge, or a refusal: the shop does not want to be read just now
    GONE = "gone"  # the shop says that the page is no more, or shows another one in its place


# What else a check can come to: what was read before still stands; nothing could be fetched.
UNCHANGED: Final = "unchanged"
FAILED: Final = "failed"


class Availability(StrEnum):
    """Whether a variant can be bought."""

    IN = "in"
    OUT = "out"
    PREORDER = "preorder"
    BACKORDER = "backorder"
    UNKNOWN = "unknown"


class VariantWords(Protocol):
    """A variant, as it was read or is known."""

    @property
    def id(self) -> str: ...
    @property
    def sku(self) -> str: ...
    @property
    def gtin(self) -> str: ...
    @property
    def options(self) -> Mapping[str, str]: ...
    @property
    def texts(self) -> tuple[str, ...]:
        """What was read of it."""


class Money(NamedTuple):
    """An amount in major units and its ISO 4217 code."""

    amount: Decimal
    currency: str


@dataclass(frozen=True)
class ReadVariant:
    """One thing that can be bought on the page, as it was read.

    id: the shop's own, which stays when others come and go; empty for the only one. options: `{"Size": "42"}`. price:
    None where it is not certain. availability: UNKNOWN where the page does not say. text: what was read, to be shown.
    """

    id: str
    options: Mapping[str, str] = field(default_factory=dict)
    price: Money | None = None
    availability: Availability = Availability.UNKNOWN
    sku: str = ""
    gtin: str = ""
    text: str = ""

    @property
    def texts(self) -> tuple[str, ...]:
        """What was read, once for the price and once for the stock."""
        return self.text, self.text


class Reading(NamedTuple):
    """What one check found.

    source: the reader that found it, as `shopify` or `json-ld`. seen: in words, what was seen, for whoever asks why.
    complete: the variants are all that the product has, so that one which is missing is gone. canonical: the page's
    own link to itself, as it stands there.
    """

    outcome: ReadOutcome
    source: str = ""
    seen: str = ""
    title: str = ""
    variants: tuple[ReadVariant, ...] = ()
    complete: bool = False
    canonical: str = ""


def product(source: str, title: str, variants: list[ReadVariant], seen: str, *, complete: bool = False) -> Reading:
    """A reading of a product: *unclear* when neither a price nor a stock of it is certain."""
    known = _fitting(variants[:MOST_VARIANTS])
    certain = any(one.price or one.availability is not Availability.UNKNOWN for one in known)
    return Reading(
        ReadOutcome.PRODUCT if certain else ReadOutcome.UNCLEAR,
        source,
        seen if certain else f"{seen}; neither a price nor a stock of it is certain",
        title[:TEXT_CHARACTERS],
        tuple(_distinct(known)),
        complete and len(known) == len(variants),
    )


def _fitting(variants: list[ReadVariant]) -> list[ReadVariant]:
    """As many of them, from the first, as may be known."""
    plain = [replace(one, options=dict(list(one.options.items())[:MOST_OPTIONS])) for one in variants]
    return fitting(plain, variant_bytes, MOST_BYTES)


def variant_bytes(one: VariantWords) -> int:
    """The bytes of what tells it from others, and what was read of it, as they are stored: in ASCII."""
    words = (one.id, one.sku, one.gtin, *one.texts, *(word for option in one.options.items() for word in option))
    return sum(len(word.encode("ascii", "backslashreplace")) for word in words)


def fitting(things: Sequence[T], size: Callable[[T], int], most: int) -> list[T]:
    """As many of `things`, from the first, as have `most` bytes together."""
    totals = accumulate(map(size, things))
    return [one for one, total in zip(things, totals, strict=True) if total <= most]


def _distinct(variants: list[ReadVariant]) -> list[ReadVariant]:
    """One of each id. Two that share an id cannot be told apart: neither is kept."""
    ids = [one.id for one in variants]
    return [one for one in variants if ids.count(one.id) == 1]
