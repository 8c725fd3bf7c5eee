"""Lists of the API: a page leads to the next one until there are enough rows."""

import sys
from collections.abc import Iterator
from typing import Any

from sluice_command.api import Api, ApiError

Json = dict[str, Any]
# The most that a page of any list holds; one of prices, so that a shoe in all its sizes is on one.
MOST_ON_PAGE, MOST_PRICES = 100, 500
FORBIDDEN = 403


def own_or_all(api: Api, path: str, operators: str, name: str, limit: int, **query: Any) -> list[Json]:
    """Rows of one's own list at `path`; for whoever runs the deployment and has none, of `operators`, that of all."""
    try:
        return list(rows(api, path, name, limit, **query))
    except ApiError as refused:
        if refused.status != FORBIDDEN:
            raise
        try:
            return list(rows(api, operators, name, limit, **query))
        except ApiError:
            raise refused from None


def rows(
    api: Api, path: str, name: str, limit: int | None, most_on_page: int = MOST_ON_PAGE, /, **query: Any
) -> Iterator[Json]:
    """Up to `limit` rows of the list `name` at `path`, or all. A page may be short, or empty, and not the last."""
    cursor, left = None, limit if limit is not None else sys.maxsize
    while left > 0:
        page = api.get(path, limit=min(left, most_on_page), cursor=cursor, **query)
        found = page[name][:left]
        yield from found
        left -= len(found)
        cursor = page["next"]
        if cursor is None:
            return
