"""What the marketplaces say happened, beside what was asked for: each promise that was broken, in a sentence."""

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from local.chaos.load import TENANTS, Ask
from local.laptop import Laptop
from sluice_command.api import Api
from sluice_command.lists import rows

FINAL = ("succeeded", "dead", "cancelled")


def broken(laptop: Laptop, asks: Sequence[Ask]) -> list[str]:
    """Every promise that does not hold, once all that was asked for has come to an end."""
    found = list[str]()
    for tenant in TENANTS:
        own = [ask for ask in asks if ask.tenant == tenant]
        with laptop.api(tenant) as api:
            states = {ask.job_id: api.job(ask.job_id)["state"] for ask in own if ask.what != "record"}
            found += _ends(api, own, states)
        dead = {job_id for job_id, state in states.items() if state == "dead"}
        for each in (_listings, _ads, _records):
            found += each(laptop, tenant, own, dead)
    return [*found, *_jobs(laptop)]


def jobs(laptop: Laptop) -> Iterator[dict[str, Any]]:
    """Every job as it is stored."""
    pages = laptop.cloud.client("dynamodb").get_paginator("scan").paginate(TableName=f"{laptop.stack.name}-jobs")
    return (item for page in pages for item in page["Items"])


def _ends(api: Api, asks: Sequence[Ask], states: Mapping[str, str]) -> Iterator[str]:
    """What was asked for is done. What was killed more often than it has attempts has a dead letter that says so."""
    letters = {one["jobId"] for one in rows(api, "/v1/dead-letters", "deadLetters", None)}
    for ask in asks:
        if ask.what == "record":
            if (state := api.get(f"/v1/ebay/listings/{ask.name}")["state"]) != "live":
                yield f"{ask} is {state}"
        elif (state := states[ask.job_id]) == "dead":
            if ask.job_id not in letters:
                yield f"{ask} is dead, and no letter says why"
        elif state != "succeeded":
            yield f"{ask} is {state}"


def _listings(laptop: Laptop, tenant: str, asks: Sequence[Ask], dead: set[str]) -> Iterator[str]:
    """Each create has made one listing, and no two; the last change of each is what StockX shows."""
    found = [one for one in laptop.sandbox.listings(tenant) if one.exists]
    made = Counter(one.operations[0].change.amount for one in found)
    shown = Counter(one.amount for one in found if one.status == "ACTIVE")
    last = {ask.listing_id: ask for ask in asks if ask.what in ("listing", "change")}
    for ask in asks:
        if ask.what == "listing":
            yield from _once(ask, made[ask.name], "listings at StockX", dead)
    for ask in last.values():
        yield from _once(ask, shown[ask.name], "listings offered for that", dead)
    if sum(made.values()) > len(last):
        yield f"{tenant} asked for {len(last)} listings, and StockX has made {dict(made)}"


def _ads(laptop: Laptop, tenant: str, asks: Sequence[Ask], dead: set[str]) -> Iterator[str]:
    ads = Counter(ad.listing_id for ad in laptop.sandbox.ads(tenant))
    for ask in asks:
        if ask.what == "ad":
            yield from _once(ask, ads[ask.name], "ads", dead)


def _records(laptop: Laptop, tenant: str, asks: Sequence[Ask], dead: set[str]) -> Iterator[str]:
    shop, records = laptop.sandbox.ebay_shop(tenant), [ask for ask in asks if ask.what == "record"]
    for ask in records:
        yield from _once(ask, len(list(shop.live_of(ask.name))), "listings at eBay", dead)
    if len(shop.listings) > len(records):
        yield f"{tenant} has {len(shop.listings)} listings at eBay for {len(records)} records"


def _once(ask: Ask, times: int, what: str, dead: set[str]) -> Iterator[str]:
    """What was done is there once. What a dead job should have done may be there, or not."""
    if times > 1 or (times == 0 and ask.job_id not in dead):
        yield f"{ask} has {times} {what}"


def _jobs(laptop: Laptop) -> Iterator[str]:
    """No job is left where nobody looks: whatever is not over is due some time, in a lane."""
    for item in jobs(laptop):
        over = item["state"]["S"] in FINAL
        if over == ("lane" in item) or over == ("due_at" in item):
            yield f"a job stands where nobody looks: {json.dumps(item)}"
