"""What the function notifier does with an event: a line waits for the next mail of each tenant that wants it.

Of what will not mend itself, a line for each tenant waits for the operator's next mail as well.
"""

import json
from collections.abc import Mapping

from sluice.feed import bus_events
from sluice.feed.bus_events import Event, NoEvent
from sluice.notifications import operator_lines, operator_mail, table, texts
from sluice.notifications.mailer import PAUSE_MS
from sluice.notifications.table import OPERATOR, Row
from sluice.platform import sqs
from sluice.platform.clock import Clock
from sluice.platform.sqs import CorruptMessage


def work(found: Mapping[str, str], clock: Clock) -> list[str]:
    """Take in the messages `found` (body by message id); the ids of those that SQS must deliver again.

    An event that comes twice is told once.
    """
    return sqs.consume(found, lambda text: take_in(_event(text), clock.now()), threads=1).failed


def take_in(event: Event, now: int) -> None:
    """Have `event` wait for the operator's next mail, and for that of each of its tenants that wants it."""
    if event.type not in texts.SAID:
        return
    if event.type in operator_mail.SAID:
        said = operator_mail.said(event.type, event.detail)
        for tenant in event.tenants:
            operator_lines.note(tenant, (event.type, event.id), event.at, said, now)
        _call_for_mail(OPERATOR, table.wants(OPERATOR), now)
    for tenant in event.tenants:
        wanted = table.wants(tenant)
        if wanted is None or not wanted.topic or event.type not in (wanted.types or ()):
            continue
        said = texts.said(event.type, bus_events.data(event, tenant))
        table.note(tenant, (event.type, event.id), event.at, said, now)
        _call_for_mail(tenant, wanted, now)


def _call_for_mail(whose: str, standing: Row | None, now: int) -> None:
    """At once, or ten minutes after the last one."""
    mailed_at = standing.mailed_at if standing else None
    table.call_for_mail(whose, max(now, (mailed_at or 0) + PAUSE_MS))


def _event(text: str) -> Event:
    try:
        return bus_events.event(json.loads(text))
    except ValueError as error:
        raise CorruptMessage(f"not JSON: {error}") from error
    except NoEvent as other:
        raise CorruptMessage(str(other)) from other
