"""Threads in virtual time: a clock that knows who waits for whom, pools and locks on it, and processes that are killed.

Time stands still while anybody works, so a slow machine changes no result.
"""

import threading
from collections.abc import Callable, Collection, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, TypeVar

from bench import virtual
from tests.simulation.trouble import Killed

R = TypeVar("R")
NEVER = 10**15


@dataclass
class Process:
    """A worker that is at a message."""

    body: str
    dead: bool = False


# Whose thread this is.
_own = threading.local()


def _process() -> Process | None:
    found: Process | None = getattr(_own, "process", None)
    return found


def become(process: Process | None) -> None:
    """From now on this thread is one of `process`."""
    _own.process = process


def require_alive() -> None:
    """Raise `Killed` in a thread of a process that was killed."""
    if (process := _process()) and process.dead:
        raise Killed


class Clock(virtual.VirtualClock):
    """It also knows of those who wait for another thread's work."""

    def begin(self) -> None:
        """One more is at work."""
        with self._lock:
            self._busy += 1

    def end(self) -> None:
        """One fewer is."""
        with self._lock:
            self._rest()

    def wait_for_any(self, futures: Collection["Future[Any]"], at: int | None) -> None:
        """Until one of `futures` is done, or until `at`."""
        entry = (NEVER if at is None else max(at, self._now), next(self._order), threading.Event())

        def done(_: object) -> None:
            with self._lock:
                if entry in self._waiting:
                    self._waiting.remove(entry)
                    self._waiting.sort()
                    self._busy += 1
                    entry[2].set()

        with self._lock:
            if any(one.done() for one in futures):
                return
            self._waiting.append(entry)
            self._waiting.sort()
        for one in futures:
            one.add_done_callback(done)
        self.end()
        entry[2].wait()


class Pool:
    """A pool of threads on such a clock: what is given to it is at work as soon as a thread is free."""

    def __init__(self, clock: Clock, threads: int) -> None:
        self._clock, self._pool, self._free = clock, ThreadPoolExecutor(threads), threads
        self._futures, self._queued = list[Future[Any]](), list[Callable[[], None]]()
        self._lock = threading.Lock()

    def __enter__(self) -> "Pool":
        return self

    def __exit__(self, *_: object) -> None:
        while running := [one for one in self._futures if not one.done()]:
            self._clock.wait_for_any(running, None)
        self._pool.shutdown()

    def submit(self, function: Callable[..., R], *given: Any) -> "Future[R]":
        """As `Executor.submit`. Who waits for it is woken before this thread is counted as idle."""
        answer, process = Future[R](), _process()

        def call() -> None:
            _own.process = process
            try:
                answer.set_result(function(*given))
            except BaseException as error:  # noqa: BLE001 - whoever asks for the result has it
                answer.set_exception(error)
            self._start_next(+1)
            self._clock.end()

        self._futures.append(answer)
        with self._lock:
            self._queued.append(call)
        self._start_next(0)
        return answer

    def _start_next(self, freed: int) -> None:
        """Whoever waits longest has the next free thread, and is at work from now on."""
        with self._lock:
            self._free += freed
            if self._free and self._queued:
                self._free -= 1
                self._clock.begin()
                self._pool.submit(self._queued.pop(0))

    def map(self, function: Callable[..., R], *given: Iterable[Any]) -> Iterator[R]:
        """As `Executor.map`, all of it before this returns."""
        futures = [self.submit(function, *each) for each in zip(*given, strict=False)]
        while running := [one for one in futures if not one.done()]:
            self._clock.wait_for_any(running, None)
        return iter([one.result() for one in futures])


class Lock:
    """A lock on such a clock: who waits for it is not at work."""

    def __init__(self, clock: Clock) -> None:
        self._clock, self._mine = clock, threading.Lock()
        self._taken, self._waiting = False, list[Future[None]]()

    def __enter__(self) -> None:
        while True:
            with self._mine:
                if not self._taken:
                    self._taken = True
                    return
                turn = Future[None]()
                self._waiting.append(turn)
            self._clock.wait_for_any([turn], None)

    def __exit__(self, *_: object) -> None:
        with self._mine:
            self._taken = False
            following = self._waiting.pop(0) if self._waiting else None
        if following:
            following.set_result(None)
