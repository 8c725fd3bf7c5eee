"""What a tracker wants, as it is stored. Pure."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from sluice.pages.alerts import Watch
from sluice.pages.reading import Money


def stored(watch: Watch) -> dict[str, Any]:
    """What is stored of `watch`."""
    return {
        "target": [str(watch.target.amount), watch.target.currency] if watch.target else None,
        "percent": str(watch.percent) if watch.percent is not None else None,
        "ids": sorted(watch.ids),
        "options": {name: sorted(values) for name, values in watch.options.items()},
        "alerts": sorted(watch.kinds),
    }


def watch(wants: Mapping[str, Any]) -> Watch:
    """What `stored` made `wants` of."""
    target, percent = wants["target"], wants["percent"]
    return Watch(
        Money(Decimal(target[0]), target[1]) if target else None,
        Decimal(percent) if percent is not None else None,
        frozenset(wants["ids"]),
        {name: frozenset(values) for name, values in wants["options"].items()},
        frozenset(wants["alerts"]),
    )
