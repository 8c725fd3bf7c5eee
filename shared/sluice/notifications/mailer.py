"""Sending what waits: each minute one mail to each tenant whose mail is due.

```
 first line ─► within a minute: a mail ─► more lines wait for ten minutes ─► one mail of all of them ─► …
```
So what happens alone is told at once, and a flood is a mail each ten minutes. Who dies between sending a mail and
saying so leaves its lines to the next run, which tells of them once more: a mail too many rather than one too few.
"""

from sluice.notifications import table, texts, topics
from sluice.notifications.table import Row
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
                served += serve(found, clock.now())
            except Exception:  # noqa: BLE001 - when its lease ends, the next run tries again
                count("MailsFailed")
                logger.exception("a mail could not be sent; it is tried again", extra={"tenant": found.entry})
    return served


def serve(found: Row, now: int) -> bool:
    """Send the tenant what waits for it. False when somebody else does."""
    claimed = table.claim(found, now + LEASE_MS)
    if claimed is None:
        return False
    lines, mailed_at = table.waiting(found.entry, MOST_LINES), None
    if lines:
        told = texts.mail([Line(one.type, one.at, one.text) for one in lines], settings().stage)
        mail = post(claimed, told, len(lines), now)
        count("MailsSent" if mail.state == SENT else "MailsNotSent")
        table.take_away(lines)
        mailed_at = now
    more = len(lines) == MOST_LINES
    again_at = now + PAUSE_MS
    if not table.leave(claimed, again_at if more else None, mailed_at):
        table.leave(claimed, again_at, mailed_at)
    return True


def post(wanted: Row, mail: Mail, lines: int, now: int) -> Row:
    """Send a mail where the tenant wants it, and remember it; where it cannot arrive, it is only remembered."""
    reason = NO_ADDRESS if wanted.topic is None else REASONS.get(topics.standing(wanted.topic))
    if reason is None and wanted.topic:
        topics.publish(wanted.topic, *mail)
    return table.keep(wanted.entry, now, *mail, SENT if reason is None else NOT_SENT, reason, lines)
