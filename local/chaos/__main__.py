"""`make chaos`: ten minutes of it. `MINUTES=1 SEED=7` is another length, and the same chances again."""

import os
import random
import sys
import time
from collections import Counter

from rich.console import Console

from local.chaos.calm import NeverOver
from local.chaos.play import Outcome, play
from local.laptop import keep_parent_environment_clean

MINUTES = 10.0
# A seller's wishes come so often, and the emulator is started anew so often.
PAUSE_SECONDS = 1.0
RESTART_EACH_SECONDS = 180


def main() -> int:
    """The exit code: 0 where every promise holds."""
    keep_parent_environment_clean()
    minutes = float(os.environ.get("MINUTES") or MINUTES)
    seed = int(os.environ.get("SEED") or random.SystemRandom().randrange(10_000))
    seconds = round(60 * minutes)
    restarts = seconds // RESTART_EACH_SECONDS
    console, began = Console(soft_wrap=True, highlight=False, markup=False), time.monotonic()

    def say(line: str) -> None:
        console.print(f"{time.monotonic() - began:5.0f} s  {line}")

    console.print(
        f"Two sellers use Sluice on a local cloud for {seconds} s while its processes are killed, its messages come\n"
        f"twice and in another order, and the cloud is stopped and started ({restarts} times). Then it is left in\n"
        "peace until all that was asked for has come to its end (some minutes), and what the marketplaces say\n"
        f"happened is compared with what was asked for. SEED={seed} makes the same deeds again, one after the other;\n"
        "at which instruction a process dies is chance.\n"
    )
    again = f"again: make chaos MINUTES={minutes:g} SEED={seed}"
    try:
        outcome = play(seed, seconds, pause=PAUSE_SECONDS, restarts=restarts, say=say)
    except NeverOver as lost:
        console.print(f"\nFAILED: {lost}\n{again}")
        return 1
    except KeyboardInterrupt:
        console.print("\nstopped; nothing is left running")
        return 130
    for line in told(outcome):
        console.print(line)
    if not outcome.broken:
        console.print("\nOK: every promise holds. Nothing is left running.")
        return 0
    console.print(f"\nFAILED: {len(outcome.broken)} promises are broken:")
    for sentence in outcome.broken:
        console.print(f"  {sentence}")
    console.print(again)
    return 1


def told(outcome: Outcome) -> list[str]:
    """What happened, in lines."""
    load, trouble = outcome.load, outcome.trouble
    kinds = Counter(sorted(ask.what for ask in load.asks))
    return [
        "",
        f"asked for    {len(load.asks)} things ({_counted(kinds)}); {load.repeated} requests had to be sent again",
        f"killed       {trouble.dead.total()} processes ({_counted(dict(trouble.dead.most_common()))})",
        f"sent twice   {trouble.sent} messages, in another order",
        f"restarted    the local cloud, {outcome.restarts} times",
        f"looked at    {outcome.calls} calls that the marketplaces were sent",
    ]


def _counted(numbers: dict[str, int]) -> str:
    return ", ".join(f"{number} {name}" for name, number in numbers.items())


if __name__ == "__main__":
    sys.exit(main())
