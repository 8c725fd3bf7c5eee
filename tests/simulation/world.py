"""The whole engine on one table store with virtual time, and everything that can go wrong between its writes.

Every part is the real code: enqueue, the tick, the runner, the grants and the ends of runs. The world plays what is
outside: the queue, the marketplace, the clock, the users and the operators. `trouble` makes things fail, `promises`
fails the test at the first write that breaks one, whatever the engine thinks of it.
"""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence, Set
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from random import Random
from typing import Any

from sluice.jobs.budgets import ledger
from sluice.jobs.dispatch import poller, scheduler, transfers
from sluice.jobs.dispatch.snapshot import Accounts, Snapshot
from sluice.jobs.model import keys
from sluice.jobs.model.job import Job, Spec
from sluice.jobs.model.outcomes import Failure, HandlerResult, Then, Waiting
from sluice.jobs.model.run import Run
from sluice.jobs.model.states import FINAL
from sluice.jobs.queue import cancel, lanes
from sluice.jobs.queue.cancel import Cancelled
from sluice.jobs.queue.enqueue import Enqueued, enqueue
from sluice.jobs.run.messages import Batch, decode
from sluice.jobs.run.runner import Observe, run_batch
from sluice.platform.clock import MINUTE, SECOND
from sluice.platform.config.document import Config
from sluice.platform.config.pauses import NONE, Pause, Pauses
from sluice.platform.context import Context
from tests.simulation.promises import Promises, number, text
from tests.simulation.scripts import SUCCEED, Script
from tests.simulation.trouble import Fault, Process, SendError, Trouble
from tests.support.clock import VirtualClock
from tests.support.store import Item, Store
from tests.support.work import KIND

NOON = 1_795_348_800_000  # 2026-11-22 12:00 UTC
MOST_SET_BACK_MS = 5 * SECOND


@dataclass(frozen=True)
class Asked:
    """A request that was accepted: after this many runs, deaths and withdrawals of its job."""

    job_id: str
    tenant: str
    seen: tuple[int, int, int]


