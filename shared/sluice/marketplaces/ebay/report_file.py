"""The file of eBay's report of active listings, read as a stream. Pure.

```
 zip | gzip | plain ─► at most MOST_BYTES ─► XML without a DOCTYPE ─► at most MOST_ROWS rows, or no report at all
```
The shape is that of Merchant Data (`ActiveInventoryReport`), in `BulkDataExchangeResponses`. The answer's type has been
seen to be `application/json` whatever the file is, so the file itself says how it is packed. A file that ends too
early, is something else, or says that it failed is no report: nothing follows from what it does not hold.
"""

import io
import re
import zipfile
import zlib
from collections.abc import Iterator
from typing import Any, Final
from xml.parsers import expat

from sluice.marketplaces.http.errors import BadAnswer
from sluice.marketplaces.reports import ReportRow

# Unpacked: eBay's files have 15 MB at the most.
MOST_BYTES: Final = 64 * 1024 * 1024
MOST_ROWS: Final = 250_000
# Longer texts belong to elements that nobody reads.
MOST_TEXT: Final = 200
MOST_DEPTH: Final = 50
CHUNK: Final = 64 * 1024
REPORT: Final = "ActiveInventoryReport"
# `AckCodeType`: a report with one of them is whole.
TAKEN: Final = frozenset({"Success", "Warning"})
_AMOUNT = re.compile(r"[0-9]{1,12}(\.[0-9]{1,6})?")
_COUNT = re.compile(r"[0-9]{1,9}(\.0+)?")
_ITEM = re.compile(r"[0-9]{1,20}")


class _No(Exception):  # noqa: N818 - never leaves this module
    """It is no report: says why."""


def rows_of(data: bytes, where: str) -> list[ReportRow]:
    """The rows of the file `data`. where: whose it is, for messages.

    Raises:
        BadAnswer: it is no whole report.
    """
    try:
        return _Reader().read(_unpacked(data))
    except _No as no:
        raise BadAnswer(f"{where}: the report cannot be read: {no}") from None
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, OSError):
        raise BadAnswer(f"{where}: the report cannot be unpacked") from None
    except (expat.ExpatError, LookupError, ValueError):
        raise BadAnswer(f"{where}: the report is no XML document, or not the whole of one") from None


def _unpacked(data: bytes) -> Iterator[bytes]:
    """The file's content in pieces."""
    size = 0
    for piece in _pieces(data):
        size += len(piece)
        if size > MOST_BYTES:
            raise _No(f"it has more than {MOST_BYTES} bytes")
        yield piece


def _pieces(data: bytes) -> Iterator[bytes]:
    if data[:4] == b"PK\x03\x04":
        yield from _of_zip(data)
    elif data[:2] == b"\x1f\x8b":
        yield from _of_gzip(data)
    else:
        yield from (data[start : start + CHUNK] for start in range(0, len(data), CHUNK))


def _of_zip(data: bytes) -> Iterator[bytes]:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        names = [one for one in archive.infolist() if not one.is_dir()]
        if len(names) != 1:
            raise _No(f"the archive holds {len(names)} files, not one")
        if names[0].compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise _No("the archive is packed in an unusual way")
        with archive.open(names[0]) as file:
            while piece := file.read(CHUNK):
                yield piece


def _of_gzip(data: bytes) -> Iterator[bytes]:
    while data:
        member = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)
        while not member.eof:
            piece = member.decompress(data, CHUNK)
            data = member.unconsumed_tail
            yield piece
            if not piece and not data and not member.eof:
                raise EOFError
        data = member.unused_data


class _Reader:
    """Reads the document by the names of its elements, whatever namespace they are in."""

    def __init__(self) -> None:
        self._rows: list[ReportRow] = []
        self._path: list[str] = []
        self._text: list[str] = []
        self._listing: dict[str, Any] = {}
        self._variations: list[dict[str, Any]] = []
        self._whole = False

    def read(self, pieces: Iterator[bytes]) -> list[ReportRow]:
        parser = expat.ParserCreate(namespace_separator=" ")
        parser.buffer_text = True
        parser.StartDoctypeDeclHandler = _no_doctype
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._characters
        for piece in pieces:
            parser.Parse(piece, False)
        parser.Parse(b"", True)
        if not self._whole:
            raise _No(f"it holds no {REPORT}")
        return self._rows

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        element = name.rpartition(" ")[2]
        self._path.append(element)
        if len(self._path) > MOST_DEPTH:
            raise _No("its elements are nested too deeply")
        self._text = []
        if element == "SKUDetails":
            self._listing, self._variations = {}, []
        elif element == "Variation":
            self._variations.append({})
        elif element == "Price":
            self._here["currency"] = attributes.get("currencyID")

    @property
    def _here(self) -> dict[str, Any]:
        """What the present element belongs to."""
        return self._variations[-1] if "Variation" in self._path and self._variations else self._listing

    def _characters(self, text: str) -> None:
        if len(self._text) < MOST_TEXT:
            self._text.append(text[:MOST_TEXT])

    def _end(self, name: str) -> None:
        element, text = name.rpartition(" ")[2], "".join(self._text).strip()
        parent = self._path[-2] if len(self._path) > 1 else ""
        if element in ("SKU", "Price", "Quantity", "ItemID") and parent in ("SKUDetails", "Variation"):
            self._here[element] = text
        elif element == "Ack" and text not in TAKEN:
            raise _No(f"eBay says {text[:40] or 'nothing'} of it")
        elif element == "SKUDetails":
            self._add()
        elif element == REPORT:
            self._whole = True
        self._path.pop()
        self._text = []

    def _add(self) -> None:
        listing_id = self._listing.get("ItemID", "")
        if not _ITEM.fullmatch(listing_id):
            return
        self._rows += [_row(listing_id, one) for one in self._variations or [self._listing]]
        if len(self._rows) > MOST_ROWS:
            raise _No(f"it has more than {MOST_ROWS} rows")


def _row(listing_id: str, values: dict[str, Any]) -> ReportRow:
    amount, quantity = values.get("Price", ""), values.get("Quantity", "")
    return ReportRow(
        listing_id,
        values.get("SKU") or None,
        amount if _AMOUNT.fullmatch(amount) else None,
        values.get("currency") or None,
        int(quantity.partition(".")[0]) if _COUNT.fullmatch(quantity) else None,
    )


def _no_doctype(*_: object) -> None:
    raise _No("it has a DOCTYPE")
