"""How old prices and products may be: the section `prices` of the configuration. Pure."""

from dataclasses import dataclass

from sluice.platform.clock import DAY, HOUR, MINUTE
from sluice.platform.config.section import YEAR, number


@dataclass(frozen=True)
class Prices:
    """Every number of prices that an operator may change. Times are milliseconds.

    freshness_ms: a price younger than this is not fetched again unless a manual request forces it.
    stale_ms: a price older than this is fetched again when its owner looks at it.
    catalog_age_ms: a product that was looked up longer ago than this is looked up again: by an enrichment, and by a
        refresh of a size that it does not have.
    """

    freshness_ms: int = number(10 * MINUTE, least=0, most=YEAR)
    stale_ms: int = number(HOUR, least=MINUTE, most=YEAR)
    catalog_age_ms: int = number(7 * DAY, least=HOUR, most=YEAR)
