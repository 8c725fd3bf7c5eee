"""`make mutants`: small faults put into the engine, and whether its own fast tests notice.

```
 FILES=budgets/ledger.py,queue    files or folders of shared/sluice/jobs; all of them
 SAMPLE=300                       so many of the mutants, chosen by chance; `all` is all of them
 SEED=7                           the same sample again
 JOBS=2                           so many at once
 TESTS=tests/unit/jobs            fewer folders of tests: sooner, and what survives them others may catch
 LIMIT=60                         tests of so many seconds for each, the quickest of those that reach it
```
"""

import os
import random
import sys
import time
import tomllib
from collections import Counter, defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from rich.console import Console
from rich.table import Table

from tests.mutants.mutations import Mutant, mutants
from tests.mutants.reach import ENGINE, TESTS, known
from tests.mutants.trial import CAUGHT, HUNG, SURVIVED, UNREACHED, Trials, Verdict

SURVIVORS: Final = Path(__file__).with_name("survivors.toml")
# Of all mutants, at least so many in a hundred are caught.
LEAST_PERCENT: Final = 90
# Survives, and `survivors.toml` says why that does not matter: not tried.
EXPLAINED: Final = "explained"

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


def main() -> int:
    """What the process ends with: 0 where enough were caught, and all others are explained."""
    seed = int(os.environ.get("SEED") or random.SystemRandom().randrange(10_000))
    files = (os.environ.get("FILES") or "").replace(",", " ").split()
    folders = (os.environ.get("TESTS") or " ".join(TESTS)).split()
    all_, reach, reasons = made(files), known(folders), explained()
    chosen = sample(all_, os.environ.get("SAMPLE") or "300", seed)
    console.print(f"{len(chosen)} of {len(all_)} mutants, SEED={seed}")
    began, new = time.perf_counter(), list[Verdict]()
    ends: dict[str, Counter[str]] = defaultdict(Counter)
    for mutant in chosen:
        ends[mutant.file][EXPLAINED] += mutant.key in reasons
    unexplained = [one for one in chosen if one.key not in reasons]

    def told(verdict: Verdict) -> None:
        mutant, what = verdict.mutant, verdict.what
        ends[mutant.file][what] += 1
        if what in (SURVIVED, UNREACHED):
            new.append(verdict)
            console.print(f"{what}: {mutant.file}:{mutant.line} {mutant.where}", style="bold")
            console.print(f"  - {mutant.before}\n  + {mutant.after}", markup=False)
        number = sum(map(Counter.total, ends.values()))
        if number % 50 == 0:
            console.print(f"{number} in {time.perf_counter() - began:.0f} s", style="dim")

    jobs, limit = int(os.environ.get("JOBS") or 1), float(os.environ.get("LIMIT") or 60)
    Trials(reach, limit, jobs).run(unexplained, told)
    return _report(ends, new)


def _report(ends: dict[str, Counter[str]], new: Sequence[Verdict]) -> int:
    table = Table("file", "made", CAUGHT, f"of them {HUNG}", EXPLAINED, SURVIVED, UNREACHED)
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
        str(number) for number in (each.total(), caught, each[HUNG], each[EXPLAINED], each[SURVIVED], each[UNREACHED])
    ]


if __name__ == "__main__":
    sys.exit(main())
