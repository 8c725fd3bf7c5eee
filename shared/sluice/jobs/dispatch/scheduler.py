"""One tick: give each budget with work as much as it can do until the next tick, and move on what no account runs.

The first tick of the minute's run also looks after what nobody waits for: jobs whose lease is over, what is overdue in
lanes that others serve, counts of jobs that are off, and the snapshot for /health. Ticks that somebody asks for leave
that to it.

Any number of ticks may run at once, as any number of rounds may (`rounds`).
"""

import threading
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from typing import Any

from sluice.jobs.dispatch import overdue, rescue
from sluice.jobs.dispatch.admission import pick
from sluice.jobs.dispatch.explain import Reason
from sluice.jobs.dispatch.hand_on import Send, hand_on
from sluice.jobs.dispatch.rounds import Done, Round, for_each
from sluice.jobs.dispatch.snapshot import Accounts, Snapshot
from sluice.jobs.dispatch.transfers import Moved, sweep
from sluice.jobs.model import keys
from sluice.jobs.queue import lanes, nudge, recounts
from sluice.jobs.queue.lanes import Lane
from sluice.jobs.queue.nudge import RunPlace, Wakeup
from sluice.jobs.run import records
from sluice.jobs.run.messages import Batch
from sluice.jobs.run.runner import CALL_MS
from sluice.platform import aws
from sluice.platform.clock import SECOND
from sluice.platform.config.document import Config
from sluice.platform.context import Context
from sluice.platform.observe import count, logger, seconds
from sluice.platform.settings import settings

# No tick begins later than this in a run: its function is ended a while later.
LAST_TICK_MS = 40 * SECOND


def tick(snapshot: Snapshot, send: Send, *, minutely: bool = True) -> Done:
    """Run one tick. `send` hands a batch of claimed jobs to a worker; if it fails, the jobs go back.

    A batch holds manual jobs alone, or none. minutely: whether it looks after what is looked after once a minute.
    """
    round_ = Round(snapshot)
    done = round_.done
    if minutely:
        taken_back = rescue.take_back(snapshot)
        done.rescued, done.buried, done.errors = taken_back.rescued, taken_back.buried, taken_back.errors
    marked, ready, others = lanes.active(), list[Lane](), list[Lane]()
    for lane in marked:
        (others if keys.is_poll_lane(lane.lane) or has_own_worker(lane, snapshot.config) else ready).append(lane)
    if minutely:
        done.oldest_due_at = overdue.oldest(snapshot, others)
    admit(ready, round_, send)
    moved = _move_on(done, snapshot, marked, others if minutely else [])
    done.transferred, done.abandoned = moved.transferred, moved.abandoned
    return done


def has_own_worker(lane: Lane, config: Config) -> bool:
    """Whether the lane's jobs limit how many of them run at once, so that the worker that keeps to it serves them."""
    limits = config.limits.get(keys.service_of(keys.lane_budget(lane.lane)))
    return limits is not None and limits.at_once > 0


def admit(marked: Iterable[Lane], round_: Round, send: Send) -> None:
    """Give each budget of the `marked` lanes as much of their due work as it can take."""
    by_budget, now, config = round_.by_budget(marked), round_.snapshot.now, round_.snapshot.config
    # What has its slots later than its lease lets it begin would be claimed, and taken back, again and again.
    ahead = min(config.engine.horizon_ms, config.engine.lease_ms - CALL_MS)

    usages = round_.usages(by_budget)

    def serve(budget: str, part: Done) -> None:
        ready = round_.check(budget, by_budget[budget], part, ahead, usage=usages.get(budget))
        picked = pick(ready.candidates, ready.room, now, config.engine.age_limit_ms)
        # Apart, because batches of manual jobs have a queue of their own; and first, because somebody waits for them.
        manual = [job for job in picked if job.manual]
        more = sum(job.manual for job in ready.candidates) > len(manual)
        hand_on(ready, manual, now, config, send, part, manual=True, more=more)
        hand_on(ready, [job for job in picked if not job.manual], now, config, send, part)

    for_each(by_budget, serve, round_.done)


