"""The job kind of a fresh price."""

from sluice.jobs.model.kinds import JobKind

REFRESH = JobKind(
    name="market.refresh",
    handler="sluice.prices.handler:run",
    marketplaces=frozenset({"stockx", "alias", "ebay"}),
)
KINDS = (REFRESH,)
