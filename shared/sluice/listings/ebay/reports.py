"""One run of `listing.report`: eBay's report of an account's live listings is asked for, waited for, and compared.

```
 ask (once, noted before it is sent) ─► minutes, snoozed ─► ready: its file ─► rows against what eBay took
                                                                                └ differs ─► a suspect, to be read
 refused: 403 ─► tomorrow · 25 a day used ─► another's fresh one, else in an hour · failed, cut, unreadable ─► not known
```
A report proves nothing: it may be older than our last publish, or leave out what is there. So a listing that was
published or read since it was made is not compared, and whatever differs is read at eBay before anything is told.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

from pynamodb.expressions.update import Action as Update

from sluice.jobs.model import keys
from sluice.jobs.model.outcomes import Failure, HandlerResult, Then
from sluice.jobs.model.run import Run
from sluice.jobs.run import records
from sluice.listings.ebay import hints, metrics, publishers, sellers, suspects
from sluice.listings.ebay.sellers import SellerPart
from sluice.listings.ebay.table import Record
from sluice.marketplaces.http.errors import BadAnswer, MarketplaceFailure
from sluice.marketplaces.reports import ReportRow, Reports, ReportsUsedUp, ReportTask, is_refusal
from sluice.platform.clock import DAY, HOUR, MINUTE
from sluice.platform.observe import logger, tally

FIRST_WAIT_MS: Final = 2 * MINUTE
WAIT_MS: Final = MINUTE
# A report that is not ready by then never will be.
MOST_WAIT_MS: Final = HOUR
# eBay's clock and ours, and how long a change of ours may take to be seen everywhere.
MARGIN_MS: Final = 2 * MINUTE
REFUSED_MS: Final = DAY
# Downloads of one file before it counts as unreadable.
TRIES: Final = 2


class ReportPending(Failure):
    """eBay still makes the report."""

    action = Then.SNOOZE
    code = "report_pending"


class _Open(NamedTuple):
    """A report that was asked for: its task, and when it was."""

    task_id: str
    at: int


def run(run: Run) -> HandlerResult:
    """Take the account's report one step further.

    The result is `{"outcome", "rows", "suspects"}`. outcome: `read`, or why there is none: `not_allowed`, `used_up`,
    `failed`, `late`, `unreadable`, `not_ours`.
    """
    account, now = run.job.account, run.clock.now()
    part = sellers.report_of(account) or SellerPart(account, sellers.REPORT)
    api = publishers.reports_of(account, run.calls, run.clock)
    try:
        task = _open(part) or _begin(run, api, part)
        return _step(run, api, part, task)
    except ReportsUsedUp as failure:
        return _end(run, "used_up", failure.retry_at or now + HOUR, failure.message)
    except MarketplaceFailure as failure:
        if is_refusal(failure):
            return _end(run, "not_allowed", now + REFUSED_MS, failure.message)
        raise


def _open(part: SellerPart) -> _Open | None:
    return _Open(part.task, part.task_at) if part.task and part.task_at else None


def _begin(run: Run, api: Reports, part: SellerPart) -> _Open:
    """Ask for a report, or take one that was asked for already: by a call whose answer was lost, or by others."""
    now = run.clock.now()
    every = run.config.ebay.report_minutes * MINUTE
    sellers.note_progress(run.job.account, [SellerPart.report_due_at.set(now + every)])
    there = api.newest(part.asking_at - MARGIN_MS) if part.asking_at else None
    if there is None:
        sellers.note_report(run.job.account, [SellerPart.asking_at.set(now)])
        try:
            there = ReportTask(api.ask(), now)
        except ReportsUsedUp:
            there = api.newest(now - every)
            if there is None or there.failed or there.task_id == part.read_task:
                raise
    found = _Open(there.task_id, min(now, there.made_at or now))
    sellers.note_report(
        run.job.account,
        [SellerPart.task.set(found.task_id), SellerPart.task_at.set(found.at), SellerPart.asking_at.remove()],
    )
    if there.ready:
        return found
    raise ReportPending("eBay makes the report", retry_at=now + FIRST_WAIT_MS)


def _step(run: Run, api: Reports, part: SellerPart, open_: _Open) -> HandlerResult:
    now, task = run.clock.now(), api.task(open_.task_id)
    due = open_.at + run.config.ebay.report_minutes * MINUTE
    if task is None or task.failed:
        return _end(run, "failed", due)
    if not task.ready:
        if now - open_.at >= MOST_WAIT_MS:
            return _end(run, "late", due)
        raise ReportPending("eBay makes the report", retry_at=now + WAIT_MS)
    try:
        rows = api.rows(open_.task_id)
    except BadAnswer as failure:
        if run.job.attempts < TRIES:
            raise
        return _end(run, "unreadable", due, failure.message)
    made = min(open_.at, task.made_at or open_.at)
    found = _compare(run.job.account, rows, made)
    if found is None:
        return _end(run, "not_ours", due)
    actions: list[Update] = [
        SellerPart.report_at.set(made),
        SellerPart.read_at.set(now),
        SellerPart.rows.set(len(rows)),
        SellerPart.read_task.set(open_.task_id),
    ]
    if part.report_at:
        actions.append(SellerPart.report_ms.set(made - part.report_at))
    return _end(run, "read", due, more=actions, rows=len(rows), suspects=found)


def _compare(account: str, rows: Sequence[ReportRow], made: int) -> int | None:
    """Hints of the listings that a report shows otherwise; how many. None: it knows none of the account's listings."""
    by_listing: dict[str, list[ReportRow]] = defaultdict(list)
    for row in rows:
        by_listing[row.listing_id].append(row)
    seen, found, known = list[str](), dict[str, str](), 0
    for record in _records(keys.tenant_of(account)):
        if _since(record) > made - MARGIN_MS or (accepted := hints.measure(record)) is None:
            continue
        there = by_listing.get(accepted.listing_id or "", [])
        known += bool(there)
        seen.append(record.sku)
        if hint := hints.of_report(accepted, record.sku, there):
            found[record.sku] = hint
    if seen and not known:
        return None
    suspects.change(account, lambda before: before.hinted(hints.REPORT, found, seen))
    return len(found)


def _records(tenant: str) -> Iterable[Record]:
    """The tenant's records, with what is known of their listings and nothing else."""
    known = ["tenant", "sku", "echo", "standing", "published_at", "observed_at", "run", "unsure"]
    return Record.query(tenant, attributes_to_get=known)


def _since(record: Record) -> int:
    """When it was last certain what eBay shows of it."""
    return max(record.published_at or 0, record.observed_at or 0)


def _end(
    run: Run,
    outcome: str,
    due: int,
    reason: str = "",
    *,
    more: Sequence[Update] = (),
    rows: int = 0,
    suspects: int = 0,
) -> HandlerResult:
    account, now = run.job.account, run.clock.now()
    actions = [
        *more,
        SellerPart.outcome.set(outcome),
        SellerPart.outcome_at.set(now),
        SellerPart.reason.set(reason) if reason else SellerPart.reason.remove(),
        SellerPart.task.remove(),
        SellerPart.task_at.remove(),
        SellerPart.asking_at.remove(),
    ]
    sellers.note_report(account, actions)
    sellers.note_progress(account, [SellerPart.report_due_at.set(due)])
    tally("report.outcome", {"result": outcome})
    if outcome == "read":
        records.note(metrics.REPORT, {"at": now})
    else:
        logger.warning("no report of eBay listings", extra={"account": account, "outcome": outcome, "reason": reason})
    return {"outcome": outcome, "rows": rows, "suspects": suspects}
