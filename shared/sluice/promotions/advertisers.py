"""The one place that opens a marketplace's ads, so that only who calls it loads an HTTP client."""

from sluice.jobs.model.run import Calls
from sluice.marketplaces.advertising import Advertiser
from sluice.platform.clock import Clock


def open_for(account_id: str, calls: Calls, clock: Clock) -> Advertiser:
    """The ads of an account. Opening calls nobody."""
    from sluice.marketplaces.ebay.marketing import Marketing

    return Marketing.open(account_id, calls, clock)
