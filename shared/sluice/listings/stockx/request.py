"""Asking for a change: it is numbered and put on its listing in one transaction with its job.

A change that waits and has not been sent gives way to a newer one of the same kind, which says what both ask for.
"""

import hashlib
import json
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from functools import partial
from typing import NamedTuple

from pynamodb.expressions.condition import Condition
from pynamodb.expressions.update import Action as Update
from pynamodb.transactions import TransactWrite

from sluice.jobs.ask import Wish, remember, want_with
from sluice.jobs.model import keys
from sluice.jobs.queue.together import NotWritten
from sluice.listings.stockx import change_order
from sluice.listings.stockx import table as listings
from sluice.listings.stockx.changes import Action, Change, ListingStatus, merged, refusal
from sluice.listings.stockx.kinds import MARKETPLACE, SINGLE, kind_name
from sluice.listings.stockx.table import Entry, Listing
from sluice.marketplaces.accounts import table as accounts
from sluice.marketplaces.selling import Terms
from sluice.platform import races, tables
from sluice.platform.config.document import Config
from sluice.platform.refused import CONFLICT, Refused


class UnknownListing(Exception):  # noqa: N818 - an answer to the caller
    """The tenant has no such listing."""


@dataclass(frozen=True)
class ListingDraft:
    """A listing to create.

    sku, size, size_system: how the variant was named, if it was named so. seed: see `listings.new_id`.
    """

    variant_id: str
    terms: Terms
    active: bool = True
    reference: str | None = None
    marketplace: str = MARKETPLACE
    sku: str | None = None
    size: str | None = None
    size_system: str | None = None
    seed: str | None = None

    def fingerprint(self) -> str:
        """The same for two drafts that ask for the same."""
        same = [self.variant_id, asdict(self.terms), self.active]
        return hashlib.sha256(json.dumps(same, sort_keys=True).encode()).hexdigest()[:16]


@dataclass(frozen=True)
class Asker:
    """Who asks, and when (epoch ms)."""

    tenant: str
    subject: str
    now: int
    config: Config = field(repr=False)


class AskedChange(NamedTuple):
    """What a request has led to. number: of the change that does it. open: the change is not settled yet."""

    listing_id: str
    job_id: str
    number: int
    open: bool = True


def job_id(action: Action, listing: Listing) -> str:
    """The job that does `action` to a listing: one for each, so that two of a kind never run at once."""
    return keys.job_id(kind_name(action), listing.marketplace, listing.tenant, listing.listing_id)


def create(draft: ListingDraft, asker: Asker) -> AskedChange:
    """Ask for a new listing. With a reference that was used before, it is that listing.

    Raises:
        Refused: no account is connected, or the reference names a listing with other terms.
    """
    check_account(draft.marketplace, asker.tenant)
    listing = new_listing(draft, asker)
    job = job_id(Action.CREATE, listing)
    change = Change(1, Action.CREATE, job, asker.now, asker.subject, draft.terms, draft.active)
    if _ask(listing, change, asker, lambda transaction: add_new(transaction, listing, change)):
        return AskedChange(listing.listing_id, job, change.number)
    found = current(asker, listing.listing_id)
    if found is None or found.fingerprint != listing.fingerprint:
        raise Refused("reference", "names a listing that was asked for with other terms", code=CONFLICT)
    if found.status == ListingStatus.FAILED or _is_in_doubt(found):
        return change_listing(asker, found.listing_id, Action.CREATE, draft.terms, active=draft.active)
    under_way = next((change for change in found.open_changes() if change.action is Action.CREATE), None)
    if under_way is None:
        return AskedChange(found.listing_id, _created_by(found) or job, change.number, open=False)
    return AskedChange(found.listing_id, under_way.job_id, under_way.number)


def change_listing(
    asker: Asker, listing_id: str, action: Action, terms: Terms | None = None, *, active: bool = True
) -> AskedChange:
    """Ask for a change of a listing that there is. What is asked for already is not asked for twice.

    Raises:
        UnknownListing: this tenant has none of this id.
        Refused: it is in a state in which this cannot be done.
        Contention: others have changed the listing again and again meanwhile.
    """
    race = races.Race(f"listing {listing_id} was changed while a change was asked for")
    while True:
        listing = current(asker, listing_id)
        if listing is None:
            raise UnknownListing(listing_id)
        open_changes = listing.open_changes()
        if why := refusal(listing.status, action, open_changes):
            raise Refused("listingId", why, code=CONFLICT)
        job = job_id(action, listing)
        if same := _asks_the_same(open_changes, action, terms or Terms()):
            return AskedChange(listing_id, same.job_id, same.number)
        older = _unsent(listing, job)
        asked = merged(older.terms, terms or Terms()) if older else terms or Terms()
        number = listing.last_change + 1
        change = Change(number, action, job, asker.now, asker.subject, asked, active)
        if _ask(listing, change, asker, partial(_add_change, listing=listing, change=change, instead_of=older)):
            return AskedChange(listing_id, job, number)
        race.lost()


def again(listing: Listing, entry: Entry, job: str, now: int) -> Change | None:
    """Put on `listing` once more what `entry` says was never received, for its `job` that is replayed.

    None when the listing cannot take it any more, or is not as it was read.
    """
    action = Action(entry.action)
    if refusal(listing.status, action, listing.open_changes()):
        return None
    terms, active = Terms(**entry.metadata.get("asked", {})), entry.metadata.get("active", True)
    change = Change(listing.last_change + 1, action, job, now, entry.changed_by, terms, active)
    return change if put_change(listing, change) else None


