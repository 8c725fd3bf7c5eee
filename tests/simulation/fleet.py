"""A deployment in virtual time: queues that hold messages back, and workers of which so many run at once and no more.

`world` plays one thing after the other, in any order that a seed gives; here things take time, and happen at once.
Every part is the engine's own code. Time stands still while anybody works, so a slow machine changes no result.
"""

import threading
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence, Set
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any, TypeVar

import pytest

from bench import virtual
from sluice.jobs.dispatch import poller, punctual, rounds, scheduler
from sluice.jobs.dispatch.snapshot import Accounts
from sluice.jobs.model.outcomes import HandlerResult
from sluice.jobs.model.run import Run
from sluice.jobs.queue import nudge
from sluice.jobs.run import runner, worker
from sluice.platform import aws
from sluice.platform.clock import MINUTE, SECOND
from sluice.platform.config.document import Config
from sluice.platform.context import Context
from sluice.platform.settings import settings
from tests.support import one_thread, work
from tests.support.store import store

R = TypeVar("R")

# The template's, of the stage `local`.
WORKERS, MANUAL_WORKERS, SCHEDULERS, POLLERS = 5, 5, 5, 4
# How long a message is on its way to a function that is free.
START_MS = 100
WORKER_MS, SCHEDULER_MS = 120 * SECOND, 55 * SECOND
NEVER = 10**15


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
    """A pool of threads on such a clock: what is given to it is at work from then on."""

    def __init__(self, clock: Clock, threads: int) -> None:
        self._clock, self._pool = clock, ThreadPoolExecutor(threads)
        self._futures = list[Future[Any]]()

    def __enter__(self) -> "Pool":
        return self

    def __exit__(self, *_: object) -> None:
        while running := [one for one in self._futures if not one.done()]:
            self._clock.wait_for_any(running, None)
        self._pool.shutdown()

    def submit(self, function: Callable[..., R], *given: Any) -> "Future[R]":
        """As `Executor.submit`. Who waits for it is woken before this thread is counted as idle."""
        self._clock.begin()
        answer = Future[R]()

        def call() -> None:
            try:
                answer.set_result(function(*given))
            except BaseException as error:  # noqa: BLE001 - whoever asks for the result has it
                answer.set_exception(error)
            self._clock.end()

        self._futures.append(answer)
        self._pool.submit(call)
        return answer

    def map(self, function: Callable[..., R], *given: Iterable[Any]) -> Iterator[R]:
        """As `Executor.map`, all of it before this returns."""
        futures = [self.submit(function, *each) for each in zip(*given, strict=False)]
        while running := [one for one in futures if not one.done()]:
            self._clock.wait_for_any(running, None)
        return iter([one.result() for one in futures])


