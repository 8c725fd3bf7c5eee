"""How eBay listings are kept equal to their records: the section `ebay` of the configuration."""

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any

_RANGES = {
    "coalesce_seconds": (0, 3_600),
    "price_coalesce_seconds": (0, 3_600),
    "snapshots_kept": (1, 10_000),
    "snapshot_days": (1, 3_650),
    "sync_log_days": (1, 365),
    "policy_minutes": (1, 7 * 24 * 60),
}


@dataclass(frozen=True)
class Ebay:
    """Every number of eBay listings that an operator may change.

    coalesce_seconds: edits of a record within so long are one publish.
    price_coalesce_seconds: the same, where price and quantity alone were changed.
    snapshots_kept, snapshot_days: a listing's newest snapshots that are kept whatever their age, and how long others.
    sync_log_days: how long attempts to publish are kept.
    policy_minutes: a seller's policies that were read longer ago than this are read anew.
    """

    coalesce_seconds: int = 30
    price_coalesce_seconds: int = 5
    snapshots_kept: int = 100
    snapshot_days: int = 400
    sync_log_days: int = 30
    policy_minutes: int = 60


def parse(value: object) -> Ebay:
    """The section that the JSON `value` gives on top of the defaults.

    Raises:
        ValueError: a name that is unknown, or a value out of range, in words.
    """
    if not isinstance(value, Mapping):
        raise ValueError("ebay must be an object")
    changes = dict[str, Any]()
    for name, given in value.items():
        if name not in _RANGES:
            known = ", ".join(field.name for field in fields(Ebay))
            raise ValueError(f"unknown name 'ebay.{name}'; known are {known}")
        least, most = _RANGES[name]
        if type(given) is not int or not least <= given <= most:
            raise ValueError(f"ebay.{name} must be a whole number from {least} to {most}, not {given!r}")
        changes[name] = given
    return replace(Ebay(), **changes)
