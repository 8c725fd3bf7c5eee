"""What a test does behind the back of a stack, where waiting for it would take hours."""

from contextlib import suppress
from typing import Any

from local.laptop import Laptop
from sluice.jobs.budgets.windows import Window
from sluice.jobs.queue import nudge
from sluice.listings.stockx.changes import Change
from sluice.notifications.table import OPERATOR, TENANTS
from sluice.platform.clock import HOUR, SystemClock
from tests.support.stack import until

LONG_AGO = {"N": "1"}


def lose(laptop: Laptop, job: str, attempts: int) -> None:
    """Make the finished `job` one that was claimed `attempts` times, and last started by a worker that died."""
    claim = f"lost-{attempts}"
    _set(laptop, "runs", {"scope": {"S": f"batch#{claim}"}, "at": {"S": "start"}}, {"taken_by": {"S": "worker"}})
    changes = {
        "batch": {"S": claim},
        "state": {"S": "leased"},
        "lane": {"S": "leased#0"},
        "due_at": LONG_AGO,
        "attempts": {"N": str(attempts)},
    }
    _set(laptop, "jobs", {"job_id": {"S": job}}, changes)


def leave(laptop: Laptop, tenant: str, change: Change, listing_id: str) -> None:
    """Put `change` on the tenant's listing, whose job is gone."""
    laptop.cloud.client("dynamodb").update_item(
        TableName=f"{laptop.stack.name}-listings",
        Key={"tenant": {"S": tenant}, "listing_id": {"S": listing_id}},
        UpdateExpression="SET changes.#number = :change, last_change = :number",
        ExpressionAttributeNames={"#number": str(change.number)},
        ExpressionAttributeValues={":change": {"S": change.encode()}, ":number": {"N": str(change.number)}},
    )


def hasten(laptop: Laptop, job: str, state: str = "waiting", stack: str = "") -> None:
    """Make the `job` due at once that waits for the marketplace, or in another `state` for its time.

    stack: the name of another than the laptop's own.
    """
    _set(laptop, "jobs", {"job_id": {"S": job}}, {"due_at": LONG_AGO}, state=state, stack=stack)


def spell_as_before(laptop: Laptop, sku: str) -> None:
    """Store a price of `sku` once more, under a spelling of its size that an earlier version used: `10.0`, not `10`."""
    client, table = laptop.cloud.client("dynamodb"), f"{laptop.stack.name}-prices"
    asked = {"KeyConditionExpression": "sku = :sku", "ExpressionAttributeValues": {":sku": {"S": sku}}}
    row = next(one for one in client.query(TableName=table, **asked)["Items"] if one["size"]["S"].isdigit())
    size = row["size"]["S"]
    spelled = {"price": {"S": row["price"]["S"].replace(f"-{size}:", f"-{size}.0:")}, "size": {"S": f"{size}.0"}}
    client.put_item(TableName=table, Item={**row, **spelled, "observed_at": LONG_AGO})


def spend(laptop: Laptop, tenant: str, calls: int) -> None:
    """Make it so that `calls` were made today on the StockX account of `tenant`."""
    use_up(laptop, f"stockx:{tenant}", calls)


def use_up(laptop: Laptop, budget: str, calls: int) -> None:
    """Make it so that `calls` were made today on the `budget`, and on those of applications of that service.

    Near the end of a day the next one's are used up too, so that a day that begins meanwhile gives nothing back.
    """
    rows = laptop.cloud.client("dynamodb").scan(TableName=f"{laptop.stack.name}-budgets")["Items"]
    names = {row["budget"]["S"] for row in rows if "day" in row and row["budget"]["S"].startswith(budget)}
    now = SystemClock().now()
    for name in names or {budget}:
        for day in {Window.of(name, at).day for at in (now, now + HOUR)}:
            _set(laptop, "budgets", {"budget": {"S": name}, "window": {"S": day}}, {"day": {"N": str(calls)}})


