"""eBay Feed API v1: the report of a seller's active listings (`LMS_ACTIVE_INVENTORY_REPORT`). The `Reports` of eBay.

What is not as one would think (Feed 1.3, Merchant Data, and what sellers have met):
- The answer to a new task has no body: its id is the end of the address in the header `Location`.
- A seller has 25 reports a day, whoever asks for them; one more is refused with 160025, too many at once with 160024.
- There is no schedule for this report, and no word of when it is ready: it takes minutes.
- COMPLETED_WITH_ERROR has a file too, of which nobody says what is missing: it counts as failed.
"""

import re
from typing import Final

from sluice.jobs.model.outcomes import Then
from sluice.marketplaces.ebay.meanings import MISSING_SCOPE
from sluice.marketplaces.ebay.report_file import rows_of
from sluice.marketplaces.ebay.seller_api import SellerApi
from sluice.marketplaces.http import errors, fields
from sluice.marketplaces.http.errors import BadAnswer, MarketplaceFailure
from sluice.marketplaces.http.exchange import Call
from sluice.marketplaces.http.fields import Value
from sluice.marketplaces.reports import ReportRow, ReportsUsedUp, ReportTask
from sluice.platform.clock import HOUR

BASE: Final = "/sell/feed/v1"
TASKS: Final = f"{BASE}/inventory_task"
REPORT: Final = "LMS_ACTIVE_INVENTORY_REPORT"
# eBay's files have 15 MB at the most.
FILE_BYTES: Final = 16 * 1024 * 1024
USED_UP: Final = frozenset({"160024", "160025"})
# Documents say a day, and do not say whose: so it is tried again each hour.
_WAIT_MS: Final = HOUR
READY: Final = "COMPLETED"
# `FeedStatusEnum`: no report comes of these. Any other is on its way.
FAILED: Final = frozenset({"ABORTED", "COMPLETED_WITH_ERROR", "FAILED", "PARTIALLY_PROCESSED"})


def meaning(failure: MarketplaceFailure, now: int) -> MarketplaceFailure:
    """What `failure` of a Feed call is, as far as its ids tell more than HTTP does. Pure."""
    codes = {one.code for one in failure.said} | {failure.code}
    if codes & USED_UP:
        return ReportsUsedUp(
            failure.message,
            status=failure.status,
            code=sorted(filter(None, codes & USED_UP))[0],
            retry_at=now + _WAIT_MS,
        )
    if failure.action is Then.SNOOZE or failure.status is None or failure.status >= 500:
        return failure
    if failure.status in (403, 404) or MISSING_SCOPE in codes:
        return failure
    told = errors.UnknownReason(failure.message, status=failure.status, code=failure.code)
    told.said = failure.said
    return told


class Feed(SellerApi):
    """One seller's reports; see `reports.Reports`."""

    api = "feed"
    _means = staticmethod(meaning)

    def ask(self) -> str:
        """See `Reports`."""
        answer = self._exchange(Call("POST", TASKS, json={"feedType": REPORT, "schemaVersion": "1.0"}))
        found = re.search(r"/inventory_task/([A-Za-z0-9._-]{1,100})/?$", answer.headers.get("location", ""))
        if not found:
            raise BadAnswer(f"{answer.source}: the answer names no task", status=answer.status, uncertain=True)
        return found[1]

    def newest(self, since: int) -> ReportTask | None:
        """See `Reports`."""
        query: dict[str, str | int] = {"feed_type": REPORT, "look_back_days": 1, "limit": 10}
        answer = self._exchange(Call("GET", TASKS, query=query))
        if answer.status == 204 or not answer.body:
            return None
        tasks = [_task(row) for row in fields.read(answer)["tasks"].optional_rows()]
        late = [one for one in tasks if one.made_at is not None and one.made_at >= since]
        return max(late, key=lambda one: one.made_at or 0, default=None)

    def task(self, task_id: str) -> ReportTask | None:
        """See `Reports`."""
        try:
            return _task(fields.read(self._exchange(Call("GET", f"{TASKS}/{{task_id}}", {"task_id": task_id}))))
        except MarketplaceFailure as failure:
            if failure.status == 404 and failure.said:
                return None
            raise

    def rows(self, task_id: str) -> list[ReportRow]:
        """See `Reports`."""
        path = f"{BASE}/task/{{task_id}}/download_result_file"
        call = Call("GET", path, {"task_id": task_id}, headers={"accept": "*/*"}, most_bytes=FILE_BYTES)
        answer = self._exchange(call)
        return rows_of(answer.body, answer.source)


def _task(row: Value) -> ReportTask:
    status, made = row["status"].text(), row["creationDate"].optional_time()
    return ReportTask(row["taskId"].text(), made, ready=status == READY, failed=status in FAILED)
