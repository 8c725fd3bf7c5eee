"""What a tenant has asked for, a page at a time: each job once, newest request first, and a bounded number of reads."""

from collections.abc import Iterator

import pytest

from sluice.jobs.model import requests
from sluice.jobs.model.job import Job
from sluice.jobs.model.requests import AskRecord
from sluice.jobs.queue import asked
from sluice.jobs.queue.asked import Period
from sluice.jobs.queue.enqueue import enqueue
from sluice.platform.clock import DAY, SECOND, iso
from sluice.platform.http.paging import LEAST, TIMES, Page, Place
from tests.support.store import Answer, Request, Send, Store
from tests.support.work import KIND, spec
from tests.unit.jobs.conftest import NOON

EVERYBODY = "acme"


def ask(*names: str, at: int = NOON, tenant: str = EVERYBODY, keep: bool = True) -> None:
    """A request for jobs of these names. keep: the jobs are there still."""
    for name in names if keep else ():
        enqueue(spec(name, tenant=tenant), at)
    requests.record(tenant, KIND.name, [spec(name).job_id for name in names], at, DAY)


def named(page: Page[Job]) -> list[str]:
    return [job.job_id.rpartition(":")[2] for job in page]


def page(limit: int, start: Place | None = None, period: Period = asked.EVER, without: str = "") -> Page[Job]:
    """without: jobs whose name begins so are not wanted."""
    unwanted = f":{without}" if without else "-"
    return asked.page(EVERYBODY, limit, start, lambda job_id: unwanted not in job_id, lambda *_: True, period)


def pages(limit: int, period: Period = asked.EVER, without: str = "") -> Iterator[list[str]]:
    start: Place | None = None
    for _ in range(99):
        one = page(limit, start, period, without)
        yield named(one)
        if one.next is None:
            return
        assert one.next != start
        start = one.next
    raise AssertionError("the list has no end")


@pytest.fixture
def read(store: Store) -> list[Request]:
    """What is read from now on."""
    found: list[Request] = []

    def around(request: Request, send: Send) -> Answer:
        found.append(request)
        return send()

    store.around = around
    return found


def looked_up(read: list[Request]) -> int:
    """How many jobs were read."""
    return sum(
        len(table["Keys"])
        for request in read
        if request.operation == "BatchGetItem"
        for table in request.parameters["RequestItems"].values()
    )


@pytest.mark.usefixtures("store")
@pytest.mark.parametrize("limit", [1, 2, 3, 4, 7, 8, 50])
def test_pages_follow_one_another_without_a_gap_and_newest_requests_come_first(limit: int) -> None:
    ask("a", "b", "c")
    ask("d", at=NOON + SECOND)
    ask("e", "f", "g", at=NOON + 2 * SECOND)
    assert list(pages(limit)) == [list("efgdabc")[at : at + limit] for at in range(0, 7, limit)]


def test_who_asks_for_nothing_leaves_no_request(store: Store) -> None:
    requests.record(EVERYBODY, KIND.name, [], NOON, DAY)
    assert store.items("requests") == []


@pytest.mark.usefixtures("store")
def test_a_list_without_requests_is_one_empty_page() -> None:
    ask("a", tenant="zeta")
    requests.record(EVERYBODY, KIND.name, [], NOON, DAY)
    assert list(pages(5)) == [[]]


@pytest.mark.usefixtures("store")
def test_a_job_that_was_asked_for_twice_stands_on_a_page_once() -> None:
    ask("a", "b")
    ask("b", at=NOON + SECOND)
    assert list(pages(5)) == [["b", "a"]]


@pytest.mark.usefixtures("store")
def test_a_job_that_is_forgotten_or_no_longer_the_tenants_is_not_shown() -> None:
    ask("a", "b", "c")
    Job.get(spec("a").job_id).delete()
    Job.get(spec("b").job_id).update(actions=[Job.tenants.set({"zeta"})])
    assert list(pages(5)) == [["c"]]


@pytest.mark.usefixtures("store")
def test_of_a_kind_that_stands_apart_the_jobs_are_still_the_tenants() -> None:
    ask("a")
    requests.record("acme#listed", KIND.name, [spec("a").job_id], NOON, DAY)
    found = asked.page("acme#listed", 5, None, lambda _: True, lambda *_: True)
    assert named(found) == ["a"]


