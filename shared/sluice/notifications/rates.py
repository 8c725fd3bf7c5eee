"""When so many jobs die that somebody should know: a rate above a tenant's threshold, told once. Pure.

```
 rate   above ── told ── above ── above ── at or below ── above ── told
                        not again                                 it is another failure
```
"""

from collections.abc import Mapping
from typing import Final, NamedTuple

from sluice.jobs.model.states import DEAD, SUCCEEDED
from sluice.operator import measures
from sluice.platform.clock import MINUTE

# How often the rate is looked at, and over how many hours: this one, and the one before.
EVERY_MS: Final = 15 * MINUTE
HOURS: Final = 2


class Threshold(NamedTuple):
    """percent: of the jobs that ended, so many may die. jobs: of fewer that ended, nothing is said."""

    percent: int
    jobs: int


class JobEnds(NamedTuple):
    """How many jobs succeeded, and how many died."""

    succeeded: int
    dead: int

    @property
    def percent(self) -> float:
        """The share that died, in percent, to a tenth."""
        total = self.succeeded + self.dead
        return round(100 * self.dead / total, 1) if total else 0.0


class RateStanding(NamedTuple):
    """failing: the rate was above the threshold, and has not been at or below it since. tell: somebody is to know."""

    failing: bool
    tell: bool


def step(failing: bool, ended: JobEnds, wanted: Threshold) -> RateStanding:
    """How it stands after one more look.

    Where too few jobs ended to judge it stays as it was; where none did, it is over.
    """
    total = ended.succeeded + ended.dead
    if total < wanted.jobs or not total:
        return RateStanding(failing and total > 0, tell=False)
    above = 100 * ended.dead > wanted.percent * total
    return RateStanding(above, tell=above and not failing)


def by_queue(counters: Mapping[str, int]) -> dict[tuple[str, str], JobEnds]:
    """How the jobs of each kind and marketplace ended, by the counters of hours (`operator.measures`)."""
    return {queue: JobEnds(ended[SUCCEEDED], ended[DEAD]) for queue, ended in measures.ends(counters).items()}


def total(found: Mapping[tuple[str, str], JobEnds]) -> JobEnds:
    """All of them together."""
    return JobEnds(sum(one.succeeded for one in found.values()), sum(one.dead for one in found.values()))
