"""A backup as it lies in a folder: exports of DynamoDB tables to S3, fetched with `aws s3 sync`.

```
 <anything>/AWSDynamoDB/<export id>/manifest-summary.json     which table, and as of when
                                    data/*.json.gz            a line for each item: {"Item": {…}}
```
It is DynamoDB's own form (full export, DynamoDB JSON), whatever it lies in.
"""

import gzip
import json
from base64 import b64decode
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from operate import Item
from sluice.platform.clock import from_iso

MANIFEST = "manifest-summary.json"


class NoBackup(Exception):  # noqa: N818 - what is wrong
    """The folder holds no backup of a stack that can be used; says why."""


@dataclass(frozen=True)
class Export:
    """One table's. table: its physical name. at: as of when, epoch ms."""

    table: str
    at: int
    folder: Path

    def items(self) -> Iterator[Item]:
        """Every item, as DynamoDB writes it."""
        for path in sorted((self.folder / "data").glob("*.json.gz")):
            with gzip.open(path, "rt", encoding="utf-8") as lines:
                for line in lines:
                    if line.strip():
                        yield json.loads(line, object_hook=_binary)["Item"]


def read(folder: Path) -> tuple[str, dict[str, Export]]:
    """The stack whose backup lies in `folder`, and the exports of its tables by the names that Sluice gives them.

    Raises:
        NoBackup: there is none, or there are several of a table.
    """
    found: dict[str, Export] = {}
    for path in sorted(folder.rglob(MANIFEST)):
        export = _export(path)
        if export.table in found:
            raise NoBackup(f"{folder} holds two exports of {export.table}: keep the one that is meant")
        found[export.table] = export
    stack = next((name.removesuffix("-jobs") for name in found if name.endswith("-jobs")), None)
    if stack is None:
        raise NoBackup(f"{folder} holds no export of a table of jobs ({MANIFEST} says of which table an export is)")
    ours = {name: one for name, one in found.items() if name.startswith(f"{stack}-")}
    return stack, {name.removeprefix(f"{stack}-").replace("-", "_"): one for name, one in ours.items()}


def _export(path: Path) -> Export:
    try:
        said = json.loads(path.read_text(encoding="utf-8"))
        return Export(said["tableArn"].rpartition("/")[2], from_iso(said["exportTime"]), path.parent)
    except (ValueError, KeyError) as error:
        raise NoBackup(f"{path} is no manifest of an export: {error}") from error


def _binary(value: Item) -> Item:
    """DynamoDB JSON as boto3 wants it: binaries as bytes."""
    if len(value) == 1 and isinstance(value.get("B"), str):
        return {"B": b64decode(value["B"])}
    return value
