"""After the trouble: all that was asked for comes to its end. What has not is told: what it is, why, and since when."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from local.chaos.load import TENANTS, Ask
from local.laptop import Laptop
from sluice_command.api import Api
from sluice_command.errors import NotNow

Say = Callable[[str], None]

# Between two looks at what is not over, and so often each of it is told.
LOOK_SECONDS, TELL_SECONDS = 1.0, 15.0
# When nothing has come to its end for so long and in so many rounds of the schedules, something never will: the rounds
# count where the machine is slow.
PATIENCE_SECONDS, PATIENCE_ROUNDS = 600.0, 200
# In which states a record is over, and so many of what is not over are told while it is waited for.
RECORD_OVER, MOST_TOLD = ("live", "failed"), 10


class NeverOver(Exception):  # noqa: N818 - what happened
    """Something that was asked for has not come to an end, and nothing happens any more; `str()` tells each of it."""


def settle(laptop: Laptop, asks: Sequence[Ask], rounds: Callable[[], int], say: Say) -> None:
    """Wait until all of `asks` have come to an end.

    rounds: how often the schedules have come by. say: is told how far it is.

    Raises:
        NeverOver: something never does.
    """
    fewest, ended_at, ended_in = len(asks) + 1, time.monotonic(), rounds()
    told_at = ended_at
    while waiting := list(unfinished(laptop, asks)):
        now = time.monotonic()
        if len(waiting) < fewest:
            fewest, ended_at, ended_in = len(waiting), now, rounds()
            say(f"calm: {fewest} of {len(asks)} are not over yet")
        elif now - ended_at > PATIENCE_SECONDS and rounds() - ended_in > PATIENCE_ROUNDS:
            since = f"nothing has come to its end for {now - ended_at:.0f} s; {len(waiting)} of {len(asks)} never did:"
            raise NeverOver("\n  ".join([since, *waiting]))
        if now - told_at > TELL_SECONDS:
            told_at = now
            for line in _some(waiting):
                say(f"  {line}")
        time.sleep(LOOK_SECONDS)


def unfinished(laptop: Laptop, asks: Sequence[Ask]) -> Iterator[str]:
    """What has not come to an end, and where it stands, the oldest of each tenant first."""
    for tenant in TENANTS:
        with laptop.api(tenant) as api:
            for ask in [one for one in asks if one.tenant == tenant]:
                if (stands := standing(api, ask)) is not None:
                    yield f"{ask}, asked for {time.time() - ask.asked_at:.0f} s ago: {stands}"


def standing(api: Api, ask: Ask) -> str | None:
    """Where it stands; None once it is over. Of a cloud that does not answer just now nothing is known."""
    try:
        if ask.what == "record":
            record = api.get(f"/v1/ebay/listings/{ask.name}")
            if record["state"] in RECORD_OVER:
                return None
            job = f"; {_job(api.job(ask.job_id))}" if ask.job_id else ""
            return f"the record is {record['state']}{job}"
        found = api.job(ask.job_id)
        return None if found["wait"]["reason"] == "final" else _job(found)
    except NotNow as refused:
        return f"not known ({refused})"


def _job(job: Mapping[str, Any]) -> str:
    """`market.refresh is queued, 2 of 8 attempts used, last written 14 s ago, due in 3 s: (why it waits)`."""
    tries = f"{job['attempts']} of {job['maxAttempts'] or 'any number of'} attempts used"
    written = f"last written {-_seconds_until(job['updatedAt']):.0f} s ago"
    error = f"; last error {job['error']['code']}: {job['error']['message']}" if job["error"] else ""
    return f"{job['kind']} is {job['state']}, {tries}, {written}, {_due(job['dueAt'])}: {job['wait']['message']}{error}"


def _due(at: str | None) -> str:
    if at is None:
        return "not due"
    seconds = _seconds_until(at)
    return f"due in {seconds:.0f} s" if seconds > 0 else f"due since {-seconds:.0f} s"


def _seconds_until(at: str) -> float:
    return datetime.fromisoformat(at).timestamp() - time.time()


def _some(waiting: Sequence[str]) -> Iterator[str]:
    yield from waiting[:MOST_TOLD]
    if len(waiting) > MOST_TOLD:
        yield f"and {len(waiting) - MOST_TOLD} more"
