"""What a tenant may ask for and keep: beyond an allowance the answer is 429, and nothing of another's changes."""

import json
from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any

import pytest

from functions.job_events.handler import handler as job_events
from sluice.capabilities import ROUTE_MODULES
from sluice.inventory.stock import STOCK
from sluice.inventory.table import Item
from sluice.jobs.model.job import Job
from sluice.jobs.queue import recounts, tally, unfinished
from sluice.marketplaces.accounts.credentials import CredentialsRefused
from sluice.marketplaces.registry import Marketplace
from sluice.platform import aws, usage
from sluice.platform.clock import DAY, HOUR, MINUTE, SECOND
from sluice.platform.config import live
from sluice.platform.config.document import Config, parse
from sluice.platform.http import routing
from tests.support.clock import VirtualClock
from tests.support.http import Answer, Context, call
from tests.support.letters import write
from tests.support.store import Answer as Found
from tests.support.store import Request, Send, Store
from tests.support.stream import changes
from tests.unit.api.conftest import MAIL, WEBHOOK, Cloud
from tests.unit.api.document import conforms

NOON = 1_795_348_800_000  # 2026-11-22T12:00:00Z
REFRESH = "/v1/market/refresh"
REPLAY = "/v1/dead-letters/replay"
Configure = Callable[..., None]


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> VirtualClock:
    """Noon."""
    made = VirtualClock(NOON)
    monkeypatch.setattr(routing, "clock", made)
    return made


@pytest.fixture
def configure(monkeypatch: pytest.MonkeyPatch) -> Configure:
    """Put a configuration in force."""

    def put(**document: Any) -> None:
        config = parse(json.dumps(document))
        monkeypatch.setattr(live, "current", lambda: config)

    return put


def items(number: int, word: str = "S") -> dict[str, Any]:
    return {"items": [{"sku": f"{word}-{index}", "size": "10"} for index in range(number)]}


def refused(answer: Answer) -> str:
    """The allowance that is used up, of an answer that says so as it should."""
    assert answer.status == 429, answer.text
    assert answer.json["error"]["code"] == "allowance_used_up"
    assert int(answer.headers["Retry-After"]) > 0
    [name] = answer.fields
    return name


