"""The scheduler of product pages: which products are checked next, and when it runs.

```
 each minute    enabled, and the interval over? ─► take the run ─► tenants in turns ─► `page.check` jobs
 run-now        ──────────────────────────────────►                                                ─► page worker
```
What it looks through is bounded, and tells the next run where to read on (see `due`).
Two runs at once do no harm: a product has one job, and a check that is not due any more is skipped.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import islice, zip_longest
from typing import Any, NamedTuple
from uuid import uuid4

from pynamodb.attributes import JSONAttribute, UnicodeAttribute

from sluice.jobs.ask import want_many
from sluice.jobs.budgets import ledger
from sluice.jobs.model import keys
from sluice.jobs.queue.enqueue import Enqueued, Result
from sluice.jobs.run import records
from sluice.pages import due, kinds, table
from sluice.pages.due import Stops
from sluice.pages.table import Product
from sluice.platform import aws, tables
from sluice.platform.attributes import IntAttribute
from sluice.platform.clock import MINUTE, SECOND
from sluice.platform.config.document import Config
from sluice.platform.config.pauses import holds_of
from sluice.platform.config.services import PAGES
from sluice.platform.context import Context
from sluice.platform.observe import count, logger
from sluice.platform.refused import Refused
from sluice.platform.settings import settings

# Products that a run chooses from, in tenants' turns: hosts that are left alone hide nobody else's.
MOST_CHOSEN = 2_000
THREADS = 16
# A run is over well before this, whatever becomes of it.
RUN_MS = 2 * MINUTE
_KEY = "scheduler"
_SLACK_MS = 15 * SECOND


class PageSchedule(tables.Table):
    """Who runs the scheduler, and when it ran: one item.

    started_at, finished_at: of the last run, epoch ms.
    until: a run that has not finished is believed to go on so long.
    stops: where the last run stopped reading what is due (see `due`).
    """

    class Meta:
        table_name = tables.name("page_schedule")

    name = UnicodeAttribute(hash_key=True)
    run = UnicodeAttribute(null=True)
    started_at = IntAttribute(null=True)
    finished_at = IntAttribute(null=True)
    until = IntAttribute(null=True)
    stops = JSONAttribute(null=True)
    expires_at = IntAttribute(null=True)


class ScheduleStatus(NamedTuple):
    """The scheduler: times are epoch ms. next_at: None while it is disabled."""

    enabled: bool
    running: bool
    interval_minutes: int
    last_at: int | None
    next_at: int | None


@dataclass
class Ran:
    """What one run did, with products by their ids.

    products: those that it has asked checks for.
    waiting: those that had a job already.
    left_alone: those whose hosts take no requests just now.
    failed: those that could not be asked for.
    """

    run: str
    products: list[str] = field(default_factory=list)
    waiting: list[str] = field(default_factory=list)
    left_alone: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)


def status(now: int, config: Config) -> ScheduleStatus:
    """Whether and when the scheduler runs."""
    last = _last()
    started = last.started_at if last else None
    interval = config.pages.check_scheduler_interval_minutes
    held = config.pauses.holding(holds_of(PAGES, PAGES, "", kinds.CHECK.name), now)
    enabled = config.pages.enable_check_scheduler and not held
    due = max(now, started + interval * MINUTE) if started else now
    return ScheduleStatus(
        enabled, bool(last and last.until and last.until > now), interval, started, due if enabled else None
    )


def tick(context: Context) -> dict[str, Any]:
    """What the scheduler function does each minute: run if it is time."""
    now = context.now()
    known = status(now, context.config)
    if not known.enabled or known.running or (known.next_at or now) > now + _SLACK_MS:
        return {"ran": False, "enabled": known.enabled, "running": known.running}
    done = run(context, only_if_due=True)
    return {"ran": done is not None, "enabled": True, "asked": len(done.products) if done else 0}


def run(context: Context, *, only_if_due: bool = False) -> Ran | None:
    """Ask for the checks that are due, oldest first, and wake the page worker. None: another run has begun first."""
    now, config = context.now(), context.config
    done = Ran(uuid4().hex[:12])
    taken = _take(done.run, now, config, only_if_due=only_if_due)
    if taken is None:
        return None
    stops: Stops = taken.stops or {}
    try:
        stops = _ask(done, stops, now, config)
        if done.products:
            aws.invoke_later(settings().require("page_worker_function"), {"run": done.run})
    finally:
        _release(done.run, stops, context.now())
    counters = {"asked": len(done.products), "waiting": len(done.waiting), "failed": len(done.failed)}
    records.record("page-scheduler", {**counters, "ms": context.now() - now, "run": done.run}, counters, now, config)
    count("PageSchedulerRun")
    logger.info("pages scheduled", extra={"run": done.run, **counters, "left_alone": len(done.left_alone)})
    return done


def _ask(done: Ran, stops: Stops, now: int, config: Config) -> Stops:
    """Ask for what is due. stops: where the last run stopped reading; where this one did is returned."""
    found = due.read(now, stops)
    chosen = list(islice(in_turns(found.products), MOST_CHOSEN))
    closed = _closed({one.host for one in chosen}, now)
    for one in chosen:
        if one.host in closed:
            done.left_alone.append(one.product)
            _put_off(one, closed[one.host])
    _ask_in_turns(done, [one for one in chosen if one.host not in closed], now, config)
    return found.stops


def _ask_in_turns(done: Ran, open_: Sequence[Product], now: int, config: Config) -> None:
    most, limits = config.pages.max_products_per_run, config.limits[PAGES]
    delays = table.delays([one.host for one in open_])
    place = defaultdict[str, int](int)
    waiting = iter(in_turns(open_))
    while len(done.products) < most:
        some = [one for _, one in zip(range(most - len(done.products)), waiting, strict=False)]
        if not some:
            return
        wishes = []
        for one in some:
            apart = max(limits.interval_ms, delays.get(one.host, 0))
            wishes.append(kinds.wish(one.product, one.host, now + place[one.host] * apart, done.run))
            place[one.host] += 1
        for one, answer in zip(some, want_many(wishes, now, config), strict=True):
            _note(done, one, answer)


def _note(done: Ran, one: Product, answer: Enqueued | Refused) -> None:
    if isinstance(answer, Refused):
        logger.error("a check could not be asked for", extra={"product": one.product})
        done.failed.append(one.product)
    elif answer.result is Result.CREATED:
        done.products.append(one.product)
    else:
        done.waiting.append(one.product)


def in_turns(products: Sequence[Product]) -> Iterator[Product]:
    """`products`, one of each tenant in turn, whose hosts have turns too; else in their order.

    One that several track is checked in the turn of whoever comes first, and counts as that one's.
    """
    by_tenant = defaultdict[str, list[Product]](list)
    for one in products:
        for tenant in sorted(one.tenants or {""}):
            by_tenant[tenant].append(one)
    queues, taken = [iter(_hosts_in_turns(own)) for own in by_tenant.values()], set[str]()
    while queues:
        left = []
        for queue in queues:
            following = next((one for one in queue if one.product not in taken), None)
            if following is not None:
                taken.add(following.product)
                left.append(queue)
                yield following
        queues = left


def _hosts_in_turns(products: Sequence[Product]) -> Iterator[Product]:
    by_host = defaultdict[str, list[Product]](list)
    for one in products:
        by_host[one.host].append(one)
    for turn in zip_longest(*by_host.values()):
        yield from (one for one in turn if one is not None)


def _closed(hosts: set[str], now: int) -> dict[str, int]:
    """Until when each of `hosts` that takes no requests is left alone, epoch ms."""
    budgets = {host: keys.budget(keys.account(PAGES, host), by_account=True) for host in hosts}
    with ThreadPoolExecutor(THREADS) as pool:
        read = pool.map(lambda budget: ledger.read(budget, now), budgets.values())
        usages = dict(zip(budgets, read, strict=True))
    return {host: usage.closed_until for host, usage in usages.items() if usage.closed_until > now}


def _put_off(one: Product, until: int) -> None:
    """Out of the way of others: it is due again when its host is open."""
    try:
        tables.update(Product, (one.product,), [Product.check_at.set(until)], Product.check_at == one.check_at)
    except tables.ConditionFailed:
        return


def _last() -> PageSchedule | None:
    try:
        return PageSchedule.get(_KEY, consistent_read=True)
    except PageSchedule.DoesNotExist:
        return None


def _take(run_: str, now: int, config: Config, *, only_if_due: bool) -> PageSchedule | None:
    """Begin a run, unless one goes on (None); by the clock, only when the interval since the last is over."""
    free = PageSchedule.until.does_not_exist() | (PageSchedule.until <= now)
    if only_if_due:
        last = now + _SLACK_MS - config.pages.check_scheduler_interval_minutes * MINUTE
        free &= PageSchedule.started_at.does_not_exist() | (PageSchedule.started_at <= last)
    actions = [PageSchedule.started_at.set(now), PageSchedule.until.set(now + RUN_MS)]
    try:
        return tables.update(PageSchedule, (_KEY,), actions, free, token=PageSchedule.run, value=run_)
    except tables.ConditionFailed:
        return None


def _release(run_: str, stops: Stops, now: int) -> None:
    actions = [PageSchedule.until.remove(), PageSchedule.finished_at.set(now), PageSchedule.stops.set(stops)]
    try:
        tables.update(PageSchedule, (_KEY,), actions, PageSchedule.run == run_)
    except tables.ConditionFailed:
        return
