"""A tenant is removed: nothing of it is left, and nothing of anybody else is touched."""

import json
from collections.abc import Iterator
from typing import Any

import boto3
import pytest

import operate
from operate import forget_tenant
from operate.tenants import GONE, Found, is_under_way, of_tenant
from sluice.jobs.model.job import Job
from sluice.jobs.queue import cancel, claim, finish
from sluice.jobs.queue.enqueue import Result, enqueue
from sluice.marketplaces.accounts import table as accounts
from sluice.pages import request as pages
from sluice.pages.alerts import Watch
from sluice.platform.clock import MINUTE
from sluice.platform.config.document import Config
from sluice.platform.settings import settings
from tests.support import work
from tests.support.ebay_seller import ACCOUNT, TENANT, EbaySeller, open_ebay_seller
from tests.support.ebay_wanted import record
from tests.support.store import Store, store
from tests.support.work import spec


def text(**values: str) -> dict[str, Any]:
    return {name: {"S": value} for name, value in values.items()}


def names(*values: str) -> dict[str, Any]:
    return {"SS": list(values)}


@pytest.mark.parametrize(
    ("table", "item"),
    [
        ("requests", text(tenant="acme#promotion.create", request="r")),
        ("listings", text(tenant="acme", listing_id="l")),
        ("listings", text(tenant="stockx:acme", listing_id="theirs")),
        ("listing_history", text(listing="acme/l")),
        ("ebay_history", text(listing="acme#groups/k", entry="v1")),
        ("deliveries", text(webhook="acme/shop#due", delivery="d")),
        ("budgets", text(budget="ebay-marketing:acme", window="2026-11-22")),
        ("notifications", text(tenant="#tenants", entry="acme")),
        ("notifications", text(tenant="acme", entry="mail#1")),
        ("notifications", text(tenant="#operator", entry="acme#0001795348800#job.dead#e1")),
        ("notifications", text(tenant="#told", entry="acme#job.dead#e1")),
        ("pauses", text(scope="now", name="tenant:acme")),
        ("lanes", text(registry="lanes#1", lane="stockx:acme#100#0")),
        ("lanes", text(registry="lanes#1", lane="ebay#100#0@ebay:acme")),
        ("ebay_sellers", text(account="#look", part="ebay:acme")),
        ("usage", text(tenant="#recount", period="acme")),
        ("usage", text(tenant="#tenants", period="acme")),
        ("counts", text(owner="#tenants", period="acme")),
        ("counts", text(owner="acme", period="2026-11-22T05")),
        ("actions", text(owner="#all", entry="e", of="acme")),
        ("accounts", text(account="ebay:acme")),
        ("jobs", text(job_id="j", tenant="acme", state="dead") | {"tenants": names("acme")}),
    ],
)
def test_what_is_the_tenants_is_known(table: str, item: dict[str, Any]) -> None:
    assert of_tenant(table, item, "acme") == GONE
    for other in ("acm", "acme-2", "cme", "globex"):
        assert of_tenant(table, item, other) is None


@pytest.mark.parametrize(
    ("table", "item", "found"),
    [
        ("usage", text(tenant="globex", period="acme"), None),
        ("counts", text(owner="#all", period="acme"), None),
        ("prices", text(sku="acme", price="acme"), None),
        ("accounts", text(account="ebay:user.1") | {"accounts": names("ebay:acme")}, GONE),
        (
            "accounts",
            text(account="ebay:user.1") | {"accounts": names("ebay:acme", "ebay:globex")},
            Found({"accounts": ["ebay:acme"]}),
        ),
        ("pages", text(product="p") | {"tenants": names("acme")}, Found({"tenants": ["acme"]})),
    ],
)
def test_what_others_have_too_stays_theirs(table: str, item: dict[str, Any], found: Found | None) -> None:
    assert of_tenant(table, item, "acme") == found


def over(tenant: str, **values: str) -> dict[str, Any]:
    """A job that is over, as it is stored, which `tenant` pays for at StockX."""
    paid = {"account": f"stockx:{tenant}", "budget": f"stockx:{tenant}", "payload": "{}", "state": "dead"}
    return text(**{"job_id": "j", "tenant": tenant, **paid, **values})


@pytest.mark.parametrize(
    ("job", "without"),
    [
        (over("globex") | {"tenants": names("acme", "globex"), "for": names("acme")}, over("globex")),
        (over("acme") | {"tenants": names("acme", "globex")}, over("globex")),
        (over("acme", budget="ebay") | {"tenants": names("acme", "globex")}, over("globex", budget="ebay")),
        (over("globex", counted="acme") | {"tenants": names("globex")}, over("globex")),
        (over("globex", counted="acme"), over("globex") | {"tenants": None}),
        (
            over("globex", payload='{"sku": "1", "force": "now", "forced_by": "acme"}') | {"tenants": names("acme")},
            over("globex", payload='{"sku": "1"}') | {"tenants": None},
        ),
    ],
)
def test_a_job_that_others_asked_for_is_theirs(job: dict[str, Any], without: dict[str, Any]) -> None:
    left = {name: value for name, value in ({"tenants": names("globex")} | without).items() if value}
    assert of_tenant("jobs", job, "acme") == Found(instead=left)
    assert of_tenant("jobs", left, "acme") is None


