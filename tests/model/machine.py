"""The engine's own functions, one request at a time, on tables that are a value.

```
 state   what is stored x the time x who is at work x messages x what may still be wanted, and may still go wrong
 actor   a function of the engine, with all that it was told so far: answers, times, choices
 move    an actor makes its next request, a person wants something, a message comes, time passes, a process dies
```
No function can be stopped in its middle and copied. It need not be: what it does follows from what it is told. So it is
run from its start on what it was told before, makes one more request, and is left there; the state keeps what it was
told. There is one job, which nothing limits: budgets have their own proofs (`tests/property`, `tests/simulation`).
"""

import json
import logging
import secrets
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import replace
from typing import Any

import pytest
from botocore.exceptions import BotoCoreError, ClientError
from pynamodb.exceptions import PynamoDBException

from sluice.jobs.budgets import last_clock
from sluice.jobs.dispatch import hand_on, rescue
from sluice.jobs.dispatch.admission import Room
from sluice.jobs.dispatch.find_ready import Ready
from sluice.jobs.dispatch.rounds import Done
from sluice.jobs.dispatch.snapshot import Accounts, Snapshot
from sluice.jobs.model import keys
from sluice.jobs.model.dead_letters import DeadLetter
from sluice.jobs.model.job import Job
from sluice.jobs.model.outcomes import Failure, HandlerResult, LeaseOver, Then, Waiting
from sluice.jobs.model.run import Run
from sluice.jobs.queue import cancel, claim, enqueue, finish, lanes, replay
from sluice.jobs.queue.cancel import Cancelled
from sluice.jobs.queue.enqueue import Enqueued
from sluice.jobs.run import runner
from sluice.jobs.run.messages import Batch, decode
from sluice.platform import tables
from sluice.platform.clock import MINUTE
from sluice.platform.config.document import Config
from sluice.platform.config.engine import Engine
from sluice.platform.config.limits import Limits
from sluice.platform.context import Context
from tests.model import owed
from tests.model.explore import Broken
from tests.model.owed import Ask
from tests.model.state import JOB_ID, NOON, Actor, Plan, State, Told
from tests.model.turn import WORKER_MS, Paused, Turn
from tests.simulation.promises import Promises, number, text
from tests.simulation.trouble import Process, SendError
from tests.support import work
from tests.support.clock import VirtualClock
from tests.support.one_thread import OneThread
from tests.support.store import Answer, Item, Request, Store, store

LIMITS = Limits()
CONFIG = Config(limits={"stockx": LIMITS}, engine=Engine())

# What ends a function from outside of Sluice; whoever called it sees an error.
OUTSIDE = (SendError, BotoCoreError, ClientError, PynamoDBException, tables.Contention)


