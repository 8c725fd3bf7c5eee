"""One run: place the ad of a listing, or give the one that is there the rate that is asked for.

```
 look ──────► an ad is there: set its rate
   │          (where no campaign is named, and after an attempt whose answer was lost)
   └► begin ─► make it ┬─ made
                       ├─ it exists, 35001: look; found: set its rate
                       ├─ refused: as if it had not begun; the engine tries again, or not
                       └─ no answer, a killed worker: nobody knows; it stays begun, and the next run looks first
```
"""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from sluice.jobs import finish
from sluice.jobs.outcomes import Failure, Outcome
from sluice.jobs.runner import Run
from sluice.marketplaces.advertising import Ad, Advertiser
from sluice.marketplaces.errors import AlreadyExists, MarketplaceFailure, NotReady
from sluice.promotions import advertisers, campaigns, wanted
from sluice.promotions.wanted import Wanted

# eBay's internal error, which it has also been seen to answer for an ad that is there.
INTERNAL: Final = "35001"

MADE: Final = "made"
CHANGED: Final = "changed"
UNCHANGED: Final = "unchanged"


@dataclass(frozen=True)
class _Placing:
    run: Run
    ads: Advertiser
    wanted: Wanted


def run(run: Run) -> Outcome:
    """One run of `promotion.place`.

    The result is `{"outcome": "made" | "changed" | "unchanged", "ad_id", "campaign_id", "rate"}`.

    Raises:
        Failure: the ad could not be placed; its action says what follows.
    """
    asked = wanted.of(run.payload)
    placing = _Placing(run, advertisers.open_for(run.job.account, run.calls, run.clock), asked)
    if (run.job.begun or asked.campaign_id is None) and (ad := _find(placing, asked.campaign_id)):
        return _rated(placing, ad)
    campaign_id = asked.campaign_id or campaigns.choose(placing.ads, run.clock.now()).campaign_id
    finish.begin(run.job, run.payload, run.clock.now())
    try:
        ad_id = _make(placing, campaign_id)
    except AlreadyExists:
        return _rated(placing, _found(placing, campaign_id))
    except MarketplaceFailure as failure:
        if failure.code == INTERNAL and (ad := _find(placing, campaign_id)):
            return _rated(placing, ad)
        failure.undone = not (failure.uncertain or failure.code == INTERNAL)
        raise
    except Failure as failure:
        failure.undone = True  # the call was not made
        raise
    return _result(MADE, Ad(ad_id, asked.listing_id, campaign_id, asked.rate), asked.rate)


def _make(placing: _Placing, campaign_id: str) -> str:
    """Make the ad; its id. Raises what the marketplace answers."""
    [made] = placing.ads.create_ads(campaign_id, {placing.wanted.listing_id: placing.wanted.rate})
    if made.error:
        raise made.error
    return made.ad_id or ""


def _find(placing: _Placing, campaign_id: str | None) -> Ad | None:
    """The listing's ad: in this campaign, or in any that is not over."""
    ads, listing_id = placing.ads, placing.wanted.listing_id
    if campaign_id:
        return next(iter(ads.ads(listing_id, campaign_id)), None)
    return next((ad for ad in ads.ads(listing_id) if ads.campaign(ad.campaign_id).takes_ads), None)


def _found(placing: _Placing, campaign_id: str) -> Ad:
    """The ad that the marketplace says there is. A listing has one in all campaigns that are paid by sale."""
    if ad := _find(placing, campaign_id) or _find(placing, None):
        return ad
    raise NotReady("the marketplace says that the listing has an ad, and does not show it yet")


def _rated(placing: _Placing, ad: Ad) -> Outcome:
    """The ad with the rate that is asked for."""
    rate = placing.wanted.rate
    if ad.rate == rate:
        return _result(UNCHANGED, ad, rate)
    placing.ads.set_rate(ad.campaign_id, ad.listing_id, rate)
    return _result(CHANGED, ad, rate)


def _result(outcome: str, ad: Ad, rate: Decimal) -> dict[str, Any]:
    return {"outcome": outcome, "ad_id": ad.ad_id, "campaign_id": ad.campaign_id, "rate": str(rate)}