def current(asker: Asker, listing_id: str) -> Listing | None:
    """The tenant's listing as it is now, with what jobs that are over have left on it settled, or marked as in doubt.

    A job that is asked for anew forgets what it was at, so this comes before asking.
    """
    listing = listings.find(asker.tenant, listing_id)
    if listing is not None and change_order.clear(listing, asker.now):
        return listings.find(asker.tenant, listing_id)
    return listing


def new_listing(draft: ListingDraft, asker: Asker) -> Listing:
    """The item of a listing that does not exist yet."""
    return Listing(
        asker.tenant,
        listings.new_id(asker.tenant, draft.marketplace, draft.reference, draft.seed),
        account=keys.account(draft.marketplace, asker.tenant),
        marketplace=draft.marketplace,
        variant_id=draft.variant_id,
        sku=draft.sku,
        size=draft.size,
        size_system=draft.size_system,
        reference=draft.reference,
        fingerprint=draft.fingerprint() if draft.reference else None,
        status=str(ListingStatus.PENDING),
        amount=draft.terms.amount,
        currency=draft.terms.currency,
        listed_until=draft.terms.expires_at,
        created_at=asker.now,
        updated_at=asker.now,
    )


def put_new(listing: Listing, change: Change) -> bool:
    """Write a new listing with its first change, whose job is there. False when there is a listing of its id."""
    _begin_with(listing, change)
    try:
        tables.put(listing, Listing.listing_id.does_not_exist(), token=Listing.create_token)
    except tables.ConditionFailed:
        return False
    return True


def put_change(listing: Listing, change: Change) -> bool:
    """Put `change`, whose job is there, on the listing, which must be as it was read. False when it is not."""
    actions, as_read = _change_writes(listing, change)
    try:
        tables.update(Listing, (listing.tenant, listing.listing_id), actions, as_read, token=Listing.ask_token)
    except tables.ConditionFailed:
        return False
    return True


def _begin_with(listing: Listing, change: Change) -> None:
    listing.changes = {str(change.number): change.encode()}
    listing.last_change = change.number


def _change_writes(
    listing: Listing, change: Change, instead_of: Change | None = None
) -> tuple[list[Update], Condition]:
    """What puts `change` on the listing, and that it must be as it was read."""
    as_read: Condition = Listing.last_change == listing.last_change
    actions: list[Update] = [
        listings.at_change(change.number).set(change.encode()),
        Listing.last_change.set(change.number),
    ]
    if instead_of:
        actions.append(listings.at_change(instead_of.number).remove())
        as_read &= listings.is_open(instead_of.number) & _not_sent(instead_of)
    if change.action is Action.CREATE:
        actions.append(Listing.status.set(str(ListingStatus.PENDING)))
    return actions, as_read


def add_new(transaction: TransactWrite, listing: Listing, change: Change) -> None:
    """Add to `transaction` a new listing with its first change."""
    _begin_with(listing, change)
    values = {name: value for name, value in listing.attribute_values.items() if name not in ("tenant", "listing_id")}
    actions = [getattr(Listing, name).set(value) for name, value in values.items() if value is not None]
    key = Listing(listing.tenant, listing.listing_id)
    transaction.update(key, actions, Listing.listing_id.does_not_exist())


def _add_change(transaction: TransactWrite, listing: Listing, change: Change, instead_of: Change | None) -> None:
    actions, as_read = _change_writes(listing, change, instead_of)
    transaction.update(Listing(listing.tenant, listing.listing_id), actions, as_read)


def check_account(marketplace: str, tenant: str) -> None:
    """Do nothing if the tenant has an account, whatever its status: jobs of one that is broken wait.

    Raises:
        Refused: it has none.
    """
    account = keys.account(marketplace, tenant)
    if account not in accounts.statuses({account}):
        where = f"PUT /v1/accounts/{marketplace}"
        raise Refused("marketplace", f"no {marketplace} account is connected; connect one with {where}")


def _ask(listing: Listing, change: Change, asker: Asker, put: Callable[[TransactWrite], None]) -> bool:
    """`put` the change on its listing together with its job. False when the listing is not as it was read.

    The job says only which listing: what to do stands on that, so that asking never races with a run.
    """
    kind, payload = SINGLE[change.action], {"listing_id": listing.listing_id}
    wish = Wish(kind, change.job_id, asker.tenant, listing.account, payload, priority=keys.MANUAL, replace=True)
    try:
        asked = want_with(wish, asker.now, asker.config, put)
    except NotWritten:
        return False
    remember(asker.tenant, [(kind.name, keys.MANUAL, asked)], asker.now, asker.config)
    return True


def _created_by(listing: Listing) -> str | None:
    """The job that has created a listing."""
    entry = listings.entry(listing.tenant, listing.listing_id, 1)
    return str(entry.metadata["job_id"]) if entry else None


def _is_in_doubt(listing: Listing) -> bool:
    """Whether nobody knows if the listing was created, and nobody has asked for it again since."""
    creates = [change for change in listing.open_changes() if change.action is Action.CREATE]
    return bool(creates) and all(change.doubt for change in creates)


def _asks_the_same(open_changes: list[Change], action: Action, terms: Terms) -> Change | None:
    """The newest change, if it is to do just this."""
    newest = open_changes[-1] if open_changes else None
    if newest is None or newest.doubt or newest.action is not action:
        return None
    return newest if merged(newest.terms, terms) == newest.terms else None


def _unsent(listing: Listing, job: str) -> Change | None:
    """The change of this job that was not sent yet."""
    own = (each for each in listing.open_changes() if each.job_id == job and not each.doubt)
    unsent = (each for each in own if each.number != listing.running)
    return next(unsent, None)


def _not_sent(change: Change) -> Condition:
    not_sent: Condition = Listing.running.does_not_exist() | (Listing.running != change.number)
    return not_sent
