"""The routes of notifications: say what you want to be told by mail, try it, and see what was mailed."""

import re
from typing import Annotated, ClassVar

from pydantic import Field
from typing_extensions import TypedDict

from sluice.notifications import hours, mailer, routine, table, texts, topics
from sluice.notifications.table import Row
from sluice.notifications.topics import Standing
from sluice.platform import usage
from sluice.platform.clock import SECOND, iso, iso_or_none
from sluice.platform.config import live
from sluice.platform.http import paging
from sluice.platform.http.auth import Permission
from sluice.platform.http.errors import Conflict, Invalid, Unavailable
from sluice.platform.http.models import Body, Example, OneOf, PageQuery, Text
from sluice.platform.http.routing import HttpRequest, Route
from sluice.platform.http.shapes import Among, Time
from sluice.platform.settings import settings
from sluice.platform.tables import ConditionFailed

TYPES = tuple(texts.SAID)
# For so long it counts whether mail reaches an address: SNS answers 30 such questions a second, of all tenants in all.
STANDING_MS = 10 * SECOND
_ADDRESS = r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9-]{1,63}(\.[A-Za-z0-9-]{1,63})+"


class MailWanted(Body):
    """Where mail goes, and of what it tells."""

    address: Annotated[str, Field(min_length=3, max_length=254)] = Field(
        description="one address; AWS asks it first whether it wants this mail. For several people use a mailing list"
    )
    event_types: Annotated[list[Annotated[str, OneOf(TYPES)]], Field(min_length=1, max_length=len(TYPES))]


class FailureRate(Body):
    """Of how many failures you want to know: the event `failures.high`."""

    percent: int = Field(ge=1, le=99, description="told when more of the jobs that ended have died")
    jobs: int = Field(20, ge=1, le=100_000, description="of fewer jobs in two hours nothing is said")


class DailySummary(Body):
    """When your day is summed up: the event `summary.daily`."""

    hour: int = Field(ge=0, le=23, description="of your own clock")
    zone: Text = Field("UTC", description="the clock's time zone, for example `Europe/Berlin`")


class Preferences(Body):
    """What you want to be told. What is left out is not wanted."""

    example: ClassVar[Example] = {
        "mail": {"address": "ops@acme.example", "eventTypes": ["job.dead", "account.broken", "summary.daily"]},
        "failureRate": {"percent": 20, "jobs": 20},
        "summary": {"hour": 8, "zone": "Europe/Berlin"},
    }

    mail: MailWanted | None = Field(None, description="null for no mail")
    failure_rate: FailureRate | None = Field(None, description="null: nobody looks at it")
    summary: DailySummary | None = Field(None, description="null: no day is summed up")


class MailView(TypedDict):
    """Where mail goes.

    status: `PENDING` until somebody has opened the link that AWS has sent there, then `CONFIRMED`; `GONE` when nobody
    did within two days, or they have left. What is due meanwhile is not sent, and is listed with its reason.
    """

    address: str
    eventTypes: list[Annotated[str, Among(TYPES)]]
    status: Annotated[str, Among(Standing)]


class FailureRateView(TypedDict):
    """Of how many failures you want to know. failing: it is above that, and you were told."""

    percent: int
    jobs: int
    failing: bool


class SummaryView(TypedDict):
    """When your day is summed up."""

    hour: int
    zone: str
    nextAt: Time


class PreferencesView(TypedDict):
    """What you are told. nextMailAt: when what waits is mailed; null while nothing waits."""

    mail: MailView | None
    failureRate: FailureRateView | None
    summary: SummaryView | None
    mailedAt: Time | None
    nextMailAt: Time | None
    updatedAt: Time | None


class SentMail(TypedDict):
    """One mail. state: `SENT`, or `NOT_SENT` with a reason. events: how many it tells of; 0 of a test."""

    at: Time
    subject: str
    text: str
    events: int
    state: Annotated[str, Among((mailer.SENT, mailer.NOT_SENT))]
    reason: str | None


class SentMails(TypedDict):
    """A page of mails, newest first; each is kept for 30 days. `next` leads to the next page."""

    mails: list[SentMail]
    next: str | None


def get_preferences(request: HttpRequest[None, None]) -> PreferencesView:
    """What the caller's tenant is told."""
    return _shown(table.wants(request.tenant) or Row(), request.now)


def put_preferences(request: HttpRequest[Preferences, None]) -> PreferencesView:
    """Say what the tenant wants to be told. A new address is asked first."""
    tenant, body, before = request.tenant, request.body, table.wants(request.tenant)
    wanted = body.mail
    if wanted and not re.fullmatch(_ADDRESS, wanted.address):
        raise Invalid.field("mail.address", "must be a mail address, as in ops@shop.example")
    if body.summary and not hours.is_zone(body.summary.zone):
        raise Invalid.field("summary.zone", "is no time zone; give one as Europe/Berlin, America/New_York or UTC")
    try:
        topic = _topic(before, tenant, wanted.address, request.now) if wanted else None
    except topics.AddressRefused as bad:
        raise Invalid.field("mail.address", str(bad)) from None
    told = table.Wanted(
        mail=(wanted.address, topic) if wanted and topic else None,
        types=sorted(set(wanted.event_types)) if wanted else (),
        failure=body.failure_rate.model_dump() if body.failure_rate else None,
        summary=body.summary.model_dump() if body.summary else None,
        summarised=_summarised(before, body.summary, request.now),
    )
    try:
        after = table.change(before, tenant, told, request.now)
    except ConditionFailed:
        raise Conflict("somebody else is changing it just now; read it, and ask again", code="changing") from None
    if before and before.topic and before.topic != topic:
        topics.remove(before.topic)
    return _shown(after, request.now)


