"""The job kind of the catalog: look a product up again."""

from sluice.jobs.model.kinds import JobKind, register

ENRICH = register(
    JobKind(
        name="catalog.enrich",
        handler="sluice.catalog.handler:run",
        marketplaces=frozenset({"stockx", "alias"}),
    )
)
