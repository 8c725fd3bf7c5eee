"""What a table's stream tells, in a test without a cloud."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from ministack.services import dynamodb

from sluice.platform import tables


def changes(table: str) -> list[dict[str, Any]]:
    """What has changed in `table` since this was last asked, as Lambda hands over the records of its stream."""
    records: list[dict[str, Any]] = dynamodb._stream_records.get(tables.name(table), [])
    found = list(records)
    records.clear()
    return found


@dataclass
class Stream:
    """Hands records to a function by Lambda's rules for one shard of a stream, as `properties` of its event say.

    A batch that fails is halved, in order, which uses up no retry; a record alone is tried again `MaximumRetryAttempts`
    times, then its place is told to the failure destination (`aside`), and the stream goes on behind it. `tries`: how
    often the function was called.
    """

    function: Callable[[dict[str, Any]], object]
    properties: Mapping[str, Any]
    aside: list[str] = field(default_factory=list)
    tries: int = 0

    def deliver(self, records: Sequence[dict[str, Any]]) -> None:
        """Hand over `records`."""
        size = self.properties["BatchSize"]
        for start in range(0, len(records), size):
            self._batch(records[start : start + size])

    def _batch(self, records: Sequence[dict[str, Any]]) -> None:
        halves = len(records) > 1 and self.properties["BisectBatchOnFunctionError"]
        for _ in range(1 if halves else 1 + self.properties["MaximumRetryAttempts"]):
            self.tries += 1
            with suppress(Exception):
                self.function({"Records": list(records)})
                return
        if halves:
            middle = len(records) // 2
            self._batch(records[:middle])
            self._batch(records[middle:])
        elif self.properties["DestinationConfig"]["OnFailure"]["Type"] == "SQS":
            self.aside += [record["eventID"] for record in records]
