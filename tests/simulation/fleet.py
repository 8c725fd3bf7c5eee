"""A deployment in virtual time: queues that hold messages back, and workers of which so many run at once and no more.

`world` plays one thing after the other, in any order that a seed gives; here things take time, and happen at once.
Every part is the engine's own code. Time stands still while anybody works, so a slow machine changes no result.
"""

import threading
from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence, Set
from concurrent.futures import Future
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import partial
from types import SimpleNamespace
from typing import Any

import pytest

from sluice.jobs.budgets import grant
from sluice.jobs.dispatch import poller, punctual, rounds, scheduler
from sluice.jobs.dispatch.snapshot import Accounts
from sluice.jobs.model.outcomes import HandlerResult
from sluice.jobs.model.run import Run
from sluice.jobs.queue import nudge
from sluice.jobs.run import runner, worker
from sluice.platform import aws, sqs
from sluice.platform.clock import MINUTE, SECOND
from sluice.platform.config.document import Config
from sluice.platform.context import Context
from sluice.platform.settings import settings
from tests.simulation.threads import Clock, Lock, Pool, Process, become, require_alive
from tests.simulation.trouble import Killed
from tests.support import one_thread, work
from tests.support.store import Answer, Request, Send, store

# The template's, of the stage `local`.
WORKERS, MANUAL_WORKERS, SCHEDULERS, POLLERS = 5, 5, 5, 4
# How long a message is on its way to a function that is free.
START_MS = 100
WORKER_MS, SCHEDULER_MS = 120 * SECOND, 55 * SECOND
# When a message whose worker was killed is delivered again: the queue's visibility timeout.
SEEN_AGAIN_SECONDS = 720


@dataclass(frozen=True)
class Crew:
    """Workers of each queue, and how many jobs of a batch each runs at once."""

    work: int = WORKERS
    manual: int = MANUAL_WORKERS
    threads: int = 1


@dataclass
class Fleet:
    """What is deployed. `queues`: messages by queue, each with the time from which it is seen.

    news: of each queue, done when the next message comes. working: the workers that are at a message.
    """

    config: Config
    clock: Clock
    accounts: Accounts
    crew: Crew
    queues: dict[str, list[tuple[int, int, str]]] = field(default_factory=lambda: defaultdict(list))
    news: dict[str, "Future[None]"] = field(default_factory=lambda: defaultdict(Future))
    over: threading.Event = field(default_factory=threading.Event)
    working: list[Process] = field(default_factory=list)
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
            *[lambda: self._serve("work", partial(self._work, "work"))] * self.crew.work,
            *[lambda: self._serve("manual", partial(self._work, "manual"))] * self.crew.manual,
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

    def _work(self, queue: str, body: str) -> None:
        process = Process(body)
        become(process)
        self.working.append(process)
        try:
            assert worker.work({"1": body}, self.context, self.clock.now() + WORKER_MS) == []
        except Killed:
            self.send(queue, body, SEEN_AGAIN_SECONDS)
        finally:
            self.working.remove(process)
            become(None)

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


def _by_the_living(_: Request, send: Send) -> Answer:
    """What becomes of a request: nothing, where a killed process makes it."""
    require_alive()
    return send()


@contextmanager
def deployed(config: Config, now: int, handle: Handle, crew: Crew = Crew()) -> Iterator[Fleet]:
    """An empty deployment whose jobs are done by `handle`."""
    clock = Clock(now)

    def active(asked: Collection[str], _: str) -> Mapping[str, str]:
        return dict.fromkeys(asked, "ACTIVE")

    def working(asked: Collection[str], _: str) -> Set[str]:
        return set(asked)

    made = Fleet(config, clock, Accounts(active, working=working), crew)

    def wait(futures: Collection["Future[Any]"], seconds: float | None, _: str) -> tuple[list["Future[Any]"], object]:
        clock.wait_for_any(futures, None if seconds is None else clock.now() + round(seconds * SECOND))
        return [one for one in futures if one.done()], None

    with ExitStack() as stack:
        patch = stack.enter_context(pytest.MonkeyPatch.context())
        one_thread.use(patch)
        for module in (rounds, punctual, runner, sqs):
            patch.setattr(module, "ThreadPoolExecutor", lambda threads: Pool(clock, threads))
        patch.setattr(punctual, "wait", wait)
        patch.setattr(poller, "THREADS", 1)
        patch.setattr(worker, "MOST_THREADS", crew.threads)
        patch.setattr(grant, "threading", SimpleNamespace(Lock=lambda: Lock(clock), Event=threading.Event))
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
        stack.enter_context(store()).around = _by_the_living
        stack.enter_context(work.kind(lambda run: handle(made, run)))
        yield made


def p95(waits: Sequence[int]) -> int:
    """Of these waits."""
    return sorted(waits)[len(waits) * 95 // 100]
