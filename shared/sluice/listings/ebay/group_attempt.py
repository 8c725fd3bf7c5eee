"""One run of `listing.publish` for a group: several skus that are one listing, with one job and one count of revisions.

```
 members ─► each is planned like a sku, but for its publication
            ├ price and quantity alone, of any of them ─► [prices] 25 in a call
            └ more ─► [item][offer] of each ─► [group] where it differs ─► [publish] where it, or a member, is new
 look at each member ─► each member's own transaction ─► the group's, last: it says that all of them are done
```
A member that has ended stays in a live listing, with nothing to buy: eBay lets none go that has sold. A crash leaves
the notes of those that were not written, whose calls the next attempt makes again.
"""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any

from pynamodb.expressions.update import Action as Update

from sluice.jobs.model.outcomes import Failure, HandlerResult
from sluice.jobs.model.run import Run
from sluice.listings.ebay import attempt as attempts
from sluice.listings.ebay import documents, hashes, policies, projection, snapshots, steps, sync_log, table
from sluice.listings.ebay.attempt import NO_POLICIES, Attempt, Superseded
from sluice.listings.ebay.desired import Desired, Group, Status
from sluice.listings.ebay.plan import Plan, Step, Unsure, plan
from sluice.listings.ebay.table import ENDED, LIVE, ON_HOLD, OUT_OF_STOCK, Record
from sluice.marketplaces.publishing import MOST_PRICES, PriceResult, Publisher
from sluice.platform import tables
from sluice.platform.clock import DAY
from sluice.platform.days import PACIFIC, Day
from sluice.platform.packing import pack


@dataclass
class GroupAttempt:
    """One attempt. record: the group's, as it was read. members: an attempt of each, those that have ended too.

    calls: the group's own, in their order. live: its listing is for sale.
    """

    run: Run
    record: Record
    group: Group
    members: Sequence[Attempt]
    calls: tuple[Step, ...] = ()
    live: bool = False
    listing_id: str | None = None
    body: dict[str, Any] = field(default_factory=dict)

    @property
    def token(self) -> str:
        """Who makes it; see `Attempt.token`."""
        return f"{self.run.job.job_id}#{self.run.job.created_at}#{self.run.job.lease}"

    @property
    def open(self) -> list[Attempt]:
        """The members with calls of their own."""
        return [one for one in self.members if one.plan.steps]

    @property
    def steps(self) -> list[str]:
        """Every call, as the sync log names it."""
        own = [f"{step} {one.want.sku}" for one in self.open for step in one.plan.steps]
        return [*own, *map(str, self.calls)]


def begin(run: Run, record: Record) -> GroupAttempt:
    """Read the members, and plan."""
    group, now = record.wanted_group, run.clock.now()
    live = record.standing in (LIVE, OUT_OF_STOCK, ON_HOLD) and not Unsure.of(record.unsure).listing
    ending = group.status is Status.ENDED
    found = table.find_many(record.owner, sorted(record.members or ()))
    members = [_member(run, one, record, ending=ending, live=live, now=now) for _, one in sorted(found.items())]
    attempt = GroupAttempt(run, record, group, members, live=live, listing_id=record.listing_id)
    if ending:
        there = live or Unsure.of(record.unsure).listing
        attempt.calls = (Step.WITHDRAW,) if there else ()
        return attempt
    listed = [one.plan.sends for one in members if one.plan.sends.status is not Status.ENDED]
    attempt.body = projection.group_body(group, listed) if listed else {}
    attempt.calls = tuple(_calls(attempt, listed))
    return attempt


def _member(run: Run, found: Record, of: Record, *, ending: bool, live: bool, now: int) -> Attempt:
    """A member's attempt: planned like a sku, whose publication is the group's."""
    known = attempts.known(found, now)
    known = replace(known, live=live and known.published is not None, revisions=of.revised(now)[0])
    want = found.wanted
    if want.status is Status.ENDED and known.live and not ending:
        want = replace(want, status=Status.PAUSED)
    attempt = attempts.begin(run, found, want, known)
    if ending or want.status is Status.ENDED:
        attempt.policies = known.policies or NO_POLICIES
        attempt.plan = Plan((), want)
        return attempt
    attempt.policies = policies.ids(run, found)
    planned = plan(want, attempt.policies, known)
    attempt.plan = replace(planned, steps=tuple(step for step in planned.steps if step is not Step.PUBLISH))
    return attempt


def _calls(attempt: GroupAttempt, listed: Sequence[Desired]) -> Iterator[Step]:
    """The group's own calls."""
    if not listed:
        return
    new = any(one.record.published is None for one in attempt.open)
    before = (attempt.record.hashes or {}).get("body")
    if before != hashes.of_body(attempt.body) or Unsure.of(attempt.record.unsure).groups or new or not attempt.live:
        yield Step.GROUP
    if (new or not attempt.live) and any(one.shown_quantity for one in listed):
        yield Step.PUBLISH


