"""Lists that show a table's items in the order of their range keys: a page is one read."""

from typing import TypeVar

from pynamodb.expressions.condition import Condition
from pynamodb.models import Model

from sluice.platform.http.paging import Page, Place

M = TypeVar("M", bound=Model)


def read(
    model: type[M],
    owner: str,
    limit: int,
    after: Place | None,
    wanted: Condition | None = None,
    *,
    within: Condition | None = None,
    newest_first: bool = False,
    consistent_read: bool = True,
) -> Page[M]:
    """The next items of `owner`, in one read.

    Args:
        owner: the hash key.
        limit: how many items are read.
        after: the item behind which the page begins; None for the first page.
        wanted: a filter on the items that were read, so that fewer than `limit`, or none, may be found.
        within: a condition on the range key; `after` must lie within it too.
        newest_first: from the highest range key to the lowest.
        consistent_read: what was written before is seen, for twice the price.
    """
    hash_name, range_name = str(model._hash_keyname), str(model._range_keyname)
    rows = model.query(
        owner,
        within,
        filter_condition=wanted,
        scan_index_forward=not newest_first,
        consistent_read=consistent_read,
        page_size=limit,
        last_evaluated_key={hash_name: {"S": owner}, range_name: {"S": after.key}} if after else None,
    )
    raw = rows.page_iter.next()
    last = raw.get("LastEvaluatedKey")
    return Page([model.from_raw_data(item) for item in raw["Items"]], Place(last[range_name]["S"]) if last else None)
