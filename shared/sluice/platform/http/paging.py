"""Lists a page at a time: what a page is, and the cursor with which a client asks for the next one. Pure.

A cursor is base64url of `[tenant, key, index]`, which a client hands back unread. It is not signed, because it opens
nothing: the tenant of the read that follows is always the caller's own.
"""

import base64
import json
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from sluice.platform.clock import iso
from sluice.platform.http.auth import TENANT
from sluice.platform.http.errors import Invalid
from sluice.platform.http.public_ids import MOST_KEY_BYTES

T = TypeVar("T")

# The longest key in which every character must be escaped, with the longest tenant.
MOST_CHARACTERS = 3_000

# A page reads so many times its length, and a few, where much of what is read may not be for it: it may be short, and
# not the last. A filter that matches little would else read all to fill one page.
TIMES, LEAST = 4, 16


@dataclass(frozen=True)
class Place:
    """Where a page of a list begins.

    key: a range key of the table behind the list.
    index: which of the things in that item is next, where one item holds several.
    """

    key: str
    index: int = 0


@dataclass(frozen=True)
class Page(Generic[T]):
    """Some of a list, and where the next page begins; None when nothing is left.

    A page may be shorter than was asked for, or empty, and not be the last.
    """

    items: Sequence[T]
    next: Place | None = None

    def __iter__(self) -> Iterator[T]:
        return iter(self.items)

    def cursor(self, tenant: str) -> str | None:
        """What `tenant` gets as `next`."""
        return encode(self.next, tenant) if self.next else None


@dataclass(frozen=True)
class Filter:
    """The base of what a list can be filtered by: a field that is None lets everything through."""

    def allows(self, **values: object) -> bool:
        """Whether each of `values` is the one that the field of its name asks for, if it asks for one."""
        return all(getattr(self, name) in (None, value) for name, value in values.items())


def encode(place: Place, tenant: str) -> str:
    """`place` as the cursor that `tenant` gets."""
    text = json.dumps([tenant, place.key, place.index], separators=(",", ":"), ensure_ascii=False)
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def start(cursor: str | None, tenant: str, keys: str, *, most_index: int = 0) -> Place | None:
    """Where the page begins that `tenant` asks for; None for the beginning of the list.

    Args:
        cursor: as the client sent it, None when it sent none.
        tenant: who asks.
        keys: a pattern that describes the list's keys.
        most_index: the largest index in one item of the list.

    Raises:
        Invalid: it is not a cursor that this tenant was given for such a list.
    """
    if cursor is None:
        return None
    owner, key, index = _parts(cursor)
    whole = isinstance(index, int) and not isinstance(index, bool) and 0 <= index <= most_index
    if owner != tenant or not whole or not isinstance(key, str) or not re.fullmatch(keys, key):
        raise _not_ours()
    return Place(key, index)


def most_read(limit: int) -> int:
    """How many are read at most for a page of `limit`, where some of what is read may be unwanted, or others'."""
    return TIMES * limit + LEAST


def within(
    since: int | None, until: int | None, place: Place | None, key: Callable[[int], str] = iso
) -> tuple[str, str, Place | None] | None:
    """Of a list, newest first, whose keys begin with a time and have more behind it, what is of a stretch of time.

    Args:
        since, until: epoch ms; `until` is not within it. None leaves it open.
        place: that behind which the page begins.
        key: the time with which a key begins, in order as text.

    Returns the bounds of its keys, and the place as long as it lies between them; None: nothing of the list is left.
    """
    lowest, highest = key(since or 0), key(until) if until is not None else "~"
    if place and place.key > highest:
        place = None
    if lowest >= highest or (place and place.key < lowest):
        return None
    return lowest, highest, place


def owner(cursor: str) -> str:
    """Whose list a cursor leads on in, for a list that walks those of several.

    Raises:
        Invalid: it is not a cursor that this API gave.
    """
    named = _parts(cursor)[0]
    if not isinstance(named, str) or not re.fullmatch(TENANT, named):
        raise _not_ours()
    return named


def _parts(cursor: str) -> tuple[Any, Any, Any]:
    try:
        padded = cursor + "=" * (-len(cursor) % 4)
        owner, key, index = json.loads(base64.b64decode(padded.encode("ascii"), altchars=b"-_", validate=True))
        # DynamoDB refuses a read from a longer key, or one that is not Unicode, as a fault of ours.
        if len(key.encode()) > MOST_KEY_BYTES:
            raise _not_ours()
    except (ValueError, TypeError, AttributeError, RecursionError):
        raise _not_ours() from None
    return owner, key, index


def _not_ours() -> Invalid:
    return Invalid.field("cursor", "is not one that this API gave you; leave it out to begin anew")
