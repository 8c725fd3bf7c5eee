"""The job kind of this capability. When it is tried stands in the configuration, as a timetable."""

from typing import Final

from sluice.jobs.model.kinds import JobKind
from sluice.platform.config.services import EBAY_MARKETING

MARKETPLACE: Final = "ebay"
CREATE = JobKind(
    "promotion.create",
    "sluice.promotions.handler:run",
    frozenset({MARKETPLACE}),
    service=EBAY_MARKETING,
    together=True,
    listed_apart=True,
)
KINDS = (CREATE,)
