"""The one door: how a capability asks for work.

```
 require_room   has the tenant room for so many?       once for a request, before anything of it is written
      │
    Wish        what is to be done, on whose account
      │ spec    + budget and lanes, from the account, the service of the kind, and the limits
      ▼
   enqueue      one conditional write for each wish: created, merged, raised, or to be run again
      │
   remember     one AskRecord for the request; the scheduler is nudged where somebody waits for what is new
```
`ask` and `ask_many` do all of it for a request of a tenant. `want` only enqueues: for work that nobody has asked for by
this name, and for a request that is remembered when it is complete. `want_with` writes something else in the same
transaction.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pynamodb.transactions import TransactWrite

from sluice.jobs.model import keys, kinds, requests
from sluice.jobs.model.job import Spec
from sluice.jobs.model.kinds import JobKind
from sluice.jobs.queue import tally
from sluice.jobs.queue.enqueue import Enqueued, Held, Result, enqueue, enqueue_many, never_held
from sluice.jobs.queue.nudge import nudge, wake
from sluice.jobs.queue.together import enqueue_with
from sluice.platform import usage
from sluice.platform.config.document import Config
from sluice.platform.http.errors import TooMany
from sluice.platform.observe import logger
from sluice.platform.refused import UNAVAILABLE, Refused

# How long a tenant with too many unfinished jobs waits before it asks again: by then the scheduler has counted them.
WAIT_SECONDS = 60


@dataclass(frozen=True)
class Wish:
    """Work that a capability wants done.

    job_id: the work's natural identity (`keys.job_id`).
    tenant: who asks, and pays. account: on which the work runs.
    payload: what the handler needs to know.
    calls: marketplace calls that it is expected to make.
    due_at: not before, epoch ms; 0 for at once.
    shared: the work is common knowledge, so that whoever may run it can take it over.
    replace: a later wish says what to do instead of an earlier one that waits. kept: what of the earlier one's payload
        holds where the later says nothing of it.
    """

    kind: JobKind
    job_id: str
    tenant: str
    account: str
    payload: Mapping[str, Any] = field(repr=False)
    priority: int = keys.BACKGROUND
    calls: int = 1
    due_at: int = 0
    shared: bool = False
    replace: bool = False
    kept: frozenset[str] = frozenset()

    def spec(self, config: Config) -> Spec:
        """What the engine needs to know of it. The budget is that of the service that counts the calls of its kind."""
        limits = config.limits[self.kind.service or keys.marketplace_of(self.account)]
        return Spec(
            job_id=self.job_id,
            kind=self.kind.name,
            tenant=self.tenant,
            account=self.account,
            budget=keys.budget(self.account, by_account=limits.by_account, service=self.kind.service),
            priority=self.priority,
            payload=dict(self.payload),
            calls=self.calls,
            due_at=self.due_at,
            shared=self.shared,
            replace=self.replace,
            kept=self.kept,
            lane_shards=limits.shards,
        )


def require_room(tenant: str, wanted: int, now: int, config: Config, kind: str | None = None) -> None:
    """Do nothing if the tenant may have `wanted` more unfinished jobs; one read.

    kind: theirs, where it may have so many of them as `promotions` allows.

    Raises:
        TooMany: it may not.
    """
    allowed, counters = config.tenants.allowed(tenant), usage.counters(tenant, tally.PERIOD)
    bounds = [("promotions", allowed.promotions, kind)] if kind else []
    for name, most, counted in [*bounds, ("unfinished_jobs", allowed.unfinished_jobs, None)]:
        if tally.unfinished(counters, counted) + wanted > most:
            tally.want_recount(tenant, counters, now)
            raise TooMany(name, most, WAIT_SECONDS)


def take_room(tenant: str, number: int, now: int, config: Config) -> None:
    """As `require_room`, and count `number` things: how many there are was not known when the request was counted.

    Raises:
        TooMany: the tenant may not have so many, or not ask for so many in this hour.
    """
    require_room(tenant, number, now, config)
    usage.charge(tenant, number, now, config.tenants.allowed(tenant), requests=0)


def ask(wish: Wish, now: int, config: Config) -> Enqueued:
    """Ask for one piece of work, as a request of its tenant. Raises what `enqueue` raises."""
    done = want(wish, now, config)
    remember(wish.tenant, [(wish.kind.name, wish.priority, done)], now, config)
    return done


def ask_many(wishes: Sequence[Wish], now: int, config: Config, held: Held = never_held) -> list[Enqueued | Refused]:
    """Ask for all of `wishes`, as one request of their one tenant; the answers are in their order.

    A wish that could not be stored is refused with the code `UNAVAILABLE`, and stops no other.

    held: which accounts cannot run shared work now, so that another asker's takes it over.
    """
    answers = want_many(wishes, now, config, held)
    done = [
        (wish.kind.name, wish.priority, one)
        for wish, one in zip(wishes, answers, strict=True)
        if isinstance(one, Enqueued)
    ]
    if done:
        remember(wishes[0].tenant, done, now, config)
    return answers


def want(wish: Wish, now: int, config: Config) -> Enqueued:
    """Have it done, with no request to remember."""
    return enqueue(wish.spec(config), now)


def want_with(wish: Wish, now: int, config: Config, others: Callable[[TransactWrite], None]) -> Enqueued:
    """The same, in one transaction with the writes that `others` adds; raises `NotWritten` where they cannot be done.

    Several of these are one request by `remember`.
    """
    return enqueue_with(wish.spec(config), now, others)


def want_many(wishes: Sequence[Wish], now: int, config: Config, held: Held = never_held) -> list[Enqueued | Refused]:
    """The same for many. Those that could not be stored are refused, as by `ask_many`."""
    answers = enqueue_many([wish.spec(config) for wish in wishes], now, held)
    return [answer if isinstance(answer, Enqueued) else _told(answer) for answer in answers]


def remember(
    tenant: str,
    asked: Sequence[tuple[str, int, Enqueued]],
    now: int,
    config: Config,
    *,
    at_once: bool = False,
    due: Iterable[int] = (),
) -> None:
    """Remember what a request has led to, and nudge the scheduler if somebody waits for it.

    asked: for each job its kind, the priority that it was asked for with, and what enqueue did.
    at_once: somebody waits for it, whatever its priority, and whether or not it is new.
    due: seconds at which the scheduler is to come for it, rather than at the next minute; epoch ms.
    """
    for kind in sorted({kind for kind, _, _ in asked}):
        requests.record(
            tenant, kind, [done.job_id for one, _, done in asked if one == kind], now, config.engine.retention_ms
        )
    if at_once or any(
        _is_waited_for(priority, done) and not _is_punctual(kind, config) for kind, priority, done in asked
    ):
        nudge(now)
    for at in sorted(set(due)):
        wake(at, now)


def _is_waited_for(priority: int, done: Enqueued) -> bool:
    """Whether a person waits for it, and the scheduler may not have been told of it yet."""
    return priority == keys.MANUAL and (done.moved or done.result in (Result.CREATED, Result.RAISED))


def _is_punctual(kind: str, config: Config) -> bool:
    """Whether jobs of this kind go by a worker of their own, at their second, and not by the scheduler."""
    limits = config.limits.get(kinds.get(kind).service)
    return limits is not None and limits.at_once > 0


def _told(error: Exception) -> Refused:
    logger.error("a job could not be enqueued", exc_info=error)
    refused = Refused("item", "could not be stored just now; ask for it again", code=UNAVAILABLE)
    refused.__cause__ = error
    return refused
