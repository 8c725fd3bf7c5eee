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
from sluice.jobs.dispatch.find_ready import Applications, Ready, Statuses, none_known
from sluice.jobs.dispatch.hand_on import hand_on
from sluice.jobs.dispatch.rounds import Done, Round, for_each
from sluice.jobs.model import keys
from sluice.jobs.model.candidate import Candidate
from sluice.jobs.queue import lanes
from sluice.jobs.run.messages import Batch
from sluice.jobs.run.runner import CALL_MS, Observe, Report, run_batch
from sluice.platform.clock import MINUTE, SECOND, Clock
from sluice.platform.config.document import Config

# What becomes due within this time of a run's beginning is this run's; then the next one begins.
WINDOW_MS = MINUTE
# How long a run that finds no seat waits before it asks again.
SEAT_MS = SECOND


def run_due(
    statuses: Statuses,
    clock: Clock,
    config: Config,
    deadline: int,
    observe: Observe,
    applications: Applications = none_known,
    *,
    service: str,
) -> tuple[Done, Report]:
    """Run what is due by the end of this run's window, each job when it is due; end before `deadline` (epoch ms).

    service: whose jobs these are: each service has a worker of its own.

    What the calls, the seats or the time do not suffice for is left to the next run.
    """
    run = _PunctualRun(clock, config, deadline, observe, service)
    run.live(run.coming(statuses, applications))
    return run.done, run.report


@dataclass(frozen=True)
class _Coming:
    """A job that is due within the window, and what its budget can take."""

    ready: Ready
    candidate: Candidate


@dataclass(frozen=True)
class _PunctualRun:
    clock: Clock
    config: Config
    deadline: int
    observe: Observe
    service: str
    done: Done = field(default_factory=Done)
    report: Report = field(default_factory=Report)

    @property
    def last_start(self) -> int:
        return self.deadline - CALL_MS

    def coming(self, statuses: Statuses, applications: Applications) -> list[_Coming]:
        """What may run within the window, as far as there are calls for it, soonest first."""
        round_ = Round(self.clock.now(), self.config, statuses, applications, self.done)
        own = (lane for lane in lanes.active() if keys.service_of(keys.lane_budget(lane.lane)) == self.service)
        ready = round_.find(own, max(0, self.last_start - round_.now), until=round_.now + WINDOW_MS)
        waiting = {budget: each.candidates for budget, each in ready.items()}
        rooms = {budget: each.room for budget, each in ready.items()}
        picked = longest_unseen(waiting, rooms, sum(map(len, waiting.values())))
        coming = [_Coming(ready[budget], job) for budget, jobs in picked.items() for job in jobs]
        return sorted(coming, key=lambda one: (one.candidate.due_at, one.candidate.job_id))

    def live(self, coming: Sequence[_Coming]) -> None:
        """Wait for each job's time, and run it then."""
        never = threading.Event()
        while coming and (now := self.clock.now()) <= self.last_start:
            due = [one for one in coming if one.candidate.due_at <= now]
            ran = {one.candidate.job_id for one in self.run(due)}
            coming = [one for one in coming if one.candidate.job_id not in ran]
            if not due:
                self.clock.wait_until(min(coming[0].candidate.due_at, self.last_start + 1), never)
            elif not ran:
                self.clock.wait_until(now + SEAT_MS, never)

    def run(self, due: Sequence[_Coming]) -> list[_Coming]:
        """Run as many of `due` as there are seats for, all at once; returns those."""
        by_service: dict[str, list[_Coming]] = defaultdict(list)
        for one in due:
            by_service[keys.service_of(one.ready.budget)].append(one)
        seated, taken = list[_Coming](), dict[str, list[str]]()
        try:
            for service, jobs in by_service.items():
                at_once = self.config.limits[service].at_once
                taken[service] = seats.take(service, at_once, len(jobs), self.clock.now(), self.deadline)
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
                total.add(run_batch(batch, ready.limits, self.config, self.clock, self.deadline, self.observe, jobs))

            candidates = [one.candidate for one in shares[share]]
            hand_on(ready, candidates, self.clock.now(), self.config, run, part)
            return total

        if shares:
            for each in for_each(shares, work, self.done, len(shares)):
                self.report.add(each)
