"""What ends an attempt to publish: for the record, for the account, and for what is remembered of it."""

from collections.abc import Iterable

from sluice.jobs.model.outcomes import Failure, Then
from sluice.jobs.model.run import Run
from sluice.listings.ebay import attempt as attempts
from sluice.listings.ebay import following, sellers, table
from sluice.listings.ebay.attempt import Attempt
from sluice.listings.ebay.drift import Drift, DriftClass
from sluice.listings.ebay.echo import Echo
from sluice.listings.ebay.plan import ended_words
from sluice.marketplaces.http.errors import MarketplaceFailure, NotFound, NotReady, PolicyRefused, SellingLimit
from sluice.platform.clock import iso
from sluice.platform.days import PACIFIC, Day


class RevisionsUsed(Failure):
    """The listing has no revisions left today for what differs. `retry_at`: when it opens again."""

    action = Then.SNOOZE
    code = "revisions_used"
    # What could be sent was, and stands in the sync log.
    logged = False


class ListingGone(Failure):
    """The listing is gone: a new one is made only when somebody says so, by its case or by the record."""

    action = Then.BUSINESS
    code = "listing_gone"


class StillThere(Failure):
    """eBay has a sku in the group that it has left: it is published when that has let it go."""

    action = Then.RETRY
    code = "still_in_group"

    def __init__(self, sku: str, group: str) -> None:
        super().__init__(f"{sku} is in group {group} at eBay until that is published without it: see why it is not yet")


class LeftOut(Failure):
    """A member of a group is not for sale, though the group is."""

    action = Then.BUSINESS
    code = "left_out"


def paused(pause: tuple[int, str]) -> SellingLimit:
    """Nothing new is published on the account until then."""
    return SellingLimit(f"nothing new is published until {iso(pause[0])}: {pause[1]}", retry_at=pause[0])


def no_revisions(waits: Iterable[str], record: table.Record, now: int) -> RevisionsUsed:
    """What waits for eBay's next day. waits: the field groups."""
    opens, names = Day.at(now, PACIFIC).end, ", ".join(sorted(waits))
    used = record.revised(now)[0]
    return RevisionsUsed(
        f"{names} of the listing wait: eBay was sent {used} changes of it today; opens again at {iso(opens)}",
        retry_at=opens,
    )


def gone(attempt: Attempt, failure: NotFound) -> Failure:
    """The offer is gone. One that was not live yet is made from the top; a live listing is told, and is
    somebody's decision."""
    if not attempt.live:
        attempts.begin_anew(attempt)
        return NotReady(f"eBay has lost what was sent; it is sent from the top ({failure.message})", code=failure.code)
    accepted = Echo.unpacked(attempt.record.echo) or Echo()
    following.follow(attempt.run, attempt.record, accepted, None, [Drift(DriftClass.MISSING)])
    return ListingGone(f"eBay has no such listing any more: decide what becomes of it ({failure.message})")


def told(run: Run, site: str, failure: Failure) -> Failure:
    """What else a failure means: for the account, or for what is remembered of it."""
    if isinstance(failure, SellingLimit) and failure.retry_at:
        sellers.pause(run.job.account, failure.retry_at, failure.message)
    if isinstance(failure, PolicyRefused):
        sellers.drop(run.job.account, site)
    return failure


def ended(sku: str) -> ListingGone:
    """The listing of `sku` is over, and another one is made only when somebody says so."""
    return ListingGone(ended_words(sku))


def is_refusal(failure: Failure) -> bool:
    """Whether eBay has answered that it does not take this, and will not."""
    answered = isinstance(failure, MarketplaceFailure) and failure.status is not None
    return answered and failure.action in (Then.BUSINESS, Then.FATAL)