@dataclass
class Fleet:
    """What is deployed. `queues`: messages by queue, each with the time from which it is seen.

    news: of each queue, done when the next message comes.
    """

    config: Config
    clock: Clock
    accounts: Accounts
    queues: dict[str, list[tuple[int, int, str]]] = field(default_factory=lambda: defaultdict(list))
    news: dict[str, "Future[None]"] = field(default_factory=lambda: defaultdict(Future))
    over: threading.Event = field(default_factory=threading.Event)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _sent: int = 0

    def send(self, queue: str, body: str, delay: int = 0, /, **_: str) -> None:
        """The queue takes a message."""
        with self._lock:
            self._sent += 1
            self.queues[queue].append((self.clock.now() + START_MS + delay * SECOND, self._sent, body))
            self.queues[queue].sort()
            news, self.news[queue] = self.news[queue], Future()
        news.set_result(None)

    def invoke(self, function: str, _: object) -> None:
        """A function is started, whoever waits for it."""
        self.send(function, "nudge")

    def run(self, *lives: Callable[[], None], punctual_: bool = False) -> None:
        """Let everybody live until all of `lives` have returned.

        punctual_: the work is the punctual worker's, which comes each 20 seconds; else the poller comes each second.
        """
        left = [len(lives)]

        def living(life: Callable[[], None]) -> Callable[[], None]:
            def live() -> None:
                try:
                    life()
                finally:
                    with self._lock:
                        left[0] -= 1
                    if not left[0]:
                        self._end()

            return live

        functions = [
            *[lambda: self._serve("work", self._work)] * WORKERS,
            *[lambda: self._serve("manual", self._work)] * MANUAL_WORKERS,
            *[lambda: self._serve("scheduler", self._nudged)] * SCHEDULERS,
            *[lambda: self._serve("wake", self._woken)] * 2,
            lambda: self._each(MINUTE, self._scheduled),
            *self._staggered(20 * SECOND if punctual_ else SECOND, POLLERS, self._promote if punctual_ else self._poll),
        ]
        self.clock.run([*functions, *map(living, lives)])

    def _end(self) -> None:
        """All stop as soon as they have done what they are at."""
        with self._lock:
            self.over.set()
            news, self.news = self.news, defaultdict(Future)
        for one in news.values():
            one.set_result(None)

    def sleep(self, ms: int) -> None:
        """Time passes for who calls this."""
        self.clock.wait_until(self.clock.now() + ms, threading.Event())

    @property
    def context(self) -> Context:
        """What each function is given."""
        return Context(self.clock, self.config)

    def _serve(self, queue: str, do: Callable[[str], None]) -> None:
        while not self.over.is_set():
            with self._lock:
                waiting, news = self.queues[queue], self.news[queue]
                at = waiting[0][0] if waiting else None
                message = waiting.pop(0)[2] if at is not None and at <= self.clock.now() else None
            if message is not None:
                do(message)
            elif not self.over.is_set():
                self.clock.wait_for_any([news], at)

    def _staggered(self, ms: int, many: int, do: Callable[[], None]) -> list[Callable[[], None]]:
        """What a schedule starts each `ms`, whether or not what it has started before has ended; `many` at once."""

        def one(number: int) -> None:
            self.sleep(number * ms)
            self._each(many * ms, do)

        return [partial(one, number) for number in range(many)]

    def _each(self, ms: int, do: Callable[[], None]) -> None:
        while not self.over.is_set():
            at = self.clock.now() + ms
            do()
            while self.clock.now() < at and not self.over.is_set():
                self.sleep(min(SECOND, at - self.clock.now()))

    def _work(self, body: str) -> None:
        assert worker.work({"1": body}, self.context, self.clock.now() + WORKER_MS) == []

    def _nudged(self, _: str) -> None:
        scheduler.run(self.accounts, self.context, nudge.Wakeup(nudged=True))

    def _woken(self, body: str) -> None:
        scheduler.run(self.accounts, self.context, nudge.Wakeup(nudged=True, at=int(body)))

    def _scheduled(self) -> None:
        scheduler.run(self.accounts, self.context)

    def _poll(self) -> None:
        poller.poll(self.accounts, self.context, self.clock.now() + MINUTE, 50, lambda *_: None)

    def _promote(self) -> None:
        """The next run begins before this one's last job has ended, as with a schedule that waits for nobody."""
        punctual.run_due(self.accounts, self.context, self.clock.now() + 85 * SECOND, lambda *_: None, service="stockx")


Handle = Callable[[Fleet, Run], HandlerResult]


@contextmanager
def deployed(config: Config, now: int, handle: Handle) -> Iterator[Fleet]:
    """An empty deployment whose jobs are done by `handle`."""
    clock = Clock(now)

    def active(asked: Collection[str], _: str) -> Mapping[str, str]:
        return dict.fromkeys(asked, "ACTIVE")

    def working(asked: Collection[str], _: str) -> Set[str]:
        return set(asked)

    made = Fleet(config, clock, Accounts(active, working=working))

    def wait(futures: Collection["Future[Any]"], seconds: float | None, _: str) -> tuple[list["Future[Any]"], object]:
        clock.wait_for_any(futures, None if seconds is None else clock.now() + round(seconds * SECOND))
        return [one for one in futures if one.done()], None

    with ExitStack() as stack:
        patch = stack.enter_context(pytest.MonkeyPatch.context())
        one_thread.use(patch)
        for module in (rounds, punctual, runner):
            patch.setattr(module, "ThreadPoolExecutor", lambda threads: Pool(clock, threads))
        patch.setattr(punctual, "wait", wait)
        patch.setattr(poller, "THREADS", 1)
        patch.setattr(worker, "MOST_THREADS", 1)
        for module in (scheduler, worker):
            patch.setattr(module, "count", lambda *_: None)
        patch.setattr(scheduler, "seconds", lambda *_: None)
        patch.setattr(aws, "send_message", made.send)
        patch.setattr(aws, "invoke_later", made.invoke)
        for name in ("work", "manual", "wake"):
            patch.setenv(f"{name.upper()}_QUEUE_URL", name)
        patch.setenv("SCHEDULER_FUNCTION", "scheduler")
        settings.cache_clear()
        stack.callback(settings.cache_clear)
        nudge.forget()
        stack.enter_context(store())
        stack.enter_context(work.kind(lambda run: handle(made, run)))
        yield made


def p95(waits: Sequence[int]) -> int:
    """Of these waits."""
    return sorted(waits)[len(waits) * 95 // 100]
