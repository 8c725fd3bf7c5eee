"""One tick: rescue what was lost, then give each budget with work as much as it can do until the next tick.

Any number of ticks may run at once: reservations and claims are conditional writes, and a tick that loses a claim gives
its calls back.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from typing import Any, TypeVar

from botocore.exceptions import BotoCoreError
from pynamodb.exceptions import PynamoDBException

from sluice.jobs.budgets import ledger
from sluice.jobs.budgets.windows import Window
from sluice.jobs.dispatch import overdue, rescue
from sluice.jobs.dispatch.admission import batches, pick
from sluice.jobs.dispatch.explain import Reason
from sluice.jobs.dispatch.find_ready import Applications, Ready, Statuses, look_into, none_known
from sluice.jobs.dispatch.transfers import Moved, Working, none_work, sweep
from sluice.jobs.model import keys
from sluice.jobs.model.candidate import Candidate
from sluice.jobs.model.job import Job
from sluice.jobs.model.outcomes import Failure
from sluice.jobs.queue import claim, finish, lanes, nudge, recounts, starts
from sluice.jobs.queue.lanes import Lane
from sluice.jobs.run import records
from sluice.jobs.run.messages import Batch
from sluice.platform import aws
from sluice.platform.clock import SECOND, Clock
from sluice.platform.config.document import Config
from sluice.platform.observe import count, logger, seconds
from sluice.platform.settings import settings

THREADS = 16
# For so long a run goes on answering those who ask; its function is ended a while later.
ANSWERING_MS = 30 * SECOND

Send = Callable[[Batch], None]
R = TypeVar("R")


@dataclass
class Tick:
    """What one tick did. `held`: budgets that were skipped, with the reason. `oldest_due_at`: of what could run."""

    lanes: int = 0
    admitted: int = 0
    rescued: int = 0
    buried: int = 0
    lost_claims: int = 0
    errors: int = 0
    held: dict[str, str] = field(default_factory=dict)
    oldest_due_at: int | None = None

    def add(self, part: "Tick") -> None:
        """Count what one budget's part of the tick did."""
        self.admitted += part.admitted
        self.rescued += part.rescued
        self.buried += part.buried
        self.lost_claims += part.lost_claims
        self.errors += part.errors
        self.held |= part.held
        self.oldest_due_at = min((at for at in (self.oldest_due_at, part.oldest_due_at) if at), default=None)


def tick(now: int, config: Config, statuses: Statuses, send: Send, applications: Applications = none_known) -> Tick:
    """Run one tick at `now`. `send` hands a batch of claimed jobs to a worker; if it fails, the jobs go back.

    A batch holds manual jobs alone, or none.
    """
    done = Tick()
    taken_back = rescue.take_back(now, config, applications)
    done.rescued, done.buried, done.errors = taken_back.rescued, taken_back.buried, taken_back.errors
    ready, others = list[Lane](), list[Lane]()
    for lane in lanes.active():
        (others if keys.is_poll_lane(lane.lane) or has_own_worker(lane, config) else ready).append(lane)
    done.oldest_due_at = overdue.oldest(others, now, config, statuses, applications)
    return admit(ready, now, config, statuses, send, done, applications)


def has_own_worker(lane: Lane, config: Config) -> bool:
    """Whether the lane's jobs limit how many of them run at once, so that the worker that keeps to it serves them."""
    limits = config.marketplaces.get(keys.service_of(keys.lane_budget(lane.lane)))
    return limits is not None and limits.at_once > 0


def admit(
    marked: Iterable[Lane],
    now: int,
    config: Config,
    statuses: Statuses,
    send: Send,
    done: Tick,
    applications: Applications = none_known,
) -> Tick:
    """Give each budget of the `marked` lanes as much of their due work as it can take; `done` counts it."""
    by_budget = lanes_by_budget(marked, done, applications)

    def serve(budget: str, part: Tick) -> None:
        ready = look(budget, by_budget[budget], now, config, statuses, part)
        picked = pick(ready.candidates, ready.room, now, config.age_limit_ms)
        # Apart, because batches of manual jobs have a queue of their own; and first, because somebody waits for them.
        for jobs in ([job for job in picked if job.manual], [job for job in picked if not job.manual]):
            hand_out(ready, jobs, now, config, send, part)

    for_each(by_budget, serve, done)
    return done


