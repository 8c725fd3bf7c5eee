"""One attempt to make eBay equal to one record: what it read, what it does, what it writes.

```
 read record ─► plan ─► note (`unsure`, revisions, run) ─► calls ─► look ─► one transaction: published, echo,
                         │                                  │               snapshot, log
                         └ before the first call            └ a crash, a lost answer: `unsure` says what to send again
```
The note names its run; a worker that comes late with its result finds another's there, and writes nothing.
"""

from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Final

from pynamodb.expressions.update import Action as Update

from sluice.jobs.model.job import Job
from sluice.jobs.model.outcomes import Failure, LeaseOver
from sluice.jobs.model.run import Run
from sluice.listings.ebay import cases, documents, drift, hashes, known, log_rows, snapshots, sync_log, telling
from sluice.listings.ebay import echo as echoes
from sluice.listings.ebay.desired import Desired, FieldGroup, PolicyIds, Status
from sluice.listings.ebay.echo import Echo
from sluice.listings.ebay.plan import DETAILS, REVISIONS, Known, Plan, Step, Unsure
from sluice.listings.ebay.table import ENDED, LIVE, Record
from sluice.marketplaces.publishing import Json, Warned
from sluice.platform import tables
from sluice.platform.clock import DAY, iso
from sluice.platform.days import PACIFIC, Day
from sluice.platform.packing import pack

# Of a record that is only taken down.
NO_POLICIES: Final = PolicyIds("", "", "")


class AttemptSuperseded(LeaseOver):
    """Another attempt has begun meanwhile: this one's result is not taken."""

    code = "superseded"

    def __init__(self) -> None:
        super().__init__("another attempt has begun meanwhile, or its snapshot came first")


@dataclass
class Attempt:
    """One attempt. record: as it was read. want: what is desired. policies: by their ids.

    calls: those that were made, for the sync log. warnings: what eBay said besides. untouched: field groups that eBay
        shows otherwise than it took them, and that this attempt has not sent.
    """

    run: Run
    record: Record
    want: Desired
    policies: PolicyIds
    plan: Plan
    calls: list[Json] = field(default_factory=list)
    warnings: list[Warned] = field(default_factory=list)
    offer_id: str | None = None
    listing_id: str | None = None
    live: bool = False
    untouched: frozenset[FieldGroup] = frozenset()

    @property
    def job(self) -> Job:
        """The job that makes it."""
        return self.run.job

    @property
    def token(self) -> str:
        """Who makes it: no other run has this lease of this job."""
        return token(self.job)

    def called(self, step: Step, failure: Failure | None = None) -> None:
        """Keep a call for the sync log."""
        self.calls.append(log_rows.call(step, failure))


def token(job: Job) -> str:
    """Who makes an attempt, for this lease of `job`."""
    return f"{job.job_id}#{job.created_at}#{job.lease}"


def begin(run: Run, record: Record, want: Desired, found: Known) -> Attempt:
    """An attempt with nothing planned yet."""
    attempt = Attempt(run, record, want, found.policies or NO_POLICIES, Plan((), want), live=found.live)
    attempt.offer_id, attempt.listing_id = record.offer_id, record.listing_id
    return attempt


def note(attempt: Attempt) -> None:
    """Before the first call: what is sent, what it costs, and who sends it."""
    record, plan, now = attempt.record, attempt.plan, attempt.run.clock.now()
    unsure = Unsure.of(record.unsure) | plan.unsure
    total, details = record.revised(now)
    # Only a live listing is revised; counted beforehand, so that a crash forgets none.
    spent = [step for step in plan.steps if step in REVISIONS] if record.is_for_sale else []
    actions: list[Update] = [Record.unsure.set(unsure.stored()), Record.run.set(attempt.token)]
    if spent:
        actions += [
            Record.revision_day.set(Day.at(now, PACIFIC).name),
            Record.revisions.set(total + len(spent)),
            Record.detail_revisions.set(details + sum(step in DETAILS for step in spent)),
        ]
    attempt.record = tables.update(Record, [record.tenant, record.sku], actions, Record.version.exists())


