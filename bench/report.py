"""The table that is printed, and what is kept in bench/results."""

import json
import os
import platform
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from rich.table import Table

from bench import ROOT
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
    """`<date>.json` keeps each benchmark's newest rows of that day, `latest.md` shows them in `order`."""
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / f"{datetime.now(UTC):%Y-%m-%d}.json"
    kept = json.loads(path.read_text()) if path.exists() else {"benchmarks": {}}
    kept["machine"] = machine()
    kept["benchmarks"] |= {name: [row.as_dict() for row in found] for name, found in rows.items()}
    path.write_text(json.dumps(kept, indent=1, ensure_ascii=False) + "\n")
    lines = [f"Measured {path.stem} on {machine()}.", ""]
    lines += ["| measure | conditions | result | target | |", "|---|---|---|---|---|"]
    for row in (row for name in order for row in kept["benchmarks"].get(name, [])):
        verdict = {True: "holds", False: "**missed**", None: ""}[row["holds"]]
        result = f"{show(row['result'])} {row['unit']}".rstrip()
        lines.append(f"| {row['measure']} | {row['conditions']} | {result} | {row['target']} | {verdict} |")
    (RESULTS / "latest.md").write_text("\n".join(lines) + "\n")
