"""What the routes of the inventory take."""

from typing import Annotated, Any, ClassVar, Final

from pydantic import BeforeValidator, Field

from sluice.inventory import rules
from sluice.inventory.lots import MOST_LOTS, MOST_QUANTITY
from sluice.inventory.rules import Raw
from sluice.platform.http.models import Amount, Body, Cursor, DocumentedAs, Example, OneOf, PageQuery, Text
from sluice.platform.imports.sheet import MOST_ROWS

# A few hundred writes: what a request can do while somebody waits. More are an import.
MOST_ITEMS: Final = 100
MOST_ID_CHARACTERS: Final = 160

# Names that people write in any case: `UK`, `StockX`.
_any_case = BeforeValidator(lambda value: value.lower() if isinstance(value, str) else value)

Marketplaces = Annotated[
    list[Annotated[str, OneOf(rules.MARKETPLACES), _any_case]],
    Field(
        min_length=1,
        max_length=len(rules.MARKETPLACES),
        description="whose prices are wanted; all that know the size system when left out",
    ),
]
ItemId = Annotated[str, Field(min_length=1, max_length=MOST_ID_CHARACTERS)]


Quantity = Annotated[int, Field(ge=1, le=MOST_QUANTITY)]


class Described(Body):
    """What can be said of an item, and changed. cost: of each unit, where all cost the same."""

    marketplaces: Marketplaces | None = None
    cost: Amount | None = None
    currency: Text | None = Field(
        None, description="of the cost, and of the prices at marketplaces that give them in it"
    )
    category: Text | None = Field(None, description="for example `sneakers`; picks the picture where none is known")
    quantity: Quantity | None = Field(None, description="how many units are owned; a new item has 1 unless said")


class NewItem(Described):
    """A thing that is owned: one SKU in one size. A cost without a currency is in US dollars.

    Several of the same SKU and size in one request are one item with the units of all, each at its cost.
    """

    sku: str = Field(description="the style id, for example `DD1391-100`")
    size: str = Field(description="the size: `10.5`, `42 2/3`, `8W`, `5Y`, `XL`; a letter or prefix names its system")
    size_system: Annotated[str, OneOf(rules.SIZE_SYSTEMS), _any_case] | None = Field(
        None, description="left out: what the size itself says, else the product's own"
    )

    def raw(self) -> Raw:
        """The same, for the rules."""
        return Raw(**{name: getattr(self, name) for name in type(self).model_fields})


class NewItems(Body):
    """Things that are owned. Each is checked on its own: a bad one stops no other."""

    example: ClassVar[Example] = {
        "items": [{"sku": "DD1391-100", "size": "10", "cost": "110.00", "currency": "USD", "category": "sneakers"}]
    }

    items: Annotated[list[Annotated[Any, DocumentedAs(NewItem)]], Field(min_length=1, max_length=MOST_ITEMS)]


class ImportItems(Body):
    """Many things that are owned. Each is checked on its own: a bad one stops no other."""

    example: ClassVar[Example] = {
        "items": [{"sku": "DD1391-100", "size": "10", "cost": "110.00"}, {"sku": "DZ5485-612", "size": "9.5"}]
    }

    items: Annotated[list[Annotated[Any, DocumentedAs(NewItem)]], Field(min_length=1, max_length=MOST_ROWS)]


class NewLot(Body):
    """Units that cost the same. A cost without a currency is in the item's own."""

    quantity: Quantity = 1
    cost: Amount | None = None
    currency: Text | None = None

    def raw(self) -> Raw:
        """The same, for the rules."""
        return Raw("", "", cost=self.cost, currency=self.currency, quantity=self.quantity)


class ItemEdit(Described):
    """What is to change. What is left out stays as it is; a cost without a currency is in the item's own.

    lots: all units that are owned, in place of those that were; it stands without cost and quantity.
    """

    example: ClassVar[Example] = {"cost": "105.50"}

    lots: Annotated[list[NewLot], Field(min_length=1, max_length=MOST_LOTS)] | None = None

    def is_empty(self) -> bool:
        """Whether nothing is to change."""
        return all(getattr(self, name) is None for name in type(self).model_fields)


class ItemsQuery(PageQuery):
    """Which items to list, and in which order. All filters must match."""

    sku: Text | None = Field(None, description="how the SKU begins, however it is written")
    size: Text | None = Field(None, description="its name, as `10.5` or `XL`")
    size_system: Annotated[str, OneOf(rules.SIZE_SYSTEMS), _any_case] | None = None
    category: Text | None = Field(None, description="as the item says it")
    marketplace: Annotated[str, OneOf(rules.MARKETPLACES), _any_case] | None = Field(
        None, description="whose price is wanted of it"
    )
    sort: Annotated[str, OneOf(("sku", "-sku"))] = Field("sku", description="`-sku`: from the last SKU to the first")


class RefreshItems(Body):
    """Which items' prices to fetch now: those named, or, without `items`, all behind `cursor`."""

    example: ClassVar[Example] = {"items": ["the-itemId-of-your-inventory"]}

    items: Annotated[list[ItemId], Field(min_length=1, max_length=MOST_ITEMS)] | None = None
    cursor: Cursor | None = None