class Machine:
    """What all states share: the store that becomes each of them in turn, and the promises that are watched.

    turn: of the actor that is at work just now.
    """

    def __init__(self, held: Store) -> None:
        self.store = held
        self.turn: Turn | None = None
        self._clock = VirtualClock(NOON)
        self._promises = Promises(held, self._clock, LIMITS)
        self._state = State(self, {}, Plan())
        # The job when whoever asks for it looked at it last.
        self._found: Item | None = None
        self._texts = dict[int, tuple[Item, str]]()

    def begin(self, plan: Plan) -> State:
        """The state in which nothing was asked for yet."""
        return State(self, {}, plan)

    def text(self, key: tuple[str, str, str], item: Item) -> str:
        """An item of the table that `key` names, as text. Sets have no order."""
        known = self._texts.get(id(item))
        if known is None or known[0] is not item:
            plain = {
                name: sorted(next(iter(value.values()))) if value.keys() & {"SS", "NS"} else value
                for name, value in item.items()
            }
            known = self._texts[id(item)] = item, f"{key}{json.dumps(plain, sort_keys=True)}"
        return known[1]

    def go_on(self, state: State, actor: Actor, told: tuple[Told, ...], fault: str = "") -> tuple[str, State]:
        """The request that `actor` makes next, "" where it just ends, and the state afterwards.

        Raises:
            Branch: it does what is chosen, and nothing was.
            Broken: a promise was broken.
        """
        self.store.become(state.stored)
        self._state, self._clock.time = state, state.now
        self._promises = Promises(self.store, self._clock, LIMITS)
        turn = self.turn = Turn(actor, told, state.now, fault, self._watched)
        lanes.forget()
        last_clock.forget()
        ended, answer = True, None
        try:
            answer = getattr(self, f"_{actor.what}")(turn, *actor.arguments)
        except Paused:
            ended = False
        except OUTSIDE:
            pass
        except AssertionError:
            if not self._promises.broken:
                raise
        finally:
            self.turn = None
        try:
            return turn.made, self._after(turn, answer, ended=ended)
        except Broken as broken:
            raise Broken(broken.promise, [f"{actor.what}: {turn.made}"]) from broken

    def _after(self, turn: Turn, answer: object, *, ended: bool) -> State:
        actor, before = turn.actor, self._state.plan
        chosen = [one.value for one in turn.told[len(actor.told) :] if one.text.startswith("=")]
        after = replace(self._state, stored=self.store.value(), messages=(*self._state.messages, *turn.sent)).planned(
            faults=before.faults - bool(turn.fault),
            fails=before.fails - len([one for one in chosen if one not in ("succeed", "begin")]),
        )
        if isinstance(answer, Enqueued):
            after = replace(after, owed=after.owed.answered(actor.number))
            if actor.what == "ask" and not before.kinds:
                with suppress(AssertionError):  # it is kept in `broken`
                    self._promises.outcome(self._found, _spec(*actor.arguments), answer, lambda _: False)
        after = after.without(actor)
        if not ended:
            run = turn.process.run.job.lease if turn.process.run else 0
            going = replace(actor, told=tuple(turn.told), run=run)
            after = replace(after, actors=(*after.actors, going), owed=self._state.owed)
        self._check(after)
        return after

    def _check(self, state: State) -> None:
        """What holds in every state, and held on the way to it."""
        try:
            self._promises.check()
        except AssertionError as broken:
            raise Broken(str(broken).splitlines()[0]) from broken
        if self._promises.broken:
            raise Broken(self._promises.broken[0])
        owed.standing(state.job, state.owed)
        if not state.plan.kinds:  # who asked and has lost the answer is owed nothing, and may have been heard
            owed.at_whose_cost(state.job, state.owed)

    @contextmanager
    def _watched(self, request: Request, process: Process) -> Iterator[None]:
        """Look at what a write does."""
        assert self.turn
        actor, before, letters, runs = self.turn.actor, self._job(), self._letters(), self._runs()
        try:
            with self._promises.watch(request, process):
                yield
        finally:
            after, now = self._job(), self._state.owed
            owed.batches(runs, self._runs())
            if actor.what == "ask":
                self._found, now = before, now.asked(Ask(actor.arguments[0], actor.arguments[1], actor.number))
            if actor.what == "replay" and letters != self._letters():
                replayed = [one for one in letters if one not in self._letters()]
                owed.replayed(replayed)
                now = now.asked(Ask(actor.arguments[0], number(replayed[0], "priority"), actor.number))
            if actor.what == "cancel" and before != after:
                now = now.without(lambda ask: ask.tenant == actor.arguments[0])
            if actor.what == "dispatch":
                owed.claimed(before, after, actor.arguments[0])
            if actor.what == "rescue":
                owed.rescued(before, after, self._runs())
            self._state = replace(self._state, owed=owed.written(now, before, after))

    def _job(self) -> Item | None:
        return self.store.item("jobs", job_id=JOB_ID)

    def _letters(self) -> list[Item]:
        return self.store.items("dead_letters")

    def _runs(self) -> dict[str, str]:
        return {text(run, "scope"): text(run, "taken_by") for run in self.store.items("runs")}

    # What actors do

    def _ask(self, turn: Turn, tenant: str, priority: int) -> Enqueued:
        return enqueue.enqueue(_spec(tenant, priority), turn.now())

    def _cancel(self, turn: Turn, tenant: str) -> Cancelled:
        return cancel.cancel(JOB_ID, tenant, turn.now(), CONFIG)

    def _replay(self, turn: Turn, tenant: str, letter: str) -> object:
        found = DeadLetter.get(tenant, letter, consistent_read=True)
        return replay.refusal(found) or replay._replay(found, turn.token(), turn.now(), CONFIG)

    def _dispatch(self, turn: Turn, lane: str) -> None:
        """What the scheduler does for a lane, and the poller for one of operations: it runs the batch itself."""
        now = turn.now()
        found, _ = claim.due(lane, now, 10)
        ready = Ready(keys.lane_budget(lane), LIMITS, Room(None, None, None), found)

        def run(batch: Batch) -> None:
            self._run(turn, batch, polling=True)

        hand_on.hand_on(ready, found, now, CONFIG, run if keys.is_poll_lane(lane) else turn.send, Done())

    def _rescue(self, turn: Turn) -> None:
        snapshot = Snapshot(turn.now(), CONFIG, Accounts(lambda *_: {}))
        with suppress(LeaseOver):
            rescue._rescued(Job.get(JOB_ID, consistent_read=True), snapshot)

    def _work(self, turn: Turn, body: str) -> None:
        self._run(turn, decode(body))

    def _run(self, turn: Turn, batch: Batch, *, polling: bool = False) -> None:
        def observe(_: Job, __: Failure | None) -> None:
            turn.process.run = None

        context, deadline = Context(turn, CONFIG, lambda: 0.5), turn.now() + WORKER_MS
        runner.run_batch(batch, LIMITS, context, deadline, observe, threads=1, polling=polling)

    def handle(self, run: Run) -> HandlerResult:
        """The job's handler: sees that it may run, and does one of the things that handlers do."""
        turn = self.turn
        assert turn
        if turn.new and not turn.process.run:
            others = [_busy(one) for one in self._state.actors if one.run and one.number != turn.actor.number]
            self._promises.may_run(run, turn.process, others)
        turn.process.run = run
        ends = self._state.plan.ends if self._state.plan.fails else ()
        end = turn.choose("succeed", *ends)
        if end == "begin":
            finish.begin(run.job, run.payload, turn.now())
            end = turn.choose("succeed", *(one for one in ends if one != "begin"))
        turn.call()
        match end:
            case "succeed":
                return {"ask": "100"}
            case "wait":
                return Waiting(turn.now() + MINUTE, run.payload)
            case "snooze":
                raise _failed(Then.SNOOZE, turn.now() + MINUTE)
            case "undone":
                failure = _failed(Then.RETRY)
                failure.undone = True
                raise failure
            case _:
                raise _failed(Then(end))


