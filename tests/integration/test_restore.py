"""A stack is lost; its tables' export is restored into a new stack on the local cloud, and the work goes on there."""

import os
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

from local.cloud import deploy
from local.cloud.cloud import ROOT
from local.laptop import ANSWER_SECONDS, STACK, Api, Laptop
from operate.bring_back import RULES
from sluice.platform.clock import HOUR, SystemClock, iso
from tests.integration.levers import hasten
from tests.support import backup
from tests.support.stack import PROGRAM_SECONDS, until

NEW = "sluice-restored"
TENANT = "restored"
SKU = "DD1391-100"


def export(laptop: Laptop) -> dict[str, list[dict[str, Any]]]:
    """Every item of every table of the stack."""
    pages = laptop.cloud.client("dynamodb").get_paginator("scan")
    named = {table: f"{STACK}-{table.replace('_', '-')}" for table in RULES}
    return {
        table: [item for page in pages.paginate(TableName=name, ConsistentRead=True) for item in page["Items"]]
        for table, name in named.items()
    }


def restore(laptop: Laptop, folder: Path, *more: str) -> subprocess.CompletedProcess[str]:
    """The command, as whoever runs the stack runs it."""
    command = [sys.executable, "-m", "operate.restore", str(folder), "--stack", NEW, *more]
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), **laptop.cloud.environment}
    return subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=PROGRAM_SECONDS, check=False
    )


def active(api: Api) -> list[dict[str, Any]]:
    """The tenant's listings that are on the market, as the API shows them."""
    return [one for one in api.get("/v1/stockx/listings")["listings"] if one["status"] == "ACTIVE"]


def priced(api: Api, size: str) -> None:
    """A price is asked for, and comes."""
    [item] = api.post("/v1/market/refresh", {"items": [{"sku": SKU, "size": size, "priority": "manual"}]})["items"]
    until(lambda: api.get(f"/v1/jobs/{item['jobId']}")["state"] == "succeeded", f"a price of size {size}")


def test_accounts_jobs_and_listings_go_on_in_a_new_stack(laptop: Laptop, tmp_path: Path) -> None:
    laptop.connect(TENANT, "stockx")
    lost = laptop.api(TENANT)
    priced(lost, "9")  # so that its sizes are known
    offer = {"sku": SKU, "size": "9", "amount": "180", "currency": "USD"}
    first = lost.post("/v1/stockx/listings", offer)["jobId"]

    def on_the_market(number: int, job: str) -> bool:
        hasten(laptop, job)
        laptop.cloud.invoke(laptop.stack.function("operation-poller"), {})
        return len(active(lost)) == number

    until(lambda: on_the_market(1, first), "the first listing")
    # The second is asked for, and nobody knows how far it is when the backup is made; the lost stack does all of it.
    second = lost.post("/v1/stockx/listings", offer | {"size": "10"})["jobId"]
    at = SystemClock().now()
    backup.write(tmp_path, STACK, export(laptop), at)
    until(lambda: on_the_market(2, second), "the second listing")

    parameters = laptop.parameters | {"ScheduleState": "DISABLED"}
    new = deploy(laptop.cloud, NEW, parameters)
    # The lost stack made its last call long ago: no budget waits for it.
    done = restore(laptop, tmp_path, "--stopped-at", iso(at - 2 * HOUR), "--open", "stockx")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "1. deploy sluice-restored with ScheduleState=ENABLED" in done.stdout
    deploy(laptop.cloud, NEW, laptop.parameters)
    with closing(Api(new.api_url, laptop.token(TENANT), seconds=ANSWER_SECONDS)) as api:

        def work(job: str) -> None:
            hasten(laptop, job, stack=NEW)
            laptop.cloud.invoke(new.function("scheduler"), {})
            laptop.cloud.invoke(new.function("operation-poller"), {})

        [account] = api.get("/v1/accounts")["accounts"]
        assert account["status"] == "ACTIVE"

        def goes_on() -> bool:
            work(second)
            return len(active(api)) == 2

        until(goes_on, "the second listing in the new stack")
        assert len(laptop.sandbox.listings(TENANT)) == 2
        # The tokens open with the new stack's key: what is asked for now is done.
        priced(api, "10")
        known = next(one for one in active(api) if one["size"] == "9")
        change = api.call("PATCH", f"/v1/stockx/listings/{known['listingId']}", {"amount": "175"})["jobId"]

        def repriced() -> bool:
            work(change)
            return sorted(one["amount"] for one in active(api)) == ["175", "180"]

        until(repriced, "a new price of the first listing")
    # A stack that works takes no backup any more.
    refused = restore(laptop, tmp_path)
    assert refused.returncode == 2
    assert "the scheduler of sluice-restored has run" in refused.stderr
