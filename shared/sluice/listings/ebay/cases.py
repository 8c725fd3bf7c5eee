"""Open differences that a person decides about: rows of a record's `drift`. Pure but for the id.

```
 {"class": "ended", "groups": [], "at": "2026-11-28T10:00:00.000Z", "case": "DZ5485-612-10.1f3a9c204b5d"}
```
*ours* sends what the record says, *theirs* takes what eBay shows into the record, *ignore* makes what eBay shows the
new measure.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final
from uuid import uuid4

OURS: Final = "ours"
THEIRS: Final = "theirs"
IGNORE: Final = "ignore"
ANSWERS: Final = (OURS, THEIRS, IGNORE)

Row = Mapping[str, Any]


def new_id(sku: str) -> str:
    """A new case's id, which says whose it is."""
    return f"{sku}.{uuid4().hex[:12]}"


def sku_of(case: str) -> str | None:
    """Whose case it is; None where it can be none."""
    return case.rpartition(".")[0] if re.fullmatch(r"\S{1,50}\.[0-9a-f]{12}", case) else None


def row(kind: str, groups: Iterable[str], at: str, details: str = "", *, sku: str) -> dict[str, Any]:
    """A new case. details: what it is about, where the class does not say it: the policy that is gone."""
    made: dict[str, Any] = {"class": kind, "groups": sorted(groups), "at": at, "case": new_id(sku)}
    return made | ({"details": details} if details else {})


def same(open_: Sequence[Row], kind: str, groups: Iterable[str], details: str = "") -> Row | None:
    """The open case that is about this already, so that it is told once."""
    wanted = sorted(groups)
    for one in open_:
        if (one["class"], list(one["groups"]), one.get("details", "")) == (kind, wanted, details):
            return one
    return None


def without(open_: Sequence[Row], case: str) -> list[Row]:
    """All but one."""
    return [one for one in open_ if one["case"] != case]
