"""Where a page of jobs ended, as text that a client hands back unread. Pure.

A cursor is base64url of `[tenant, request, index]`: the next job to show is number `index` of that request. It is not
signed, because it opens nothing: the tenant of the Query is always the caller's own.
"""

import base64
import binascii
import json
import re
from dataclasses import dataclass

from sluice.platform.http.errors import NOT_OUR_CURSOR, Invalid

_REQUEST = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z#[0-9a-f]{8}"
MOST_CHARACTERS = 256
MOST_INDEX = 500


@dataclass(frozen=True)
class Cursor:
    """The place of one job in a tenant's requests. `request` is the range key of table `requests`."""

    request: str
    index: int

    def encode(self, tenant: str) -> str:
        """As `tenant` gets it."""
        text = json.dumps([tenant, self.request, self.index], separators=(",", ":"))
        return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def decode(text: str, tenant: str) -> Cursor:
    """The cursor that `tenant` has handed back.

    Raises:
        Invalid: it is not one that this tenant was given.
    """
    try:
        padded = text + "=" * (-len(text) % 4)
        raw = base64.b64decode(padded.encode("ascii"), altchars=b"-_", validate=True)
        owner, request, index = json.loads(raw)
    except (ValueError, TypeError, RecursionError, binascii.Error):
        raise _invalid() from None
    whole = isinstance(index, int) and not isinstance(index, bool) and 0 <= index <= MOST_INDEX
    if owner != tenant or not isinstance(request, str) or not re.fullmatch(_REQUEST, request) or not whole:
        raise _invalid()
    return Cursor(request, index)


def _invalid() -> Invalid:
    return Invalid("the cursor is not valid", fields=[NOT_OUR_CURSOR])
