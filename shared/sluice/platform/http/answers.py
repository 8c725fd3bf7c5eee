"""Answers as Lambda returns them: a text of JSON in which the body stands as a text once more, 6 MB at most. Pure."""

import json
from typing import Any, Final

from aws_lambda_powertools.shared.json_encoder import Encoder

# Lambda's limit of an answer, less what stands beside the body: headers, cookies, status.
MOST_BYTES: Final = 6 * 1024 * 1024 - 64 * 1024
# No character takes more bytes there: what has no sign of its own is `\u0001`.
_MOST_OF_ONE: Final = 6


def written(value: Any) -> str:
    """`value` as JSON in as few bytes as it can be: letters are themselves, not their numbers.

    Half of a surrogate pair, which others' words may hold and no bytes can, is written as its number.
    """
    text = json.dumps(value, separators=(",", ":"), cls=Encoder, ensure_ascii=False)
    try:
        text.encode()
    except UnicodeEncodeError:
        return json.dumps(value, separators=(",", ":"), cls=Encoder)
    return text


def size(body: str) -> int:
    """The bytes that `body` takes of Lambda's answer."""
    return len(json.dumps(body, ensure_ascii=False).encode(errors="surrogatepass"))


def fits(body: str) -> bool:
    """Whether Lambda can return it."""
    return len(body) * _MOST_OF_ONE <= MOST_BYTES or size(body) <= MOST_BYTES


def cut(body: str) -> str:
    """The beginning of `body`, as much as Lambda can return."""
    body = body[:MOST_BYTES]
    while not fits(body):
        body = body[: max(1, len(body) * MOST_BYTES // size(body) - 1)]
    return body
