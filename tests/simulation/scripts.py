"""What the handler of a job does, as a value that can be drawn by chance."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Step:
    """What a handler does in its run, before it ends: `calls` calls, then something that happens `meanwhile`."""

    calls: int = 0
    meanwhile: tuple[Any, ...] = ()


@dataclass(frozen=True)
class Script:
    """A handler's whole run: its steps, how long it then takes, and its end."""

    steps: tuple[Step, ...] = (Step(calls=1),)
    end: str = "succeed"
    after_ms: int = 0


SUCCEED = Script()
