"""What is known of a seller's account at eBay: its business policies by site, and whether it may publish now.

```
 ebay_sellers   ebay:acme   EBAY_US       its policies, as they were read
                ebay:acme   places        the places that it sends goods from, as they were read
                ebay:acme   publishing    until when nothing new is published, and why
                ebay:acme   categories    when eBay refused to say what categories ask for
                ebay:acme   report        eBay's report of its live listings: the open one, and the last that was read
                ebay:acme   pages         what each page of its items showed last (see `sweeping`)
                ebay:acme   suspects      listings that are worth reading (see `suspects`)
                ebay:acme   drift         how many differences were open on each of the last days
                #look       ebay:acme     how far the looks at its listings are
```
"""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any, Final, NamedTuple

from pynamodb.attributes import JSONAttribute, UnicodeAttribute
from pynamodb.expressions.update import Action as Update

from sluice.listings.ebay.desired import Policies, PolicyIds, PolicyRef
from sluice.marketplaces.publishing import POLICY_KINDS, Location, Policy
from sluice.platform import tables
from sluice.platform.attributes import IntAttribute
from sluice.platform.clock import DAY, iso

PUBLISHING: Final = "publishing"
PLACES: Final = "places"
CATEGORIES: Final = "categories"
REPORT: Final = "report"
SUSPECTS: Final = "suspects"
PAGES: Final = "pages"
DRIFT: Final = "drift"
DAYS: Final = 30  # of which it is kept how much differed
# Under which the looks of all accounts stand.
LOOKS: Final = "#look"


class SellerPart(tables.Table):
    """A part of what is known of a seller. Times are epoch ms.

    policies: by kind `[{"id", "name", "digest"}]`. places: `[{"key", "name", "enabled"}]`.
    read_at: when the part was read.
    paused_until, reason: of the part `publishing`.
    cursor: of a look, the sku behind which it goes on; none at the beginning of a round. looked_at: when it was its
        turn last. paid_until, rate: until when its calls are used, and how many a day it had last (see `shares`).
        began_at: of the present round. round_ms, listings, open: of the last one that was complete; open counts the
        differences that were open, by class. seen, open_seen: of the present round so far.
    page, pages_seen, pages: of a sweep of items (see `sweeping`), the page that comes next while one goes on, how many
        were read, and how many the last one had. swept_at, sweep_ms: when the newest began, and how long after the one
        before.
    suspects: how many listings wait to be read. report_due_at: when the next report is asked for.
    asking_at: of the part `report`, since when it is not certain whether a report was asked for. task, task_at: of the
        open one. outcome, reason, outcome_at: what became of the newest. report_at, rows, report_ms: of the one that
        was read last: when it was made, its rows, and how long after the one before. read_task: which it was.
    digests: of the part `pages`, a short word for what each page showed.
    waiting, checked, turn: of the part `suspects`; turn counts its changes.
    days: of the part `drift`, `{"2026-11-28": {"ended": 2}}`.
    audit_owner, audit_after: whose records, and behind which sku, the next audit goes on. audited_at: of the last one.
    """

    class Meta:
        table_name = tables.name("ebay_sellers")
        max_pool_connections = 64

    account = UnicodeAttribute(hash_key=True)
    part = UnicodeAttribute(range_key=True)
    policies = JSONAttribute(null=True)
    places = JSONAttribute(null=True)
    read_at = IntAttribute(null=True)
    paused_until = IntAttribute(null=True)
    reason = UnicodeAttribute(null=True)
    cursor = UnicodeAttribute(null=True)
    looked_at = IntAttribute(null=True)
    paid_until = IntAttribute(null=True)
    rate = IntAttribute(null=True)
    began_at = IntAttribute(null=True)
    round_ms = IntAttribute(null=True)
    listings = IntAttribute(null=True)
    open = JSONAttribute(null=True)
    seen = IntAttribute(null=True)
    open_seen = JSONAttribute(null=True)
    page = IntAttribute(null=True)
    pages = IntAttribute(null=True)
    pages_seen = IntAttribute(null=True)
    swept_at = IntAttribute(null=True)
    sweep_ms = IntAttribute(null=True)
    suspects = IntAttribute(null=True)
    report_due_at = IntAttribute(null=True)
    asking_at = IntAttribute(null=True)
    task = UnicodeAttribute(null=True)
    task_at = IntAttribute(null=True)
    outcome = UnicodeAttribute(null=True)
    outcome_at = IntAttribute(null=True)
    report_at = IntAttribute(null=True)
    report_ms = IntAttribute(null=True)
    rows = IntAttribute(null=True)
    read_task = UnicodeAttribute(null=True)
    digests = JSONAttribute(null=True)
    waiting = JSONAttribute(null=True)
    checked = JSONAttribute(null=True)
    turn = IntAttribute(null=True)
    days = JSONAttribute(null=True)
    audit_owner = UnicodeAttribute(null=True)
    audit_after = UnicodeAttribute(null=True)
    audited_at = IntAttribute(null=True)


