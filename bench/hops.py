"""Where the time of one manual price goes, hop by hop: its way through the functions, as a probed cloud recorded it.

```
 asked ─ gateway ─ request ─ written ─ nudge ─ run asked for ─ called ─ scheduler ─ tick begins ─ tick ─ claimed
       ─ send ─ sent ─ queue ─ taken ─ start ─ batch begun ─ work ─ price stored ─ finish ─ ended
```
Of each hop is told how long it took, and for how long of that its work stood though it could have gone on:

- In a function: the threads on its way waited for a core, or its call waited at the local cloud, which serves the calls
  of all functions in one thread. On AWS each function has a core of its own, and no call stands behind another's.
- In the local cloud itself (`gateway`, `called`, `queue`): whatever it took longer than the quickest of all, which had
  the same to do. In the queue that counts only while a worker was free: for a worker a message waits on AWS too. And
  of the scheduler's run only from when somebody has called it: who relies on another's call waits for that on AWS too.

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

HOPS = ("gateway", "request", "nudge", "called", "scheduler", "tick", "send", "queue", "start", "work", "finish")
# What the local cloud does by itself.
OF_THE_CLOUD = ("gateway", "called", "queue")
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
    def stood(self) -> int:
        """How long it waited at the local cloud, and its thread for a core, ns."""
        return max(0, self.answered - self.sent - self.served) + max(0, self.waited[1] - self.waited[0])


class Run(NamedTuple):
    """A run of a function, which handles messages of a queue or something else (""); times in epoch ns.

    nudged: it is the scheduler's, and somebody has called it.
    """

    process: int
    queue: str
    nudged: bool
    began: int
    ended: int


class Hop(NamedTuple):
    """How long a hop took, the CPU time on its way, and for how long it stood; ms."""

    took: float
    cpu: float = 0
    stood: float = 0


Way = dict[str, Hop]


@dataclass
class Record:
    """What a probed cloud wrote, each list in the order of the ends.

    about: calls by function and job. calls, runs: by process. taken: the runs of workers by job. queues: runs by queue.
    nudges: calls of the scheduler.
    """

    about: dict[tuple[str, str], list[Call]] = field(default_factory=lambda: defaultdict(list))
    calls: dict[int, list[Call]] = field(default_factory=lambda: defaultdict(list))
    runs: dict[int, list[Run]] = field(default_factory=lambda: defaultdict(list))
    taken: dict[str, list[Run]] = field(default_factory=lambda: defaultdict(list))
    queues: dict[str, list[Run]] = field(default_factory=lambda: defaultdict(list))
    nudges: list[Call] = field(default_factory=list)

    @classmethod
    def read(cls, lines: Iterable[str]) -> "Record":
        """The record with these lines."""
        record = cls()
        for line in lines:
            record._add(json.loads(line))
        for calls in (*record.calls.values(), *record.about.values(), record.nudges):
            calls.sort(key=lambda call: call.ended)
        return record

    def _add(self, told: Mapping[str, Any]) -> None:
        if told["what"] == "run":
            run = Run(told["process"], told["queue"], told["nudged"], told["began"], told["ended"])
            self.runs[run.process].append(run)
            self.queues[run.queue].append(run)
            for job in told["jobs"]:
                self.taken[job].append(run)
            return
        names = ("process", "thread", "what", "on", "began", "sent", "answered", "ended", "served", "delay")
        call = Call(**{name: told[name] for name in names}, cpu=tuple(told["cpu"]), waited=tuple(told["waited"]))
        self.calls[call.process].append(call)
        if call.what == "Invoke" and call.on.endswith("local-scheduler"):
            self.nudges.append(call)
        for job in told["jobs"]:
            self.about[told["function"].rpartition("local-")[2], job].append(call)

    def run_of(self, call: Call) -> Run | None:
        """The run in which `call` was made."""
        runs = self.runs[call.process]
        return next((run for run in runs if run.began <= call.began and call.ended <= run.ended), None)

    def hop(self, since: int, last: Call, *, whole: bool = True) -> Hop:
        """What the process of `last` did from `since` until that call had ended; until it began, if not `whole`."""
        calls = self.calls[last.process]
        ends = [call.ended for call in calls]
        cpu = stood = 0
        call: Call | None = last
        while call and call.ended > since:
            if call is not last or whole:
                part = call.ended - max(call.began, since)
                cpu += min(part, call.cpu[1] - call.cpu[0])
                stood += min(part, call.stood)
            place = bisect_right(ends, call.began)
            before = calls[place - 1] if place else None
            gap = max(0, call.began - max(since, before.ended if before else since))
            own = next((one for one in reversed(calls[:place]) if one.thread == call.thread), None)
            waited, spent = (own.waited[1], own.cpu[1]) if own else (0, 0)
            stood += min(gap, max(0, call.waited[0] - waited))
            cpu += min(gap, max(0, call.cpu[0] - spent))
            call = before
        return Hop(max(0, (last.ended if whole else last.began) - since) / MS, cpu / MS, stood / MS)

    def free(self, queue: str, workers: int, since: int, until: int) -> int:
        """For how long of this time fewer than `workers` runs handled messages of the queue, ns."""
        until = max(since, until)
        edges = [(max(run.began, since), 1) for run in self.queues[queue] if run.began < until and run.ended > since]
        edges += [(run.ended, -1) for run in self.queues[queue] if since < run.ended < until]
        busy, at, free = 0, since, 0
        for edge, change in (*sorted(edges), (until, 0)):
            free += edge - at if busy < workers else 0
            busy, at = busy + change, edge
        return free


def way(record: Record, job: str, asked: int, ended: int) -> Way | None:
    """The hops of a price that was asked for and had ended at these times, epoch ms. None where its way was another:

    somebody else's request was on the way, or it was tried more than once.
    """
    began, until = asked * MS, (ended + 1) * MS
    written = _first(record.about["enqueue", job], began)
    scheduled = [call for call in record.about["scheduler", job] if began < call.began < until]
    sent = [call for call in scheduled if call.what == "SendMessage"]
    if written is None or len(sent) != 1 or sent[0].began < written.ended:
        return None
    asking = record.run_of(written)
    claimed = _last(scheduled, sent[0].began, sent[0].process)
    taken = next((run for run in record.taken[job] if run.began > sent[0].sent), None)
    if asking is None or claimed is None or taken is None:
        return None
    nudged = _first([one for one in record.calls[written.process] if one.what == "Invoke"], written.ended, asking.ended)
    asked_for = nudged or written
    looked = _tick(record.calls[claimed.process], claimed)
    started = _first(record.calls[taken.process], taken.began)
    finished = _last(record.about["worker", job], taken.ended, taken.process)
    scheduling = record.run_of(claimed)
    if looked is None or started is None or finished is None or scheduling is None:
        return None
    # The run may be on an earlier tick, or on this one, when it is asked for.
    called = max(asked_for.ended, scheduling.began)
    work = [one for one in record.calls[taken.process] if started.ended < one.ended <= finished.began]
    worked = work[-1] if work else started
    free = record.free(taken.queue, _workers(), sent[0].ended + sent[0].delay * SECOND, taken.began)
    return {
        "gateway": _of_the_cloud(began, asking.began),
        "request": record.hop(asking.began, written),
        "nudge": record.hop(written.ended, nudged) if nudged else Hop(0),
        "called": Hop((called - asked_for.ended) / MS, stood=_on_its_way(record, scheduling, asked_for.ended, called)),
        "scheduler": record.hop(called, looked, whole=False),
        "tick": record.hop(max(looked.began, called), claimed),
        "send": record.hop(claimed.ended, sent[0]),
        "queue": Hop(max(0, taken.began - sent[0].ended) / MS, stood=free / MS),
        "start": record.hop(taken.began, started),
        "work": record.hop(started.ended, worked) if work else Hop(0),
        "finish": record.hop(worked.ended, finished),
    }


def less_the_quickest(ways: Sequence[Way]) -> None:
    """In the hops of the local cloud the quickest of all is what has to be done: take it from what the others stood."""
    for name in OF_THE_CLOUD:
        quickest = min((way[name].took for way in ways), default=0)
        for one in ways:
            one[name] = one[name]._replace(stood=max(0, one[name].stood - quickest))


def _of_the_cloud(since: int, until: int) -> Hop:
    took = max(0, until - since) / MS
    return Hop(took, stood=took)


def _on_its_way(record: Record, scheduling: Run, since: int, until: int) -> float:
    """For how long of this time the run had been called and had not begun, ms; nothing of one that nobody called."""
    call = next((one for one in reversed(record.nudges) if one.sent <= scheduling.began), None)
    return max(0, until - max(since, call.sent)) / MS if call and scheduling.nudged else 0


def _workers() -> int:
    """How many of a laptop's workers handle manual work at once."""
    return int(template.load()["Mappings"]["Stages"]["local"]["ManualWorkers"])


def _tick(calls: Sequence[Call], claimed: Call) -> Call | None:
    """The call with which the tick of this claim begins: it reads the list of lanes."""
    before = [one for one in calls if one.ended <= claimed.began and one.what == "Query"]
    lanes = [number for number, one in enumerate(before) if one.on.endswith("-lanes")]
    if not lanes:
        return None
    place = lanes[-1]
    while place and before[place - 1].on.endswith("-lanes"):
        place -= 1
    return before[place]


def _first(calls: Iterable[Call], since: int, until: int | None = None) -> Call | None:
    return next((one for one in calls if one.began >= since and (until is None or one.ended <= until)), None)


def _last(calls: Sequence[Call], until: int, process: int) -> Call | None:
    return next((one for one in reversed(calls) if one.ended <= until and one.process == process), None)


def read(path: Path) -> Record:
    """The record of a probed cloud, without the line that is just being written."""
    with path.open(encoding="utf-8") as lines:
        return Record.read(line for line in lines if line.endswith("}\n"))
