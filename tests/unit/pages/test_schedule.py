"""Which pages are checked, when, and by how many workers: never twice within the interval."""

import threading
from collections import Counter, defaultdict
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from itertools import pairwise

import pytest

from sluice.jobs.dispatch import overdue, scheduler
from sluice.jobs.dispatch.explain import Reason
from sluice.jobs.dispatch.snapshot import Accounts, Snapshot
from sluice.jobs.model.job import Job
from sluice.jobs.queue import lanes
from sluice.marketplaces.accounts.dispatching import ACCOUNTS
from sluice.operator import jobs
from sluice.pages import due, kinds, schedule
from sluice.pages.request import untrack
from sluice.pages.table import MOST_TENANTS, WATCH_SHARDS, Product, watch_key
from sluice.platform import tables as database
from sluice.platform.clock import DAY, MINUTE
from sluice.platform.config.document import Config
from sluice.platform.config.pages import Pages
from sluice.platform.config.pauses import Pause, Pauses
from sluice.platform.context import Context
from tests.support.shop import HOST, NOON, URL, Desk, page
from tests.support.store import Answer, Request, Send, Store

EMPTY = "<html><head><title>Shop</title></head><body>nothing to buy, and much to read about it</body></html>"


def track(desk: Desk, count: int, hosts: int = 1, body: str = EMPTY) -> list[str]:
    """`count` pages of each of some shops; their URLs."""
    made = [f"https://shop{host}.example/p/{number}" for number in range(count) for host in range(hosts)]
    for url in made:
        desk.track(url)
        desk.shops.replies[url] = body
    return made


def by_page(desk: Desk) -> dict[str, list[int]]:
    """When each page was asked for."""
    times = defaultdict[str, list[int]](list)
    for url, at, _ in desk.shops.asked:
        if not url.endswith("/robots.txt"):
            times[url].append(at)
    return times


class Killed(BaseException):
    """The worker is gone."""


def test_two_runs_four_workers_and_a_killed_one_look_at_no_page_twice_within_the_interval(desk: Desk) -> None:
    track(desk, 5, hosts=4)
    killed = threading.Event()

    def kill(url: str) -> None:
        if "shop2" in url and url.endswith("/p/1") and not killed.is_set():
            killed.set()
            raise Killed

    desk.shops.before = kill
    rounds = 0
    # Who fetches which page when is left to the threads; so is the round in which the killed worker's pages come again.
    while rounds < 9 or (rounds < 90 and not (killed.is_set() and len(by_page(desk)) == 20)):
        rounds += 1
        desk.clock.time += 7 * MINUTE
        with ThreadPoolExecutor(6) as pool:
            runs = [pool.submit(schedule.run, Context(desk.clock, desk.config)) for _ in range(2)]
            works = [pool.submit(desk.work) for _ in range(4)]
        ends = [one.exception() for one in runs] + [one.exception() for one in works]
        assert all(end is None or isinstance(end, Killed) for end in ends)
        desk.rescue()
    assert killed.is_set()
    desk.check()
    times = by_page(desk)
    assert len(times) == 20, "the killed worker's pages are checked by others"
    for url, asked in times.items():
        assert all(later - earlier >= 30 * MINUTE for earlier, later in pairwise(asked)), url


def test_a_page_whose_worker_was_killed_is_looked_at_after_the_interval(desk: Desk) -> None:
    [url] = track(desk, 1)

    def kill(asked: str) -> None:
        if asked == url:
            raise Killed

    desk.shops.before = kill
    desk.schedule()
    with pytest.raises(Killed):
        desk.work()
    desk.shops.before = lambda _: None
    desk.clock.time += 6 * MINUTE  # its lease is over
    desk.rescue()
    desk.schedule()
    desk.work()
    assert desk.shops.pages() == []
    assert next(iter(Job.scan())).state == "succeeded", "the lock is free"
    desk.check(25)
    assert desk.shops.pages() == [url]


def test_the_interval_is_asked_for_again_after_the_lock_is_taken(desk: Desk) -> None:
    [url] = track(desk, 1)
    desk.schedule()
    database.update(Product, (desk_id(url),), [Product.check_at.set(desk.clock.time + MINUTE)])
    desk.work()
    assert desk.shops.asked == []
    assert next(iter(Job.scan())).result["status"] == "skipped"


def desk_id(url: str) -> str:
    from sluice.pages import urls

    return urls.product_id(url)


def test_a_run_asks_for_the_oldest_and_for_no_more_than_it_may(desk: Desk) -> None:
    desk.config = replace(desk.config, pages=Pages(max_products_per_run=3))
    made = []
    for number in range(5):
        url = f"https://shop{number}.example/p/1"
        desk.track(url)
        desk.shops.replies[url] = EMPTY
        made.append(url)
        desk.clock.time += MINUTE
    assert [Product.get(one).url for one in desk.schedule().products] == made[:3]
    desk.work()
    assert sorted(desk.shops.pages()) == made[:3]
    assert [Product.get(one).url for one in desk.schedule().products] == made[3:]


