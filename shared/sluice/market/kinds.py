"""The job kinds of this capability."""

from sluice.jobs.kinds import JobKind, register
from sluice.pricing.kinds import REFRESH

__all__ = ["ENRICH", "REFRESH"]

ENRICH = register(
    JobKind(
        name="catalog.enrich",
        handler="sluice.market.enrich:run",
        marketplaces=frozenset({"stockx", "alias"}),
    )
)
