"""The golden set: ten real SKUs that every marketplace adapter must be able to price, at the three priorities."""

from typing import Any

# Alias gives sneakers their US sizes only.
_US_SIZES = {"CP9654": "10"}
_ROWS = (
    ("DD1391-100", "10", "us", "manual"),
    ("DZ5485-410", "9.5", "us", "manual"),
    ("DZ5485-612", "11", "us", "manual"),
    ("FV5029-006", "10.5", "us", "hot"),
    ("DM7866-162", "9", "us", "hot"),
    ("CP9654", "44", "eu", "hot"),
    ("M2002RDA", "9", "us", "background"),
    ("DD1503-101", "8", "us-w", "background"),
    ("AQ9129-170", "7.5", "us-w", "background"),
    ("CW1590-100", "5Y", "us", "background"),
)


def items(marketplace: str = "stockx", *, force: bool = False) -> list[dict[str, Any]]:
    """The golden set as items of `POST /v1/market/refresh`."""
    return [
        {
            "marketplace": marketplace,
            "sku": sku,
            **_size(marketplace, sku, size, system),
            "currency": "USD",
            "priority": priority,
            "force": force,
        }
        for sku, size, system, priority in _ROWS
    ]


def _size(marketplace: str, sku: str, size: str, system: str) -> dict[str, str]:
    if marketplace == "alias" and sku in _US_SIZES:
        return {"size": _US_SIZES[sku], "sizeSystem": "us"}
    return {"size": size, "sizeSystem": system}
