"""Each stream of a table has a poller of its own, as on AWS, and nobody's messages wait for what others write.

By itself ministack delivers SQS messages and runs the functions of streams in one thread, in turn: while a function
handles what one tenant's flood has written, no message reaches any worker. Each write to a table with a stream wakes
that thread too, and where it then finds no message, it sleeps for 50 ms before it looks again. A flood's writes have it
sleep nearly all the time, and a webhook passes it three times: as a record, as an event, and as a turn.

```
 ministack   messages ─► stream A's function runs … ─► stream B's function runs … ─► messages ─► 50 ms ─► …
 here        messages ─► messages ─► messages          A and B beside it, one run of each at a time, in order
             woken by messages and by ends of runs     woken by writes
```
It runs inside the ministack process, and hangs on four names of the ministack release that the lock pins.
"""

import threading
from collections.abc import Iterator
from contextvars import ContextVar
from typing import Any

from ministack.core.concurrency import spawn_background
from ministack.services import dynamodb, lambda_svc

# A mapping of a source to its function: account, region, and what ministack keeps of it.
Mapping = tuple[str, str, dict[str, Any]]

# A poller that nobody wakes looks again after this time: a function that has failed is to be tried again.
IDLE_SECONDS = 1.0
_mine: ContextVar[str] = ContextVar("stream", default="")
# What wakes each poller, by the id of its mapping.
_pollers: dict[str, threading.Event] = {}


class _Writes:
    """Stands in for what wakes the thread that delivers messages, where a table with a stream was written."""

    @staticmethod
    def set() -> None:
        """Wake the streams' pollers, and nobody else."""
        for woken in list(_pollers.values()):
            woken.set()


def install() -> None:
    """Take the streams out of the thread that delivers messages; from now on it only starts and wakes their pollers."""
    every, poll = lambda_svc._iter_all_esms, lambda_svc._poll_dynamodb_streams

    def chosen() -> Iterator[Mapping]:
        """In a poller its own mapping; in other threads all."""
        mine = _mine.get()
        return (one for one in every() if not mine or one[2]["UUID"] == mine)

    def follow(mapping_id: str, woken: threading.Event) -> None:
        _mine.set(mapping_id)
        while any(True for _ in chosen()):
            woken.clear()  # before it reads: what comes later wakes it again
            while poll():
                pass
            woken.wait(IDLE_SECONDS)
        del _pollers[mapping_id]

    def wake_all() -> bool:
        for _, _, mapping in every():
            mapping_id = mapping["UUID"]
            if ":dynamodb:" not in mapping.get("EventSourceArn", ""):
                continue
            if mapping_id not in _pollers:
                _pollers[mapping_id] = threading.Event()
                spawn_background(follow, mapping_id, _pollers[mapping_id], thread_name="ministack-stream")
            _pollers[mapping_id].set()
        return False

    lambda_svc._iter_all_esms = chosen
    lambda_svc._poll_dynamodb_streams = wake_all
    lambda_svc._ESM_IDLE_WAKE_GAP_SECONDS = 0.0
    dynamodb.esm_wake = _Writes
