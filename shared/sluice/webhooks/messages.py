"""What lies in the queue `webhooks`: events from the bus, and deliveries that are due at some time."""

import json
from dataclasses import dataclass
from typing import Any

from sluice.platform import aws
from sluice.platform.clock import MINUTE, SECOND
from sluice.platform.settings import settings

# SQS holds a message back for no longer. Who finds it early sends it on its way again.
MOST_DELAY_MS = 15 * MINUTE


class CorruptMessage(Exception):  # noqa: N818 - what it is
    """The message is not one of ours; `str()` says what is wrong with it."""


@dataclass(frozen=True)
class Due:
    """A delivery to look at: its key."""

    webhook: str
    delivery: str


def decode(text: str) -> Due | dict[str, Any]:
    """The delivery, or the event's envelope, that `text` holds.

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
        return Due(str(found["webhook"]), str(found["delivery"]))
    except (KeyError, TypeError) as error:
        raise CorruptMessage(f"neither an event nor a delivery: {type(error).__name__}") from error


def send(webhook: str, delivery: str, in_ms: int = 0) -> None:
    """Have somebody look at the delivery in `in_ms`, or as late as SQS can."""
    delay = -(-max(0, min(in_ms, MOST_DELAY_MS)) // SECOND)
    message = json.dumps({"webhook": webhook, "delivery": delivery}, separators=(",", ":"))
    aws.send_message(settings().require("webhook_queue_url"), message, delay)
