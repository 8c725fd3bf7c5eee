"""What a function does with a delivery of SQS messages: each stands alone, and one that fails stops no other.

```
 delivery ─► consume: each message to `handle` ─┬─ done
                                                ├─ CorruptMessage: set aside, with the reason
                                                └─ any other error: SQS delivers it again
```
"""

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Generic, NamedTuple, TypeVar

from sluice.platform import aws
from sluice.platform.observe import count, logger
from sluice.platform.settings import settings

R = TypeVar("R")

MOST_REASON_CHARACTERS = 256


class CorruptMessage(Exception):  # noqa: N818 - what it is
    """The message is not one of ours, or from a newer version; `str()` says what is wrong with it."""


class Consumed(NamedTuple, Generic[R]):
    """What became of a delivery.

    done: what `handle` returned, in the order of the messages.
    failed: the ids of the messages that SQS must deliver again, for a reason of ours.
    """

    done: list[R]
    failed: list[str]


def messages(event: Mapping[str, Any]) -> dict[str, str]:
    """The bodies of the messages that Lambda hands over, by message id."""
    return {record["messageId"]: record["body"] for record in event["Records"]}


def answer(failed: list[str]) -> dict[str, Any]:
    """The partial batch response: only the messages `failed` are delivered again."""
    return {"batchItemFailures": [{"itemIdentifier": message_id} for message_id in failed]}


def consume(found: Mapping[str, str], handle: Callable[[str], R], threads: int | None = None) -> Consumed[R]:
    """Do `handle` with each of the messages `found` (body by message id).

    threads: how many at once; by default all.
    """
    done, failed = list[R](), list[str]()
    with ThreadPoolExecutor(threads or max(1, len(found))) as pool:
        handled = {message_id: pool.submit(_one, body, handle) for message_id, body in found.items()}
    for message_id, future in handled.items():
        try:
            done += future.result()
        except Exception:  # noqa: BLE001
            about = {"message_id": message_id}
            logger.exception("a message could not be handled; it is delivered again", extra=about)
            failed.append(message_id)
    return Consumed(done, failed)


def set_aside(body: str, reason: str) -> None:
    """Put a message that cannot be read where a person finds it, with the reason.

    SQS itself would move it there without one, after five deliveries.
    """
    logger.error("a message goes to the queue of rejected messages", extra={"reason": reason})
    count("MessagesSetAside")
    aws.send_message(settings().require("dead_queue_url"), body, reason=reason[:MOST_REASON_CHARACTERS])


def _one(body: str, handle: Callable[[str], R]) -> list[R]:
    try:
        return [handle(body)]
    except CorruptMessage as corrupt:
        set_aside(body, str(corrupt))
        return []
