"""`python -m tests.soak --seed 7 --steps 100000`: play a history, and say what is wrong in its end."""

import argparse
import gc
import os
import sys
import time
import traceback
from contextlib import redirect_stdout
from pathlib import Path

import tests.conftest  # noqa: F401 - every job kind is known
from tests.soak.play import play
from tests.support.store import store

# In which order Python goes through a set follows from it.
HASH_SEED = "0"


def main() -> int:
    """0 if nothing is wrong."""
    if os.environ.get("PYTHONHASHSEED") != HASH_SEED:
        os.environ["PYTHONHASHSEED"] = HASH_SEED
        os.execv(sys.executable, [sys.executable, "-m", "tests.soak", *sys.argv[1:]])
    parser = argparse.ArgumentParser(prog="python -m tests.soak", description=__doc__)
    parser.add_argument("--seed", type=int, default=1, help="what the history follows from")
    parser.add_argument("--steps", type=int, default=100_000, help="requests before the calm")
    parser.add_argument("--seeds", type=int, default=1, help="so many seeds, from this one on")
    chosen = parser.parse_args()
    failed = 0
    # What is loaded stays: nobody need look through it for garbage again and again.
    gc.collect()
    gc.freeze()
    for seed in range(chosen.seed, chosen.seed + chosen.seeds):
        began = time.process_time()
        again = f"  again: make soak SEED={seed} STEPS={chosen.steps}"
        try:
            with store() as tables, Path(os.devnull).open("w") as nowhere, redirect_stdout(nowhere):
                # Metrics are printed.
                history = play(tables, seed, chosen.steps)
        except Exception:  # noqa: BLE001 - whatever it is, the next seeds are played all the same
            failed += 1
            print(f"seed {seed}: it came to no end\n{traceback.format_exc()}{again}")
            continue
        spent = time.process_time() - began
        print(
            f"seed {seed}: {history.steps} steps in {history.runs} runs, {history.minutes} minutes of its own time, "
            f"{sum(history.broken.values())} faults, digest {history.digest}; {spent:.1f} s of CPU"
        )
        print(f"  {', '.join(f'{name} {number}' for name, number in sorted(history.broken.items()))}")
        for what in history.wrong[:20]:
            print(f"  wrong: {what}")
        if history.wrong:
            failed += 1
            print(again)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
