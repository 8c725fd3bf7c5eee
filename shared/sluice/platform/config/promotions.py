"""How ads are placed: the section `promotions` of the configuration. When they are tried, `engine.timetables` says."""

from dataclasses import dataclass

from sluice.platform.clock import HOUR, SECOND
from sluice.platform.config.section import number


@dataclass(frozen=True)
class Promotions:
    """Every number of promotions that an operator may change.

    stagger_ms: how long after one another the promotions of a batch are tried first.
    """

    stagger_ms: int = number(5 * SECOND, least=0, most=HOUR)
