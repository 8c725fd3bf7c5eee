"""Pictures of pages, made small: a screenshot has few colours, so it is stored with a palette (PNG, RFC 2083)."""

import struct
import zlib
from collections import Counter
from collections.abc import Iterator

COLOURS = 64
SIGNATURE = b"\x89PNG\r\n\x1a\n"
Colour = tuple[int, int, int]


def small(png: bytes) -> bytes:
    """A screenshot of Chromium (8 bits, RGB or RGBA, not interlaced) in its `COLOURS` most frequent colours."""
    width, height, rows = _rows(png)
    known = [colour for colour, _ in Counter(one for row in rows for one in row).most_common(COLOURS)]
    places = {colour: place for place, colour in enumerate(known)}
    for colour in {one for row in rows for one in row} - places.keys():
        places[colour] = min(range(len(known)), key=lambda place: _distance(known[place], colour))
    lines = b"".join(b"\0" + bytes(places[one] for one in row) for row in rows)
    header = struct.pack(">IIBBBBB", width, height, 8, 3, 0, 0, 0)
    palette = b"".join(bytes(colour) for colour in known)
    chunks = ((b"IHDR", header), (b"PLTE", palette), (b"IDAT", zlib.compress(lines, 9)), (b"IEND", b""))
    return SIGNATURE + b"".join(_chunk(kind, data) for kind, data in chunks)


def _rows(png: bytes) -> tuple[int, int, list[list[Colour]]]:
    chunks = list(_chunks(png))
    width, height, depth, kind = struct.unpack(">IIBB", dict(chunks)[b"IHDR"][:10])
    assert depth == 8
    size = {2: 3, 6: 4}[kind]
    packed = zlib.decompress(b"".join(data for name, data in chunks if name == b"IDAT"))
    rows, before = list[list[Colour]](), bytes(width * size)
    for number in range(height):
        start = number * (width * size + 1)
        before = _unfiltered(packed[start], packed[start + 1 : start + 1 + width * size], before, size)
        rows.append(list(zip(before[0::size], before[1::size], before[2::size], strict=True)))
    return width, height, rows


def _unfiltered(kind: int, line: bytes, above: bytes, size: int) -> bytes:
    """A line as it was before its filter (RFC 2083, section 6)."""
    found = bytearray(line)
    for place in range(len(found)):
        left, corner = (found[place - size], above[place - size]) if place >= size else (0, 0)
        added = (0, left, above[place], (left + above[place]) // 2, _paeth(left, above[place], corner))[kind]
        found[place] = (found[place] + added) & 255
    return bytes(found)


def _paeth(left: int, above: int, corner: int) -> int:
    guess = left + above - corner
    return min((left, above, corner), key=lambda one: abs(guess - one))


def _chunks(png: bytes) -> Iterator[tuple[bytes, bytes]]:
    place = len(SIGNATURE)
    while place < len(png):
        (length,) = struct.unpack(">I", png[place : place + 4])
        yield png[place + 4 : place + 8], png[place + 8 : place + 8 + length]
        place += length + 12


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def _distance(one: Colour, other: Colour) -> int:
    return sum((a - b) ** 2 for a, b in zip(one, other, strict=True))
