"""A seller's business policies: by name in records, by id at eBay. Read once in a while, and followed when they change.

```
 publish ─► names a policy ┬ known ──────────────────► its id
                           ├ never read, or long ago ─► seller.policies reads them; the publish comes back, or goes on
                           └ there is none of it ─────► refused, by the name of our field
 seller.policies ─► read all of a site ─► changed? ─► the records that use it are published again
                                          gone? ────► a case of each record that uses it
```
"""

from collections.abc import Iterator
from typing import Final

from sluice.jobs import ask
from sluice.jobs.model import keys
from sluice.jobs.model.outcomes import Failure, HandlerResult, Then
from sluice.jobs.model.run import Run
from sluice.listings.ebay import following, publishers, sellers, table, wishes
from sluice.listings.ebay.desired import FieldGroup, Policies, PolicyIds, Status
from sluice.listings.ebay.facts import Facts
from sluice.listings.ebay.plan import Unsure
from sluice.listings.ebay.sellers import KnownPolicies
from sluice.listings.ebay.table import Record
from sluice.marketplaces.publishing import POLICY_KINDS
from sluice.platform import tables
from sluice.platform.clock import SECOND
from sluice.platform.config.document import Config
from sluice.platform.http.paging import Place

# A publish that needs policies which are being read comes back after this.
READ_MS: Final = 10 * SECOND
# Records read at a time where a policy has changed.
PAGE: Final = 200
# The class of the case of a record whose policy is gone.
GONE: Final = "policy_gone"


class PoliciesUnread(Failure):
    """The seller's policies are being read."""

    action = Then.SNOOZE
    code = "policies_unread"


class PolicyUnknown(Failure):
    """The seller has no such policy on this site. The message begins with our field."""

    action = Then.BUSINESS
    code = "policy_unknown"


def ids(run: Run, record: Record, facts: Facts) -> PolicyIds:
    """The ids of the policies that a record names.

    Raises:
        PoliciesUnread: they are being read; the job comes back.
        PolicyUnknown: the seller has none of this name on this site.
    """
    account, now, site = run.job.account, run.clock.now(), record.marketplace
    wanted: Policies = record.wanted.policies
    known = facts.policies(site)
    is_old = known is None or now - known.read_at > run.config.ebay.policy_minutes * 60 * SECOND
    if is_old:
        facts.once("policies", site, ask=lambda: read_anew(keys.tenant_of(account), site, now, run.config))
    if all(ref.id for ref in wanted):
        return PolicyIds(*(str(ref.id) for ref in wanted))
    if known is None:
        raise PoliciesUnread(f"the policies of {site} are being read", retry_at=now + READ_MS)
    found = known.ids(wanted)
    if isinstance(found, PolicyIds):
        return found
    if known.read_at < run.job.created_at:
        # It may have been made since.
        read_anew(keys.tenant_of(account), site, now, run.config)
        raise PoliciesUnread(f"the policies of {site} are being read anew", retry_at=now + READ_MS)
    gone = "; ".join(f"{one.field} {one.named!r} is not one of your policies on {site}" for one in found)
    raise PolicyUnknown(f"{gone}: choose one that there is")


def read_anew(tenant: str, site: str, now: int, config: Config, priority: int = keys.HOT) -> str:
    """Have a seller's policies read; the job's id. However many ask, they are read once."""
    return ask.want(wishes.policies(tenant, site, priority), now, config).job_id


def refresh(run: Run) -> HandlerResult:
    """One run of `seller.policies`: read them all, and follow what has changed.

    The result is `{"read", "changed", "published", "cases"}`, each a number.
    """
    account, site, now = run.job.account, run.payload["site"], run.clock.now()
    before, api = sellers.known(account, site), publishers.policies_of(account, run.calls, run.clock)
    found = {kind: api.policies(kind, site) for kind in POLICY_KINDS}
    after = sellers.of_policies(found, now)
    changed = _changed(before, after)
    # Followed before it is kept: a run that is broken in between finds the same change again.
    published, opened = _follow(run, after, changed) if changed else (0, 0)
    sellers.remember(account, site, after)
    count = sum(len(rows) for rows in found.values())
    return {"read": count, "changed": len(changed), "published": published, "cases": opened}


def _changed(before: KnownPolicies | None, after: KnownPolicies) -> frozenset[str]:
    """The ids of policies that are new, gone, or of another content. None of those that are read first."""
    if before is None:
        return frozenset()
    old, new = before.digests(), after.digests()
    return frozenset(name for name in old.keys() | new.keys() if old.get(name) != new.get(name))


def _follow(run: Run, after: KnownPolicies, changed: frozenset[str]) -> tuple[int, int]:
    """Have the records published again that use what has changed, and open a case of those whose policy is gone.

    Returns how many there are of each.
    """
    tenant, site = keys.tenant_of(run.job.account), run.payload["site"]
    published = opened = 0
    for record in published_records(tenant, site):
        found = after.ids(record.wanted.policies)
        if not isinstance(found, PolicyIds):
            for one in found:
                following.open_case(record, GONE, [FieldGroup.POLICIES], run.clock.now(), one.named)
            opened += 1
        elif record.policies != found or changed & set(found):
            _publish_again(run, record)
            published += 1
    return published, opened


def published_records(tenant: str, site: str | None = None) -> Iterator[Record]:
    """The tenant's published records that are not ended: of a site, or of all."""
    after: Place | None = None
    wanted = Record.published.exists() & (Record.status != str(Status.ENDED))
    if site is not None:
        wanted &= Record.marketplace == site
    while True:
        page = table.page(tenant, PAGE, after, wanted)
        yield from page
        if (after := page.next) is None:
            return


def _publish_again(run: Run, record: Record) -> None:
    """eBay is sent the policies once more: nobody promises that a live listing follows its policy by itself."""
    now, unsure = run.clock.now(), Unsure(frozenset({FieldGroup.POLICIES}))
    kept = (Unsure.of(record.unsure) | unsure).stored()
    tables.update(Record, [record.tenant, record.sku], [Record.unsure.set(kept)], Record.version.exists())
    wish = wishes.publish(
        *record.subject, "policies", now + run.config.ebay.coalesce_seconds * SECOND, event="policy_change"
    )
    ask.want(wish, now, run.config)
