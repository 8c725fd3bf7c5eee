"""The routes of how each kind of work fared: hour by hour, from counters alone."""

from collections.abc import Mapping, Sequence

from typing_extensions import TypedDict

from sluice.jobs.model.states import CANCELLED, DEAD, FINAL, SUCCEEDED
from sluice.operator import counts, measures, queues, scope
from sluice.operator.overview_api import HoursQuery
from sluice.platform.clock import HOUR, iso
from sluice.platform.http.auth import Permission
from sluice.platform.http.routing import HttpRequest, Route
from sluice.platform.http.shapes import Time


class KindView(TypedDict):
    """How one kind of work fared.

    successRate: in percent of what ended as `succeeded` or `dead`; null of none. meanMs, p95Ms: from the request to the
    end, of what succeeded. meanTries: of what succeeded. failedTries: tried again. postponed: could not be tried.
    endedByHour: what ended in each of the answer's `hours`; succeededByHour, deadByHour: of it. pendingByHour: how many
    were not over at each hour's end, of the last one now; null of hours that an older version of Sluice has counted.
    """

    kind: str
    marketplace: str
    succeeded: int
    dead: int
    cancelled: int
    failedTries: int
    postponed: int
    successRate: float | None
    meanMs: int | None
    p50Ms: int | None
    p95Ms: int | None
    meanTries: float | None
    endedByHour: list[int]
    succeededByHour: list[int]
    deadByHour: list[int]
    pendingByHour: list[int | None]


class HourView(TypedDict):
    """What ended in one hour."""

    hour: str
    succeeded: int
    dead: int
    failedTries: int


class Work(TypedDict):
    """How work fared since `since`, by kind, and hour by hour, oldest first: each hour, also one without work."""

    since: Time
    kinds: list[KindView]
    hours: list[HourView]


def get_operations_work(request: HttpRequest[None, HoursQuery]) -> Work:
    """How changes of listings fared: asynchronous operations, followed until the marketplace confirms them."""
    return _work(request, "listing.")


def get_promotions_work(request: HttpRequest[None, HoursQuery]) -> Work:
    """How promotions fared."""
    return _work(request, "promotion.")


def get_work(request: HttpRequest[None, HoursQuery]) -> Work:
    """How every kind of work fared."""
    return _work(request, "")


def _work(request: HttpRequest[None, HoursQuery], prefix: str) -> Work:
    query = request.query
    last = request.now - request.now % HOUR
    since = last - (query.hours - 1) * HOUR
    owner = scope.owner(request, query.tenant)
    known, states = counts.hours(owner, request.now, query.hours), queues.by_queue(counts.now(owner))
    of_hours = {hour: known.get(hour, {}) for hour in range(since, last + HOUR, HOUR)}
    together = counts.summed(of_hours.values())
    there = {":".join(name.split(":")[1:3]) for name in together} | {name for name in states if _open(states[name])}
    names = sorted(name for name in there if name.startswith(prefix))
    return {
        "since": iso(since),
        "kinds": [_kind(name, together, list(of_hours.values()), _open(states.get(name, {}))) for name in names],
        "hours": [_of_hour(hour, counters, prefix) for hour, counters in of_hours.items()],
    }


def _open(states: Mapping[str, int]) -> int:
    """How many of these are not over."""
    return sum(number for state, number in states.items() if state not in FINAL)


def _kind(queue: str, counters: Mapping[str, int], by_hour: Sequence[Mapping[str, int]], pending: int) -> KindView:
    kind, _, marketplace = queue.partition(":")
    ended = {state: counters.get(f"e:{queue}:{state}", 0) for state in (SUCCEEDED, DEAD, CANCELLED)}
    times, succeeded = queues.buckets(counters, f"t:{queue}:"), ended[SUCCEEDED]
    over = succeeded + ended[DEAD]
    return {
        "kind": kind,
        "marketplace": marketplace,
        "succeeded": succeeded,
        "dead": ended[DEAD],
        "cancelled": ended[CANCELLED],
        "failedTries": counters.get(f"f:{queue}", 0),
        "postponed": counters.get(f"z:{queue}", 0),
        "successRate": round(100 * succeeded / over, 1) if over else None,
        "meanMs": counters.get(f"s:{queue}", 0) // succeeded if succeeded else None,
        "p50Ms": measures.quantile(times, 50),
        "p95Ms": measures.quantile(times, 95),
        "meanTries": round(counters.get(f"a:{queue}", 0) / succeeded, 2) if succeeded else None,
        "endedByHour": [sum(one.get(f"e:{queue}:{state}", 0) for state in ended) for one in by_hour],
        "succeededByHour": [one.get(f"e:{queue}:{SUCCEEDED}", 0) for one in by_hour],
        "deadByHour": [one.get(f"e:{queue}:{DEAD}", 0) for one in by_hour],
        "pendingByHour": measures.pending(queue, pending, by_hour),
    }


def _of_hour(hour: int, counters: Mapping[str, int], prefix: str) -> HourView:
    def number(letter: str, state: str = "") -> int:
        start, end = f"{letter}:{prefix}", f":{state}" if state else ""
        return sum(value for name, value in counters.items() if name.startswith(start) and name.endswith(end))

    return {
        "hour": iso(hour),
        "succeeded": number("e", SUCCEEDED),
        "dead": number("e", DEAD),
        "failedTries": number("f"),
    }


_BASE, _READ = "/v1/operator", Permission.OPERATE_READ
ROUTES = (
    Route("GET", f"{_BASE}/work", "Show how each kind of work fared", get_work, Work, _READ, query=HoursQuery),
    Route(
        "GET",
        f"{_BASE}/operations",
        "Show how changes of listings fared",
        get_operations_work,
        Work,
        _READ,
        query=HoursQuery,
    ),
    Route(
        "GET", f"{_BASE}/promotions", "Show how promotions fared", get_promotions_work, Work, _READ, query=HoursQuery
    ),
)
