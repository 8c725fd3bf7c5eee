"""Each stream of a table has pollers of its own, as on AWS, and nobody's messages wait for what others write.

By itself ministack delivers SQS messages and runs the functions of streams in one thread, in turn: while a function
handles what one tenant's flood has written, no message reaches any worker. Each write to a table with a stream wakes
that thread too, and where it then finds no message, it sleeps for 50 ms before it looks again. A flood's writes have it
sleep nearly all the time, and a webhook passes it three times: as a record, as an event, and as a turn.

```
 ministack   messages ─► stream A's function runs … ─► stream B's function runs … ─► messages ─► 50 ms ─► …
 here        messages ─► messages ─► messages          A and B beside it, one run of each at a time, in order
             woken by messages and by ends of runs     woken by writes
```
A mapping with a `ParallelizationFactor` has so many pollers. Each reads the whole stream and handles its part of the
items, as their keys say: what is told of one item stays in order.

On AWS a poller gathers records for as long as `MaximumBatchingWindowInSeconds` says. Here it does so where it is asked
to (`LocalCloud(windows=True)`): tests would wait for nothing else.

It runs inside the ministack process, and hangs on six names of the ministack release that the lock pins.
"""

import json
import threading
import time
import zlib
from collections.abc import Iterator
from contextvars import ContextVar
from typing import Any, NamedTuple

from ministack.core.concurrency import spawn_background
from ministack.services import dynamodb, lambda_svc

# A mapping of a source to its function: account, region, and what ministack keeps of it.
Mapping = tuple[str, str, dict[str, Any]]

# A poller that nobody wakes looks again after this time: a function that has failed is to be tried again.
IDLE_SECONDS = 1.0


class Part(NamedTuple):
    """Which items a poller handles: part `number` of `of`, of what `mapping` (its id) reads."""

    mapping: str
    number: int = 0
    of: int = 1

    @property
    def name(self) -> str:
        """By which ministack knows how far the poller has read."""
        return f"{self.mapping}/{self.number}" if self.number else self.mapping

    def has(self, record: Any) -> bool:
        """Whether the item that the record is about is one of these."""
        keys = json.dumps(record["dynamodb"]["Keys"], sort_keys=True)
        return zlib.crc32(keys.encode()) % self.of == self.number


_mine: ContextVar[Part | None] = ContextVar("part", default=None)
# What wakes each poller.
_pollers: dict[Part, threading.Event] = {}


class _Writes:
    """Stands in for what wakes the thread that delivers messages, where a table with a stream was written."""

    @staticmethod
    def set() -> None:
        """Wake the streams' pollers, and nobody else."""
        for woken in list(_pollers.values()):
            woken.set()


def install(*, windows: bool = False) -> None:
    """Take the streams out of the thread that delivers messages; from now on it only starts and wakes their pollers.

    windows: pollers gather records for as long as their mapping says.
    """
    every, poll = lambda_svc._iter_all_esms, lambda_svc._poll_dynamodb_streams
    wanted = lambda_svc._apply_filter_criteria

    def chosen() -> Iterator[Mapping]:
        """In a poller its own mapping; in other threads all."""
        mine = _mine.get()
        for account, region, mapping in every():
            if mine is None:
                yield account, region, mapping
            elif mine in parts(mapping):
                yield account, region, {**mapping, "UUID": mine.name} if mine.number else mapping

    def wanted_here(records: list[Any], mapping: dict[str, Any]) -> list[Any]:
        mine = _mine.get()
        own = [one for one in records if mine.has(one)] if mine else records
        found: list[Any] = wanted(own, mapping)
        return found

    def follow(part: Part, woken: threading.Event, gathers_for: float) -> None:
        _mine.set(part)
        while any(True for _ in chosen()):
            woken.clear()  # before it reads: what comes later wakes it again
            while poll():
                time.sleep(gathers_for)
            if woken.wait(IDLE_SECONDS):
                time.sleep(gathers_for)
        del _pollers[part]

    def wake_all() -> bool:
        for account, region, mapping in every():
            if ":dynamodb:" not in mapping.get("EventSourceArn", ""):
                continue
            gathers_for = mapping.get("MaximumBatchingWindowInSeconds", 0) if windows else 0
            for part in parts(mapping):
                woken = _pollers.get(part)
                if woken is None:
                    _begin_with_the_first(account, region, part)
                    woken = _pollers[part] = threading.Event()
                    spawn_background(follow, part, woken, gathers_for, thread_name="ministack-stream")
                woken.set()
        return False

    lambda_svc._iter_all_esms = chosen
    lambda_svc._apply_filter_criteria = wanted_here
    lambda_svc._poll_dynamodb_streams = wake_all
    lambda_svc._ESM_IDLE_WAKE_GAP_SECONDS = 0.0
    dynamodb.esm_wake = _Writes


def parts(mapping: dict[str, Any]) -> list[Part]:
    """One for each poller of the mapping, the first last: the others begin where it stands."""
    of = int(mapping.get("ParallelizationFactor", 1))
    return [Part(mapping["UUID"], number, of) for number in reversed(range(of))]


def _begin_with_the_first(account: str, region: str, part: Part) -> None:
    """Where ministack has told the mapping to begin, if this poller has not read anything in an earlier life."""
    read = lambda_svc._dynamodb_stream_positions._data
    begin = read.get((account, region, part.mapping))
    if begin is not None:
        read.setdefault((account, region, part.name), begin)
