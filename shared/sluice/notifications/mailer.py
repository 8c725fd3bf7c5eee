"""Sending what waits: each minute one mail to each tenant whose mail is due, and to the operator.

```
 first line ─► within a minute: a mail ─► more lines wait for ten minutes ─► one mail of all of them ─► …
```
So what happens alone is told at once, and a flood is a mail each ten minutes. Who dies between sending a mail and
saying so leaves its lines to the next run, which tells of them once more: a mail too many rather than one too few.
"""

from typing import NamedTuple

from sluice.notifications import operator_lines, operator_mail, table, texts, topics
from sluice.notifications.table import OPERATOR, Row
from sluice.notifications.texts import Line, Mail
from sluice.notifications.topics import Standing
from sluice.platform.clock import MINUTE, Clock
from sluice.platform.observe import count, logger
from sluice.platform.settings import settings

# Between two mails to the same tenant.
PAUSE_MS = 10 * MINUTE
# Whoever sends has so long; then another run takes over.
LEASE_MS = 5 * MINUTE
# Lines of one mail; more wait for the next.
MOST_LINES = 2_000
# Tenants that one mail to the operator tells of.
MOST_TENANTS = 500
SENT, NOT_SENT = "SENT", "NOT_SENT"
NO_ADDRESS = "no address is given any more"
REASONS = {
    Standing.PENDING: "the address is not confirmed yet: open the link in the mail that AWS has sent there",
    Standing.GONE: "the address is not confirmed any more: PUT /v1/notifications once more has AWS ask it again",
}


def send_due(clock: Clock) -> int:
    """Send what is due; how many tenants were served. One that cannot be served stops no other."""
    served = 0
    for found in table.everybody():
        if found.due_at is not None and found.due_at <= clock.now():
            try:
                served += serve(found, clock.now()) and found.entry != OPERATOR
            except Exception:  # noqa: BLE001 - when its lease ends, the next run tries again
                count("MailsFailed")
                logger.exception("a mail could not be sent; it is tried again", extra={"tenant": found.entry})
    return served


def serve(found: Row, now: int) -> bool:
    """Send the tenant what waits for it. False when somebody else does."""
    claimed = table.claim(found, now + LEASE_MS)
    if claimed is None:
        return False
    told = _tell_operator() if found.entry == OPERATOR else _tell(claimed, now)
    table.take_away(told.lines)
    mailed_at, again_at = now if told.lines else None, now + PAUSE_MS
    if not table.leave(claimed, again_at if told.more else None, mailed_at):
        table.leave(claimed, again_at, mailed_at)
    return True


class _Told(NamedTuple):
    """The lines of a mail; none where none was sent. more: others wait for the next one."""

    lines: list[Row]
    more: bool


def _tell(claimed: Row, now: int) -> _Told:
    lines = table.waiting(claimed.entry, MOST_LINES)
    if lines:
        mail = post(claimed, texts.mail(_lines(lines), settings().stage), len(lines), now)
        count("MailsSent" if mail.state == SENT else "MailsNotSent")
    return _Told(lines, len(lines) == MOST_LINES)


def _tell_operator() -> _Told:
    found, more = operator_lines.waiting(MOST_LINES, MOST_TENANTS)
    if found:
        by_tenant = {tenant: _lines(lines) for tenant, lines in found.items()}
        mail = operator_mail.mail(by_tenant, settings().stage, more=more)
        topics.publish(settings().require("operator_topic"), *mail)
        count("MailsSent")
    return _Told([line for lines in found.values() for line in lines], more)


def _lines(rows: list[Row]) -> list[Line]:
    return [Line(one.type, one.at, one.text) for one in rows]


def post(wanted: Row, mail: Mail, lines: int, now: int) -> Row:
    """Send a mail where the tenant wants it, and remember it; where it cannot arrive, it is only remembered."""
    reason = NO_ADDRESS if wanted.topic is None else REASONS.get(topics.standing(wanted.topic))
    if reason is None:
        return send(wanted, mail, lines, now)
    return table.keep(wanted.entry, now, *mail, NOT_SENT, reason, lines)


def send(wanted: Row, mail: Mail, lines: int, now: int) -> Row:
    """Send a mail to an address that mail reaches, and remember it."""
    topics.publish(wanted.topic, *mail)
    return table.keep(wanted.entry, now, *mail, SENT, None, lines)
