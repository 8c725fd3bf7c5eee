"""The job kind of the catalog: look a product up again."""

from sluice.jobs.model.kinds import JobKind

ENRICH = JobKind(
    name="catalog.enrich",
    handler="sluice.catalog.handler:run",
    marketplaces=frozenset({"stockx", "alias"}),
)
KINDS = (ENRICH,)
