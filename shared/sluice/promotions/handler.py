"""One run: place the ads of some of a seller's listings, or give those that are there the rate that is asked for.

```
 check ─────► an ad is there: set its rate
   │          (where no campaign is named, and after an attempt whose answer was lost)
   └► begin ─► make it, with all others of its campaign in one call ┬─ made
                ├─ it exists, 35001: check; found: set its rate
                ├─ refused: as if it had not begun; the engine tries again, or not
                └─ no answer, a killed worker: nobody knows; it stays begun, and the next run checks first
```
Each listing stands alone: what becomes of it is its own job's end.
"""

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import partial
from typing import Any, Final

from sluice.jobs.model.outcomes import Failure, HandlerResult, Then
from sluice.jobs.model.run import Run
from sluice.jobs.queue import finish
from sluice.marketplaces.advertising import Ad, AdResult, Advertiser
from sluice.marketplaces.http.errors import AlreadyExists, DoesNotFit, MarketplaceFailure, NotReady, WrongSite
from sluice.promotions import advertisers, campaigns, wanted
from sluice.promotions.wanted import WantedAd

# eBay's internal error, which it has also been seen to answer for an ad that is there.
INTERNAL: Final = "35001"

MADE: Final = "made"
CHANGED: Final = "changed"
UNCHANGED: Final = "unchanged"


@dataclass
class _Placing:
    """One listing's way. end: its job's, once it is known."""

    run: Run
    ads: Advertiser
    end: HandlerResult | Exception | None = None

    @property
    def wanted(self) -> WantedAd:
        """What is asked for. Raises where the job does not say it."""
        return wanted.of(self.run.payload)

    def step(self, work: Callable[[], HandlerResult | None]) -> None:
        """Do `work`, whose outcome, or failure, is the end; None when there is more to do."""
        try:
            self.end = work()
        except Exception as error:  # noqa: BLE001 - this listing's alone
            self.end = error

    def told(self) -> HandlerResult | Exception:
        """The end, which is known by now."""
        assert self.end is not None  # noqa: S101 - whoever was not found, was begun; whoever was begun, has an answer
        return self.end


def run(runs: Sequence[Run]) -> list[HandlerResult | Exception]:
    """One run of `promotion.create`, of jobs of one account; what became of each.

    A result is `{"outcome": "made" | "changed" | "unchanged", "ad_id", "campaign_id", "rate"}`.
    """
    first = runs[0]
    ads = advertisers.open_for(first.job.account, first.calls, first.clock)
    placings = [_Placing(run, ads) for run in runs]
    for placing in placings:
        placing.step(partial(_check, placing))
    named: dict[str, list[_Placing]] = defaultdict(list)
    unnamed = list[_Placing]()
    for placing in placings:
        if placing.end is None:
            placing.step(partial(_begin, placing))
        if placing.end is None:
            (named[asked] if (asked := placing.wanted.campaign_id) else unnamed).append(placing)
    for campaign_id, open_ in named.items():
        _make(ads, campaign_id, open_)
    _make_where_it_fits(ads, unnamed, first.clock.now())
    return [placing.told() for placing in placings]


def _check(placing: _Placing) -> HandlerResult | None:
    """Where there may be an ad already: if there is, with the rate that is asked for."""
    asked = placing.wanted.campaign_id
    if (placing.run.job.begun or asked is None) and (ad := _find(placing, asked)):
        return _rated(placing, ad)
    return None


def _make_where_it_fits(ads: Advertiser, placings: Sequence[_Placing], now: int) -> None:
    """Ask for each ad in one campaign after the other, until one takes it. The last refusal is the end."""
    wrong_sites: dict[str, set[str]] = defaultdict(set)
    open_ = list(placings)
    try:
        for campaign in campaigns.candidates(ads, now) if open_ else ():
            some = [one for one in open_ if campaign.site not in wrong_sites[one.run.job.job_id]]
            _make(ads, campaign.campaign_id, some)
            for one in some:
                if isinstance(one.end, WrongSite):
                    wrong_sites[one.run.job.job_id].add(campaign.site)
            open_ = [one for one in open_ if one.end is None or isinstance(one.end, DoesNotFit)]
            if not open_:
                return
    except Exception as error:  # noqa: BLE001 - of all that are left: the campaigns that follow could not be tried
        if isinstance(error, Failure):
            error.undone = True
        for one in open_:
            one.end = error
    for one in open_:
        one.end = one.end or NotReady(
            "none of your campaigns takes this ad, and those that Sluice made have ended; start a campaign, or name one"
        )


def _begin(placing: _Placing) -> None:
    """Note that an ad will be asked for."""
    run = placing.run
    finish.begin(run.job, run.payload, run.clock.now())


def _make(ads: Advertiser, campaign_id: str, placings: Sequence[_Placing]) -> None:
    """Ask for the ads of all of `placings`."""
    if not placings:
        return
    try:
        made = ads.create_ads(campaign_id, {one.wanted.listing_id: one.wanted.rate for one in placings})
    except Failure as failure:
        failure.undone = not (isinstance(failure, MarketplaceFailure) and failure.uncertain)
        for placing in placings:
            placing.end = failure
        return
    for placing, result in zip(placings, made, strict=True):
        placing.step(partial(_settle, placing, campaign_id, result))


def _settle(placing: _Placing, campaign_id: str, made: AdResult) -> HandlerResult:
    """What became of one listing's ad.

    Raises:
        MarketplaceFailure: it was not made, as far as is known.
    """
    failure = made.error
    if failure is None:
        ad = Ad(made.ad_id or "", made.listing_id, campaign_id, placing.wanted.rate)
        return _result(MADE, ad, placing.wanted.rate)
    if isinstance(failure, AlreadyExists):
        return _rated(placing, _found(placing, campaign_id))
    if failure.code == INTERNAL and (found := _find(placing, campaign_id)):
        return _rated(placing, found)
    failure.undone = not (failure.uncertain or failure.code == INTERNAL)
    raise failure


def _find(placing: _Placing, campaign_id: str | None) -> Ad | None:
    """The listing's ad: in this campaign, or in any that is not over."""
    ads, listing_id = placing.ads, placing.wanted.listing_id
    if campaign_id:
        return next(iter(ads.ads(listing_id, campaign_id)), None)
    return next((ad for ad in ads.ads(listing_id) if _takes_ads(ads, ad.campaign_id)), None)


def _takes_ads(ads: Advertiser, campaign_id: str) -> bool:
    try:
        return ads.campaign(campaign_id).takes_ads
    except MarketplaceFailure as failure:
        if failure.action is Then.SNOOZE or failure.action is Then.RETRY:
            raise
        return False  # it is gone, and with it what its ads could stand in the way of


def _found(placing: _Placing, campaign_id: str) -> Ad:
    """The ad that the marketplace says there is. A listing has one in all campaigns that are paid by sale."""
    if ad := _find(placing, campaign_id) or _find(placing, None):
        return ad
    raise NotReady("the marketplace says that the listing has an ad, and does not show it yet")


def _rated(placing: _Placing, ad: Ad) -> HandlerResult:
    """The ad with the rate that is asked for."""
    rate = placing.wanted.rate
    if ad.rate == rate:
        return _result(UNCHANGED, ad, rate)
    placing.ads.set_rate(ad.campaign_id, ad.listing_id, rate)
    return _result(CHANGED, ad, rate)


def _result(outcome: str, ad: Ad, rate: Decimal) -> dict[str, Any]:
    return {"outcome": outcome, "ad_id": ad.ad_id, "campaign_id": ad.campaign_id, "rate": str(rate)}
