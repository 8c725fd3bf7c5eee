"""Each event of events/ is answered by the deployed function that its name begins with."""

import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from local.cloud.cloud import ROOT
from local.laptop import CREDENTIALS, ORIGINS, Laptop
from sluice.listings.live import PUBLISH
from tests.support import letters
from tests.support.http import event_function
from tests.support.patience import SECONDS

EVENTS = {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in sorted((ROOT / "events").glob("*.json"))}

# What must hold of the answer, for every event that there is.
ANSWERS: dict[str, Any] = {
    "accounts_connect": lambda answer: answer["statusCode"] == 200,
    "accounts_disconnect": lambda answer: answer["statusCode"] == 200,
    "accounts_get": lambda answer: answer["statusCode"] == 200,
    "accounts_list": lambda answer: answer["statusCode"] == 200,
    "api_cancel_job": lambda answer: answer["statusCode"] in (200, 409),
    "api_health": lambda answer: answer["statusCode"] == 200,
    "api_image": lambda answer: answer["statusCode"] == 200 and "<svg" in answer["body"],
    "api_job": lambda answer: answer["statusCode"] == 200,
    "api_jobs": lambda answer: answer["statusCode"] == 200,
    "api_openapi": lambda answer: json.loads(answer["body"])["openapi"].startswith("3."),
    "api_prices": lambda answer: answer["statusCode"] == 200,
    "authorizer_request": lambda answer: answer == {"isAuthorized": False},
    "dead_letters_acknowledge": lambda answer: answer["statusCode"] == 200,
    "dead_letters_list": lambda answer: answer["statusCode"] == 200,
    "dead_letters_replay": lambda answer: answer["statusCode"] == 202,
    "dead_letters_replay_many": lambda answer: json.loads(answer["body"])["dryRun"],
    "dead_letters_show": lambda answer: answer["statusCode"] == 200,
    "ebay_listings_answer": lambda answer: answer["statusCode"] == 404,  # there is no such case
    "ebay_listings_policies": lambda answer: json.loads(answer["body"])["readAt"] is None,
    "ebay_listings_read_policies": lambda answer: answer["statusCode"] == 202,
    "ebay_listings_resume": lambda answer: json.loads(answer["body"])["pause"] is None,
    "ebay_listings_standing": lambda answer: answer["statusCode"] == 200,
    "ebay_listings_sync_log": lambda answer: json.loads(answer["body"])["attempts"] == [],
    "ebay_listings_change": lambda answer: answer["statusCode"] == 202,
    "ebay_listings_delete": lambda answer: answer["statusCode"] == 202,
    "ebay_listings_diff": lambda answer: answer["statusCode"] == 404,  # nothing of it was published
    "ebay_listings_draft": lambda answer: answer["statusCode"] == 404,  # the item is gone again
    "ebay_listings_dry_run": lambda answer: answer["statusCode"] == 200,
    "ebay_listings_force_snapshot": lambda answer: answer["statusCode"] == 409,
    "ebay_listings_history": lambda answer: len(json.loads(answer["body"])["history"]) == 2,
    "ebay_listings_import": lambda answer: json.loads(answer["body"])["refusedRows"] == 1,
    "ebay_listings_import_progress": lambda answer: json.loads(answer["body"])["rows"] == 2,
    "ebay_listings_list": lambda answer: answer["statusCode"] == 200,
    "ebay_listings_put": lambda answer: answer["statusCode"] == 202,
    "ebay_listings_put_many": lambda answer: json.loads(answer["body"])["counts"]["queued"] == 1,
    "ebay_listings_show": lambda answer: json.loads(answer["body"])["state"] == "waiting",
    "ebay_listings_snapshot": lambda answer: answer["statusCode"] == 404,
    "ebay_listings_snapshots": lambda answer: json.loads(answer["body"])["snapshots"] == [],
    "ebay_listings_cases": lambda answer: answer["statusCode"] == 200,
    "ebay_listings_change_group": lambda answer: answer["statusCode"] == 202,
    "ebay_listings_check": lambda answer: answer["statusCode"] == 409,  # nothing of it was published
    "ebay_listings_check_many": lambda answer: answer["statusCode"] == 202,
    "ebay_listings_delete_group": lambda answer: answer["statusCode"] == 202,
    "ebay_listings_drift": lambda answer: answer["statusCode"] == 200,
    "ebay_listings_force_group_snapshot": lambda answer: answer["statusCode"] == 409,
    "ebay_listings_group": lambda answer: answer["statusCode"] == 200,
    "ebay_listings_group_diff": lambda answer: answer["statusCode"] == 404,
    "ebay_listings_group_dry_run": lambda answer: answer["statusCode"] == 200,
    "ebay_listings_group_history": lambda answer: answer["statusCode"] == 200,
    "ebay_listings_group_snapshot": lambda answer: answer["statusCode"] == 404,
    "ebay_listings_group_snapshots": lambda answer: answer["statusCode"] == 200,
    "ebay_listings_groups": lambda answer: answer["statusCode"] == 200,
    "ebay_listings_put_group": lambda answer: answer["statusCode"] == 202,
    "operator_check_configuration": lambda answer: answer["statusCode"] == 200,
    "operator_configuration": lambda answer: answer["statusCode"] == 200,
    "operator_configuration_version": lambda answer: answer["statusCode"] == 200,
    "operator_configuration_versions": lambda answer: answer["statusCode"] == 200,
    "operator_configure": lambda answer: answer["statusCode"] == 200,
    "operator_pause": lambda answer: answer["statusCode"] == 200,
    "operator_pauses": lambda answer: answer["statusCode"] == 200,
    "operator_resume": lambda answer: answer["statusCode"] == 200,  # what was paused before
    "operator_revert_configuration": lambda answer: answer["statusCode"] == 200,  # what was changed before
    "operator_what_if": lambda answer: answer["statusCode"] == 200,
    "enqueue_enrich": lambda answer: answer["statusCode"] == 200,
    "enqueue_enrichment": lambda answer: answer["statusCode"] == 200,
    "enqueue_refresh": lambda answer: answer["statusCode"] == 202,
    "inventory_add": lambda answer: json.loads(answer["body"])["counts"]["refused"] == 1,
    "inventory_change": lambda answer: json.loads(answer["body"])["item"]["cost"] == "105.50",
    "inventory_delete": lambda answer: answer["statusCode"] == 200,
    "inventory_import": lambda answer: json.loads(answer["body"])["accepted"] == 2,
    "inventory_import_progress": lambda answer: json.loads(answer["body"])["refusedRows"] == 1,
    "inventory_list": lambda answer: answer["statusCode"] == 200,
    "inventory_prices": lambda answer: answer["statusCode"] == 200,
    "inventory_refresh": lambda answer: json.loads(answer["body"])["refreshes"] == 1,
    "inventory_show": lambda answer: answer["statusCode"] == 200,
    "inventory_worker_messages": lambda answer: answer == {"batchItemFailures": []},
    "job_events_records": lambda answer: answer == {"published": 1, "live": 0, "checks": 0, "given_up": 0},
    "listings_activate": lambda answer: answer["statusCode"] == 202,
    "listings_bulk": lambda answer: json.loads(answer["body"])["counts"] == {"accepted": 1, "refused": 2},
    "listings_create": lambda answer: answer["statusCode"] == 202,
    "listings_deactivate": lambda answer: answer["statusCode"] == 202,
    "listings_delete": lambda answer: answer["statusCode"] == 202,
    "listings_history": lambda answer: answer["statusCode"] == 200,
    "listings_list": lambda answer: answer["statusCode"] == 200,
    "listings_operation": lambda answer: answer["statusCode"] == 200,
    "listings_show": lambda answer: answer["statusCode"] == 200,
    "listings_update": lambda answer: answer["statusCode"] == 202,
    "operation_poller_delayed": lambda answer: answer["success"],
    "operation_poller_each_minute": lambda answer: answer["success"],
    "operation_poller_portion": lambda answer: answer["success"],
    "operator_accounts": lambda answer: answer["statusCode"] == 200,
    "operator_act": lambda answer: answer["statusCode"] == 200,
    "operator_action": lambda answer: answer["statusCode"] == 404,  # no such action was begun
    "operator_actions": lambda answer: answer["statusCode"] == 200,
    "operator_budget_history": lambda answer: answer["statusCode"] == 200,
    "operator_budgets": lambda answer: answer["statusCode"] == 200,
    "operator_calls": lambda answer: answer["statusCode"] == 200,
    "operator_dead_letters": lambda answer: answer["statusCode"] == 200,
    "operator_job": lambda answer: answer["statusCode"] == 200,
    "operator_job_counts": lambda answer: answer["statusCode"] == 200,
    "operator_jobs": lambda answer: answer["statusCode"] == 200,
    "operator_lanes": lambda answer: answer["statusCode"] == 200,
    "operator_metrics": lambda answer: answer["statusCode"] == 200,
    "operator_metrics_text": lambda answer: answer["body"].startswith("# HELP sluice_"),
    "operator_operations": lambda answer: answer["statusCode"] == 200,
    "operator_overview": lambda answer: answer["statusCode"] == 200,
    "operator_promotions": lambda answer: answer["statusCode"] == 200,
    "operator_run": lambda answer: answer["statusCode"] == 202,
    "operator_runs": lambda answer: answer["statusCode"] == 200,
    "operator_stop_action": lambda answer: answer["statusCode"] == 404,  # no such action was begun
    "operator_tenants": lambda answer: answer["statusCode"] == 200,
    "operator_work": lambda answer: answer["statusCode"] == 200,
    "page_scheduler_each_minute": lambda answer: "ran" in answer,
    "page_worker_each_minute": lambda answer: answer["success"],
    "page_worker_woken": lambda answer: answer["success"],
    "pages_change": lambda answer: json.loads(answer["body"])["page"]["dropPercent"] == "15",
    "pages_checks_recent": lambda answer: json.loads(answer["body"])["scheduler"]["enabled"],
    "pages_checks_run": lambda answer: json.loads(answer["body"])["products"] == [],
    "pages_checks_slow": lambda answer: answer["statusCode"] == 200,
    "pages_checks_stats": lambda answer: answer["statusCode"] == 200,
    "pages_list": lambda answer: len(json.loads(answer["body"])["pages"]) == 1,
    "pages_prices": lambda answer: json.loads(answer["body"])["points"] == [],
    "pages_saved": lambda answer: answer["statusCode"] == 404,  # it was never looked at
    "pages_show": lambda answer: json.loads(answer["body"])["page"]["status"] == "waiting",
    "pages_track": lambda answer: answer["statusCode"] == 201,
    "pages_untrack": lambda answer: answer["statusCode"] == 200,
    "promotion_worker_each_minute": lambda answer: answer["success"],
    "promotions_cancel": lambda answer: answer["statusCode"] == 200,
    "promotions_create": lambda answer: answer["statusCode"] == 202,
    "promotions_list": lambda answer: answer["statusCode"] == 200,
    "promotions_show": lambda answer: answer["statusCode"] == 200,
    "reconciler_each_day": lambda answer: answer["success"] and answer["mismatches"] == 0,
    "reconciler_each_minute": lambda answer: answer["success"],
    "scheduler_each_minute": lambda answer: answer["errors"] == 0,
    "scheduler_nudge": lambda answer: answer["errors"] == 0,
    "api_events": lambda answer: answer["statusCode"] == 200,
    "notifications_mails": lambda answer: answer["statusCode"] == 200,
    "notifications_put": lambda answer: answer["statusCode"] == 200,
    "notifications_show": lambda answer: json.loads(answer["body"])["mail"]["address"] == "ops@acme.example",
    "notifications_test": lambda answer: json.loads(answer["body"])["state"] == "SENT",
    "notifier_each_minute": lambda answer: answer["mails"] >= 0 and answer["told"] == 0,
    "notifier_messages": lambda answer: answer == {"batchItemFailures": []},
    "webhook_sender_each_five_minutes": lambda answer: answer == {"overdue": 0},
    "webhook_sender_messages": lambda answer: answer == {"batchItemFailures": []},
    "webhooks_delete": lambda answer: answer["statusCode"] == 200,
    "webhooks_deliveries": lambda answer: answer["statusCode"] == 200,
    "webhooks_list": lambda answer: answer["statusCode"] == 200,
    "webhooks_put": lambda answer: "secret" in json.loads(answer["body"]),
    "webhooks_test": lambda answer: answer["statusCode"] == 202,
    "webhooks_resend": lambda answer: answer["statusCode"] == 404,  # there was nothing to send
    "webhooks_secret": lambda answer: answer["statusCode"] == 200,
    "webhooks_show": lambda answer: answer["statusCode"] == 200,
    "worker_messages": lambda answer: answer == {"batchItemFailures": []},
}
# Some events speak of what others leave behind.
FIRST = ["accounts_connect", "scheduler_each_minute", "enqueue_refresh", "enqueue_enrich"]
FIRST += ["listings_create", "listings_update"]
# A webhook lives as short as it can, so that nothing is sent outside.
WEBHOOKS = ("put", "show", "list", "secret", "deliveries", "test", "resend", "delete")
# An address is given before a mail goes there.
NOTIFICATIONS = ("put", "show", "test", "mails")
# A promotion is cancelled before its time: the worker would wait for it, and ask the marketplace.
LAST = [f"promotions_{what}" for what in ("create", "show", "list", "cancel")] + [f"webhooks_{one}" for one in WEBHOOKS]
LAST += [f"notifications_{one}" for one in NOTIFICATIONS]
# A page lives as short as it can, and no run comes meanwhile: its shop is invented.
LAST += [f"pages_{what}" for what in ("track", "show", "list", "change", "prices", "saved", "untrack", "checks_run")]
LAST += [
    f"inventory_{what}"
    for what in ("add", "show", "prices", "change", "refresh", "import", "import_progress", "delete")
]
# No record is published meanwhile (`before`): what these say of it is so before that.
LAST += [
    f"ebay_listings_{what}"
    for what in ("put", "put_many", "import", "import_progress", "list", "show", "change", "history")
]
LAST += ["ebay_listings_dry_run", "ebay_listings_draft"]
LAST += [f"ebay_listings_{what}" for what in ("snapshots", "force_snapshot", "snapshot", "diff", "delete")]
LAST += [f"ebay_listings_{what}" for what in ("put_group", "groups", "group", "change_group", "group_history")]
LAST += [f"ebay_listings_{what}" for what in ("group_dry_run", "group_snapshots", "force_group_snapshot")]
LAST += [f"ebay_listings_{what}" for what in ("group_snapshot", "group_diff", "check", "check_many", "delete_group")]
LAST += [f"ebay_listings_{what}" for what in ("policies", "standing", "resume", "sync_log", "answer", "read_policies")]
# It puts a record at eBay besides, of which those before do not speak.
LAST += ["inventory_worker_messages"]
LAST += ["accounts_disconnect"]  # nothing after it needs the account


