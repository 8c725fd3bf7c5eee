"""What is known of a product, from one check to the next. Pure.

A value is *confirmed* when two checks have read it. Only confirmed values are compared and told; what a check could not
read changes nothing:

```
 checks     out    out    in     ?      in     out    in     (failed)  in
 confirmed  -      out    out    out    in     in     in     in        in
 pending    out    -      in     in     -      out    -      -         -
 told                                   back in stock                          once
```
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any, Generic, NamedTuple, TypeVar

from sluice.pages.reading import Availability, Money, Reading, ReadOutcome, ReadVariant, fitting, variant_bytes

V = TypeVar("V")

# Readings without a variant until it is gone, and readings of another source until it is believed instead.
READINGS_TO_BE_GONE = 2
READINGS_OF_ANOTHER_SOURCE = 3
# Variants that are remembered though the last reading did not have them, and their bytes.
MOST_MISSED, MOST_BYTES_MISSED = 500, 40_000


@dataclass(frozen=True)
class Fact(Generic[V]):
    """One thing that is known of a variant.

    confirmed: the value that is believed; None while there is none. since: when that was first read, epoch ms. seen_at:
    when it was last read. source, text: what read it, and what that read. pending: another value that was read once.
    """

    confirmed: V | None = None
    since: int = 0
    seen_at: int = 0
    source: str = ""
    text: str = ""
    pending: V | None = None
    pending_at: int = 0

    def read(self, value: V, at: int, source: str, text: str) -> "Fact[V]":
        """The fact after a check that has read `value` for certain."""
        if value == self.confirmed:
            return replace(self, seen_at=at, source=source, text=text, pending=None, pending_at=0)
        if value == self.pending:
            return Fact(value, self.pending_at, at, source, text)
        return replace(self, pending=value, pending_at=at)

    def repeated(self, at: int) -> "Fact[V]":
        """The fact after a check that has found the page as it was."""
        value = self.pending if self.pending is not None else self.confirmed
        return self if value is None else self.read(value, at, self.source, self.text)

    @property
    def latest(self) -> V | None:
        """What to show: the confirmed value, or the first one that was read."""
        return self.confirmed if self.confirmed is not None else self.pending


@dataclass(frozen=True)
class VariantFacts:
    """What is known of one variant. missing: good readings in a row that did not have it."""

    id: str
    options: dict[str, str] = field(default_factory=dict)
    sku: str = ""
    gtin: str = ""
    price: Fact[Money] = field(default_factory=lambda: Fact[Money]())
    stock: Fact[Availability] = field(default_factory=lambda: Fact[Availability]())
    missing: int = 0

    @property
    def texts(self) -> tuple[str, ...]:
        """What was read, of its price and of its stock."""
        return self.price.text, self.stock.text

    @property
    def seen_at(self) -> int:
        """When it was read last, epoch ms."""
        return max(at for fact in (self.price, self.stock) for at in (fact.seen_at, fact.pending_at))

    @property
    def gone(self) -> bool:
        """Whether the shop does not have it any more."""
        return self.missing >= READINGS_TO_BE_GONE

    @property
    def unsettled(self) -> bool:
        """Whether another check soon would settle something."""
        return (
            self.price.pending is not None or self.stock.pending is not None or 0 < self.missing < READINGS_TO_BE_GONE
        )


@dataclass(frozen=True)
class PageFacts:
    """What is known of a product. source: the reader whose variants these are. other, others: another, and how often
    in a row it has read the page instead. read_at: the last good reading, epoch ms."""

    source: str = ""
    title: str = ""
    variants: dict[str, VariantFacts] = field(default_factory=dict)
    read_at: int = 0
    other: str = ""
    others: int = 0

    @property
    def unsettled(self) -> bool:
        """Whether another check soon would settle something."""
        return any(one.unsettled for one in self.variants.values()) or bool(self.other)


class FactChange(NamedTuple):
    """Something has become certain. before: None where nothing was certain before, so that nothing is told."""

    variant: VariantFacts
    what: str
    before: Any
    after: Any
    at: int


PRICE, STOCK, GONE = "price", "stock", "gone"


def read(facts: PageFacts, reading: Reading, at: int) -> tuple[PageFacts, list[FactChange]]:
    """The facts after a check at `at` (epoch ms), and what has become certain by it."""
    if reading.outcome is not ReadOutcome.PRODUCT:
        return facts, []
    if facts.source and reading.source != facts.source:
        others = facts.others + 1 if facts.other == reading.source else 1
        if others < READINGS_OF_ANOTHER_SOURCE:
            # Its variants may have other ids, and its prices another meaning: nothing is taken from it.
            return replace(facts, other=reading.source, others=others), []
        facts = PageFacts(title=facts.title)  # the shop has moved to another system: what is known begins anew
    found = {one.id: one for one in reading.variants}
    after = dict[str, VariantFacts]()
    for key, known in facts.variants.items():
        if key in found:
            after[key] = _seen(known, found[key], reading.source, at)
        else:
            after[key] = (
                replace(known, missing=min(known.missing + 1, READINGS_TO_BE_GONE)) if reading.complete else known
            )
    for key, variant in found.items():
        if key not in after:
            after[key] = _seen(VariantFacts(key), variant, reading.source, at)
    result = PageFacts(reading.source, reading.title or facts.title, _kept(after, found), at)
    return result, list(_changes(facts, result, at))


def _kept(known: Mapping[str, VariantFacts], found: Collection[str]) -> dict[str, VariantFacts]:
    """All that were found now, and of the others those that were seen last: a shop may have new ones at every check."""
    missed = sorted((one for key, one in known.items() if key not in found), key=lambda one: -one.seen_at)
    kept = {one.id for one in fitting(missed[:MOST_MISSED], variant_bytes, MOST_BYTES_MISSED)}
    return {key: one for key, one in known.items() if key in found or key in kept}


def repeat(facts: PageFacts, at: int) -> tuple[PageFacts, list[FactChange]]:
    """The facts after a check that the shop has answered with 304: the page is as it was when it was last read."""
    after = {
        key: replace(
            known,
            price=known.price.repeated(at),
            stock=known.stock.repeated(at),
            missing=_missed(known).missing if known.missing else 0,
        )
        for key, known in facts.variants.items()
    }
    result = replace(facts, variants=after, read_at=at)
    return result, list(_changes(facts, result, at))


def _missed(known: VariantFacts) -> VariantFacts:
    return replace(known, missing=min(known.missing + 1, READINGS_TO_BE_GONE))


def _seen(known: VariantFacts, variant: ReadVariant, source: str, at: int) -> VariantFacts:
    price, stock = known.price, known.stock
    if variant.price is not None:
        price = price.read(variant.price, at, source, variant.text)
    if variant.availability is not Availability.UNKNOWN:
        stock = stock.read(variant.availability, at, source, variant.text)
    return VariantFacts(
        known.id,
        dict(variant.options) or known.options,
        variant.sku or known.sku,
        variant.gtin or known.gtin,
        price,
        stock,
    )


def _changes(before: PageFacts, after: PageFacts, at: int) -> Iterator[FactChange]:
    for key, now in after.variants.items():
        was = before.variants.get(key) or VariantFacts(key)
        if now.price.confirmed != was.price.confirmed:
            yield FactChange(now, PRICE, was.price.confirmed, now.price.confirmed, at)
        if now.stock.confirmed is not was.stock.confirmed:
            yield FactChange(now, STOCK, was.stock.confirmed, now.stock.confirmed, at)
        if now.gone != was.gone:
            yield FactChange(now, GONE, was.gone, now.gone, at)


def to_json(facts: PageFacts) -> dict[str, Any]:
    """The facts as they are stored."""
    return {
        "source": facts.source,
        "title": facts.title,
        "read_at": facts.read_at,
        "other": facts.other,
        "others": facts.others,
        "variants": [
            {
                "id": one.id,
                "options": one.options,
                "sku": one.sku,
                "gtin": one.gtin,
                "missing": one.missing,
                "price": _fact_to_json(one.price, lambda money: [str(money.amount), money.currency]),
                "stock": _fact_to_json(one.stock, str),
            }
            for one in facts.variants.values()
        ],
    }


def from_json(stored: dict[str, Any]) -> PageFacts:
    """The facts that `to_json` made `stored` of."""
    variants = {
        one["id"]: VariantFacts(
            one["id"],
            one["options"],
            one["sku"],
            one["gtin"],
            _fact_from_json(one["price"], lambda money: Money(Decimal(money[0]), money[1])),
            _fact_from_json(one["stock"], Availability),
            one["missing"],
        )
        for one in stored["variants"]
    }
    return PageFacts(stored["source"], stored["title"], variants, stored["read_at"], stored["other"], stored["others"])


def _fact_to_json(fact: Fact[Any], plain: Any) -> list[Any]:
    values = [None if value is None else plain(value) for value in (fact.confirmed, fact.pending)]
    return [values[0], fact.since, fact.seen_at, fact.source, fact.text, values[1], fact.pending_at]


def _fact_from_json(stored: list[Any], value: Any) -> Fact[Any]:
    confirmed, since, seen_at, source, text, pending, pending_at = stored
    return Fact(
        None if confirmed is None else value(confirmed),
        since,
        seen_at,
        source,
        text,
        None if pending is None else value(pending),
        pending_at,
    )
