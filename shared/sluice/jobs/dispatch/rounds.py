"""One round of a dispatcher: what the scheduler, the operation poller and the punctual worker have in common.

```
 snapshot   the time, the configuration with its pauses, and how to ask after accounts (`snapshot`)
 find       what of the due work of some lanes may run, budget by budget, and the room that each budget has
 choose     each dispatcher by its own rule (`admission`)
 hand on    reserve the calls, claim the jobs, and give each batch to whoever runs it (`hand_on`)
```
Any number of rounds may go on at once: reservations and claims are conditional writes, and a round that loses a claim
gives its calls back.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, TypeVar

from botocore.exceptions import BotoCoreError
from pynamodb.exceptions import PynamoDBException

from sluice.jobs.budgets import ledger
from sluice.jobs.budgets.windows import Usage
from sluice.jobs.dispatch import find_ready, rescue
from sluice.jobs.dispatch.find_ready import Ready
from sluice.jobs.dispatch.snapshot import Snapshot
from sluice.jobs.model import keys
from sluice.jobs.model.candidate import Candidate
from sluice.jobs.queue.lanes import Lane
from sluice.platform.clock import SECOND
from sluice.platform.observe import logger

THREADS = 16

R = TypeVar("R")


@dataclass
class Done:
    """What a round did.

    held: budgets that were skipped, with the reason.
    oldest_due_at: since when the oldest of what could run is due, epoch ms.
    oldest: the same of each queue, which is the jobs of one `kind:marketplace`.
    transferred, abandoned: jobs that went over to another asker, and that ended since nobody could run them.
    """

    lanes: int = 0
    admitted: int = 0
    rescued: int = 0
    buried: int = 0
    lost_claims: int = 0
    errors: int = 0
    held: dict[str, str] = field(default_factory=dict)
    oldest_due_at: int | None = None
    oldest: dict[str, int] = field(default_factory=dict)
    transferred: int = 0
    abandoned: int = 0

    def add(self, part: "Done") -> None:
        """Count what one budget's part of the round did."""
        self.admitted += part.admitted
        self.rescued += part.rescued
        self.buried += part.buried
        self.lost_claims += part.lost_claims
        self.errors += part.errors
        self.held |= part.held
        for queue, at in part.oldest.items():
            self.oldest[queue] = min(at, self.oldest.get(queue, at))
        self.oldest_due_at = min((at for at in (self.oldest_due_at, part.oldest_due_at) if at), default=None)

    def note_waiting(self, candidates: Iterable[Candidate]) -> None:
        """Note since when the oldest of one budget's due jobs wait."""
        for one in candidates:
            self.oldest_due_at = min(one.due_at, self.oldest_due_at or one.due_at)
            # What is asked for now is due a second earlier, for clocks that differ: nobody has waited since then.
            queue, since = f"{one.kind}:{keys.marketplace_of(one.account)}", max(one.due_at, one.created_at)
            self.oldest[queue] = min(since, self.oldest.get(queue, since))

    def oldest_due_age(self, now: int) -> int:
        """For how many seconds the oldest due job that could run has waited."""
        return (now - self.oldest_due_at) // SECOND if self.oldest_due_at else 0

    def told(self, now: int) -> dict[str, Any]:
        """What /health and the operator's overview tell of it. held_by: held budgets, by service and reason."""
        held_by = Counter(f"{keys.service_of(budget)}:{reason}" for budget, reason in self.held.items())
        counted = {"at": now, "lanes": self.lanes, "held": len(self.held), "oldest_due_age": self.oldest_due_age(now)}
        return {**counted, "held_by": held_by, "oldest": self.oldest}


@dataclass(frozen=True)
class Round:
    """A round with what holds for it; `done` counts what it does."""

    snapshot: Snapshot
    done: Done = field(default_factory=Done)

    def by_budget(self, marked: Iterable[Lane]) -> dict[str, list[Lane]]:
        """The `marked` lanes of each budget that is charged for their work."""
        stored = [(lane, keys.lane_budget(lane.lane), keys.lane_account(lane.lane)) for lane in marked]
        sharing = {account for _, budget, account in stored if keys.is_shared(budget)}
        known = self.snapshot.accounts.applications(sharing) if sharing else {}
        by_budget: dict[str, list[Lane]] = defaultdict(list)
        for lane, budget, account in stored:
            by_budget[keys.charged_to(budget, known.get(account))].append(lane)
            self.done.lanes += 1
        return by_budget

    def find(
        self, marked: Iterable[Lane], horizon_ms: int, until: int | None = None, only: Set[str] | None = None
    ) -> Mapping[str, Ready]:
        """What of the due work of the `marked` lanes may run, by budget. See `check`. only: of these."""
        found = self.by_budget(marked)
        by_budget = {budget: some for budget, some in found.items() if only is None or budget in only}
        usages = self.usages(by_budget)

        def one(budget: str, part: Done) -> Ready:
            return self.check(budget, by_budget[budget], part, horizon_ms, until, usages.get(budget))

        return {each.budget: each for each in for_each(by_budget, one, self.done)}

    def usages(self, budgets_: Iterable[str]) -> Mapping[str, Usage]:
        """What is used of these budgets, of many in one request; those that are not among it are read one by one."""
        wanted, now = list(budgets_), self.snapshot.now

        def some(first: int) -> Mapping[str, Usage]:
            try:
                return ledger.read_some(wanted[first : first + ledger.MOST_READ], now)
            except (PynamoDBException, BotoCoreError):
                logger.warning("budgets could not be read together", exc_info=True)
                return {}

        with ThreadPoolExecutor(THREADS) as pool:
            parts = pool.map(some, range(0, len(wanted), ledger.MOST_READ))
            return {budget: usage for part in parts for budget, usage in part.items()}

    def check(
        self,
        budget: str,
        marked: Sequence[Lane],
        part: Done,
        horizon_ms: int,
        until: int | None = None,
        usage: Usage | None = None,
    ) -> Ready:
        """What of the due work in a budget's lanes may run, and the room for it up to `horizon_ms` ahead.

        part: counts this budget's part of the round. until: what becomes due by then is found too, epoch ms; by default
            what is due now. usage: as `find_ready.find`. Items that are no jobs are set aside.
        """
        now, config = self.snapshot.now, self.snapshot.config
        ready = find_ready.find(self.snapshot, budget, marked, horizon_ms, until or now, usage)
        part.buried += sum(rescue.discard(job_id, now, config) for job_id in ready.unreadable)
        if ready.held:
            part.held[budget] = ready.held
        part.note_waiting(ready.candidates)
        return ready


def for_each(
    budgets_: Iterable[str], serve: Callable[[str, Done], R], done: Done, threads: int | None = None
) -> list[R]:
    """Do `serve` for each budget, several at a time; those that fail are left out, and counted in `done`."""

    answers: list[R] = []
    with ThreadPoolExecutor(threads or THREADS) as pool:
        for part, answer in pool.map(lambda budget: attempt(budget, serve), budgets_):
            done.add(part)
            answers += answer
    return answers


def attempt(budget: str, serve: Callable[[str, Done], R]) -> tuple[Done, list[R]]:
    """Do `serve` for one budget: what it did, and its answer; none where it failed, which is counted."""
    part = Done()
    try:
        return part, [serve(budget, part)]
    except Exception:  # noqa: BLE001
        # One budget's trouble must not hold up the others; what it left half done, leases and the next tick mend.
        logger.exception("a budget could not be served", extra={"budget": budget})
        part.errors += 1
        return part, []
