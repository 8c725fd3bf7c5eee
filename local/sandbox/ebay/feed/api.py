"""eBay Feed API v1: tasks for reports of live listings. One is ready after minutes, and shows when it was asked for."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

from local.sandbox.accounts import Accounts
from local.sandbox.call import Answer, Call, Routes
from local.sandbox.chance import chance
from local.sandbox.ebay.errors import ApiError, Json
from local.sandbox.ebay.feed import files
from local.sandbox.ebay.feed.faults import OddReport
from local.sandbox.ebay.inventory import inputs
from local.sandbox.ebay.inventory.book import DAY_MS, PACIFIC_MS, Listings
from local.sandbox.ebay.seller_api import SellerApi
from local.sandbox.faults import Faults
from local.sandbox.limits import Limits
from local.sandbox.switch import ReportAsked
from local.sandbox.times import iso

BASE = "/sell/feed/v1"
REPORT = "LMS_ACTIVE_INVENTORY_REPORT"
# A seller's reports of a day.
MOST_REPORTS = 25
# A report is ready after two to five minutes.
LEAST_MS, MOST_MS = 120_000, 300_000
READY = ("COMPLETED", "COMPLETED_WITH_ERROR")
ERRORS: Mapping[int, tuple[int, str]] = {
    1001: (401, "Invalid access token"),
    1100: (403, "Insufficient permissions to fulfill the request."),
    2001: (429, "The request limit has been reached for the resource."),
    2002: (404, "Resource not found"),
    160001: (404, "The task is not found."),
    160002: (400, "The feed type is missing or not supported."),
    160003: (400, "The result file of the task is not ready."),
    160025: (400, "The maximum number of jobs of this type in a day is reached."),
    160500: (500, "Internal error."),
}


class FeedError(ApiError):
    """An error of the Feed API."""

    def __init__(self, error_id: int) -> None:
        self.error_id = error_id
        self.status, self.words = ERRORS[error_id]
        super().__init__(error_id)

    def body(self) -> Json:
        domain = "ACCESS" if self.error_id < 20_000 else "API_FEED"
        words = {"message": self.words, "longMessage": self.words}
        return {"errorId": self.error_id, "domain": domain, "category": "REQUEST", **words}


@dataclass(frozen=True)
class Task:
    """A report that was asked for. found: what it shows."""

    task_id: str
    made_ms: int
    ready_ms: int
    found: list[files.Row]
    odd: OddReport


class Feed(SellerApi):
    """Reports, by account."""

    name = "ebay-feed"
    prefixes: tuple[str, ...] = ("/sell/feed/",)
    refused = FeedError
    failed = 160500
    limits = Limits(per_day=100_000, zone="America/Los_Angeles", retry_after=False)

    def __init__(self, seed: int, accounts: Accounts, listings: Listings, faults: Faults) -> None:
        super().__init__(accounts)
        self._seed, self._listings, self._faults = seed, listings, faults
        self.tasks: dict[str, list[Task]] = defaultdict(list)
        self._routes = Routes(
            ("POST", f"{BASE}/inventory_task", self._make),
            ("GET", f"{BASE}/inventory_task", self._list),
            ("GET", f"{BASE}/inventory_task/{{task_id}}", self._show),
            ("GET", f"{BASE}/task/{{task_id}}/download_result_file", self._download),
        )

    def _make(self, call: Call) -> Answer:
        body = inputs.body(call)
        if body.get("feedType") != REPORT or not body.get("schemaVersion"):
            raise FeedError(160002)
        account = self.account(call)
        tasks = self.tasks[account]
        today = (call.at_ms - PACIFIC_MS) // DAY_MS
        if sum((one.made_ms - PACIFIC_MS) // DAY_MS == today for one in tasks) >= MOST_REPORTS:
            raise FeedError(160025)
        struck = self._faults.strikes(ReportAsked(call.method, call.path, account))
        odd = next((one.fault for one in struck if isinstance(one.fault, OddReport)), OddReport())
        number = len(tasks) + 1
        found = tasks[-1].found if odd.behind and tasks else files.rows(self._listings.shop(account), odd)
        takes = LEAST_MS + (MOST_MS - LEAST_MS) * chance(self._seed, "report", account, number)
        takes = takes if odd.seconds is None else odd.seconds * 1_000
        task = Task(f"task-{number}-{9_000_000_000 + number}", call.at_ms, call.at_ms + round(takes), found, odd)
        tasks.append(task)
        return Answer(202, None, {"Location": f"{call.base_url}{BASE}/inventory_task/{task.task_id}"})

    def _list(self, call: Call) -> Answer:
        if call.query.get("feed_type") != REPORT:
            raise FeedError(160002)
        days = inputs.whole(call, "look_back_days", 7)
        since = call.at_ms - days * DAY_MS
        found = [one for one in reversed(self.tasks[self.account(call)]) if one.made_ms >= since]
        rows = [_shown(one, call.at_ms) for one in found[: inputs.whole(call, "limit", 10)]]
        return Answer(200, {"total": len(found), "limit": 10, "offset": 0, "tasks": rows})

    def _show(self, call: Call, task_id: str) -> Answer:
        return Answer(200, _shown(self._task(call, task_id), call.at_ms))

    def _download(self, call: Call, task_id: str) -> Answer:
        task = self._task(call, task_id)
        if _status(task, call.at_ms) not in READY:
            raise FeedError(160003)
        headers = {"Content-Disposition": f'attachment; filename="{task_id}.zip"'}
        return Answer(200, files.packed(task.found, task.odd), headers)

    def _task(self, call: Call, task_id: str) -> Task:
        for one in self.tasks[self.account(call)]:
            if one.task_id == task_id:
                return one
        raise FeedError(160001)


def _status(task: Task, now_ms: int) -> str:
    if now_ms >= task.ready_ms:
        return task.odd.status or "COMPLETED"
    return "CREATED" if now_ms < task.made_ms + LEAST_MS // 2 else "IN_PROCESS"


def _shown(task: Task, now_ms: int) -> Json:
    status = _status(task, now_ms)
    shown: Json = {
        "taskId": task.task_id,
        "status": status,
        "feedType": REPORT,
        "creationDate": iso(task.made_ms),
        "schemaVersion": "1.0",
        "filterCriteria": {},
    }
    if status in READY:
        shown |= {"completionDate": iso(task.ready_ms), "uploadSummary": {"successCount": len(task.found)}}
    return shown