@pytest.fixture(scope="module", autouse=True)
def before(laptop: Laptop) -> Iterator[None]:
    """The dead letter that the events speak of, and an account that may place ads; nothing is published at eBay.

    A pause is in force within 20 seconds, long before the first record is put.
    """
    laptop.connect("acme", "ebay")
    operations = laptop.api("operations", "platform")
    operations.post("/v1/operator/pauses", {"name": PUBLISH, "reason": "the events speak of what is not published"})
    item = letters.made().to_dynamodb_dict()
    laptop.cloud.client("dynamodb").put_item(TableName=f"{laptop.stack.name}-dead-letters", Item=item)
    yield
    operations.delete(f"/v1/operator/pauses/{PUBLISH}")


def function_of(event: str) -> str:
    """The function whose folder the event's name begins with."""
    return event_function(event).removeprefix("functions/").replace("_", "-")


def test_every_event_is_in_the_table() -> None:
    assert sorted(ANSWERS) == sorted(EVENTS)


def of_today(laptop: Laptop, name: str) -> dict[str, Any]:
    """The event, with what only a running stack can tell: credentials that work, and which configuration is newest."""
    event: dict[str, Any] = EVENTS[name]
    if name == "accounts_connect":  # credentials are tried out
        given = laptop.sandbox.connect("acme")
        return {**event, "body": json.dumps({field: getattr(given, field) for field in CREDENTIALS["stockx"]})}
    if name in ("operator_configure", "operator_revert_configuration"):  # tests before these may have changed it
        function = laptop.stack.function(function_of("operator_configuration"))
        newest = json.loads(laptop.cloud.invoke(function, EVENTS["operator_configuration"])["body"])["version"]
        return {**event, "body": json.dumps({**json.loads(event["body"]), "version": newest})}
    return event


