"""The routes of whoever runs the page checks. `operator` and `admin` see those of pages that their tenant tracks."""

from collections import Counter
from collections.abc import Callable, Iterator
from statistics import fmean
from typing import Any

from typing_extensions import TypedDict

from sluice.pages import schedule, views
from sluice.pages.bodies import RecentChecksQuery, SlowChecksQuery
from sluice.pages.table import PageCheck, Tracker
from sluice.platform.clock import DAY, iso
from sluice.platform.config import live
from sluice.platform.http import routing
from sluice.platform.http.auth import Permission
from sluice.platform.http.errors import Conflict
from sluice.platform.http.routing import HttpRequest, Route

# The role of whoever runs the whole deployment, and sees all tenants' work.
PLATFORM = "platform"
# Checks that one answer looks through.
MOST_READ = 20_000
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
    lastRunAt: str | None
    nextRunAt: str | None


class RecentChecks(TypedDict):
    """Checks, newest first, and the scheduler."""

    checks: list[OperatorCheck]
    scheduler: SchedulerView


class SlowChecks(TypedDict):
    """Checks of the last day, slowest first."""

    checks: list[OperatorCheck]


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
    """Of all checks that are kept, and of the last 24 hours. truncated: there are more than were looked through."""

    overall: CheckStats
    last24Hours: CheckStats
    truncated: bool
    scheduler: SchedulerView


class ChecksRun(TypedDict):
    """A run has asked for looks at these products.

    waiting: others that have been asked for already. leftAlone: products whose shops take no requests just now.
    """

    run: str
    products: list[str]
    waiting: int
    leftAlone: int
    failed: int
    scheduler: SchedulerView


def recent_checks(request: HttpRequest[None, RecentChecksQuery]) -> RecentChecks:
    """The last checks."""
    query, sees = request.query, _sees(request)
    found = list[OperatorCheck]()
    source = _of_product(query.product) if query.product else _newest(request.now)
    for one in source:
        if sees(one) and query.status in (None, one.status):
            found.append(_view(one))
            if len(found) == query.limit:
                break
    return {"checks": found, "scheduler": _scheduler(request.now)}


def slow_checks(request: HttpRequest[None, SlowChecksQuery]) -> SlowChecks:
    """The checks that took longest, of today and yesterday."""
    query, sees = request.query, _sees(request)
    found = list[PageCheck]()
    for day in (iso(request.now)[:10], iso(request.now - DAY)[:10]):
        rows = PageCheck.slow.query(day, PageCheck.ms >= query.min_duration_ms, scan_index_forward=False)
        of_day = 0
        for one in rows:
            if sees(one):
                found.append(one)
                of_day += 1
            if of_day == query.limit:
                break
    slowest = sorted(found, key=lambda one: -one.ms)[: query.limit]
    return {"checks": [_view(one) for one in slowest]}


def check_stats(request: HttpRequest[None, None]) -> ChecksAnswer:
    """How the checks went."""
    sees, rows = _sees(request), list[PageCheck]()
    read = 0
    for one in _newest(request.now):
        read += 1
        if sees(one):
            rows.append(one)
    since = iso(request.now - DAY)
    return {
        "overall": _stats(rows),
        "last24Hours": _stats([one for one in rows if one.at >= since]),
        "truncated": read >= MOST_READ,
        "scheduler": _scheduler(request.now),
    }


def run_now(request: HttpRequest[None, None]) -> ChecksRun:
    """Begin a run of the scheduler now. Products that were looked at within the interval wait for their time."""
    done = schedule.run(routing.clock, live.current())
    if done is None:
        raise Conflict("a run has begun a moment ago; its looks are on their way", code="running")
    return {
        "run": done.run,
        "products": done.products,
        "waiting": done.waiting,
        "leftAlone": done.left_alone,
        "failed": done.failed,
        "scheduler": _scheduler(request.now),
    }


def _sees(request: HttpRequest[Any, Any]) -> Callable[[PageCheck], bool]:
    """Whether the caller may see a check: of a page that its tenant tracks; a `platform` operator, all."""
    if request.caller and PLATFORM in request.caller.roles:
        return lambda _: True
    own = {one.product for one in Tracker.query(request.tenant)}
    return lambda check: check.product in own


def _of_product(product: str) -> Iterator[PageCheck]:
    yield from PageCheck.query(product, scan_index_forward=False, limit=MOST_READ)


def _newest(now: int) -> Iterator[PageCheck]:
    """Every check that is kept, newest first, up to `MOST_READ`."""
    left = MOST_READ
    for back in range(live.current().pages.check_retention_days + 1):
        for one in PageCheck.recent.query(iso(now - back * DAY)[:10], scan_index_forward=False, limit=left):
            yield one
            left -= 1
        if left <= 0:
            return


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
        "lastRunAt": iso(known.last_at) if known.last_at else None,
        "nextRunAt": iso(known.next_at) if known.next_at else None,
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
    ),
)
