"""What whoever operates Sluice sees: every number comes from what jobs did, and costs the same for many as for few."""

from collections.abc import Callable
from typing import Any

import pytest

from functions.job_counts.handler import handler as job_counts
from local.cloud.cloud import ROOT
from sluice.jobs.budgets import ledger
from sluice.jobs.dispatch import scheduler
from sluice.jobs.dispatch.snapshot import Accounts, Snapshot
from sluice.jobs.model.job import Job
from sluice.jobs.model.outcomes import CannotSucceed, Failure
from sluice.jobs.queue import finish
from sluice.jobs.run import records
from sluice.jobs.run.messages import Batch
from sluice.marketplaces.accounts import table as accounts
from sluice.operator import counts, metrics
from sluice.platform import call_counts, observe, usage
from sluice.platform.clock import HOUR, MINUTE, SECOND, iso
from sluice.platform.config import live
from sluice.platform.config.document import Config, parse
from sluice.platform.config.pauses import Pause, Pauses
from sluice.platform.context import Context
from sluice.platform.http import routing
from tests.support.clock import VirtualClock
from tests.support.http import Answer, call
from tests.support.http import Context as LambdaContext
from tests.support.store import Store
from tests.support.stream import changes
from tests.unit.api.conftest import CREDENTIALS, WEBHOOK, Cloud
from tests.unit.api.document import conforms
from tests.unit.api.test_reads import counted as counted_reads

NOON = 1_795_348_800_000  # 2026-11-22T12:00:00Z
BASE = "/v1/operator"


class Work:
    """Some tenants at work, with time by hand."""

    def __init__(self, cloud: Cloud, clock: VirtualClock) -> None:
        self.cloud, self.clock, self.config = cloud, clock, Config()

    def claim(self) -> list[Job]:
        """One tick: the jobs that it hands to workers."""
        batches: list[Batch] = []
        scheduler.tick(Snapshot(self.clock.time, self.config, Accounts(accounts.statuses)), batches.append)
        return [job for batch in batches for job in batch.jobs]

    def count(self) -> None:
        """Hand over what has changed in table `jobs`."""
        job_counts({"Records": changes("jobs")}, LambdaContext())  # type: ignore[arg-type]

    def complete(self, job: Job) -> None:
        finish.complete(job, {}, self.clock.time, self.config)

    def bury(self, job: Job, code: str = "gone") -> None:
        finish.fail(job, CannotSucceed("it is gone", code=code), self.clock.time, self.config, chance=0)


@pytest.fixture
def work(acme: Cloud, monkeypatch: pytest.MonkeyPatch) -> Work:
    changes("jobs")
    clock = VirtualClock(NOON)
    monkeypatch.setattr(observe.metrics.provider, "namespace", "Sluice/test")
    monkeypatch.setattr(routing, "clock", clock)
    acme.now = NOON
    return Work(acme, clock)


def see(path: str, *, tenant: str = "acme", roles: str = "operator", **query: Any) -> Any:
    """What the route answers, which is as the document says."""
    answer = call("GET", f"{BASE}/{path}", query=query, tenant=tenant, roles=roles)
    assert answer.status == 200, answer.text
    if "{" not in path and "/" not in path:
        conforms(f"GET {BASE}/{path}", answer)
    return answer.json


def queue(overview: Any, name: str = "market.refresh:stockx") -> Any:
    return next(one for one in overview["queues"] if one["queue"] == name)


