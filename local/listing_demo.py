"""The part of the demo that sells: listings created, confirmed, repriced, refused and deleted."""

import time
from typing import Any

from rich.console import Console
from rich.table import Table

from local.laptop import ANSWER_SECONDS, Api, Laptop
from local.sandbox.outcomes import FailOperation
from sluice_command.golden_set import items

# How often the poller is started by hand. By itself it runs twice a minute.
POLL_SECONDS = 4
FLOOR = 50
FINAL = {"COMPLETED", "FAILED", "PARTIAL", "CANCELLED"}


class SaleFailed(Exception):  # noqa: N818 - what happened
    """A listing is not what it should be; the text says which."""


def sell(laptop: Laptop, api: Api, console: Console) -> None:
    """Offer three sizes of the first SKU; then reprice one, ask too little for the second, and delete the third."""
    laptop.sandbox.faults.set(FailOperation(below=FLOOR, reason="Price too low"))
    sku = items()[0]["sku"]
    offers = [{"sku": sku, "size": size, "amount": "180", "currency": "USD"} for size in ("9", "10", "11")]
    accepted = [api.post("/v1/stockx/listings", offer) for offer in offers]
    repriced, refused, deleted = (answer["listingId"] for answer in accepted)
    console.print(f"\nPOST /v1/stockx/listings → {len(accepted)} listings of {sku}, each answered with a job")
    _follow(laptop, api, [answer["jobId"] for answer in accepted], console)
    changes = [
        api.call("PATCH", f"/v1/stockx/listings/{repriced}", {"amount": "175"}),
        api.call("PATCH", f"/v1/stockx/listings/{refused}", {"amount": str(FLOOR // 2)}),
        api.delete(f"/v1/stockx/listings/{deleted}"),
    ]
    console.print("now one is repriced, one asks too little, one is deleted")
    _follow(laptop, api, [answer["jobId"] for answer in changes], console)
    found = {listing: api.get(f"/v1/stockx/listings/{listing}") for listing in (repriced, refused, deleted)}
    _show(api, found, console)
    seen = [(one["status"], one["amount"]) for one in found.values()]
    if seen != [("ACTIVE", "175"), ("ACTIVE", "180"), ("DELETED", "180")]:
        raise SaleFailed(f"the listings should be repriced, as they were, and deleted, and are {seen}")


def _follow(laptop: Laptop, api: Api, jobs: list[str], console: Console) -> None:
    """Until every operation is final: what its job and the marketplace say, a line for each change."""
    before: dict[str, str] = {}
    started = polled = time.monotonic()

    def look() -> bool:
        nonlocal polled
        if time.monotonic() - polled > POLL_SECONDS:
            polled = time.monotonic()
            laptop.cloud.invoke(laptop.stack.function("operation-poller"), {})
        for job in jobs:
            operation = api.get(f"/v1/operations/{job}")
            word = _word(operation)
            if before.get(job) != word:
                before[job] = word
                action, listing = operation["action"], operation["listingIds"][0][:8]
                console.print(f"  {time.monotonic() - started:5.1f} s  {action:<8} {listing}…  {word}")
        return all(word.partition(":")[0] in FINAL for word in before.values())

    api.wait(look, ANSWER_SECONDS, "every operation is final")


def _word(operation: dict[str, Any]) -> str:
    status: str = operation["status"]
    if status == "IN_PROGRESS":
        return f"{status} ({operation['state']})" if operation["operationId"] is None else f"{status} at StockX"
    return f"{status}: {operation['error']['message']}" if operation["error"] else status


def _show(api: Api, listings: dict[str, Any], console: Console) -> None:
    table = Table("listing", "size", "status", "asks", "history", title="GET /v1/stockx/listings, …/history")
    for listing_id, listing in listings.items():
        entries = api.get(f"/v1/stockx/listings/{listing_id}/history")["history"]
        story = ", ".join(f"{entry['action']} {entry['status']}" for entry in entries)
        table.add_row(listing_id[:8], listing["size"], listing["status"], f"{listing['amount']} USD", story)
    console.print(table)
