"""The job kind of a fresh price. It stands here and not with what runs it, for every capability that asks for one."""

from sluice.jobs.kinds import JobKind, register

REFRESH = register(
    JobKind(
        name="market.refresh",
        handler="sluice.market.refresh:run",
        marketplaces=frozenset({"stockx", "alias", "ebay"}),
    )
)
