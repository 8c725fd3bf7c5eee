"""What a tracker is told of confirmed changes. Pure.

An alert needs two confirmed facts that differ, and is told once for each crossing:

```
 price        110 │ 100 │ 89  │ 91  │ 88  │ 93  │ 85          target 90, margin 2 %: armed again at 91.80
 armed        yes │ yes │ no  │ no  │ no  │ yes │ no
 told                     ▲                       ▲
```
What is known when somebody begins to track a page is where it starts from: that itself is never told.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Final, NamedTuple

from sluice.pages import facts
from sluice.pages.facts import FactChange, PageFacts, VariantFacts
from sluice.pages.reading import Availability, Money

PRICE_DROPPED: Final = "price_dropped"
BACK_IN_STOCK: Final = "back_in_stock"
VARIANT_GONE: Final = "variant_gone"
UNREADABLE: Final = "unreadable"
KINDS: Final = (PRICE_DROPPED, BACK_IN_STOCK, VARIANT_GONE, UNREADABLE)

# How far above its threshold a price must be to arm the alert again, in percent of it.
MARGIN_PERCENT: Final = Decimal(2)


@dataclass(frozen=True)
class Watch:
    """What a tracker wants.

    target: tell when a price is at or below this. percent: or this far below the highest since the last alert. With
    neither, a drop by `ANY_DROP` is told. ids, options: which variants; both empty for all. kinds: which alerts.
    """

    target: Money | None = None
    percent: Decimal | None = None
    ids: frozenset[str] = frozenset()
    options: Mapping[str, frozenset[str]] = field(default_factory=dict)
    kinds: frozenset[str] = frozenset(KINDS)

    def wants(self, variant: VariantFacts) -> bool:
        """Whether the tracker follows this variant."""
        if self.ids and variant.id not in self.ids:
            return False
        have = {name.lower(): value.lower() for name, value in variant.options.items()}
        return all(
            have.get(name.lower(), "") in {one.lower() for one in values} for name, values in self.options.items()
        )


ANY_DROP: Final = Decimal(1)


class Arm(NamedTuple):
    """Where a tracker stands with one variant.

    price: the next price at or below the threshold is told; None while no price is known. base: what a percentage
    counts from. last: the price that was told last; without a target, a further drop by the percentage is told too.
    stock: it was out, so that its return is told. gone: that it is gone was told.
    """

    price: bool | None = None
    base: Money | None = None
    last: Money | None = None
    stock: bool = False
    gone: bool = False


Arms = dict[str, Arm]


class Told(NamedTuple):
    """One variant's part in an alert. before, after: confirmed values."""

    variant: VariantFacts
    before: Any
    after: Any
    source: str
    text: str


class Alert(NamedTuple):
    """What a tracker is told after one check: all variants of one kind together."""

    kind: str
    told: Sequence[Told]


def begin(watch: Watch, known: PageFacts) -> Arms:
    """Where a tracker starts from that begins with `known`."""
    arms: Arms = {}
    for key, variant in known.variants.items():
        arm = Arm(stock=variant.stock.confirmed is Availability.OUT, gone=variant.gone)
        if variant.price.confirmed is not None:
            arm = _first_price(watch, arm, variant.price.confirmed)
        arms[key] = arm
    return arms


def step(watch: Watch, arms: Arms, changes: Iterable[FactChange]) -> tuple[Arms, list[Alert]]:
    """Where the tracker stands after `changes`, and what it is told of them."""
    after, told = dict(arms), dict[str, list[Told]]()
    for change in changes:
        arm, kind = _STEPS[change.what](watch, after.get(change.variant.id, Arm()), change)
        after[change.variant.id] = arm
        if kind and kind in watch.kinds and watch.wants(change.variant):
            fact = change.variant.stock if change.what == facts.STOCK else change.variant.price
            told.setdefault(kind, []).append(Told(change.variant, change.before, change.after, fact.source, fact.text))
    return after, [Alert(kind, ones) for kind, ones in told.items()]


def threshold(watch: Watch, arm: Arm) -> Money | None:
    """The price at or below which the tracker is told."""
    if watch.target is not None:
        return watch.target
    return None if arm.base is None else _below(watch, arm.base)


def _price(watch: Watch, arm: Arm, change: FactChange) -> tuple[Arm, str | None]:
    now: Money = change.after
    limit = threshold(watch, arm)
    comparable = change.before is not None and arm.price is not None and change.before.currency == now.currency
    if not comparable or limit is None or limit.currency != now.currency:
        return _first_price(watch, arm, now), None
    if arm.price:
        if now.amount <= limit.amount and now.amount < change.before.amount:
            return arm._replace(price=False, last=now), PRICE_DROPPED
        higher = arm.base is None or now.amount > arm.base.amount
        return arm._replace(base=now if higher else arm.base), None
    if now.amount >= limit.amount * (100 + MARGIN_PERCENT) / 100:
        return arm._replace(price=True, base=now, last=None), None
    if watch.target is None and arm.last and now.amount <= _below(watch, arm.last).amount:
        return arm._replace(last=now), PRICE_DROPPED
    return arm, None


def _below(watch: Watch, base: Money) -> Money:
    return Money(base.amount * (100 - (watch.percent or ANY_DROP)) / 100, base.currency)


def _first_price(watch: Watch, arm: Arm, price: Money) -> Arm:
    """From here on: armed, unless the price is at or below the target already."""
    above = watch.target is None or watch.target.currency != price.currency or price.amount > watch.target.amount
    return arm._replace(price=above, base=price, last=None)


def _stock(_: Watch, arm: Arm, change: FactChange) -> tuple[Arm, str | None]:
    if change.after is Availability.OUT:
        return arm._replace(stock=True), None
    if change.after is Availability.IN and arm.stock:
        return arm._replace(stock=False), BACK_IN_STOCK
    return arm, None


def _gone(_: Watch, arm: Arm, change: FactChange) -> tuple[Arm, str | None]:
    if not change.after:
        return arm._replace(gone=False), None
    return arm._replace(gone=True), None if arm.gone else VARIANT_GONE


_STEPS = {facts.PRICE: _price, facts.STOCK: _stock, facts.GONE: _gone}


def arms_to_json(arms: Arms) -> dict[str, Any]:
    """The arms as they are stored."""
    return {
        key: [arm.price, _money_to_json(arm.base), _money_to_json(arm.last), arm.stock, arm.gone]
        for key, arm in arms.items()
    }


def arms_from_json(stored: Mapping[str, Any]) -> Arms:
    """The arms that `arms_to_json` made `stored` of."""
    return {
        key: Arm(price, _money_from_json(base), _money_from_json(last), stock, gone)
        for key, (price, base, last, stock, gone) in stored.items()
    }


def _money_to_json(money: Money | None) -> list[str] | None:
    return [str(money.amount), money.currency] if money else None


def _money_from_json(stored: list[str] | None) -> Money | None:
    return Money(Decimal(stored[0]), stored[1]) if stored else None
