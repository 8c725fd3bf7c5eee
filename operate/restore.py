"""`.venv/bin/python -m operate.restore FOLDER --stack NEW`: bring a backup into a new stack (docs/operate/restore.md).

It may be ended and begun again: what it writes, it writes as it was before. It refuses a stack that has begun to work.
Exit code 0: done; 1: done, and accounts must be connected again; 2: nothing was written, and why.
"""

import argparse
import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from botocore.exceptions import BotoCoreError, ClientError

from operate import exports
from sluice.platform.clock import from_iso, iso


def parser() -> argparse.ArgumentParser:
    """What the command takes."""
    made = argparse.ArgumentParser(prog="python -m operate.restore", description="Bring a backup into a new stack.")
    made.add_argument("folder", type=Path, help="where the exports of the tables lie")
    made.add_argument("--stack", required=True, help="the new stack, deployed with ScheduleState=DISABLED")
    made.add_argument(
        "--stopped-at", help="when the lost stack made its last call, as 2026-11-28T09:00:00Z; now if not said"
    )
    made.add_argument(
        "--open",
        action="append",
        default=[],
        metavar="SERVICE",
        help="a service, such as ebay-marketing, whose calls of today are known to leave room",
    )
    return made


def main(arguments: Sequence[str]) -> int:
    """Restore, and say what was done and what is to be done now; returns the exit code."""
    given = parser().parse_args(arguments)
    now = round(time.time() * 1_000)
    try:
        stopped_at = from_iso(given.stopped_at) if given.stopped_at else now
        old, found = exports.read(given.folder)
        # Sluice's models read it when they are imported.
        os.environ |= {"SLUICE_STACK": given.stack, "TOKEN_KEY": f"alias/{given.stack}-tokens"}
        from operate import restoring

        stack = restoring.target(given.stack)
        print(f"backup of {old} as of {iso(min(one.at for one in found.values()))} → {given.stack}")
        broken = restoring.restore(stack, found, restoring.Times(now, stopped_at), frozenset(given.open), print)
    except (exports.NoBackup, ValueError, BotoCoreError, ClientError) as error:
        print(f"nothing more was written: {error}", file=sys.stderr)
        return 2
    for line in restoring.NEXT:
        print(line.format(stack=given.stack))
    for name, why in broken:
        print(f"connect again: {name} ({why})", file=sys.stderr)
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