def rest(laptop: Laptop) -> None:
    """Wait until nobody has asked for a run of the scheduler and none goes on: who asks next has to start one."""
    client, table = laptop.cloud.client("dynamodb"), f"{laptop.stack.name}-lanes"
    key = {"registry": {"S": "nudge"}, "lane": {"S": "scheduler"}}

    def rests() -> bool:
        found = client.get_item(TableName=table, Key=key, ConsistentRead=True).get("Item", {})
        times = {name: int(value["N"]) for name, value in found.items() if "N" in value}
        asked_until = times.pop("seen_at", 0) + nudge.LOST_AFTER_MS
        return max([asked_until, *times.values()]) < SystemClock().now()

    until(rests, "no run of the scheduler is asked for or goes on")


def has_called(laptop: Laptop, function: str, action: str) -> bool:
    """Whether the function has made a call of this kind by now."""
    name = laptop.stack.function(function)
    return any((call.function, call.action) == (name, action) for call in laptop.cloud.calls())


def reopen(laptop: Laptop, budget: str, job: str) -> None:
    """Make it so that the time is over for which a 429 has closed the `budget`, and the `job` due that waited."""
    rows = laptop.cloud.client("dynamodb").scan(TableName=f"{laptop.stack.name}-budgets")["Items"]
    for row in rows:
        if row["budget"]["S"] == budget and "closed_until" in row:
            _set(laptop, "budgets", {name: row[name] for name in ("budget", "window")}, {"closed_until": LONG_AGO})
    hasten(laptop, job, "queued")


def forget_lanes(laptop: Laptop, part: str) -> None:
    """Make it so that no lane with `part` in its name had work for long."""
    rows = laptop.cloud.client("dynamodb").scan(TableName=f"{laptop.stack.name}-lanes")["Items"]
    for row in rows:
        if part in row["lane"]["S"]:
            _set(laptop, "lanes", {name: row[name] for name in ("registry", "lane")}, {"seen_at": LONG_AGO})


def forget_operator_mail(laptop: Laptop) -> None:
    """Make it so that the operator was never sent a mail: the next one need not wait until ten minutes are over."""
    key = {"tenant": {"S": TENANTS}, "entry": {"S": OPERATOR}}
    laptop.cloud.client("dynamodb").delete_item(TableName=f"{laptop.stack.name}-notifications", Key=key)


def is_empty(laptop: Laptop, queue: str) -> bool:
    """Whether the queue, an output of the stack, has no message: none waits there, and none is being handled."""
    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    url = laptop.stack.outputs[queue]
    found = laptop.cloud.client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"]
    return not any(int(found[name]) for name in names)


def set_aside(laptop: Laptop, queue: str, body: str) -> None:
    """Send a message that is none to a queue, an output of the stack, and wait until it was set aside."""
    sqs, outputs = laptop.cloud.client("sqs"), laptop.stack.outputs
    sqs.send_message(QueueUrl=outputs[queue], MessageBody=body)

    def found() -> bool:
        messages = sqs.receive_message(QueueUrl=outputs["DeadLetterQueueUrl"], MaxNumberOfMessages=10)
        return body in [message["Body"] for message in messages.get("Messages", [])]

    until(found, "the message is set aside")


def _set(
    laptop: Laptop, table: str, key: dict[str, Any], values: dict[str, Any], state: str | None = None, stack: str = ""
) -> None:
    """Write `values` to the item; with `state`, only while the item is in it. stack: if not the laptop's own."""
    dynamodb = laptop.cloud.client("dynamodb")
    given = values | ({"state": {"S": state}} if state else {})
    condition = {"ConditionExpression": "#state = :state"} if state else {}
    with suppress(dynamodb.exceptions.ConditionalCheckFailedException):
        dynamodb.update_item(
            TableName=f"{stack or laptop.stack.name}-{table}",
            Key=key,
            UpdateExpression="SET " + ", ".join(f"#{name} = :{name}" for name in values),
            ExpressionAttributeNames={f"#{name}": name for name in given},
            ExpressionAttributeValues={f":{name}": value for name, value in given.items()},
            **condition,
        )


def make_idle(laptop: Laptop, now: int) -> None:
    """Make everybody who is signed in to the dashboard one whose last page was ten minutes ago."""
    client, table = laptop.cloud.client("dynamodb"), f"{laptop.stack.name}-sessions"
    for item in client.scan(TableName=table)["Items"]:
        if "seen_at" in item:
            client.update_item(
                TableName=table,
                Key={"session": item["session"]},
                UpdateExpression="SET seen_at = :then",
                ExpressionAttributeValues={":then": {"N": str(now - 600_000)}},
            )
