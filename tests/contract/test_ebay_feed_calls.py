"""Every request of the adapter for reports, and the sandbox's answer, against eBay's pages of the Feed API (1.3).

The Feed API stands in no document that is at hand; what its pages list of these four calls is written down here.
"""

import inspect
import json
from collections.abc import Callable
from typing import Any, Final

import httpx
import pytest

from sluice.marketplaces.ebay.feed import Feed
from tests.support.ebay_shop import EbayShop

BASE: Final = "/sell/feed/v1"
# Of each call: the query parameters, the fields of its body, and its answer's status.
DOCUMENTED: Final[dict[tuple[str, str], tuple[set[str], set[str], int]]] = {
    ("POST", f"{BASE}/inventory_task"): (set(), {"feedType", "schemaVersion", "filterCriteria"}, 202),
    ("GET", f"{BASE}/inventory_task"): (
        {"feed_type", "schedule_id", "look_back_days", "date_range", "limit", "offset"},
        set(),
        200,
    ),
    ("GET", f"{BASE}/inventory_task/*"): (set(), set(), 200),
    ("GET", f"{BASE}/task/*/download_result_file"): (set(), set(), 200),
}
TASK: Final = {
    *("taskId", "status", "feedType", "creationDate", "completionDate", "schemaVersion", "detailHref"),
    *("filterCriteria", "uploadSummary"),
}
COLLECTION: Final = {"href", "limit", "next", "offset", "prev", "tasks", "total"}


def ready(shop: EbayShop) -> str:
    task_id = shop.feed.ask()
    shop.clock.time += 600_000
    return task_id


CALLS: dict[str, Callable[[EbayShop], object]] = {
    "ask": lambda shop: shop.feed.ask(),
    "newest": lambda shop: (shop.feed.ask(), shop.feed.newest(0)),
    "task": lambda shop: shop.feed.task(shop.feed.ask()),
    "rows": lambda shop: (shop.publish(), shop.feed.rows(ready(shop))),
}


def problems(request: httpx.Request, response: httpx.Response) -> list[str]:
    path, task_id = request.url.path, request.url.path.removeprefix(BASE).split("/")[2:3]
    for part in task_id:
        path = path.replace(f"/{part}", "/*")
    known = DOCUMENTED.get((request.method, path))
    if known is None:
        return [f"{request.method} {path} is not documented"]
    query, fields, status = known
    body: Any = json.loads(request.content) if request.content else {}
    found = [f"unknown query {name}" for name in set(request.url.params) - query]
    found += [f"unknown field {name}" for name in set(body) - fields]
    if body and body.get("feedType") != "LMS_ACTIVE_INVENTORY_REPORT":
        found.append(f"no feed type: {body}")
    days, limit = int(request.url.params.get("look_back_days", 7)), int(request.url.params.get("limit", 10))
    if not (1 <= days <= 90 and 1 <= limit <= 500):
        found.append("a query beyond its range")
    if request.method == "POST" and request.headers.get("content-type") != "application/json":
        found.append("no JSON")
    if response.status_code != status:
        found.append(f"answered {response.status_code}")
    if path.endswith("inventory_task") and request.method == "POST":
        located = response.headers.get("location", "")
        return found if f"{BASE}/inventory_task/" in located and not response.content else [*found, "no Location"]
    return found + [f"answer: {one}" for one in _unknown(path, response)]


def _unknown(path: str, response: httpx.Response) -> set[str]:
    if path.endswith("download_result_file"):
        return set()
    answer = response.json()
    if path.endswith("/*"):
        return set(answer) - TASK
    return (set(answer) - COLLECTION) | {name for task in answer["tasks"] for name in set(task) - TASK}


def test_every_public_method_is_looked_at() -> None:
    assert {name for name, _ in inspect.getmembers(Feed, inspect.isfunction) if not name.startswith("_")} == set(CALLS)


@pytest.mark.parametrize("name", CALLS)
def test_every_request_and_its_answer_is_as_documented(name: str) -> None:
    shop = EbayShop()
    CALLS[name](shop)
    feed = [(request, response) for request, response in shop.sent if request.url.path.startswith(BASE)]
    assert feed
    assert [wrong for request, response in feed for wrong in problems(request, response)] == []
