"""What a handler gives down to everything that it starts."""

import random
from collections.abc import Callable
from typing import NamedTuple

from sluice.platform.clock import Clock
from sluice.platform.config.document import Config


class Context(NamedTuple):
    """The clock, what is configured while this runs, and chance. A pure rule takes values of them instead.

    chance: draws a number in [0, 1), for jitter. A simulation gives one with a seed, so that a history can be repeated.
    """

    clock: Clock
    config: Config
    chance: Callable[[], float] = random.random

    def now(self) -> int:
        """The time, epoch ms."""
        return self.clock.now()
