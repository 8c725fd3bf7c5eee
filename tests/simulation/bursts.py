"""1,200 jobs of three priorities under a window of 200 calls in any ten seconds: what a deployment makes of it.

Virtual time, the engine's own code, and a marketplace that counts what arrives and refuses what is too much. The least
time of N calls is that of whoever uses each window at once: all but the last of them, and one answer.

Workers may be killed, with all their threads, wherever they are; and the marketplace may refuse everything for a while.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from hashlib import blake2b

from sluice.jobs.model import keys
from sluice.jobs.model.outcomes import HandlerResult
from sluice.jobs.model.run import Run
from sluice.jobs.queue.enqueue import enqueue
from sluice.jobs.queue.nudge import nudge
from sluice.jobs.run.messages import decode
from sluice.marketplaces.http.errors import RateLimited
from sluice.platform.clock import MINUTE, SECOND
from sluice.platform.config.document import Config
from sluice.platform.config.limits import CallWindow, Limits
from tests.simulation.fleet import Crew, Fleet, deployed
from tests.simulation.threads import require_alive
from tests.simulation.world import NOON
from tests.support.work import spec

WINDOW = CallWindow(200, seconds=10)
# In the order in which they are asked for: those for whom somebody waits are the last.
JOBS = ((keys.BACKGROUND, 600), (keys.HOT, 500), (keys.MANUAL, 100))
ANSWER_MS = 100
# From a call's start to its arrival, at most (ms). Sluice's margin is larger.
TRAVEL_MS = 20
# Requests hold so many jobs, and come one after the other.
REQUEST, REQUEST_MS = 100, 100
# How long a client stops after a 429 that says nothing (`http.mapping.Rules`).
PAUSE_MS = MINUTE


@dataclass(frozen=True)
class Case:
    """crew: four workers, one of them for manual work. kills: when a worker is killed that is at something, ms.

    storm: from when until when everything is refused, ms. named: the refusal says until when.
    All times are from the first request on.
    """

    window: CallWindow = WINDOW
    jobs: tuple[tuple[int, int], ...] = JOBS
    crew: Crew = Crew(3, 1, 16)  # noqa: RUF009 - a value
    kills: tuple[int, ...] = ()
    storm: tuple[int, int] = (0, 0)
    named: bool = False

    @property
    def many(self) -> int:
        """All jobs."""
        return sum(many for _, many in self.jobs)


@dataclass
class Seen:
    """What was seen; all times epoch ms.

    asked, done: when each job was asked for, and when its run had its answer. served, refused: when calls arrived.
    lost: when the worker was killed that had these jobs, not done then.
    """

    asked: dict[str, int] = field(default_factory=dict)
    done: dict[str, int] = field(default_factory=dict)
    served: list[int] = field(default_factory=list)
    refused: list[int] = field(default_factory=list)
    lost: dict[str, int] = field(default_factory=dict)

    def took(self) -> int:
        """From the first call to the last answer, ms, without the jobs that were lost on the way."""
        return max(at for name, at in self.done.items() if name not in self.lost) - min(self.served)

    def waits(self, priority: int) -> list[int]:
        """How long each job of this priority took from its own request on, ms; the shortest first."""
        return sorted(self.done[name] - at for name, at in self.asked.items() if name.startswith(f"{priority}-"))

    def returned(self) -> list[int]:
        """How long after the death of its worker each lost job was done, ms; the shortest first."""
        return sorted(self.done[name] - at for name, at in self.lost.items())


def least(case: Case) -> int:
    """The window's own minimum time for all jobs, ms."""
    windows = -(-case.many // case.window.calls)
    return (windows - 1) * case.window.ms + ANSWER_MS


def play(case: Case) -> Seen:
    """Run until everything is done."""
    seen = Seen()

    def handle(fleet: Fleet, run: Run) -> HandlerResult:
        name = run.payload["sku"]
        run.calls.take()
        fleet.sleep(_travel(name))
        require_alive()
        refused = _refuses(case, seen, fleet.clock.now())
        fleet.sleep(ANSWER_MS)
        require_alive()
        if refused:
            raise _limited(case, run, fleet.clock.now())
        run.calls.answered()
        seen.done.setdefault(name, fleet.clock.now())
        return {}

    config = Config(limits={"stockx": Limits((case.window,), by_account=True)})
    with deployed(config, NOON, handle, case.crew) as fleet:
        fleet.run(_ask(case, fleet, seen), *[_kill(at, fleet, seen) for at in case.kills])
    return seen


def _ask(case: Case, fleet: Fleet, seen: Seen) -> Callable[[], None]:
    def life() -> None:
        names = [(f"{priority}-{number}", priority) for priority, many in case.jobs for number in range(many)]
        for start in range(0, len(names), REQUEST):
            for name, priority in names[start : start + REQUEST]:
                now = seen.asked[name] = fleet.clock.now()
                enqueue(spec(name, priority=priority), now)
            if any(priority == keys.MANUAL for _, priority in names[start : start + REQUEST]):
                nudge(fleet.clock.now())
            fleet.sleep(REQUEST_MS)
        while len(seen.done) < len(names):
            fleet.sleep(SECOND)

    return life


def _kill(at: int, fleet: Fleet, seen: Seen) -> Callable[[], None]:
    def life() -> None:
        fleet.sleep(at)
        while not fleet.working:
            fleet.sleep(1)
        victim = fleet.working[0]
        victim.dead = True
        held = [job.payload["sku"] for job in decode(victim.body).jobs]
        seen.lost |= {name: fleet.clock.now() for name in held if name not in seen.done}

    return life


def _travel(name: str) -> int:
    return blake2b(name.encode(), digest_size=1).digest()[0] % (TRAVEL_MS + 1)


def _refuses(case: Case, seen: Seen, now: int) -> bool:
    """Count a call that arrives now: whether the marketplace refuses it."""
    begin, end = case.storm
    in_window = sum(at > now - case.window.ms for at in seen.served[-case.window.calls :])
    refused = begin <= now - NOON < end or in_window >= case.window.calls
    (seen.refused if refused else seen.served).append(now)
    return refused


def _limited(case: Case, run: Run, now: int) -> RateLimited:
    """What the client makes of a 429."""
    failure = RateLimited("429", retry_at=NOON + case.storm[1] if case.named else now + PAUSE_MS)
    failure.named = case.named
    failure.retry_at = run.calls.refused(failure.retry_at or now, "429", named=case.named)
    return failure