class Gone(NamedTuple):
    """A policy that a record names and the seller has not: field is the place in the record."""

    field: str
    named: str


class KnownPolicies(NamedTuple):
    """A seller's policies on one site, by kind. read_at: when they were read."""

    policies: Mapping[str, Sequence[Mapping[str, str]]]
    read_at: int

    def ids(self, wanted: Policies) -> PolicyIds | list[Gone]:
        """The ids of the policies that a record names; or those that there are none of."""
        found = [self._find(kind, ref) for kind, ref in zip(POLICY_KINDS, wanted, strict=True)]
        if all(found):
            return PolicyIds(*map(str, found))
        refs = zip(POLICY_KINDS, wanted, found, strict=True)
        return [Gone(f"policies.{kind}", str(ref.id or ref.name)) for kind, ref, one in refs if not one]

    def _find(self, kind: str, ref: PolicyRef) -> str | None:
        for one in self.policies.get(kind, ()):
            if ref.id == one["id"] or (ref.id is None and ref.name == one["name"]):
                return one["id"]
        return None

    def digests(self) -> dict[str, str]:
        """A short word for the content of each policy, by its id."""
        return {one["id"]: one["digest"] for rows in self.policies.values() for one in rows}


class Places(NamedTuple):
    """The places that a seller sends goods from, each `{"key", "name", "enabled"}`. read_at: when they were read."""

    rows: Sequence[Mapping[str, Any]]
    read_at: int

    @classmethod
    def of(cls, found: Sequence[Location], now: int) -> "Places":
        """What was read."""
        return cls([{"key": one.key, "name": one.name, "enabled": one.enabled} for one in found], now)

    @property
    def usable(self) -> frozenset[str]:
        """The keys of those that listings may name."""
        return frozenset(one["key"] for one in self.rows if one["enabled"])


def places(account: str) -> Places | None:
    """What was read of the seller's places; None before they were."""
    part = _find(account, PLACES)
    return Places(part.places or [], part.read_at) if part and part.read_at else None


def remember_places(account: str, places: Places) -> None:
    """Keep what was read."""
    SellerPart(account, PLACES, places=list(places.rows), read_at=places.read_at).save()


def known(account: str, site: str) -> KnownPolicies | None:
    """What was read of a seller's policies on a site; None before they were."""
    part = _find(account, site)
    if part is None or part.read_at is None:
        return None
    return KnownPolicies(part.policies or {}, part.read_at)


def of_policies(policies: Mapping[str, Sequence[Policy]], now: int) -> KnownPolicies:
    """What was read of a seller's policies, by kind."""
    rows = {
        kind: [{"id": one.policy_id, "name": one.name, "digest": one.digest} for one in found]
        for kind, found in policies.items()
    }
    return KnownPolicies(rows, now)


def remember(account: str, site: str, known: KnownPolicies) -> None:
    """Keep what was read."""
    policies = {kind: list(rows) for kind, rows in known.policies.items()}
    SellerPart(account, site, policies=policies, read_at=known.read_at).save()


