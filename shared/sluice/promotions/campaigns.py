"""Where ads stand: the campaign that was named, else the first that fits of the seller's running ones and ours."""

from collections.abc import Collection, Iterator

from sluice.jobs.budgets.grant import Grant
from sluice.jobs.budgets.windows import Window
from sluice.jobs.model import keys
from sluice.jobs.model.outcomes import Failure, Then
from sluice.marketplaces.accounts import table as accounts
from sluice.marketplaces.advertising import Advertiser, Campaign
from sluice.marketplaces.http.errors import AlreadyExists, NotReady
from sluice.platform.clock import SECOND, iso
from sluice.platform.context import Context
from sluice.promotions import advertisers
from sluice.promotions.kinds import CREATE

# The campaign that is made for a seller who has none running.
NAME = "Sluice"
# How long a request waits for a slot to ask about a campaign.
WAIT_MS = 2 * SECOND


def candidates(ads: Advertiser, now: int) -> Iterator[Campaign]:
    """Campaigns for ads that name none: the seller's running ones of the usual site, ours, then those of other sites.

    Each is asked for when it comes up. What is not shown (the site of a listing, whether a campaign is full) its
    refusal tells; then the next is tried.

    Raises:
        MarketplaceFailure: it could not be found out, or made.
    """
    running = ads.running_campaigns()
    yield from (one for one in running if one.site == ads.site)
    yield from _ours(ads, now, {one.campaign_id for one in running})
    yield from (one for one in running if one.site != ads.site)


def _ours(ads: Advertiser, now: int, tried: Collection[str]) -> Iterator[Campaign]:
    """The campaign that is made for a seller; one that has ended, or is full, gives its place to one of the day.

    A name is looked up before it is made, so that a lost answer makes no second one.
    """
    for name in (NAME, f"{NAME} {iso(now)[:10]}"):
        try:
            campaign = ads.campaign_named(name) or ads.create_campaign(name, now)
        except AlreadyExists:
            raise NotReady(f"the marketplace has a campaign {name!r}, and does not show it yet") from None
        if campaign.takes_ads and campaign.campaign_id not in tried:
            yield campaign


def refusals(campaign_ids: Collection[str], account_id: str, context: Context) -> dict[str, str]:
    """Why no ads can be placed in those of `campaign_ids` of which the marketplace says so; one call for each.

    What it cannot be asked just now is left to the job, which then fails with the same words.
    """
    clock = context.clock
    limits, now = context.config.limits[CREATE.service], clock.now()
    stored = keys.budget(account_id, by_account=limits.by_account, service=CREATE.service)
    account = accounts.find(account_id)
    budget = keys.charged_to(stored, account.application if account else None)
    grant = Grant(budget, limits, Window.of(budget, now), 0, clock, now + WAIT_MS, manual=True)
    found: dict[str, str] = {}
    try:
        ads = advertisers.open_for(account_id, grant, clock)
        for campaign_id in campaign_ids:
            if why := _refusal(ads, campaign_id):
                found[campaign_id] = why
    except Failure:
        pass
    finally:
        grant.give_back()
    return found


def _refusal(ads: Advertiser, campaign_id: str) -> str | None:
    try:
        campaign = ads.campaign(campaign_id)
    except Failure as failure:
        if failure.action in (Then.BUSINESS, Then.FATAL):
            return f"is not one of your campaigns: {failure.message}"
        raise
    if campaign.takes_ads:
        return None
    return f"takes no ads at a rate: {campaign.name!r} is {campaign.status}; name another campaign, or none"
