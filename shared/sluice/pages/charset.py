"""The text that a page's bytes are: by byte order mark, header, `meta`, or what they can be. Pure."""

import codecs
import re

# The parsers of browsers look so far for a `meta` that names the encoding.
_HEAD_BYTES = 4_096
_MARKS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))
# Labels that the Encoding Standard reads as another encoding than Python does.
_LABELS = {"iso-8859-1": "cp1252", "latin1": "cp1252", "ascii": "cp1252", "us-ascii": "cp1252", "gb2312": "gb18030"}
_META = rb"<meta[^>]{0,200}?charset\s*=\s*[\"']?\s*([A-Za-z0-9_:.-]{2,40})"


def decode(body: bytes, content_type: str) -> str:
    """The text of `body`. content_type: the header, `text/html; charset=utf-8`. What cannot be read becomes U+FFFD."""
    for mark, encoding in _MARKS:
        if body.startswith(mark):
            return body[len(mark) :].decode(encoding, errors="replace")
    for name in (_of_header(content_type), _of_meta(body)):
        if known := _known(name):
            return body.decode(known, errors="replace")
    if wide := _without_mark(body):
        return body.decode(wide, errors="replace")
    try:
        return body.decode("utf-8")
    except UnicodeDecodeError:
        return body.decode("cp1252", errors="replace")


def _of_header(content_type: str) -> str:
    found = re.search(r"charset\s*=\s*[\"']?([A-Za-z0-9_:.-]{2,40})", content_type, re.IGNORECASE)
    return found[1] if found else ""


def _of_meta(body: bytes) -> str:
    found = re.search(_META, body[:_HEAD_BYTES], re.IGNORECASE)
    name = found[1].decode("ascii") if found else ""
    # A page whose `meta` could be read byte by byte is not in UTF-16, whatever it says.
    return "utf-8" if name.lower().startswith("utf-16") else name


def _known(name: str) -> str | None:
    """Python's name of the encoding `name`, if it is one of text."""
    label = _LABELS.get(name.lower(), name)
    if not label or label.lower() in ("utf-7", "idna", "punycode", "unicode_escape", "raw_unicode_escape"):
        return None
    try:
        found = codecs.lookup(label)
    except LookupError:
        return None
    return found.name if getattr(found, "_is_text_encoding", True) else None


def _without_mark(body: bytes) -> str | None:
    """UTF-16 that does not say so: in markup every second byte is zero."""
    start = body[:_HEAD_BYTES]
    if len(start) < 16:
        return None
    half = len(start) // 2
    for encoding, zeros, others in (("utf-16-le", start[1::2], start[::2]), ("utf-16-be", start[::2], start[1::2])):
        if zeros.count(0) > 0.7 * half and others.count(0) < 0.1 * half:
            return encoding
    return None
