"""A clock that only moves when a test moves it, or when somebody waits by it."""

import threading


class VirtualClock:
    """Stands still at `time` (epoch ms). A wait passes at once, and takes the time that it was for."""

    def __init__(self, time: int) -> None:
        self.time = time

    def now(self) -> int:
        return self.time

    def wait_until(self, at: int, wake: threading.Event) -> bool:
        if not wake.is_set():
            self.time = max(self.time, at)
        return wake.is_set()
