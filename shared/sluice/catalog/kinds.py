"""The job kinds of this capability."""

from sluice.jobs.model.kinds import JobKind, register
from sluice.prices.kinds import REFRESH

__all__ = ["ENRICH", "REFRESH"]

ENRICH = register(
    JobKind(
        name="catalog.enrich",
        handler="sluice.catalog.handler:run",
        marketplaces=frozenset({"stockx", "alias"}),
    )
)