def done(attempt: Attempt, echo: Echo | None, event: str, *, settled: bool = False) -> dict[str, Any]:
    """Everything that was planned is done: write it all together, or nothing.

    echo: how eBay shows it; None where nobody could look, or eBay is behind: the next look is the measure then. That it
        has ended meanwhile is told, as a look tells it.
    settled: the calls of its group have listed it, or ended its listing.

    Raises:
        Superseded: another attempt has begun meanwhile.
    """
    run, record, plan = attempt.run, attempt.record, attempt.plan
    now = run.clock.now()
    sent = hashes.of(plan.sends, attempt.policies)
    unsure = _still_unsure(attempt, echo, settled=settled)
    state = snapshots.state(plan.sends, attempt.policies)
    told = log_rows.said(attempt.warnings)
    added = snapshots.new(record, state, event, now, listing_id=attempt.listing_id, warnings=told)
    actions: list[Update] = [
        Record.published.set(pack(documents.document(plan.sends))),
        Record.published_at.set(now),
        Record.hashes.set(sent.stored()),
        Record.policy_ids.set(attempt.policies._asdict()),
        Record.unsure.set(unsure.stored()) if unsure != Unsure() else Record.unsure.remove(),
        Record.error.remove(),
        Record.run.remove(),
        Record.restored_at.remove(),
        Record.left.remove(),
        Record.warnings.set(told) if told else Record.warnings.remove(),
        *_seen(attempt, echo, now),
        *_drift(attempt, echo, now),
    ]
    if plan.waits:
        actions.append(Record.published_hash.remove())  # in part
    else:
        actions += [Record.published_version.set(record.version), Record.published_hash.set(record.record_hash)]
    entry = _entry(attempt, "snooze" if plan.waits else "done", None, now)
    if _has_ended(attempt, echo):
        telling.tell(run, record, drift.Drift(drift.DriftClass.ENDED), echo)
    try:
        snapshots.store(added, record, actions, now, run.config.ebay, run=attempt.token, entry=entry)
    except tables.ConditionFailed as failed:
        raise AttemptSuperseded from failed
    return {
        "outcome": "published" if plan.steps else "unchanged",
        "steps": [str(step) for step in plan.steps],
        "version": record.version,
        "listing_id": attempt.listing_id,
    }


def _still_unsure(attempt: Attempt, echo: Echo | None, *, settled: bool) -> Unsure:
    """What is still not sure when all of the plan is done.

    Whether the listing is for sale is known by publishing it, by withdrawing it, or by seeing it; and where nothing is
    sent of what has left a group, for that has let it go. Any other plan leaves what an earlier attempt may have
    published: a look that failed settles nothing.
    """
    record, plan, before = attempt.record, attempt.plan, Unsure.of(attempt.record.unsure)
    let_go = bool(record.left) and not plan.steps
    settled = settled or plan.lists_or_ends or echo is not None or let_go
    return Unsure(before.groups & plan.waits, before.listing and not settled)


def failed(attempt: Attempt, failure: Failure) -> None:
    """Keep why an attempt did not succeed: in the sync log, and on the record where it was the last."""
    record, now = attempt.record, attempt.run.clock.now()
    _entry(attempt, log_rows.result_of(failure), failure, now).save()
    error = log_rows.error_of(attempt.run, record, failure)
    actions: list[Update] = [Record.error.set(error)]
    if record.run == attempt.token and error["final"]:
        actions.append(Record.run.remove())  # no more is sent: whoever looks at the listing sees what is there
    if attempt.offer_id and attempt.offer_id != record.offer_id:
        # Found on the way: a later failure must not throw it away.
        actions.append(Record.offer_id.set(attempt.offer_id))
    ours = Record.run == attempt.token if record.run == attempt.token else Record.version.exists()
    with suppress(tables.ConditionFailed):  # somebody else's attempt has the word
        tables.update(Record, [record.tenant, record.sku], actions, ours)


def forget_error(record: Record) -> None:
    """eBay is as the record says, and nothing was to be sent: what an earlier attempt failed of is over."""
    if record.error:
        with suppress(tables.ConditionFailed):  # changed meanwhile: its own attempt has the word
            tables.update(Record, [record.tenant, record.sku], [Record.error.remove()], record.unchanged)


