"""What a hostile tenant costs its neighbours: the same wishes of two tenants, alone and beside it, on the real stack.

```
 alone ─ beside ─ alone ─ beside      40 wishes of a kind in each: a machine that becomes slower is so for both sides
```
Everything runs on this machine's cores. The hostile one, which has machines of its own in AWS, is a process of its own
at the lowest priority, and does one deed a second, within small allowances: a core that nobody else wants is its. What
its deeds make the deployment do (requests, jobs, events) has the priority of all work there, and counts. What
each deed does to the engine's order is the same at any speed.

Each stack has had a round that is not measured, and beside the hostile one each of its deeds once: a process of a
function that starts takes a core for a second, which on AWS no other function would have had. Functions for which
nobody waits give way to the others (`local.cloud.priority`). Ends of jobs are gathered for a second before they are
told, as the template has it.

A price and a webhook are followed through the functions (`hops`, `webhook_hops`), so that beside the time as it was
seen stands the time without that for which its work was stalled, which could have gone on if this machine
had been free. On AWS nothing is stalled for another tenant's sake.

A p95 of 80 waits rests on the three above it. How far it may be off is told with it, from the waits themselves; and
beside the times stands what does not depend on the machine: how often a worker took up each wish.
"""

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from random import Random
from typing import TypeVar

from bench import hops, webhook_hops
from bench.record import Record, Way, less_the_quickest
from bench.row import Row
from local import neighbours
from local.laptop import Laptop
from local.neighbours import Ask, Run

MOST_RATIO = 1.2
WHAT = {
    "price": "manual price, from the request to its end",
    "listing": "listing, from the request to its confirmation",
    "ad": "promotion, from its second to its ad",
    "event": "webhook, from the end of a job to its receiver",
}
# What is followed hop by hop: how it is told of, its hops, and which of them are the local cloud's.
FOLLOWED = {
    "price": ("manual price", hops.HOPS, hops.OF_THE_CLOUD),
    "event": ("webhook", webhook_hops.HOPS, webhook_hops.OF_THE_CLOUD),
}
BLOCKS = 2
ROUNDS = 20
ROUND_SECONDS = 1.25
DRAWS = 2_000
# Of the hostile one's process; what it makes the deployment do has the priority of all work there.
LOWEST_PRIORITY = 19

N = TypeVar("N", int, float)


@dataclass
class Side:
    """Alone, or beside the hostile one.

    taken: how often a worker took up each wish, by kind. ways: of what could be followed, by kind, hop by hop.
    """

    runs: list[Run] = field(default_factory=list)
    ways: dict[str, list[Way]] = field(default_factory=lambda: {what: [] for what in FOLLOWED})
    taken: dict[str, list[int]] = field(default_factory=lambda: {"price": [], "listing": [], "ad": []})

    def waits(self, what: str) -> list[int]:
        """Of all blocks, ms, the shortest first."""
        return sorted(wait for run in self.runs for wait in run.waits(what))

    def seconds(self, what: str, part: Callable[[Way], float]) -> list[float]:
        """A part of each way, s, the shortest first."""
        return sorted(part(way) / 1_000 for way in self.ways[what])

    def lost(self) -> int:
        """Wishes that were refused or never done."""
        return sum(len(run.missing()) + len(run.refused) for run in self.runs)


def run() -> list[Row]:
    alone, beside = measured()
    deeds = (
        f"{_deeds(beside)} deeds of a hostile third, a process of its own at the lowest priority, "
        f"{_refused(beside)} of them refused, each deed done once before; functions for which nobody waits give way; "
        "ends of jobs are gathered for a second, as the template says"
    )
    rows = []
    for what, measure in WHAT.items():
        waits = alone.waits(what), beside.waits(what)
        seconds = [[f"{at(found, percent) / 1_000:.2f}" for percent in (50, 95)] for found in waits]
        low, high = spread(*waits)
        conditions = (
            f"two tenants, {len(waits[0])} each, in {BLOCKS} blocks in turn, local cloud, beside {deeds}; median and "
            f"p95 {seconds[0][0]} and {seconds[0][1]} s alone, {seconds[1][0]} and {seconds[1][1]} s beside it; "
            f"nine in ten samples like these give {low:.2f} to {high:.2f}"
        )
        ratio = at(waits[1], 95) / at(waits[0], 95)
        rows.append(Row(f"neighbours: p95 of a {measure}", conditions, ratio, "times", most=MOST_RATIO))
    for what in FOLLOWED:
        rows += _ways(what, alone, beside)
    wishes = sum(len(one.asks) for one in beside.runs)
    for what in alone.taken:
        each = [sum(side.taken[what]) / len(side.taken[what]) for side in (alone, beside)]
        conditions = f"{each[0]:.2f} times alone, {each[1]:.2f} times beside {deeds}"
        name = f"neighbours: how often a worker took up each {what}"
        rows.append(Row(name, conditions, each[1] / each[0], "times", most=MOST_RATIO))
    lost = alone.lost() + beside.lost()
    rows.append(Row("neighbours: wishes refused or never done", f"{wishes} wishes beside {deeds}", lost, most=0))
    return rows


