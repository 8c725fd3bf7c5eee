"""`make demo`: prices, listings, ads, product pages and eBay on the real template, with nothing outside this machine.

Exits 0 when all of them are as they should be, 1 with the reason when not, and leaves nothing running.
"""

import json
import signal
import sys
import time
from typing import Any

import httpx
from rich.console import Console
from rich.live import Live
from rich.table import Table

from local.cloud import CloudError, DeployError
from local.ebay_demo import EBAY, Beside, ListingsDiffer
from local.laptop import ANSWER_SECONDS, Api, ApiError, Laptop, keep_parent_environment_clean
from local.listing_demo import SaleFailed, sell
from local.page_demo import PACE, PAGES, PagesFailed, watch_pages
from local.promotion_demo import CONFIGURATION, PromotionFailed, promote
from sluice_command.golden_set import items

TENANT = "demo"
DONE = {"succeeded", "dead", "cancelled"}
# Waits of minutes are seconds here.
SHORT = {**json.loads(CONFIGURATION), "limits": {"pages": PACE}, "pages": PAGES, "ebay": EBAY}


class DemoFailed(Exception):  # noqa: N818 - what happened
    """The main job did not come to its end; the text says why."""


def main() -> int:
    """Run the demo; returns the exit code."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("stopped"))
    keep_parent_environment_clean()
    console = Console(highlight=False, soft_wrap=True, force_terminal=sys.stdout.isatty())  # whatever FORCE_COLOR says
    started = time.monotonic()
    try:
        with Laptop(configuration=json.dumps(SHORT), say=lambda line: console.print(f"  {line}")) as laptop:
            console.print(f"deployed template.yaml in {time.monotonic() - started:.1f} s\n")
            run(laptop, console)
    except (DemoFailed, ApiError, CloudError, DeployError, httpx.HTTPError, OSError, TimeoutError) as error:
        console.print(f"\nFAILED: {error}")
        return 1
    except KeyboardInterrupt:
        console.print("\nstopped; nothing is left running")
        return 130
    took = f"{time.monotonic() - started:.0f} s in all"
    done = "ten prices stored, three listings followed, three promoted, two pages watched, two kept equal"
    console.print(f"\nOK: {done}. {took}; nothing is left running.")
    return 0


def run(laptop: Laptop, console: Console) -> None:
    """The main job: connect, enqueue, watch, show; then sell, promote and watch pages. Beside it eBay is kept equal."""
    api = laptop.api(TENANT)
    laptop.connect(TENANT, "stockx", "ebay")
    with Beside(laptop, laptop.api(TENANT), TENANT) as beside:
        price_all(laptop, api, console)
        try:
            sell(laptop, api, console)
            promote(laptop, api, TENANT, console)
            watch_pages(laptop, api, console)
            beside.finish(console)
        except (SaleFailed, PromotionFailed, PagesFailed, ListingsDiffer, TimeoutError) as failure:
            raise DemoFailed(str(failure)) from failure
    show_memory(laptop, console)
    show_what_to_try(console)


def price_all(laptop: Laptop, api: Api, console: Console) -> None:
    """Ten SKUs at StockX, and one of them everywhere."""
    answer = api.post("/v1/market/refresh", {"items": items()})
    wanted = [row["jobId"] for row in answer["items"] if "jobId" in row]
    console.print(f"POST /v1/market/refresh → {len(answer['items'])} items: {answer['counts']}\n")
    if len(wanted) != len(items()):
        raise DemoFailed(f"not every item was accepted: {answer['items']}")
    try:
        jobs = watch(api, wanted, console)
    except TimeoutError as late:
        raise DemoFailed(f"{late}. {waiting(api, wanted)}") from late
    failed = [job for job in jobs.values() if job["state"] != "succeeded"]
    if failed:
        reasons = "; ".join(f"{job['jobId']} is {job['state']}: {job.get('error')}" for job in failed)
        raise DemoFailed(reasons)
    show_prices(api, console)
    show_calls(laptop, console)
    compare(laptop, api, console)


def watch(api: Api, wanted: list[str], console: Console) -> dict[str, Any]:
    """Follow the jobs until each is over: a live table in a terminal, a line for each change elsewhere."""
    jobs: dict[str, Any] = {}
    started = time.monotonic()

    def look() -> bool:
        for row in api.get("/v1/jobs", limit=100)["jobs"]:
            if row["jobId"] not in wanted:
                continue
            before = jobs.get(row["jobId"], {}).get("state")
            jobs[row["jobId"]] = row
            if not console.is_terminal and before != row["state"]:
                why = f"  {row['error']['message']}" if row.get("error") else ""
                console.print(f"  {time.monotonic() - started:5.1f} s  {row['jobId']:<50} {row['state']}{why}")
        return all(jobs.get(job_id, {}).get("state") in DONE for job_id in wanted)

    if console.is_terminal:
        with Live(progress(jobs, wanted), console=console, refresh_per_second=5) as live:

            def look_and_draw() -> bool:
                done = look()
                live.update(progress(jobs, wanted))
                return done

            api.wait(look_and_draw, ANSWER_SECONDS, "ten prices stored")
    else:
        api.wait(look, ANSWER_SECONDS, "ten prices stored")
    return jobs


def waiting(api: Api, wanted: list[str]) -> str:
    """Why the jobs that are not over are where they are."""
    jobs = [job for job in map(api.job, wanted) if job["state"] not in DONE]
    return "; ".join(f"{job['jobId']} is {job['state']}: {job['wait']['message']}" for job in jobs)


def progress(jobs: dict[str, Any], wanted: list[str]) -> Table:
    """The jobs as they stand."""
    table = Table("job", "priority", "state", "attempts", "ask")
    colours = {"succeeded": "green", "leased": "yellow", "dead": "red"}
    for job_id in wanted:
        job = jobs.get(job_id, {})
        state = job.get("state", "…")
        result = job.get("result") or {}
        colour = colours.get(state, "white")
        cells = (job.get("priority", ""), f"[{colour}]{state}[/]", job.get("attempts", ""), result.get("ask") or "")
        table.add_row(job_id, *map(str, cells))
    return table


def show_prices(api: Api, console: Console) -> None:
    """What the API now answers for each SKU."""
    table = Table("SKU", "size", "ask", "bid", "currency", "observed at", title="GET /v1/market/prices?sku=…")
    for item in items():
        found = api.get("/v1/market/prices", sku=item["sku"])["prices"]
        if not found:
            raise DemoFailed(f"{item['sku']} has no stored price")
        for price in found:
            size = f"{price['sizeSystem']} {price['size']}"
            amounts = (price["ask"] or "no ask", price["bid"] or "no bid")
            table.add_row(price["sku"], size, *amounts, price["currency"], price["observedAt"])
    console.print(table)


def compare(laptop: Laptop, api: Api, console: Console) -> None:
    """One SKU on all marketplaces, side by side."""
    laptop.connect(TENANT, "alias")
    sku, rest = items()[0]["sku"], [items(marketplace)[0] for marketplace in ("alias", "ebay")]
    answer = api.post("/v1/market/refresh", {"items": rest})
    console.print(f"\n{sku} on the other marketplaces too: {answer['counts']}")
    jobs = watch(api, [row["jobId"] for row in answer["items"] if "jobId" in row], console)
    if [job["state"] for job in jobs.values()] != ["succeeded"] * len(rest):
        raise DemoFailed(f"not every marketplace gave a price: {answer['items']}, {jobs}")
    size = {name: rest[0][name] for name in ("size", "sizeSystem")}
    table = Table("marketplace", "ask", "bid", "and says", title=f"{sku}, {size['sizeSystem']} {size['size']}, USD")
    for price in api.get("/v1/market/prices", sku=sku, **size)["prices"]:
        more = ", ".join(f"{name.replace('_', ' ')} {amount}" for name, amount in price["more"].items())
        table.add_row(price["marketplace"], price["ask"] or "no ask", price["bid"] or "no bid", more)
    console.print(table)


def show_calls(laptop: Laptop, console: Console) -> None:
    """What the prices took, counted by the marketplace."""
    seen = laptop.sandbox.report()
    usage = seen.usage[f"stockx/{TENANT}"]
    console.print(f"calls that the marketplace counted: {usage.calls} of 100 an hour; over a limit: {seen.over}")
    console.print(f"smallest gap between two calls: {usage.smallest_gap_ms} ms (limit: one in 1,000 ms)")


def show_memory(laptop: Laptop, console: Console) -> None:
    """The most that all of it took of this machine."""
    memory = laptop.cloud.peak_memory()
    largest = max(memory.functions.items(), key=lambda entry: entry[1], default=("none", 0))
    console.print(
        f"memory: {memory.total >> 20} MB in all, 2048 at most; {largest[0]} {largest[1] >> 20} MB, 256 at most"
    )


def show_what_to_try(console: Console) -> None:
    """What keeps running: all that this has started ends with it."""
    console.print(
        "\n`make up` starts the same stack and keeps it: with a token to call the API, and pages for a browser."
    )


if __name__ == "__main__":
    sys.exit(main())
