"""The switches: what can go wrong, and when. Pure: the same plan and the same calls give the same strikes.

    Latency · Throttle · ServerError · NotFound · Forbidden · Hang · Disconnect · Drip      how it answers
    EmptyAnswer · MalformedJson · AddField · DropField · NullField · RetypeField · Noise    what it answers
    ExpiredToken · RevokedToken · RefuseRefresh                                 who may ask
    those of `outcomes.py`                                                      what becomes of an operation
    RefuseAd                                                                    what becomes of an ad
    RefuseListing · WarnListing · StaleRead                                     what becomes of an eBay listing
    OddReport                                                                   what becomes of a report of listings

Each fault counts the calls or operations that it matches, from the moment the plan is set: `last=3` is the next three,
`first=4, last=6` the fourth to the sixth, `chance=0.1` one in ten of them by seed.
"""

from collections import Counter
from dataclasses import dataclass, field
from threading import Lock
from typing import Annotated, Any, Literal

from pydantic import Field, TypeAdapter

from local.sandbox.chance import chance
from local.sandbox.ebay.feed.faults import OddReport
from local.sandbox.ebay.inventory.faults import RefuseListing, StaleRead, WarnListing
from local.sandbox.ebay.marketing.faults import RefuseAd
from local.sandbox.outcomes import OperationFault
from local.sandbox.switch import Arrived, Event, Switch


class _CallFault(Switch):
    """Strikes calls."""

    def matches(self, event: Event) -> bool:
        return isinstance(event, Arrived) and super().matches(event)


class Latency(_CallFault):
    """The answer comes `delay_ms` later, and up to `jitter_ms` more by seed; at once when another plan is set."""

    kind: Literal["latency"] = "latency"
    delay_ms: int = Field(default=0, ge=0, le=600_000)
    jitter_ms: int = Field(default=0, ge=0, le=600_000)


class Throttle(_CallFault):
    """429 though no limit was reached; `retry_after_s` None leaves the header out."""

    kind: Literal["throttle"] = "throttle"
    retry_after_s: int | None = Field(default=None, ge=0)


class ServerError(_CallFault):
    """A 5xx in the marketplace's error shape; the call has no effect. A burst is `first` and `last`."""

    kind: Literal["server_error"] = "server_error"
    status: int = Field(default=503, ge=500, le=599)


class Hang(_CallFault):
    """The call takes effect and is not answered, for `hold_ms` or until the caller leaves; then 504."""

    kind: Literal["hang"] = "hang"
    hold_ms: int = Field(default=120_000, ge=0, le=600_000)


class NotFound(_CallFault):
    """404, as if what was asked for had never been there; the call has no effect."""

    kind: Literal["not_found"] = "not_found"


class Forbidden(_CallFault):
    """403 in the marketplace's words, for this call alone; the call has no effect, and the token stays good."""

    kind: Literal["forbidden"] = "forbidden"


class Disconnect(_CallFault):
    """The call takes effect, and the connection is closed without a word."""

    kind: Literal["disconnect"] = "disconnect"


class Drip(_CallFault):
    """The body comes `chunk_bytes` at a time with `pause_ms` between."""

    kind: Literal["drip"] = "drip"
    chunk_bytes: int = Field(default=16, ge=1)
    pause_ms: int = Field(default=500, ge=0, le=600_000)


class EmptyAnswer(_CallFault):
    """The call takes effect, and a 2xx comes back with neither a body nor a header of its own."""

    kind: Literal["empty_answer"] = "empty_answer"


class MalformedJson(_CallFault):
    """A 2xx body cut off in the middle, or with `html` a gateway's page in its place."""

    kind: Literal["malformed_json"] = "malformed_json"
    html: bool = False


class AddField(_CallFault):
    """Every object of a 2xx body gets a field that no document knows."""

    kind: Literal["add_field"] = "add_field"
    field: str = "sandboxExtra"
    value: Any = "added"


