"""Running jobs at their own second, in the process that has found them: those of services that limit what runs at once.

```
 one run        find ─ due now: run ── wait ── due at :05: run ── wait ── due at :10: run ── …   its window ends
 the next run                                                                                    find ─ …
```
The scheduler cannot do this: it comes once a minute, and a worker runs what it is handed when it comes to it. What may
run, and what it is charged to, is as in every round (`rounds`). Any number of runs may overlap: a claim has one winner,
and each job that runs has a seat. Seats are given in tenants' turns, and whoever has one runs at once: nobody waits for
the end of another's job.
"""

import threading
from collections import Counter
from collections.abc import Iterable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from typing import NamedTuple

from sluice.jobs.budgets import seats
from sluice.jobs.budgets.refusals import Refusals
from sluice.jobs.budgets.seats import TakenSeats
from sluice.jobs.dispatch.admission import longest_unseen
from sluice.jobs.dispatch.fair_order import turns_at
from sluice.jobs.dispatch.find_ready import Ready
from sluice.jobs.dispatch.hand_on import hand_on
from sluice.jobs.dispatch.rounds import Done, Round, attempt
from sluice.jobs.dispatch.snapshot import Accounts, Snapshot
from sluice.jobs.model import keys
from sluice.jobs.model.candidate import Candidate
from sluice.jobs.queue import lanes
from sluice.jobs.run.messages import Batch
from sluice.jobs.run.runner import CALL_MS, Observe, Report, run_batch
from sluice.platform.clock import MINUTE, SECOND
from sluice.platform.context import Context

# What becomes due within this time of a run's beginning is this run's; then the next one begins.
WINDOW_MS = MINUTE
# How long a run that finds no seat waits before it asks again.
SEAT_MS = SECOND


def run_due(
    accounts: Accounts, context: Context, deadline: int, observe: Observe, *, service: str
) -> tuple[Done, Report]:
    """Run what is due by the end of this run's window, each job when it is due; end before `deadline` (epoch ms).

    service: whose jobs these are: each service has a worker of its own.

    What the calls, the seats or the time do not suffice for is left to the next run.
    """
    run = _PunctualRun(context, deadline, observe, service)
    run.live(run.coming(accounts))
    return run.done, run.report


class _Coming(NamedTuple):
    """A job that is due within the window, and what its budget can take."""

    ready: Ready
    candidate: Candidate


@dataclass(frozen=True)
class _Share:
    """Jobs of one account and budget that run in one batch, each in a seat."""

    ready: Ready
    jobs: list[_Coming] = field(default_factory=list)
    seats: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class _PunctualRun:
    context: Context
    deadline: int
    observe: Observe
    service: str
    done: Done = field(default_factory=Done)
    report: Report = field(default_factory=Report)
    refusals: Refusals = field(default_factory=Refusals)
    sitting: TakenSeats = field(default_factory=TakenSeats)

    @property
    def last_start(self) -> int:
        return self.deadline - CALL_MS

    def coming(self, accounts: Accounts) -> list[_Coming]:
        """What may run within the window, as far as there are calls for it, soonest first."""
        now = self.context.now()
        round_ = Round(Snapshot(now, self.context.config, accounts), self.done)
        own = (lane for lane in lanes.active() if keys.service_of(keys.lane_budget(lane.lane)) == self.service)
        ready = round_.find(own, max(0, self.last_start - now), until=now + WINDOW_MS)
        waiting = {budget: each.candidates for budget, each in ready.items()}
        rooms = {budget: each.room for budget, each in ready.items()}
        picked = longest_unseen(waiting, rooms, sum(map(len, waiting.values())), now, by_priority=True)
        coming = [_Coming(ready[budget], job) for budget, jobs in picked.items() for job in jobs]
        return sorted(coming, key=lambda one: (one.candidate.due_at, one.candidate.job_id))

    def live(self, coming: Sequence[_Coming]) -> None:
        """Wait for each job's time, and run it then, as soon as it has a seat."""
        limits, never = self.context.config.limits[self.service], threading.Event()
        waiting, running = list(coming), dict[Future[tuple[Done, list[Report]]], _Share]()
        with ThreadPoolExecutor(limits.at_once) as pool:
            while waiting or running:
                now = self.context.now()
                if now > self.last_start:
                    waiting = []
                due = [one for one in waiting if one.candidate.due_at <= now]
                for share in self.seat(due, running.values(), now):
                    running[pool.submit(self.run_share, share)] = share
                seated = {one.candidate.job_id for share in running.values() for one in share.jobs}
                waiting = [one for one in waiting if one.candidate.job_id not in seated]
                again = self._wait_for(waiting, now)
                if running:
                    # A job that takes long keeps none waiting that has a seat, or finds one.
                    ended, _ = wait(running, again and (again - now) / SECOND, FIRST_COMPLETED)
                    for one in ended:
                        part, reports = one.result()
                        self._note(part, reports)
                        del running[one]
                elif again:
                    self.context.clock.wait_until(again, never)

    def _wait_for(self, waiting: Sequence[_Coming], now: int) -> int | None:
        """When the next of `waiting` is due, or who is due and has no seat asks again; None: nobody waits."""
        times = [one.candidate.due_at if one.candidate.due_at > now else now + SEAT_MS for one in waiting]
        return min(min(times), self.last_start + 1) if times else None

    def _note(self, part: Done, reports: Sequence[Report]) -> None:
        self.done.add(part)
        for report in reports:
            self.report.add(report)

    def seat(self, due: Sequence[_Coming], running: Iterable[_Share], now: int) -> list[_Share]:
        """Seats for as many of `due` as there are, in tenants' turns; those of one account run in one batch.

        Of a budget that refusals have slowed down no more than half of them: its jobs sit there and wait for their
        slots. Not fewer either, for those of one account may share a call.
        """
        if not due:
            return []
        seated = [one for share in running for one in share.jobs]
        had = Counter(one.candidate.tenant for one in seated)
        taken = Counter(one.ready.budget for one in seated)
        by_id, wanted = {one.candidate.job_id: one for one in due}, list[_Coming]()
        at_once = self.context.config.limits[self.service].at_once
        for candidate in turns_at([one.candidate for one in due], now, had, by_priority=True):
            one = by_id[candidate.job_id]
            if taken[one.ready.budget] < (max(1, at_once // 2) if one.ready.pace else at_once):
                taken[one.ready.budget] += 1
                wanted.append(one)
        accounts = [one.candidate.account for one in wanted]
        shares: dict[tuple[str, str], _Share] = {}
        for place, name in seats.take(self.service, at_once, accounts, now, self.deadline, self.sitting).items():
            one = wanted[place]
            share = shares.setdefault((one.ready.budget, one.candidate.account), _Share(one.ready))
            share.jobs.append(one)
            share.seats.append(name)
        return list(shares.values())

    def run_share(self, share: _Share) -> tuple[Done, list[Report]]:
        """Run these at once, and leave their seats."""

        def work(_: str, part: Done) -> Report:
            total = Report()

            def run(batch: Batch) -> None:
                threads, refusals = len(batch.jobs), self.refusals
                total.add(
                    run_batch(
                        batch, ready.limits, self.context, self.deadline, self.observe, threads, refusals=refusals
                    )
                )

            hand_on(ready, candidates, self.context.now(), self.context.config, run, part, self.refusals)
            return total

        ready, candidates = share.ready, [one.candidate for one in share.jobs]
        try:
            return attempt(ready.budget, work)
        finally:
            seats.leave(self.service, share.seats, self.deadline, self.sitting)
