"""Times that a request names. Pure."""

from sluice.platform.clock import from_iso
from sluice.platform.http.errors import Invalid


def moment(field: str, text: str | None) -> int | None:
    """The time that `text` gives, in epoch ms.

    Raises:
        Invalid: it is none.
    """
    if text is None:
        return None
    try:
        if "T" not in text.upper():
            raise ValueError
        return from_iso(text)
    except ValueError:
        raise Invalid.field(
            field, "must be a time with its zone, as `2026-11-22T12:00:00Z`, in the years 1 to 9999"
        ) from None


def between(since: str | None, until: str | None) -> tuple[int | None, int | None]:
    """The times of the filters `from` and `to`.

    Raises:
        Invalid: one is none, or they are the wrong way round.
    """
    start, end = moment("from", since), moment("to", until)
    if start is not None and end is not None and start >= end:
        raise Invalid.field("to", "must be later than from")
    return start, end