class DropField(_CallFault):
    """`field` is missing from a 2xx body wherever it stood. Without a name, a field chosen by seed."""

    kind: Literal["drop_field"] = "drop_field"
    field: str | None = None


class NullField(_CallFault):
    """`field` is null in a 2xx body wherever it stood. Without a name, a field chosen by seed."""

    kind: Literal["null_field"] = "null_field"
    field: str | None = None


class RetypeField(_CallFault):
    """`field` has another JSON type in a 2xx body wherever it stood. Without a name, a field chosen by seed."""

    kind: Literal["retype_field"] = "retype_field"
    field: str | None = None


class Noise(_CallFault):
    """What a real search of eBay shows among the shoes, cheaper than they are, and an answer that does not count.

    A shoe without its style in the title, a box, laces, insoles and a replica; items without `conditionId` or
    `buyingOptions`, and one in another currency. `total` is left out.
    """

    kind: Literal["noise"] = "noise"


class ExpiredToken(_CallFault):
    """401 for this call; the token itself stays valid."""

    kind: Literal["expired_token"] = "expired_token"


class RevokedToken(_CallFault):
    """401, and the token is of no use from now on."""

    kind: Literal["revoked_token"] = "revoked_token"


class RefuseRefresh(_CallFault):
    """The token call is answered with `invalid_grant`."""

    kind: Literal["refuse_refresh"] = "refuse_refresh"


Refusal = Throttle | ServerError | NotFound | Forbidden | ExpiredToken | RevokedToken | RefuseRefresh
Corruption = MalformedJson | AddField | DropField | NullField | RetypeField | Noise
CallFault = Latency | Hang | Disconnect | Drip | EmptyAnswer | Refusal | Corruption
Fault = CallFault | OperationFault | RefuseAd | RefuseListing | WarnListing | StaleRead | OddReport

FAULTS: TypeAdapter[tuple[Fault, ...]] = TypeAdapter(tuple[Annotated[Fault, Field(discriminator="kind")], ...])


@dataclass(frozen=True)
class Strike:
    """A fault that hits this call. `draw` in [0, 1) decides whatever the fault leaves open."""

    fault: Fault
    draw: float


@dataclass(frozen=True)
class FaultPlan:
    """Which faults are on. Knows nothing of the past: the caller keeps what each fault has seen."""

    seed: int
    faults: tuple[Fault, ...] = ()

    def decide(self, event: Event, seen: Counter[tuple[int, str]]) -> tuple[Strike, ...]:
        """The strikes on `event`, which is counted in `seen`: by place in the plan, and by what `each` keeps apart."""
        strikes = []
        for place, fault in enumerate(self.faults):
            if not fault.matches(event):
                continue
            apart = event.apart if fault.each else ""
            seen[place, apart] += 1
            nth = seen[place, apart]
            in_range = fault.first <= nth and (fault.last is None or nth <= fault.last)
            about = (place, nth, apart) if apart else (place, nth)
            if in_range and chance(self.seed, "fault", *about) < fault.chance:
                strikes.append(Strike(fault, chance(self.seed, "draw", *about)))
        return tuple(strikes)


@dataclass
class Faults:
    """The plan in force and what it has seen. May be set from any thread."""

    seed: int
    plan: FaultPlan = field(init=False)
    _seen: Counter[tuple[int, str]] = field(default_factory=Counter)
    _lock: Lock = field(default_factory=Lock)

    def __post_init__(self) -> None:
        self.plan = FaultPlan(self.seed)

    @property
    def current(self) -> tuple[Fault, ...]:
        return self.plan.faults

    def set(self, *faults: Fault) -> None:
        """Replace the plan. Counting starts again, also for faults that were there before."""
        with self._lock:
            self.plan, self._seen = FaultPlan(self.seed, faults), Counter()

    def clear(self) -> None:
        self.set()

    def strikes(self, event: Event) -> tuple[Strike, ...]:
        with self._lock:
            return self.plan.decide(event, self._seen)