def drop(account: str, site: str) -> None:
    """Drop what was read: it may be old, and whoever needs it reads it anew."""
    tables.delete(SellerPart, [account, site])


def paused(account: str, now: int) -> tuple[int, str] | None:
    """Until when nothing new is published on the account, and why; None when it may be."""
    part = _find(account, PUBLISHING)
    if part is None or part.paused_until is None or part.paused_until <= now:
        return None
    return part.paused_until, part.reason or ""


def pause(account: str, until: int, reason: str) -> None:
    """Publish nothing new on the account until then. What is live is kept up to date all the same."""
    SellerPart(account, PUBLISHING, paused_until=until, reason=reason).save()


def resume(account: str) -> None:
    """Publish again."""
    tables.delete(SellerPart, [account, PUBLISHING])


def refuse_categories(account: str, now: int) -> None:
    """eBay does not let the account's application ask what categories ask for."""
    SellerPart(account, CATEGORIES, read_at=now).save()


def categories_refused(account: str) -> int | None:
    """When it was last refused, epoch ms; None when it never was."""
    part = _find(account, CATEGORIES)
    return part.read_at if part else None


def watch(account: str, now: int) -> None:
    """Look at the account's listings from now on."""
    with suppress(tables.ConditionFailed):  # it is watched already
        tables.put(SellerPart(LOOKS, account, looked_at=now, began_at=now), SellerPart.part.does_not_exist())


def watched() -> list[SellerPart]:
    """The looks of all accounts, those first whose turn was longest ago."""
    return sorted(SellerPart.query(LOOKS, consistent_read=True), key=lambda one: one.looked_at or 0)


def progress_of(account: str) -> SellerPart | None:
    """How far the comparison of an account's listings is."""
    return _find(LOOKS, account)


def note_progress(account: str, actions: Sequence[Update]) -> None:
    """Write how far the looks at an account's listings are; nothing where they have ended."""
    with suppress(tables.ConditionFailed):
        tables.update(SellerPart, [LOOKS, account], list(actions), SellerPart.part.exists())


def note_suspects(account: str, waiting: int) -> None:
    """Say how many listings wait to be read."""
    note_progress(account, [SellerPart.suspects.set(waiting)])


def open_by_day(account: str) -> dict[str, dict[str, int]]:
    """How many differences were open by class, at the end of the last complete round of looks of each day (UTC)."""
    part = _find(account, DRIFT)
    return dict(part.days or {}) if part else {}


def note_open(account: str, open_: Mapping[str, int], now: int) -> None:
    """Keep what is open now, by class, as that of today. Written when it has changed, or the day has."""
    day, known = iso(now)[:10], open_by_day(account)
    if known.get(day) == open_:
        return
    kept = {one: known[one] for one in sorted(known) if one > iso(now - DAYS * DAY)[:10]}
    SellerPart(account, DRIFT, days={**kept, day: dict(open_)}).save()


def suspects_of(account: str) -> SellerPart | None:
    """The listings that are worth reading; see `suspects`."""
    return _find(account, SUSPECTS)


def pages_of(account: str) -> dict[str, str]:
    """What each page of the account's items showed last, in a short word."""
    part = _find(account, PAGES)
    return dict(part.digests or {}) if part else {}


def remember_pages(account: str, digests: Mapping[str, str]) -> None:
    """Keep what each page showed."""
    SellerPart(account, PAGES, digests=dict(digests)).save()


def report_of(account: str) -> SellerPart | None:
    """eBay's report of the account's live listings; None before there was one."""
    return _find(account, REPORT)


def note_report(account: str, actions: Sequence[Update]) -> None:
    """Write what became of a report."""
    tables.update(SellerPart, [account, REPORT], list(actions))


def _find(account: str, part: str) -> SellerPart | None:
    try:
        return SellerPart.get(account, part, consistent_read=True)
    except SellerPart.DoesNotExist:
        return None
