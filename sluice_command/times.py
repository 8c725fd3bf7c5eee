"""Times for people. Pure."""

from datetime import UTC, datetime


def age(at: str | None, now: datetime | None = None) -> str:
    """How long ago `at` (RFC 3339) was: `12 s`, `5 min`, `3 h`, `2 d`."""
    if at is None:
        return ""
    seconds = max(0, round(((now or datetime.now(UTC)) - datetime.fromisoformat(at)).total_seconds()))
    for size, unit in ((86_400, "d"), (3_600, "h"), (60, "min")):
        if seconds >= 2 * size:
            return f"{seconds // size} {unit}"
    return f"{seconds} s"


def clock(at: str | None) -> str:
    """`at` (RFC 3339) to the second, in this machine's zone."""
    return datetime.fromisoformat(at).astimezone().strftime("%Y-%m-%d %H:%M:%S") if at else ""
