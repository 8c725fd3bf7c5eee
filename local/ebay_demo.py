"""The part of the demo that keeps eBay equal to records: five edits are one publish, and what eBay ends is found."""

import time
from concurrent.futures import ThreadPoolExecutor
from io import StringIO
from types import TracebackType
from typing import Any, Final, Self

from rich.console import Console
from rich.table import Table

from local.laptop import ANSWER_SECONDS, Api, Laptop

# Edits within so long are one publish; else within half a minute.
WINDOW_SECONDS: Final = 15
EBAY: Final = {"coalesce_seconds": WINDOW_SECONDS}
# How often the scheduler is run by hand. By itself it comes once a minute.
TICK_SECONDS = 3
EDITED, ENDED = "AJ1-CHICAGO-10", "AJ1-CHICAGO-11"
LISTINGS = "/v1/ebay/listings"
PRICES = ("239", "235", "232", "229", "225")


class ListingsDiffer(Exception):  # noqa: N818 - what happened
    """eBay is not as the records say; the text says what differs."""


class Beside:
    """A context manager that keeps listings equal while other chapters wait; `finish` prints what it did.

    When the other chapters fail, it is given up: it ends with the laptop, and says nothing.
    """

    def __init__(self, laptop: Laptop, api: Api, tenant: str) -> None:
        self._text = StringIO()
        self._threads = ThreadPoolExecutor(1)
        console = Console(file=self._text, highlight=False, soft_wrap=True, width=120, force_terminal=False)
        self._done = self._threads.submit(keep_equal, laptop, api, tenant, console)

    def finish(self, console: Console) -> None:
        """Wait for the end. Raises what it has raised."""
        try:
            self._done.result()
        finally:
            console.file.write(self._text.getvalue())

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)


def keep_equal(laptop: Laptop, api: Api, tenant: str, console: Console) -> None:
    """Publish two listings of `tenant`, whose eBay account is connected; edit one, and let eBay end the other."""
    shop = laptop.sandbox.ebay_shop(tenant)
    outcomes = [api.put(f"{LISTINGS}/{sku}", record(sku.rpartition("-")[2]))["outcome"] for sku in (EDITED, ENDED)]
    console.print(f"\nPUT {LISTINGS}/{{sku}} → 2 records, {' and '.join(outcomes)}")
    for sku in (EDITED, ENDED):
        found = _until(laptop, api, sku, "live")
        console.print(f"  {sku} is live at eBay as {found['listingId']}")
    began = time.monotonic()
    for price in PRICES:
        change = {"title": f"Air Jordan 1 Chicago, now {price} USD", "price": {"amount": price}}
        edited = api.call("PATCH", f"{LISTINGS}/{EDITED}", change)
    console.print(
        f"PATCH …/{EDITED} → five edits in {time.monotonic() - began:.1f} s; the record is at {edited['version']}"
    )
    shop_ended = next(one for one in shop.live() if one.listing_id == api.get(f"{LISTINGS}/{ENDED}")["listingId"])
    laptop.sandbox.world.ebay.end(shop_ended, "EBAY_ENDED")
    _until(laptop, api, EDITED, "live")
    attempts = [one for one in api.get("/v1/ebay/sync-log", sku=EDITED)["attempts"] if one["version"] > 1]
    console.print(
        f"  {len(attempts)} publish: {', '.join(attempts[0]['planned'])}; it published version {attempts[0]['version']}"
    )
    _show_difference(api, EDITED, console)
    if [one["version"] for one in attempts] != [1 + len(PRICES)]:
        raise ListingsDiffer(f"five edits should be one publish, and were {attempts}")
    _ended(laptop, api, console)


def _ended(laptop: Laptop, api: Api, console: Console) -> None:
    """eBay has ended a listing: a look finds it, and a person decides."""
    laptop.cloud.invoke(laptop.stack.function("reconciler"), {})
    console.print(f"\neBay has ended {ENDED}: the reconciler looks")
    found = _until(laptop, api, ENDED, "ended", drift=1)
    table = Table("listing", "state", "open drift", "since", "case", title=f"GET {LISTINGS}/{ENDED}")
    for one in found["openDrift"]:
        table.add_row(ENDED, found["state"], one["class"], one["at"], one["case"])
    console.print(table)
    [case] = found["openDrift"]
    if case["class"] != "ended":
        raise ListingsDiffer(f"eBay ended {ENDED}, and what was found is {case}")
    api.post(f"/v1/ebay/cases/{case['case']}", {"answer": "theirs"})
    console.print("POST /v1/ebay/cases/{case} theirs → the record is ended too, instead of another listing")
    found = _until(laptop, api, ENDED, "ended", snapshots=2)
    _show_difference(api, ENDED, console)
    if found["openDrift"] or found["status"] != "ended":
        raise ListingsDiffer(f"{ENDED} should be ended with nothing open, and is {found}")


def _until(laptop: Laptop, api: Api, sku: str, state: str, *, drift: int = 0, snapshots: int = 0) -> dict[str, Any]:
    """The record, once eBay has its newest version and it is in this state."""
    found: dict[str, Any] = {}
    ticked = 0.0

    def look() -> bool:
        nonlocal found, ticked
        found = api.get(f"{LISTINGS}/{sku}")
        if found["state"] == "failed":
            raise ListingsDiffer(f"{sku} was not published: {found['error']}")
        if (found["state"], found["drift"]) == (state, drift) and found["snapshots"] >= snapshots:
            return True
        if time.monotonic() - ticked > TICK_SECONDS:
            ticked = time.monotonic()
            laptop.cloud.invoke(laptop.stack.function("scheduler"), {})
        return False

    api.wait(look, ANSWER_SECONDS, f"{sku} is {state} at eBay")
    return found


def _show_difference(api: Api, sku: str, console: Console) -> None:
    newest = api.get(f"{LISTINGS}/{sku}")["snapshots"]
    found = api.get(f"{LISTINGS}/{sku}/snapshots/diff", before=newest - 1, after=newest)
    console.print(f"GET …/{sku}/snapshots/diff?before={found['before']}&after={found['after']}")
    for path, change in found["changes"].items():
        console.print(f"  {path}: {change['from']} → {change['to']}", markup=False)


def record(size: str) -> dict[str, Any]:
    """A pair of shoes of that US size as its seller wants it listed at eBay."""
    return {
        "marketplace": "EBAY_US",
        "language": "en-US",
        "title": "Air Jordan 1 Chicago",
        "description": "<p>New, with box.</p>",
        "condition": "NEW",
        "category": "15709",
        "aspects": {"Brand": ["Jordan"], "Department": ["Men"], "US Shoe Size": [size]},
        "images": ["https://shop.example/chicago.jpg"],
        "product": {"brand": "Jordan", "mpn": "DZ5485-612"},
        "price": {"amount": "245", "currency": "USD"},
        "quantity": 1,
        "policies": {kind: {"name": f"Usual {kind}"} for kind in ("fulfillment", "payment", "return")},
        "location": "home",
    }
