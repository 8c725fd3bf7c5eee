"""What the function notifier does with an event: a line waits for the next mail of each tenant that wants it."""

import json
from collections.abc import Mapping

from sluice.feed import bus_events
from sluice.feed.bus_events import Event, NoEvent
from sluice.notifications import table, texts
from sluice.notifications.mailer import PAUSE_MS
from sluice.platform import sqs
from sluice.platform.clock import Clock
from sluice.platform.sqs import CorruptMessage


def work(found: Mapping[str, str], clock: Clock) -> list[str]:
    """Take in the messages `found` (body by message id); the ids of those that SQS must deliver again.

    An event that comes twice is told once.
    """
    return sqs.consume(found, lambda text: take_in(_event(text), clock.now()), threads=1).failed


def take_in(event: Event, now: int) -> None:
    """Have `event` wait for the next mail of each of its tenants that wants it."""
    if event.type not in texts.SAID:
        return
    for tenant in event.tenants:
        wanted = table.wants(tenant)
        if wanted is None or not wanted.topic or event.type not in (wanted.types or ()):
            continue
        said = texts.said(event.type, bus_events.data(event, tenant))
        table.note(tenant, (event.type, event.id), event.at, said, now)
        table.call_for_mail(tenant, max(now, (wanted.mailed_at or 0) + PAUSE_MS))


def _event(text: str) -> Event:
    try:
        return bus_events.event(json.loads(text))
    except ValueError as error:
        raise CorruptMessage(f"not JSON: {error}") from error
    except NoEvent as other:
        raise CorruptMessage(str(other)) from other
