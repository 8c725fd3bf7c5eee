"""Looking again at jobs whose operation the marketplace works on: those of the poll lanes that are due.

What may run, and what it is charged to, is the scheduler's rule; what differs is that a poll needs no hand-over. It is
one short call, so the poller runs what it has claimed itself, many at a time. Any number of pollers may run at once: a
claim has one winner.
"""

from concurrent.futures import ThreadPoolExecutor

from sluice.jobs import keys, lanes, scheduler
from sluice.jobs.admission import longest_unseen
from sluice.jobs.messages import Batch
from sluice.jobs.runner import CALL_MS, Observe, Report, run_batch
from sluice.jobs.scheduler import Ready, Statuses, Tick
from sluice.platform.clock import Clock
from sluice.platform.config import Config

# Polls in flight at once of one batch, and batches at once. Slots space their starts.
THREADS = 32
BATCHES = 8


def poll(
    statuses: Statuses, clock: Clock, config: Config, deadline: int, most: int, observe: Observe
) -> tuple[Tick, Report]:
    """Look at operations that are due, `most` at most, as budgets and the time until `deadline` (epoch ms) allow.

    The longest due come first, whosever they are.
    """
    total, looked = Tick(), Report()
    while total.admitted < most and clock.now() < deadline - CALL_MS:
        batches = _claimed(statuses, clock.now(), config, deadline, most - total.admitted, total)
        if not batches:
            break
        with ThreadPoolExecutor(BATCHES) as pool:
            for report in pool.map(lambda batch: _run(batch, config, clock, deadline, observe), batches):
                looked.ends += report.ends
                looked.calls += report.calls
    return total, looked


def _claimed(statuses: Statuses, now: int, config: Config, deadline: int, most: int, done: Tick) -> list[Batch]:
    marked = scheduler.lanes_by_budget((lane for lane in lanes.active() if keys.is_poll_lane(lane.lane)), done)
    horizon_ms = max(0, deadline - CALL_MS - now)

    def look(budget: str, part: Tick) -> Ready:
        return scheduler.look(budget, marked[budget], now, config, statuses, part, horizon_ms)

    ready = {each.budget: each for each in scheduler.for_each(marked, look, done)}
    waiting = {budget: each.candidates for budget, each in ready.items()}
    picked = longest_unseen(waiting, {budget: each.room for budget, each in ready.items()}, most)
    batches: list[Batch] = []
    scheduler.for_each(
        picked,
        lambda budget, part: scheduler.hand_out(ready[budget], picked[budget], now, config, batches.append, part),
        done,
    )
    return batches


def _run(batch: Batch, config: Config, clock: Clock, deadline: int, observe: Observe) -> Report:
    limits = config.limits(keys.marketplace_of(batch.budget))
    return run_batch(batch, limits, config, clock, deadline, observe, THREADS, polling=True)
