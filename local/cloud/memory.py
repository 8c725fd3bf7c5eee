"""How much memory the local cloud took: ministack itself and each function process."""

import os
import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

PROC = Path("/proc")
MIB = 1024 * 1024


@dataclass(frozen=True)
class Memory:
    """Peaks of resident memory in bytes. Linux tells them; elsewhere all is 0 and empty.

    `total` adds up the peak of each process, so the true peak of all together was at most that. `functions` has, for
    each function name, the peak of its largest process.
    """

    total: int
    functions: dict[str, int]


def _processes(session: int) -> Iterator[Path]:
    for process in PROC.glob("[0-9]*"):
        try:
            # pid (command) state ppid pgrp session …; the command may hold spaces and brackets itself
            fields = (process / "stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue  # it ended while we looked
        if int(fields[3]) == session:
            yield process


def _peak(process: Path) -> int:
    found = re.search(r"^VmHWM:\s+(\d+) kB", (process / "status").read_text(), re.MULTILINE)
    return int(found[1]) * 1024 if found else 0


def _function(process: Path) -> str | None:
    """By the folder that ministack has made for it: its environment is not to be seen from outside."""
    found = re.search(r"/ministack-lambda-(.+)-[a-z0-9_]{8}/code$", os.readlink(process / "cwd"))
    return found[1] if found else None


def functions(session: int) -> dict[int, str]:
    """The function processes of the session that process `session` leads: the name of each one's function."""
    found = dict[int, str]()
    for process in _processes(session):
        with suppress(OSError):  # it ended while we looked
            if function := _function(process):
                found[int(process.name)] = function
    return found


def peak_memory(session: int) -> Memory:
    """The peaks of all living processes of the session that process `session` leads."""
    total, functions = 0, dict[str, int]()
    for process in _processes(session):
        try:
            peak, function = _peak(process), _function(process)
        except OSError:
            continue
        total += peak
        if function:
            functions[function] = max(peak, functions.get(function, 0))
    return Memory(total, functions)
