"""What operators have paused: whose work waits, who says so, why, and until when. Pure.

```
 name                     what waits                                                 whose word
 stockx, ebay-marketing   all calls of a marketplace, or of a service of one         the deployment's
 market.refresh           all jobs of a kind; `market.refresh:stockx` at one         the deployment's
 stockx:acme              what runs through a tenant's account                       the tenant's, or the deployment's
 tenant:acme              what runs through any account of a tenant                  the tenant's, or the deployment's
```
What operators do (the service `operator`) never waits: else nobody could take back what a pause holds.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Final, NamedTuple

from sluice.platform.clock import iso
from sluice.platform.config.services import LIMITS, MARKETPLACES, OPERATOR
from sluice.platform.config.tenants import TENANT

OF_TENANT: Final = "tenant"
_SERVICES: Final = tuple(name for name in LIMITS if name != OPERATOR)
_KIND: Final = rf"[a-z]+\.[a-z_]+(:({'|'.join((*MARKETPLACES, 'pages'))}))?"
_TENANTS: Final = rf"({'|'.join((*_SERVICES, OF_TENANT))}):({TENANT})"


class Pause(NamedTuple):
    """One pause. Times are epoch ms.

    name: what waits, see the module. reason: why, in the operator's words; everybody whose work waits sees it.
    by: who has paused it. since: from when on. until: when it ends by itself; None: when somebody resumes it.
    deployment: whoever runs the deployment has paused it, so that an operator of the tenant cannot resume it.
    """

    name: str
    reason: str = ""
    by: str = ""
    since: int = 0
    until: int | None = None
    deployment: bool = True

    @property
    def tenant(self) -> str | None:
        """Whose work alone waits; None where it is everybody's."""
        return tenant_of(self.name)

    def told(self) -> str:
        """The sentence for a person whose job waits."""
        who = f"an operator ({self.by})" if self.by else "an operator"
        until = f" until {iso(self.until)}" if self.until else ""
        return f"{who} has paused {self.name}{until}" + (f": {self.reason}" if self.reason else "")


class Pauses(NamedTuple):
    """All pauses, by name. One whose end has come holds nothing."""

    by_name: Mapping[str, Pause] = {}

    @classmethod
    def of(cls, pauses: Iterable[Pause]) -> "Pauses":
        """These."""
        return cls({one.name: one for one in pauses})

    def holding(self, names: Iterable[str], now: int) -> Pause | None:
        """The pause that holds what is called any of `names`; of several, the one that lasts longest."""
        found = [one for name in sorted(set(names)) if (one := self.by_name.get(name)) and lasts(one, now)]
        return max(found, key=lambda one: float("inf") if one.until is None else one.until, default=None)

    def kinds(self, marketplace: str, now: int) -> frozenset[str]:
        """The kinds of job that are paused at `marketplace`, or everywhere; none of what operators do."""
        if marketplace == OPERATOR:
            return frozenset()
        names = (name.partition(":") for name, one in self.by_name.items() if _is_kind(name) and lasts(one, now))
        return frozenset(kind for kind, _, where in names if where in ("", marketplace))


NONE: Final = Pauses()


def holds_of(service: str, marketplace: str, tenant: str, kind: str) -> set[str]:
    """Every name of a pause that holds a job of `kind` that is charged to `service` and runs for `tenant`."""
    if service == OPERATOR:
        return set()
    names = {service, marketplace, kind, f"{kind}:{marketplace}", f"{OF_TENANT}:{tenant}"}
    return names | {f"{service}:{tenant}", f"{marketplace}:{tenant}"}


def tenant_of(name: str) -> str | None:
    """The tenant whose work alone a pause of this name holds; None where it is everybody's."""
    found = re.fullmatch(_TENANTS, name)
    return found[2] if found else None


def kind_of(name: str) -> str | None:
    """The kind of job that a pause of this name holds; None where it holds whatever the kind."""
    return name.partition(":")[0] if _is_kind(name) else None


def is_name(name: str) -> bool:
    """Whether a pause can be called so, as far as its form tells."""
    return name in _SERVICES or _is_kind(name) or tenant_of(name) is not None


def lasts(one: Pause, now: int) -> bool:
    """Whether its end has not come."""
    return one.until is None or one.until > now


def _is_kind(name: str) -> bool:
    return re.fullmatch(_KIND, name) is not None
