"""A clock on which an hour takes as long as the work done in it, for any number of threads."""

import heapq
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from threading import Event, Lock


class VirtualClock:
    """Time stands still while any thread works, and jumps to the next awaited moment when all of them wait.

    A `sluice.platform.clock.Clock` for one thread, or for the threads that `run` starts.
    """

    def __init__(self, now: int) -> None:
        self._now = now
        self._busy = 1
        self._lock = Lock()
        self._order = count()
        self._waiting: list[tuple[int, int, Event]] = []

    def now(self) -> int:
        return self._now

    def wait_until(self, at: int, wake: Event) -> bool:
        come = Event()
        with self._lock:
            heapq.heappush(self._waiting, (max(at, self._now), next(self._order), come))
            self._rest()
        come.wait()
        return wake.is_set()

    def run(self, work: Sequence[Callable[[], None]]) -> None:
        """Call each of `work` in a thread of its own, and return when all have returned."""
        self._busy = len(work)

        def one(call: Callable[[], None]) -> None:
            try:
                call()
            finally:
                with self._lock:
                    self._rest()

        with ThreadPoolExecutor(len(work)) as pool:
            finished = [pool.submit(one, call) for call in work]
        self._busy = 1
        for done in finished:
            done.result()

    def _rest(self) -> None:
        """A thread works no more. The last one moves the time on and wakes whoever has waited for that moment."""
        self._busy -= 1
        if self._busy or not self._waiting:
            return
        self._now = self._waiting[0][0]
        while self._waiting and self._waiting[0][0] == self._now:
            heapq.heappop(self._waiting)[2].set()
            self._busy += 1
