"""The job kinds of this capability."""

from sluice.jobs.kinds import JobKind, register

REFRESH = register(
    JobKind(
        name="market.refresh",
        handler="sluice.market.refresh:run",
        marketplaces=frozenset({"stockx", "alias", "ebay"}),
    )
)
