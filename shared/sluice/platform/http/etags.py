"""ETags: what an answer looks like in one word, so that who asks again is told in a few bytes that nothing has changed.

```
 GET ──► 200, ETag: W/"Zm9…"       GET, If-None-Match: W/"Zm9…" ──► 304, no body    or    200 with what is new
```
A tag is weak (RFC 9110, 8.8.1): it is of the answer without what passes by itself, as the age of a price.
"""

import hashlib
import json
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from typing import Any, Final

from aws_lambda_powertools.event_handler import Response

ASKED: Final = "If-None-Match"
# Fields that grow with the clock and say nothing that another field, the time itself, does not.
PASSING: Final = frozenset({"ageSeconds"})
# Of a whole answer: when it was made.
_MADE: Final = "at"


def unless_known(whole: Response[Any], answer: Mapping[str, Any], event: Mapping[str, Any]) -> Response[Any]:
    """`whole`, the response that holds `answer`, with its tag; or 304 where the request says that it has that."""
    tag = of(answer)
    whole.headers["ETag"] = tag
    return Response(304, whole.content_type, "", whole.headers) if is_known(tag, event) else whole


def of(answer: Mapping[str, Any]) -> str:
    """The tag of `answer`."""
    steady = {key: _steady(value) for key, value in answer.items() if key != _MADE and key not in PASSING}
    text = json.dumps(steady, sort_keys=True, separators=(",", ":"))
    return f'W/"{urlsafe_b64encode(hashlib.sha256(text.encode()).digest()[:15]).decode()}"'


def is_known(tag: str, event: Mapping[str, Any]) -> bool:
    """Whether the request says that it has the answer of this tag, alone or among others."""
    headers = event.get("headers") or {}
    said = next((value for name, value in headers.items() if name.lower() == ASKED.lower()), "")
    return said.strip() == "*" or _opaque(tag) in {_opaque(one) for one in said.split(",")}


def _steady(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _steady(one) for key, one in value.items() if key not in PASSING}
    return [_steady(one) for one in value] if isinstance(value, list | tuple) else value


def _opaque(tag: str) -> str:
    """Weak and strong tags are compared alike (RFC 9110, 13.1.2)."""
    return tag.strip().removeprefix("W/")
