"""Counters that have drifted are put right, in both directions, and only by what is found twice."""

import pytest
from pynamodb.expressions.operand import Path

from sluice.jobs.queue import sweeps, unfinished
from sluice.operator import counts, work_run
from sluice.platform import tables
from sluice.platform.clock import MINUTE
from sluice.platform.context import Context
from tests.unit.api.test_operator import Work, see, work  # noqa: F401 - the fixture

QUEUED, LEASED = (f"n:market.refresh:stockx:{state}" for state in ("queued", "leased"))
PLATFORM = {"tenant": "operations", "roles": "platform"}


def lose(name: str, by: int, tenant: str = "acme") -> None:
    """The reader of the stream has missed, or counted twice, so many."""
    for item in ((counts.TENANTS, tenant), (counts.ALL, counts.NOW)):
        tables.update(counts.Counts, item, [Path([name]).add(by)])


def minutes(work: Work, number: int) -> None:  # noqa: F811
    for _ in range(number):
        work.clock.time += MINUTE
        work_run.run(Context(work.clock, work.config), work.clock.time + MINUTE)


def told() -> list[int]:
    """How many jobs are queued, as the tenant's operator and whoever runs the deployment are told."""
    return [see("overview", **caller)["queued"] for caller in ({}, PLATFORM)]


@pytest.mark.parametrize("by", [-7, -3, 4, 80])
def test_counters_that_have_drifted_are_put_right_both_ways(work: Work, by: int) -> None:  # noqa: F811
    work.cloud.enqueue("acme", *(f"A-{number}" for number in range(7)))
    work.count()
    right = told()
    lose(QUEUED, by)
    assert told() != right
    minutes(work, 1)
    assert told() != right, "what is found once is not believed"
    minutes(work, 1)
    assert told() == right
    assert counts.raw("acme") == counts.raw(counts.ALL)


def test_what_runs_and_what_is_counted_though_there_is_none_is_put_right(work: Work) -> None:  # noqa: F811
    work.cloud.enqueue("acme", "A-1", "A-2")
    work.claim()
    work.count()
    lose(LEASED, -1)
    lose("n:catalog.enrich:alias:waiting", 5)
    minutes(work, 2)
    assert counts.now("acme") | {"n:catalog.enrich:alias:waiting": 0} == counts.now("acme")
    assert counts.raw("acme")[LEASED] == 2


def test_all_tenants_have_their_turn(work: Work) -> None:  # noqa: F811
    for tenant in ("bolt", "crow"):
        work.cloud.connect(tenant)
    for tenant in ("acme", "bolt", "crow"):
        work.cloud.enqueue(tenant, f"{tenant}-1")
    work.count()
    for tenant in ("acme", "bolt", "crow"):
        lose(QUEUED, 3, tenant)
    minutes(work, 9)
    assert [counts.raw(tenant)[QUEUED] for tenant in ("acme", "bolt", "crow", counts.ALL)] == [1, 1, 1, 3]


def test_what_is_still_on_its_way_moves_nothing(work: Work) -> None:  # noqa: F811
    """A count finds jobs that the stream has not told of; a minute later it has."""
    work.cloud.enqueue("acme", "A-1", "A-2")
    minutes(work, 1)
    work.count()
    minutes(work, 3)
    assert counts.raw("acme")[QUEUED] == 2


def test_it_reads_a_bounded_number_and_then_only_raises(
    work: Work,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    work.cloud.enqueue("acme", *(f"A-{number}" for number in range(7)))
    work.count()
    monkeypatch.setattr(unfinished, "MOST_SAVED", 3)
    lose(QUEUED, 2)
    minutes(work, 4)
    assert counts.raw("acme")[QUEUED] == 9
    lose(QUEUED, -8)
    minutes(work, 4)
    assert counts.raw("acme")[QUEUED] == 3


def test_a_count_that_fails_keeps_no_action_from_being_done(
    work: Work,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fails(*_: object) -> None:
        raise RuntimeError("no")

    monkeypatch.setattr(sweeps, "_sweep", fails)
    minutes(work, 1)
