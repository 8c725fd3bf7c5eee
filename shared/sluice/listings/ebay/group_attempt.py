"""One run of `listing.publish` for a group: several skus that are one listing, with one job and one count of revisions.

```
 members ─► planned together (`group_plan`)
            ├ price and quantity alone, of any of them ─► [prices] 25 in a call
            └ more ─► [item][offer] of each ─► [group] where it differs ─► [check][publish] where one is new
 look at each member ─► each member's own transaction ─► the group's, last: it says that all of them are done
```
A crash leaves the notes of those that were not written, whose calls the next attempt makes again.
"""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from pynamodb.expressions.update import Action as Update

from sluice.jobs.model.outcomes import Failure, HandlerResult
from sluice.jobs.model.run import Run
from sluice.listings.ebay import attempt as attempts
from sluice.listings.ebay import (
    categories,
    documents,
    endings,
    hashes,
    known,
    log_rows,
    moving,
    policies,
    promoting,
    same_seller,
    snapshots,
    steps,
    sync_log,
    table,
)
from sluice.listings.ebay import echo as echoes
from sluice.listings.ebay.attempt import NO_POLICIES, Attempt, AttemptSuperseded
from sluice.listings.ebay.desired import Group, Json, Status
from sluice.listings.ebay.facts import Facts
from sluice.listings.ebay.group_plan import GroupPlan, Member, needs_policies, over, plan_group
from sluice.listings.ebay.plan import Step, Unsure
from sluice.listings.ebay.table import ENDED, LIVE, OUT_OF_STOCK, Record
from sluice.marketplaces.publishing import Publisher, Warned
from sluice.platform import tables
from sluice.platform.clock import DAY
from sluice.platform.days import PACIFIC, Day
from sluice.platform.packing import pack


@dataclass
class GroupAttempt:
    """One attempt. record: the group's, as it was read. members: an attempt of each, those that have ended too.

    waiting: members that are left alone, because another group has them at eBay still: by sku, its key.
    live: its listing is for sale. made: the group's own calls that were made, for the sync log.
    """

    run: Run
    record: Record
    group: Group
    plan: GroupPlan
    members: Sequence[Attempt]
    waiting: Mapping[str, str] = field(default_factory=dict)
    live: bool = False
    listing_id: str | None = None
    warnings: list[Warned] = field(default_factory=list)
    made: list[Json] = field(default_factory=list)

    @property
    def logged(self) -> list[Json]:
        """Every call that was made, as the sync log keeps it."""
        return [{**call, "sku": one.want.sku} for one in self.members for call in one.calls] + self.made

    @property
    def calls(self) -> tuple[Step, ...]:
        """The group's own, in their order."""
        return self.plan.calls

    @property
    def body(self) -> Json:
        """What the group is sent."""
        return self.plan.body

    @property
    def token(self) -> str:
        """Who makes it; see `Attempt.token`."""
        return attempts.token(self.run.job)

    @property
    def open(self) -> list[Attempt]:
        """The members with calls of their own."""
        return [one for one in self.members if one.plan.steps]

    @property
    def checked(self) -> list[Attempt]:
        """The member by which the listing is read before it is published; none where that is not planned."""
        return [one for one in self.members if one.record.sku == self.plan.checked]

    @property
    def steps(self) -> list[str]:
        """Every call, as the sync log names it."""
        own = [f"{step} {one.want.sku}" for one in self.open for step in one.plan.steps]
        return [*own, *map(str, self.calls)]