@pytest.mark.usefixtures("store")
def test_what_a_job_is_wanted_for_may_depend_on_the_request_in_which_it_stands() -> None:
    ask("a")
    ask("a", at=NOON + SECOND)
    seen: list[str] = []

    def matches(place: Place, job: Job) -> bool:
        seen.append(place.key[:24])
        return place.key < iso(NOON + SECOND)

    assert named(asked.page(EVERYBODY, 5, None, lambda _: True, matches)) == ["a"]
    assert seen == [iso(NOON + SECOND), iso(NOON)]


def test_what_an_id_tells_is_unwanted_is_not_read(read: list[Request]) -> None:
    ask("x1", "a", "x2", "b", "x3")
    read.clear()
    assert list(pages(5, without="x")) == [["a", "b"]]
    assert looked_up(read) == 2


@pytest.mark.parametrize("over", [-1, 0, 1, 40])
def test_a_page_reads_a_bounded_number_of_jobs_and_the_next_goes_on(over: int, read: list[Request]) -> None:
    """None of those that are read first is there any more: such a page is empty, and not the last."""
    limit, most = 3, 3 * TIMES + LEAST
    ask("last")
    ask(*(f"{number:03d}" for number in range(most + over)), at=NOON + SECOND, keep=False)
    read.clear()
    first = page(limit)
    assert looked_up(read) <= most
    assert named(first) == (["last"] if over < 0 else [])
    assert (first.next is None) == (over < 0)
    assert [name for one in pages(limit) for name in one] == ["last"]


@pytest.mark.parametrize("over", [-1, 0, 1])
def test_a_page_reads_a_bounded_number_of_requests_and_the_next_goes_on(over: int, read: list[Request]) -> None:
    limit, most = 2, 2 * TIMES + LEAST
    ask("last")
    for number in range(most + over):
        ask("x", at=NOON + (1 + number) * SECOND, keep=False)
    read.clear()
    first = page(limit, without="x")
    assert named(first) == (["last"] if over < 0 else [])
    queries = [one.parameters for one in read if one.operation == "Query"]
    assert {(one["Limit"], one["ConsistentRead"]) for one in queries} == {(limit + 1, True)}
    assert len(queries) <= most // (limit + 1) + 1
    assert [name for one in pages(limit, without="x") for name in one] == ["last"]


def test_a_page_reads_the_jobs_that_it_holds_and_one_more(read: list[Request]) -> None:
    ask(*(f"{number:02}" for number in range(30)))
    read.clear()
    assert len(named(page(3))) == 3
    assert looked_up(read) == 4


@pytest.mark.usefixtures("store")
def test_a_page_that_ends_within_a_request_goes_on_within_it_alone() -> None:
    """A place is that of one request: the others are read from their first job on."""
    ask("a", "b", "c")
    ask("d", "e", "f", at=NOON + SECOND)
    one = page(2)
    assert named(one) == ["d", "e"]
    assert one.next
    assert one.next.index == 2
    assert named(page(3, one.next)) == ["f", "a", "b"]


@pytest.mark.usefixtures("store")
@pytest.mark.parametrize("limit", [1, 50])
@pytest.mark.parametrize(
    ("since", "until", "found"),
    [
        (None, None, "dcba"),
        (0, None, "dcba"),
        (1, None, "dcb"),
        (4, None, ""),
        (None, 0, ""),
        (None, 2, "ba"),
        (None, 4, "dcba"),
        (1, 3, "cb"),
        (2, 2, ""),
        (3, 1, ""),
    ],
)
def test_of_a_period_those_are_shown_that_were_asked_for_in_it(
    since: int | None, until: int | None, found: str, limit: int
) -> None:
    """From its first moment on, and before its last, on each page of it."""
    for number, name in enumerate("abcd"):
        ask(name, at=NOON + number * SECOND)

    def at(seconds: int | None) -> int | None:
        return None if seconds is None else NOON + seconds * SECOND

    assert [name for one in pages(limit, Period(at(since), at(until))) for name in one] == list(found)


@pytest.mark.usefixtures("store")
def test_a_request_is_kept_for_its_time() -> None:
    ask("a")
    [record] = AskRecord.scan()
    assert (record.requested_at, record.expires_at, record.kind) == (NOON, (NOON + DAY) // SECOND, KIND.name)
    assert record.request.startswith(iso(NOON))
