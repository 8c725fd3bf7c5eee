"""However one request of a story ends, the story ends as if nothing had happened.

Each request to AWS, a marketplace or a receiver is a point (`points`) that can be broken in up to five ways. The
ordinary suite breaks some points of each story, each in one way; `SLUICE_CRASH_POINTS=all` breaks every point in every
way, and `SLUICE_CRASH_POINTS=create-bulk/lost/17` that one alone.
"""

import os
from collections.abc import Iterator
from typing import Any

import pytest

from sluice.jobs.dispatch import rescue
from tests.crash.plant import open_plant
from tests.crash.points import KINDS, Points
from tests.crash.scenarios import SCENARIOS, seen
from tests.support.store import Store, store

CHOSEN = os.environ.get("SLUICE_CRASH_POINTS", "")
# A read that was done, and of which nothing came back, is as good as one that was not.
READS = (" Query", " GetItem", " BatchGetItem", " Get", " Decrypt", " Encrypt", "GET ")
READ_KINDS = ("refused", "killed_before")
# Of the writes and of the reads of a story, the ordinary suite breaks one in so many.
WRITES_APART, READS_APART = 4, 16
# Into how many tests the points of a story are divided, so that several processes share them.
PARTS = 4


@pytest.fixture(scope="module")
def tables() -> Iterator[Store]:
    with store() as made:
        yield made


def told(tables: Store, story: str, at: int = -1, kind: str = "") -> tuple[dict[str, Any], list[str]]:
    """How the story ends when it is broken at this point, and which requests there were."""
    points, scenario = Points(), SCENARIOS[story]
    with open_plant(tables, points) as plant:
        scenario.before(plant)
        points.seen.clear()
        points.at, points.kind = at, kind
        scenario.act(plant)
        requests = list(points.seen)
        points.at = -1
        return seen(plant), requests


_calm: dict[str, tuple[dict[str, Any], list[str]]] = {}


def calm(tables: Store, story: str) -> tuple[dict[str, Any], list[str]]:
    if story not in _calm:
        _calm[story] = told(tables, story)
    return _calm[story]


def chosen(story: str, requests: list[str]) -> list[tuple[int, str]]:
    """The points that are broken, and how."""
    if CHOSEN.count("/") == 2:
        name, kind, at = CHOSEN.split("/")
        return [(int(at), kind)] if story == name else []
    reads = [at for at, name in enumerate(requests) if any(read in name for read in READS)]
    writes = sorted(set(range(len(requests))) - set(reads))
    if CHOSEN == "all":
        return [(at, kind) for at in writes for kind in KINDS] + [(at, kind) for at in reads for kind in READ_KINDS]
    some = [(at, KINDS[number % len(KINDS)]) for number, at in enumerate(writes[::WRITES_APART])]
    return some + [(at, READ_KINDS[number % 2]) for number, at in enumerate(reads[::READS_APART])]


@pytest.mark.parametrize("part", range(PARTS))
@pytest.mark.parametrize("story", SCENARIOS)
def test_a_story_that_is_broken_at_one_point_ends_as_if_it_had_not_been(story: str, part: int, tables: Store) -> None:
    expected, requests = calm(tables, story)
    wrong: list[str] = []
    for at, kind in chosen(story, requests)[part::PARTS]:
        try:
            found, _ = told(tables, story, at, kind)
            differs: Any = {one: (found[one], expected[one]) for one in found if found[one] != expected[one]}
        except AssertionError as error:
            differs = str(error)[:500]
        if differs:
            wrong.append(f"{story}/{kind}/{at}, at {requests[at]}: {differs}")
    assert not wrong, "\n".join(wrong)


def test_every_kind_of_request_is_a_point(tables: Store) -> None:
    """DynamoDB's writes, transactions and reads, the other services of AWS, all marketplaces and a receiver."""
    passed = {name.partition(" /")[0] for story in SCENARIOS for name in calm(tables, story)[1]}
    parties = (
        *("dynamodb UpdateItem", "dynamodb PutItem", "dynamodb DeleteItem", "dynamodb TransactWriteItems"),
        *("dynamodb GetItem", "dynamodb Query", "dynamodb BatchGetItem", "sqs SendMessage", "lambda Invoke"),
        *("events PutEvents", "kms Encrypt", "kms Decrypt", "ssm GetParameter", "receiver", "POST", "GET", "DELETE"),
    )
    assert [party for party in parties if not any(name.startswith(party) for name in passed)] == []


def test_a_break_that_is_not_mended_is_seen(tables: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where nobody takes back what a lost worker had, the story does not come to rest."""
    _, requests = calm(tables, "replay")
    at = next(at for at, name in enumerate(requests) if name.startswith("GET "))
    monkeypatch.setattr(rescue, "take_back", lambda *_: rescue.TakenBack())
    with pytest.raises(AssertionError, match="did not come to rest"):
        told(tables, "replay", at, "killed_before")
