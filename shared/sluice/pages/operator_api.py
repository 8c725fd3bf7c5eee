"""The routes of whoever runs the page checks. `operator` and `admin` see those of pages that their tenant tracks."""

from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import islice
from statistics import fmean
from typing import Any

from typing_extensions import TypedDict

from sluice.pages import schedule, views
from sluice.pages.bodies import RecentChecksQuery, SlowChecksQuery
from sluice.pages.table import PageCheck, Tracker
from sluice.platform.clock import DAY, iso, iso_or_none
from sluice.platform.config import live
from sluice.platform.context import Context
from sluice.platform.http import paging, routing
from sluice.platform.http.auth import PLATFORM, Permission
from sluice.platform.http.errors import Conflict
from sluice.platform.http.paging import Page, Place
from sluice.platform.http.routing import HttpRequest, Route
from sluice.platform.http.shapes import Time

# Checks that an answer about all of them reads.
MOST_READ = 1_000
# Checks that are read at once, and when a check began, as it is stored: what leads to the next page.
_PAGE = 200
_AT = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z#[0-9A-Za-z-]{1,64}"
_GOOD = ("product", "unchanged")


class OperatorCheck(views.CheckView):
    """A check, with its page and the scheduler's run that asked for it. again: it failed, and is tried again."""

    product: str
    url: str
    run: str | None
    again: bool


class SchedulerView(TypedDict):
    """The scheduler. nextRunAt: null while it is disabled."""

    enabled: bool
    running: bool
    intervalMinutes: int
    lastRunAt: Time | None
    nextRunAt: Time | None


class RecentChecks(TypedDict):
    """Checks, newest first, and the scheduler. `next` leads on to older ones until it is null."""

    checks: list[OperatorCheck]
    next: str | None
    scheduler: SchedulerView


class SlowChecks(TypedDict):
    """Checks of the last day, slowest first. truncated: so many others were slower that yours may be among the rest."""

    checks: list[OperatorCheck]
    truncated: bool


class CheckDurations(TypedDict):
    """How long checks took, ms; null where there were none."""

    mean: int | None
    median: int | None
    p95: int | None
    longest: int | None


class CheckStats(TypedDict):
    """Numbers of checks.

    successRate: in percent, null where there were none. statuses, errors, sources: how many of each.
    """

    checks: int
    products: int
    successful: int
    failed: int
    successRate: float | None
    statuses: dict[str, int]
    errors: dict[str, int]
    sources: dict[str, int]
    durations: CheckDurations


class ChecksAnswer(TypedDict):
    """Of the checks that were read, and of those of the last 24 hours.

    truncated: there are more, from before `readSince`.
    """

    overall: CheckStats
    last24Hours: CheckStats
    truncated: bool
    readSince: Time | None
    scheduler: SchedulerView


class ChecksRun(TypedDict):
    """A run has asked for checks of these of your products. It asks for those of others too, and tells only of yours.

    waiting: others that have been asked for already. leftAlone: products whose shops take no requests just now.
    """

    run: str
    products: list[str]
    waiting: int
    leftAlone: int
    failed: int
    scheduler: SchedulerView


def recent_checks(request: HttpRequest[None, RecentChecksQuery]) -> RecentChecks:
    """The last checks. A page of them may be short, or empty, and not the last."""
    query, tenant, most = request.query, request.tenant, paging.most_read(request.query.limit)
    start = paging.start(query.cursor, tenant, _AT)
    before = start.key if start else None
    source = _of_product(query.product, before, most) if query.product else _newest(request, before, most)
    read = list(islice(source, most))
    own = _own(request, (one.product for one in read))
    wanted = [one for one in read if one.product in own and query.status in (None, one.status)]
    last = wanted[query.limit - 1] if len(wanted) > query.limit else read[-1] if len(read) == most else None
    page = Page(wanted[: query.limit], Place(last.at) if last else None)
    return {
        "checks": [_view(one) for one in page],
        "next": page.cursor(tenant),
        "scheduler": _scheduler(request.now),
    }


def slow_checks(request: HttpRequest[None, SlowChecksQuery]) -> SlowChecks:
    """The checks that took longest, of today and yesterday."""
    query, most = request.query, paging.most_read(request.query.limit)
    found, truncated = list[PageCheck](), False
    for day in (iso(request.now)[:10], iso(request.now - DAY)[:10]):
        slow = PageCheck.ms >= query.min_duration_ms
        read = list(PageCheck.slow.query(day, slow, scan_index_forward=False, limit=most, page_size=most))
        own = _own(request, (one.product for one in read))
        seen = [one for one in read if one.product in own]
        truncated = truncated or (len(read) == most and len(seen) < query.limit)
        found += seen
    slowest = sorted(found, key=lambda one: -one.ms)[: query.limit]
    return {"checks": [_view(one) for one in slowest], "truncated": truncated}


