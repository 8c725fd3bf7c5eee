"""Requests of many items, each checked on its own: where an item stands, and what a refusal of one, or of all, says."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from sluice.platform.http import errors
from sluice.platform.http.errors import FieldError, HttpError, Invalid, Unavailable
from sluice.platform.http.models import join

MOST_ITEMS: Final = 500
REFUSED: Final = "refused"


def path(index: int, field: str = "") -> str:
    """The place of an item, or of a field of it: `items[3].sku`."""
    return join(f"items[{index}]", field)


def refused(index: int, fields: Sequence[FieldError], why: type[HttpError] = Invalid) -> dict[str, Any]:
    """The answer for an item that was not taken; `fields` are paths from the top."""
    message = f"{fields[0].field}: {fields[0].message}"
    return {"index": index, "outcome": REFUSED, "error": errors.detail(why.code, message, fields)}


def all_refused(answer: Mapping[str, Any], refusals: Iterable[Mapping[str, Any]]) -> HttpError:
    """No item was taken and nothing was written. `refusals` are the items' errors, `answer` the whole answer.

    It is the caller's fault, unless one of the items could only not be stored.
    """
    known = list(refusals)
    fields = [FieldError(**field) for refusal in known for field in refusal["fields"]]
    ours = any(refusal["code"] == Unavailable.code for refusal in known)
    return (Unavailable if ours else Invalid)("no item was taken", fields=fields, more=answer)
