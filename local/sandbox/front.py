"""What every marketplace call passes through, whichever marketplace it is for.

log it → charge the quota → a fault or the marketplace answers → wait → spoil the body → hold or drip it
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from email.utils import formatdate
from math import ceil
from typing import TypeVar

from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse

from local.sandbox.call import Answer, Call, Marketplace
from local.sandbox.chance import chance
from local.sandbox.connection import hang_up
from local.sandbox.corrupt import corrupt
from local.sandbox.faults import (
    Corruption,
    Disconnect,
    Drip,
    EmptyAnswer,
    ExpiredToken,
    Fault,
    Faults,
    Forbidden,
    Hang,
    Latency,
    MalformedJson,
    NotFound,
    RefuseRefresh,
    RevokedToken,
    ServerError,
    Strike,
    Throttle,
)
from local.sandbox.limits import Over, Quotas
from local.sandbox.log import Entry, Log
from local.sandbox.switch import Arrived

TOO_MANY = "Too Many Requests"
STEP_MS = 20  # after which a call that is held looks whether it still is
F = TypeVar("F", bound=BaseModel)
SERVER_ERRORS = {500: "Internal Server Error", 502: "Bad Gateway", 503: "Service Unavailable", 504: "Gateway Timeout"}


@dataclass
class Front:
    """The marketplaces' common door. `latency` is on every answer, besides what the faults add."""

    seed: int
    clock: Callable[[], int]
    marketplaces: Sequence[Marketplace]
    faults: Faults
    quotas: Quotas
    log: Log
    latency: Latency = field(default_factory=Latency)
    ahead_ms: int = 0
    """How far the marketplaces' clocks are ahead of `clock`: in all times that they tell, `Date` too."""
    closing: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when the server stops, so that no call keeps it waiting."""

    def now(self) -> int:
        """The marketplaces' time, in epoch ms."""
        return self.clock() + self.ahead_ms

    async def endpoint(self, request: Request) -> Response:
        response = await self._endpoint(request)
        response.headers["date"] = formatdate(self.now() / 1000, usegmt=True)
        return response

    async def _endpoint(self, request: Request) -> Response:
        path = request.scope["path"]
        marketplace = next((each for each in self.marketplaces if path.startswith(each.prefixes)), None)
        if marketplace is None:
            return JSONResponse({"error": f"no marketplace has {path}"}, status_code=404)
        call = Call(
            request.method,
            path,
            dict(request.query_params),
            dict(request.headers),
            await request.body(),
            self.now(),
            str(request.base_url).rstrip("/"),
        )
        entry = self._entry(marketplace, call)
        strikes = self.faults.strikes(Arrived(call.method, path, entry.account))
        answer, applied = self._answer(marketplace, call, entry, strikes)
        await self._wait(entry, strikes)
        response = self._response(answer, strikes, applied)
        timing = [
            strike.fault.kind for strike in strikes if isinstance(strike.fault, Latency | Hang | Disconnect | Drip)
        ]
        entry.faults = (*applied, *timing)
        if _first(strikes, Disconnect):
            hang_up(request.scope)
            return response
        if hang := _first(strikes, Hang):
            answer = marketplace.error(504, SERVER_ERRORS[504])
            response = _json(answer, answer.raw())
            if await self._caller_left(request, hang):
                return response
        entry.status = answer.status
        return response

    def _entry(self, marketplace: Marketplace, call: Call) -> Entry:
        """Log the call, charging it when it counts."""
        entry = Entry(
            ordinal=self.log.next_ordinal(),
            at_ms=call.at_ms,
            marketplace=marketplace.name,
            account=marketplace.account(call),
            method=call.method,
            path=call.path,
            query=dict(call.query),
            route=marketplace.route(call),
            counted=marketplace.counted(call.path),
            cacheable=marketplace.cacheable(call),
        )
        self.log.add(entry)
        return entry

    def _answer(
        self, marketplace: Marketplace, call: Call, entry: Entry, strikes: Sequence[Strike]
    ) -> tuple[Answer, list[str]]:
        """The answer, and the names of the faults that had a part in it. The quota comes first, as at a gateway."""
        if entry.counted and (over := self.quotas.charge(marketplace.name, marketplace.payer(call), call.at_ms)):
            entry.over = over.rule
            if self.quotas.of(marketplace.name).enforce:
                return self._over(marketplace, over), []
        for strike in strikes:
            refusal = _refuse(marketplace, call, strike.fault, counted=entry.counted)
            if refusal is not None:
                return refusal, [strike.fault.kind]
        answer = marketplace.answer(call)
        return answer, [*answer.faults]

    def _over(self, marketplace: Marketplace, over: Over) -> Answer:
        seconds = str(ceil(over.wait_ms / 1000))
        headers = {"Retry-After": seconds} if self.quotas.of(marketplace.name).retry_after else {}
        return marketplace.error(429, TOO_MANY, headers)

    async def _wait(self, entry: Entry, strikes: Sequence[Strike]) -> None:
        await self._pause(self.latency.delay_ms + self.latency.jitter_ms * chance(self.seed, "latency", entry.ordinal))
        for strike in strikes:
            if isinstance(strike.fault, Latency):
                await self._held(strike.fault.delay_ms + strike.fault.jitter_ms * strike.draw)

    async def _held(self, delay_ms: float) -> None:
        """Wait so long, or until the faults are others: so a test lets go what it has held, and need not be quick."""
        plan, steps = self.faults.plan, ceil(delay_ms / STEP_MS)
        for _ in range(steps):
            if self.faults.plan is not plan or self.closing.is_set():
                return
            await self._pause(delay_ms / steps)

    async def _pause(self, delay_ms: float) -> None:
        if delay_ms > 0:
            with suppress(TimeoutError):
                await asyncio.wait_for(self.closing.wait(), delay_ms / 1000)

    def _response(self, answer: Answer, strikes: Sequence[Strike], applied: list[str]) -> Response:
        raw = answer.raw()
        if _first(strikes, EmptyAnswer) and answer.status < 300:
            applied.append("empty_answer")
            return Response(b"", answer.status)
        # What is cut off can no longer be read, so that comes last.
        for strike in sorted(strikes, key=lambda strike: isinstance(strike.fault, MalformedJson)):
            if isinstance(strike.fault, Corruption) and raw and answer.status < 300:
                raw = corrupt(raw, strike.fault, strike.draw)
                applied.append(strike.fault.kind)
        if drip := _first(strikes, Drip):
            headers = {**answer.headers, "Content-Length": str(len(raw))}
            return StreamingResponse(self._drops(raw, drip), answer.status, headers, "application/json")
        return _json(answer, raw)

    async def _drops(self, raw: bytes, drip: Drip) -> AsyncIterator[bytes]:
        for start in range(0, len(raw), drip.chunk_bytes):
            yield raw[start : start + drip.chunk_bytes]
            await self._pause(drip.pause_ms)

    async def _caller_left(self, request: Request, hang: Hang) -> bool:
        """Hold the call until the time is up (False), or the caller leaves or the server stops (True)."""
        ends = (asyncio.ensure_future(self.closing.wait()), asyncio.ensure_future(request.receive()))
        done, _ = await asyncio.wait(ends, timeout=hang.hold_ms / 1000, return_when=asyncio.FIRST_COMPLETED)
        for end in ends:
            end.cancel()
        return bool(done)


def _refuse(marketplace: Marketplace, call: Call, fault: Fault, *, counted: bool) -> Answer | None:
    """The answer that `fault` gives in the marketplace's place; None when it has no say in this call."""
    match fault:
        case Throttle(retry_after_s=seconds):
            headers = {} if seconds is None else {"Retry-After": str(seconds)}
            return marketplace.error(429, TOO_MANY, headers)
        case ServerError(status=status):
            return marketplace.error(status, SERVER_ERRORS.get(status, "Server Error"))
        case NotFound():
            return marketplace.error(404, "Not Found")
        case Forbidden():
            return marketplace.error(403, "Forbidden")
        case RefuseRefresh():
            return marketplace.refuse_refresh(call)
        case ExpiredToken() | RevokedToken():
            return marketplace.expire_token(call, for_good=isinstance(fault, RevokedToken)) if counted else None
    return None


def _first(strikes: Sequence[Strike], kind: type[F]) -> F | None:
    return next((strike.fault for strike in strikes if isinstance(strike.fault, kind)), None)


def _json(answer: Answer, raw: bytes) -> Response:
    return Response(raw, answer.status, dict(answer.headers), "application/json")
