"""What nobody does and time alone brings: the daily summary, and the look at the rate of failures.

Each is an event on the bus, so that webhooks have it as well as mail. Its id follows from what it tells of, so a run
that dies after the event and before the note tells the same once more, which nobody is told twice.
"""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from sluice.notifications import figures, hours, rates, table
from sluice.notifications.changes import PriceKey
from sluice.notifications.rates import Threshold
from sluice.notifications.table import Row
from sluice.operator import counts
from sluice.platform import aws
from sluice.platform.clock import HOUR, SECOND, iso
from sluice.platform.context import Context
from sluice.platform.observe import count, logger
from sluice.platform.packing import pack, unpack

FAILURES, SUMMARY = "failures.high", "summary.daily"
VERSION = 1
# A run begins with no tenant after so long: the next minute goes on.
MOST_MS = 30 * SECOND
# Queues that an event of failures names, those with the most dead jobs first.
MOST_QUEUES = 10


def run(context: Context) -> int:
    """Do what is due for each tenant; how many events were told. One that fails stops no other."""
    began, told = context.now(), 0
    for wanted in table.everybody():
        if context.now() - began > MOST_MS:
            break
        for look in (_failures, _summary):
            told += _safely(look, wanted, context)
    return told


def _safely(look: Callable[[Row, Context], int], wanted: Row, context: Context) -> int:
    try:
        return look(wanted, context)
    except Exception:  # noqa: BLE001 - nothing was noted, so the next run tries again
        count("NotificationsFailed")
        logger.exception("a look at what a tenant wants to be told has failed", extra={"tenant": wanted.entry})
        return 0


def _failures(wanted: Row, context: Context) -> int:
    now, tenant = context.now(), wanted.entry
    if wanted.failure is None or now // rates.EVERY_MS == (wanted.looked_at or 0) // rates.EVERY_MS:
        return 0
    threshold = Threshold(**wanted.failure)
    found = rates.by_queue(counts.summed(counts.hours(tenant, now, rates.HOURS).values()))
    ended, since = rates.total(found), now - now % HOUR - (rates.HOURS - 1) * HOUR
    standing = rates.step(bool(wanted.failing), ended, threshold)
    if standing.tell:
        worst = sorted(found.items(), key=lambda one: (-one[1].dead, one[0]))[:MOST_QUEUES]
        detail = {
            "percent": ended.percent,
            "threshold": threshold.percent,
            "dead": ended.dead,
            "ended": ended.dead + ended.succeeded,
            "since": iso(since),
            "queues": [
                {"kind": kind, "marketplace": marketplace, "dead": one.dead, "ended": one.dead + one.succeeded}
                for (kind, marketplace), one in worst
                if one.dead
            ],
        }
        _tell(FAILURES, tenant, str(now // rates.EVERY_MS), detail, now)
    table.note_failing(wanted, failing=standing.failing, now=now)
    return int(standing.tell)


def _summary(wanted: Row, context: Context) -> int:
    if wanted.summary is None:
        return 0
    now, tenant = context.now(), wanted.entry
    due = hours.last(wanted.summary["hour"], wanted.summary["zone"], now)
    if wanted.summarised and due.day.isoformat() <= wanted.summarised:
        return 0
    before = table.baseline(tenant)
    if before and before.at == due.at:
        # A run has died after it had kept the prices of this very day: it has told of them.
        table.note_summary(wanted, due.day)
        return 0
    known = None if before is None else {PriceKey(*key): ask for key, ask in unpack(before.prices)}
    found, prices = figures.of_day(tenant, due.day, due.at, known, now, context.config)
    _tell(SUMMARY, tenant, due.day.isoformat(), found, now)
    table.keep_baseline(tenant, pack(sorted((list(key), ask) for key, ask in prices.items())), due.at, now)
    table.note_summary(wanted, due.day)
    return 1


def first_day(hour: int, zone: str, now: int) -> str:
    """The day that counts as told when a tenant says that it wants summaries: the first one comes at the next hour."""
    return (hours.following(hour, zone, now).day - timedelta(days=1)).isoformat()


def _tell(kind: str, tenant: str, which: str, detail: dict[str, Any], now: int) -> None:
    told = {"version": VERSION, "id": f"{tenant}:{which}", "tenant": tenant, **detail, "at": iso(now)}
    aws.put_event(kind, told)