def send_test(request: HttpRequest[None, None]) -> SentMail:
    """Send a mail that says nothing but that it is a test."""
    wanted = table.wants(request.tenant)
    if wanted is None or wanted.topic is None:
        raise Conflict("no address is given: give one with PUT /v1/notifications", code="no_address")
    # Counted before AWS is asked, which it is anew: who has just agreed tries it at once.
    usage.charge_mail(request.tenant, request.now, live.current().tenants.allowed(request.tenant))
    if reason := mailer.REASONS.get(_standing(wanted, request.now, anew=True)):
        raise Conflict(reason, code="not_confirmed")
    return _sent(mailer.send(wanted, texts.trial(settings().stage), 0, request.now))


def list_mails(request: HttpRequest[None, PageQuery]) -> SentMails:
    """What was mailed."""
    query, tenant = request.query, request.tenant
    found = table.mails(tenant, query.limit, paging.start(query.cursor, tenant, table.MAIL_KEY))
    return {"mails": [_sent(one) for one in found], "next": found.cursor(tenant)}


def _topic(before: Row | None, tenant: str, address: str, now: int) -> str:
    """The topic of the address, which is asked unless it has said yes."""
    if before and before.topic and before.address == address and _standing(before, now) == Standing.CONFIRMED:
        return str(before.topic)
    usage.charge_mail(tenant, now, live.current().tenants.allowed(tenant))
    return topics.subscribe(tenant, address)


def _standing(wanted: Row, now: int, *, anew: bool = False) -> Standing:
    """Whether mail reaches the tenant's address, as SNS has said in the last seconds, or says `anew`.

    Raises:
        Unavailable: it does not say.
    """
    known = wanted.standing
    if not anew and known and known["topic"] == wanted.topic and now - known["at"] < STANDING_MS:
        return Standing(known["is"])
    try:
        found = topics.standing(wanted.topic)
    except topics.Throttled as busy:
        raise Unavailable(str(busy)) from busy
    table.note_standing(wanted, found, now)
    return found


def _summarised(before: Row | None, wanted: DailySummary | None, now: int) -> str | None:
    """The last day that counts as told: what was told stays so, and the first summary comes at the next hour."""
    if wanted is None:
        return None
    first = routine.first_day(wanted.hour, wanted.zone, now)
    return max(first, before.summarised) if before and before.summarised else first


def _shown(wanted: Row, now: int) -> PreferencesView:
    mail: MailView | None = None
    if wanted.topic:
        status = _standing(wanted, now)
        mail = {"address": wanted.address, "eventTypes": list(wanted.types or ()), "status": status}
    rate, summary = wanted.failure, wanted.summary
    failing: FailureRateView | None = None
    if rate:
        failing = {"percent": rate["percent"], "jobs": rate["jobs"], "failing": bool(wanted.failing)}
    daily: SummaryView | None = None
    if summary:
        daily = {"hour": summary["hour"], "zone": summary["zone"], "nextAt": iso(_next(wanted, now))}
    return {
        "mail": mail,
        "failureRate": failing,
        "summary": daily,
        "mailedAt": iso_or_none(wanted.mailed_at),
        "nextMailAt": iso_or_none(wanted.due_at),
        "updatedAt": iso_or_none(wanted.updated_at),
    }


def _next(wanted: Row, now: int) -> int:
    """When the next summary is due."""
    hour, zone = wanted.summary["hour"], wanted.summary["zone"]
    last = hours.last(hour, zone, now)
    return last.at if (wanted.summarised or "") < last.day.isoformat() else hours.following(hour, zone, now).at


def _sent(mail: Row) -> SentMail:
    return {
        "at": iso(mail.at),
        "subject": mail.subject,
        "text": mail.text,
        "events": mail.lines,
        "state": mail.state,
        "reason": mail.reason,
    }


_READ, _WRITE, _BASE = Permission.NOTIFICATIONS_READ, Permission.NOTIFICATIONS_WRITE, "/v1/notifications"
ROUTES = (
    Route(
        "GET",
        _BASE,
        "Show what you are told by mail",
        get_preferences,
        PreferencesView,
        _READ,
        errors=(Unavailable,),
    ),
    Route(
        "PUT",
        _BASE,
        "Say what you want to be told by mail",
        put_preferences,
        PreferencesView,
        _WRITE,
        body=Preferences,
        errors=(Conflict, Unavailable),
        asks=lambda _: 1,
    ),
    Route(
        "POST",
        f"{_BASE}/test",
        "Send a test mail",
        send_test,
        SentMail,
        _WRITE,
        status=202,
        errors=(Conflict, Unavailable),
        asks=lambda _: 1,
    ),
    Route("GET", f"{_BASE}/mails", "List what was mailed", list_mails, SentMails, _READ, query=PageQuery),
)
