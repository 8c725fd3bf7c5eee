"""Items: table `inventory`. One for each SKU and size that a tenant owns, so that asking twice makes no second one."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from pynamodb.attributes import JSONAttribute, UnicodeAttribute
from pynamodb.expressions.update import Action as Update

from sluice.inventory.lots import Lot
from sluice.inventory.rules import CURRENCY, MARKETPLACES, Draft, Edit, all_for
from sluice.marketplaces import sizes, skus
from sluice.marketplaces.sizes import Size
from sluice.platform import tables
from sluice.platform.attributes import IntAttribute
from sluice.platform.http import paging, public_ids, table_pages
from sluice.platform.http.paging import Page, Place

KEY = r"[!-~ ]{1,90}:[a-z-]{1,8}-[A-Z0-9 ./+-]{1,16}"


class Item(tables.Table):
    """One item; `item` = `DD1391-100:us-10`. Times are epoch ms.

    marketplaces: those whose prices are wanted.
    quantity: how many units there are; none means 1.
    cost: of each unit, a decimal in `currency`, as text.
    lots: in its place where units have different costs, each as `[quantity, cost, currency]`.
    asked: when the price was last asked for, by marketplace.
    put_token, change_token: of the last write of that purpose (see `tables`).
    """

    class Meta:
        table_name = tables.name("inventory")
        max_pool_connections = 64

    tenant = UnicodeAttribute(hash_key=True)
    item = UnicodeAttribute(range_key=True)
    sku = UnicodeAttribute()
    size = UnicodeAttribute()
    size_system = UnicodeAttribute()
    marketplaces = JSONAttribute()
    cost = UnicodeAttribute(null=True)
    currency = UnicodeAttribute()
    category = UnicodeAttribute(null=True)
    created_at = IntAttribute()
    updated_at = IntAttribute()
    asked = JSONAttribute()
    quantity = IntAttribute(null=True)
    lots = JSONAttribute(null=True)
    put_token = UnicodeAttribute(null=True)
    change_token = UnicodeAttribute(null=True)

    @property
    def named(self) -> Size:
        """Its size in the normal form."""
        return sizes.stored(self.size, self.size_system)

    @property
    def priced_at(self) -> list[str]:
        """Those of `marketplaces` that this version knows: a newer one, since taken back, may have stored others."""
        return [name for name in self.marketplaces if name in MARKETPLACES]

    @property
    def units(self) -> tuple[Lot, ...]:
        """What there is of it: one lot, or several where units have different costs."""
        if self.lots:
            return tuple(Lot(*lot) for lot in self.lots)
        return (Lot(self.quantity or 1, self.cost, self.currency if self.cost is not None else None),)


class CostsDiffer(Exception):  # noqa: N818 - an answer to the caller
    """The units of the item have different costs, so that a cost, or a quantity, does not say what becomes of them."""

    def __init__(self, item: str) -> None:
        super().__init__(f"{item}: its units have different costs; say cost and quantity together, or change its lots")


def key(sku: str, size: Size) -> str:
    """The range key of an item. Neither a size nor its system holds a colon, so no two items share one."""
    return f"{skus.key(sku)}:{size.system}-{size.name}"


def older_key(sku: str, size: Size) -> str:
    """The range key as it was made when each spelling of a SKU was an item of its own."""
    return f"{sku}:{size.system}-{size.name}"


def public_id(item: str) -> str:
    """The range key as the API shows it."""
    return public_ids.encode(item)


def from_public(text: str) -> str | None:
    """The range key that `text` stands for; None if it stands for none."""
    return public_ids.decode(text, KEY)


def put(tenant: str, draft: Draft, now: int, *, item: str | None = None, unless_newer: bool = False) -> Item:
    """Store the item. One that is there already takes what the draft says, and keeps the rest.

    It is new if its `created_at` is `now`. item: its range key, where it is stored under another name of its size.
    unless_newer: leave alone what was changed after `now`.

    Raises:
        ConditionFailed: it was.
        CostsDiffer: the draft says a cost and no quantity, or a quantity and no cost, and either would lose others.
    """
    said, default = draft.marketplaces, list(all_for(draft.size_system))
    actions = [
        Item.sku.set(draft.sku),
        Item.size.set(draft.size),
        Item.size_system.set(draft.size_system),
        Item.marketplaces.set(Item.marketplaces | default) if said is None else Item.marketplaces.set(list(said)),
        _currency(draft),
        Item.created_at.set(Item.created_at | now),
        Item.updated_at.set(now),
        Item.asked.set(dict.fromkeys(MARKETPLACES, now)),
        *([Item.category.set(draft.category)] if draft.category is not None else []),
        *_units(draft.cost, draft.quantity, draft.lots),
    ]
    older = Item.updated_at.does_not_exist() | (Item.updated_at <= now)
    half_said = (draft.cost is None) != (draft.quantity is None) and draft.lots is None
    condition = older if unless_newer else None
    if half_said:
        condition = Item.lots.does_not_exist() if condition is None else condition & Item.lots.does_not_exist()
    try:
        return tables.update(
            Item, (tenant, item or key(draft.sku, draft.named)), actions, condition, token=Item.put_token
        )
    except tables.ConditionFailed as failed:
        found = Item.from_raw_data(failed.item) if failed.item else None
        if half_said and found and found.lots and not (unless_newer and found.updated_at > now):
            raise CostsDiffer(f"{draft.sku} in {draft.size_system} {draft.size}") from failed
        raise


def _units(cost: str | None, quantity: int | None, lots: Sequence[Lot] | None) -> list[Update]:
    """What is written of the units. What is not said stays."""
    if lots is not None and len(lots) > 1:
        total = sum(lot.quantity for lot in lots)
        return [Item.lots.set([list(lot) for lot in lots]), Item.quantity.set(total), Item.cost.remove()]
    if lots is not None:
        [lot] = lots
        known = [Item.cost.set(lot.cost)] if lot.cost is not None else [Item.cost.remove()]
        return [Item.quantity.set(lot.quantity), Item.lots.remove(), *known]
    actions: list[Update] = [] if cost is None else [Item.cost.set(cost)]
    if quantity is not None:
        actions.append(Item.quantity.set(quantity))
    return [*actions, Item.lots.remove()] if cost is not None and quantity is not None else actions


def _currency(draft: Draft) -> Update:
    """The item's currency. One that comes without a cost leaves alone what is stored: a cost may stand in it."""
    if draft.cost is None or draft.currency is None:
        return Item.currency.set(Item.currency | (draft.currency or CURRENCY))
    return Item.currency.set(draft.currency)


