"""The one place that opens a seller's listings at the marketplace, so that only who calls it loads an HTTP client."""

from sluice.jobs.model.run import Calls
from sluice.marketplaces.selling import Seller
from sluice.platform.clock import Clock


def open_for(account_id: str, calls: Calls, clock: Clock) -> Seller:
    """The listings of an account. Opening calls nobody; there is nothing to close."""
    from sluice.marketplaces.stockx.selling import Selling

    return Selling.open(account_id, calls, clock)