def check_stats(request: HttpRequest[None, None]) -> ChecksAnswer:
    """How the checks went, as far back as is read."""
    read = list(islice(_newest(request, None, _PAGE), MOST_READ))
    own = _own(request, (one.product for one in read))
    rows = [one for one in read if one.product in own]
    since = iso(request.now - DAY)
    truncated = len(read) == MOST_READ
    return {
        "overall": _stats(rows),
        "last24Hours": _stats([one for one in rows if one.at >= since]),
        "truncated": truncated,
        "readSince": read[-1].at.partition("#")[0] if truncated else None,
        "scheduler": _scheduler(request.now),
    }


def run_now(request: HttpRequest[None, None]) -> ChecksRun:
    """Begin a run of the scheduler now. Products that were checked within the interval wait for their time."""
    done = schedule.run(Context(routing.clock, live.current()))
    if done is None:
        raise Conflict("a run has begun a moment ago; its checks are on their way", code="running")
    own = _own(request, [*done.products, *done.waiting, *done.left_alone, *done.failed])
    return {
        "run": done.run,
        "products": [one for one in done.products if one in own],
        "waiting": sum(one in own for one in done.waiting),
        "leftAlone": sum(one in own for one in done.left_alone),
        "failed": sum(one in own for one in done.failed),
        "scheduler": _scheduler(request.now),
    }


def _own(request: HttpRequest[Any, Any], products: Iterable[str]) -> set[str]:
    """Those of `products` that the caller may see: that its tenant tracks; a `platform` operator, all."""
    asked = set(products)
    if not asked or (request.caller and PLATFORM in request.caller.roles):
        return asked
    return {one.product for one in Tracker.batch_get([(request.tenant, one) for one in sorted(asked)])}


def _of_product(product: str, before: str | None, page: int) -> Iterator[PageCheck]:
    """The checks of a product, newest first, of those before `before`; `page` are read at once."""
    older = PageCheck.at < before if before else None
    yield from PageCheck.query(product, older, scan_index_forward=False, page_size=page)


def _newest(request: HttpRequest[Any, Any], before: str | None, page: int) -> Iterator[PageCheck]:
    """Every check that is kept, as `_of_product`."""
    older = PageCheck.at < before if before else None
    for back in range(live.current().pages.check_retention_days + 1):
        day = iso(request.now - back * DAY)[:10]
        if before is None or day <= before[:10]:
            yield from PageCheck.recent.query(day, older, scan_index_forward=False, page_size=page)


def _view(one: PageCheck) -> OperatorCheck:
    return {**views.check(one), "product": one.product, "url": one.url, "run": one.run, "again": bool(one.again)}


def _stats(rows: list[PageCheck]) -> CheckStats:
    good = sum(1 for one in rows if one.status in _GOOD)
    times = sorted(one.ms for one in rows)
    return {
        "checks": len(rows),
        "products": len({one.product for one in rows}),
        "successful": good,
        "failed": len(rows) - good,
        "successRate": round(100 * good / len(rows), 1) if rows else None,
        "statuses": dict(Counter(one.status for one in rows)),
        "errors": dict(Counter(one.error for one in rows if one.error)),
        "sources": dict(Counter(one.metadata["source"] for one in rows if one.metadata.get("source"))),
        "durations": {
            "mean": round(fmean(times)) if times else None,
            "median": times[len(times) // 2] if times else None,
            "p95": times[min(len(times) - 1, len(times) * 95 // 100)] if times else None,
            "longest": times[-1] if times else None,
        },
    }


def _scheduler(now: int) -> SchedulerView:
    known = schedule.status(now, live.current())
    return {
        "enabled": known.enabled,
        "running": known.running,
        "intervalMinutes": known.interval_minutes,
        "lastRunAt": iso_or_none(known.last_at),
        "nextRunAt": iso_or_none(known.next_at),
    }


_BASE = "/v1/operator/checks"

ROUTES = (
    Route(
        "GET",
        f"{_BASE}/recent",
        "List the last page checks",
        recent_checks,
        RecentChecks,
        Permission.CHECKS_READ,
        query=RecentChecksQuery,
    ),
    Route("GET", f"{_BASE}/stats", "Show how page checks went", check_stats, ChecksAnswer, Permission.CHECKS_READ),
    Route(
        "GET",
        f"{_BASE}/slow",
        "List the slowest page checks",
        slow_checks,
        SlowChecks,
        Permission.CHECKS_READ,
        query=SlowChecksQuery,
    ),
    Route(
        "POST",
        f"{_BASE}/run-now",
        "Begin a run of page checks",
        run_now,
        ChecksRun,
        Permission.CHECKS_RUN,
        errors=(Conflict,),
        asks=lambda _: live.current().pages.max_products_per_run,
    ),
)
