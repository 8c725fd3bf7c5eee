"""The switches: what can go wrong, and when. Pure: the same plan and the same calls give the same strikes.

    Latency · Throttle · ServerError · Hang · Drip                          how it answers
    MalformedJson · AddField · DropField · NullField · RetypeField          what it answers
    ExpiredToken · RevokedToken · RefuseRefresh                             who may ask

Each fault counts the calls whose path it matches, from the moment the plan is set: `last=3` is the next three,
`first=4, last=6` the fourth to the sixth, `chance=0.1` one in ten of them by seed.
"""

from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from threading import Lock
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, model_validator

from local.sandbox.chance import chance


class _Fault(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    path: str = "*"
    """Shell pattern (`*` also crosses slashes): `/v2/*`, `*/market-data`, `/oauth/token`."""
    first: int = Field(default=1, ge=1)
    last: int | None = Field(default=None, ge=1)
    chance: float = Field(default=1.0, ge=0, le=1)

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.last is not None and self.last < self.first:
            raise ValueError(f"last ({self.last}) lies before first ({self.first}): the fault would never strike")
        return self


class Latency(_Fault):
    """The answer comes `delay_ms` later, and up to `jitter_ms` more by seed."""

    kind: Literal["latency"] = "latency"
    delay_ms: int = Field(default=0, ge=0, le=600_000)
    jitter_ms: int = Field(default=0, ge=0, le=600_000)


class Throttle(_Fault):
    """429 though no limit was reached; `retry_after_s` None leaves the header out."""

    kind: Literal["throttle"] = "throttle"
    retry_after_s: int | None = Field(default=None, ge=0)


class ServerError(_Fault):
    """A 5xx in the marketplace's error shape; the call has no effect. A burst is `first` and `last`."""

    kind: Literal["server_error"] = "server_error"
    status: int = Field(default=503, ge=500, le=599)


class Hang(_Fault):
    """The call takes effect and is not answered, for `hold_ms` or until the caller leaves; then 504."""

    kind: Literal["hang"] = "hang"
    hold_ms: int = Field(default=120_000, ge=0, le=600_000)


class Drip(_Fault):
    """The body comes `chunk_bytes` at a time with `pause_ms` between."""

    kind: Literal["drip"] = "drip"
    chunk_bytes: int = Field(default=16, ge=1)
    pause_ms: int = Field(default=500, ge=0, le=600_000)


class MalformedJson(_Fault):
    """A 2xx body cut off in the middle, or with `html` a gateway's page in its place."""

    kind: Literal["malformed_json"] = "malformed_json"
    html: bool = False


class AddField(_Fault):
    """Every object of a 2xx body gets a field that no document knows."""

    kind: Literal["add_field"] = "add_field"
    field: str = "sandboxExtra"
    value: Any = "added"


class DropField(_Fault):
    """`field` is missing from a 2xx body wherever it stood. Without a name, a field chosen by seed."""

    kind: Literal["drop_field"] = "drop_field"
    field: str | None = None


class NullField(_Fault):
    """`field` is null in a 2xx body wherever it stood. Without a name, a field chosen by seed."""

    kind: Literal["null_field"] = "null_field"
    field: str | None = None


class RetypeField(_Fault):
    """`field` has another JSON type in a 2xx body wherever it stood. Without a name, a field chosen by seed."""

    kind: Literal["retype_field"] = "retype_field"
    field: str | None = None


class ExpiredToken(_Fault):
    """401 for this call; the token itself stays valid."""

    kind: Literal["expired_token"] = "expired_token"


class RevokedToken(_Fault):
    """401, and the token is of no use from now on."""

    kind: Literal["revoked_token"] = "revoked_token"


class RefuseRefresh(_Fault):
    """The token call is answered with `invalid_grant`."""

    kind: Literal["refuse_refresh"] = "refuse_refresh"


Refusal = Throttle | ServerError | ExpiredToken | RevokedToken | RefuseRefresh
Corruption = MalformedJson | AddField | DropField | NullField | RetypeField
Fault = Latency | Hang | Drip | Refusal | Corruption

FAULTS: TypeAdapter[tuple[Fault, ...]] = TypeAdapter(tuple[Annotated[Fault, Field(discriminator="kind")], ...])


@dataclass(frozen=True)
class Strike:
    """A fault that hits this call. `draw` in [0, 1) decides whatever the fault leaves open."""

    fault: Fault
    draw: float


@dataclass(frozen=True)
class FaultPlan:
    """Which faults are on. Knows nothing of the past: the caller says how many calls each fault has seen."""

    seed: int
    faults: tuple[Fault, ...] = ()

    def decide(self, path: str, seen: tuple[int, ...]) -> tuple[tuple[Strike, ...], tuple[int, ...]]:
        """The strikes on the next call to `path`, and `seen` with this call counted."""
        strikes, now_seen = [], list(seen)
        for place, fault in enumerate(self.faults):
            if not fnmatchcase(path, fault.path):
                continue
            now_seen[place] += 1
            nth = now_seen[place]
            in_range = fault.first <= nth and (fault.last is None or nth <= fault.last)
            if in_range and chance(self.seed, "fault", place, nth) < fault.chance:
                strikes.append(Strike(fault, chance(self.seed, "draw", place, nth)))
        return tuple(strikes), tuple(now_seen)


@dataclass
class Faults:
    """The plan in force and what it has seen. May be set from any thread."""

    seed: int
    _plan: FaultPlan = field(init=False)
    _seen: tuple[int, ...] = ()
    _lock: Lock = field(default_factory=Lock)

    def __post_init__(self) -> None:
        self._plan = FaultPlan(self.seed)

    @property
    def current(self) -> tuple[Fault, ...]:
        return self._plan.faults

    def set(self, *faults: Fault) -> None:
        """Replace the plan. Counting starts again, also for faults that were there before."""
        with self._lock:
            self._plan, self._seen = FaultPlan(self.seed, faults), (0,) * len(faults)

    def clear(self) -> None:
        self.set()

    def strikes(self, path: str) -> tuple[Strike, ...]:
        with self._lock:
            strikes, self._seen = self._plan.decide(path, self._seen)
        return strikes