def _spec(tenant: str, priority: int) -> Any:
    return work.spec(tenant=tenant, priority=priority)


def _failed(action: Then, retry_at: int | None = None) -> Failure:
    failure = Failure(f"the marketplace said {action}", code=action, retry_at=retry_at)
    failure.action = action
    return failure


def _busy(actor: Actor) -> Process:
    """The process of an actor whose handler runs, as far as promises ask after it."""
    busy = Process(actor.what, 0)
    busy.run = Run(Job(JOB_ID, lease=actor.run), None, None)  # type: ignore[arg-type]
    return busy


@contextmanager
def machine() -> Iterator[Machine]:
    """A machine on empty tables."""
    with ExitStack() as stack:
        patch = stack.enter_context(pytest.MonkeyPatch.context())
        for module in (hand_on, rescue, enqueue, replay):
            patch.setattr(module, "ThreadPoolExecutor", OneThread)
        # What is logged here is the trouble that was made.
        logging.disable(logging.CRITICAL)
        stack.callback(logging.disable, logging.NOTSET)
        made = Machine(stack.enter_context(store()))
        stack.enter_context(work.kind(made.handle))

        def around(request: Request, send: Callable[[], Answer]) -> Answer:
            return made.turn.request(request, send) if made.turn else send()

        def token(*_: Any) -> str:
            assert made.turn, "a token is drawn by somebody at work"
            return made.turn.token()

        made.store.around = around
        for name in ("token_urlsafe", "token_hex"):
            patch.setattr(secrets, name, token)
        patch.setattr(secrets, "randbelow", lambda _: 0)
        yield made
