"""How many things of one kind each tenant keeps: a counter, because counting them reads them all.

```
 take(n) ─► store ─► give_back(those that were there already)          delete ─► give_back(1)
```
So a death in between leaves the counter too high, never too low, and an allowance that is used up is seen. Before a
tenant is refused for it, its things are counted one by one, at most so often; and once where there is no counter yet.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from sluice.platform import usage
from sluice.platform.clock import MINUTE
from sluice.platform.config.document import Config
from sluice.platform.http.errors import TooMany

RECOUNT_MS: Final = 10 * MINUTE


@dataclass(frozen=True)
class Kept:
    """What a tenant may keep so many of.

    name: of the allowance, and of the counter.
    count: counts them one by one.
    wait_seconds: after which a tenant that was refused asks again: room comes when it gives something up.
    """

    name: str
    count: Callable[[str], int]
    wait_seconds: int = 60

    def take(self, tenant: str, number: int) -> None:
        """Count `number` that are about to be stored, as if all were new."""
        usage.add(tenant, usage.KEPT, {self.name: number})

    def give_back(self, tenant: str, number: int) -> None:
        """Count `number` less: those that are gone, or for which room was taken that was not needed."""
        usage.add(tenant, usage.KEPT, {self.name: -number})

    def size(self, tenant: str) -> int:
        """How many there are."""
        return max(0, usage.counters(tenant, usage.KEPT).get(self.name, 0))

    def require_room(self, tenant: str, wanted: int, now: int, config: Config) -> None:
        """Do nothing if `wanted` more fit in the tenant's allowance.

        Raises:
            TooMany: they do not.
        """
        most: int = getattr(config.tenants.allowed(tenant), self.name)
        counters, recounted = usage.counters(tenant, usage.KEPT), f"{self.name}_recounted_at"
        if self.name in counters and counters[self.name] + wanted <= most:
            return
        if wanted <= most and (self.name not in counters or now - counters.get(recounted, 0) >= RECOUNT_MS):
            counted = self.count(tenant)
            usage.put(tenant, usage.KEPT, {self.name: counted, recounted: now})
            if counted + wanted <= most:
                return
        raise TooMany(self.name, most, self.wait_seconds)
