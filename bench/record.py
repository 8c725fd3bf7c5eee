"""What a probed cloud wrote down: runs of functions, the calls that they made of AWS, and how long a hop took.

Of each hop is told how long it took, and for how long of that its work was stalled, which could have gone on:

- In a function: the threads on its way waited for a core, or its call waited at the local cloud, which serves the calls
  of all functions in one thread. On AWS each function has a core of its own, and no call stands behind another's.
- In the local cloud itself, which hands over requests, messages and records of streams: whatever it took longer than
  the quickest of all, which had the same to do. Of a message that counts only while a worker was free, and of a record
  only while its stream's reader was: for those they wait on AWS too.

Which threads and calls are on the way: from the end of a hop backwards, each time what ended last before.
"""

import json
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from local.cloud import template

MS, SECOND = 1_000_000, 1_000_000_000


class Call(NamedTuple):
    """A call that a function made of AWS; times in epoch ns.

    served: CPU time of the local cloud for it.
    cpu: CPU time of its thread up to its beginning, and to its end.
    waited: for how long its thread had waited for a core by then, likewise.
    delay: for how many seconds SQS holds its message back.
    """

    process: int
    thread: int
    what: str
    on: str
    began: int
    sent: int
    answered: int
    ended: int
    served: int
    cpu: tuple[int, int]
    waited: tuple[int, int]
    delay: int

    @property
    def stalled(self) -> int:
        """How long it waited at the local cloud, and its thread for a core, ns."""
        return max(0, self.answered - self.sent - self.served) + max(0, self.waited[1] - self.waited[0])


class Run(NamedTuple):
    """A run of a function, which handles messages of a queue, records of a stream, or something else; epoch ns.

    source: the queue, or the table whose stream it is; "" for something else.
    nudged: it is the scheduler's, and somebody has called it.
    """

    function: str
    process: int
    source: str
    nudged: bool
    began: int
    ended: int


class Hop(NamedTuple):
    """How long a hop took, the CPU time on its way, and for how long it was stalled; ms."""

    took: float
    cpu: float = 0
    stalled: float = 0


# By the names of the hops.
Way = dict[str, Hop]