def test_hosts_have_turns(desk: Desk) -> None:
    desk.config = replace(desk.config, pages=Pages(max_products_per_run=4))
    for number in range(10):
        desk.track(f"https://{HOST}/p/{number}")
    desk.clock.time += MINUTE
    desk.track("https://late.example/p/1")
    hosts = [Product.get(one).host for one in desk.schedule().products]
    assert hosts.count("late.example") == 1


@pytest.mark.parametrize("hosts", [1, 10])
def test_tenants_have_turns_whatever_hosts_their_pages_are_at(desk: Desk, hosts: int) -> None:
    """`mallory` tracks twenty pages, all longer due than the two of `acme`, of which it has tracked one too."""
    desk.config = replace(desk.config, pages=Pages(max_products_per_run=4))
    for number in range(20):
        desk.track(f"https://shop{number % hosts}.example/p/{number}", "mallory")
    own = [desk.track("https://shop0.example/p/5", "acme"), desk.track("https://shop0.example/own", "acme")]
    desk.clock.time += MINUTE
    products = desk.schedule().products
    assert len(products) == 4
    assert set(own) <= set(products)
    for one in own:
        place = sorted(job.due_at or 0 for job in Job.scan()).index(Job.get(kinds.job_id(one)).due_at or 0)
        assert place < 4, "at a host that both have pages of, too"


def put_due(tables: Store, tenant: str, at: int, count: int = 1, apart: int = 1) -> list[str]:
    """Pages of `tenant`, due from `at` on, each `apart` ms after the one before; their ids."""
    made = []
    for number in range(count):
        url = f"https://shop{number % 7}.example/{tenant}/{number}"
        one = Product(desk_id(url), url=url, host=f"shop{number % 7}.example", trackers=1, tenants={tenant})
        one.watch, one.check_at, one.created_at = watch_key(one.product), at + number * apart, at
        tables.put("pages", one.to_dynamodb_dict())
        made.append(one.product)
    return made


def test_all_that_a_tenant_may_track_hides_nobody_elses_pages(desk: Desk, tables: Store) -> None:
    put_due(tables, "mallory", NOON, desk.config.tenants.allowances.pages)
    [own] = put_due(tables, "acme", NOON + MINUTE)
    desk.clock.time = NOON + MINUTE
    assert own in desk.schedule().products


@pytest.mark.parametrize("apart", [1, 0])
def test_however_many_pages_a_tenant_has_others_have_their_turn_soon_and_a_run_reads_few(
    desk: Desk, tables: Store, monkeypatch: pytest.MonkeyPatch, apart: int
) -> None:
    """Of more pages than a run reads, each is read within some runs. apart: 0, as when they all waited for one host."""
    monkeypatch.setattr(due, "MOST_READ", 3)
    desk.config = replace(desk.config, pages=Pages(max_products_per_run=2))
    pages = put_due(tables, "mallory", NOON, 100, apart)
    late = put_due(tables, "acme", NOON + MINUTE)
    desk.clock.time = NOON + MINUTE
    longest = max(Counter(watch_key(one) for one in pages).values()) // 3 + 2
    assert runs_until(desk, tables, late[0]) in range(2, longest)
    amid = put_due(tables, "globex", NOON + 50 * apart)
    assert runs_until(desk, tables, amid[0]) < 2 * longest, "where the last run stopped was behind it"


def runs_until(desk: Desk, tables: Store, page_id: str) -> int:
    """After how many runs the page is asked for; each of them reads no more of the index than it may."""
    for number in range(1, 100):
        read = list[int]()

        def around(request: Request, send: Send, read: list[int] = read) -> Answer:
            answer = send()
            if request.operation == "Query":
                read.append(answer["ScannedCount"])
            return answer

        tables.around = around
        done = desk.schedule()
        tables.around = None
        assert sum(read) <= 2 * due.MOST_READ * WATCH_SHARDS
        if page_id in done.products:
            return number
    raise AssertionError("it is never asked for")


def test_who_no_longer_tracks_a_page_has_no_turn_for_it(desk: Desk) -> None:
    page_id = desk.track(URL, "acme")
    desk.track(URL, "globex")
    assert Product.get(page_id).tenants == {"acme", "globex"}
    untrack("acme", page_id, desk.clock.time)
    assert Product.get(page_id).tenants == {"globex"}


def test_a_page_remembers_some_of_those_who_track_it(desk: Desk) -> None:
    """An item has its bounds; the others have their checks all the same."""
    for number in range(MOST_TENANTS + 2):
        page_id = desk.track(URL, f"tenant{number}")
    found = Product.get(page_id)
    assert (found.trackers, len(found.tenants)) == (MOST_TENANTS + 2, MOST_TENANTS)


