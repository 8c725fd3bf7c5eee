"""Every call that the Marketing adapter makes."""

from collections.abc import Callable
from decimal import Decimal

from sluice.marketplaces.accounts.session import Session
from sluice.marketplaces.ebay.access import sign
from sluice.marketplaces.ebay.marketing import Marketing
from sluice.marketplaces.ebay.quota import Quota
from sluice.marketplaces.http.transport import Transport
from tests.support.clock import VirtualClock
from tests.unit.marketplaces.fakes import NOON, BudgetLog, Network, Ready
from tests.unit.marketplaces.marketing_answers import LISTING

RATE = Decimal("5.5")
# Each public method with what it is asked for: one call, to a seller who has nothing.
CALLS: dict[str, Callable[[Marketing], object]] = {
    "campaign": lambda marketing: marketing.campaign("8036117041"),
    "running_campaigns": lambda marketing: marketing.running_campaigns(),
    "campaign_named": lambda marketing: marketing.campaign_named("Sluice & söhne"),
    "create_campaign": lambda marketing: marketing.create_campaign("Sluice", NOON),
    "ads": lambda marketing: marketing.ads(LISTING),
    "ads of a campaign": lambda marketing: marketing.ads(LISTING, "8036117041"),
    "create_ads": lambda marketing: marketing.create_ads("8036117041", {LISTING: RATE}),
    "create_ads of several": lambda marketing: marketing.create_ads("1", {LISTING: RATE, "11": RATE}),
    "set_rate": lambda marketing: marketing.set_rate("8036117041", LISTING, RATE),
}


def open_marketing(network: Network) -> Marketing:
    """The adapter, with a token and an endless budget."""
    clock = VirtualClock(NOON)
    api, calls = Transport("ebay", "http://api.test", clock, wire=network), BudgetLog()
    return Marketing(Session(api, Ready(), sign, calls), Quota(api, Ready(), sign, clock), calls, clock)
