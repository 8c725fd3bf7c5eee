"""How each queue stands: counters, how long its work waits, and the one word for it."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple

from sluice.jobs.dispatch.explain import Reason
from sluice.jobs.model import keys, kinds
from sluice.jobs.model.job import Job
from sluice.jobs.model.keys import PRIORITIES
from sluice.jobs.model.states import ALL as STATES
from sluice.jobs.model.states import DEAD, LEASED, QUEUED, SUCCEEDED, WAITING
from sluice.operator import budgets, counts, measures, standing
from sluice.operator.budgets import Budget
from sluice.operator.standing import Numbers, QueueHealth
from sluice.platform.config.document import Config
from sluice.platform.config.pauses import holds_of

# What is told of the last hours is told of this one and the one before.
HOURS = 2
THREADS = 12
_FULL = (Reason.CLOSED, Reason.NO_BUDGET)


class Queue(NamedTuple):
    """One queue. states: its jobs now.

    delay, manual_delay: how long its jobs, and its manual ones, waited after they were due: so many in each bucket.
    oldest_due_at: epoch ms. completed, failed, postponed: tries of the last hours.
    """

    kind: str
    marketplace: str
    health: QueueHealth
    states: Mapping[str, int]
    completed: int
    failed: int
    postponed: int
    oldest_due_at: int | None
    delay: Mapping[int, int]
    manual_delay: Mapping[int, int]


def of_all(now: int, config: Config, left: Mapping[str, Any] | None) -> list[Queue]:
    """The queues of the whole deployment, in three reads. left: what the scheduler's last run has left (`records`)."""
    snapshot = left or {}
    full = {name.partition(":")[0] for name in snapshot.get("held_by", {}) if name.partition(":")[2] in _FULL}
    return _queues(counts.ALL, now, config, snapshot.get("oldest", {}), full)


def of_tenant(tenant: str, now: int, config: Config) -> list[Queue]:
    """The queues of one tenant: its counters, its budgets, and the first job of each of its lanes."""
    own = budgets.of_tenant(tenant, now, config)
    full = {one.service for one in own if one.hold and one.hold.reason in _FULL}
    return _queues(tenant, now, config, _oldest(own, now), full)


def lanes_of(own: Iterable[Budget]) -> list[str]:
    """The lanes in which jobs of these budgets wait to be run."""
    return [
        lane
        for one in own
        for priority in PRIORITIES.values()
        for lane in keys.lanes_of(one.stored, one.account, priority, one.limits.shards)
    ]


def firsts(lanes: Sequence[str]) -> list[Job | None]:
    """The job that is due first in each of the lanes, if it has any: a read for each."""
    if not lanes:
        return []
    with ThreadPoolExecutor(THREADS) as pool:
        return list(pool.map(lambda lane: next(iter(Job.due.query(lane, limit=1, page_size=1)), None), lanes))


def waits_since(job: Job) -> int:
    """From when on the queued job is due; what is asked for now is written a second earlier, for clocks that differ."""
    return max(job.due_at or 0, job.created_at)


def _oldest(own: Iterable[Budget], now: int) -> dict[str, int]:
    """Since when the longest due job of each queue waits, as far as it stands first in a lane."""
    oldest = dict[str, int]()
    for job in firsts(lanes_of(own)):
        if job is not None and (since := waits_since(job)) <= now:
            queue = f"{job.kind}:{keys.marketplace_of(job.account)}"
            oldest[queue] = min(since, oldest.get(queue, since))
    return oldest


def _queues(owner: str, now: int, config: Config, oldest: Mapping[str, int], full: set[str]) -> list[Queue]:
    states = by_queue(counts.now(owner))
    hours = counts.summed(counts.hours(owner, now, HOURS).values())
    names = sorted(states.keys() | {":".join(name.split(":")[1:3]) for name in hours})
    return [_queue(name, owner, states.get(name, {}), hours, now, config, oldest.get(name), full) for name in names]


def by_queue(now_counters: Mapping[str, int]) -> dict[str, Counter[str]]:
    """How many jobs each queue has, by state."""
    found: dict[str, Counter[str]] = defaultdict(Counter)
    for name, number in now_counters.items():
        letter, *rest = name.split(":")
        if letter == "n" and number > 0:
            kind, marketplace, state = rest
            found[f"{kind}:{marketplace}"][state] += number
    return found


def _queue(
    name: str,
    owner: str,
    states: Mapping[str, int],
    hours: Mapping[str, int],
    now: int,
    config: Config,
    oldest: int | None,
    full: set[str],
) -> Queue:
    kind, _, marketplace = name.partition(":")
    manual, others = (buckets(hours, f"d:{name}:{whose}:") for whose in (measures.MANUAL, measures.OTHERS))
    completed = hours.get(f"e:{name}:{SUCCEEDED}", 0)
    failed = hours.get(f"f:{name}", 0) + hours.get(f"e:{name}:{DEAD}", 0)
    delay = Counter(manual) + Counter(others)
    known = service(kind, marketplace)
    numbers = Numbers(
        queued=states.get(QUEUED, 0),
        leased=states.get(LEASED, 0),
        waiting=states.get(WAITING, 0),
        completed=completed,
        failed=failed,
        oldest_due_ms=now - oldest if oldest else 0,
        delay_p95=measures.quantile(delay, 95),
        paused=is_paused(kind, marketplace, owner, config, now),
        at_limit=known in full,
    )
    shown = {state: states.get(state, 0) for state in sorted(STATES)}
    postponed = hours.get(f"z:{name}", 0)
    return Queue(
        kind, marketplace, standing.health(numbers), shown, completed, failed, postponed, oldest, delay, manual
    )


def service(kind: str, marketplace: str) -> str:
    """What the calls of jobs of this kind are charged to."""
    try:
        return kinds.get(kind).service or marketplace
    except kinds.UnknownKind:
        return marketplace


def is_paused(kind: str, marketplace: str, owner: str, config: Config, now: int) -> bool:
    """Whether an operator holds all of a queue's work: of `owner`, a tenant or `ALL`."""
    names = holds_of(service(kind, marketplace), marketplace, owner, kind)
    return config.pauses.holding(names, now) is not None


def buckets(counters: Mapping[str, int], prefix: str) -> dict[int, int]:
    """The buckets of one measure, by number."""
    return {int(name.removeprefix(prefix)): number for name, number in counters.items() if name.startswith(prefix)}


def totals(found: Iterable[Queue]) -> dict[str, int]:
    """Jobs of all queues by state."""
    total: Counter[str] = Counter()
    for one in found:
        total.update(one.states)
    return dict[str, int](total)
