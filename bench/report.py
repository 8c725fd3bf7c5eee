"""The table that is printed, and what is kept in bench/results."""

import json
import os
import platform
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from rich.table import Table

from bench import ROOT, history
from bench.row import Row, show

RESULTS = ROOT / "bench" / "results"


def machine() -> str:
    """What the numbers were measured on, without a name or a path."""
    return f"Python {platform.python_version()}, {os.cpu_count()} cores, {platform.system()} {platform.machine()}"


def table(rows: Sequence[Row]) -> Table:
    """All rows, for a terminal."""
    result = Table("measure", "conditions", "result", "target", "", title=machine())
    for row in rows:
        result.add_row(row.measure, row.conditions, f"{show(row.result)} {row.unit}", row.target, row.verdict)
    return result


def write(rows: Mapping[str, Sequence[Row]], order: Sequence[str]) -> None:
    """`<date>.json` keeps each benchmark's newest rows of that day, `latest.md` shows those of all days in `order`.

    `history.html` draws them over the days.
    """
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / f"{datetime.now(UTC):%Y-%m-%d}.json"
    kept = json.loads(path.read_text()) if path.exists() else {"benchmarks": {}}
    kept["machine"] = machine()
    kept["benchmarks"] |= {name: [row.as_dict() for row in found] for name, found in rows.items()}
    path.write_text(json.dumps(kept, indent=1, ensure_ascii=False) + "\n")
    lines = [f"Each benchmark's newest rows. The last were measured on {machine()}.", ""]
    lines += ["| measured | measure | conditions | result | target | |", "|---|---|---|---|---|---|"]
    found = newest()
    for day, row in ((day, row) for name in order for day, rows_ in [found.get(name, ("", []))] for row in rows_):
        verdict = {True: "holds", False: "**missed**", None: ""}[row["holds"]]
        result = f"{show(row['result'])} {row['unit']}".rstrip()
        lines.append(f"| {day} | {row['measure']} | {row['conditions']} | {result} | {row['target']} | {verdict} |")
    (RESULTS / "latest.md").write_text("\n".join(lines) + "\n")
    draw(order)


def draw(order: Sequence[str]) -> None:
    """Write the page of all days."""
    days = {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in RESULTS.glob("*.json")}
    (RESULTS / "history.html").write_text(history.page(days, order), encoding="utf-8")


def newest() -> dict[str, tuple[str, list[dict[str, Any]]]]:
    """By the name of each benchmark, the day on which it was measured last, and its rows of then."""
    found: dict[str, tuple[str, list[dict[str, Any]]]] = {}
    for path in sorted(RESULTS.glob("*.json")):
        kept = json.loads(path.read_text(encoding="utf-8"))["benchmarks"]
        found |= {name: (path.stem, rows) for name, rows in kept.items() if rows}
    return found
