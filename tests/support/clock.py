"""A clock that only moves when a test moves it, or when somebody waits by it."""

import threading


class VirtualClock:
    """Stands still at `time` (epoch ms). A wait passes at once, and takes the time that it was for.

    Threads may share it: whoever waits or takes its time at the same moment moves it on, and never back.
    """

    def __init__(self, time: int) -> None:
        self.time = time
        self._lock = threading.Lock()

    def now(self) -> int:
        return self.time

    def wait_until(self, at: int, wake: threading.Event) -> bool:
        if not wake.is_set():
            with self._lock:
                self.time = max(self.time, at)
        return wake.is_set()

    def take(self, ms: int) -> None:
        """Be `ms` later: something has taken so long."""
        with self._lock:
            self.time += ms
