"""Counts DynamoDB's capacity units of every client in this process, by table and operation.

A refused conditional write carries no ConsumedCapacity, but AWS charges it by the size of the item that was there, and
it is counted so here.
"""

import json
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Lock
from typing import Any

import botocore.handlers

KIB = 1024
WRITES = {"PutItem", "UpdateItem", "DeleteItem", "TransactWriteItems", "BatchWriteItem"}

Key = tuple[str, str]


@dataclass
class Units:
    """Capacity units and requests, each by (table, operation); a refused write's operation ends in `!`."""

    written: defaultdict[Key, float] = field(default_factory=lambda: defaultdict(float))
    read: defaultdict[Key, float] = field(default_factory=lambda: defaultdict(float))
    requests: defaultdict[Key, int] = field(default_factory=lambda: defaultdict(int))

    @property
    def writes(self) -> float:
        return sum(self.written.values())

    @property
    def reads(self) -> float:
        return sum(self.read.values())

    def profile(self, jobs: int) -> str:
        """Where the units go, a line for each table and operation, for one of `jobs`."""
        lines = [
            f"  {table:<14}{operation:<20}{self.requests[key] / jobs:9.3f} requests"
            f"{self.written[key] / jobs:9.3f} WU{self.read[key] / jobs:9.3f} RU"
            for key in sorted(self.requests)
            for table, operation in [key]
        ]
        return "\n".join(lines)


_meters: list[Units] = []
_lock = Lock()


@contextmanager
def metered() -> Iterator[Units]:
    """Count into the yielded `Units` until the block ends."""
    units = Units()
    with _lock:
        _meters.append(units)
    try:
        yield units
    finally:
        with _lock:
            _meters.remove(units)


def _ask(params: dict[str, Any], context: dict[str, Any], **_: Any) -> None:
    params["ReturnConsumedCapacity"] = "INDEXES"
    context["table"] = params.get("TableName", "")


def _note(parsed: dict[str, Any], model: Any, context: dict[str, Any], **_: Any) -> None:
    found = parsed.get("ConsumedCapacity", [])
    with _lock:
        for units in _meters:
            for capacity in found if isinstance(found, list) else [found]:
                key = (_short(capacity["TableName"]), model.name)
                units.requests[key] += 1
                (units.written if model.name in WRITES else units.read)[key] += capacity["CapacityUnits"]
            if parsed.get("Error", {}).get("Code") == "ConditionalCheckFailedException":
                key = (_short(context["table"]), f"{model.name}!")
                units.requests[key] += 1
                units.written[key] += max(1, -(-_size(parsed.get("Item", {})) // KIB))


def _short(table: str) -> str:
    return table.rpartition("/")[2].removeprefix("sluice-local-")


def _size(item: dict[str, Any]) -> int:
    """About the size of an item in bytes: names and values, as DynamoDB counts them."""
    return sum(len(name) + len(json.dumps(next(iter(value.values())))) for name, value in item.items())


_OPERATIONS = ("PutItem", "UpdateItem", "DeleteItem", "GetItem", "Query", "Scan", "BatchGetItem", "BatchWriteItem")

# Every botocore session that is made from now on registers these. PynamoDB makes its own, boto3 too.
for _operation in (*_OPERATIONS, "TransactWriteItems", "TransactGetItems"):
    botocore.handlers.BUILTIN_HANDLERS.append((f"before-parameter-build.dynamodb.{_operation}", _ask))
    botocore.handlers.BUILTIN_HANDLERS.append((f"after-call.dynamodb.{_operation}", _note))
