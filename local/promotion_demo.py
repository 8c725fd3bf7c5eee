"""The part of the demo that promotes: three ads, one of them for a listing that eBay does not know for a while."""

import json
import time
from collections.abc import Callable
from typing import Any, Final

from rich.console import Console
from rich.table import Table

from local.laptop import ANSWER_SECONDS, Api, Laptop

FINAL = {"succeeded", "failed", "cancelled"}
# A second stands for a minute: else the third try would come after seven minutes.
WAITS_SECONDS: Final = (1, 2, 4, 8, 10)
TIMES: Final = {"promotion.create": [seconds * 1_000 for seconds in WAITS_SECONDS]}
CONFIGURATION: Final = json.dumps({"engine": {"timetables": TIMES}, "promotions": {"stagger_ms": 400}})
SLOW = "110551000001"
LISTINGS = (SLOW, "110551000002", "110551000003")
# The slow listing is one that eBay's Marketing API gets to know after so many tries.
TRIES_IN_VAIN = 2
HOUR_SECONDS = 3_600
RATE = 5.5


class PromotionFailed(Exception):  # noqa: N818 - what happened
    """A promotion is not what it should be; the text says which."""


def promote(laptop: Laptop, api: Api, tenant: str, console: Console) -> None:
    """Promote three listings of `tenant`, whose eBay account is connected."""
    work(laptop)  # its first start takes longer than a second
    for listing in LISTINGS:
        laptop.sandbox.publish(tenant, listing, known_after_s=HOUR_SECONDS if listing == SLOW else 0)
    rows = [{"listingId": listing, "adRate": RATE} for listing in LISTINGS]
    jobs = api.post("/v1/promotions", {"batch": rows})["jobIds"]
    times = ", ".join(map(str, WAITS_SECONDS))
    console.print(f"\nPOST /v1/promotions → {len(jobs)} listings that were published a moment ago")
    console.print(f"a second stands for a minute here: tries after {times} s")
    console.print(f"eBay does not know {SLOW} yet; after {TRIES_IN_VAIN} tries in vain the sandbox lets it")

    def seen(job: dict[str, Any], tries: int) -> None:
        if job["listingId"] == SLOW and tries >= TRIES_IN_VAIN:
            laptop.sandbox.publish(tenant, SLOW, known_after_s=0)

    _follow(laptop, api, jobs, seen, console)
    _show(api, jobs, console)
    placed = {ad.listing_id: ad.rate for ad in laptop.sandbox.ads(tenant)}
    if placed != dict.fromkeys(LISTINGS, f"{RATE:.1f}"):
        raise PromotionFailed(f"each listing should have one ad at {RATE}, and eBay has {placed}")


def work(laptop: Laptop) -> None:
    """A run of the promotion worker. By itself it comes once a minute."""
    laptop.cloud.invoke(laptop.stack.function("promotion-worker"), {})


def _follow(
    laptop: Laptop, api: Api, jobs: list[str], seen: Callable[[dict[str, Any], int], None], console: Console
) -> None:
    """Until every promotion is over: a line for each try that is over, of which `seen` is told, and which it was."""
    before: dict[str, tuple[bool, int]] = {}
    started = time.monotonic()

    def look() -> bool:
        for job_id in jobs:
            job = api.get(f"/v1/promotions/{job_id}")["job"]
            # One that is due may be at its next try already, which is counted as it begins.
            tries = job["attempts"] - (job["status"] == "ready")
            now = (job["status"] in FINAL, tries)
            if tries > 0 and now > before.get(job_id, (False, 0)):
                before[job_id] = now
                seen(job, tries)
                console.print(f"  {time.monotonic() - started:5.1f} s  {job['listingId']}  {_word(job, tries)}")
        over = len([final for final, _ in before.values() if final]) == len(jobs)
        if not over:
            work(laptop)
        return over

    api.wait(look, ANSWER_SECONDS, "every promotion is over")


def _word(job: dict[str, Any], tries: int) -> str:
    number = f"try {tries} of {job['maxAttempts']}"
    return f"{number}: {job['lastError']['message']}" if job["lastError"] else f"{number}: the ad is there"


def _show(api: Api, jobs: list[str], console: Console) -> None:
    table = Table("listing", "status", "tries", "rate", "campaign", "ad", title="GET /v1/promotions")
    answer = api.get("/v1/promotions")
    for job in answer["promotions"]:
        table.add_row(
            job["listingId"], job["status"], str(job["attempts"]), f"{job['adRate']} %", job["campaignId"], job["adId"]
        )
    console.print(table)
    failed = [job for job in answer["promotions"] if job["id"] in jobs and job["status"] != "succeeded"]
    if failed:
        raise PromotionFailed(f"not every promotion has succeeded: {failed}")
