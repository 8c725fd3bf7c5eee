"""`python -m sluice_command`: the same as `sluice`."""

import sys

from sluice_command.main import main


def run() -> None:
    """What the installed script calls."""
    sys.exit(main())


if __name__ == "__main__":
    run()