def test_the_overview_follows_a_job_from_the_request_to_its_end(work: Work) -> None:
    work.cloud.enqueue("acme", "A-1", "A-2", priority="background")
    work.count()
    seen = see("overview")
    assert (seen["queued"], seen["running"], seen["dead"]) == (2, 0, 0)
    assert queue(seen)["health"] == "active"
    assert seen["oldestDueAt"] == iso(NOON)
    work.clock.time += 90 * SECOND
    assert queue(see("overview"))["health"] == "backlogged"
    first, second = work.claim()
    work.count()
    seen = see("overview")
    assert (seen["queued"], seen["running"], seen["oldestDueAt"]) == (0, 2, None)
    assert seen["delay"] == {"p50Ms": 2 * MINUTE, "p95Ms": 2 * MINUTE, "jobs": 2}
    work.clock.time += 20 * SECOND
    work.complete(first)
    work.bury(second)
    work.count()
    seen = see("overview")
    assert (seen["queued"], seen["running"], seen["dead"]) == (0, 0, 1)
    assert (queue(seen)["completed"], queue(seen)["failed"], queue(seen)["health"]) == (1, 1, "idle")
    assert queue(seen)["states"]["succeeded"] == 1


def test_manual_work_has_its_own_delay(work: Work) -> None:
    work.cloud.enqueue("acme", "A-1", priority="background")
    work.clock.time += 90 * SECOND
    work.cloud.enqueue("acme", "A-2", priority="manual")
    work.claim()
    work.count()
    found = queue(see("overview"))
    assert found["manualDelay"] == {"p50Ms": 500, "p95Ms": 500, "jobs": 1}
    assert found["delay"]["p95Ms"] == 2 * MINUTE


def test_records_that_come_twice_are_counted_once(work: Work) -> None:
    work.cloud.enqueue("acme", "A-1", "A-2")
    found = changes("jobs")
    for _ in range(2):
        counts.follow(found)
    assert see("overview")["queued"] == 2


