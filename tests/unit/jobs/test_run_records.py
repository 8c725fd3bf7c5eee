"""What runs leave behind: notes for /health, counters of hours however many are asked for, and records by day."""

import pytest

from sluice.jobs.run import records
from sluice.platform.clock import DAY, HOUR, SECOND, iso
from sluice.platform.config.document import Config
from tests.support.store import Answer, Request, Send, Store
from tests.unit.jobs.conftest import NOON

FUNCTIONS = ("worker", "poller")


def run(function: str, at: int, number: int = 1) -> None:
    records.record(function, {"number": number}, {"completed": number}, at, Config())


def test_health_tells_the_last_of_what_each_part_has_noted(store: Store) -> None:
    assert records.health() is None
    assert records.notes() == {}
    records.save_health({"lanes": 3})
    records.save_health({"lanes": 4})
    records.note("ebay.publish", {"at": NOON})
    records.note("webhooks", {})
    assert records.health() == {"lanes": 4}
    reads = list[bool]()

    def around(request: Request, send: Send) -> Answer:
        reads.append(request.parameters.get("ConsistentRead", False))
        return send()

    store.around = around
    assert records.notes() == {"snapshot": {"lanes": 4}, "ebay.publish": {"at": NOON}, "webhooks": {}}
    assert reads == [False], "one read at half the price: the next look sees what is new"


@pytest.mark.parametrize("hours", [1, 49, 50, 51, 101])
def test_the_counters_of_many_hours_are_read_a_hundred_at_a_time(hours: int, store: Store) -> None:
    names = [iso(NOON + number * HOUR)[:13] for number in range(hours)]
    for number in (0, hours - 1):
        run("worker", NOON + number * HOUR)
    asked = list[int]()

    def around(request: Request, send: Send) -> Answer:
        [table] = request.parameters["RequestItems"].values()
        asked.append(len(table["Keys"]))
        return send()

    store.around = around
    found = records.hours(FUNCTIONS, names)
    store.around = None
    expected = 2 if hours == 1 else 1
    assert found == {("worker", name): {"completed": expected} for name in (names[0], names[-1])}
    many = len(FUNCTIONS) * hours
    assert asked == [100] * (many // 100) + ([many % 100] if many % 100 else [])


def test_counters_that_the_table_has_left_out_of_its_answer_are_asked_for_again(store: Store) -> None:
    """It answers with so many bytes at most, and names the rest."""
    names = [iso(NOON + number * HOUR)[:13] for number in range(3)]
    for number in range(3):
        run("worker", NOON + number * HOUR, 1 + number)

    def around(request: Request, send: Send) -> Answer:
        [(name, table)] = request.parameters["RequestItems"].items()
        first, *rest = table["Keys"]
        table["Keys"] = [first]
        answer = send()
        return {**answer, "UnprocessedKeys": {name: {"Keys": rest}} if rest else {}}

    store.around = around
    assert records.hours(["worker"], names) == {
        ("worker", name): {"completed": 1 + number} for number, name in enumerate(names)
    }


def test_the_runs_of_a_day_are_listed_newest_first(store: Store) -> None:
    for number in range(3):
        run("worker", NOON + number * SECOND, number)
    run("worker", NOON + DAY)
    run("poller", NOON)
    reads = list[bool]()

    def around(request: Request, send: Send) -> Answer:
        reads.append(request.parameters.get("ConsistentRead", False))
        return send()

    store.around = around
    first = records.page("worker", iso(NOON)[:10], 2, None)
    assert [one.stats for one in first] == [{"number": 2}, {"number": 1}]
    rest = records.page("worker", iso(NOON)[:10], 2, first.next)
    assert ([one.stats for one in rest], rest.next) == ([{"number": 0}], None)
    assert not any(reads), "half the price: who looks again sees what is new"