def lanes_by_budget(marked: Iterable[Lane], done: Tick, applications: Applications) -> dict[str, list[Lane]]:
    """The `marked` lanes of each budget that is charged for their work; `done` counts them."""
    stored = [(lane, keys.lane_budget(lane.lane), keys.lane_account(lane.lane)) for lane in marked]
    sharing = {account for _, budget, account in stored if keys.is_shared(budget)}
    known = applications(sharing) if sharing else {}
    by_budget: dict[str, list[Lane]] = defaultdict(list)
    for lane, budget, account in stored:
        by_budget[keys.charged_to(budget, known.get(account))].append(lane)
        done.lanes += 1
    return by_budget


def for_each(
    budgets_: Iterable[str], serve: Callable[[str, Tick], R], done: Tick, threads: int | None = None
) -> list[R]:
    """Do `serve` for each budget, several at a time; those that fail are left out, and counted in `done`."""

    def one(budget: str) -> tuple[Tick, list[R]]:
        part = Tick()
        try:
            return part, [serve(budget, part)]
        except Exception:  # noqa: BLE001
            # One budget's trouble must not hold up the others; what it left half done, leases and the next tick mend.
            logger.exception("a budget could not be served", extra={"budget": budget})
            part.errors += 1
            return part, []

    answers: list[R] = []
    with ThreadPoolExecutor(threads or THREADS) as pool:
        for part, answer in pool.map(one, budgets_):
            done.add(part)
            answers += answer
    return answers


def run(
    statuses: Statuses,
    clock: Clock,
    config: Config,
    applications: Applications = none_known,
    working: Working = none_work,
    *,
    nudged: bool = False,
) -> dict[str, Any]:
    """What the scheduler function does: a tick, and more as long as somebody asks for them meanwhile.

    nudged: it was started for somebody who asked. It does nothing where enough others run, who will answer. It leaves
        to the others what is done once a minute.
    """
    began = clock.now()
    place = nudge.begin(began)
    if nudged and place is None:
        return {"skipped": "others run"}
    swept = nudged
    try:
        while True:
            # After the flag was cleared: who found it still set has written jobs that are due by now.
            stats = _tick(statuses, clock, config, applications, working)
            if not swept:
                recounts.sweep()
                swept = True
            if place is None or clock.now() - began > ANSWERING_MS:
                return stats
            if nudge.leave(place):
                place = None
                return stats
    finally:
        if place is not None:
            nudge.give_up(place)


def _tick(
    statuses: Statuses, clock: Clock, config: Config, applications: Applications, working: Working
) -> dict[str, Any]:
    """One tick, then its record, its metrics and the snapshot for /health."""
    now = clock.now()
    done = tick(now, config, statuses, _send, applications)
    recounts.wanted(now)
    over = _move_on(done, now, config, statuses, working)
    age = (now - done.oldest_due_at) // SECOND if done.oldest_due_at else 0
    stats = {**asdict(done), **asdict(over), "oldest_due_age": age, "ms": clock.now() - now}
    counters = {"admitted": done.admitted, "rescued": done.rescued, "errors": done.errors}
    records.record("scheduler", stats, counters, now, config)
    records.save_health({"at": now, "lanes": done.lanes, "held": len(done.held), "oldest_due_age": age})
    told = {"SchedulerRun": 1, "JobsAdmitted": done.admitted, "JobsRescued": done.rescued}
    told |= {"JobsTransferred": over.transferred, "JobsAbandoned": over.abandoned}
    for name, value in told.items():
        count(name, value)
    seconds("OldestDueAge", age)
    logger.info("tick", extra={"stats": stats})
    return stats


def _move_on(done: Tick, now: int, config: Config, statuses: Statuses, working: Working) -> Moved:
    """Look after work whose account does not work, if this tick or an earlier one has found some."""
    found = Reason.ACCOUNT in done.held.values()
    marked = [lane for lane in lanes.active() if found or lane.held_since is not None]
    return sweep(marked, now, config, statuses, working)


