"""Asking for promotions. A listing has one job, whoever asks how often: the last word on its rate holds."""

from collections.abc import Sequence
from decimal import Decimal

from sluice.jobs.ask import Wish, ask_many
from sluice.jobs.model import keys, kinds
from sluice.jobs.queue.enqueue import Enqueued
from sluice.marketplaces import advertising
from sluice.platform.config.document import Config
from sluice.platform.refused import Refused
from sluice.promotions.kinds import CREATE, MARKETPLACE
from sluice.promotions.wanted import WantedAd

# Calls to an ad in a campaign that is named; and where it is not, two to find the listing's ad and the campaign.
CALLS_NAMED = 1
CALLS_UNNAMED = 3


class CannotPromote(Exception):  # noqa: N818 - an answer to the caller
    """The tenant's account cannot place ads; the message says what to do."""


def job_id(tenant: str, listing_id: str) -> str:
    """The job that places, and keeps up to date, the ad of a listing."""
    return keys.job_id(CREATE.name, MARKETPLACE, tenant, listing_id)


def promote(wanted: Sequence[WantedAd], tenant: str, by: str, now: int, config: Config) -> list[Enqueued | Refused]:
    """Ask for these ads, each of another listing; the answers are in their order.

    The first is tried after the timetable's first wait, each other one a stagger later, the urgent ones first. A
    listing whose promotion waits gets the rate that is asked for now; one whose ad is there gets its rate changed.

    Raises:
        CannotPromote: nothing was written.
    """
    account = keys.account(MARKETPLACE, tenant)
    if why := advertising.refusal(account):
        raise CannotPromote(why)
    times = kinds.timetable(CREATE.name, config)
    first = now + (times.delay(0) if times else 0)
    urgent_first = sorted(range(len(wanted)), key=lambda row: not wanted[row].urgent)
    places = {row: place for place, row in enumerate(urgent_first)}
    wishes = [
        Wish(
            CREATE,
            job_id(tenant, one.listing_id),
            tenant,
            account,
            one.payload(by),
            priority=keys.MANUAL if one.urgent else keys.HOT,
            calls=CALLS_NAMED if one.campaign_id else CALLS_UNNAMED,
            due_at=first + places[row] * config.promotions.stagger_ms,
            replace=True,
            kept=frozenset({"campaign_id"}),
        )
        for row, one in enumerate(wanted)
    ]
    return ask_many(wishes, now, config)


def promote_published(
    listing_id: str, rate: Decimal, tenant: str, by: str, now: int, config: Config, campaign_id: str | None = None
) -> str:
    """For whoever publishes a listing with `autoPromote`: ask for its ad; the job's id.

    Asking again for the same listing, as a publisher that is run again does, makes no second job.

    Raises:
        CannotPromote: the listing is published all the same; tell the seller.
    """
    [answer] = promote([WantedAd(listing_id, rate, campaign_id)], tenant, by, now, config)
    if isinstance(answer, Refused):
        raise answer
    return answer.job_id