def _ways(what: str, alone: Side, beside: Side) -> list[Row]:
    """Each while it was not stalled, then where its time goes."""
    measure, names, of_the_cloud = FOLLOWED[what]
    less_the_quickest(alone.ways[what] + beside.ways[what], of_the_cloud)
    told = (
        "a core, or the local cloud's one thread, was another's for so long; on AWS each function has a core of its own"
    )

    def ratio(part: Callable[[Way], float]) -> tuple[float, list[str]]:
        found = [side.seconds(what, part) for side in (alone, beside)]
        first, second = (at(one, 95) for one in found)
        return second / first if first else 1.0, [f"{at(one, 50):.2f} and {at(one, 95):.2f} s" for one in found]

    without, each = ratio(lambda way: sum(hop.took - hop.stalled for hop in way.values()))
    _, stalled = ratio(lambda way: sum(hop.stalled for hop in way.values()))
    conditions = (
        f"{len(alone.ways[what])} and {len(beside.ways[what])} that could be followed; median and p95 {each[0]} alone, "
        f"{each[1]} beside it, without {stalled[0]} and {stalled[1]} for which their work was stalled ({told})"
    )
    rows = [
        Row(f"neighbours: p95 of a {measure}, while it was not stalled", conditions, without, "times", most=MOST_RATIO)
    ]
    for name in names:
        took, seen = ratio(_of(name, "took"))
        (_, cpu), (_, stalled) = ratio(_of(name, "cpu")), ratio(_of(name, "stalled"))
        sides = f"median and p95 {seen[0]} alone, {seen[1]} beside it"
        conditions = f"{sides}; CPU time {cpu[0]}, {cpu[1]}; it was stalled for {stalled[0]}, {stalled[1]}"
        rows.append(Row(f"neighbours: p95 of a {measure}'s hop: {name}", conditions, took, "times"))
    return rows


def _of(name: str, what: str) -> Callable[[Way], float]:
    """`took`, `cpu` or `stalled` of one hop."""

    def part(way: Way) -> float:
        return float(getattr(way[name], what))

    return part


def measured() -> tuple[Side, Side]:
    """Both sides, block by block. What the hostile one leaves behind ends with the stack that it was on."""
    alone, beside = Side(), Side()
    with _stack(hostile=False) as quiet:
        for number in range(BLOCKS):
            rounds = range(number * ROUNDS, (number + 1) * ROUNDS)
            _live(quiet, alone, rounds, hostile=False)
            with _stack(hostile=True) as laptop:
                _live(laptop, beside, rounds, hostile=True)
    return alone, beside


def _live(laptop: Laptop, side: Side, rounds: range, *, hostile: bool) -> None:
    found = neighbours.play(
        laptop, hostile=hostile, rounds=rounds, round_seconds=ROUND_SECONDS, niceness=LOWEST_PRIORITY
    )
    side.runs.append(found)
    record = Record.of(laptop.cloud.probe_file)
    for one in found.asks:
        side.taken[one.what].append(_taken(laptop, one))
        if event := found.events[one.tenant].get(one.job_id):
            webhook = f"{one.tenant}/{neighbours.WEBHOOK}"
            told = webhook_hops.way(record, one.job_id, webhook, event.id, event.ended_at, event.at)
            asked = hops.way(record, one.job_id, one.at, event.ended_at) if one.what == "price" else None
            side.ways["event"] += [told] if told else []
            side.ways["price"] += [asked] if asked else []


@contextmanager
def _stack(*, hostile: bool) -> Iterator[Laptop]:
    configuration = json.dumps(neighbours.CONFIGURATION)
    with Laptop(
        latency_ms=20, products=neighbours.PRODUCTS, configuration=configuration, probed=True, windows=True
    ) as laptop:
        neighbours.warm_up(laptop, hostile=hostile)
        yield laptop


def _taken(laptop: Laptop, one: Ask) -> int:
    """How often the job was claimed."""
    table, key = f"{laptop.stack.name}-jobs", {"job_id": {"S": one.job_id}}
    return int(laptop.cloud.client("dynamodb").get_item(TableName=table, Key=key)["Item"]["lease"]["N"])


def at(waits: Sequence[N], percent: int) -> N:
    """This percentile of sorted `waits`."""
    return waits[len(waits) * percent // 100]


def spread(alone: Sequence[int], beside: Sequence[int]) -> tuple[float, float]:
    """Between which bounds the ratio of the p95s lies in nine of ten samples that are drawn anew from these waits."""
    chance = Random(1)

    def drawn(waits: Sequence[int]) -> int:
        return at(sorted(chance.choices(waits, k=len(waits))), 95)

    ratios = sorted(drawn(beside) / drawn(alone) for _ in range(DRAWS))
    return at(ratios, 5), at(ratios, 95)


def _deeds(side: Side) -> int:
    return sum(run.deeds.total() for run in side.runs)


def _refused(side: Side) -> int:
    return sum(number for run in side.runs for deed, number in run.deeds.items() if not deed.endswith(": done"))
