"""The operation poller: checks of jobs whose operation the marketplace works on, those of the poll lanes that are due.

What may run, and what it is charged to, is as in every round (`rounds`); what differs is that a check needs no
hand-over. It is one short call, so the poller runs what it has claimed itself, many at a time. Any number of pollers
may run at once: a claim has one winner.
```
 scheduled run   more is due than it checks ─► portions of budgets ─┬─ the first is its own
                                                                    ├─► a further run checks the second
                                                                    └─► … MOST_PORTIONS at most; they hand nothing on
```
"""

from collections.abc import Callable, Mapping, Sequence, Set
from typing import NamedTuple

from sluice.jobs.budgets.refusals import Refusals
from sluice.jobs.dispatch.admission import longest_unseen
from sluice.jobs.dispatch.find_ready import Ready
from sluice.jobs.dispatch.hand_on import hand_on
from sluice.jobs.dispatch.rounds import Done, Round, for_each
from sluice.jobs.dispatch.snapshot import Accounts, Snapshot
from sluice.jobs.model import keys
from sluice.jobs.model.candidate import Candidate
from sluice.jobs.queue import lanes
from sluice.jobs.run.messages import Batch
from sluice.jobs.run.runner import CALL_MS, Observe, Report, run_batch
from sluice.platform.clock import SECOND
from sluice.platform.context import Context

# Checks in flight at once of one batch, and batches at once: together as many as the HTTP client keeps connections for.
# Slots space their starts.
THREADS = 25
BATCHES = 5
# Threads that keep every slot in use while answers take this long.
ANSWER_MS = SECOND
# Runs beside a scheduled one, with what is too much for it.
MOST_PORTIONS = 3
# Budgets of one portion: an event has room for so many.
MOST_BUDGETS = 1_000

# Starts a further run for these budgets. If it fails, they are left to the next scheduled run.
HandOver = Callable[[Sequence[str]], None]


class Portion(NamedTuple):
    """What one run looks after. budgets: these; None: all. hand_over: how it hands on what is too much for it; None: it
    hands on nothing.
    """

    budgets: Set[str] | None = None
    hand_over: HandOver | None = None


ALL = Portion()


def poll(
    accounts: Accounts, context: Context, deadline: int, most: int, observe: Observe, portion: Portion = ALL
) -> tuple[Done, Report]:
    """Check operations that are due, `most` at most, as budgets and the time until `deadline` (epoch ms) allow.

    Tenants have turns, each with its longest due. Several batches run at once, and each is claimed just before it runs,
    so that what the time does not suffice for is left to the next poller.
    """
    clock, config = context.clock, context.config
    total, checked, refusals = Done(), Report(), Refusals()
    while total.admitted < most and clock.now() < deadline - CALL_MS:
        before = total.admitted
        round_ = Round(Snapshot(clock.now(), config, accounts), total)
        ready = _ready(round_, portion.budgets)
        if portion.hand_over:
            mine, *others = portions(ready, most)
            for budgets in others:
                portion.hand_over(budgets)
            portion = Portion(set(mine) if others else None)
            ready = {budget: ready[budget] for budget in mine}
        shares = _shares(round_, ready, most - total.admitted)

        def check(share: str, part: Done) -> Report:
            seen, (ready, candidates) = Report(), shares[share]  # noqa: B023 - called within this round

            def run(batch: Batch) -> None:
                seen.add(
                    run_batch(batch, ready.limits, context, deadline, observe, THREADS, polling=True, refusals=refusals)
                )

            if clock.now() < deadline - CALL_MS:
                hand_on(ready, candidates, clock.now(), config, run, part, refusals)
            return seen

        for report in for_each(shares, check, total, BATCHES):
            checked.add(report)
        if total.admitted == before:
            break
    return total, checked


def _ready(round_: Round, budgets: Set[str] | None) -> Mapping[str, Ready]:
    """The operations that are due, by budget: of `budgets`, or of all."""
    polled = (lane for lane in lanes.active() if keys.is_poll_lane(lane.lane))
    # No horizon: what slots and windows let be checked in one look is the room's own (`Room.checks`).
    return round_.find(polled, 0, only=budgets)


def portions(ready: Mapping[str, Ready], most: int) -> list[list[str]]:
    """Budgets that have operations to check now, for one run each: no more runs than `most` checks each are enough for.

    Those with the longest due are dealt first. A budget is in one portion, for its slots bound what can be checked.
    The first portion is there, whatever is due.
    """
    due = {budget: checks for budget, each in ready.items() if (checks := _checks(each))}
    many = max(1, min(1 + MOST_PORTIONS, -(-sum(due.values()) // most), len(due)))
    longest = sorted(due, key=lambda budget: min(job.due_at for job in ready[budget].candidates))
    return [longest[number::many][: MOST_BUDGETS if number else None] for number in range(many)]


def _checks(ready: Ready) -> int:
    """How many operations of a budget can be checked now."""
    bounds = (len(ready.candidates), ready.room.calls, ready.room.checks)
    return min(bound for bound in bounds if bound is not None)


def _shares(round_: Round, ready: Mapping[str, Ready], most: int) -> dict[str, tuple[Ready, list[Candidate]]]:
    """What is checked now, in shares, those with the longest due first.

    A share is a batch, or more of them one after the other: more at once than a budget's slots keep busy would take
    others' places and only wait.
    """
    waiting = {budget: each.candidates for budget, each in ready.items()}
    rooms = {budget: each.room._replace(paced=each.room.checks) for budget, each in ready.items()}
    picked = longest_unseen(waiting, rooms, most, round_.snapshot.now)
    batches = list[tuple[str, list[Candidate]]]()
    for budget, candidates in picked.items():
        size = max(round_.snapshot.config.engine.batch, -(-len(candidates) // _at_once(ready[budget])))
        batches += [(budget, candidates[start : start + size]) for start in range(0, len(candidates), size)]
    batches.sort(key=lambda one: one[1][0].due_at)
    return {f"{budget} {number}": (ready[budget], part) for number, (budget, part) in enumerate(batches)}


def _at_once(ready: Ready) -> int:
    """How many batches of the budget keep its slots busy."""
    pace = max(ready.limits.pace, ready.pace)
    return max(1, ANSWER_MS // (pace * THREADS)) if pace else len(ready.candidates)