def test_a_batch_that_failed_half_way_is_counted_once_when_it_comes_again(
    work: Work, tables: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    work.cloud.enqueue("acme", "A-1", "A-2")
    found, write, written = changes("jobs"), counts._add_once, list[Any]()

    def fail_at_the_second(item: Any, *more: Any) -> None:
        if len(written) == 1:
            raise RuntimeError("the table is gone")
        written.append(item)
        write(item, *more)

    monkeypatch.setattr(counts, "_add_once", fail_at_the_second)
    with pytest.raises(RuntimeError):
        counts.follow(found)
    monkeypatch.setattr(counts, "_add_once", write)
    counts.follow(found)
    for owner in ("acme", counts.ALL):
        assert counts.now(owner)["n:market.refresh:stockx:queued"] == 2


def test_more_counters_than_one_write_can_move(work: Work) -> None:
    records_ = [
        {
            "eventID": str(number),
            "dynamodb": {
                "NewImage": {
                    "tenant": {"S": "acme"},
                    "kind": {"S": f"kind.k{number}"},
                    "account": {"S": "stockx:acme"},
                    "state": {"S": "queued"},
                }
            },
        }
        for number in range(3 * counts.MOST_ADDS)
    ]
    counts.follow(records_)
    counts.follow(records_)
    assert sum(counts.now("acme").values()) == len(records_)


@pytest.mark.parametrize(
    ("paused", "word"),
    [
        ("stockx", "paused"),
        ("market.refresh", "paused"),
        ("market.refresh:stockx", "paused"),
        ("market.refresh:alias", "active"),
    ],
)
def test_a_queue_that_an_operator_holds_is_paused(
    work: Work, monkeypatch: pytest.MonkeyPatch, paused: str, word: str
) -> None:
    work.cloud.enqueue("acme", "A-1")
    work.count()
    monkeypatch.setattr(live, "current", lambda: Config(pauses=Pauses.of([Pause(paused)])))
    for caller in ({"roles": "operator"}, {"roles": "platform", "tenant": "operations"}):
        assert queue(see("overview", **caller))["health"] == word


def test_a_queue_whose_budget_is_closed_is_at_its_limit(work: Work) -> None:
    work.cloud.enqueue("acme", "A-1")
    work.count()
    ledger.close("stockx:acme", NOON + HOUR, "stockx answered 429", NOON)
    scheduler.run(Accounts(accounts.statuses), Context(work.clock, work.config))
    for caller in ({"roles": "operator"}, {"roles": "platform", "tenant": "operations"}):
        seen = see("overview", **caller)
        assert (queue(seen)["health"], seen["problems"]) == ("at_its_limit", ["market.refresh:stockx"])


def test_a_queue_of_which_most_tries_go_wrong_is_failing(work: Work) -> None:
    work.cloud.enqueue("acme", *(f"A-{number}" for number in range(6)))
    *wrong, right = work.claim()
    for job in wrong:
        finish.fail(job, Failure("no", code="unavailable"), work.clock.time, work.config, chance=0)
    work.complete(right)
    work.count()
    assert queue(see("overview"))["health"] == "failing"


def test_jobs_are_counted_by_every_filter_without_being_read(work: Work, requests: list[str]) -> None:
    work.cloud.enqueue("acme", "A-1", "A-2", "A-3", "A-4")
    jobs = work.claim()
    work.complete(jobs[0])
    work.bury(jobs[1], "gone")
    work.bury(jobs[2], "unavailable")
    work.count()
    requests.clear()
    found = see("jobs/counts")
    # The request is counted for its tenant; one read answers it.
    assert requests == ["UpdateItem", "GetItem"]
    assert (found["jobs"], found["byState"]) == (4, {"dead": 2, "leased": 1, "succeeded": 1})
    assert found["byCode"] == {"gone": 1, "unavailable": 1}
    assert see("jobs/counts", state="dead", code="gone")["jobs"] == 1
    assert see("jobs/counts", state="leased")["byCode"] == {}
    assert see("jobs/counts", marketplace="ebay")["jobs"] == 0
    assert see("jobs/counts", kind="market.refresh", state="dead")["jobs"] == 2


def test_the_whole_deployment_is_counted_for_platform_alone(work: Work) -> None:
    work.cloud.connect("globex")
    work.cloud.enqueue("acme", "A-1")
    work.cloud.enqueue("globex", "G-1", "G-2")
    work.count()
    assert see("jobs/counts")["jobs"] == 1
    platform = {"roles": "platform", "tenant": "operations"}
    assert see("jobs/counts", **platform)["jobs"] == 3
    owned = call("GET", f"{BASE}/jobs/counts", query={"tenant": "globex"}, tenant="operations", roles="platform")
    assert owned.json["jobs"] == 2
    refused = call("GET", f"{BASE}/jobs/counts", query={"tenant": "globex"})
    assert (refused.status, "platform" in refused.json["error"]["message"]) == (403, True)
    assert see("tenants", **platform)["tenants"][0]["tenant"] == "acme"


def pages(path: str, field: str, **query: Any) -> list[Any]:
    """All pages of a list, for `platform`."""
    rows, cursor = [], None
    while True:
        more = {**query, **({"cursor": cursor} if cursor else {})}
        found = call("GET", f"{BASE}/{path}", query=more, tenant="operations", roles="platform").json
        rows += found[field]
        if not (cursor := found["next"]):
            return rows


def test_platform_finds_the_jobs_of_all_tenants_page_by_page(work: Work) -> None:
    names = ["acme", "bolt", "globex"]
    for name in names[1:]:
        work.cloud.connect(name)
    for name in names:
        work.cloud.enqueue(name, *(f"{name}-{number}" for number in range(3)))
    work.count()
    for limit in (1, 2, 3, 50):
        found = pages("jobs", "jobs", limit=limit)
        assert sorted((row["tenant"], row["payload"]["sku"]) for row in found) == [
            (name, f"{name.upper()}-{number}") for name in names for number in range(3)
        ]
    assert {row["tenant"] for row in pages("jobs", "jobs", sku="bolt")} == {"bolt"}
    assert {row["account"] for row in pages("jobs", "jobs", account="stockx:globex")} == {"stockx:globex"}


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"state": "dead"}, {"A-2"}),
        ({"code": "gone"}, {"A-2"}),
        ({"text": "IT IS GONE"}, {"A-2"}),
        ({"text": "a-3"}, {"A-3"}),
        ({"sku": "a-"}, {"A-1", "A-2", "A-3"}),
        ({"kind": "listing.create"}, set()),
        ({"from": iso(NOON)}, {"A-1", "A-2", "A-3"}),
        ({"to": iso(NOON)}, set()),
    ],
)
def test_jobs_are_found_by_filter(work: Work, query: dict[str, str], found: set[str]) -> None:
    work.cloud.enqueue("acme", "A-1", "A-2", "A-3")
    for job in work.claim():
        if job.payload["sku"] == "A-2":
            work.bury(job)
    answer = call("GET", f"{BASE}/jobs", query=query)
    assert {row["payload"]["sku"] for row in answer.json["jobs"]} == found