def change(found: Item, edit: Edit, now: int) -> Item:
    """Change what `edit` says of the item that was found.

    Raises:
        ConditionFailed: it was changed, or deleted, since it was read.
        CostsDiffer: as `put`.
    """
    if found.lots and edit.lots is None and (edit.cost is None) != (edit.quantity is None):
        raise CostsDiffer(f"{found.sku} in {found.size_system} {found.size}")
    texts = ((Item.currency, edit.currency), (Item.category, edit.category))
    actions: list[Update] = [attribute.set(value) for attribute, value in texts if value is not None]
    actions += _units(edit.cost, edit.quantity, edit.lots)
    if edit.lots is not None and len(edit.lots) == 1 and edit.lots[0].currency:
        actions.append(Item.currency.set(edit.lots[0].currency))
    if edit.marketplaces is not None:
        actions.append(Item.marketplaces.set(list(edit.marketplaces)))
    as_read = Item.updated_at == found.updated_at
    actions.append(Item.updated_at.set(now))
    return tables.update(Item, (found.tenant, found.item), actions, as_read, token=Item.change_token)


def delete(tenant: str, item: str) -> bool:
    """Take the item away. False when it was not there."""
    try:
        tables.delete(Item, (tenant, item), Item.item.exists())
    except tables.ConditionFailed:
        return False
    return True


def mark_asked(found: Item, marketplaces: Iterable[str], now: int) -> None:
    """Remember that the item's prices at `marketplaces` were asked for, unless it is gone."""
    asked = found.asked | dict.fromkeys(marketplaces, now)
    try:
        tables.update(Item, (found.tenant, found.item), [Item.asked.set(asked)], Item.item.exists())
    except tables.ConditionFailed:
        return


def find(tenant: str, item: str) -> Item | None:
    """The item as it is now."""
    try:
        return Item.get(tenant, item, consistent_read=True)
    except Item.DoesNotExist:
        return None


def find_many(tenant: str, items: Iterable[str]) -> dict[str, Item]:
    """Those of the tenant's items that there are, by range key."""
    wanted = [(tenant, item) for item in dict.fromkeys(items)]
    return {found.item: found for found in Item.batch_get(wanted, consistent_read=True)}


@dataclass(frozen=True)
class Filter(paging.Filter):
    """Which items are wanted. sku: how it begins, however it is written. size: its name, as `10.5` or `XL`."""

    sku: str | None = None
    size: str | None = None
    size_system: str | None = None
    category: str | None = None
    marketplace: str | None = None

    def matches(self, item: Item) -> bool:
        """Whether the item is wanted."""
        named = self.allows(size=item.named.name, size_system=item.named.system, category=item.category)
        priced = self.marketplace is None or self.marketplace in item.priced_at
        return named and priced and skus.compact(item.sku).startswith(skus.compact(self.sku or ""))


_EVERYTHING = Filter()


def page(
    tenant: str, limit: int, after: Place | None, wanted: Filter = _EVERYTHING, *, backwards: bool = False
) -> Page[Item]:
    """The tenant's next `limit` items by SKU, as they are now, without those that are not wanted: it may be short."""
    found = table_pages.read(Item, tenant, limit, after, newest_first=backwards)
    return Page([item for item in found if wanted.matches(item)], found.next)
