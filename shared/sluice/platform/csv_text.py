"""The text of a CSV file: which encoding its bytes are in, and what separates its cells. Pure.

Spreadsheets write `,` or `;` by the country they are set to, tabs as "Unicode text", UTF-16 with or without a mark, and
`sep=;` as a first line. Where only one reading makes sense it is taken; where none does, the file is refused.
"""

import csv
import io
from collections.abc import Iterable
from typing import Final, NamedTuple

DELIMITERS: Final = (",", ";", "\t")
_SPREADSHEETS: Final = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0")
_UTF_16: Final = (b"\xff\xfe", b"\xfe\xff")
# What a gateway makes of the mark of UTF-16 when it takes the file for UTF-8.
_DAMAGED_MARK: Final = "\ufffd\ufffd".encode()
_DAMAGED: Final = "\ufffd".encode()
# A header is in ASCII, so each second byte of it is zero in UTF-16.
_SAMPLE_BYTES: Final = 64
# What a spreadsheet takes for a formula when it opens a file (OWASP, CSV injection).
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")


class NoFile(Exception):  # noqa: N818 - an answer to the caller
    """The file as a whole cannot be taken; nothing of it was."""

    def __init__(self, line: int, message: str) -> None:
        super().__init__(f"line {line}: {message}")
        self.line, self.message = line, message


class Dialect(NamedTuple):
    """How a file is written. directive: its first line is `sep=`, and its header the second."""

    delimiter: str
    directive: bool


def open_text(data: bytes) -> io.TextIOWrapper:
    """`data` as text, read as it is asked for. A byte that cannot be read becomes a surrogate or U+FFFD.

    Raises:
        NoFile: it is a workbook, or UTF-16 that lost characters on its way.
    """
    if data.startswith(_SPREADSHEETS):
        raise NoFile(1, "the file is a workbook of a spreadsheet; save it as CSV UTF-8")
    encoding, errors = "utf-8-sig", "surrogateescape"
    if data.startswith(_DAMAGED_MARK) and b"\0" in data[:_SAMPLE_BYTES]:
        data = data.removeprefix(_DAMAGED_MARK)
        if _DAMAGED in data:
            raise NoFile(1, "the file is UTF-16 and lost characters on its way; save it as CSV UTF-8")
    if data.startswith(_UTF_16):
        encoding, errors = "utf-16", "replace"
    elif wide := _wide(data[:_SAMPLE_BYTES]):
        encoding, errors = wide, "replace"
    return io.TextIOWrapper(io.BytesIO(data), encoding, errors=errors, newline="")


def dialect(first: str, known: Iterable[str]) -> Dialect:
    """How the file is written that begins with this line. known: the names that a header can hold, as `folded`.

    It is the delimiter with which the most columns of the header are known; of equals, the comma.
    """
    said = folded(first.strip().strip('"'))
    if said.startswith("sep="):
        mark = first.strip().strip('"').strip()[len("sep=") :]
        # A tab is a blank, and gone when the line is stripped.
        return Dialect(mark[:1] if mark else "\t" if "\t" in first else ",", directive=True)
    names = frozenset(known)

    def score(delimiter: str) -> int:
        return sum(folded(cell) in names for cell in _cells(first, delimiter))

    return Dialect(max(DELIMITERS, key=score), directive=False)


def folded(name: str) -> str:
    """A column's name as names are compared: `Size System`, `size_system` and `sizeSystem` are one."""
    return "".join(name.lower().replace("_", " ").replace("-", " ").split())


def _cells(line: str, delimiter: str) -> list[str]:
    try:
        return next(csv.reader([line], delimiter=delimiter, strict=True), [])
    except csv.Error:
        return []


def _wide(sample: bytes) -> str | None:
    """UTF-16 without a mark."""
    even, odd = sample[0::2], sample[1::2]
    if len(sample) < 4 or even.count(0) + odd.count(0) < len(sample) // 2:
        return None
    return "utf-16-le" if not odd.strip(b"\0") else "utf-16-be" if not even.strip(b"\0") else None


def is_formula(text: str) -> bool:
    """Whether a spreadsheet would compute `text` instead of showing it."""
    return text.lstrip(" ").startswith(_FORMULA) or text.strip().startswith(_FORMULA)