@dataclass
class Record:
    """What a probed cloud wrote, each list in the order of the ends.

    touching: calls by what they are about: a job, a delivery, a tenant's turn.
    about: likewise, by function too.
    calls, runs: by process.
    taken: runs by function and by what their messages or records are about.
    readers: runs by function and by their source.
    nudges: calls of the scheduler.
    """

    touching: dict[str, list[Call]] = field(default_factory=lambda: defaultdict(list))
    about: dict[tuple[str, str], list[Call]] = field(default_factory=lambda: defaultdict(list))
    calls: dict[int, list[Call]] = field(default_factory=lambda: defaultdict(list))
    runs: dict[int, list[Run]] = field(default_factory=lambda: defaultdict(list))
    taken: dict[tuple[str, str], list[Run]] = field(default_factory=lambda: defaultdict(list))
    readers: dict[tuple[str, str], list[Run]] = field(default_factory=lambda: defaultdict(list))
    nudges: list[Call] = field(default_factory=list)

    @classmethod
    def read(cls, lines: Iterable[str]) -> "Record":
        """The record with these lines."""
        record = cls()
        for line in lines:
            record._add(json.loads(line))
        for calls in (*record.calls.values(), *record.touching.values(), *record.about.values(), record.nudges):
            calls.sort(key=lambda call: call.ended)
        return record

    @classmethod
    def of(cls, path: Path) -> "Record":
        """The record in this file, without the line that is just being written."""
        with path.open(encoding="utf-8") as lines:
            return cls.read(line for line in lines if line.endswith("}\n"))

    def _add(self, told: Mapping[str, Any]) -> None:
        function = told["function"].rpartition("local-")[2]
        if told["what"] == "run":
            run = Run(function, **{name: told[name] for name in ("process", "source", "nudged", "began", "ended")})
            self.runs[run.process].append(run)
            self.readers[function, run.source].append(run)
            for one in told["about"]:
                self.taken[function, one].append(run)
            return
        names = ("process", "thread", "what", "on", "began", "sent", "answered", "ended", "served", "delay")
        call = Call(**{name: told[name] for name in names}, cpu=tuple(told["cpu"]), waited=tuple(told["waited"]))
        self.calls[call.process].append(call)
        if call.what == "Invoke" and call.on.endswith("local-scheduler"):
            self.nudges.append(call)
        for one in told["about"]:
            self.touching[one].append(call)
            self.about[function, one].append(call)

    def ending(self, job: str, since: int, until: int) -> Call | None:
        """The first call about the job between these times: the one that ended it, whichever function made it."""
        return first(self.touching[job], since, until)

    def run_of(self, call: Call) -> Run | None:
        """The run in which `call` was made."""
        runs = self.runs[call.process]
        return next((run for run in runs if run.began <= call.began and call.ended <= run.ended), None)

    def hop(self, since: int, last: Call, *, whole: bool = True) -> Hop:
        """What the process of `last` did from `since` until that call had ended; until it began, if not `whole`."""
        calls = self.calls[last.process]
        ends = [call.ended for call in calls]
        cpu = stalled = 0
        call: Call | None = last
        while call and call.ended > since:
            if call is not last or whole:
                part = call.ended - max(call.began, since)
                cpu += min(part, call.cpu[1] - call.cpu[0])
                stalled += min(part, call.stalled)
            place = bisect_right(ends, call.began)
            before = calls[place - 1] if place else None
            gap = max(0, call.began - max(since, before.ended if before else since))
            own = next((one for one in reversed(calls[:place]) if one.thread == call.thread), None)
            waited, spent = (own.waited[1], own.cpu[1]) if own else (0, 0)
            stalled += min(gap, max(0, call.waited[0] - waited))
            cpu += min(gap, max(0, call.cpu[0] - spent))
            call = before
        return Hop(max(0, (last.ended if whole else last.began) - since) / MS, cpu / MS, stalled / MS)

    def free(self, reader: Run, most: int, since: int, until: int) -> int:
        """For how long of this time fewer than `most` runs like `reader` handled what its source had, ns."""
        until = max(since, until)
        runs = self.readers[reader.function, reader.source]
        edges = [(max(run.began, since), 1) for run in runs if run.began < until and run.ended > since]
        edges += [(run.ended, -1) for run in runs if since < run.ended < until]
        busy, at, free = 0, since, 0
        for edge, change in (*sorted(edges), (until, 0)):
            free += edge - at if busy < most else 0
            busy, at = busy + change, edge
        return free

    def waiting(self, since: int, taken: Run, most: int, delay: int = 0) -> Hop:
        """A message or record that was there from `since` until `taken` took it; most: how many runs take some at once.

        delay: for how many seconds it was held back.
        """
        stalled = self.free(taken, most, since + delay * SECOND, taken.began)
        return Hop(max(0, taken.began - since) / MS, stalled=stalled / MS)


def less_the_quickest(ways: Sequence[Way], of_the_cloud: Iterable[str]) -> None:
    """In the hops of the local cloud the quickest of all is what has to be done: the others were
    stalled for what they took longer."""
    for name in of_the_cloud:
        quickest = min((way[name].took for way in ways), default=0)
        for one in ways:
            one[name] = one[name]._replace(stalled=max(0, one[name].stalled - quickest))


def of_the_cloud(since: int, until: int) -> Hop:
    """A hop in which the local cloud alone is at work."""
    took = max(0, until - since) / MS
    return Hop(took, stalled=took)


def most_at_once(name: str) -> int:
    """How many runs of a laptop's stack take messages of a queue at once: `name` in the template's stages."""
    return int(template.load()["Mappings"]["Stages"]["local"][name])


def first(calls: Iterable[Call], since: int, until: int | None = None) -> Call | None:
    """The first of `calls` that began then, and had ended `until` then."""
    return next((one for one in calls if one.began >= since and (until is None or one.ended <= until)), None)


def last(calls: Sequence[Call], until: int, process: int) -> Call | None:
    """The last of these calls of the process that had ended `until` then."""
    return next((one for one in reversed(calls) if one.ended <= until and one.process == process), None)
