"""Each event of events/ that belongs to the API works with its own handler, as `sam local invoke` would send it."""

import json
from typing import Any

import pytest

from local.cloud.cloud import ROOT
from sluice.jobs.queue import tally
from sluice.notifications import api as notifications
from sluice.operator.actions import Action
from sluice.platform.config.pause_table import put
from sluice.platform.config.pauses import Pause
from tests.support.ebay_records import SKU, accept, accept_group
from tests.support.http import Answer, event_function, route_functions, send
from tests.support.letters import write
from tests.support.stream import changes
from tests.unit.api.conftest import Cloud
from tests.unit.api.document import conforms

EVENTS = {path.stem: json.loads(path.read_text()) for path in sorted((ROOT / "events").glob("*.json"))}
API = {name: event for name, event in EVENTS.items() if event.get("version") == "2.0" and "type" not in event}

# Those that only take what is asked for; the work is done later.
TAKEN = {"enqueue_refresh", "dead_letters_replay", "webhooks_resend", "webhooks_test", "notifications_test"} | {
    f"listings_{change}" for change in ("activate", "bulk", "create", "deactivate", "delete", "update")
}
# The page is tracked already; of one that was never looked at nothing is saved, and no case is open.
OTHERS = {
    "pages_track": 409,
    "pages_saved": 404,
    "ebay_listings_force_snapshot": 201,
    "ebay_listings_force_group_snapshot": 201,
    "ebay_listings_answer": 404,
}
TAKEN |= {f"ebay_listings_{change}" for change in ("put", "put_many", "import", "change", "delete")}
TAKEN |= {
    "ebay_listings_read_policies",
    "ebay_listings_check",
    "ebay_listings_check_many",
    *(f"ebay_listings_{change}_group" for change in ("put", "change", "delete")),
    "operator_run",
    "promotions_create",
    *(f"inventory_{what}" for what in ("add", "import", "refresh")),
}


def give(name: str) -> Answer:
    """Send the event to the function that its name begins with."""
    answer = send(API[name], event_function(name))
    conforms(API[name]["routeKey"], answer)
    return answer


@pytest.fixture
def stocked(acme: Cloud) -> Cloud:
    """`acme` has what the events are about."""
    acme.filled("what events are about", lambda: stock(acme))
    return acme


def stock(acme: Cloud) -> None:
    give("inventory_add")
    give("inventory_import")
    acme.enqueue("acme", "DD1391-100", priority="hot")
    acme.price("DD1391-100")
    acme.healthy()
    write()
    acme.webhook()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(notifications, "STANDING_MS", 0)  # it is confirmed long after it was put
        give("notifications_put")
        acme.mailbox.confirm("ops@acme.example")
        give("notifications_show")
    give("listings_create")
    give("enqueue_enrich")
    acme.connect_seller("acme")
    give("promotions_create")
    give("ebay_listings_put")
    give("ebay_listings_import")
    accept("acme", SKU, acme.now)
    give("ebay_listings_put_group")
    accept_group("acme", API["ebay_listings_group"]["pathParameters"]["key"], acme.now)
    give("pages_track")
    shown = API["operator_action"]["pathParameters"]["action_id"]
    Action("acme", shown, action="cancel", state="running", whose="acme", target={}, pages=0).save()
    put(Pause("stockx", "maintenance", "kim@operations.example", acme.now), acme.now)
    tally.follow(changes("jobs"))  # promotions are counted from the table's stream


def test_there_is_an_event_for_each_route() -> None:
    assert sorted(event["routeKey"] for event in API.values()) == sorted(route_functions())


@pytest.mark.parametrize("name", API)
def test_each_event_is_named_after_its_function(name: str) -> None:
    assert route_functions()[API[name]["routeKey"]] == event_function(name)


@pytest.mark.parametrize("name", API)
def test_each_event_is_answered_as_the_document_says(stocked: Cloud, name: str) -> None:
    assert give(name).status == OTHERS.get(name, 202 if name in TAKEN else 200)


