"""Times and spans as a person writes them, for options: `--since 2h`, `--for 30m`."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import click

_UNITS = {"m": "minutes", "h": "hours", "d": "days"}
_SPAN = r"([1-9]\d{0,4})([mhd])"


def span(text: str) -> timedelta | None:
    """How long `30m`, `2h` or `1d` is; None of anything else."""
    found = re.fullmatch(_SPAN, text)
    return timedelta(**{_UNITS[found[2]]: int(found[1])}) if found else None


def moment(text: str) -> datetime | None:
    """The time that `text` gives: RFC 3339, or without a zone by this machine's clock. None if it is none."""
    try:
        return datetime.fromisoformat(text).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


class Duration(click.ParamType[timedelta]):
    """How long: `30m`, `2h`, `1d`."""

    name = "duration"

    def convert(self, value: Any, parameter: click.Parameter | None, context: click.Context | None) -> timedelta:
        if isinstance(value, timedelta):
            return value
        if (found := span(str(value))) is None:
            self.fail(f"{value!r} is no time: write 30m, 2h or 1d", parameter, context)
        return found


class Moment(click.ParamType[str]):
    """When, as the API reads it. ago: `2h` is taken too, for so long ago."""

    name = "moment"

    def __init__(self, *, ago: bool) -> None:
        self._ago = ago

    def convert(self, value: Any, parameter: click.Parameter | None, context: click.Context | None) -> str:
        text = str(value).strip()
        passed = span(text) if self._ago else None
        found = datetime.now(UTC) - passed if passed else moment(text)
        if found is None:
            ways = "2026-11-22T12:00:00Z, or 2026-11-22 13:00 by this machine's clock"
            if self._ago:
                ways = f"2h (so long ago), {ways}"
            self.fail(f"{value!r} is no time: write {ways}", parameter, context)
        return found.isoformat(timespec="milliseconds").replace("+00:00", "Z")
