"""What the functions asked of AWS, as the local cloud recorded it."""

import json
from dataclasses import dataclass
from pathlib import Path

RECORD = "calls.jsonl"


@dataclass(frozen=True)
class Call:
    """One kind of call that a function made: the IAM action, the ARN it was made on, and whether a policy allows it."""

    function: str
    action: str
    resource: str
    allowed: bool


def read(folder: Path) -> set[Call]:
    """The calls recorded in the folder of a local cloud."""
    record = folder / RECORD
    lines = record.read_text(encoding="utf-8").splitlines() if record.exists() else []
    return {Call(**json.loads(line)) for line in lines}
