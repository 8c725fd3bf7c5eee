"""`python -m bench [NAME …]`: run the benchmarks, print one table, write it to bench/results.

`python -m bench cost --jobs NUMBER` reckons from their newest results what a month costs.
"""

import argparse
import os
import sys
import time
import traceback
from collections.abc import Sequence

from rich.console import Console

from bench import cost, report
from bench.one import NAMES, isolated, measure
from bench.row import Row
from local.laptop import keep_parent_environment_clean

# For the processes of the benchmarks, where Powertools reads it. Logs and metrics are made as in a function, and not
# shown.
POWERTOOLS = {
    "POWERTOOLS_SERVICE_NAME": "bench",
    "POWERTOOLS_METRICS_NAMESPACE": "bench",
    "POWERTOOLS_METRICS_DISABLED": "true",
    "POWERTOOLS_LOG_LEVEL": "ERROR",
}


def main(arguments: Sequence[str]) -> int:
    """Run what `arguments` name, or all. 0 also when a target is missed, which the table says; 1 when one failed."""
    if arguments and arguments[0] == "cost":
        return cost.main(arguments[1:])
    parser = argparse.ArgumentParser(prog="python -m bench", description="What Sluice costs, beside its targets.")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"which benchmarks: {', '.join(NAMES)} (default: all)")
    wanted = parser.parse_args(arguments).names or NAMES
    if unknown := [name for name in wanted if name not in NAMES]:
        parser.error(f"unknown benchmark {unknown[0]!r}; there are {', '.join(NAMES)}")
    keep_parent_environment_clean()
    os.environ.setdefault("SLUICE_STAGE", "local")
    os.environ |= POWERTOOLS
    measured: dict[str, list[Row]] = {}
    for name in wanted:
        started = time.monotonic()
        print(f"{name} …", file=sys.stderr, flush=True)
        try:
            measured[name] = isolated(measure, name)
        except Exception:  # noqa: BLE001 - the others are measured all the same
            traceback.print_exc()
        print(f"{name} took {time.monotonic() - started:.0f} s", file=sys.stderr, flush=True)
    rows = [row for found in measured.values() for row in found]
    # rich would take FORCE_COLOR for a terminal.
    (Console() if sys.stdout.isatty() else Console(width=200, force_terminal=False)).print(report.table(rows))
    report.write(measured, NAMES)
    missed, held_to = sum(row.holds is False for row in rows), sum(row.holds is not None for row in rows)
    print(f"{missed} of {held_to} targets MISSED" if missed else f"all {held_to} targets hold")
    if failed := [name for name in wanted if name not in measured]:
        print(f"could not be measured: {', '.join(failed)}", file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
