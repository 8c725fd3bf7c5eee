"""What a table's stream tells, in a test without a cloud."""

from typing import Any

from ministack.services import dynamodb

from sluice.platform import tables


def changes(table: str) -> list[dict[str, Any]]:
    """What has changed in `table` since this was last asked, as Lambda hands over the records of its stream."""
    records: list[dict[str, Any]] = dynamodb._stream_records.get(tables.name(table), [])
    found = list(records)
    records.clear()
    return found
