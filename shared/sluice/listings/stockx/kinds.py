"""The job kinds of this capability: one for each action on a listing, one for a batch of them, and one that finds out
what became of changes that their jobs have left."""

from sluice.jobs.model import keys
from sluice.jobs.model.backoff import Backoff
from sluice.jobs.model.kinds import JobKind
from sluice.listings.stockx.changes import Action
from sluice.platform.clock import MINUTE, SECOND

MARKETPLACE = "stockx"
MARKETPLACES = frozenset({MARKETPLACE})
_BACKOFF = Backoff(base_ms=20 * SECOND, cap_ms=5 * MINUTE)


def kind_name(action: Action) -> str:
    """The job kind that does `action`: `listing.create`."""
    return f"listing.{action.lower()}"


def _kind(name: str, handler: str) -> JobKind:
    return JobKind(name, handler, MARKETPLACES, backoff=_BACKOFF, failure_is_final=True)


SINGLE = {action: _kind(kind_name(action), "sluice.listings.stockx.handler:run") for action in Action}
BATCH = _kind("listing.batch", "sluice.listings.stockx.batch:run")
CHECK = JobKind("listing.check", "sluice.listings.stockx.check:run", MARKETPLACES, backoff=_BACKOFF)
KINDS = (*SINGLE.values(), BATCH, CHECK)


def check_id(job_id: str, *more: str) -> str:
    """The job that checks what the job `job_id` has left: one for each listing, and for each batch."""
    return keys.job_id(CHECK.name, *keys.job_parts(job_id)[1:], *more)
