"""Replaying dead letters: a person has their work asked for once more, and each letter only once.

```
 letter   replayed_at absent? set it ─┐ one transaction:
 job      unfinished? join it         ├ both, or neither
          else    queue it anew       ─┘
```
Nothing replays by itself. The job starts over at attempt 0; it names its letter and goes on with the letter's timeline.
"""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from pynamodb.expressions.update import Action as Update
from pynamodb.transactions import TransactWrite

from sluice.jobs import ask
from sluice.jobs.model import keys, kinds
from sluice.jobs.model.dead_letters import DeadLetter, is_unreadable
from sluice.jobs.model.job import VERSION, Origin, Spec
from sluice.jobs.queue.enqueue import Enqueued
from sluice.jobs.queue.together import NotWritten, enqueue_with
from sluice.platform.clock import iso
from sluice.platform.config.document import Config
from sluice.platform.observe import logger
from sluice.platform.refused import UNAVAILABLE, Refused

THREADS = 16
# Why a letter is refused: it is replayed already, it cannot be, or not just now (`UNAVAILABLE`).
REPLAYED: Final = "replayed"
NOT_REPLAYABLE: Final = "not_replayable"
# Deaths that say nothing of the work itself: the handler knows nothing of them, or something of ours stopped it.
UNHANDLED = {"lease_expired", "newer_version", "unknown_kind", "not_sent", "internal", "account_not_working"}


def refusal(letter: DeadLetter) -> Refused | None:
    """Why the letter cannot be replayed, as far as it tells by itself."""
    if letter.replayed_at is not None:
        by = f"{letter.replayed_by} at {iso(letter.replayed_at)}"
        return _refused(REPLAYED, f"it was replayed by {by}; if that died too, there is another letter")
    if is_unreadable(letter.error):
        return _refused(NOT_REPLAYABLE, "it holds no job that Sluice can read; ask for the work anew")
    if letter.version > VERSION:
        return _refused(NOT_REPLAYABLE, f"it is of version {letter.version}, and this Sluice reads up to {VERSION}")
    try:
        kind = kinds.get(letter.kind)
    except kinds.UnknownKind as unknown:
        return _refused(NOT_REPLAYABLE, str(unknown))
    if kind.failure_is_final and letter.error["code"] not in UNHANDLED:
        return _refused(NOT_REPLAYABLE, "what it was to do has failed for good, as its history says; ask for it anew")
    return None


def replay(letters: Sequence[DeadLetter], by: str, now: int, config: Config) -> list[Enqueued | Refused]:
    """Ask once more for the work of each of one tenant's `letters`; the answers are in their order.

    by: who wants it. A letter that is refused stops no other.
    """

    def one(letter: DeadLetter) -> Enqueued | Refused:
        try:
            return refusal(letter) or _replay(letter, by, now, config)
        except Exception:  # noqa: BLE001 - answered for this letter; the others go on
            logger.exception("a dead letter could not be replayed", extra={"dead_letter": letter.dead_letter})
            return _refused(UNAVAILABLE, "it could not be replayed just now; ask again")

    with ThreadPoolExecutor(THREADS) as pool:
        answers = list(pool.map(one, letters))
    done = [
        (letter.kind, letter.priority, answer)
        for letter, answer in zip(letters, answers, strict=True)
        if isinstance(answer, Enqueued)
    ]
    if done:
        ask.remember(letters[0].tenant, done, now, config)
    return answers


def _replay(letter: DeadLetter, by: str, now: int, config: Config) -> Enqueued | Refused:
    marks: list[Update] = [DeadLetter.replayed_at.set(now), DeadLetter.replayed_by.set(by)]
    unmarked = DeadLetter.dead_letter.exists() & DeadLetter.replayed_at.does_not_exist()

    def mark(transaction: TransactWrite) -> None:
        transaction.update(DeadLetter(letter.tenant, letter.dead_letter), marks, unmarked)

    try:
        return enqueue_with(_spec(letter, config), now, mark)
    except NotWritten:
        return _refused(REPLAYED, "somebody else has just replayed it")
    except (ValueError, KeyError) as error:
        return _refused(NOT_REPLAYABLE, f"its job cannot be asked for any more: {error}")


def _spec(letter: DeadLetter, config: Config) -> Spec:
    """The work that died, on the account on which it died."""
    return Spec(
        job_id=letter.job_id,
        kind=letter.kind,
        tenant=letter.tenant,
        account=letter.account,
        budget=letter.budget,
        priority=letter.priority,
        payload=letter.payload,
        calls=letter.calls,
        lane_shards=config.limits[keys.service_of(letter.budget)].shards,
        origin=Origin(letter.dead_letter, letter.history, bool(letter.begun)),
    )


def _refused(code: str, message: str) -> Refused:
    return Refused("deadLetter", message, code=code)