def stream(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hand over what has changed in table `jobs`."""
    monkeypatch.setattr(aws, "put_events", lambda _: None)
    job_events({"Records": changes("jobs")}, Context())  # type: ignore[arg-type]


def test_requests_are_counted_by_the_minute(acme: Cloud, clock: VirtualClock, configure: Configure) -> None:
    configure(tenants={"allowances": {"requests_per_minute": 3}})
    clock.time += 15 * SECOND
    assert [call("GET", "/v1/jobs").status for _ in range(3)] == [200] * 3
    answer = call("GET", "/v1/jobs")
    conforms("GET /v1/jobs", answer)
    assert (refused(answer), answer.headers["Retry-After"]) == ("requests_per_minute", "45")
    assert call("GET", "/v1/jobs", tenant="globex").status == 200
    clock.time += 45 * SECOND
    assert call("GET", "/v1/jobs").status == 200


def test_a_request_that_cannot_be_read_is_counted_too(acme: Cloud, clock: VirtualClock, configure: Configure) -> None:
    configure(tenants={"allowances": {"requests_per_minute": 2}})
    assert [call("POST", REFRESH, body={"items": 7}).status for _ in range(3)] == [400, 400, 429]


def test_items_are_counted_by_the_hour_and_by_request(
    acme: Cloud, clock: VirtualClock, configure: Configure, requests: list[str]
) -> None:
    configure(tenants={"allowances": {"items_per_hour": 25}})
    assert call("POST", REFRESH, body=items(20)).status == 202
    before = acme.content()
    requests.clear()
    answer = call("POST", REFRESH, body=items(6, "T"))
    assert (refused(answer), answer.headers["Retry-After"]) == ("items_per_hour", "3600")
    assert (acme.content(), requests) == (before, ["UpdateItem"])
    assert call("POST", REFRESH, body=items(5, "T")).status == 202
    clock.time += HOUR
    assert call("POST", REFRESH, body=items(25, "U")).status == 202
    assert refused(call("POST", REFRESH, body=items(26))) == "items_per_hour"


# Requests that ask for nothing which costs others, or count it themselves, once they know how much it is.
COUNTED_ELSEWHERE = {
    "POST /v1/catalog/enrichment": "the look-ups of its next step, and the pages that it looks through in vain",
    "POST /v1/dead-letters/replay": "the letters that it finds",
    "POST /v1/ebay/listings/check": "the listings that it finds",
    "POST /v1/ebay/listings/import": "rows, when the file is read",
    "POST /v1/inventory/import": "rows, when the file is read",
    "PUT /v1/accounts/{marketplace}": "by `connections_per_hour`",
    "PUT /v1/webhooks/{webhook_id}": "by `webhooks`",
}
ASKS_FOR_NOTHING = {
    "POST /v1/dead-letters/{letter_id}/acknowledge",
    "POST /v1/ebay/listings/draft",
    "POST /v1/operator/actions/{action_id}/stop",
    "POST /v1/operator/pauses",
    "POST /v1/webhooks/{webhook_id}/secret",
}


def test_whatever_asks_for_something_is_counted() -> None:
    """What the deployment's own operator asks for is no tenant's."""
    routes = [route for module in ROUTE_MODULES for route in import_module(module).ROUTES]
    uncounted = {
        f"{route.method} {route.path}"
        for route in routes
        if route.method in ("POST", "PUT", "PATCH") and route.asks is None and "deployment" not in str(route.permission)
    }
    assert uncounted == ASKS_FOR_NOTHING | COUNTED_ELSEWHERE.keys() | {"PATCH /v1/pages/{page_id}"}


@pytest.mark.parametrize(
    ("method", "path", "body", "items"),
    [
        ("POST", "/v1/pages", {"url": "https://shop.example/{}"}, 1),
        ("POST", "/v1/ebay/policies", {"marketplace": "EBAY_US"}, 1),
        ("POST", "/v1/operator/actions", {"action": "replay", "letterIds": ["a", "b"], "dryRun": False}, 2),
        ("POST", "/v1/operator/actions", {"action": "reset", "jobIds": ["a", "b", "c"], "dryRun": False}, 3),
        ("POST", "/v1/operator/actions", {"action": "reset", "jobIds": ["a", "b", "c"], "dryRun": True}, 0),
        ("POST", "/v1/operator/actions", {"action": "cancel", "jobIds": ["a", "b", "c"], "dryRun": False}, 0),
    ],
)
def test_what_a_request_asks_for_is_counted(
    cloud: Cloud, clock: VirtualClock, method: str, path: str, body: dict[str, Any], items: int
) -> None:
    cloud.connect_seller("acme")
    told = json.loads(json.dumps(body).replace("{}", "1"))
    call(method, path, body=told, roles="operator admin user")
    assert usage.counters("acme", "2026-11-22T12").get("items", 0) == items


@pytest.mark.parametrize("allowance", ["items_per_hour", "unfinished_jobs"])
def test_a_replay_counts_the_letters_that_it_finds(
    acme: Cloud, clock: VirtualClock, configure: Configure, allowance: str
) -> None:
    """Not its `limit`, which is 100 unless it says otherwise: a small tenant could not replay its three letters."""
    configure(tenants={"allowances": {allowance: 3}})
    for sku in "ABC":
        write(sku=sku)
    assert call("POST", REPLAY, body={"dryRun": False}).json["outcomes"] == {"created": 3}
    assert call("POST", REPLAY, body={"dryRun": False}).json["matched"] == 0
    assert usage.counters("acme", "2026-11-22T12")["items"] == 3


@pytest.mark.parametrize("allowance", ["items_per_hour", "unfinished_jobs"])
def test_a_replay_that_finds_too_many_letters_replays_none(
    acme: Cloud, clock: VirtualClock, configure: Configure, allowance: str
) -> None:
    configure(tenants={"allowances": {allowance: 1}})
    for sku in "AB":
        write(sku=sku)
    assert (refused(call("POST", REPLAY, body={"dryRun": False})), Job.count()) == (allowance, 0)
    assert call("POST", REPLAY, body={"dryRun": False, "limit": 1}).json["outcomes"] == {"created": 1}


def test_what_20_requests_ask_for_is_bounded(
    acme: Cloud, clock: VirtualClock, configure: Configure, monkeypatch: pytest.MonkeyPatch
) -> None:
    configure(tenants={"allowances": {"unfinished_jobs": 50, "items_per_hour": 1_000}})
    statuses = []
    for number in range(20):
        statuses.append(call("POST", REFRESH, body=items(10, f"W{number}")).status)
        stream(monkeypatch)
    assert statuses == [202] * 5 + [429] * 15
    assert Job.count() == 50
    acme.connect("globex")
    assert call("POST", REFRESH, body=items(10, "G"), tenant="globex").status == 202


def test_who_takes_work_back_may_ask_for_other_work(
    acme: Cloud, clock: VirtualClock, configure: Configure, monkeypatch: pytest.MonkeyPatch
) -> None:
    configure(tenants={"allowances": {"unfinished_jobs": 3}})
    jobs = acme.enqueue("acme", "A", "B", "C")
    stream(monkeypatch)
    assert refused(call("POST", REFRESH, body=items(1))) == "unfinished_jobs"
    assert call("DELETE", f"/v1/jobs/{jobs[0]}").status == 200
    stream(monkeypatch)
    assert call("POST", REFRESH, body=items(1)).status == 202


def test_a_count_that_is_wrong_is_put_right_by_the_next_tick(
    acme: Cloud, clock: VirtualClock, configure: Configure
) -> None:
    configure(tenants={"allowances": {"unfinished_jobs": 3}})
    acme.enqueue("acme", "A", "B")
    usage.add("acme", tally.PERIOD, {"n:market.refresh:unfinished": 3, "n:gone.kind:unfinished": 7})
    assert refused(call("POST", REFRESH, body=items(1))) == "unfinished_jobs"
    assert recounts.wanted(Config(), clock.time) == 1
    assert tally.counts("acme") == {("market.refresh", "unfinished"): 2, ("gone.kind", "unfinished"): 0}
    assert call("POST", REFRESH, body=items(1)).status == 202
    assert recounts.wanted(Config(), clock.time) == 0


def test_a_tenant_that_is_refused_again_and_again_is_not_counted_each_time(
    acme: Cloud, clock: VirtualClock, configure: Configure
) -> None:
    configure(tenants={"allowances": {"unfinished_jobs": 2}})
    acme.enqueue("acme", "A", "B")
    usage.add("acme", tally.PERIOD, {"n:market.refresh:unfinished": 2})
    counted = []
    for _ in range(12):
        refused(call("POST", REFRESH, body=items(1)))
        counted.append(recounts.wanted(Config(), clock.time))
        clock.time += MINUTE
    assert counted == [1] + [0] * 9 + [1, 0]


@pytest.mark.parametrize("wrong", [-2, -1, 3])
def test_counts_that_are_too_low_or_too_high_are_put_right_though_nobody_is_refused(
    acme: Cloud, monkeypatch: pytest.MonkeyPatch, wrong: int
) -> None:
    for tenant in ("beta", "globex"):
        acme.connect(tenant)
        acme.enqueue(tenant, f"OF-{tenant}")
    acme.enqueue("acme", "A", "B")
    stream(monkeypatch)
    usage.add("acme", tally.PERIOD, {"n:market.refresh:unfinished": wrong})
    usage.add("globex", tally.PERIOD, {"n:gone.kind:unfinished": 7})
    for _ in range(3 + 2):  # each tenant once, and those two once more
        recounts.sweep()
    assert +tally.counts("acme") == {("market.refresh", "unfinished"): 2}
    assert +tally.counts("beta") == +tally.counts("globex") == {("market.refresh", "unfinished"): 1}


def test_what_is_on_its_way_in_the_stream_is_not_taken_for_a_mistake(
    acme: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    acme.enqueue("acme", "A", "B")
    recounts.sweep()
    stream(monkeypatch)
    for _ in range(4):
        recounts.sweep()
    assert +tally.counts("acme") == {("market.refresh", "unfinished"): 2}


def test_a_sweep_reads_so_much_and_no_more(
    acme: Cloud, tables: Store, monkeypatch: pytest.MonkeyPatch, requests: list[str]
) -> None:
    """Of a tenant that has more than is read it is known that there are at least so many: nothing is taken away."""
    acme.enqueue("acme", *(f"S-{number}" for number in range(30)))
    monkeypatch.setattr(unfinished, "MOST_SAVED", 12)
    for stored, right in ((5, 12), (40, 40)):
        usage.put("acme", tally.PERIOD, {"n:market.refresh:unfinished": stored})
        for _ in range(2):
            recounts.sweep()
        assert tally.counts("acme") == {("market.refresh", "unfinished"): right}


def test_minutes_read_the_same_whatever_waits(
    acme: Cloud, tables: Store, monkeypatch: pytest.MonkeyPatch, clock: VirtualClock
) -> None:
    """A tenant with many jobs is counted when enough is saved up for it, and its counters are put right then."""
    monkeypatch.setattr(unfinished, "EARNED", 5)
    read: list[int] = []

    def note(request: Request, send: Send) -> Found:
        answer = send()
        if request.parameters.get("IndexName") == "due":
            read.append(answer["Count"])
        return answer

    acme.enqueue("acme", *(f"S-{number}" for number in range(30)))
    usage.put("acme", tally.PERIOD, {"n:market.refresh:unfinished": 24})
    monkeypatch.setattr(tables, "around", note)
    for minutes in range(1, 31):
        recounts.sweep()
        assert sum(read) <= 5 * minutes
    assert tally.counts("acme") == {("market.refresh", "unfinished"): 30}


def test_of_two_runs_at_once_one_moves_the_counters(
    acme: Cloud, tables: Store, monkeypatch: pytest.MonkeyPatch, clock: VirtualClock
) -> None:
    acme.enqueue("acme", "A", "B")
    recounts.sweep()

    def meanwhile(request: Request, send: Send) -> Found:
        if request.operation == "UpdateItem":  # the other has counted too, and is the first to write it down
            monkeypatch.setattr(tables, "around", None)
            recounts.sweep()
        return send()

    monkeypatch.setattr(tables, "around", meanwhile)
    recounts.sweep()
    assert tally.counts("acme") == {("market.refresh", "unfinished"): 2}


def test_a_sweep_that_fails_ends_no_run_of_the_scheduler(acme: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    acme.enqueue("acme", "A")
    monkeypatch.setattr(usage, "counters", lambda *_: 1 / 0)
    recounts.sweep()


def test_records_that_come_twice_are_counted_once(acme: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    acme.enqueue("acme", "A", "B")
    monkeypatch.setattr(aws, "put_events", lambda _: None)
    records = {"Records": changes("jobs")}
    for _ in range(3):
        job_events(records, Context())  # type: ignore[arg-type]
    assert tally.counts("acme") == {("market.refresh", "unfinished"): 2}


def test_a_table_that_cannot_count_holds_up_no_event(acme: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    acme.enqueue("acme", "A")
    put: list[Any] = []
    monkeypatch.setattr(aws, "put_events", put.extend)
    monkeypatch.setattr(tally, "_add_once", lambda *_: 1 / 0)
    job_events({"Records": changes("jobs")}, Context())  # type: ignore[arg-type]


def test_jobs_that_are_forgotten_leave_the_counts(acme: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    [job_id] = acme.enqueue("acme", "A")
    assert call("DELETE", f"/v1/jobs/{job_id}").status == 200
    stream(monkeypatch)
    assert +tally.counts("acme") == {("market.refresh", "cancelled"): 1}
    Job.get(job_id).delete()
    stream(monkeypatch)
    assert +tally.counts("acme") == {}


def test_an_inventory_holds_what_it_may(acme: Cloud, configure: Configure) -> None:
    configure(tenants={"allowances": {"inventory_items": 4}})
    told = call("POST", "/v1/inventory", body=items(3)).json["items"]
    assert refused(call("POST", "/v1/inventory", body=items(2, "T"))) == "inventory_items"
    assert refused(call("POST", "/v1/inventory/import", body=items(2, "T"))) == "inventory_items"
    assert call("DELETE", f"/v1/inventory/{told[0]['itemId']}").status == 200
    assert call("POST", "/v1/inventory", body=items(2, "T")).status == 202


def test_an_inventory_that_was_counted_wrong_is_counted_anew_before_it_is_full(
    acme: Cloud, configure: Configure
) -> None:
    configure(tenants={"allowances": {"inventory_items": 4}})
    usage.add("acme", usage.KEPT, {"inventory_items": 9})
    assert call("POST", "/v1/inventory", body=items(4)).status == 202


@pytest.mark.parametrize("writes", range(1, 12))
def test_a_request_that_dies_at_any_write_leaves_no_item_uncounted(
    acme: Cloud, tables: Store, monkeypatch: pytest.MonkeyPatch, writes: int
) -> None:
    """Too many are found when it matters; too few would let a tenant keep more than it may, for ever."""
    kept = call("POST", "/v1/inventory", body=items(2)).json["items"]
    around, written = tables.around, [0]
    assert around

    def dying(request: Request, send: Send) -> Found:
        if request.operation in ("UpdateItem", "PutItem", "DeleteItem"):
            written[0] += 1
            if written[0] > writes:
                raise RuntimeError("killed")
        return around(request, send)

    with monkeypatch.context() as patch:
        patch.setattr(tables, "around", dying)
        call("POST", "/v1/inventory", body=items(4))
        written[0] = writes - 2
        call("DELETE", f"/v1/inventory/{kept[0]['itemId']}")
    assert STOCK.size("acme") >= Item.count("acme")


def test_rows_of_an_import_are_items_of_the_hour(acme: Cloud, configure: Configure) -> None:
    configure(tenants={"allowances": {"items_per_hour": 1}})
    sent = call("POST", "/v1/inventory/import", body=items(2))
    assert (refused(sent), acme.queued) == ("items_per_hour", [])


def test_promotions_have_an_allowance_of_their_own(
    cloud: Cloud, configure: Configure, monkeypatch: pytest.MonkeyPatch
) -> None:
    configure(tenants={"allowances": {"promotions": 2}})
    cloud.connect_seller("acme")
    batch = {"batch": [{"listingId": str(number), "adRate": 3} for number in (1, 2)]}
    assert call("POST", "/v1/promotions", body=batch).status == 202
    stream(monkeypatch)
    assert refused(call("POST", "/v1/promotions", body={"listingId": "3", "adRate": 3})) == "promotions"


def test_sending_events_again_counts_as_asking(cloud: Cloud, clock: VirtualClock, configure: Configure) -> None:
    configure(tenants={"allowances": {"items_per_hour": 2}})
    delivery = cloud.webhook()
    path = f"/v1/webhooks/main/deliveries/{delivery}/resend"
    assert [call("POST", path).status for _ in range(3)] == [202, 202, 429]


def test_mails_that_a_request_sends_are_few(cloud: Cloud, clock: VirtualClock, configure: Configure) -> None:
    """Else strangers are asked without end whether they want mail, and others' mail waits for AWS to send these."""
    configure(tenants={"allowances": {"mails_per_hour": 3}})

    def to(address: str, tenant: str = "acme") -> Answer:
        return call("PUT", "/v1/notifications", body={"mail": {**MAIL["mail"], "address": address}}, tenant=tenant)

    assert [to(f"stranger{number}@mail.example").status for number in range(2)] == [200] * 2
    cloud.mailbox.confirm("stranger1@mail.example")
    clock.time += MINUTE  # AWS is not asked of an address all the time
    assert to("stranger1@mail.example").status == 200, "it is not asked again"
    assert call("POST", "/v1/notifications/test").status == 202
    before, asked = cloud.content(), len(cloud.mailbox.asked)
    for answer in (to("stranger4@mail.example"), call("POST", "/v1/notifications/test")):
        assert refused(answer) == "mails_per_hour"
    assert (cloud.content()["notifications"], len(cloud.mailbox.asked)) == (before["notifications"], asked)
    assert to("desk@globex.example", tenant="globex").status == 200
    clock.time += HOUR
    assert to("stranger4@mail.example").status == 200


def test_credentials_that_are_tried_out_are_few(
    cloud: Cloud, clock: VirtualClock, configure: Configure, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each is a real call of the marketplace, and one that is asked with many wrong ones shuts out whoever asks."""
    configure(tenants={"allowances": {"connections_per_hour": 3, "items_per_hour": 0}})
    asked = list[str]()

    def refuse(credentials: Mapping[str, str], *_: object) -> None:
        asked.append(credentials["personal_access_token"])
        raise CredentialsRefused("it knows no such token", ())

    monkeypatch.setattr(Marketplace, "load_try_out", lambda _: refuse)

    def tried(token: str, tenant: str = "acme") -> Answer:
        return call("PUT", "/v1/accounts/alias", body={"personal_access_token": token}, tenant=tenant)

    assert call("PUT", "/v1/accounts/alias", body={}).status == 400, "it lacks one, so nobody is asked"
    assert [tried(f"guess-{number}").json["error"]["code"] for number in range(3)] == ["credentials_refused"] * 3
    before = cloud.content()
    answer = tried("guess-3")
    assert (refused(answer), answer.headers["Retry-After"]) == ("connections_per_hour", "3600")
    assert (cloud.content(), asked) == (before, [f"guess-{number}" for number in range(3)])
    assert tried("another's", "globex").status == 400, "it may try as many as before"
    shown = call("GET", "/v1/operator/tenants", tenant="ops", roles="platform").json["tenants"]
    tried_out = {one["tenant"]: one["used"]["connections_per_hour"] for one in shown}
    assert (tried_out["acme"], tried_out["globex"]) == (3, 1)
    clock.time += HOUR
    assert tried("guess-3").json["error"]["code"] == "credentials_refused"


def test_a_tenant_may_have_allowances_of_its_own(cloud: Cloud, configure: Configure) -> None:
    configure(tenants={"allowances": {"webhooks": 1}, "overrides": {"globex": {"webhooks": 2}}})
    for tenant, most in (("acme", 1), ("globex", 2)):
        for number in range(most):
            assert call("PUT", f"/v1/webhooks/w{number}", body=WEBHOOK, tenant=tenant).status == 200
        assert refused(call("PUT", "/v1/webhooks/more", body=WEBHOOK, tenant=tenant)) == "webhooks"


def test_the_first_request_of_an_hour_puts_the_tenant_into_the_list(
    cloud: Cloud, clock: VirtualClock, tables: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before anything is done for it. What dies on the way there is done by the next request, and else by none."""
    writes = list[str]()

    def around(request: Request, send: Send) -> Found:
        if request.operation == "UpdateItem" and request.parameters["Key"].get("tenant") == {"S": usage.TENANTS}:
            writes.append(request.parameters["Key"]["period"]["S"])
            if len(writes) == 1:
                raise RuntimeError("gone")
        return send()

    monkeypatch.setattr(tables, "around", around)
    assert call("PUT", "/v1/webhooks/main", body=WEBHOOK, tenant="late").status == 500
    assert tables.items("webhooks") == []
    for _ in range(3):
        assert call("PUT", "/v1/webhooks/main", body=WEBHOOK, tenant="late").status == 200
    assert (writes, usage.tenants("", 10)) == (["late"] * 2, ["late"])
    clock.time += HOUR
    call("GET", "/v1/webhooks", tenant="late")
    assert writes == ["late"] * 3
    [row] = usage.TenantUsage.query(usage.TENANTS)
    assert row.noted_at == NOON
    assert row.expires_at is None


def test_a_counter_of_an_hour_is_forgotten(acme: Cloud, clock: VirtualClock) -> None:
    call("GET", "/v1/jobs")
    [hour] = usage.TenantUsage.query("acme", usage.TenantUsage.period.startswith("2026"))
    assert NOON // SECOND < (hour.expires_at or 0) < (NOON + DAY) // SECOND


def test_defaults_allow_what_the_documents_promise() -> None:
    allowed = Config().tenants.allowed("acme")
    assert allowed.items_per_hour >= 10_000  # an import may have so many rows
    assert allowed.inventory_items >= 10_000