def test_no_secret_of_a_payload_is_shown_or_found(work: Work) -> None:
    [job_id] = work.cloud.enqueue("acme", "A-1")
    job = Job.get(job_id)
    job.payload = {**job.payload, "access_token": "s3cr3t-of-acme"}
    job.save()
    work.count()
    for path in ("jobs", f"jobs/{job_id}"):
        answer = call("GET", f"{BASE}/{path}", tenant="operations", roles="platform")
        assert answer.status == 200
        assert "s3cr3t" not in answer.text
    assert see("jobs", text="s3cr3t")["jobs"] == []


def test_platform_sees_any_job_and_an_operator_its_own(work: Work) -> None:
    [job_id] = work.cloud.enqueue("acme", "A-1")
    path = f"{BASE}/jobs/{job_id}"
    assert call("GET", path, tenant="operations", roles="platform").json["tenant"] == "acme"
    assert call("GET", path, tenant="globex").status == 404
    assert call("GET", path).json["wait"]["reason"] == "ready"


def test_dead_letters_and_accounts_of_all_tenants(work: Work) -> None:
    work.cloud.connect("globex")
    for name in ("acme", "globex"):
        work.cloud.enqueue(name, f"{name}-1")
    for job in work.claim():
        work.bury(job)
    work.count()
    letters = pages("dead-letters", "deadLetters", limit=1)
    assert [(row["tenant"], row["error"]["code"]) for row in letters] == [("acme", "gone"), ("globex", "gone")]
    found = pages("accounts", "accounts")
    assert [row["account"] for row in found] == ["stockx:acme", "stockx:globex"]
    assert [row["tenant"] for row in see("dead-letters")["deadLetters"]] == ["acme"]


def test_a_budget_for_which_nothing_waits_tells_no_end_which_would_make_each_answer_another(work: Work) -> None:
    [found] = see("budgets")["budgets"]
    assert (found["queued"], found["endsAt"]) == (0, None)


