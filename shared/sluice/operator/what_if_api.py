"""The route that plays a limit, which is not in force, over the calls of the last days. It changes nothing."""

from collections.abc import Collection
from typing import Annotated, Any, ClassVar, Literal, NotRequired

from pydantic import Field
from typing_extensions import TypedDict

from sluice.jobs.model import keys
from sluice.operator import budgets, what_if
from sluice.operator.what_if import Played
from sluice.platform.clock import iso, iso_or_none
from sluice.platform.config import live
from sluice.platform.config.limits import LONGEST_SECONDS, MOST, Limits
from sluice.platform.config.services import LIMITS
from sluice.platform.http.auth import Permission
from sluice.platform.http.errors import Invalid, NotFound
from sluice.platform.http.models import Body, Example
from sluice.platform.http.routing import HttpRequest, Route
from sluice.platform.http.shapes import Time

# Days that a limit is played over: usage is kept for 35.
MOST_DAYS = 35


class WindowBody(Body):
    """At most so many calls in a stretch of time: in any `seconds`, or in each hour or day of a clock."""

    calls: int = Field(ge=1, le=MOST)
    seconds: int | None = Field(None, ge=1, le=LONGEST_SECONDS, description="of a window that rolls")
    per: Literal["hour", "day"] | None = Field(None, description="of a window that follows a clock")
    zone: str | None = Field(None, max_length=50, description="of that clock; the marketplace's own by default")


class WhatIfBody(Body):
    """Limits that are not in force, for a budget."""

    example: ClassVar[Example] = {
        "budget": "stockx:acme",
        "limits": {"windows": [{"calls": 200, "per": "hour"}]},
        "days": 7,
    }

    budget: Annotated[str, Field(min_length=1, max_length=200, description="as `/v1/operator/budgets` names it")]
    limits: dict[str, int | list[WindowBody]] = Field(
        min_length=1, description="what would differ, as `interval_ms`; `windows` are all that there would be"
    )
    days: int = Field(7, ge=1, le=MOST_DAYS, description="so many days back, this one included")


class PlayedDay(TypedDict):
    """One day of the marketplace. waited: calls that would not have started in their own hour."""

    day: str
    calls: int
    waited: int


class PlayedWindow(TypedDict):
    """One window of a limit. seconds: of one that rolls. per, zone: of one that follows a clock."""

    calls: int
    seconds: NotRequired[int]
    per: NotRequired[str]
    zone: NotRequired[str]


class PlayedView(TypedDict):
    """The calls of the last days under some limits. Waits are whole hours, rounded up.

    mostWaiting: the most calls that waited at the end of an hour, which was `mostWaitingAt`. left: still waiting now.
    """

    limits: dict[str, int | list[PlayedWindow]]
    calls: int
    waited: int
    meanHours: float | None
    longestHours: int
    mostWaiting: int
    mostWaitingAt: Time | None
    left: int
    days: list[PlayedDay]


class WhatIf(TypedDict):
    """What limits make of the calls of the last days. now: those in force. unknown: what usage cannot tell."""

    budget: str
    since: Time
    daysKnown: int
    now: PlayedView
    proposed: PlayedView
    unknown: list[str]


def play(request: HttpRequest[WhatIfBody, None]) -> WhatIf:
    """What limits would have done to the calls of the last days: counted, not tried."""
    body, now, config = request.body, request.now, live.current()
    service = keys.service_of(body.budget)
    if service not in LIMITS:
        raise NotFound.of("budget", "budget")
    present = config.limits[service]
    try:
        proposed = present.override(**{name: _plain(value) for name, value in body.limits.items()})
    except ValueError as error:
        raise Invalid.field("limits", str(error)) from None
    since = what_if.since(body.days, now)
    stored = budgets.history(body.budget, body.days + 1, now)
    made = what_if.hours(body.budget, stored, since, now)
    return {
        "budget": body.budget,
        "since": iso(min(made)),
        "daysKnown": len(stored),
        "now": _played(what_if.play(body.budget, made, present), present, body.limits),
        "proposed": _played(what_if.play(body.budget, made, proposed), proposed, body.limits),
        "unknown": list(what_if.UNKNOWN),
    }


def _plain(value: int | list[WindowBody]) -> Any:
    if isinstance(value, int):
        return value
    return [window.model_dump(exclude_none=True) for window in value]


def _played(found: Played, limits: Limits, shown: Collection[str]) -> PlayedView:
    names = sorted({"interval_ms", *shown} - {"windows"})
    windows: Any = [window.to_json() for window in limits.windows]
    return {
        "limits": {**{name: getattr(limits, name) for name in names}, "windows": windows},
        "calls": found.calls,
        "waited": found.waited,
        "meanHours": found.mean_hours,
        "longestHours": found.longest_hours,
        "mostWaiting": found.largest,
        "mostWaitingAt": iso_or_none(found.largest_at),
        "left": found.left,
        "days": [PlayedDay(day=one.day, calls=one.calls, waited=one.waited) for one in found.days],
    }


ROUTES: tuple[Route[Any, Any], ...] = (
    Route(
        "POST",
        "/v1/operator/configuration/what-if",
        "Play a limit over the calls of the last days",
        play,
        WhatIf,
        Permission.DEPLOYMENT_READ,
        body=WhatIfBody,
        errors=(NotFound,),
    ),
)
