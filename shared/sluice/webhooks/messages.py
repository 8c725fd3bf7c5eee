"""What lies in the queue `webhooks`: events from the bus, and turns of tenants."""

import json
from typing import Any, NamedTuple

from sluice.platform import aws
from sluice.platform.clock import MINUTE, SECOND
from sluice.platform.settings import settings
from sluice.platform.sqs import CorruptMessage

# SQS holds a message back for no longer. Who finds it early sends it on its way again.
MOST_DELAY_MS = 15 * MINUTE


class Turn(NamedTuple):
    """A turn of `tenant` at `at` (epoch ms), in which what is due to its endpoints is sent."""

    tenant: str
    at: int


def decode(text: str) -> Turn | dict[str, Any]:
    """The turn, or the event's envelope, that `text` holds.

    Raises:
        CorruptMessage: neither.
    """
    try:
        found = json.loads(text)
    except ValueError as error:
        raise CorruptMessage(f"not JSON: {error}") from error
    if isinstance(found, dict) and "detail-type" in found:
        return found
    try:
        return Turn(str(found["tenant"]), int(found["at"]))
    except (KeyError, TypeError, ValueError) as error:
        raise CorruptMessage(f"neither an event nor a turn: {type(error).__name__}") from error


def announce(turn: Turn, now: int, not_before: int = 0) -> None:
    """Have somebody take `turn` at its time, or at `not_before`, or look at it as late as SQS can hold it back."""
    delay = -(-max(0, min(max(turn.at, not_before) - now, MOST_DELAY_MS)) // SECOND)
    message = json.dumps({"tenant": turn.tenant, "at": turn.at}, separators=(",", ":"))
    aws.send_message(settings().require("webhook_queue_url"), message, delay, tenant=turn.tenant)
