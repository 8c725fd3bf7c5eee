"""`make mutants`: small faults put into the engine, and whether its own fast tests notice.

```
 FILES=budgets/ledger.py,queue    files or folders of shared/sluice/jobs; all of them
 SAMPLE=300                       so many of the mutants, chosen by chance; `all` is all of them
 SEED=7                           the same sample again
 JOBS=2                           so many at once
 LIMIT=60                         tests of so many seconds for each, the quickest of those that reach it
```
"""

import multiprocessing
import os
import random
import sys
import time
import tomllib
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from itertools import starmap
from pathlib import Path
from typing import Any, Final

from rich.console import Console
from rich.table import Table

from tests.mutants.mutations import Mutant, mutants
from tests.mutants.reach import ENGINE, Reach, known
from tests.mutants.trial import CAUGHT, HUNG, SURVIVED, UNREACHED, Verdict, trial, warm

SURVIVORS: Final = Path(__file__).with_name("survivors.toml")
# Of all mutants, at least so many in a hundred are caught.
LEAST_PERCENT: Final = 90

console = Console(soft_wrap=True, highlight=False)


def explained() -> dict[tuple[str, str, str, str], str]:
    """Why mutants that survive do not matter, by `Mutant.key`."""
    told: list[dict[str, Any]] = tomllib.loads(SURVIVORS.read_text()).get("survivor", [])
    return {(one["file"], one["where"], one["before"], one["after"]): one["reason"] for one in told}


def made(files: Sequence[str]) -> list[Mutant]:
    """All mutants of `files`, which are files or folders below the engine's; of none, of the whole engine."""
    paths = [ENGINE / name for name in files] or [ENGINE]
    found = sorted({path for one in paths for path in ([one] if one.suffix else one.rglob("*.py"))})
    return [mutant for path in found for mutant in mutants(str(path.relative_to(ENGINE)), path.read_text())]


def sample(all_: Sequence[Mutant], size: str, seed: int) -> list[Mutant]:
    """`size` of them by chance, or all."""
    few = list(all_) if size == "all" else random.Random(seed).sample(list(all_), min(int(size), len(all_)))
    return sorted(few, key=lambda one: (one.file, one.line))


def tried(chosen: Sequence[Mutant], reach: Reach, jobs: int, limit: float) -> Iterable[Verdict]:
    """What became of each, as it becomes known."""
    warm(reach)
    work = [(mutant, reach.of(mutant, limit), reach.seconds) for mutant in chosen]
    if jobs == 1:
        return starmap(trial, work)
    return multiprocessing.get_context("fork").Pool(jobs).imap_unordered(_one, work)


def _one(work: tuple[Mutant, list[str], dict[str, float]]) -> Verdict:
    return trial(*work)


def main() -> int:
    """What the process ends with: 0 where enough were caught, and all others are explained."""
    seed = int(os.environ.get("SEED") or random.SystemRandom().randrange(10_000))
    files = (os.environ.get("FILES") or "").replace(",", " ").split()
    all_, reach, reasons = made(files), known(), explained()
    chosen = sample(all_, os.environ.get("SAMPLE") or "300", seed)
    console.print(f"{len(chosen)} of {len(all_)} mutants, SEED={seed}")
    began, new = time.perf_counter(), list[Verdict]()
    ends: dict[str, Counter[str]] = defaultdict(Counter)
    jobs, limit = int(os.environ.get("JOBS") or 1), float(os.environ.get("LIMIT") or 60)
    for number, verdict in enumerate(tried(chosen, reach, jobs, limit), 1):
        mutant, what = verdict.mutant, verdict.what
        if what in (SURVIVED, UNREACHED) and mutant.key in reasons:
            what = "explained"
        ends[mutant.file][what] += 1
        if what in (SURVIVED, UNREACHED):
            new.append(verdict)
            console.print(f"{what}: {mutant.file}:{mutant.line} {mutant.where}", style="bold")
            console.print(f"  - {mutant.before}\n  + {mutant.after}", markup=False)
        if number % 50 == 0:
            console.print(f"{number} in {time.perf_counter() - began:.0f} s", style="dim")
    return _report(ends, new)


def _report(ends: dict[str, Counter[str]], new: Sequence[Verdict]) -> int:
    table = Table("file", "made", CAUGHT, f"of them {HUNG}", "explained", SURVIVED, UNREACHED)
    total = Counter[str]()
    for file, each in sorted(ends.items()):
        total += each
        table.add_row(file, *_numbers(each))
    table.add_section()
    table.add_row("all", *_numbers(total))
    console.print(table)
    share = 100 * (total[CAUGHT] + total[HUNG]) / max(1, total.total())
    console.print(f"{share:.1f} % caught; {len(new)} survive without a reason in {SURVIVORS.name}")
    return int(share < LEAST_PERCENT or bool(new))


def _numbers(each: Counter[str]) -> list[str]:
    caught = each[CAUGHT] + each[HUNG]
    return [
        str(number) for number in (each.total(), caught, each[HUNG], each["explained"], each[SURVIVED], each[UNREACHED])
    ]


if __name__ == "__main__":
    sys.exit(main())