def test_a_budget_tells_its_windows_who_set_them_and_when_its_work_ends(
    work: Work, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = parse('{"limits": {"stockx": {"windows": [{"calls": 20, "per": "hour"}]}}}')
    monkeypatch.setattr(live, "current", lambda: config)
    work.config = config
    work.cloud.enqueue("acme", *(f"A-{number}" for number in range(50)), priority="hot")
    work.count()
    [found] = see("budgets")["budgets"]
    assert found["windows"][0] == {"window": "hour", "limit": 20, "used": 0, "opensAt": iso(NOON + HOUR)}
    assert found["setBy"] == {"interval_ms": "default", "windows": "configuration"}
    # 20 calls now, 20 from one o'clock, and the last of ten from two o'clock on, at StockX's pace.
    assert (found["queued"], found["endsAt"]) == (50, iso(NOON + 2 * HOUR + 9 * config.limits["stockx"].pace))
    ledger.close("stockx:acme", NOON + 3 * HOUR, "stockx answered 429", NOON)
    [found] = see("budgets")["budgets"]
    assert found["closed"] == {"since": iso(NOON), "until": iso(NOON + 3 * HOUR), "reason": "stockx answered 429"}
    assert found["hold"]["reason"] == "closed"
    assert found["endsAt"] == iso(NOON + 5 * HOUR + 9 * config.limits["stockx"].pace)


def test_the_history_of_a_budget(work: Work) -> None:
    work.cloud.enqueue("acme", "A-1", "A-2")
    assert len(work.claim()) == 2
    found = see("budgets/stockx:acme/history")
    [day] = found["days"]
    assert (day["day"], day["hours"]["h12"], day["calls"]) == ("2026-11-22", day["calls"], day["calls"])
    assert day["calls"] >= 2
    assert call("GET", f"{BASE}/budgets/stockx:acme/history", tenant="globex").status == 404
    assert call("GET", f"{BASE}/budgets/nowhere:acme/history", tenant="ops", roles="platform").status == 404


def test_lanes_tell_since_when_their_first_job_is_due(work: Work) -> None:
    work.cloud.enqueue("acme", "A-1", priority="hot")
    found = {row["lane"]: row for row in see("lanes")["lanes"]}
    assert found["stockx:acme#150#0"]["oldestDueAt"] == iso(NOON)
    assert found["stockx:acme#150#0"]["priority"] == "hot"
    assert found["stockx:acme#100#0"]["oldestDueAt"] is None
    of_all = see("lanes", roles="platform", tenant="operations")["lanes"]
    assert [row["lane"] for row in of_all] == ["stockx:acme#150#0"]


def test_operations_and_promotions_tell_how_long_they_took_and_how_many_succeeded(work: Work) -> None:
    created = {"tenant": "acme", "account": "stockx:acme", "kind": "listing.create"}
    moves = [("succeeded", 3, ""), ("succeeded", 40, ""), ("dead", 5, '{"code": "timed_out"}')]
    found = []
    for number, (state, seconds_, error) in enumerate(moves):
        before = _image(created, "leased", NOON, 1)
        after = _image(created | ({"error": error} if error else {}), state, NOON + seconds_ * SECOND, 1)
        found.append({"eventID": str(number), "dynamodb": {"OldImage": before, "NewImage": after}})
    counts.follow(found)
    work.clock.time += MINUTE
    [kind] = see("operations")["kinds"]
    assert (kind["kind"], kind["succeeded"], kind["dead"], kind["successRate"]) == ("listing.create", 2, 1, 66.7)
    assert (kind["meanMs"], kind["p50Ms"], kind["p95Ms"], kind["meanTries"]) == (21_500, 5_000, 60_000, 1.0)
    assert see("promotions")["kinds"] == []
    *before, hour = see("work")["hours"]
    assert hour == {"hour": iso(NOON), "succeeded": 2, "dead": 1, "failedTries": 0}
    # An hour without work is one too: a line that leaves it out would hide it.
    assert [one["hour"] for one in before] == [iso(NOON - back * HOUR) for back in range(23, 0, -1)]
    assert kind["endedByHour"] == [0] * 23 + [3]


def _image(texts: dict[str, str], state: str, at: int, attempts: int) -> dict[str, Any]:
    numbers = {"updated_at": at, "created_at": NOON, "due_at": NOON, "priority": 100, "attempts": attempts}
    found: dict[str, Any] = {name: {"N": str(value)} for name, value in numbers.items()}
    return found | {name: {"S": value} for name, value in {**texts, "state": state}.items()}


def test_calls_to_marketplaces_by_outcome_speed_and_hour(work: Work) -> None:
    call_counts.forget()
    for status, ms in ((200, 40), (201, 180), (429, 60), (503, 900), (None, 25_000), (404, 100)):
        call_counts.note("stockx", status, ms)
    records.record("worker", {"ms": 1}, {"completed": 2}, NOON, work.config)
    records.record("worker", {"ms": 1}, {"completed": 2}, NOON, work.config)
    found = see("calls", roles="platform", tenant="operations")["marketplaces"]
    [stockx] = [row for row in found if row["marketplace"] == "stockx"]
    assert (stockx["calls"], stockx["successRate"]) == (6, 33.3)
    assert stockx["outcomes"] == {"ok": 2, "429": 1, "4xx": 1, "5xx": 1, "none": 1}
    assert (stockx["latency"]["50"], stockx["latency"]["more"], stockx["p50Ms"]) == (1, 1, 100)
    assert stockx["refusedByHour"] == {"2026-11-22T12:00:00.000Z": 1}


def test_runs_are_listed_newest_first_page_by_page(work: Work) -> None:
    for minute in range(5):
        records.record("scheduler", {"admitted": minute}, {}, NOON + minute * MINUTE, work.config)
    found = pages("runs", "runs", function="scheduler", limit=2, day="2026-11-22")
    assert [row["stats"]["admitted"] for row in found] == [4, 3, 2, 1, 0]


def test_tenants_are_listed_with_what_they_may_and_what_they_have(work: Work, monkeypatch: pytest.MonkeyPatch) -> None:
    work.cloud.connect("globex")
    work.cloud.enqueue("acme", "A-1")
    work.cloud.enqueue("globex", "G-1")
    work.count()
    config = parse('{"tenants": {"overrides": {"globex": {"items_per_hour": 7}}}}')
    monkeypatch.setattr(live, "current", lambda: config)
    acme, globex, asking = pages("tenants", "tenants", limit=1)
    assert (asking["tenant"], asking["jobs"]) == ("operations", {})
    assert (globex["tenant"], globex["allowances"]["items_per_hour"]) == ("globex", 7)
    assert acme["used"]["items_per_hour"] == 1
    assert acme["jobs"] == {"queued": 1}


ITEM = {"sku": "DD1391-100", "size": "10"}
# One thing of each kind that a tenant may have, as it asks for it. Only two of them make a job.
THINGS: dict[str, tuple[str, dict[str, Any], int]] = {
    "account": ("PUT /v1/accounts/stockx", CREDENTIALS, 200),
    "inventory": ("POST /v1/inventory", {"items": [ITEM]}, 202),
    "page": ("POST /v1/pages", {"url": "https://shop.example/p/1"}, 201),
    "webhook": ("PUT /v1/webhooks/main", WEBHOOK, 200),
    "listing": (
        "POST /v1/stockx/listings",
        {"variantId": "729dc9e9-c6d9-5706-9f57-000000010005", "amount": "150"},
        202,
    ),
    "promotion": ("POST /v1/promotions", {"listingId": "123456789012", "adRate": 5}, 202),
}


@pytest.mark.parametrize("limit", [1, 3, 100])
def test_whoever_has_anything_stands_in_the_list_of_tenants(work: Work, limit: int) -> None:
    """Whether it has made a job or not, and whether its jobs are counted yet or not."""
    for tenant, (route, body, status) in THINGS.items():
        method, path = route.split(" ")
        if tenant in ("listing", "promotion"):
            work.cloud.connect(tenant)
            work.cloud.connect_seller(tenant)
        answer = call(method, path, body=body, tenant=tenant)
        assert answer.status == status, answer.text
    for counted in range(2):
        found = {row["tenant"]: row for row in pages("tenants", "tenants", limit=limit)}
        assert list(found) == sorted({*THINGS, "operations"})
        assert found["page"]["used"]["pages"] == 1
        assert [name for row in found.values() for name in row["used"] if name not in row["allowances"]] == []
        assert found["inventory"]["jobs"] == {}
        assert bool(found["promotion"]["jobs"]) is bool(counted)
        work.count()
    assert {row["tenant"] for row in pages("accounts", "accounts")} == {"account", "listing", "promotion"}


def test_who_had_jobs_before_tenants_were_listed_is_listed(work: Work, tables: Store) -> None:
    work.cloud.enqueue("acme", "A-1")
    work.count()
    usage.TenantUsage(usage.TENANTS, "acme").delete()
    assert tables.item("usage", tenant=usage.TENANTS, period="acme") is None
    assert [row["tenant"] for row in pages("tenants", "tenants", limit=1)] == ["acme", "operations"]


def test_a_page_of_tenants_reads_as_much_of_many_as_of_few(work: Work, tables: Store) -> None:
    """Of each tenant three items are read, and in either list as many as it shows."""
    for number in range(500):
        name = f"tenant-{number:03}"
        tables.put("usage", {"tenant": {"S": usage.TENANTS}, "period": {"S": name}, "noted_at": {"N": "1"}})
    with counted_reads(tables) as read:
        assert len(see("tenants", limit=10, tenant="operations", roles="platform")["tenants"]) == 10
    assert sum(read) <= 10 * 4 + 20


def test_metrics_are_the_same_numbers_as_json_and_as_text(work: Work) -> None:
    work.cloud.enqueue("acme", "A-1", "A-2")
    work.claim()
    records.save_health({"at": NOON, "lanes": 1, "held": 1, "held_by": {"alias:closed": 1}, "oldest_due_age": 0})
    work.count()
    for caller in ({"roles": "operator"}, {"roles": "platform", "tenant": "operations"}):
        found = see("metrics", **caller)["metrics"]
        text = call("GET", f"{BASE}/metrics.txt", **caller)
        assert text.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
        told = {line.partition(" ")[0]: line.rpartition(" ")[2] for line in text.text.splitlines() if line[0] != "#"}
        for metric in found:
            assert f"# HELP {metric['name']} {metric['help']}\n# TYPE {metric['name']} gauge\n" in text.text
            for one in metric["samples"]:
                labels = ",".join(f'{name}="{value}"' for name, value in one["labels"].items())
                key = f"{metric['name']}{{{labels}}}" if labels else metric["name"]
                assert float(told.pop(key)) == one["value"]
        assert told == {}
        assert {metric["name"] for metric in found} <= set(metrics.NAMES)
        jobs = next(metric for metric in found if metric["name"] == "sluice_jobs")
        leased = [one["value"] for one in jobs["samples"] if one["labels"]["state"] == "leased"]
        assert leased == [2]


def test_every_metric_is_documented() -> None:
    page = (ROOT / "docs" / "operator.md").read_text(encoding="utf-8")
    assert all(f"| `{name}` |" in page for name in metrics.NAMES)


BAD: list[tuple[str, dict[str, Any], str]] = [
    ("overview", {"tenant": "NOT ONE"}, "tenant"),
    ("overview", {"nobody": "x"}, "nobody"),
    ("jobs/counts", {"state": "done"}, "state"),
    ("jobs", {"account": "acme"}, "account"),
    ("jobs", {"from": "yesterday"}, "from"),
    ("jobs", {"from": iso(NOON), "to": iso(NOON)}, "to"),
    ("jobs", {"cursor": "x"}, "cursor"),
    ("work", {"hours": 0}, "hours"),
    ("work", {"hours": 1_000}, "hours"),
    ("dead-letters", {"cursor": "x"}, "cursor"),
    ("budgets/stockx:acme/history", {"days": 36}, "days"),
    ("runs", {"function": "nobody"}, "function"),
    ("runs", {"day": "today"}, "day"),
    ("runs", {"cursor": "x"}, "cursor"),
]


@pytest.mark.parametrize(("path", "query", "field"), BAD)
@pytest.mark.parametrize("roles", ["operator", "platform operator"])
def test_a_bad_filter_is_named(work: Work, path: str, query: dict[str, Any], field: str, roles: str) -> None:
    answer = call("GET", f"{BASE}/{path}", query=query, roles=roles)
    if path == "runs" and roles == "operator":
        assert answer.status == 403
    else:
        assert (answer.status, list(answer.fields)) == (400, [field]), answer.text


Read = Callable[[], Answer]


@pytest.mark.parametrize("path", ["overview", "jobs/counts", "work", "budgets", "tenants"])
def test_what_is_read_does_not_grow_with_the_jobs(work: Work, requests: list[str], path: str) -> None:
    caller = {"roles": "operator platform"}
    reads = []
    for start in (0, 100, 300):
        work.cloud.enqueue("acme", *(f"A-{number}" for number in range(start, 100 + start * 4 // 3)))
        work.count()
        requests.clear()
        see(path, **caller)
        reads.append(list(requests))
    assert sorted(reads[0]) == sorted(reads[1]) == sorted(reads[2])
    assert len(reads[0]) <= 12
