"""What a form sends: its fields and its files, as browsers write them (RFC 7578, and URL encoding)."""

import json
import re
from typing import Any, Final, NamedTuple
from urllib.parse import parse_qsl

# A field of a form that has files: its name, and that it is a file. Names are ours, and hold no quote.
_NAME: Final = rb'\bname="([^"]*)"'
_FILE: Final = rb"\bfilename="
_BOUNDARY: Final = r'\bboundary="?([^";,\s]{1,70})"?'


class SentForm(NamedTuple):
    """What a form sends: texts and the bytes of files, by name; of each name the last counts."""

    fields: dict[str, str]
    files: dict[str, bytes]


def read(raw: bytes, content_type: str) -> SentForm:
    """What the body `raw` of a form says. content_type: as the request's header says it.

    Raises:
        ValueError: it is no form.
    """
    if not content_type.lower().startswith("multipart/form-data"):
        return SentForm(dict(parse_qsl(raw.decode("utf-8"), keep_blank_values=True)), {})
    boundary = re.search(_BOUNDARY, content_type)
    if boundary is None:
        raise ValueError("the form does not say what parts its fields")
    return _parts(raw, boundary[1].encode())


def document(text: str) -> Any:
    """What the JSON of a field says.

    Raises:
        ValueError: it is none, or more than a request may hold: see `platform.http.body`.
    """
    from sluice.platform.http import body  # pages that only show need it not
    from sluice.platform.http.errors import Invalid

    try:
        body.check_size(text.encode())
    except Invalid as wrong:
        raise ValueError("it is nested too deep, or too long, to be read") from wrong
    return json.loads(text)


def _parts(raw: bytes, boundary: bytes) -> SentForm:
    sent = SentForm({}, {})
    _, *pieces = (b"\r\n" + raw).split(b"\r\n--" + boundary)
    if not pieces or not pieces.pop().startswith(b"--"):
        raise ValueError("the form has no end")
    for piece in pieces:
        head, _, value = piece.partition(b"\r\n\r\n")
        name = re.search(_NAME, head)
        if name is None:
            raise ValueError("a field of the form has no name")
        if re.search(_FILE, head):
            sent.files[name[1].decode()] = value
        else:
            sent.fields[name[1].decode()] = value.decode()
    return sent
