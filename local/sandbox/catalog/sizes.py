"""Size charts: how one size is written in each system, brand by brand.

Conversions follow the brands' own public size guides. Labels follow StockX: a label that two sizes of a chart would
share carries the size it belongs to, as in `UK 6 (EU 39)` and `CM 24 (US M 6)`.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction

SYSTEMS = ("us m", "us w", "uk", "cm", "kr", "eu")
# A label used twice is told apart by this system's label.
_TOLD_APART_BY = {"uk": "eu", "cm": "us m", "kr": "us m"}


@dataclass(frozen=True)
class Size:
    """One size. `value` is its name on the product page (`10`, `8W`, `4Y`); `labels` maps a system to `US M 10`."""

    value: str
    system: str | None
    labels: tuple[tuple[str, str], ...]


NO_SIZE = Size("", None, ())

# US M, US W, UK, CM, EU
_NIKE_MEN = """
3.5 5 3 22.5 35.5|4 5.5 3.5 23 36|4.5 6 4 23.5 36.5|5 6.5 4.5 23.5 37.5|5.5 7 5 24 38|6 7.5 5.5 24 38.5|6.5 8 6 24.5 39
7 8.5 6 25 40|7.5 9 6.5 25.5 40.5|8 9.5 7 26 41|8.5 10 7.5 26.5 42|9 10.5 8 27 42.5|9.5 11 8.5 27.5 43|10 11.5 9 28 44
10.5 12 9.5 28.5 44.5|11 12.5 10 29 45|11.5 13 10.5 29.5 45.5|12 13.5 11 30 46|12.5 14 11.5 30.5 47|13 14.5 12 31 47.5
14 15.5 13 32 48.5|15 16.5 14 33 49.5"""
_NIKE_WOMEN = """
3.5 5 2.5 22 35.5|4 5.5 3 22.5 36|4.5 6 3.5 23 36.5|5 6.5 4 23.5 37.5|5.5 7 4.5 24 38|6 7.5 5 24.5 38.5|6.5 8 5.5 25 39
7 8.5 6 25.5 40|7.5 9 6.5 26 40.5|8 9.5 7 26.5 41|8.5 10 7.5 27 42|9 10.5 8 27.5 42.5|9.5 11 8.5 28 43|10 11.5 9 28.5 44
10.5 12 9.5 29 44.5"""
_NEW_BALANCE = """
4 5.5 3.5 22 36|4.5 6 4 22.5 37|5 6.5 4.5 23 37.5|5.5 7 5 23.5 38|6 7.5 5.5 24 38.5|6.5 8 6 24.5 39.5|7 8.5 6.5 25 40
7.5 9 7 25.5 40.5|8 9.5 7.5 26 41.5|8.5 10 8 26.5 42|9 10.5 8.5 27 42.5|9.5 11 9 27.5 43|10 11.5 9.5 28 44
10.5 12 10 28.5 44.5|11 12.5 10.5 29 45|11.5 13 11 29.5 45.5|12 13.5 11.5 30 46.5|13 14.5 12.5 31 47.5"""

Row = tuple[str, str, str, str, str]


def nike_men() -> tuple[Size, ...]:
    return _chart(_rows(_NIKE_MEN), "us m")


def nike_women() -> tuple[Size, ...]:
    return _chart(_rows(_NIKE_WOMEN), "us w", suffix="W")


def nike_youth() -> tuple[Size, ...]:
    """Grade school sizes are the small end of the men's chart."""
    return _chart([row for row in _rows(_NIKE_MEN) if float(row[0]) <= 7], "us m", suffix="Y")


def new_balance() -> tuple[Size, ...]:
    return _chart(_rows(_NEW_BALANCE), "us m")


def adidas() -> tuple[Size, ...]:
    """adidas counts evenly: half a size is half a centimetre and two thirds of an EU size (US M 10 is 28 cm, EU 44)."""
    halves = [Fraction(half, 2) for half in range(8, 27)]
    rows: list[Row] = [
        (_text(us), _text(us + 1), _text(us - Fraction(1, 2)), _text(us + 18), _text(36 + (us - 4) * Fraction(4, 3)))
        for us in halves
    ]
    return _chart(rows, "us m")


def named(*names: str) -> tuple[Size, ...]:
    """Sizes with a name and no conversion, as clothes have."""
    return tuple(Size(name, None, ()) for name in names)


def _rows(table: str) -> list[Row]:
    lines = [line.split() for line in table.strip().replace("\n", "|").split("|")]
    return [(us_m, us_w, uk, cm, eu) for us_m, us_w, uk, cm, eu in lines]


def _chart(rows: Iterable[Row], system: str, suffix: str = "") -> tuple[Size, ...]:
    plain = [
        {
            "us m": f"US M {us_m}",
            "us w": f"US W {us_w}",
            "uk": f"UK {uk}",
            "cm": f"CM {cm}",
            "kr": f"KR {int(float(cm) * 10)}",
            "eu": f"EU {eu}",
        }
        for us_m, us_w, uk, cm, eu in rows
    ]
    uses = Counter(label for labels in plain for label in labels.values())
    order = (system, *(other for other in SYSTEMS if other != system))
    sizes = []
    for labels in plain:
        told_apart = {
            name: f"{label} ({labels[_TOLD_APART_BY[name]]})" if uses[label] > 1 else label
            for name, label in labels.items()
        }
        value = labels[system].rsplit(" ", 1)[1] + suffix
        sizes.append(Size(value, system, tuple((name, told_apart[name]) for name in order)))
    return tuple(sizes)


def _text(number: Fraction) -> str:
    """`44`, `9.5`, `42 2/3`."""
    whole, rest = divmod(number, 1)
    if rest.denominator in (1, 2):
        return f"{float(number):g}"
    return f"{whole} {rest}"