def answer(event: Mapping[str, Any], accounts: Accounts, context: Context) -> dict[str, Any]:
    """What the scheduler function does with its event: a schedule's, a nudge's, or messages that were held back."""
    return run(accounts, context, nudge.asked_by(event))


def run(accounts: Accounts, context: Context, asked: Wakeup = nudge.BY_SCHEDULE) -> dict[str, Any]:
    """A tick, and more as long as somebody asks for them meanwhile.

    A run that was started for somebody does nothing where enough others run, who will answer. It leaves to the others
    what is done once a minute.
    """
    if asked.at:
        context.clock.wait_until(min(asked.at, context.now() + SECOND), threading.Event())
    began = context.now()
    place = _place(asked, began)
    if asked.nudged and place is None:
        return {"skipped": "others run"}
    minutely = not asked.nudged
    try:
        while True:
            # After the flag was cleared: who found it still set has written jobs that are due by now.
            stats = _tick(accounts, context, minutely=minutely)
            if minutely:
                recounts.sweep()
                minutely = False
            if context.now() - began > LAST_TICK_MS:
                return stats
            if stats["transferred"]:
                continue  # what has gone over to an account that can run it is due now
            if place is None:
                return stats
            if nudge.leave(place):
                place = None
                return stats
    finally:
        if place is not None:
            nudge.give_up(place)


def _place(asked: Wakeup, now: int) -> RunPlace | None:
    """A place for the run; None where all are taken by runs that will answer those who ask."""
    place = nudge.begin(now)
    # Others run, and may have read before this was due: they are to read once more, unless they have left by now.
    if place is None and asked.at and nudge.ask(now):
        place = nudge.begin(now)
    return place


def _tick(accounts: Accounts, context: Context, *, minutely: bool) -> dict[str, Any]:
    """One tick, then its record, its metrics and, once a minute, the snapshot for /health."""
    snapshot = Snapshot(context.now(), context.config, accounts)
    now, done = snapshot.now, tick(snapshot, _send, minutely=minutely)
    if minutely:
        recounts.wanted(context.config, now)
    age = done.oldest_due_age(now)
    stats = {**asdict(done), "oldest_due_age": age, "ms": context.now() - now}
    counters = {"admitted": done.admitted, "rescued": done.rescued, "errors": done.errors}
    records.record("scheduler", stats, counters, now, context.config)
    if minutely:
        records.save_health(done.told(now))
    told = {"SchedulerRun": 1, "JobsAdmitted": done.admitted, "JobsRescued": done.rescued}
    told |= {"JobsTransferred": done.transferred, "JobsAbandoned": done.abandoned}
    for name, value in told.items():
        count(name, value)
    seconds("OldestDueAge", age)
    logger.info("tick", extra={"stats": stats})
    return stats


def _move_on(done: Done, snapshot: Snapshot, marked: Iterable[Lane], unseen: Iterable[Lane] = ()) -> Moved:
    """Move on work that its account cannot run, if this tick or an earlier one has found some in the `marked` lanes.

    unseen: those of them that others serve, of which no tick finds whether their accounts work.
    """
    found, looked_at = set(done.held.values()), {lane.lane for lane in unseen}
    broken, closed = Reason.ACCOUNT in found, bool(found & {Reason.CLOSED, Reason.NO_BUDGET, Reason.PAUSED})
    stuck = [
        lane
        for lane in marked
        if broken or lane.held_since is not None or (closed and lane.shared_at is not None) or lane.lane in looked_at
    ]
    return sweep(snapshot, stuck)


def _send(batch: Batch) -> None:
    queue = "manual_queue_url" if batch.manual else "work_queue_url"
    aws.send_message(settings().require(queue), batch.encode(), min(batch.after_ms // SECOND, aws.LONGEST_DELAY))
