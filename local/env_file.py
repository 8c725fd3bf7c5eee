"""What `make up` leaves for other terminals: settings to source, and a template for `sam local invoke`.

`.local/env` has lines `export NAME=value`. The command `sluice` reads it too, and finds the stage by it.
"""

import json
import os
import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from local.cloud.cloud import ROOT
from sluice_command.stages import exports

# SLUICE_LOCAL: another folder, so that a second `make up` does not overwrite what the first one has left.
FOLDER = Path(os.environ.get("SLUICE_LOCAL", ROOT / ".local"))
ENV = FOLDER / "env"
SAM_TEMPLATE = FOLDER / "sam.json"


class NoLocalStage(Exception):  # noqa: N818 - what is wrong
    """`make up` does not run here."""


def write(settings: Mapping[str, str], template: Mapping[str, Any]) -> None:
    """Leave `settings` to source, and the template. Both can be read by their owner alone."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    lines = [f"export {name}={shlex.quote(value)}" for name, value in settings.items()]
    _write(ENV, "\n".join(["# Written by make up, and gone when it ends.", *lines, ""]))
    _write(SAM_TEMPLATE, json.dumps(template, indent=2) + "\n")


def remove() -> None:
    """Take both away: nothing runs any more."""
    for path in (ENV, SAM_TEMPLATE):
        path.unlink(missing_ok=True)


def read(path: Path = ENV) -> dict[str, str]:
    """The settings.

    Raises:
        NoLocalStage: there are none.
    """
    if not path.exists():
        raise NoLocalStage("no local cloud runs here: start it in another terminal with `make up`")
    return dict(exports(path.read_text(encoding="utf-8")))


def _write(path: Path, text: str) -> None:
    path.unlink(missing_ok=True)
    path.touch(mode=0o600)
    path.write_text(text, encoding="utf-8")
