"""Differences of two documents, side by side: what stood at a place, and what stands there now."""

import json
from collections.abc import Mapping
from typing import Any

from markupsafe import Markup

from sluice.dashboard.html import Child, element
from sluice.dashboard.table import Column, Row, Table, text
from sluice.dashboard.visit import Visit

COLUMNS: Mapping[str, Column] = {
    "place": text("Place", "place"),
    "before": Column("Before", lambda row: _told(row["before"]), lambda row: _marked("del", row["before"])),
    "after": Column("After", lambda row: _told(row["after"]), lambda row: _marked("ins", row["after"])),
}


def table(visit: Visit, changes: Mapping[str, Any], caption: str, empty: Child, name: str = "") -> Table:
    """`changes` as the API tells them: `{"limits.stockx.interval_ms": {"from": 1000, "to": 600}}`."""
    return Table(visit, COLUMNS, [_row(place, one) for place, one in changes.items()], caption, empty, name)


def _row(place: str, one: Mapping[str, Any]) -> Row:
    """What differs at one place. Of a list it is what was taken out and what was put in."""
    if "added" in one:
        return {"place": place, "before": one["removed"], "after": list(one["added"].values()) or one.get("order")}
    return {"place": place, "before": one.get("from"), "after": one.get("to")}


def _told(value: Any) -> str | None:
    return None if value is None or value == [] else json.dumps(value, ensure_ascii=False)


def _marked(tag: str, value: Any) -> Markup | None:
    told = _told(value)
    return element(tag, told) if told is not None else None