def begin(run: Run, record: Record, facts: Facts) -> GroupAttempt:
    """Read the members, and plan. facts: of the seller.

    Raises:
        ListingGone: it has ended at eBay, and nobody has decided about that yet.
    """
    group, now = record.wanted_group, run.clock.now()
    found = table.find_many(record.owner, sorted(record.members or ()))
    own = [one for _, one in sorted(found.items()) if one.group == group.key]
    waiting = moving.holders(record.owner, own)
    rows = [one for one in own if one.sku not in waiting]
    members = [_member(run, one, group, facts) for one in rows]
    there = known.of_group(record, now)
    if sku := over(group, there, members):
        raise endings.ended(sku)
    if group.status is not Status.ENDED and not there.unsure.listing:
        for row, member in zip(rows, members, strict=True):
            if not member.known.live and member.want.status is not Status.ENDED:
                same_seller.unless_taken(facts, row)
                category = facts.category(member.want.marketplace, member.want.category)
                categories.unless_unfit(category, member.want, group.aspects)
    plan = plan_group(group, there, members)
    live = there.for_sale
    made = list[Attempt]()
    for row, member, planned in zip(rows, members, plan.members, strict=True):
        attempt = attempts.begin(run, row, member.want, member.known)
        attempt.policies, attempt.plan, attempt.live = member.policies, planned, live and member.known.live
        made.append(attempt)
    return GroupAttempt(run, record, group, plan, made, waiting, live=live, listing_id=record.listing_id)


def _member(run: Run, found: Record, group: Group, facts: Facts) -> Member:
    there, want = known.of_record(found, run.clock.now()), found.wanted
    if needs_policies(group, want, there):
        return Member(want, policies.ids(run, found, facts), there)
    return Member(want, there.policies or NO_POLICIES, there)


def write(attempt: GroupAttempt, publisher: Publisher) -> HandlerResult:
    """All calls are made: look at what came of them, and write it.

    Raises:
        AttemptSuperseded: another attempt has begun meanwhile.
    """
    for one in attempt.members:
        _write_member(attempt, one, publisher)
    return _write_group(attempt)


def note(attempt: GroupAttempt) -> None:
    """Before the first call; see `attempt.note`. What it costs is counted for the group, whose listing it is."""
    record, now = attempt.record, attempt.run.clock.now()
    for one in attempt.open:
        attempts.note(one)
    own = attempt.plan.unsure | Unsure.of(record.unsure)
    actions: list[Update] = [Record.unsure.set(own.stored()), Record.run.set(attempt.token)]
    if Step.GROUP in attempt.calls:
        actions.append(Record.held.add(set(attempt.body["variantSKUs"])))
    if attempt.live:
        total, details = record.revised(now)
        spent = attempt.plan.revisions
        actions += [
            Record.revision_day.set(Day.at(now, PACIFIC).name),
            Record.revisions.set(total + spent),
            Record.detail_revisions.set(details + spent),
        ]
    attempt.record = tables.update(Record, [record.tenant, record.sku], actions, Record.version.exists())


def _write_member(attempt: GroupAttempt, one: Attempt, publisher: Publisher) -> None:
    """What became of a member: nothing where nothing was to be done, and its record says so already."""
    ending = one.plan.sends.status is Status.ENDED
    live = attempt.live and not ending
    if not one.plan.steps and one.record.is_published and one.record.is_for_sale == live:
        return
    if not one.plan.steps:
        attempts.note(one)
    if live or not attempt.live:  # one that has ended before it was ever for sale is not in a listing that is
        one.listing_id = attempt.listing_id
    one.live = live
    promoting.ask(one)
    # Where eBay has warned, a member may have been left out.
    published = Step.PUBLISH in attempt.calls and one.plan.sends.shown_quantity > 0 and not attempt.warnings
    echo = None if ending else steps.read_back(one, publisher, published=published)
    settled = published or Step.WITHDRAW in attempt.calls
    attempts.done(one, echo, attempt.run.payload.get("event", "publish"), settled=settled)
    if echo and echo.standing == echoes.UNLISTED and attempt.live:
        _left_out(attempt, one)


