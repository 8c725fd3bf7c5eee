"""`python -m tools.checks`: begin a run of page checks on a stage, and show how it goes. For a shell or cron.

Exit codes: 0 every page was read, 1 some were not, 2 the run could not be made, 130 stopped by the keyboard.
"""

import sys
import time
from collections.abc import Callable
from typing import Any

import httpx
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from tools import stage
from tools.api import Api, ApiError
from tools.stage import NoStage

CHECKS = "/v1/operator/checks"
LOOK_SECONDS = 2.0
# A run of 50 pages at one slow shop, with what is tried again.
MOST_SECONDS = 900.0
GOOD = ("product", "unchanged")
COLUMNS = (TextColumn("pages"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
Json = dict[str, Any]


class NotRun(Exception):  # noqa: N818 - what happened
    """The run did not come to its end; the text says why."""


def main() -> int:
    """Run the command; returns the exit code."""
    console = Console(highlight=False, soft_wrap=True)
    try:
        with stage.connect() as api:
            return report(check(api, console), console)
    except (NoStage, NotRun, ApiError, httpx.HTTPError) as error:
        console.print(f"COULD NOT RUN: {error}", markup=False)
        return 2
    except KeyboardInterrupt:
        console.print("\nstopped watching; the checks that were asked for go on")
        return 130


def check(
    api: Api,
    console: Console,
    rest: Callable[[], None] = lambda: time.sleep(LOOK_SECONDS),
    clock: Callable[[], float] = time.monotonic,
) -> dict[str, Json]:
    """Begin a run and follow it to its end; `rest` is called between two checks. Returns the last check of each page.

    Raises:
        NotRun: not every page was checked in time.
    """
    run = api.post(f"{CHECKS}/run-now", {})
    wanted, deadline = set(run["products"]), clock() + MOST_SECONDS
    console.print(
        f"run {run['run']}: {len(wanted)} pages are due, {run['waiting']} wait already, "
        f"{run['leftAlone']} are left alone because their shops take no requests just now"
    )
    found: dict[str, Json] = {}
    with Progress(*COLUMNS, console=console, disable=not console.is_terminal) as bar:
        task = bar.add_task("", total=len(wanted))
        while True:
            seen = len(found)
            for product in wanted - found.keys():
                if last := _over(api, product, run["run"]):
                    found[product] = last
                    if not console.is_terminal:
                        console.print(f"  {last['status']:<11} {last['durationMs']:>6} ms  {last['url']}", markup=False)
            bar.update(task, completed=len(found))
            if found.keys() == wanted:
                return found
            if clock() > deadline:
                raise NotRun(f"{len(wanted) - len(found)} of {len(wanted)} pages were not checked in time")
            if len(found) == seen:
                rest()


def report(found: dict[str, Json], console: Console) -> int:
    """Say how it went; returns the exit code."""
    bad = [one for one in found.values() if one["status"] not in GOOD]
    for one in bad:
        console.print(f"{one['status']}: {one['url']}: {one['about'] or one['error']}", markup=False)
    if bad:
        console.print(f"FAILED: {len(bad)} of {len(found)} pages could not be read")
        return 1
    console.print(f"OK: {len(found)} pages read")
    return 0


def _over(api: Api, product: str, run: str) -> Json | None:
    """The last check of a page in this run, unless it is tried again."""
    checks: list[Json] = api.get(f"{CHECKS}/recent", product=product, limit=10)["checks"]
    own = [one for one in checks if one["run"] == run]
    return own[0] if own and not own[0]["again"] else None


if __name__ == "__main__":
    sys.exit(main())
