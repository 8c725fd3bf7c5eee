"""Running jobs at their own second, in the process that has found them: those of services that limit what runs at once.

```
 one run        find ─ due now: run ── wait ── due at :05: run ── wait ── due at :10: run ── …   its window ends
 the next run                                                                                    find ─ …
```
The scheduler cannot do this: it comes once a minute, and a worker runs what it is handed when it comes to it. What may
run, and what it is charged to, is as in every round (`rounds`). Any number of runs may overlap: a claim has one winner,
and each job that runs has a seat.
"""

import threading
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field

from sluice.jobs.budgets import seats
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


@dataclass(frozen=True)
class _Coming:
    """A job that is due within the window, and what its budget can take."""

    ready: Ready
    candidate: Candidate


@dataclass(frozen=True)
class _PunctualRun:
    context: Context
    deadline: int
    observe: Observe
    service: str
    done: Done = field(default_factory=Done)
    report: Report = field(default_factory=Report)

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
        picked = longest_unseen(waiting, rooms, sum(map(len, waiting.values())))
        coming = [_Coming(ready[budget], job) for budget, jobs in picked.items() for job in jobs]
        return sorted(coming, key=lambda one: (one.candidate.due_at, one.candidate.job_id))

    def live(self, coming: Sequence[_Coming]) -> None:
        """Wait for each job's time, and run it then."""
        never = threading.Event()
        while coming and (now := self.context.now()) <= self.last_start:
            due = [one for one in coming if one.candidate.due_at <= now]
            ran = {one.candidate.job_id for one in self.run(due)}
            coming = [one for one in coming if one.candidate.job_id not in ran]
            if not due:
                self.context.clock.wait_until(min(coming[0].candidate.due_at, self.last_start + 1), never)
            elif not ran:
                self.context.clock.wait_until(now + SEAT_MS, never)

    def run(self, due: Sequence[_Coming]) -> list[_Coming]:
        """Run as many of `due` as there are seats for, all at once; returns those."""
        by_service: dict[str, list[_Coming]] = defaultdict(list)
        for one in due:
            by_service[keys.service_of(one.ready.budget)].append(one)
        seated, taken = list[_Coming](), dict[str, list[str]]()
        try:
            for service, jobs in by_service.items():
                at_once = self.context.config.limits[service].at_once
                taken[service] = seats.take(service, at_once, len(jobs), self.context.now(), self.deadline)
                seated += jobs[: len(taken[service])]
            self.run_seated(seated)
        finally:
            for service, names in taken.items():
                seats.leave(service, names, self.deadline)
        return seated

    def run_seated(self, seated: Sequence[_Coming]) -> None:
        """Run these at once, those of one account in one batch."""
        shares: dict[str, list[_Coming]] = defaultdict(list)
        for one in seated:
            shares[f"{one.ready.budget} {one.candidate.account}"].append(one)

        def work(share: str, part: Done) -> Report:
            total, ready = Report(), shares[share][0].ready

            def run(batch: Batch) -> None:
                jobs = len(batch.jobs)
                total.add(run_batch(batch, ready.limits, self.context, self.deadline, self.observe, jobs))

            candidates = [one.candidate for one in shares[share]]
            hand_on(ready, candidates, self.context.now(), self.context.config, run, part)
            return total

        if shares:
            for each in for_each(shares, work, self.done, len(shares)):
                self.report.add(each)
