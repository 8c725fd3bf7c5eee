"""How the marketplaces write times."""

from datetime import UTC, datetime


def iso(at_ms: int) -> str:
    """ISO 8601 in UTC, to the millisecond: `2026-11-28T10:00:00.000Z`."""
    return datetime.fromtimestamp(at_ms / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
