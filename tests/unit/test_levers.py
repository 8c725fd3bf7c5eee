"""What tests do behind the back of a stack holds when a day of a marketplace begins meanwhile."""

from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest

from sluice.platform.clock import HOUR, SECOND
from tests.integration import levers
from tests.support.clock import VirtualClock

# At eBay it is 16:00 of the day before.
MIDNIGHT = int(datetime(2026, 11, 29, tzinfo=UTC).timestamp()) * SECOND


class Budgets:
    """The table `budgets`, as far as levers use it: `written` has the calls by budget and day."""

    def __init__(self, *rows: tuple[str, str]) -> None:
        self.rows = [{"budget": {"S": budget}, "window": {"S": day}, "day": {"N": "3"}} for budget, day in rows]
        self.written: dict[tuple[str, str], str] = {}
        self.exceptions = SimpleNamespace(ConditionalCheckFailedException=RuntimeError)

    def scan(self, **_: Any) -> dict[str, Any]:
        return {"Items": self.rows}

    def update_item(self, **asked: Any) -> None:
        key, [value] = asked["Key"], asked["ExpressionAttributeValues"].values()
        self.written[key["budget"]["S"], key["window"]["S"]] = value["N"]


@pytest.mark.parametrize(
    ("at", "rows", "budget", "written"),
    [
        (MIDNIGHT, (), "stockx:acme", [("stockx:acme", "2026-11-29")]),
        (MIDNIGHT - 1, (), "stockx:acme", [("stockx:acme", "2026-11-28"), ("stockx:acme", "2026-11-29")]),
        # The day in which the first calls were made is over.
        (MIDNIGHT, [("stockx:acme", "2026-11-28")], "stockx:acme", [("stockx:acme", "2026-11-29")]),
        (
            MIDNIGHT + 8 * HOUR - 1,
            [("ebay-marketing:app.1", "2026-11-28@America/Los_Angeles"), ("stockx:acme", "2026-11-29")],
            "ebay-marketing",
            [
                ("ebay-marketing:app.1", "2026-11-28@America/Los_Angeles"),
                ("ebay-marketing:app.1", "2026-11-29@America/Los_Angeles"),
            ],
        ),
    ],
)
def test_calls_that_are_used_up_stay_so_past_midnight(
    at: int, rows: Any, budget: str, written: list[tuple[str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    table: Any = Budgets(*rows)
    laptop: Any = SimpleNamespace(
        cloud=SimpleNamespace(client=lambda _: table), stack=SimpleNamespace(name="sluice-local")
    )
    monkeypatch.setattr(levers, "SystemClock", lambda: VirtualClock(at))
    levers.use_up(laptop, budget, 9)
    assert sorted(table.written) == written
    assert set(table.written.values()) == {"9"}
