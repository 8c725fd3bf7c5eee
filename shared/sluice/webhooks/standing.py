"""How an endpoint stands: what arrives there, how long it may rest, and when it is switched off. Pure.

```
 no answer in time  ─► rests 30 s ─► one attempt ─► rests 1 min ─► one attempt ─► … 15 min at most
 anything arrives   ─► as if nothing had been
 a day of failures  ─► switched off
```
An endpoint that does not answer holds a sender for ten seconds, so it is asked less and less. One that refuses at once
costs nobody anything: its deliveries follow their own pauses.
"""

from collections.abc import Iterable
from typing import Final, NamedTuple

from sluice.platform.clock import DAY, MINUTE, SECOND, iso

REST_MS: Final = 30 * SECOND
MOST_REST_MS: Final = 15 * MINUTE
# After so long without anything that arrived, an endpoint is switched off.
MOST_FAILING_MS: Final = DAY


class Ended(NamedTuple):
    """What one attempt came to. late: no answer came in time. given_up: it is not tried again. gone: 410."""

    arrived: bool
    late: bool = False
    given_up: bool = False
    gone: bool = False


class EndpointStanding(NamedTuple):
    """Times are epoch ms.

    failures: deliveries given up since one last arrived.
    failing_since, failed_at: the first and the last failed attempt since then.
    late: attempts in a row that were not answered in time.
    rests_until: nothing is sent there before.
    """

    failures: int = 0
    failing_since: int | None = None
    failed_at: int | None = None
    late: int = 0
    rests_until: int | None = None


def after(before: EndpointStanding, ended: Iterable[Ended], now: int) -> tuple[EndpointStanding, str | None]:
    """The standing after some attempts that were made at once, and why the endpoint is switched off, if it is."""
    attempts = list(ended)
    failures = before.failures + sum(one.given_up for one in attempts)
    if any(one.gone for one in attempts):
        standing = EndpointStanding(failures, before.failing_since or now, now)
        return standing, f"the receiver answered 410 (gone), at {iso(now)}"
    if any(one.arrived for one in attempts) or not attempts:
        return EndpointStanding() if attempts else before, None
    # Where nothing was sent for a day, nothing is known of that day.
    connected = before.failed_at is not None and now - before.failed_at < MOST_FAILING_MS
    since = before.failing_since if connected and before.failing_since is not None else now
    late = before.late + 1 if any(one.late for one in attempts) else 0
    standing = EndpointStanding(failures, since, now, late, now + rest(late) if late else None)
    if now - since >= MOST_FAILING_MS:
        return standing, f"nothing has arrived there since {iso(since)}, at {iso(now)}"
    return standing, None


def rest(late: int) -> int:
    """How long an endpoint rests that has not answered `late` times in a row, in ms."""
    longer: int = REST_MS * 2 ** min(late - 1, 16)
    return min(MOST_REST_MS, longer)