def _send(batch: Batch) -> None:
    queue = "manual_queue_url" if batch.manual else "work_queue_url"
    aws.send_message(settings().require(queue), batch.encode())


def look(
    budget: str,
    marked: Sequence[Lane],
    now: int,
    config: Config,
    statuses: Statuses,
    done: Tick,
    horizon_ms: int | None = None,
    until: int | None = None,
) -> Ready:
    """What of the due work in a budget's lanes may run, and the room for it up to `horizon_ms` ahead; `done` counts.

    until: what becomes due by then is looked at too, epoch ms; by default what is due now.
    """
    ahead = config.horizon_ms if horizon_ms is None else horizon_ms
    ready = look_into(budget, marked, now, config, statuses, ahead, until or now)
    done.buried += sum(rescue.discard(job_id, now, config) for job_id in ready.unreadable)
    if ready.held:
        done.held[budget] = ready.held
    done.oldest_due_at = min((candidate.due_at for candidate in ready.candidates), default=None)
    return ready


def hand_out(ready: Ready, picked: Sequence[Candidate], now: int, config: Config, send: Send, done: Tick) -> None:
    """Reserve, claim and send those of `ready` that were `picked`, as far as there is room for them still."""
    for batch in _batches(picked, config.batch):
        if not _admit(ready, batch, now, config, send, done):
            return


def _batches(picked: Sequence[Candidate], most: int) -> list[list[Candidate]]:
    """One batch for each account and `most` jobs, in the order of the pick."""
    by_account: dict[str, list[Candidate]] = defaultdict(list)
    for candidate in picked:
        by_account[candidate.account].append(candidate)
    return [batch for jobs in by_account.values() for batch in batches(jobs, most)]


def _admit(ready: Ready, batch: Sequence[Candidate], now: int, config: Config, send: Send, done: Tick) -> bool:
    """Reserve, claim and send one batch. False when the budget has no room for it any more."""
    budget, limits = ready.budget, ready.limits
    window, name = Window.of(budget, now), claim.new_batch()
    if not ledger.reserve_calls(budget, limits, window, sum(candidate.calls for candidate in batch)):
        return False
    with ThreadPoolExecutor(THREADS) as pool:
        claims = list(pool.map(lambda one: _claim(one, now, config, name), batch))
    claimed = [job for job in claims if isinstance(job, Job)]
    kept = sum(job.reserved or 0 for job in claimed)
    # The calls of a claim whose fate is not known stay with it: if it stands, its rescue gives them back.
    lost = [candidate for candidate, job in zip(batch, claims, strict=True) if job is None]
    ledger.give_back(budget, limits, window, sum(candidate.calls for candidate in lost))
    done.lost_claims += len(batch) - len(claimed)
    if not claimed:
        return True
    ledger.admit(budget, limits, kept, now, ready.pace)
    ledger.note_share(budget, window, claimed[0].tenant, kept)
    try:
        send(Batch.of(claimed, window, kept, budget))
    except Exception as error:
        # The message may have arrived all the same: the batch goes back only if no worker can start it any more.
        if starts.withdraw(claimed[0], now):
            unsent = Failure(f"the batch could not be handed to a worker: {type(error).__name__}", code="not_sent")
            for job in claimed:
                finish.snooze(job, unsent, now, now, config)
                ledger.give_back(budget, limits, window, job.reserved or 0)
        raise
    done.admitted += len(claimed)
    return True


def _claim(candidate: Candidate, now: int, config: Config, batch: str) -> Job | Exception | None:
    """The job as it was claimed; None when it is not to be had; the error when it is not known."""
    try:
        return claim.claim(candidate, now, config.lease_ms, batch)
    except (PynamoDBException, BotoCoreError) as error:
        logger.exception("it is not known whether a job was claimed", extra={"job_id": candidate.job_id})
        return error
    except Exception:  # noqa: BLE001
        # The item may be damaged where the index does not show it: its lease ends, and the rescue looks into it.
        logger.exception("a job could not be claimed", extra={"job_id": candidate.job_id})
        return None
