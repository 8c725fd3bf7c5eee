"""What a state of the model is: values alone. See `machine`."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, Self

from sluice.jobs.model.states import FINAL, LEASED, QUEUED, WAITING
from sluice.platform import tables
from tests.model.owed import Owed
from tests.simulation.promises import number, text
from tests.simulation.trouble import WRITES
from tests.support import work
from tests.support.store import Item, Value

if TYPE_CHECKING:
    from tests.model.machine import Machine

NOON = 1_795_348_800_000  # 2026-11-22 12:00 UTC
JOB_ID = work.spec().job_id


@dataclass(frozen=True)
class Told:
    """Something that an actor was told. `text` says all of it; `value` is what it is given once more."""

    text: str
    value: Any = field(compare=False)


class Branch(BaseException):
    """What happens next is chosen. told: all that the actor was told before it."""

    def __init__(self, options: tuple[str, ...], told: tuple[Told, ...]) -> None:
        self.options = options
        self.told = told


@dataclass(frozen=True)
class Actor:
    """Who is at work: `what`, a function of `machine`, with its arguments.

    run: the lease under which its handler runs, or 0.
    """

    number: int
    what: str
    arguments: tuple[Any, ...] = ()
    told: tuple[Told, ...] = ()
    run: int = 0

    @property
    def text(self) -> str:
        """All that decides what it does."""
        return f"{self.what}{self.arguments}{self.run}:{'|'.join(one.text for one in self.told)}"


@dataclass(frozen=True)
class Plan:
    """What may still happen: each thing that is named once, and the others so many times.

    asks: tenant and priority. cancels: by tenant. replays: of any letter. ends: what a handler may do other than
    succeed; `fails`: how often. faults: of `kinds`. again: a message comes once more. stalls: time passes although
    somebody could do something. together: so many are at work at once. people_first: no function begins before all that
    people may do is done.
    """

    asks: tuple[tuple[str, int], ...] = ()
    cancels: tuple[str, ...] = ()
    replays: int = 0
    ends: tuple[str, ...] = ()
    fails: int = 0
    kinds: tuple[str, ...] = ()
    faults: int = 0
    again: int = 0
    stalls: int = 0
    together: int = 2
    people_first: bool = False


# Who begins to work: what, its arguments, and the state without what it takes.
Beginning = tuple[str, tuple[Any, ...], "State"]


@dataclass(frozen=True)
class State:
    """All that is at one moment. delivered: messages that a worker has had. born: how many actors there have been."""

    machine: "Machine"
    stored: Value
    plan: Plan
    now: int = NOON
    actors: tuple[Actor, ...] = ()
    messages: tuple[str, ...] = ()
    delivered: tuple[str, ...] = ()
    owed: Owed = field(default_factory=Owed)
    born: int = 0

    @cached_property
    def key(self) -> str:
        """All that matters. Which of two actors came first, and what their tokens are, does not."""
        parts = [self.machine.text(key, item) for key, item in sorted(self.stored.items())]
        parts += [str(self.now), str(self.plan), self.owed.text, *sorted(self.messages), "delivered:"]
        parts += sorted(set(self.delivered)) if self.plan.again else []
        parts += sorted(actor.text for actor in self.actors)
        names = dict[str, str]()
        return re.sub(r"@[\d.]+@", lambda token: names.setdefault(token[0], f"@{len(names)}"), "\n".join(parts))

    @property
    def job(self) -> Item | None:
        """The job, raw."""
        jobs = tables.name("jobs")
        return next((item for (table, key, _), item in self.stored.items() if (table, key) == (jobs, JOB_ID)), None)

    @property
    def goal(self) -> bool:
        """Whether all that people have asked for is done, and nobody is at work."""
        done = self.job is None or text(self.job, "state") in FINAL
        return done and not (self.plan.asks or self.actors or self.owed)

    def following(self) -> Iterator[tuple[str, "State"]]:
        """See `explore.State`."""
        for actor in self.actors:
            yield from self._goes_on(actor)
            if self.plan.faults and "kill" in self.plan.kinds:
                yield f"{actor.what} dies", self.without(actor).planned(faults=self.plan.faults - 1)
        if len(self.actors) < self.plan.together:
            for what, arguments, after in (*self._people(), *self._functions()):
                began = replace(after, born=after.born + 1)
                yield from began._goes_on(Actor(began.born, what, arguments))
        yield from self._time()

    def planned(self, **changes: Any) -> Self:
        """The same with less to come."""
        return replace(self, plan=replace(self.plan, **changes))

    def without(self, actor: Actor) -> Self:
        """The actor is gone. What it asked for was promised to nobody."""
        others = tuple(one for one in self.actors if one is not actor)
        return replace(self, actors=others, owed=self.owed.without(lambda ask: ask.by == actor.number))

    @property
    def _functions_only(self) -> bool:
        return not {actor.what for actor in self.actors} & {"ask", "cancel", "replay"}

    def _people(self) -> Iterator[Beginning]:
        plan = self.plan
        for ask in dict.fromkeys(plan.asks):
            yield "ask", ask, self.planned(asks=_but(plan.asks, ask))
        for tenant in dict.fromkeys(plan.cancels) if self.job else ():
            yield "cancel", (tenant,), self.planned(cancels=_but(plan.cancels, tenant))
        for table, *letter in self.stored if plan.replays else ():
            if table == tables.name("dead_letters"):
                yield "replay", tuple(letter), self.planned(replays=plan.replays - 1)

    def _functions(self) -> Iterator[Beginning]:
        """At most two of them look for the same at once: a third would find what one of them finds."""
        plan = self.plan
        if plan.people_first and (plan.asks or plan.cancels or not self._functions_only):
            return
        state, due = text(self.job, "state"), 0 < number(self.job, "due_at") <= self.now
        at_work = [actor.what for actor in self.actors]
        if due and state in (QUEUED, WAITING) and at_work.count("dispatch") < 2:
            yield "dispatch", (text(self.job, "lane"),), self
        if due and state == LEASED and at_work.count("rescue") < 2:
            yield "rescue", (), self
        for body in dict.fromkeys(self.messages):
            taken = replace(self, messages=_but(self.messages, body), delivered=(*self.delivered, body))
            yield "work", (body,), taken
        for body in dict.fromkeys(self.delivered) if self.plan.again else ():
            yield "work", (body,), self.planned(again=self.plan.again - 1)

    def _time(self) -> Iterator[tuple[str, "State"]]:
        """Time passes, to when the job is due."""
        due_at = number(self.job, "due_at")
        if due_at <= self.now:
            return
        if not (self.actors or self.messages):
            yield "time passes", replace(self, now=due_at)
        elif self.plan.stalls:
            yield "time passes meanwhile", replace(self.planned(stalls=self.plan.stalls - 1), now=due_at)

    def _goes_on(self, actor: Actor, told: tuple[Told, ...] | None = None) -> Iterator[tuple[str, "State"]]:
        """The actor makes its next request, in each way in which that may go. told: with what was chosen before it."""
        told = actor.told if told is None else told
        try:
            made, after = self.machine.go_on(self, actor, told)
        except Branch as branch:
            for option in branch.options:
                yield from self._goes_on(actor, (*branch.told, Told(f"={option}", option)))
            return
        chosen = [str(one.value) for one in told[len(actor.told) :] if one.text.startswith("=")]
        said = " ".join((actor.what, *(() if actor.what == "work" else map(str, actor.arguments)), *chosen))
        yield f"{said}: {made or 'ends'}", after
        for fault in self._faults(made) if self.plan.faults else ():
            yield f"{said}: {made}, {fault}", self.machine.go_on(self, actor, told, fault)[1]

    def _faults(self, made: str) -> list[str]:
        operation = made.split(" ")[0]
        possible = ("lost", "unsent") if operation == "Send" else ("lost", "repeated") if operation in WRITES else ()
        return [kind for kind in possible if kind in self.plan.kinds]


def _but(these: tuple[Any, ...], one: Any) -> tuple[Any, ...]:
    place = these.index(one)
    return these[:place] + these[place + 1 :]
