"""Handing on what was chosen: its calls are reserved, it is claimed, and each batch goes to whoever runs it."""

from collections import defaultdict
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

from botocore.exceptions import BotoCoreError
from pynamodb.exceptions import PynamoDBException

from sluice.jobs.budgets import blocks, handed_out, ledger
from sluice.jobs.budgets.refusals import Refusals
from sluice.jobs.budgets.windows import SOON_MS, Window
from sluice.jobs.dispatch.admission import batches
from sluice.jobs.dispatch.find_ready import Ready
from sluice.jobs.dispatch.rounds import Done
from sluice.jobs.model.candidate import Candidate
from sluice.jobs.model.job import Job
from sluice.jobs.model.outcomes import Failure, LeaseOver
from sluice.jobs.queue import claim, finish, starts
from sluice.jobs.run.messages import Batch
from sluice.platform.clock import SECOND
from sluice.platform.config.document import Config
from sluice.platform.observe import logger

THREADS = 16
# So long before its slots a batch is to be with a worker: a message takes its time, and so does a process that starts.
LEAD_MS = SECOND

# Hands a batch of claimed jobs to a worker, or runs it. If it fails, the jobs go back.
Send = Callable[[Batch], None]


def hand_on(
    ready: Ready,
    picked: Sequence[Candidate],
    now: int,
    config: Config,
    send: Send,
    done: Done,
    refusals: Refusals | None = None,
    *,
    manual: bool = False,
    more: bool | None = None,
) -> None:
    """Reserve, claim and send those of `ready` that were `picked`, as far as there is room for them still.

    A batch is held back until its slots are near: were all of an account's with workers at once, each of these would
    wait for the same slots, and others' work for one of these.

    refusals: of whoever runs the batches in `send`. The rest stays in its lane when the budget is refused on the way.
    manual: these are for the manual workers. more: whether manual work that was not picked waits behind these.
    """
    batches_ = _batches(picked, config.engine.batch)
    for number, batch in enumerate(batches_, 1):
        if refusals and refusals.standing(ready.budget, now):
            return
        last = number == len(batches_)
        if not _admit(ready, batch, now, config, send, done, manual=manual, more=more if last else None):
            return


def _batches(picked: Sequence[Candidate], most: int) -> list[list[Candidate]]:
    """One batch for each account and `most` jobs, in the order of the pick."""
    by_account: dict[str, list[Candidate]] = defaultdict(list)
    for candidate in picked:
        by_account[candidate.account].append(candidate)
    return [batch for jobs in by_account.values() for batch in batches(jobs, most)]


def _admit(
    ready: Ready,
    batch: Sequence[Candidate],
    now: int,
    config: Config,
    send: Send,
    done: Done,
    *,
    manual: bool,
    more: bool | None,
) -> bool:
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
    ahead = _note_admitted(ready, kept, now, manual=manual, leaves=more)
    pace = max(limits.pace, ready.pace)
    length = kept * pace
    # Who asks for manual work from now on finds the slots spoken for, and whoever runs this has to see to it.
    asks = manual and (bool(more) or ahead + length >= SOON_MS or ready.usage.taken_ahead(limits, now))
    if ready.room.shares is not None:
        ledger.note_share(budget, window, claimed[0].tenant, kept)
    try:
        whole = Batch.of(claimed, window, kept, budget)
        send(whole._replace(after_ms=max(0, ahead - min(LEAD_MS, length)), more=pace if asks else 0))
    except Exception as error:
        # The message may have arrived all the same: the batch goes back only if no worker can start it any more.
        if starts.withdraw(claimed[0], now):
            unsent = Failure(f"the batch could not be handed to a worker: {type(error).__name__}", code="not_sent")
            for job in claimed:
                # Whoever has found its lease over before us has sent it back, and its calls.
                with suppress(LeaseOver):
                    finish.snooze(job, unsent, now, now, config)
                    ledger.give_back(budget, limits, window, job.reserved or 0)
        raise
    done.admitted += len(claimed)
    return True


def _note_admitted(ready: Ready, calls: int, now: int, *, manual: bool, leaves: bool | None) -> int:
    """Note that work with so many calls was handed out, and has not started; as `handed_out.admit`.

    Work at set times (`at_once`) starts where it was handed out: it takes its slots at once, and what has not started
    keeps them from nobody.
    """
    budget, limits = ready.budget, ready.limits
    if limits.at_once:
        return 0
    since, lies_ahead = ready.usage.next_at if manual else 0, ready.lies_ahead(now, manual=manual)
    ahead = handed_out.admit(
        budget, limits, calls, now, ready.pace, manual=manual, leaves=leaves, since=since, lies_ahead=lies_ahead
    )
    ready.moved |= {manual, False}
    if limits.rolling:
        times, pace = ready.usage.times(limits), ready.usage.slowed.of(limits.pace)
        if ready.handed_out is None:
            ready.handed_out = blocks.handed_out(times, now, ready.admitted_until, pace, limits.arrival_ms)
        until, before = ready.admitted_until, ready.handed_out
        ready.admitted_until = blocks.hand_out(times, now, until, before, calls, pace, limits.arrival_ms)
        ready.handed_out += calls
        handed_out.admit_until(budget, ready.admitted_until)
    return ahead


def _claim(candidate: Candidate, now: int, config: Config, batch: str) -> Job | Exception | None:
    """The job as it was claimed; None when it is not to be had; the error when it is not known."""
    try:
        return claim.claim(candidate, now, config.engine.lease_ms, batch)
    except (PynamoDBException, BotoCoreError) as error:
        logger.exception("it is not known whether a job was claimed", extra={"job_id": candidate.job_id})
        return error
    except Exception:  # noqa: BLE001
        # The item may be damaged where the index does not show it: its lease ends, and the rescue finds out.
        logger.exception("a job could not be claimed", extra={"job_id": candidate.job_id})
        return None
