"""`.venv/bin/python -m operate.configuration FILE`: would this version of Sluice take the configuration in FILE?

For an upgrade: what the running version takes, the next one may call otherwise.
Exit code 0: yes; 1: no, and why; 2: the file cannot be read.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from sluice.platform.config.document import ConfigError, parse


def parser() -> argparse.ArgumentParser:
    """What the command takes."""
    made = argparse.ArgumentParser(prog="python -m operate.configuration", description="Check a configuration.")
    made.add_argument("file", type=Path, help="a JSON document")
    return made


def main(arguments: Sequence[str]) -> int:
    """Say whether the document is valid; returns the exit code."""
    file: Path = parser().parse_args(arguments).file
    try:
        parse(file.read_text(encoding="utf-8"))
    except OSError as error:
        print(f"{file} cannot be read: {error.strerror}", file=sys.stderr)
        return 2
    except ConfigError as error:
        print(f"this version would refuse it: {error}", file=sys.stderr)
        return 1
    print("valid: this version takes it")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
