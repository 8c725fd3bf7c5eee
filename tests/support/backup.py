"""A backup of the tables of this process, in the form in which DynamoDB exports them, and a restore of it."""

import base64
import gzip
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from operate import exports, restoring
from operate.bring_back import RULES
from operate.restoring import Target, Times
from sluice.jobs.queue import lanes
from sluice.marketplaces.accounts import token_cache
from sluice.platform.clock import iso
from sluice.platform.config.document import Config
from sluice.platform.settings import settings
from tests.support.store import Store

Items = Mapping[str, Sequence[dict[str, Any]]]


def write(folder: Path, stack: str, items: Items, at: int) -> None:
    """Exports of tables, by the names that Sluice gives them, as they come to S3."""
    for number, (table, found) in enumerate(sorted(items.items())):
        place = folder / "AWSDynamoDB" / f"{number:013d}-0a1b2c3d"
        (place / "data").mkdir(parents=True)
        name = f"{stack}-{table.replace('_', '-')}"
        arn = f"arn:aws:dynamodb:us-east-1:000000000000:table/{name}"
        summary = {"version": "2020-06-30", "tableArn": arn, "exportTime": iso(at), "itemCount": len(found)}
        (place / exports.MANIFEST).write_text(json.dumps(summary), encoding="utf-8")
        lines = [json.dumps({"Item": item}, default=_base64) for item in found]
        for part in (0, 1):  # an export has several files
            with gzip.open(place / "data" / f"part{part}.json.gz", "wt", encoding="utf-8") as file:
                file.write("\n".join(lines[part::2]) + "\n")


def _base64(value: object) -> str:
    if not isinstance(value, bytes):
        raise TypeError(type(value))
    return base64.b64encode(value).decode()


def take(store: Store) -> dict[str, list[dict[str, Any]]]:
    """What every table holds now."""
    return {table: store.items(table) for table in RULES}


def restore(
    store: Store, items: Items, folder: Path, at: int, now: int, config: Config | None = None
) -> list[tuple[str, str]]:
    """Everything is lost; what the backup `items` of `at` holds comes back at `now`, into a new stack of the same name.

    Returns what must be connected again.
    """
    write(folder, settings().stack, items, at)
    store.clear()
    lanes.forget()
    token_cache.forget()
    store.services["kms"] = _kms
    _, found = exports.read(folder)
    stack = Target(settings().stack, config or Config())
    return restoring.restore(stack, found, Times(now, now), frozenset(), lambda _: None)


def _kms(operation: str, parameters: dict[str, Any]) -> dict[str, Any]:
    """A key that leaves everything as it is, as the tests' own encryption does."""
    if operation == "Decrypt":
        return {"Plaintext": parameters["CiphertextBlob"]}
    return {"CiphertextBlob": parameters["Plaintext"]}