def _left_out(attempt: GroupAttempt, one: Attempt) -> None:
    """eBay has published the others, and of this one said only in a warning why it is not among them."""
    said = "; ".join(warned.message for warned in attempt.warnings) or "it does not say why"
    failure = endings.LeftOut(f"eBay has published the group without this one: {said}")
    error = log_rows.error_of(attempt.run, one.record, failure)
    tables.update(Record, [one.record.tenant, one.record.sku], [Record.error.set(error)], Record.version.exists())


def _write_group(attempt: GroupAttempt) -> HandlerResult:
    run, record, now = attempt.run, attempt.record, attempt.run.clock.now()
    result: dict[str, Any] = {
        "outcome": "published" if attempt.steps else "unchanged",
        "steps": attempt.steps,
        "version": record.version,
        "listing_id": attempt.listing_id,
    }
    entry = _entry(run, record, attempt, "done" if attempt.steps else "nothing", None)
    if not attempt.steps and record.is_published:
        entry.save()
        attempts.forget_error(record)
        return result
    if not attempt.steps:
        note(attempt)
    document = documents.group_document(attempt.group)
    said = log_rows.said(attempt.warnings)
    event = run.payload.get("event", "publish")
    added = snapshots.new(attempt.record, document, event, now, listing_id=attempt.listing_id, warnings=said)
    listed = LIVE if any(one.plan.sends.shown_quantity for one in attempt.members) else OUT_OF_STOCK
    standing = listed if attempt.live else ENDED if attempt.listing_id else None
    actions: list[Update] = [
        Record.published.set(pack(document)),
        Record.published_at.set(now),
        Record.published_version.set(record.version),
        Record.published_hash.set(record.record_hash),
        Record.hashes.set({"body": hashes.of_body(attempt.body)}) if attempt.body else Record.hashes.remove(),
        Record.standing.set(standing) if standing else Record.standing.remove(),
        Record.warnings.set(said) if said else Record.warnings.remove(),
        *(attribute.remove() for attribute in (Record.unsure, Record.error, Record.run, Record.restored_at)),
    ]
    if Step.GROUP in attempt.calls:
        actions.append(Record.held.set(set(attempt.body["variantSKUs"])))
    if Step.WITHDRAW in attempt.calls:
        actions.append(Record.held.remove())
    if attempt.listing_id:
        actions.append(Record.listing_id.set(attempt.listing_id))
    try:
        snapshots.store(added, record, actions, now, run.config.ebay, run=attempt.token, entry=entry)
    except tables.ConditionFailed as failed:
        raise AttemptSuperseded from failed
    return result


def _entry(
    run: Run, record: Record, attempt: GroupAttempt | None, result: str, failure: Failure | None
) -> sync_log.SyncEntry:
    """An entry of the sync log. Each member has its own besides, where it was written."""
    said = [{"code": failure.code, "message": failure.message[: log_rows.MESSAGE_CHARACTERS]}] if failure else []
    return sync_log.entry(
        record,
        job_id=run.job.job_id,
        attempt=run.job.attempts,
        at=run.clock.now(),
        planned=attempt.steps if attempt else [],
        calls=attempt.logged if attempt else [],
        result=result,
        said=said,
        error_id=failure.code if failure and failure.code.isdecimal() else None,
        keep_ms=run.config.ebay.sync_log_days * DAY,
    )


def failed(run: Run, record: Record, attempt: GroupAttempt | None, failure: Failure) -> None:
    """Keep why an attempt did not succeed."""
    _entry(run, record, attempt, log_rows.result_of(failure), failure).save()
    error = log_rows.error_of(run, record, failure)
    with suppress(tables.ConditionFailed):
        tables.update(Record, [record.tenant, record.sku], [Record.error.set(error)], Record.version.exists())
    if error["final"] and attempt:
        # No more is sent: whoever looks at its listings sees what is there.
        for one in (attempt.record, *(member.record for member in attempt.open)):
            with suppress(tables.ConditionFailed):
                tables.update(Record, [one.tenant, one.sku], [Record.run.remove()], Record.run == one.run)
