"""Queues hand out in fair order, as on AWS: others' messages before those of a tenant that keeps most consumers busy.

```
 in the queue   mallory mallory mallory mallory acme      being handled   mallory mallory mallory
 handed out     acme, then mallory's
```
By itself ministack keeps the group of a message and takes no notice of it, and an event that a rule puts into a queue
that is no FIFO queue has none. It runs inside the ministack process, and hangs on two functions of the ministack
release that the lock pins.
"""

import json
import time
from collections import Counter
from typing import Any

from ministack.services import eventbridge, sqs

Message = dict[str, Any]


def install() -> None:
    """Give events the group that their rule names, and hand out messages in fair order."""
    put, take = eventbridge._dispatch_to_sqs, sqs._collect_msgs

    def put_with_group(spec: Any, payload: str, parameters: dict[str, str] | None = None) -> None:
        put(spec, payload, parameters)
        group, queue = (parameters or {}).get("MessageGroupId"), sqs._queue_by_arn(str(spec))
        if group and queue and not queue.get("is_fifo"):
            own = next((one for one in reversed(queue["messages"]) if one["body"] == payload), None)
            if own:
                own["group_id"] = named(group, json.loads(payload))

    def take_fairly(queue: dict[str, Any], most: int, hidden_seconds: int) -> list[Message]:
        if not queue["is_fifo"]:
            # The queue's own list stays as it is: others add to it meanwhile.
            queue = {**queue, "messages": in_fair_order(list(queue["messages"]), time.time())}
        taken: list[Message] = take(queue, most, hidden_seconds)
        return taken

    eventbridge._dispatch_to_sqs = put_with_group
    sqs._collect_msgs = take_fairly


def named(group: str, event: Any) -> str:
    """The group that a rule's target names: `$.a.b` stands for what the event has there.

    Raises:
        KeyError: the event has nothing there. AWS does not say what becomes of it then, so no event may be so.
    """
    if not group.startswith("$."):
        return group
    for name in group.removeprefix("$.").split("."):
        event = event[name]
    return str(event)


def in_fair_order(messages: list[Message], now: float) -> list[Message]:
    """Those of groups of which fewest are being handled first; of one group, and of none, as they stand."""
    handled = Counter(one.get("group_id") for one in messages if _is_handled(one, now))
    handled[None] = 0
    return sorted(messages, key=lambda one: handled[one.get("group_id")])


def _is_handled(message: Message, now: float) -> bool:
    return bool(message.get("receive_count")) and message["visible_at"] > now