def take(attempt: GroupAttempt, publisher: Publisher) -> HandlerResult:
    """Make every call, look at what came of them, and write it.

    Raises what `steps.take` raises.
    """
    if attempt.calls or attempt.open:
        _note(attempt)
    speaking = publisher.speaking(attempt.group.language)
    quick = [one for one in attempt.open if one.plan.is_quick]
    for start in range(0, len(quick), MOST_PRICES):
        some = quick[start : start + MOST_PRICES]
        for one, result in zip(some, speaking.set_prices([steps.price_row(each) for each in some]), strict=True):
            _priced(one, result)
    for one in attempt.open:
        if not one.plan.is_quick:
            steps.take(one, publisher)
    for call in attempt.calls:
        _call(attempt, call, speaking)
    for one in attempt.members:
        _write_member(attempt, one, publisher)
    return _write_group(attempt)


def _priced(one: Attempt, result: PriceResult) -> None:
    one.called(Step.PRICES, result.error)
    one.warnings += result.warnings
    if result.error:
        raise result.error


def _call(attempt: GroupAttempt, call: Step, publisher: Publisher) -> None:
    key, site = attempt.group.key, attempt.group.marketplace
    match call:
        case Step.GROUP:
            publisher.put_group(key, attempt.body)
        case Step.PUBLISH:
            attempt.listing_id, attempt.live = publisher.publish_group(key, site).made, True
        case _:
            publisher.withdraw_group(key, site)
            attempt.live = False


def _note(attempt: GroupAttempt) -> None:
    """Before the first call; see `attempt.note`. What it costs is counted for the group, whose listing it is."""
    record, now = attempt.record, attempt.run.clock.now()
    for one in attempt.open:
        attempts.note(one)
    changes = {Step.PUBLISH, Step.WITHDRAW} & set(attempt.calls)
    own = Unsure(frozenset(), listing=bool(changes)) | Unsure.of(record.unsure)
    actions: list[Update] = [Record.unsure.set(own.stored()), Record.run.set(attempt.token)]
    if attempt.live:
        total, details = record.revised(now)
        spent = sum(one.plan.revisions for one in attempt.open) + (Step.GROUP in attempt.calls)
        actions += [
            Record.revision_day.set(Day.at(now, PACIFIC).name),
            Record.revisions.set(total + spent),
            Record.detail_revisions.set(details + spent),
        ]
    attempt.record = tables.update(Record, [record.tenant, record.sku], actions, Record.version.exists())


def _write_member(attempt: GroupAttempt, one: Attempt, publisher: Publisher) -> None:
    """What became of a member: nothing where nothing was to be done, and its record says so already."""
    if not one.plan.steps and one.record.is_published:
        return
    if not one.plan.steps:
        attempts.note(one)
    one.listing_id, one.live = attempt.listing_id, attempt.live
    ending = one.want.status is Status.ENDED or attempt.group.status is Status.ENDED
    echo = None if ending else steps.read_back(one, publisher)
    attempts.done(one, echo, attempt.run.payload.get("event", "publish"))


def _write_group(attempt: GroupAttempt) -> HandlerResult:
    run, record, now = attempt.run, attempt.record, attempt.run.clock.now()
    result: dict[str, Any] = {
        "outcome": "published" if attempt.steps else "unchanged",
        "steps": attempt.steps,
        "version": record.version,
        "listing_id": attempt.listing_id,
    }
    if not attempt.steps and record.is_published:
        return result
    if not attempt.steps:
        _note(attempt)
    document = documents.group_document(attempt.group)
    added = snapshots.new(attempt.record, document, run.payload.get("event", "publish"), now)
    standing = LIVE if attempt.live else ENDED if attempt.listing_id else None
    actions: list[Update] = [
        Record.published.set(pack(document)),
        Record.published_at.set(now),
        Record.published_version.set(record.version),
        Record.published_hash.set(record.record_hash),
        Record.hashes.set({"body": hashes.of_body(attempt.body)}) if attempt.body else Record.hashes.remove(),
        Record.standing.set(standing) if standing else Record.standing.remove(),
        *(attribute.remove() for attribute in (Record.unsure, Record.error, Record.run)),
    ]
    if attempt.listing_id:
        actions.append(Record.listing_id.set(attempt.listing_id))

    try:
        snapshots.store(added, record, actions, now, run.config.ebay, run=attempt.token)
    except tables.ConditionFailed as failed:
        raise Superseded from failed
    return result


def log(run: Run, record: Record, attempt: GroupAttempt | None, result: str, failure: Failure | None) -> None:
    """An entry of the sync log. Each member has its own besides, where it was written."""
    said = [{"code": failure.code, "message": failure.message[: attempts.MESSAGE_CHARACTERS]}] if failure else []
    sync_log.entry(
        record,
        job_id=run.job.job_id,
        attempt=run.job.attempts,
        at=run.clock.now(),
        planned=attempt.steps if attempt else [],
        calls=[],
        result=result,
        said=said,
        error_id=failure.code if failure and failure.code.isdecimal() else None,
        keep_ms=run.config.ebay.sync_log_days * DAY,
    ).save()


def failed(run: Run, record: Record, attempt: GroupAttempt | None, failure: Failure) -> None:
    """Keep why an attempt did not succeed."""
    log(run, record, attempt, attempts.result_of(failure), failure)
    error = attempts.error_of(run, record, failure)
    with suppress(tables.ConditionFailed):
        tables.update(Record, [record.tenant, record.sku], [Record.error.set(error)], Record.version.exists())
