"""A seller's own report of everything that is for sale: one file for all listings. Today eBay's. Loads no HTTP client.

A report is a second source, and a weak one: it is made some minutes after it was asked for, may show what was there
long before, and holds price and quantity alone. So it says which listings are worth reading, and proves nothing.
"""

from collections.abc import Sequence
from typing import NamedTuple, Protocol

from sluice.marketplaces.http.errors import MarketplaceFailure, NotNow


class ReportsUsedUp(NotNow):
    """The seller may have no other report for now; others than Sluice may have asked for some."""

    code = "reports_used_up"


class ReportRow(NamedTuple):
    """One sku of a live listing. sku, amount, currency, quantity: None where the report does not say it."""

    listing_id: str
    sku: str | None
    amount: str | None
    currency: str | None
    quantity: int | None


class ReportTask(NamedTuple):
    """A report that was asked for, at `made_at` (epoch ms; None where that is not told).

    ready: its file is there. failed: there will be none.
    """

    task_id: str
    made_at: int | None
    ready: bool = False
    failed: bool = False


class Reports(Protocol):
    """One account's reports. Every method may raise the errors of `Session.exchange`."""

    def ask(self) -> str:
        """Ask for a report: its task's id. Raises ReportsUsedUp."""

    def newest(self, since: int) -> ReportTask | None:
        """The task that was made last, unless that was before `since` (epoch ms)."""

    def task(self, task_id: str) -> ReportTask | None:
        """A task as it is now; None where there certainly is none."""

    def rows(self, task_id: str) -> Sequence[ReportRow]:
        """All rows of a report that is ready.

        Raises:
            BadAnswer: its file is no whole report.
        """


def is_refusal(failure: MarketplaceFailure) -> bool:
    """Whether the marketplace does not let the account have reports: a scope or a permission is missing."""
    return failure.status == 403
