"""`make chaos`: ten minutes of it. `MINUTES=1 SEED=7` is another length, and the same chances again."""

import os
import random
import sys
import time

from rich.console import Console

from local.chaos.play import play
from local.laptop import keep_parent_environment_clean

MINUTES = 10.0
# A seller's wishes come so often, and the emulator is started anew so often.
PAUSE_SECONDS = 1.0
RESTART_EACH_SECONDS = 180


def main() -> int:
    """The exit code: 0 where every promise holds."""
    keep_parent_environment_clean()
    seconds = round(60 * float(os.environ.get("MINUTES") or MINUTES))
    seed = int(os.environ.get("SEED") or random.SystemRandom().randrange(10_000))
    console, began = Console(soft_wrap=True, highlight=False), time.monotonic()
    console.print(f"{seconds} s of trouble, SEED={seed}")
    outcome = play(seed, seconds, pause=PAUSE_SECONDS, restarts=seconds // RESTART_EACH_SECONDS, say=console.print)
    load, trouble = outcome.load, outcome.trouble
    console.print(f"asked for {len(load.asks)} things; {load.repeated} requests had to be sent again")
    console.print(f"{trouble.dead.total()} processes were killed: {dict(trouble.dead.most_common())}")
    console.print(f"{trouble.sent} messages were sent twice; the emulator was started anew {outcome.restarts} times")
    console.print(f"{outcome.calls} calls at the marketplaces; calm after {time.monotonic() - began:.0f} s")
    for sentence in outcome.broken:
        console.print(f"broken: {sentence}")
    console.print("every promise holds" if not outcome.broken else f"{len(outcome.broken)} promises are broken")
    return int(bool(outcome.broken))


if __name__ == "__main__":
    sys.exit(main())
