"""Who is owed a run: what an observer knows who sees each request and each write. The engine knows nothing of it."""

import json
from collections.abc import Callable, Iterable, Mapping, Set
from dataclasses import dataclass, replace
from typing import NamedTuple, Self

from sluice.jobs.model.states import CANCELLED, DEAD, FINAL, LEASED, QUEUED, SUCCEEDED
from tests.model.explore import Broken
from tests.simulation.promises import askers, number, text
from tests.support.store import Item


class Ask(NamedTuple):
    """Somebody has asked. by: the actor that does so for them, until they have their answer; then 0."""

    tenant: str
    priority: int
    by: int


@dataclass(frozen=True)
class Owed:
    """waiting: who has asked since the last claim. taken: who had asked when the present run was claimed."""

    waiting: frozenset[Ask] = frozenset()
    taken: frozenset[Ask] = frozenset()

    def __bool__(self) -> bool:
        return bool(self.waiting or self.taken)

    @property
    def text(self) -> str:
        """All of it, but for which actor asks."""
        return str([sorted((ask.tenant, ask.priority, bool(ask.by)) for ask in group) for group in self._groups])

    @property
    def _groups(self) -> tuple[frozenset[Ask], frozenset[Ask]]:
        return self.waiting, self.taken

    def asked(self, ask: Ask) -> Self:
        """The request has looked at the job just now: what happened before is not for it."""
        mine = replace(self, waiting=self.waiting - {ask}, taken=self.taken - {ask})
        return replace(mine, waiting=mine.waiting | {ask})

    def answered(self, by: int) -> Self:
        """Who asked has been told that it will be done."""
        return self._each(lambda ask: ask._replace(by=0) if ask.by == by else ask)

    def without(self, gone: Callable[[Ask], bool]) -> Self:
        """Those are owed nothing."""
        return self._each(lambda ask: None if gone(ask) else ask)

    def claimed(self, later: Set[str]) -> Self:
        """The run that begins is for all who wait, but for those whose request is for the run that follows."""
        waiting = frozenset(ask for ask in self.waiting if ask.tenant in later)
        return replace(self, waiting=waiting, taken=self.taken | self.waiting - waiting)

    def ended(self) -> Self:
        """The run has come to an end that its askers hear of."""
        return replace(self, taken=frozenset())

    def _each(self, changed: Callable[[Ask], Ask | None]) -> Self:
        waiting, taken = (frozenset(filter(None, map(changed, group))) for group in self._groups)
        return replace(self, waiting=waiting, taken=taken)


def written(owed: Owed, before: Item | None, after: Item | None) -> Owed:
    """Who is owed a run after a write of the job.

    Raises:
        Broken: the write breaks a promise.
    """
    if before == after:
        return owed
    source, target = text(before, "state") if before else None, text(after, "state")
    _kept(target != CANCELLED or "begun" not in (before or {}), "what had begun was cancelled")
    _kept(target not in FINAL or "expires_at" in (after or {}), "an ended job is kept for ever")
    if source != LEASED:
        return owed.claimed(_later(before)) if target == LEASED else owed
    event = _event(before, after)
    if event in ("rerun", "bury") and target == QUEUED:
        _kept("begun" not in (after or {}), "a run that was asked for anew goes on as if it had begun")
        _kept(number(after, "attempts") == 0, "a run that was asked for anew has attempts behind it")
    return owed.ended() if target in (SUCCEEDED, DEAD) or event in ("rerun", "bury") else owed


def claimed(before: Item | None, after: Item | None, lane: str) -> None:
    """Whoever read the job in `lane` may claim it only there: elsewhere another budget is charged."""
    if text(before, "state") != LEASED and text(after, "state") == LEASED:
        _kept(text(before, "lane") == lane, "a job was claimed in a lane that it had left")


def rescued(before: Item | None, after: Item | None, runs: Mapping[str, str]) -> None:
    """A run that a worker has begun counts as an attempt. runs: who has taken each batch."""
    if _event(before, after) == "snooze":
        taken_by = runs.get(f"batch#{text(before, 'batch')}")
        _kept(taken_by != "worker", "a run that a worker had begun was no attempt")


def batches(before: Mapping[str, str], after: Mapping[str, str]) -> None:
    """Who has taken a batch keeps it."""
    _kept(before.items() <= after.items(), "a batch was taken from who had taken it")


def standing(job: Item | None, owed: Owed) -> None:
    """A job that waits is as urgent as its payer has asked, or more; and it knows for whom it runs, and will run."""
    waiting, taken = ({ask for ask in group if not ask.by} for group in (owed.waiting, owed.taken))
    queued = text(job, "state") == QUEUED
    if queued:
        payer = text(job, "tenant")
        most = max((ask.priority for ask in waiting if ask.tenant == payer), default=0)
        _kept(number(job, "priority") >= most, "a job is less urgent than its payer has asked")
    later = _later(job)
    now = askers(job or {}) | (later if queued else set())
    _kept({ask.tenant for ask in taken} <= now, "a job has forgotten for whom it runs")
    _kept({ask.tenant for ask in waiting} <= (now if queued else later), "a job has forgotten for whom it will run")


def at_whose_cost(job: Item | None, owed: Owed) -> None:
    """A job that waits is no more urgent than its payer has asked: nobody is urgent at another's cost."""
    if text(job, "state") == QUEUED:
        payer = text(job, "tenant")
        most = max((ask.priority for ask in owed.waiting | owed.taken if ask.tenant == payer), default=0)
        _kept(number(job, "priority") <= most, "a job is more urgent than its payer has asked")


def replayed(letters: Iterable[Item | None]) -> None:
    """letters: as they were before one was replayed."""
    _kept(all("replayed_at" not in (letter or {}) for letter in letters), "a letter was replayed twice")


def _later(job: Item | None) -> set[str]:
    """Who has asked for the run that follows the present one."""
    return set((job or {}).get("rerun_askers", {}).get("SS", ()))


def _event(before: Item | None, after: Item | None) -> str:
    """What the write has added to the job's timeline, if anything."""
    was, told = (json.loads(text(item, "history") or "[]") for item in (before, after))
    return str(told[-1]["event"]) if told and told != was else ""


def _kept(truth: bool, promise: str) -> None:
    if not truth:
        raise Broken(promise)
