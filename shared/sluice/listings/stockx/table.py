"""Listings and their history: tables `listings` and `listing_history`.

```
 listings          tenant         listing_id      one of the tenant's listings, with the changes that are open on it
                   stockx:acme    <StockX's id>   says which listing of ours that one is: put once, so never two
 listing_history   acme/<id>      number          what became of change `number`
```
"""

import re
from collections.abc import Iterable, Sequence
from uuid import NAMESPACE_URL, uuid4, uuid5

from pynamodb.attributes import JSONAttribute, MapAttribute, UnicodeAttribute
from pynamodb.expressions.condition import Condition
from pynamodb.expressions.operand import Path

from sluice.listings.stockx import changes
from sluice.listings.stockx.changes import Change, ListingStatus
from sluice.platform import tables
from sluice.platform.attributes import IntAttribute
from sluice.platform.http import table_pages
from sluice.platform.http.paging import Page, Place

# What the number of a change looks like in a cursor.
NUMBER = r"[0-9]{1,18}"
ID = r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"


class Listing(tables.Table):
    """One listing. Times are epoch ms; amounts are decimals in major units, as text.

    listed_until: when the marketplace takes it off. last_change: the number given last. applied: the newest change that
    has happened. running: the newest change that was sent. fingerprint: of what a create with a reference asked for.
    adopted_by: the only attribute of a mark (see above). create_token, ask_token: of the writes that make a listing,
    and that put a change on it (see `tables`).
    """

    class Meta:
        table_name = tables.name("listings")
        max_pool_connections = 64

    tenant = UnicodeAttribute(hash_key=True)
    listing_id = UnicodeAttribute(range_key=True)
    account = UnicodeAttribute()
    marketplace = UnicodeAttribute()
    marketplace_id = UnicodeAttribute(null=True)
    variant_id = UnicodeAttribute()
    sku = UnicodeAttribute(null=True)
    size = UnicodeAttribute(null=True)
    size_system = UnicodeAttribute(null=True)
    reference = UnicodeAttribute(null=True)
    fingerprint = UnicodeAttribute(null=True)
    adopted_by = UnicodeAttribute(null=True)
    status = UnicodeAttribute()
    amount = UnicodeAttribute(null=True)
    currency = UnicodeAttribute(null=True)
    listed_until = IntAttribute(null=True)
    changes: MapAttribute[str, str] = MapAttribute(default=dict)  # type: ignore[no-untyped-call]
    last_change = IntAttribute(default=0)
    applied = IntAttribute(null=True)
    running = IntAttribute(null=True)
    create_token = UnicodeAttribute(null=True)
    ask_token = UnicodeAttribute(null=True)
    created_at = IntAttribute()
    updated_at = IntAttribute()

    def open_changes(self) -> list[Change]:
        """The changes that are not settled, in the order of asking."""
        texts = self.changes.attribute_values.values()
        return sorted(map(changes.decode, texts), key=lambda change: change.number)

    @property
    def shown_status(self) -> str:
        """What the listing is, as far as is known: UNCONFIRMED while the fate of a change of it is not."""
        unconfirmed = any(change.doubt for change in self.open_changes())
        return str(ListingStatus.UNCONFIRMED) if unconfirmed else self.status

    def change(self, number: int) -> Change | None:
        """The open change `number`."""
        return next((change for change in self.open_changes() if change.number == number), None)


class Entry(tables.Table):
    """What became of one change. metadata: job, operation, error, and what else is known."""

    class Meta:
        table_name = tables.name("listing_history")
        max_pool_connections = 64

    listing = UnicodeAttribute(hash_key=True)
    number = IntAttribute(range_key=True)
    action = UnicodeAttribute()
    status = UnicodeAttribute()
    changed_by = UnicodeAttribute()
    changed_at = IntAttribute()
    metadata = JSONAttribute()


def new_id(tenant: str, marketplace: str, reference: str | None, seed: str | None = None) -> str:
    """The id of a new listing; the same for the same reference, so that asking twice makes one listing.

    seed: names a listing without a reference, if its request may be sent again.
    """
    if reference is not None:
        return str(uuid5(NAMESPACE_URL, f"sluice:{tenant}:{marketplace}:{reference}"))
    return str(uuid5(NAMESPACE_URL, f"sluice:{tenant}:request:{seed}") if seed else uuid4())


def history_key(tenant: str, listing_id: str) -> str:
    """The hash key of a listing's history."""
    return f"{tenant}/{listing_id}"


def at_change(number: int) -> Path:
    """Where change `number` stands on its listing."""
    return Path(["changes", str(number)])


def is_open(number: int) -> Condition:
    """The change `number` is not settled."""
    exists: Condition = at_change(number).exists()
    return exists


def find(tenant: str, listing_id: str) -> Listing | None:
    """The tenant's listing as it is now."""
    if not re.fullmatch(ID, listing_id):
        return None
    try:
        return Listing.get(tenant, listing_id, consistent_read=True)
    except Listing.DoesNotExist:
        return None


def find_many(tenant: str, listing_ids: Iterable[str]) -> dict[str, Listing]:
    """Those of the tenant's listings, by id."""
    keys = [(tenant, listing_id) for listing_id in dict.fromkeys(listing_ids)]
    return {found.listing_id: found for found in Listing.batch_get(keys, consistent_read=True)}


def owner(account: str, marketplace_id: str) -> str | None:
    """Which listing of ours the marketplace's listing is, if it is one."""
    try:
        return Listing.get(account, marketplace_id, consistent_read=True).adopted_by
    except Listing.DoesNotExist:
        return None


def adopt(account: str, marketplace_id: str, listing_id: str) -> bool:
    """Say that the marketplace's listing is ours `listing_id`. False when it is another one already."""
    free = Listing.adopted_by.does_not_exist() | (Listing.adopted_by == listing_id)
    try:
        tables.update(Listing, (account, marketplace_id), [Listing.adopted_by.set(listing_id)], free)
    except tables.ConditionFailed:
        return False
    return True


def page(tenant: str, limit: int, after: Place | None, condition: Condition | None) -> Page[Listing]:
    """Those that match of the tenant's next `limit` listings in the order of their ids.

    One read: a page may be short, or empty, and not the last.
    """
    return table_pages.read(Listing, tenant, limit, after, condition, consistent_read=False)


def history(tenant: str, listing_id: str, limit: int = 100, after: int = 0) -> Sequence[Entry]:
    """What became of the next `limit` changes behind number `after`, oldest first."""
    later = Entry.number > after
    key = history_key(tenant, listing_id)
    return list(Entry.query(key, later, limit=limit, page_size=limit, consistent_read=True))


def last_of(listing: Listing, job_id: str) -> Entry | None:
    """What became of the newest settled change that this job was to do."""
    newest_first = (entry(listing.tenant, listing.listing_id, number) for number in range(listing.last_change, 0, -1))
    return next((one for one in newest_first if one and one.metadata.get("job_id") == job_id), None)


def entry(tenant: str, listing_id: str, number: int) -> Entry | None:
    """What became of change `number`, if it is settled."""
    try:
        return Entry.get(history_key(tenant, listing_id), number, consistent_read=True)
    except Entry.DoesNotExist:
        return None
