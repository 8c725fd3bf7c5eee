"""The places that a seller sends goods from: read once in a while, like policies, and followed when one is gone.

```
 publish ─► never read, or long ago ─► seller.locations reads them; nobody waits for it
 PUT ─────► none of this key, or disabled, as eBay last told ─► refused, by the name of our field
 seller.locations ─► gone, or disabled? ─► a case of each record that uses it
```
A listing names a place by its key, so a place whose address has changed needs nothing sent.
"""

from typing import Final

from sluice.jobs import ask
from sluice.jobs.model import keys
from sluice.jobs.model.outcomes import HandlerResult
from sluice.jobs.model.run import Run
from sluice.listings.ebay import following, policies, publishers, sellers, wishes
from sluice.listings.ebay.desired import FieldGroup
from sluice.listings.ebay.sellers import Places
from sluice.platform.clock import MINUTE
from sluice.platform.config.document import Config

# The class of the case of a record whose place is gone.
GONE: Final = "location_gone"


def keep_fresh(run: Run) -> None:
    """Have the places read where they never were, or too long ago."""
    account, now = run.job.account, run.clock.now()
    known = sellers.places(account)
    if known is None or now - known.read_at > run.config.ebay.policy_minutes * MINUTE:
        read_anew(keys.tenant_of(account), now, run.config)


def read_anew(tenant: str, now: int, config: Config, priority: int = keys.HOT) -> str:
    """Have a seller's places read; the job's id. However many ask, they are read once."""
    return ask.want(wishes.locations(tenant, priority), now, config).job_id


def refresh(run: Run) -> HandlerResult:
    """One run of `seller.locations`: read them all, and open a case where one is gone that is used.

    The result is `{"read", "gone", "cases"}`, each a number.
    """
    account, now = run.job.account, run.clock.now()
    before = sellers.places(account)
    after = Places.of(publishers.open_for(account, run.calls, run.clock).locations(), now)
    gone = before.usable - after.usable if before else frozenset()
    # Followed before it is kept: a run that is broken in between finds the same again.
    opened = _open_cases(run, gone) if gone else 0
    sellers.remember_places(account, after)
    return {"read": len(after.rows), "gone": len(gone), "cases": opened}


def _open_cases(run: Run, gone: frozenset[str]) -> int:
    opened = 0
    for record in policies.published_records(keys.tenant_of(run.job.account)):
        if (key := record.wanted.location) in gone:
            following.open_case(record, GONE, [FieldGroup.POLICIES], run.clock.now(), key)
            opened += 1
    return opened
