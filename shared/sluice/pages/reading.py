"""What one check of a page has read, as values. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from typing import Final, NamedTuple

# What is kept of texts that a page shows.
TEXT_CHARACTERS = 200
MOST_VARIANTS = 500


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
    known = variants[:MOST_VARIANTS]
    certain = any(one.price or one.availability is not Availability.UNKNOWN for one in known)
    return Reading(
        ReadOutcome.PRODUCT if certain else ReadOutcome.UNCLEAR,
        source,
        seen if certain else f"{seen}; neither a price nor a stock of it is certain",
        title[:TEXT_CHARACTERS],
        tuple(_distinct(known)),
        complete and len(variants) <= MOST_VARIANTS,
    )


def _distinct(variants: list[ReadVariant]) -> list[ReadVariant]:
    """One of each id. Two that share an id cannot be told apart: neither is kept."""
    ids = [one.id for one in variants]
    return [one for one in variants if ids.count(one.id) == 1]
