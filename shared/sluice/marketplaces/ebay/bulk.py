"""The rows of eBay's bulk answers: each has a status of its own, whatever that of the whole answer (200 or 207)."""

from collections.abc import Iterable
from typing import Any

from sluice.marketplaces.http import errors, mapping
from sluice.marketplaces.http.errors import MarketplaceFailure
from sluice.marketplaces.http.fields import Value
from sluice.marketplaces.http.mapping import clean


def row_failure(row: Value, secrets: Iterable[str]) -> MarketplaceFailure | None:
    """Why a row failed; None when it did not. eBay answers a row that it carried out with 200, 201 or 204."""
    said = tuple(mapping.said(_object(one), secrets) for one in row["errors"].optional_rows())
    status = row["statusCode"].whole() if row.has("statusCode") else 400 if said else 200
    if 200 <= status < 300:
        return None
    words = said[0].message if said else ""
    kind = errors.Unavailable if status >= 500 else errors.BadRequest
    failure = kind(
        f"{row.where}: {status}: {clean(words or 'no reason given', secrets)}",
        status=status,
        code=said[0].code if said else None,
        uncertain=status >= 500,
    )
    failure.said = said
    return failure


def _object(value: Value) -> dict[str, Any]:
    value["errorId"]  # raises BadAnswer where it is no object
    return value.raw or {}