def test_a_host_that_is_left_alone_hides_no_others(desk: Desk) -> None:
    desk.config = replace(desk.config, pages=Pages(max_products_per_run=5))
    for number in range(5):
        desk.track(f"https://{HOST}/p/{number}")
    desk.shops.replies[f"https://{HOST}/p/0"] = desk.shops.replies[URL] = (429, {"retry-after": "36000"}, "")
    for number in range(1, 5):
        desk.shops.replies[f"https://{HOST}/p/{number}"] = (429, {"retry-after": "36000"}, "")
    desk.check()
    desk.track("https://other.example/p/1")
    desk.shops.replies["https://other.example/p/1"] = page()
    ran = desk.schedule()
    assert [Product.get(one).host for one in ran.products] == ["other.example"]
    assert desk.schedule().left_alone == [], "they are out of the way until their host is open again"


def test_the_clock_runs_it_once_for_each_interval(desk: Desk) -> None:
    track(desk, 1)
    ran = []
    for _ in range(65):
        ran.append(schedule.tick(Context(desk.clock, desk.config))["ran"])
        desk.clock.time += MINUTE
    assert [number for number, one in enumerate(ran) if one] == [0, 30, 60]


def test_many_ticks_at_once_are_one_run(desk: Desk) -> None:
    track(desk, 1)
    with ThreadPoolExecutor(8) as pool:
        ticks = [pool.submit(schedule.tick, Context(desk.clock, desk.config)) for _ in range(8)]
    assert sum(one.result()["ran"] for one in ticks) == 1
    assert len(list(Job.scan())) == 1


@pytest.mark.parametrize(
    "config",
    [
        Config(pages=Pages(enable_check_scheduler=False)),
        Config(pauses=Pauses.of([Pause("pages")])),
        Config(pauses=Pauses.of([Pause("page.check")])),
    ],
)
def test_it_can_be_switched_off_without_a_deployment(desk: Desk, config: Config) -> None:
    track(desk, 1)
    assert schedule.tick(Context(desk.clock, config))["ran"] is False
    status = schedule.status(desk.clock.time, config)
    assert (status.enabled, status.next_at) == (False, None)
    assert schedule.run(Context(desk.clock, config)) is not None, "by hand it runs all the same"


def test_the_status_tells_when_it_runs_next(desk: Desk) -> None:
    track(desk, 1)
    config = replace(desk.config, pages=Pages(check_scheduler_interval_minutes=45))
    began = desk.clock.time
    schedule.tick(Context(desk.clock, config))
    desk.clock.time += 10 * MINUTE
    status = schedule.status(desk.clock.time, config)
    assert (status.enabled, status.running, status.interval_minutes) == (True, False, 45)
    assert (status.last_at, status.next_at) == (began, began + 45 * MINUTE)


def test_a_run_that_never_ended_holds_nobody_up_for_long(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    track(desk, 1)

    def killed(*_: object) -> None:
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(schedule, "_ask", killed)
        patch.setattr(schedule, "_release", lambda *_: None)
        with pytest.raises(Killed):
            schedule.run(Context(desk.clock, desk.config))
    assert schedule.status(desk.clock.time, desk.config).running is True
    assert schedule.run(Context(desk.clock, desk.config)) is None
    desk.clock.time += 3 * MINUTE
    assert schedule.run(Context(desk.clock, desk.config)) is not None


def test_the_page_worker_is_woken_when_there_is_something_to_do(desk: Desk) -> None:
    desk.schedule()
    assert desk.woken == []
    track(desk, 1)
    ran = desk.schedule()
    assert desk.woken == [{"run": ran.run}]


def test_promotions_and_pages_have_workers_of_their_own(desk: Desk, tables: Store) -> None:
    """A job of another service stays where it is."""
    track(desk, 1)
    desk.schedule()
    from sluice.jobs.dispatch.punctual import run_due
    from sluice.platform.config.services import EBAY_MARKETING

    run_due(
        Accounts(lambda accounts, _: dict.fromkeys(accounts, "ACTIVE")),
        Context(desk.clock, desk.config),
        desk.clock.time + 3 * MINUTE,
        lambda *_: None,
        service=EBAY_MARKETING,
    )
    assert {item["state"]["S"] for item in tables.items("jobs")} == {"queued"}


def test_a_check_that_waits_waits_for_no_account(desk: Desk) -> None:
    """A host needs none that could be broken: the check ends by no such reason, and is missed where nobody comes."""
    track(desk, 1)
    desk.schedule()
    [job] = Job.scan()
    for wait in (0, overdue.LATE_MS, 8 * DAY):
        now = desk.clock.time + wait
        done = scheduler.tick(Snapshot(now, desk.config, ACCOUNTS), lambda _: None)
        assert done.oldest_due_at == (job.due_at if wait else None)
        assert jobs.why(Job.get(job.job_id), now, desk.config).reason == Reason.READY
    [lane] = lanes.active()
    assert not lane.held_since
    assert Job.get(job.job_id).state == "queued"
