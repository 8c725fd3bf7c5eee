"""A section of the configuration: a frozen dataclass whose fields say what they may be. Pure.

```python
@dataclass(frozen=True)
class Prices:
    freshness_ms: int = number(10 * MINUTE, least=0, most=YEAR)
```
"""

from collections.abc import Callable, Mapping
from dataclasses import field, fields, replace
from typing import Any, Final, TypeVar

from sluice.platform.clock import DAY

# No calendar has a time that is much later.
YEAR: Final = 365 * DAY

# Reads the JSON value that stands at a place of the document, or raises ValueError in words that name the place.
Reader = Callable[[str, object], Any]
S = TypeVar("S")


def number(default: int, *, least: int, most: int) -> int:
    """A field: a whole number from `least` to `most`."""

    def read(place: str, value: object) -> int:
        # An integer and not a truth value, which Python takes for one.
        if type(value) is not int or not least <= value <= most:
            raise ValueError(f"{place} must be a whole number from {least} to {most}, not {value!r}")
        return value

    return read_by(read, default)


def flag(*, default: bool) -> bool:
    """A field: true or false."""

    def read(place: str, value: object) -> bool:
        if not isinstance(value, bool):
            raise ValueError(f"{place} must be true or false, not {value!r}")
        return value

    return read_by(read, default)


def read_by(reader: Reader, default: S) -> S:
    """A field that `reader` reads."""
    made: S = field(default_factory=lambda: default, metadata={"reader": reader})
    return made


def parse(place: str, value: object, base: S) -> S:
    """The section that the JSON `value` at `place` of the document gives on top of `base`.

    Raises:
        ValueError: a name that is unknown, or a value out of range, in words.
    """
    if not isinstance(value, Mapping):
        raise ValueError(f"{place} must be an object, not {value!r:.40}")
    readers: dict[str, Reader] = {one.name: one.metadata["reader"] for one in fields(base)}  # type: ignore[arg-type]
    for name in value:
        if name not in readers:
            raise ValueError(f"unknown name '{place}.{name}'; known are {', '.join(readers)}")
    changes = {name: readers[name](f"{place}.{name}", given) for name, given in value.items()}
    return replace(base, **changes)  # type: ignore[type-var]
