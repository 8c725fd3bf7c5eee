"""Stories that are told with one of their requests broken.

Each request to AWS, a marketplace or a receiver is a point (`points`) that can be broken in up to five ways. The
ordinary suite breaks some points of each story, each in one way; `SLUICE_CRASH_POINTS=all` breaks every point in every
way, `SLUICE_CRASH_POINTS=all:3/40` the fourth fortieth of them, and `SLUICE_CRASH_POINTS=create-bulk/lost/17` that one
alone. A story is told once for all of its breaks (`branches`). A break that was chosen and not made is wrong too, and a
run says at its end how many were made.
"""

import os
from collections.abc import Callable
from typing import Any

from tests.crash.branches import Branches, Break
from tests.crash.plant import Plant, open_plant
from tests.crash.points import KINDS, Points
from tests.crash.scenarios import SCENARIOS, Scenario, seen
from tests.support.store import Store

# Under this name each test says how many breaks it has made (`tests/conftest.py`).
BREAKS = "breaks"
CHOSEN = os.environ.get("SLUICE_CRASH_POINTS", "")
# A read that was done, and of which nothing came back, is as good as one that was not.
READS = (" Query", " Scan", " GetItem", " BatchGetItem", " Get", " Decrypt", " Encrypt", "GET ")
READ_KINDS = ("refused", "killed_before")
# Of the writes and of the reads of a story, the ordinary suite breaks one in so many, and of a long one so many at
# most, from its beginning to its end.
WRITES_APART, READS_APART = 6, 24
MOST_WRITES, MOST_READS = 40, 20
# Of long stories whose calls are those of a story that is told besides, fewer.
SPARSE = 3
TOLD_BESIDES = ("publish-group", "import-records")
# Stories whose tests have a file of their own, so that several processes share the work: a process takes a whole file.
LISTINGS = ("create", "remove", "create-bulk", "change-bulk", "delete-bulk")
GOODS = ("promote", "import", "inventory", "enrich")
EBAY = ("publish", "publish-group", "import-records")
OTHERS = tuple(story for story in SCENARIOS if story not in (*LISTINGS, *GOODS, *EBAY))


def told(tables: Store, story: str, at: int = -1, kind: str = "") -> tuple[dict[str, Any], list[str]]:
    """How the story ends when it is broken at this point, and which requests there were."""
    points, scenario = Points(), SCENARIOS[story]
    with open_plant(tables, points) as plant:
        scenario.before(plant)
        points.seen.clear()
        points.at, points.kind = at, kind
        scenario.act(plant)
        requests = list(points.seen)
        points.leave()
        return seen(plant), requests


_calm: dict[str, tuple[dict[str, Any], list[str]]] = {}


def calm(tables: Store, story: str) -> tuple[dict[str, Any], list[str]]:
    if story not in _calm:
        _calm[story] = told(tables, story)
    return _calm[story]


def chosen(story: str, requests: list[str]) -> list[Break]:
    """The points that are broken, and how."""
    if CHOSEN.count("/") == 2:
        name, kind, at = CHOSEN.split("/")
        return [(int(at), kind)] if story == name else []
    reads = [at for at, name in enumerate(requests) if any(read in name for read in READS)]
    writes = sorted(set(range(len(requests))) - set(reads))
    if CHOSEN.startswith("all"):
        every = [(at, kind) for at in writes for kind in KINDS] + [(at, kind) for at in reads for kind in READ_KINDS]
        shard, _, shards = CHOSEN.removeprefix("all").removeprefix(":").partition("/")
        return every[int(shard or 0) :: int(shards or 1)]
    apart = SPARSE if story in TOLD_BESIDES else 1
    broken_writes = _spread(writes, WRITES_APART * apart, MOST_WRITES)
    broken_reads = _spread(reads, READS_APART * apart, MOST_READS)
    some = [(at, KINDS[number % len(KINDS)]) for number, at in enumerate(broken_writes)]
    return some + [(at, READ_KINDS[number % 2]) for number, at in enumerate(broken_reads)]


def _spread(places: list[int], apart: int, most: int) -> list[int]:
    """Of these places every one that is `apart`, or further apart if they were more than `most`."""
    return places[:: max(apart, -(-len(places) // most))]


def broken(tables: Store, story: str, note: Callable[[str, object], None]) -> str:
    """What is wrong with how the story ends, for each point that is broken; empty if nothing is.

    note: is given the number of breaks that were made (pytest's `record_property`).
    """
    expected, requests = calm(tables, story)
    points, scenario, branches = Points(), SCENARIOS[story], Branches(chosen(story, requests))
    with open_plant(tables, points) as plant:
        scenario.before(plant)
        points.seen.clear()
        points.branch = branches.begin
        wrong = [branches.play(lambda: _wrong(plant, scenario, expected))]
    wrong += [f"{story}/{kind}/{at}, {told}" for (at, kind), told in branches.told.items() if told]
    wrong += [f"{story}/{kind}/{at}, not made: the story was over before" for at, kind in branches.missed]
    note(BREAKS, len(branches.told))
    return "\n".join(filter(None, wrong))


def _wrong(plant: Plant, scenario: Scenario, expected: dict[str, Any]) -> str:
    """What is wrong with how the story ends, broken or not, and at which request it broke; empty if nothing is.

    That is told here: what a process remembers of an earlier story may save this one a request.
    """
    points, differs = plant.points, ""
    try:
        scenario.act(plant)
    except AssertionError as error:
        differs = str(error)[:500]
    at = f"at {points.seen[points.at]}: " if points.hit else ""
    points.leave()
    if not differs:
        found = seen(plant)
        wrong = {one: (found[one], expected[one]) for one in found if found[one] != expected[one]}
        differs = str(wrong) if wrong else ""
    return differs and at + differs
