"""What a handler gives down to everything that it starts."""

from dataclasses import dataclass

from sluice.platform.clock import Clock
from sluice.platform.config.document import Config


@dataclass(frozen=True)
class Context:
    """The clock, and what is configured while this runs. A pure rule takes a time of it instead, as a value."""

    clock: Clock
    config: Config

    def now(self) -> int:
        """The time, epoch ms."""
        return self.clock.now()
