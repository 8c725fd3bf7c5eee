"""The whole of Sluice in all weathers, then calm: all that anybody was promised holds (`docs/state_machine.md`).

`make soak SEED=7 STEPS=1000000` plays longer histories; a failure prints the command that plays the same one again.
"""

import os
import re
import subprocess
import sys

from local.cloud.cloud import ROOT

# 80,000 steps of trouble; with the calm behind each, more than 100,000 requests.
SEEDS = 4
STEPS = 20_000


def soak(seed: int, steps: int, seeds: int = 1) -> subprocess.CompletedProcess[str]:
    """What `make soak` runs."""
    command = [sys.executable, "-m", "tests.soak", "--seed", str(seed), "--steps", str(steps), "--seeds", str(seeds)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "shared")}
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)


def test_whatever_happens_what_was_promised_holds_in_the_end() -> None:
    """In one process: to start one takes as long as 2,000 steps."""
    done = soak(1, STEPS, SEEDS)
    assert done.returncode == 0, done.stdout + done.stderr[-3_000:]
    assert len(re.findall(r"^seed \d+: .* digest", done.stdout, re.MULTILINE)) == SEEDS


def test_a_seed_gives_the_same_history_each_time() -> None:
    once, again = (re.sub("; .* of CPU", "", soak(7, 2_000).stdout) for _ in range(2))
    assert once == again
    assert int(re.findall(r"(\d+) faults", once)[0]) > 10
