"""The operation poller: checks of jobs whose operation the marketplace works on, those of the poll lanes that are due.

What may run, and what it is charged to, is as in every round (`rounds`); what differs is that a check needs no
hand-over. It is one short call, so the poller runs what it has claimed itself, many at a time. Any number of pollers
may run at once: a claim has one winner.
"""

from sluice.jobs.dispatch.admission import longest_unseen
from sluice.jobs.dispatch.find_ready import Ready
from sluice.jobs.dispatch.hand_on import Refusals, hand_on
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


def poll(accounts: Accounts, context: Context, deadline: int, most: int, observe: Observe) -> tuple[Done, Report]:
    """Check operations that are due, `most` at most, as budgets and the time until `deadline` (epoch ms) allow.

    Tenants have turns, each with its longest due. Several batches run at once, and each is claimed just before it runs,
    so that what the time does not suffice for is left to the next poller.
    """
    clock, config = context.clock, context.config
    total, checked, refusals = Done(), Report(), Refusals()
    while total.admitted < most and clock.now() < deadline - CALL_MS:
        before = total.admitted
        round_ = Round(Snapshot(clock.now(), config, accounts), total)
        shares = _shares(round_, deadline, most - total.admitted)

        def check(share: str, part: Done) -> Report:
            seen, (ready, candidates) = Report(), shares[share]  # noqa: B023 - called within this round

            def run(batch: Batch) -> None:
                report = run_batch(batch, ready.limits, context, deadline, observe, THREADS, polling=True)
                refusals.note(batch.budget, report.refused_until)
                seen.add(report)

            if clock.now() < deadline - CALL_MS:
                hand_on(ready, candidates, clock.now(), config, run, part, refusals)
            return seen

        for report in for_each(shares, check, total, BATCHES):
            checked.add(report)
        if total.admitted == before:
            break
    return total, checked


def _shares(round_: Round, deadline: int, most: int) -> dict[str, tuple[Ready, list[Candidate]]]:
    """What is checked now, in portions, those with the longest due first.

    A portion is a batch, or more of them one after the other: more at once than a budget's slots keep busy would take
    others' places and only wait.
    """
    polled = (lane for lane in lanes.active() if keys.is_poll_lane(lane.lane))
    ready = round_.find(polled, horizon_ms=max(0, deadline - CALL_MS - round_.snapshot.now))
    waiting = {budget: each.candidates for budget, each in ready.items()}
    rooms = {budget: each.room._replace(paced=each.room.checks) for budget, each in ready.items()}
    picked = longest_unseen(waiting, rooms, most, round_.snapshot.now)
    portions = list[tuple[str, list[Candidate]]]()
    for budget, candidates in picked.items():
        size = max(round_.snapshot.config.engine.batch, -(-len(candidates) // _at_once(ready[budget])))
        portions += [(budget, candidates[start : start + size]) for start in range(0, len(candidates), size)]
    portions.sort(key=lambda portion: portion[1][0].due_at)
    return {f"{budget} {number}": (ready[budget], part) for number, (budget, part) in enumerate(portions)}


def _at_once(ready: Ready) -> int:
    """How many batches of the budget keep its slots busy."""
    pace = max(ready.limits.pace, ready.pace)
    return max(1, ANSWER_MS // (pace * THREADS)) if pace else len(ready.candidates)
