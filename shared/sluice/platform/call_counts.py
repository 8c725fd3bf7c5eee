"""What this process's calls to marketplaces came to, until a run writes it down with its other counters.

The seam counts each call here; `jobs.run.records` takes what was counted into the hour's item, which it writes anyway.
"""

from bisect import bisect_left
from collections import Counter
from threading import Lock

# The buckets of answering times, ms: each holds what took longer than the bound before it, and at most its own. One
# more holds what took longer than all.
BOUNDS = (50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000, 20_000)
OK, TOO_MANY, REFUSED, BROKEN, NO_ANSWER = "ok", "429", "4xx", "5xx", "none"
OUTCOMES = (OK, TOO_MANY, REFUSED, BROKEN, NO_ANSWER)

_counted = Counter[str]()
_lock = Lock()


def outcome(status: int | None) -> str:
    """The word for an answer's status; None: there was no answer."""
    if status is None:
        return NO_ANSWER
    if status == 429:
        return TOO_MANY
    return OK if status < 400 else REFUSED if status < 500 else BROKEN


def note(marketplace: str, status: int | None, ms: int) -> None:
    """Count one call that was answered with `status` after `ms`."""
    with _lock:
        _counted[f"c:{marketplace}:{outcome(status)}"] += 1
        _counted[f"l:{marketplace}:{bisect_left(BOUNDS, ms)}"] += 1


def take() -> dict[str, int]:
    """What was counted since this was last asked."""
    with _lock:
        counted = dict(_counted)
        _counted.clear()
    return counted


def forget() -> None:
    """Drop what this process has counted, as a new process would start."""
    take()