@dataclass
class World:
    """See the module. `store` is empty at first. chance: of what the engine leaves to it."""

    store: Store
    config: Config
    by_account: bool = True
    chance: Random = field(default_factory=lambda: Random(0))
    clock: VirtualClock = field(default_factory=lambda: VirtualClock(NOON))
    queue: list[str] = field(default_factory=list)
    delivered: list[str] = field(default_factory=list)
    statuses: dict[str, str] = field(default_factory=dict)
    accepted: list[Asked] = field(default_factory=list)
    runs: Counter[str] = field(default_factory=Counter)
    withdrawn: Counter[tuple[str, str]] = field(default_factory=Counter)
    ends: Counter[str] = field(default_factory=Counter)
    refused: dict[str, int] = field(default_factory=dict)
    _send_fails: str = ""
    _set_back: int = 0
    _scripts: Sequence[Script] = (SUCCEED,)
    _scripted: int = 0
    _depth: int = 0

    def __post_init__(self) -> None:
        self.promises = Promises(self.store, self.clock, self.config.limits["stockx"])
        self.trouble = Trouble(self.clock, self.promises.watch, self.meanwhile)
        self.store.around = self.trouble.around

    @contextmanager
    def _process(self, name: str) -> Iterator[Process]:
        with self.trouble.process(name) as process:
            yield process
        assert not self.promises.broken, self.promises.broken[0]

    # What users and operators do

    def spec(self, name: str, tenant: str, priority: int, due_in: int = 0, calls: int = 1) -> Spec:
        """A request for the shared work `name` through the tenant's account."""
        account = keys.account("stockx", tenant)
        return Spec(
            job_id=keys.job_id(KIND.name, "stockx", name),
            kind=KIND.name,
            tenant=tenant,
            account=account,
            budget=keys.budget(account, by_account=self.by_account),
            priority=priority,
            payload={"sku": name},
            calls=calls,
            due_at=self.clock.time + due_in,
            shared=True,
            lane_shards=self.config.limits["stockx"].shards,
        )

    def ask(self, spec: Spec) -> Enqueued | None:
        """Enqueue; None when the caller got no answer."""
        before, quiet = self.store.item("jobs", job_id=spec.job_id), not self.trouble.faults
        self.promises.asks(spec)
        with self._process("enqueue"):
            try:
                answer = enqueue(spec, self.clock.time, lambda job: self._held(job.account))
            finally:
                self.promises.asks(spec)  # once more: an earlier run may have ended meanwhile
            self.accepted.append(Asked(spec.job_id, spec.tenant, self._seen(spec.job_id, spec.tenant)))
            if quiet:
                self.promises.outcome(before, spec, answer, self._held)
            return answer
        return None

    def _held(self, account: str) -> bool:
        return account in self.statuses or self.refused.get(account, 0) > self.clock.time

    def ask_for(self, name: str, tenant: str, priority: int) -> None:
        """`ask`, by the parts of the request."""
        self.ask(self.spec(name, tenant, priority))

    def take_back(self, name: str, tenant: str) -> None:
        """Cancel. Where the answer is lost, the request may have been taken back."""
        job_id = keys.job_id(KIND.name, "stockx", name)
        answer = None
        with self._process("cancel"):
            answer = cancel.cancel(job_id, tenant, self.clock.time, self.config)
        if answer in (None, Cancelled.CANCELLED, Cancelled.WITHDRAWN, Cancelled.FINAL):
            self.withdrawn[job_id, tenant] += 1

    def hold(self, tenant: str, status: str, paused: bool) -> None:
        """An account breaks, or an operator pauses the marketplace."""
        self.statuses[keys.account("stockx", tenant)] = status
        self.config = replace(self.config, pauses=Pauses.of([Pause("stockx")] if paused else []))

    def release(self) -> None:
        """Accounts are connected again, and nothing is paused."""
        self.statuses = {}
        self.config = replace(self.config, pauses=NONE)

    # Time

    def advance(self, by: int) -> None:
        """Time passes."""
        self.clock.time += by
        self._set_back = max(0, self._set_back - by)

    def set_back(self, by: int) -> None:
        """The clock is corrected: by little, as such clocks are, however often."""
        by = min(by, MOST_SET_BACK_MS - self._set_back)
        self.clock.time -= by
        self._set_back += by

    # What the functions do

    @contextmanager
    def troubled(self, faults: Sequence[Fault], sending: str = "") -> Iterator[None]:
        """These things go wrong, and when it is over nothing more does."""
        self._send_fails = sending
        with self.trouble.expected(faults):
            yield
        self._send_fails = ""

    def tick(self) -> None:
        """The scheduler's minute."""
        with self._process("scheduler"):
            snapshot = Snapshot(self.clock.time, self.config, Accounts(self._accounts, working=self._working))
            scheduler.tick(snapshot, self._send)
            if transfers.sweep(snapshot, lanes.active()).transferred:
                scheduler.tick(snapshot, self._send)  # as `scheduler.run` does

    def poll(self, scripts: Sequence[Script] = (SUCCEED,)) -> None:
        """The operation poller's minute: it runs what waits in the lanes that the scheduler leaves alone."""
        with self._process("poller") as process, self._following(scripts, process) as ended:
            _, report = poller.poll(
                Accounts(self._accounts),
                Context(self.clock, self.config, self.chance.random),
                process.deadline,
                50,
                ended,
            )
            self.ends += report.ends

    def _accounts(self, asked: Collection[str], _: str) -> Mapping[str, str]:
        return {account: self.statuses.get(account, "ACTIVE") for account in asked}

    def _working(self, asked: Collection[str], _: str) -> Set[str]:
        return set(asked) - self.statuses.keys()

    def _send(self, batch: Batch) -> None:
        fails, self._send_fails = self._send_fails, ""
        if fails != "before":
            self.queue.append(batch.encode())
        if fails == "started":
            self.meanwhile("deliver", -1)
        if fails:
            raise SendError(fails)

    def deliver(self, position: int = 0, scripts: Sequence[Script] = (SUCCEED,)) -> None:
        """Give the worker a message of the queue; its handlers follow `scripts` in turn."""
        if self.queue:
            body = self.queue.pop(position % len(self.queue))
            self.delivered.append(body)
            self._work(body, scripts)

    def deliver_again(self, position: int = 0) -> None:
        """SQS delivers at least once."""
        if self.delivered:
            self._work(self.delivered[position % len(self.delivered)], (SUCCEED,))

    def _work(self, body: str, scripts: Sequence[Script]) -> None:
        with self._process("worker") as process, self._following(scripts, process) as ended:
            batch, limits = decode(body), self.config.limits["stockx"]
            self.ends += run_batch(
                batch, limits, Context(self.clock, self.config, self.chance.random), process.deadline, ended, threads=1
            ).ends

    @contextmanager
    def _following(self, scripts: Sequence[Script], process: Process) -> Iterator[Observe]:
        """Handlers follow `scripts`. Yields who is to be told that a run has ended."""

        def ended(job: Job, failure: Failure | None) -> None:
            process.run = None

        before, self._scripts = self._scripts, scripts
        try:
            yield ended
        finally:
            self._scripts = before

    def close(self, budget: str) -> None:
        """Somebody else's call was refused with a 429."""
        ledger.close(budget, self.clock.time + 10 * MINUTE, "429")

    def refuse(self, tenant: str) -> None:
        """The marketplace answers a call of the tenant's, made by whoever, with a 429."""
        with self._process("worker"):
            self.close(keys.account("stockx", tenant))
        self.refused[keys.account("stockx", tenant)] = self.clock.time + 10 * MINUTE

    # What a handler does

    def handle(self, run: Run) -> HandlerResult:
        """The handler of every job: checks that it may run, then follows its script."""
        *others, process = self.trouble.processes
        self.promises.may_run(run, process, others)
        process.run = run
        self.runs[run.job.job_id] += 1
        script = self._scripts[self._scripted % len(self._scripts)]
        self._scripted += 1
        for step in script.steps:
            for _ in range(step.calls):
                run.calls.take()
                self.promises.called(run, process)
            if step.meanwhile:
                self.meanwhile(*step.meanwhile)
        self.advance(script.after_ms)
        return self._end(script.end, run, process)

    def meanwhile(self, move: str, *arguments: Any) -> None:
        """Another process does `move` while one is busy; a third one too, and then it is enough."""
        if self._depth < 2:
            self._depth += 1
            getattr(self, move)(*arguments)
            self._depth -= 1

    def overtake(self, delivered: bool) -> None:
        """The lease of whoever is busy ends, and the work is claimed for somebody else, or done by somebody else."""
        self.advance(self.config.engine.lease_ms + SECOND)
        self.tick()
        if delivered:
            self.deliver(-1)

    def _end(self, end: str, run: Run, process: Process) -> HandlerResult:
        match end:
            case "succeed":
                return {"ask": "100"}
            case "wait":
                return Waiting(self.clock.time + MINUTE, run.payload)
            case "die":
                raise process.die()
            case "break":
                raise ValueError("a fault in the handler")
            case "close":
                process.closed.add(run.job.budget)
                until = self.clock.time + 10 * MINUTE
                run.calls.close(until, "429")
                raise _failure(Then.SNOOZE, until, whole_batch=True)
            case _:
                raise _failure(Then(end), None)

    # The end

    def check(self) -> None:
        """Everything that must hold whenever nobody is in the middle of something."""
        self.promises.check()
        self.promises.urgency()

    def unfinished(self) -> list[Item]:
        """The jobs that are not final."""
        return [item for item in self.store.items("jobs") if text(item, "state") not in FINAL]

    def drain(self, rounds: int = 200) -> None:
        """Faults stop and accounts are connected again: all that was accepted gets done."""
        self.release()
        for done in range(rounds):
            for position in range(len(self.delivered)):
                self.deliver_again(position)
            self.delivered = []
            while self.queue:
                self.deliver()
            if not self.unfinished():
                break
            # Soon, and then at longer intervals: a day's calls may be used up.
            self.advance(30 * SECOND if done < 40 else 20 * MINUTE)
            self.clock.time = max(self.clock.time, min(number(item, "due_at") for item in self.unfinished()))
            self.tick()
            self.poll()
            self.check()
        assert not self.unfinished(), f"never ended: {self.unfinished()}"
        for asked in self.accepted:
            assert self._seen(asked.job_id, asked.tenant) > asked.seen, f"{asked.job_id} was asked for and never served"

    def _seen(self, job_id: str, tenant: str) -> tuple[int, int, int]:
        """What can serve a request: a run that starts after it, a death, or that it is taken back."""
        return self.runs[job_id], self.promises.deaths.count(job_id), self.withdrawn[job_id, tenant]


def _failure(action: Then, retry_at: int | None, *, whole_batch: bool = False) -> Failure:
    failure = Failure(f"the marketplace said {action}", code=action, retry_at=retry_at)
    failure.action, failure.whole_batch = action, whole_batch
    return failure
