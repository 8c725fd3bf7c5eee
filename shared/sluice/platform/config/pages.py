"""How product pages are watched: the section `pages` of the configuration."""

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any

_RANGES = {
    "check_scheduler_interval_minutes": (1, 1_440),
    "min_check_interval_minutes": (0, 10_080),
    "max_products_per_run": (1, 500),
    "check_lock_timeout_seconds": (60, 3_600),
    "confirm_minutes": (0, 60),
    "check_retention_days": (1, 365),
    "price_retention_days": (1, 3_650),
}


@dataclass(frozen=True)
class Pages:
    """Every number of product pages that an operator may change.

    enable_check_scheduler: whether pages are looked at by themselves; `run-now` works either way.
    check_scheduler_interval_minutes: how far apart the scheduler's runs are.
    min_check_interval_minutes: how long a page is left alone after a look; a look that confirms another comes earlier.
    max_products_per_run: how many looks one run asks for.
    check_lock_timeout_seconds: how long a look belongs to its worker before it is rescued.
    confirm_minutes: how soon a second look confirms what the first has read.
    check_retention_days, price_retention_days: how long checks and the history of prices are kept.
    """

    enable_check_scheduler: bool = True
    check_scheduler_interval_minutes: int = 30
    min_check_interval_minutes: int = 30
    max_products_per_run: int = 50
    check_lock_timeout_seconds: int = 300
    confirm_minutes: int = 5
    check_retention_days: int = 30
    price_retention_days: int = 400


def parse(value: object) -> Pages:
    """The section that the JSON `value` gives on top of the defaults.

    Raises:
        ValueError: a name that is unknown, or a value out of range, in words.
    """
    if not isinstance(value, Mapping):
        raise ValueError("pages must be an object")
    changes = dict[str, Any]()
    for name, given in value.items():
        if name == "enable_check_scheduler":
            if not isinstance(given, bool):
                raise ValueError(f"pages.{name} must be true or false, not {given!r}")
        elif name in _RANGES:
            least, most = _RANGES[name]
            if type(given) is not int or not least <= given <= most:
                raise ValueError(f"pages.{name} must be a whole number from {least} to {most}, not {given!r}")
        else:
            known = ", ".join(field.name for field in fields(Pages))
            raise ValueError(f"unknown name 'pages.{name}'; known are {known}")
        changes[name] = given
    return replace(Pages(), **changes)
