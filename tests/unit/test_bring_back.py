"""What becomes of each item of a backup: the rules that no capability's own tests show."""

from typing import Any

import pytest

from operate import restoring
from operate.bring_back import CUT_SHORT, RULES, When, bring_back
from operate.restoring import Target, day_may_be_used_up
from sluice.jobs.model import keys
from sluice.jobs.model.candidate import Candidate
from sluice.jobs.model.job import Job
from sluice.jobs.queue import claim
from sluice.jobs.queue.enqueue import enqueue
from sluice.marketplaces.accounts.item import Account
from sluice.marketplaces.accounts.views import view
from sluice.platform.clock import HOUR
from sluice.platform.config.document import Config
from sluice.platform.config.limits import Limits, by_clock
from sluice.platform.config.services import LIMITS
from tests.support import work
from tests.support.store import Store, store

NOW = 1_795_348_800_000
WHEN = When(NOW, NOW - HOUR, Config())


def text(**values: str) -> dict[str, Any]:
    return {name: {"S": value} for name, value in values.items()}


@pytest.mark.parametrize(
    ("table", "item"),
    [
        ("lanes", text(registry="nudge", lane="scheduler")),
        ("sessions", text(session="abc")),
        ("page_schedule", text(name="x")),
        ("budgets", text(budget="stockx:acme", window="slots")),
        ("budgets", text(budget="ebay-marketing", window="seats")),
        ("budgets", text(budget="ebay:app.1", window="shares#2026-11-22T07")),
        ("usage", text(tenant="acme", period="jobs")),
        ("usage", text(tenant="acme", period="2026-11-22T05")),
        ("counts", text(owner="#all", period="now")),
        ("counts", text(owner="#tenants", period="acme")),
        ("runs", text(scope="health", at="snapshot")),
        ("runs", text(scope="batch#3xV9", at="start")),
        ("webhooks", text(tenant="acme", webhook_id="#turn")),
        ("idempotency", text(tenant="acme", key="k")),
    ],
)
def test_who_is_at_it_does_not_come_back(table: str, item: dict[str, Any]) -> None:
    assert bring_back(table, item, WHEN) is None


@pytest.mark.parametrize(
    ("table", "item"),
    [
        ("budgets", text(budget="stockx:acme", window="2026-11-22")),
        ("budgets", text(budget="ebay:app.1", window="2026-11-22@America/Los_Angeles")),
        ("usage", text(tenant="acme", period="kept")),
        ("counts", text(owner="acme", period="2026-11-22T05")),
        ("runs", text(scope="hours#worker", at="2026-11-22T05")),
        ("webhooks", text(tenant="acme", webhook_id="shop")),
        ("idempotency", text(tenant="acme", key="k") | {"status": {"N": "202"}}),
        ("pauses", text(scope="now", name="stockx")),
        ("jobs", text(job_id="what nobody can read")),
    ],
)
def test_what_is_so_comes_back_as_it_was(table: str, item: dict[str, Any]) -> None:
    assert bring_back(table, item, WHEN) == item


@pytest.mark.parametrize("table", sorted(RULES))
def test_what_is_forgotten_by_its_time_does_not_come_back(table: str) -> None:
    assert bring_back(table, {"expires_at": {"N": str(NOW // 1_000)}}, WHEN) is None


@pytest.mark.parametrize(("tenant", "stands", "others"), [("acme", 200, None), ("zeta", 100, '{"zeta": 200}')])
def test_what_was_asked_for_while_it_ran_comes_back_as_urgent_as_its_payer_asked(
    tables: Store, tenant: str, stands: int, others: str | None
) -> None:
    with work.kind(lambda _: {}):
        enqueue(work.spec(), NOW)
        assert claim.claim(Candidate.of(Job.get(work.spec().job_id)), NOW, HOUR)
        enqueue(work.spec(tenant=tenant, priority=keys.MANUAL), NOW)
    [item] = tables.items("jobs")
    back = bring_back("jobs", item, WHEN) or {}
    assert (back["state"]["S"], back["lane"]["S"]) == ("queued", f"stockx:acme#{stands}#0")
    assert (back["priority"]["N"], back.get("priorities", {}).get("S")) == (str(stands), others)
    assert not any(name.startswith("rerun") for name in back)


def test_an_import_and_an_action_that_were_not_through_are_closed() -> None:
    imported = bring_back("imports", text(tenant="acme") | {"pending": {"SS": ["1", "2"]}}, WHEN)
    assert imported == text(tenant="acme") | {"problems": {"SS": [CUT_SHORT]}, "updated_at": {"N": str(NOW)}}
    acted = bring_back("actions", text(owner="acme", state="running"), WHEN)
    assert acted
    assert acted["state"] == {"S": "stopped"}
    assert bring_back("actions", text(owner="acme", state="finished"), WHEN) == text(owner="acme", state="finished")


def test_an_address_for_mail_does_not_come_back_and_what_its_tenant_wants_does() -> None:
    wants = text(tenant="#tenants", entry="acme", types='["job.dead"]')
    assert bring_back("notifications", wants | text(address="a@b.example", topic="arn", claim_token="x"), WHEN) == wants
    mail = text(tenant="acme", entry="mail#1", subject="dead")
    assert bring_back("notifications", mail, WHEN) == mail
    operators = text(tenant="#tenants", entry="#operator") | {"due_at": {"N": "1"}}
    assert bring_back("notifications", operators, WHEN) == operators, "its topic is the new stack's own"


def test_a_refresh_lock_does_not_come_back() -> None:
    item = text(account="stockx:acme") | {"refreshing_until": {"N": "1"}, "user_refreshing_until": {"N": "1"}}
    assert bring_back("accounts", item, WHEN) == text(account="stockx:acme")


@pytest.mark.parametrize(("busiest", "closed"), [(0, False), (4_999, False), (5_000, True), (9_000, True)])
def test_a_budget_is_closed_for_the_day_where_a_day_was_half_used_before(busiest: int, closed: bool) -> None:
    assert LIMITS["ebay-marketing"].per_day == 10_000
    assert day_may_be_used_up(LIMITS["ebay-marketing"], busiest) is closed
    assert not day_may_be_used_up(Limits(by_clock(hour=1)), busiest)


@pytest.fixture
def tables() -> Any:
    with store() as made:
        yield made


def test_an_account_whose_key_is_gone_is_broken_and_says_what_to_do(tables: Store) -> None:
    def refuse(operation: str, _: dict[str, Any]) -> dict[str, Any]:
        from botocore.exceptions import ClientError

        raise ClientError({"Error": {"Code": "AccessDeniedException", "Message": "no"}}, operation)

    tables.services["kms"] = refuse
    broken: list[tuple[str, str]] = []
    item = text(account="stockx:acme", tenant="acme", marketplace="stockx", status="ACTIVE") | {
        **{name: {"N": str(NOW)} for name in ("connected_at", "updated_at")},
        "token_version": {"N": "1"},
        "credentials": {"B": b"sealed"},
        "token": {"B": b"sealed"},
    }
    back = restoring._sealed_anew(Target("s", Config()), "accounts", item, broken)
    shown = view(Account.from_raw_data(back))
    assert shown["status"] == "BROKEN"
    assert "connect the account again" in str(shown["reason"])
    assert broken == [("stockx:acme", "AccessDeniedException")]
    assert "sealed" not in str(back)