def test_refresh(stocked: Cloud) -> None:
    outcomes: list[Any] = [item["outcome"] for item in give("enqueue_refresh").json["items"]]
    assert outcomes == ["raised", "created", "refused"]


def test_prices(stocked: Cloud) -> None:
    [price] = give("api_prices").json["prices"]
    assert (price["sku"], price["ask"], price["bid"], price["observedAt"][-1]) == ("DD1391-100", "150", None, "Z")


def test_jobs(stocked: Cloud) -> None:
    kinds = [job["jobId"].partition(":")[0] for job in give("api_jobs").json["jobs"]]
    assert kinds == ["listing.create", "market.refresh"]


def test_job(stocked: Cloud) -> None:
    assert give("api_job").json["wait"]["reason"] == "ready"


def test_cancel(stocked: Cloud) -> None:
    assert give("api_cancel_job").json["outcome"] == "cancelled"
    assert give("api_job").json["state"] == "cancelled"


def test_accounts(stocked: Cloud) -> None:
    assert give("accounts_connect").json["status"] == "ACTIVE"
    assert give("accounts_get").json in give("accounts_list").json["accounts"]
    assert give("accounts_disconnect").json["marketplace"] == "stockx"


def test_dead_letters(stocked: Cloud) -> None:
    [letter] = give("dead_letters_list").json["deadLetters"]
    assert give("dead_letters_show").json["id"] == letter["id"]
    assert give("dead_letters_replay_many").json["matched"] == 1
    assert give("dead_letters_acknowledge").json["acknowledgedBy"] == "ann@acme.example"
    assert give("dead_letters_replay").json["outcome"] == "merged"


def test_inventory(stocked: Cloud) -> None:
    assert [one["outcome"] for one in give("inventory_add").json["items"]] == ["exists", "refused"]
    [item] = give("inventory_list").json["items"]
    assert give("inventory_show").json == item
    assert [one["days"] for one in give("inventory_prices").json["prices"]] == [[]]  # no catalog knows the size
    assert (item["cost"], give("inventory_change").json["item"]["cost"]) == ("110", "105.50")
    assert give("inventory_refresh").json["refreshes"] == 1
    assert give("inventory_import").json == give("inventory_import_progress").json
    assert [row["line"] for row in give("inventory_import_progress").json["refused"]] == [4]
    assert give("inventory_delete").json == {"itemId": item["itemId"]}


def test_listings(stocked: Cloud) -> None:
    [listing] = give("listings_list").json["listings"]
    assert give("listings_show").json == listing
    assert listing["reference"] == "shelf-4-box-2"
    assert give("listings_operation").json["listingIds"] == [listing["listingId"]]
    assert give("listings_bulk").json["counts"] == {"accepted": 1, "refused": 2}
    give("listings_update")
    assert [change["action"] for change in give("listings_show").json["changes"]] == ["CREATE", "UPDATE"]


def test_promotions(stocked: Cloud) -> None:
    promotion = give("promotions_show").json["job"]
    assert (promotion["listingId"], promotion["adRate"], promotion["status"]) == ("110551234567", 5.5, "pending")
    listed = give("promotions_list").json
    assert listed["promotions"] == [promotion]
    assert listed["stats"] == {"total": 1, "ready": 0, "pending": 1, "succeeded": 0, "failed": 0}
    assert give("promotions_cancel").json["jobId"] == promotion["id"]
    assert give("promotions_show").json["job"]["status"] == "cancelled"


def test_pages(stocked: Cloud) -> None:
    [page] = give("pages_list").json["pages"]
    assert (page["label"], page["targetPrice"]) == ("winter boots", {"amount": "99.00", "currency": "EUR"})
    assert give("pages_change").json["page"]["dropPercent"] == "15"
    assert give("pages_checks_run").json["products"] == [page["pageId"]]
    assert give("pages_checks_recent").json["checks"] == []
    assert give("pages_untrack").json == {"pageId": page["pageId"]}
    assert give("pages_list").json["pages"] == []