def test_who_asked_for_the_run_has_it_before_who_may_see_it() -> None:
    asked = {"tenants": names("acme", "globex", "initech"), "for": names("acme", "initech")}
    found = of_tenant("jobs", over("acme") | asked, "acme")
    assert found == Found(instead=over("initech") | {"tenants": names("globex", "initech"), "for": names("initech")})


def test_a_job_that_is_not_over_is_counted_where_it_began() -> None:
    assert of_tenant("jobs", over("globex", counted="acme", state="queued"), "acme") is None


def test_what_is_at_work_is_named() -> None:
    assert is_under_way("jobs", text(tenant="acme", state="queued"), "acme")
    assert not is_under_way("jobs", text(tenant="acme", state="dead"), "acme")
    assert is_under_way("accounts", text(account="stockx:acme") | {"credentials": {"B": b""}}, "acme")
    assert is_under_way("notifications", text(tenant="#tenants", entry="acme", topic="t"), "acme")
    assert not is_under_way("notifications", text(tenant="#tenants", entry="acme"), "acme")
    assert not is_under_way("accounts", text(account="stockx:acme"), "acme")
    assert not is_under_way("accounts", text(account="stockx:acme-2") | {"credentials": {"B": b""}}, "acme")


@pytest.fixture
def tables() -> Iterator[Store]:
    with store() as made:
        yield made


@pytest.fixture
def seller(tables: Store) -> Iterator[EbaySeller]:
    with open_ebay_seller() as seller:
        yield seller


def mentions(tables: Store, tenant: str) -> list[str]:
    """The tables that name the tenant anywhere."""
    found = {table: json.dumps(tables.items(table), default=str) for table in operate.TABLES}
    return [table for table, said in found.items() if tenant in said]


def test_nothing_is_left_of_a_tenant_and_all_of_the_other(
    seller: EbaySeller, tables: Store, capsys: pytest.CaptureFixture[str]
) -> None:
    seller.connect("globex")
    for tenant in (TENANT, "globex"):
        seller.put(record(f"SKU-{tenant}"), tenant=tenant)
    seller.settle()
    url = "https://shop.example/boots"
    for tenant in (TENANT, "globex"):
        pages.track(url, None, Watch(), tenant, seller.clock.time)
    seller.put(record("SKU-waits"))
    before = {table: len(tables.items(table)) for table in operate.TABLES}
    dynamodb = boto3.client("dynamodb", region_name="us-east-1")
    command = [TENANT, "--stack", settings().stack]
    assert forget_tenant.main(command, dynamodb) == 1
    assert forget_tenant.main([*command, "--delete"], dynamodb) == 2
    said = capsys.readouterr().err
    assert "acme has 1 connected accounts" in said
    assert "acme has 1 jobs that are not over" in said
    assert {table: len(tables.items(table)) for table in operate.TABLES} == before

    accounts.disconnect(ACCOUNT, seller.clock.time)
    for job in Job.scan():
        if job.lane:
            cancel.cancel(job.job_id, TENANT, seller.clock.time, seller.config)
    assert forget_tenant.main([*command, "--delete"], dynamodb) == 1
    assert forget_tenant.main([*command, "--delete"], dynamodb) == 0
    assert mentions(tables, TENANT) == []
    assert {"ebay_listings", "ebay_sync_log", "ebay_snapshots", "trackers", "accounts"} <= set(
        mentions(tables, "globex")
    )
    [page] = tables.items("pages")
    assert page["trackers"] == {"N": "1"}


def done(name: str, now: int) -> None:
    """A job whose one run has succeeded."""
    [candidate] = [one for one in claim.due("stockx:acme#100#0", now, 10)[0] if one.job_id == spec(name).job_id]
    job = claim.claim(candidate, now, MINUTE)
    assert job
    finish.complete(job, {}, now, Config())


def test_a_shared_job_that_the_tenant_paid_for_stays_for_the_other_who_can_ask_again(tables: Store) -> None:
    now, dynamodb = 1_795_348_800_000, boto3.client("dynamodb", region_name="us-east-1")
    with work.kind():
        for name in ("alone", "shared"):
            enqueue(spec(name), now)
        enqueue(spec("shared", tenant="globex"), now)
        for name in ("alone", "shared"):
            done(name, now)
        assert forget_tenant.main([TENANT, "--stack", settings().stack, "--delete"], dynamodb) == 1
        [job] = Job.scan()
        assert (job.job_id, job.tenant, job.tenants) == (spec("shared").job_id, "globex", {"globex"})
        assert "jobs" not in mentions(tables, TENANT)
        assert enqueue(spec("shared", tenant="globex"), now).result is Result.CREATED


def test_what_is_asked_for_anew_meanwhile_is_left_to_who_asked(tables: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    now, dynamodb = 1_795_348_800_000, boto3.client("dynamodb", region_name="us-east-1")
    read = forget_tenant._items

    def read_and_then_asked_for(*about: Any) -> Iterator[dict[str, Any]]:
        for item in read(*about):
            if about[2] == "jobs" and deleting:
                enqueue(spec("alone", tenant="globex"), now + 1)
            yield item

    with work.kind():
        enqueue(spec("alone"), now)
        done("alone", now)
        monkeypatch.setattr(forget_tenant, "_items", read_and_then_asked_for)
        deleting: list[bool] = []
        monkeypatch.setattr(forget_tenant, "_under_way", lambda *_: deleting.append(True))
        assert forget_tenant.main([TENANT, "--stack", settings().stack, "--delete"], dynamodb) == 1
        [job] = Job.scan()
        assert (job.tenant, job.state) == ("globex", "queued")
