"""How soon a change that others make at eBay is found, with 10,000 listings of one seller, and what looking costs.

In virtual time, and tables within this process: the real reconciler, engine and adapter look at the sandbox's eBay, a
round for each share of the quota. Others sell, end and hold listings, and change prices and titles, at random times.
"""

from contextlib import redirect_stdout
from dataclasses import dataclass
from io import StringIO
from statistics import fmean

from bench.one import isolated
from bench.row import Row
from tests.support.ebay_many import Found, list_many, watch
from tests.support.ebay_seller import open_ebay_seller
from tests.support.store import Answer, Request, Send, store

LISTINGS, CHANGES = 10_000, 400
# Percent of the application's daily calls, with the mean age, in minutes, that is to hold.
SHARES = ((25, 16), (1, 35))
QUOTA = 2_000_000
WRITES = ("PutItem", "UpdateItem", "DeleteItem", "TransactWriteItems", "BatchWriteItem")


@dataclass
class Writes:
    """Counts the write units of every request."""

    units: float = 0.0

    def around(self, request: Request, send: Send) -> Answer:
        request.parameters["ReturnConsumedCapacity"] = "INDEXES"
        answer = send()
        if request.operation in WRITES:
            found = answer.get("ConsumedCapacity") or []
            self.units += sum(one["CapacityUnits"] for one in (found if isinstance(found, list) else [found]))
        return answer


def run() -> list[Row]:
    rows: list[Row] = []
    for percent, most in SHARES:
        found, units = isolated(_measure, percent)
        conditions = f"{LISTINGS:,} listings, {CHANGES} changes, {percent} % of {QUOTA:,} calls a day"
        rows += [
            Row("changes at eBay that were not found, or told twice", conditions, found.missed + found.twice, most=0),
            Row("mean age of a found change", conditions, found.mean_age, "min", most=most),
            *(Row(f"  of those that {deed}", conditions, fmean(ages), "min") for deed, ages in found.by_deed.items()),
            Row("mean age that Sluice tells of a look at everything", conditions, found.told_age, "min"),
            Row("  of quantities, titles and pictures, by pages of items", conditions, found.items_age, "min"),
            Row("  of prices and what is there, by reports", conditions, found.report_age, "min"),
            Row("calls a day", conditions, found.calls_a_day, most=QUOTA * percent / 100),
            Row("write units a day", conditions, units * 1_440 / found.minutes, "WU"),
        ]
    return rows


def _measure(percent: int) -> tuple[Found, float]:
    # Metrics are made as in a function; here nobody reads what they print.
    with redirect_stdout(StringIO()), store() as tables, open_ebay_seller() as seller:
        skus = list_many(seller, LISTINGS)
        writes = Writes()
        tables.around = writes.around
        return watch(seller, skus, percent=percent, changes=CHANGES), writes.units
