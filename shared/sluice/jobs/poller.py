"""Looking again at jobs whose operation the marketplace works on: those of the poll lanes that are due.

Admission is the scheduler's; what differs is that a poll needs no hand-over. It is one short call, so the poller runs
what it has claimed itself, many at a time. Any number of pollers may run at once: a claim has one winner.
"""

from concurrent.futures import ThreadPoolExecutor

from sluice.jobs import keys, lanes, scheduler
from sluice.jobs.messages import Batch
from sluice.jobs.runner import CALL_MS, Observe, Report, run_batch
from sluice.jobs.scheduler import Statuses, Tick
from sluice.platform.clock import Clock
from sluice.platform.config import Config

# Polls in flight at once for one account. Slots space their starts.
THREADS = 32
MOST_ACCOUNTS = 8


def poll(statuses: Statuses, clock: Clock, config: Config, deadline: int, observe: Observe) -> tuple[Tick, Report]:
    """Look at every operation that is due, as far as budgets and the time until `deadline` (epoch ms) allow."""
    total, looked = Tick(), Report()
    while clock.now() < deadline - CALL_MS:
        batches: list[Batch] = []
        waiting = [lane for lane in lanes.active() if keys.is_poll_lane(lane.lane)]
        done = scheduler.admit(waiting, clock.now(), config, statuses, batches.append, Tick())
        total.admitted += done.admitted
        total.errors += done.errors
        if not batches:
            break
        with ThreadPoolExecutor(MOST_ACCOUNTS) as pool:
            for report in pool.map(lambda batch: _run(batch, config, clock, deadline, observe), batches):
                looked.ends += report.ends
                looked.calls += report.calls
                looked.finished += report.finished
    return total, looked


def _run(batch: Batch, config: Config, clock: Clock, deadline: int, observe: Observe) -> Report:
    limits = config.limits(keys.marketplace_of(batch.budget))
    return run_batch(batch, limits, config, clock, deadline, observe, THREADS)
