"""The one place that opens what a marketplace has of a seller, so that only who calls it loads an HTTP client."""

from sluice.jobs.model.run import Calls
from sluice.marketplaces.publishing import Categories, PolicyReader, Publisher
from sluice.marketplaces.reports import Reports
from sluice.platform.clock import Clock


def open_for(account_id: str, calls: Calls, clock: Clock) -> Publisher:
    """The listings of an account. Opening calls nobody."""
    from sluice.marketplaces.ebay.inventory import Inventory

    return Inventory.open(account_id, calls, clock)


def policies_of(account_id: str, calls: Calls, clock: Clock) -> PolicyReader:
    """The business policies of an account. Opening calls nobody."""
    from sluice.marketplaces.ebay.account import SellerAccount

    return SellerAccount.open(account_id, calls, clock)


def reports_of(account_id: str, calls: Calls, clock: Clock) -> Reports:
    """The reports of an account's live listings. Opening calls nobody."""
    from sluice.marketplaces.ebay.feed import Feed

    return Feed.open(account_id, calls, clock)


def categories_of(account_id: str, calls: Calls, clock: Clock) -> Categories:
    """What categories ask for, as the account's application sees them. Opening calls nobody."""
    from sluice.marketplaces.ebay.taxonomy import Taxonomy

    return Taxonomy.open(account_id, calls, clock)
