"""The routes that need no token: /health and the pictures."""

import xml.etree.ElementTree as ET
from typing import Any

import pytest
from pynamodb.expressions.operand import Path

from sluice.catalog import images
from sluice.jobs.run import records
from sluice.operator import counts, health
from sluice.operator.depth import Depth
from sluice.platform import tables as platform_tables
from sluice.platform.clock import MINUTE
from tests.support.http import call
from tests.support.store import Store
from tests.unit.api.conftest import Cloud
from tests.unit.api.document import conforms
from tests.unit.api.test_reads import counted

HEALTH = "GET /health"


def test_health_tells_how_the_scheduler_fares_and_nothing_of_any_tenant(acme: Cloud) -> None:
    acme.enqueue("acme", "DD1391-100")
    acme.healthy(ago=MINUTE)
    answer = call("GET", "/health", tenant=None)
    conforms(HEALTH, answer)
    assert (answer.status, answer.json["status"]) == (200, "ok")
    assert answer.json["ageSeconds"] >= 60
    assert "acme" not in answer.text


def test_health_is_degraded_when_due_work_waits_too_long(cloud: Cloud) -> None:
    cloud.healthy(oldest_due_age=1_801)
    answer = call("GET", "/health", tenant=None)
    assert (answer.status, answer.json["status"]) == (200, "degraded")


@pytest.mark.parametrize("ever", [True, False])
def test_health_is_bad_when_the_scheduler_is_silent(cloud: Cloud, ever: bool) -> None:
    if ever:
        cloud.healthy(ago=6 * MINUTE)
    answer = call("GET", "/health", tenant=None)
    conforms(HEALTH, answer)
    assert (answer.status, answer.json["error"]["code"]) == (503, "scheduler_silent")


def test_health_is_two_reads_with_ten_thousand_dead_letters_too(
    cloud: Cloud, tables: Store, requests: list[str]
) -> None:
    """Their number is one of the counters that the stream of jobs keeps."""
    cloud.healthy()
    dead = "n:listing.publish:ebay:dead"
    platform_tables.update(counts.Counts, (counts.ALL, counts.NOW), [Path([dead]).add(10_000)])
    with counted(tables) as read:
        requests.clear()
        answer = call("GET", "/health", tenant=None)
    assert requests == ["Query", "GetItem"]
    # The scheduler's snapshot, and the counters.
    assert sum(read) == 2
    assert answer.json["ebay"]["deadLetters"] == 10_000


def test_health_tells_how_ebay_listings_are_kept_equal(cloud: Cloud) -> None:
    cloud.healthy()
    empty = call("GET", "/health", tenant=None)
    conforms(HEALTH, empty)
    assert empty.json["ebay"]["lastSuccessAgeSeconds"] is None
    notes: dict[str, dict[str, Any]] = {
        "ebay.publish_success": {"at": cloud.now - 2 * MINUTE},
        "ebay.publish_error": {"at": cloud.now - 5 * MINUTE, "code": "25007"},
        "ebay.report": {"at": cloud.now - 30 * MINUTE},
        "ebay.reconcile": {"at": cloud.now - MINUTE, "remaining": 150_000, "limit": 2_000_000},
        "ebay.audit": {"at": cloud.now - 60 * MINUTE},
    }
    for part, note in notes.items():
        records.note(part, note)
    states = {"queued": 3, "leased": 2, "waiting": 0, "succeeded": 40, "dead": 1}
    adds = [Path([f"n:listing.publish:ebay:{state}"]).add(number) for state, number in states.items()]
    adds.append(Path(["n:market.refresh:ebay:queued"]).add(7))
    platform_tables.update(counts.Counts, (counts.ALL, counts.NOW), adds)
    answer = call("GET", "/health", tenant=None)
    conforms(HEALTH, answer)
    told = answer.json["ebay"]
    assert (told["queueDepth"], told["deadLetters"]) == (5, 1)
    assert 120 <= told["lastSuccessAgeSeconds"] < 240
    assert 300 <= told["lastErrorAgeSeconds"] < 420
    assert (told["lastErrorCode"], told["remainingCalls"], told["nearDepletion"]) == ("25007", 150_000, True)
    assert (told["reconcilerAgeSeconds"] // 60, told["auditAgeSeconds"] // 60) == (1, 60)
    assert told["reportAgeSeconds"] // 60 == 30


def test_depletion_is_near_at_a_tenth() -> None:
    def near(remaining: int) -> bool:
        notes = {"ebay.reconcile": {"at": 0, "remaining": remaining, "limit": 1_000}}
        return health.ebay(notes, Depth(0, 0), 0)["nearDepletion"]

    assert (near(101), near(100), near(0)) == (False, True, True)
    assert not health.ebay({}, Depth(0, 0), 0)["nearDepletion"]


@pytest.mark.parametrize("name", images.NAMES)
def test_each_picture_is_drawn_and_may_be_kept(cloud: Cloud, name: str) -> None:
    answer = call("GET", f"/v1/images/{name}.svg", tenant=None)
    conforms("GET /v1/images/{name}", answer)
    assert answer.status == 200
    assert answer.headers["Cache-Control"].startswith("public, max-age=")
    assert ET.fromstring(answer.text).attrib["viewBox"] == "0 0 400 300"


@pytest.mark.parametrize("category", ["sneakers", "Trading Cards", "collectibles", "watches", None])
def test_every_category_leads_to_a_picture(cloud: Cloud, category: str | None) -> None:
    assert call("GET", images.fallback(category), tenant=None).status == 200
