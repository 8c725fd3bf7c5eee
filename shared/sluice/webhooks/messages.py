"""What lies in the queue `webhooks`: events from the bus, turns of tenants, and endpoints that were deleted."""

import json
from collections.abc import Mapping
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


class Deleted(NamedTuple):
    """The tenant's endpoint was deleted at `at` (epoch ms): what is on its way there is to be dropped."""

    tenant: str
    at: int
    webhook_id: str


def decode(text: str) -> Turn | Deleted | dict[str, Any]:
    """The turn, the deleted endpoint or the event's envelope that `text` holds.

    Raises:
        CorruptMessage: none of them.
    """
    try:
        found = json.loads(text)
    except ValueError as error:
        raise CorruptMessage(f"not JSON: {error}") from error
    if isinstance(found, dict) and "detail-type" in found:
        return found
    try:
        turn = Turn(str(found["tenant"]), int(found["at"]))
        return Deleted(*turn, str(found["deleted"])) if "deleted" in found else turn
    except (KeyError, TypeError, ValueError) as error:
        raise CorruptMessage(f"neither an event nor a tenant's: {type(error).__name__}") from error


def announce(turn: Turn, now: int, not_before: int = 0) -> None:
    """Have somebody take `turn` at its time, or at `not_before`, or look at it as late as SQS can hold it back."""
    _send(turn.tenant, {"tenant": turn.tenant, "at": turn.at}, max(turn.at, not_before), now)


def tell_deleted(deleted: Deleted, now: int, not_before: int = 0) -> None:
    """Have somebody drop what is on its way to the endpoint, at `not_before`."""
    message = {"tenant": deleted.tenant, "at": deleted.at, "deleted": deleted.webhook_id}
    _send(deleted.tenant, message, not_before, now)


def _send(tenant: str, message: Mapping[str, Any], at: int, now: int) -> None:
    delay = -(-max(0, min(at - now, MOST_DELAY_MS)) // SECOND)
    written = json.dumps(message, separators=(",", ":"))
    aws.send_message(settings().require("webhook_queue_url"), written, delay, tenant=tenant)
