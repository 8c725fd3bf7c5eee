"""The job kind of a fresh price. It stands here and not with what runs it, for every capability that asks for one."""

from sluice.jobs.model.kinds import JobKind, register

REFRESH = register(
    JobKind(
        name="market.refresh",
        handler="sluice.prices.handler:run",
        marketplaces=frozenset({"stockx", "alias", "ebay"}),
    )
)