def begin_anew(attempt: Attempt) -> None:
    """eBay has proved that the offer is gone: the next attempt makes it from the top."""
    everything = Unsure(frozenset(), listing=True)
    actions: list[Update] = [
        Record.unsure.set((Unsure.of(attempt.record.unsure) | everything).stored()),
        Record.offer_id.remove(),
        Record.published.remove(),
    ]
    tables.update(Record, [attempt.record.tenant, attempt.record.sku], actions, Record.run == attempt.token)


def _seen(attempt: Attempt, echo: Echo | None, now: int) -> list[Update]:
    """What eBay has of it now."""
    if echo and echo.standing == echoes.LIVE:
        # Published by an attempt whose answer was lost.
        attempt.listing_id = echo.listing_id or attempt.listing_id
    ids = ((Record.offer_id, attempt.offer_id), (Record.listing_id, attempt.listing_id))
    actions: list[Update] = [attribute.set(value) for attribute, value in ids if value]
    if echo is None:
        actions += [Record.echo.remove(), Record.observed.remove()]
        there = LIVE if attempt.live else ENDED if attempt.listing_id else None
    else:
        packed = pack(echo.stored())
        actions += [Record.echo.set(packed), Record.observed.set(packed), Record.observed_at.set(now)]
        there = known.standing(echo, attempt.plan.sends)
    if there == ENDED and not _should_be_live(attempt) and attempt.plan.sends.status is not Status.ENDED:
        there = None  # made ready, and not published for lack of stock: its old listing is nobody's decision any more
    return [*actions, Record.standing.set(there) if there else Record.standing.remove()]


def _should_be_live(attempt: Attempt) -> bool:
    """Whether its listing is for sale unless others have ended it: it was, and no attempt before may have withdrawn it;
    or this one has published it.
    """
    return attempt.live and (Step.PUBLISH in attempt.plan.steps or not Unsure.of(attempt.record.unsure).listing)


def _has_ended(attempt: Attempt, echo: Echo | None) -> bool:
    """Whether others have ended the listing, as eBay shows it now."""
    expected = _should_be_live(attempt) and not attempt.plan.lists_or_ends
    return expected and echo is not None and echo.standing not in (echoes.LIVE, echoes.UNLISTED)


def _drift(attempt: Attempt, echo: Echo | None, now: int) -> list[Update]:
    """What was changed by others and is sent now is no drift any more. What eBay changed when it took it is, and a
    listing that has ended meanwhile: another one is made only when somebody says so."""
    record = attempt.record
    found = [told] if (told := drift.by_ebay(attempt.warnings)) else []
    if _has_ended(attempt, echo):
        found.append(drift.Drift(drift.DriftClass.ENDED))
    rows = [row for row in record.drift or [] if _stays_open(attempt, row)]
    rows += [cases.row(str(one.kind), map(str, one.groups), iso(now), sku=record.sku) for one in found]
    if rows:
        return [Record.drift.set(rows)]
    return [Record.drift.remove()] if record.drift else []


def _stays_open(attempt: Attempt, row: cases.Row) -> bool:
    """Whether a difference is there still: it is of a live listing, in what this attempt has not sent."""
    plan, groups = attempt.plan, set(row["groups"])
    is_new = plan.lists_or_ends or attempt.listing_id != attempt.record.listing_id
    if is_new or plan.sends.status is Status.ENDED:
        return False
    if row["class"] == str(drift.DriftClass.EXTERNAL_ONLY) and plan.steps and not plan.is_quick:
        return bool(groups & attempt.untouched)
    return not groups or not groups <= plan.groups


def _entry(attempt: Attempt, result: str, failure: Failure | None, now: int) -> sync_log.SyncEntry:
    record, run = attempt.record, attempt.run
    told = [*log_rows.said(attempt.warnings)]
    if failure:
        told.append({"code": failure.code, "message": failure.message[: log_rows.MESSAGE_CHARACTERS]})
    return sync_log.entry(
        record,
        job_id=run.job.job_id,
        attempt=run.job.attempts,
        at=now,
        planned=[str(step) for step in attempt.plan.steps],
        calls=attempt.calls,
        result=result if attempt.plan.steps or failure else "nothing",
        said=told,
        error_id=failure.code if failure and failure.code.isdecimal() else None,
        keep_ms=run.config.ebay.sync_log_days * DAY,
    )
