"""What an item of an inventory may be. Pure."""

import re
from collections.abc import Callable, Sequence
from typing import Final, NamedTuple, TypeVar

from sluice.inventory import lots as counting
from sluice.inventory.lots import Lot
from sluice.marketplaces import registry, sizes
from sluice.marketplaces.sizes import OWN, UNNAMED, Size
from sluice.marketplaces.skus import normal_sku
from sluice.platform import money
from sluice.platform.csv_text import is_formula
from sluice.platform.http.errors import FieldError
from sluice.platform.refused import Refused

T = TypeVar("T")

CURRENCY: Final = "USD"  # the one in which every marketplace gives prices
MARKETPLACES: Final = tuple(registry.MARKETPLACES)
SIZE_SYSTEMS: Final = tuple(
    dict.fromkeys(system for one in registry.MARKETPLACES.values() for system in one.size_systems)
)
CURRENCIES: Final = frozenset(currency for one in registry.MARKETPLACES.values() for currency in one.currencies)
MOST_CATEGORY_CHARACTERS: Final = 64
_CONTROL = r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]"


class Raw(NamedTuple):
    """An item as somebody describes it. None: not said."""

    sku: str
    size: str
    size_system: str | None = None
    marketplaces: Sequence[str] | None = None
    cost: object = None
    currency: str | None = None
    category: str | None = None
    quantity: object = None


class Draft(NamedTuple):
    """The same, checked and in its one spelling. A cost has a currency; a currency may stand without a cost.

    size_system: as of `sizes.Size`, so also `own`.
    lots: where units have different costs; then there is no cost, and the quantity is that of all.
    """

    sku: str
    size: str
    size_system: str
    marketplaces: tuple[str, ...] | None = None
    cost: str | None = None
    currency: str | None = None
    category: str | None = None
    quantity: int | None = None
    lots: tuple[Lot, ...] | None = None

    @property
    def named(self) -> Size:
        """The size."""
        return Size(self.size, self.size_system)


def draft(raw: Raw) -> Draft:
    """The item that `raw` describes.

    Raises:
        Refused: it is none.
    """
    check = _Checks()
    sku = check("sku", lambda: normal_sku(raw.sku))
    named = (raw.size_system or "").lower()
    given = named if named in SIZE_SYSTEMS else None
    size = check("size", lambda: sizes.read(raw.size, given))
    check("sizeSystem", lambda: _size_system(raw.size_system))
    system = size.system if size else given or OWN
    marketplaces = check("marketplaces", lambda: asked_of(raw.marketplaces, system))
    currency, cost = check.price(raw.cost, raw.currency, CURRENCY)
    if raw.cost is None and raw.currency is not None:  # a sheet has a currency in every row, and not every cost
        currency = check("currency", lambda: _currency(raw.currency or ""))
    category = check("category", lambda: _category(raw.category))
    quantity = check("quantity", lambda: None if raw.quantity is None else counting.quantity(raw.quantity))
    check.end()
    return Draft(sku or "", size.name if size else "", system, marketplaces, cost, currency, category, quantity)


def join(first: Draft, more: Draft) -> Draft:
    """Two entries of one list about the same item: the units of both, each at its cost.

    An entry that does not say its quantity is about one unit.

    Raises:
        Refused: they contradict each other, or are too many.
    """
    check = _Checks()
    for field, one, other in (
        ("marketplaces", first.marketplaces, more.marketplaces),
        ("category", first.category, more.category),
    ):
        if one is not None and other is not None and one != other:
            check.refuse(field, "is not what an earlier entry says of the same item")
    units = check("quantity", lambda: counting.merged([*_lots(first), *_lots(more)]))
    check.end()
    joined = first._replace(
        marketplaces=first.marketplaces or more.marketplaces,
        currency=first.currency or more.currency,
        category=first.category or more.category,
    )
    return _with(joined, units or ())


def _lots(draft: Draft) -> tuple[Lot, ...]:
    if draft.lots is not None:
        return draft.lots
    return (Lot(draft.quantity or 1, draft.cost, draft.currency if draft.cost is not None else None),)


def _with(draft: Draft, lots: tuple[Lot, ...]) -> Draft:
    total = sum(lot.quantity for lot in lots)
    if len(lots) > 1:
        return draft._replace(quantity=total, cost=None, lots=lots)
    [lot] = lots
    return draft._replace(quantity=total, cost=lot.cost, currency=lot.currency or draft.currency, lots=None)


class Edit(NamedTuple):
    """What is to change of an item. None: nothing. lots: all of its units, each at its cost."""

    marketplaces: tuple[str, ...] | None
    cost: str | None
    currency: str | None
    category: str | None
    quantity: int | None = None
    lots: tuple[Lot, ...] | None = None


