"""How long a marketplace is asked what became of a change: the section `listings` of the configuration. Pure."""

from dataclasses import dataclass

from sluice.platform.clock import DAY, HOUR, MINUTE, SECOND
from sluice.platform.config.section import number


@dataclass(frozen=True)
class Listings:
    """Every number of listing operations that an operator may change. Times are milliseconds.

    lost_create_ms: how long a listing whose create was not answered is looked for before it is sent once more, or is
        taken for not made; and what a change has left whose job is over.
    unconfirmed_ms: how long an operation that never ends is checked before what its listing shows is taken for its end.
    """

    lost_create_ms: int = number(15 * MINUTE, least=SECOND, most=DAY)
    unconfirmed_ms: int = number(DAY, least=HOUR, most=30 * DAY)
