"""`make golden`: price the ten SKUs of the golden set on a stage, and show for each whether it worked.

Exits 0 when all have a price, 1 when one has not, with the reason in its row.
"""

import argparse
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import httpx
from rich.console import Console
from rich.table import Table

from local.golden import items
from tools import stage
from tools.api import Api, ApiError
from tools.stage import NoStage

LOOK_SECONDS = 2.0
OVER = {"succeeded", "dead", "cancelled"}
Json = dict[str, Any]


@dataclass
class Check:
    """One SKU on one marketplace. job: as it was last seen; price: as it is stored; why: what keeps it from passing."""

    item: Json
    job_id: str | None = None
    state: str = "refused"
    price: Json = field(default_factory=dict)
    why: str = ""

    @property
    def passed(self) -> bool:
        """Whether its job has succeeded, and left a price."""
        return self.state == "succeeded" and not self.why


def main(arguments: Sequence[str]) -> int:
    """Run the command; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tools.golden", description=__doc__.partition("\n")[0])
    parser.add_argument("marketplaces", nargs="*", metavar="MARKETPLACE", help="default: all that are connected")
    parser.add_argument("--seconds", type=float, default=600, help="how long to wait (default: 600)")
    given = parser.parse_args(arguments)
    console = Console(highlight=False, soft_wrap=True)
    try:
        with stage.connect() as api:
            checks = check(api, given.marketplaces or connected(api), give_up_after(given.seconds))
    except (NoStage, ApiError, httpx.HTTPError) as error:
        console.print(f"FAILED: {error}", markup=False)
        return 1
    except KeyboardInterrupt:
        return 130
    (console if console.is_terminal else Console(width=200)).print(table(checks))
    failed = sum(not one.passed for one in checks)
    console.print(f"FAILED: {failed} of {len(checks)}" if failed else f"OK: all {len(checks)} have a price")
    return 1 if failed else 0


def connected(api: Api) -> list[str]:
    """The marketplaces with a working account.

    Raises:
        ApiError: there is none.
    """
    working = ("ACTIVE", "UNVERIFIED")
    found = [one["marketplace"] for one in api.get("/v1/accounts")["accounts"] if one["status"] in working]
    if not found:
        raise ApiError("no working marketplace account is connected; connect one with PUT /v1/accounts/{marketplace}")
    return found


def give_up_after(seconds: float) -> Callable[[], bool]:
    """What to do between two looks: wait, and say whether to look again."""
    deadline = time.monotonic() + seconds

    def rest() -> bool:
        time.sleep(min(LOOK_SECONDS, max(0.0, deadline - time.monotonic())))
        return time.monotonic() < deadline

    return rest


def check(api: Api, marketplaces: Iterable[str], rest: Callable[[], bool]) -> list[Check]:
    """Ask for the golden set on `marketplaces` and follow it to its end, or until `rest` says that there is no time."""
    checks = [Check(item) for marketplace in marketplaces for item in items(marketplace)]
    for one, answer in zip(checks, _enqueue(api, [one.item for one in checks]), strict=True):
        one.job_id, one.why = answer.get("jobId"), answer.get("error", {}).get("message", "")
    while True:
        for one in checks:
            if one.job_id and one.state not in OVER:
                _look(api, one.job_id, one)
        if all(one.state in OVER for one in checks if one.job_id) or not rest():
            return checks


def _enqueue(api: Api, wanted: list[Json]) -> list[Json]:
    """The answer for each of `wanted`, also where all of them are refused and the API answers with an error."""
    try:
        answer = api.post("/v1/market/refresh", {"items": wanted})
    except ApiError as error:
        if "items" not in error.body:
            raise
        answer = error.body
    answers: list[Json] = answer["items"]
    return answers


def _look(api: Api, job_id: str, one: Check) -> None:
    job = api.job(job_id)
    one.state, error = job["state"], job.get("error") or {}
    if one.state == "succeeded":
        one.why = ""
        _find_price(api, one)
    elif one.state in OVER:
        one.why = error.get("message", "somebody has cancelled it")
    else:
        one.why = f"not done in time: {job['wait']['message']}"


def _find_price(api: Api, one: Check) -> None:
    named = ("sku", "marketplace", "size", "sizeSystem", "currency")
    found = api.get("/v1/market/prices", **{name: one.item[name] for name in named})["prices"]
    if not found:
        one.why = "its job has succeeded, and no price is stored"
    elif not (found[0]["ask"] or found[0]["bid"]):
        one.why = "the marketplace names neither an ask nor a bid"
    one.price = found[0] if found else {}


def table(checks: Iterable[Check]) -> Table:
    """What became of each."""
    made = Table("", "SKU", "size", "marketplace", "state", "ask", "bid", "age", "why not", title="the golden set")
    for one in checks:
        cells = (one.item["sku"], f"{one.item['sizeSystem']} {one.item['size']}", one.item["marketplace"], one.state)
        amounts = (one.price.get("ask") or "", one.price.get("bid") or "")
        verdict = "[green]pass[/]" if one.passed else "[red]FAIL[/]"
        made.add_row(verdict, *cells, *amounts, age(one.price.get("observedAt")), one.why)
    return made


def age(observed_at: str | None) -> str:
    """How long ago a price was observed."""
    if observed_at is None:
        return ""
    return f"{max(0, round((datetime.now(UTC) - datetime.fromisoformat(observed_at)).total_seconds()))} s"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