def edit(raw: Raw, currency: str, lots: Sequence[Raw] | None = None) -> Edit:
    """What `raw` asks to change of an item of its size system, whose cost is in `currency`. lots: all of its units.

    Raises:
        Refused: it cannot be changed to that.
    """
    check = _Checks()
    marketplaces = check("marketplaces", lambda: asked_of(raw.marketplaces, raw.size_system or OWN))
    if raw.cost is None and raw.currency is not None:
        check.refuse("cost", "is required with a currency: the cost that is stored is in the old one")
    new_currency, cost = check.price(raw.cost, raw.currency, currency)
    category = check("category", lambda: _category(raw.category))
    quantity = check("quantity", lambda: None if raw.quantity is None else counting.quantity(raw.quantity))
    units = None if lots is None else check.lots(lots, currency)
    check.end()
    return Edit(marketplaces, cost, new_currency, category, quantity, units)


def all_for(size_system: str) -> tuple[str, ...]:
    """The marketplaces that know sizes of `size_system`: what is asked where nobody says which."""
    return tuple(name for name in MARKETPLACES if _knows(name, size_system))


def price_currency(marketplace: str, currency: str) -> str:
    """The currency in which `marketplace` is asked for the price of an item whose cost is in `currency`."""
    return currency if currency in registry.get(marketplace).currencies else CURRENCY


def asked_of(names: Sequence[str] | None, size_system: str) -> tuple[str, ...] | None:
    """`names`, if they are marketplaces that know sizes of `size_system`; each once, in the order of the registry.

    They may be written in any case.

    Raises:
        ValueError: they are not; says why.
    """
    if names is None:
        return None
    if not names:
        raise ValueError(f"must name at least one of {', '.join(MARKETPLACES)}")
    names = [name.lower() for name in names]
    if any(name not in MARKETPLACES for name in names):
        raise ValueError(f"must be of {', '.join(MARKETPLACES)}")
    for name in names:
        if not _knows(name, size_system):
            known = ", ".join(registry.get(name).size_systems)
            raise ValueError(f"{name} knows no sizes in {size_system}; it knows {known}")
    return tuple(name for name in MARKETPLACES if name in names)


class _Checks:
    """Checks field after field, and tells of all that are wrong at once."""

    def __init__(self) -> None:
        self._wrong: list[FieldError] = []

    def __call__(self, field: str, read: Callable[[], T]) -> T | None:
        try:
            return read()
        except ValueError as error:
            self.refuse(field, str(error))
            return None

    def refuse(self, field: str, message: str) -> None:
        """Note what is wrong with `field`."""
        self._wrong.append(FieldError(field, message))

    def price(self, cost: object, currency: str | None, own: str) -> tuple[str | None, str | None]:
        """Currency and cost, if there is one. own: the currency where none is said."""
        if cost is None:
            return None, None
        unit = self("currency", lambda: _currency(own if currency is None else currency))
        return unit, self("cost", lambda: money.amount(cost, unit or own, or_zero=True))

    def lots(self, raw: Sequence[Raw], own: str) -> tuple[Lot, ...] | None:
        """Lots as somebody describes them. own: the currency where none is said."""
        found = []
        for number, one in enumerate(raw):
            inner = _Checks()
            currency, cost = inner.price(one.cost, one.currency, own)
            count = inner("quantity", lambda value=one.quantity: counting.quantity(1 if value is None else value))  # type: ignore[misc]
            self._wrong += [FieldError(f"lots[{number}].{field}", message) for field, message in inner._wrong]
            found.append(Lot(count or 1, cost, currency))
        return self("lots", lambda: counting.merged(found))

    def end(self) -> None:
        """Raises `Refused` if anything was wrong."""
        if self._wrong:
            raise Refused.of(self._wrong)


def _knows(marketplace: str, size_system: str) -> bool:
    return size_system in UNNAMED or size_system in registry.get(marketplace).size_systems


def _size_system(text: str | None) -> str | None:
    if text is not None and text.lower() not in SIZE_SYSTEMS:
        raise ValueError(f"must be one of {', '.join(SIZE_SYSTEMS)}")
    return text


def _currency(text: str) -> str:
    text = text.upper()
    if text not in CURRENCIES:
        raise ValueError("must be an ISO 4217 code of a currency in which a marketplace gives prices, as USD")
    return text


def _category(text: str | None) -> str | None:
    if text is None:
        return None
    if not text.strip():
        raise ValueError("must not be empty")
    if len(text) > MOST_CATEGORY_CHARACTERS:
        raise ValueError(f"must have at most {MOST_CATEGORY_CHARACTERS} characters, not {len(text)}")
    if is_formula(text):
        raise ValueError("must not begin with = + - @ or a tab, as a spreadsheet's formula does")
    if re.search(_CONTROL, text):
        raise ValueError("must not hold control characters")
    return text.strip()