@pytest.mark.parametrize("name", [*FIRST, *(name for name in EVENTS if name not in FIRST + LAST), *LAST])
def test_the_function_answers(laptop: Laptop, name: str) -> None:
    event = of_today(laptop, name)
    answer = laptop.cloud.invoke(laptop.stack.function(function_of(name)), event)
    assert ANSWERS[name](answer), answer


def test_a_page_of_a_listed_origin_may_call_the_api_and_one_of_another_may_not(laptop: Laptop) -> None:
    """The preflight needs no token; the request does, and says to whom its answer may be shown."""
    [origin, *_] = ORIGINS
    asked = {"access-control-request-method": "POST", "access-control-request-headers": "authorization, content-type"}
    url = f"{laptop.stack.api_url}/v1/market/refresh"
    preflight = httpx.options(url, headers={"origin": origin, **asked}, timeout=SECONDS)
    assert preflight.is_success
    assert preflight.headers["access-control-allow-origin"] == origin
    assert {"authorization", "content-type"} <= set(preflight.headers["access-control-allow-headers"].split(","))
    jobs = f"{laptop.stack.api_url}/v1/jobs"
    authorized = {"origin": origin, "authorization": f"Bearer {laptop.token('acme')}"}
    answer = httpx.get(jobs, headers=authorized, timeout=SECONDS)
    assert (answer.status_code, answer.headers["access-control-allow-origin"]) == (200, origin)
    assert "etag" in answer.headers["access-control-expose-headers"].lower()
    assert httpx.get(jobs, headers={"origin": origin}, timeout=SECONDS).status_code == 401
    other = {"origin": "https://evil.example", **asked}
    assert "access-control-allow-origin" not in httpx.options(url, headers=other, timeout=SECONDS).headers
