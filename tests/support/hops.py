"""A record of a probed cloud, written by hand."""

import json
from typing import Any

from bench.record import MS, Record

T0 = 1_795_348_800_000


class Story:
    """Lines of a record, in ms since `T0`."""

    def __init__(self) -> None:
        self.lines: list[dict[str, Any]] = []

    def run(self, function: str, process: int, began: float, ended: float, *about: str, source: str = "") -> None:
        """A run that handles what is about these."""
        self.lines.append({"what": "run", "function": f"sluice-local-{function}", "process": process, "about": about})
        self.lines[-1] |= {
            "source": source,
            "nudged": function == "scheduler",
            "began": _ns(began),
            "ended": _ns(ended),
        }

    def call(
        self,
        function: str,
        process: int,
        what: str,
        on: str,
        at: tuple[float, float],
        *about: str,
        stalled: tuple[float, float] = (0, 0),
        served: float | None = None,
        thread: int = 1,
        delay: int = 0,
    ) -> None:
        """A call about these. stalled: how long its thread had waited for a core when it began, and when it ended."""
        began, ended = at
        line = {"what": what, "on": f"sluice-local-{on}", "function": f"sluice-local-{function}", "process": process}
        line |= {
            "thread": thread,
            "about": about,
            "delay": delay,
            "began": _ns(began),
            "sent": _ns(began),
            "answered": _ns(ended),
        }
        line |= {"ended": _ns(ended), "served": int((ended - began if served is None else served) * MS)}
        self.lines.append({**line, "cpu": [0, 0], "waited": [int(one * MS) for one in stalled]})

    def record(self) -> Record:
        """The record with these lines."""
        return Record.read(json.dumps(line) for line in self.lines)


def _ns(ms: float) -> int:
    return int((T0 + ms) * MS)
