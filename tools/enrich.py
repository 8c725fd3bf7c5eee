"""`make enrich`: have the products that are old, or lack a name or a picture, looked up again, and show how far it is.

The stage does the work, in its own budgets. Ending this command ends only the watching; started again, it goes on.
"""

import sys
import time
from collections.abc import Callable
from typing import Any

import httpx
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn

from tools import stage
from tools.api import Api, ApiError
from tools.stage import NoStage

PATH = "/v1/catalog/enrichment"
LOOK_SECONDS = 3.0
# How each line of a terminal begins and ends.
COLUMNS = (
    TextColumn("products"),
    BarColumn(),
    MofNCompleteColumn(),
    TaskProgressColumn(),
    TimeElapsedColumn(),
    TextColumn("{task.description}"),
)
Json = dict[str, Any]


def main() -> int:
    """Run the command; returns the exit code: 0 done, 1 something failed, 130 stopped by the keyboard."""
    console = Console(highlight=False, soft_wrap=True)
    try:
        with stage.connect() as api:
            return report(enrich(api, console), console)
    except (NoStage, ApiError, httpx.HTTPError) as error:
        console.print(f"FAILED: {error}", markup=False)
        return 1
    except KeyboardInterrupt:
        console.print("\nstopped watching; the jobs that wait go on. `make enrich` goes on with the rest.")
        return 130


def enrich(api: Api, console: Console, rest: Callable[[], None] = lambda: time.sleep(LOOK_SECONDS)) -> Json:
    """Begin the enrichment, or go on with it, to its end; `rest` is called between two looks. Returns the last look."""
    with Progress(*COLUMNS, console=console, disable=not console.is_terminal) as bar:
        task, last = bar.add_task("", total=None), ""
        found: Json = api.post(PATH, {})
        while True:
            bar.update(task, total=found["products"], completed=found["done"], description=_waits(found))
            line = f"{found['done']} of {found['products']} products{_waits(found)}"
            if line != last and not console.is_terminal:
                console.print(line, markup=False)
            last = line
            if found["state"] == "finished":
                return found
            if found["state"] == "running":
                rest()
                found = api.get(PATH)
            if found["state"] == "ready":
                found = api.post(PATH, {})


def report(found: Json, console: Console) -> int:
    """Say how it ended; returns the exit code."""
    for marketplace, count in found["noAccount"].items():
        console.print(
            f"products that nobody could be asked for: {count}; "
            f"connect a working {marketplace} account (PUT /v1/accounts/{marketplace})"
        )
    if found["failed"]:
        console.print(
            f"FAILED: look-ups that failed: {found['failed']}; GET /v1/dead-letters?kind=catalog.enrich says why"
        )
        return 1
    console.print(f"OK: {found['done']} products dealt with")
    return 0


def _waits(found: Json) -> str:
    return "".join(f"; {wait['marketplace']} waits: {wait['message']}" for wait in found["waits"])


if __name__ == "__main__":
    sys.exit(main())
