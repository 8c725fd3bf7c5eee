"""What the engine promises, checked from outside: at every write, at every call, and whenever nothing is in between."""

import json
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from sluice.jobs.budgets.windows import Window
from sluice.jobs.model import keys
from sluice.jobs.model.job import Spec
from sluice.jobs.model.run import Run
from sluice.jobs.model.states import DEAD, FINAL, LEASED, QUEUED, TRANSITIONS, WAITING
from sluice.jobs.queue.enqueue import Enqueued, Result
from sluice.platform import tables
from sluice.platform.config.limits import Limits
from tests.simulation.trouble import Process
from tests.support.clock import VirtualClock
from tests.support.store import Item, Request, Store
from tests.support.work import KIND

# A job that was never asked for has no state.
ARROWS = {(source, arrow.target) for arrow in TRANSITIONS.values() for source in arrow.sources} | {(None, QUEUED)}


@dataclass
class Promises:
    """What was seen: the calls of each budget by time, the arrows between states, the deaths, and what was `broken`.

    asked: the highest priority with which each tenant has asked for each job since nobody has waited for it.

    The engine takes an exception in the middle of its work for a fault of a handler, and goes on. So what is broken is
    kept as well, and raised where no engine is around it.
    """

    store: Store
    clock: VirtualClock
    limits: Limits
    calls: dict[str, list[int]] = field(default_factory=lambda: defaultdict(list))
    arrows: set[tuple[str | None, str]] = field(default_factory=set)
    deaths: list[str] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)
    asked: Counter[tuple[str, str]] = field(default_factory=Counter)

    def kept(self, truth: object, promise: str) -> None:
        """Fail, now and at the end of the process, unless `truth`."""
        if not truth:
            self.broken.append(promise)
            raise AssertionError(promise)

    # At every write

    @contextmanager
    def watch(self, request: Request, process: Process) -> Iterator[None]:
        """Compare every job that the request touches before and after it."""
        touched = [job_id for job_id in map(_job_id, _writes(request)) if job_id]
        before = {job_id: self.store.item("jobs", job_id=job_id) for job_id in touched}
        try:
            yield
        finally:
            for job_id in touched:
                self._written(job_id, before[job_id], self.store.item("jobs", job_id=job_id), process)

    def _written(self, job_id: str, before: Item | None, after: Item | None, process: Process) -> None:
        self.kept(after is not None, f"{job_id} was deleted")
        if before == after:
            return
        source, target = text(before, "state") if before else None, text(after, "state")
        claimed = source != LEASED and target == LEASED
        if source != target:
            self.kept((source, target) in ARROWS, f"{job_id} went from {source} to {target}")
            self.arrows.add((source, target))
        lease = number(before, "lease")
        self.kept(
            number(after, "lease") == lease + claimed, f"{job_id}: its lease moved by something else than a claim"
        )
        if claimed:
            self.kept(number(before, "due_at") <= self.clock.time, f"{job_id} was claimed before it was due")
        if process.run and process.run.job.job_id == job_id:
            self.kept((source, lease) == (LEASED, process.run.job.lease), f"a late worker wrote to {job_id}")
        if target == DEAD:
            self.deaths.append(job_id)
        if target in FINAL:
            for asker in [asker for asker in self.asked if asker[0] == job_id]:
                del self.asked[asker]
        asked_again = before is not None and "rerun" in before
        self.kept(not (asked_again and target in FINAL), f"{job_id} ended though it was asked for again while it ran")

    # At every run and call

    def may_run(self, run: Run, process: Process, others: list[Process]) -> None:
        """One owner: the run's lease is the stored one, and whoever else is busy with the job has lost it."""
        self.kept(
            run.job.budget not in process.closed, f"{run.job.job_id} was begun after its batch had learnt of a 429"
        )
        self._holds_lease(run)
        for other in others:
            if other.run and not other.dead and other.run.job.job_id == run.job.job_id:
                self.kept(other.run.job.lease < run.job.lease, f"{run.job.job_id} has two owners")

    def called(self, run: Run, process: Process) -> None:
        """The marketplace's side: it counts what arrives, by clock hours and days, and between two calls."""
        self.kept(run.job.budget not in process.closed, "a call was made after a 429")
        self._holds_lease(run)
        now, made = self.clock.time, self.calls[run.job.budget]
        self.kept(all(abs(now - other) >= self.limits.interval_ms for other in made), "two calls came too close")
        made.append(now)
        window = Window.at(now)
        by_clock = self.limits.per_hour or self.limits.per_day
        margin = self.limits.margin_ms if by_clock else 0
        self.kept(window.holds(now, margin), "a call came too close to the end of an hour")
        hour, day = self.limits.per_hour, self.limits.per_day
        self.kept(not hour or sum(Window.at(at) == window for at in made) <= hour, "too many calls in an hour")
        self.kept(not day or sum(Window.at(at).day == window.day for at in made) <= day, "too many calls in a day")
        for rolling in self.limits.rolling:
            arrived = sum(now - rolling.ms < at <= now for at in made)
            self.kept(arrived <= rolling.calls, f"too many calls in {rolling.name}")

    def _holds_lease(self, run: Run) -> None:
        stored = self.store.item("jobs", job_id=run.job.job_id)
        held = text(stored, "state") if stored else None, number(stored, "lease")
        self.kept(held == (LEASED, run.job.lease), f"{run.job.job_id} runs though its lease is over")

    def outcome(self, before: Item | None, spec: Spec, answer: Enqueued, held: Callable[[str], bool]) -> None:
        """Enqueue's answer says what happened. held: whether an account cannot run anything now.

        A job that waits goes over to who asks more urgently than its payer did, or as urgently where the payer's
        account is held, if the asker's own is not. It is raised where who pays from then on has asked more urgently,
        now or earlier, than it stood.
        """
        state = text(before, "state") if before else None
        expected, moves = Result.MERGED, False
        if before is None or state in FINAL:
            expected = Result.CREATED
        elif state != QUEUED:
            expected = Result.RERUN_REQUESTED
        else:
            stands, wanted = number(before, "priority"), max(spec.priority, asked_with(before).get(spec.tenant, 0))
            gains = wanted > stands or (wanted == stands and held(text(before, "account")))
            moves = spec.tenant != text(before, "tenant") and gains and not held(spec.account)
            if wanted > stands and (moves or spec.tenant == text(before, "tenant")):
                expected = Result.RAISED
        self.kept(answer.result == expected, f"enqueue said {answer.result} and it was {expected}")
        self.kept(answer.moved == moves, f"enqueue said that the job went over: {answer.moved}, and it was {moves}")

    def asks(self, spec: Spec) -> None:
        """Somebody asks, whether or not it is written: no more urgently than this may the job stand at their cost."""
        asker = spec.job_id, spec.tenant
        self.asked[asker] = max(self.asked[asker], spec.priority)

    # Whenever nothing is in between

    def check(self) -> None:
        """No job is lost: each that is not final stands where somebody looks for it. No budget is overdrawn."""
        marked = {text(item, "lane") for item in self.store.items("lanes") if text(item, "registry") != "nudge"}
        buried = {(text(item, "job_id"), text(item, "tenant")) for item in self.store.items("dead_letters")}
        for item in self.store.items("jobs"):
            job_id, state = text(item, "job_id"), text(item, "state")
            assert number(item, "attempts") <= KIND.max_attempts, f"{job_id} was tried too often"
            if state in FINAL:
                assert not {"lane", "due_at"} & item.keys(), f"{job_id} is {state} and still stands in a lane"
                assert state != DEAD or buried >= {(job_id, asker) for asker in askers(item)}, (
                    f"{job_id} is dead, and not all who asked for it have a dead letter"
                )
            else:
                assert text(item, "tenant") in askers(item), f"{job_id} is charged to one who has not asked for it"
                self._stands(item, marked)
        self._budgets()

    def urgency(self) -> None:
        """No job stands more urgently than its payer has asked: nobody is urgent at another's cost."""
        for item in self.store.items("jobs"):
            job_id, payer = text(item, "job_id"), text(item, "tenant")
            assert text(item, "state") in FINAL or number(item, "priority") <= self.asked[job_id, payer], (
                f"{job_id} is more urgent than {payer} has asked, who pays for it"
            )

    def _stands(self, item: Item, marked: set[str]) -> None:
        job_id, state, lane = text(item, "job_id"), text(item, "state"), text(item, "lane")
        assert number(item, "due_at") > 0
        if state == LEASED:
            assert lane in keys.leased_lanes(), f"{job_id} runs and nobody would rescue it"
            return
        assert lane in marked, f"{job_id} waits in a lane that nobody reads"
        budget, account, shards = text(item, "budget"), text(item, "account"), self.limits.shards
        polled = keys.poll_lane(budget, account, job_id, shards)
        queued = keys.lane(budget, account, number(item, "priority"), job_id, shards)
        assert lane == (polled if state == WAITING else queued), f"{job_id} is {state} and stands in {lane}"

    def _budgets(self) -> None:
        charged = {(text(item, "budget"), text(item, "window")): item for item in self.store.items("budgets")}
        for (_, window), item in charged.items():
            if window != "slots":
                hours = [number(item, name) for name in item if name[0] == "h"]
                most, most_a_day = self.limits.per_hour, self.limits.per_day
                assert all(0 <= used <= (most or used) for used in hours), "an hour is charged above its limit"
                assert sum(hours) == number(item, "day"), "a day is not the sum of its hours"
                assert not most_a_day or sum(hours) <= most_a_day, "a day is charged above its limit"
        for budget, made in self.calls.items():
            for hour, calls in Counter(Window.at(at) for at in made).items():
                reserved = number(charged[budget, hour.day], hour.hour)
                assert calls <= reserved, f"{budget} made {calls} calls in an hour and is charged {reserved}"


def text(item: Item | None, name: str) -> str:
    """The text attribute `name`; empty where there is none."""
    return str((item or {}).get(name, {}).get("S", ""))


def askers(item: Item) -> set[str]:
    """Who asked for the present run of a job."""
    return set(item.get("for", {}).get("SS", ())) or {text(item, "tenant")}


def asked_with(item: Item) -> dict[str, int]:
    """The priority with which each has asked for the present run of a job."""
    others = json.loads(text(item, "priorities") or "{}")
    return {asker: others.get(asker, number(item, "priority")) for asker in askers(item)}


def number(item: Item | None, name: str) -> int:
    """The number attribute `name`; 0 where there is none."""
    return int((item or {}).get(name, {}).get("N", 0))


def _writes(request: Request) -> list[dict[str, Any]]:
    if request.operation != "TransactWriteItems":
        return [request.parameters]
    return [write for item in request.parameters["TransactItems"] for write in item.values()]


def _job_id(write: dict[str, Any]) -> str | None:
    if write["TableName"] != tables.name("jobs"):
        return None
    return str((write.get("Key") or write["Item"])["job_id"]["S"])
