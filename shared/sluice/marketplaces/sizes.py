"""The one language of sizes: any written size has one normal form, and a letter or prefix names its system. Pure.

```
 as written                          name      system
 10.50 · 10,5 · 10½ · 10 1/2         10.5      own      no system is named: the product's own
 US 10                               10        own-us   whose American size is not said: the product's own
 EU 42⅔ · 42.67 with sizeSystem eu   42 2/3    eu
 8W · W 8 · US W 8                   8         us-w     women's
 5Y · GS 5                           5         us-y     youths'
 9C · 9K · TD 9                      9         us-c     children's
 M 10 · US M 10                      10        us       men's
 xl · One Size                       XL        own      what is no number has no system of its own
```
`us` is men's. A `sizeSystem` that is given holds; a letter says more exactly whose American size is meant, so `8W` with
`us` is women's 8, and with `uk` it is refused.
"""

import re
from collections.abc import Iterable
from decimal import Decimal
from fractions import Fraction
from typing import Final, NamedTuple

from sluice.marketplaces.spelling import odd, plain
from sluice.marketplaces.spreadsheets import changed_size

MOST_SIZE_CHARACTERS = 16
# What a product without sizes is asked for by.
ONE_SIZE = "ONE SIZE"
# The system of a size that names none, until the product's size chart tells it.
OWN, OWN_US = "own", "own-us"
UNNAMED: Final = frozenset({OWN, OWN_US})

AMERICAN: Final = ("us", "us-w", "us-y", "us-c")
# The letter behind a size of each American system but men's.
LETTERS: Final = {"us-w": "W", "us-y": "Y", "us-c": "C"}
SYSTEMS: Final = (*AMERICAN, "uk", "eu", "it", "fr", "cm", "kr")

_NAMED: Final = {
    OWN_US: ("US", "USA"),
    "us": ("US M", "US MEN", "US MEN'S", "US MENS", "M", "MEN", "MENS", "MEN'S"),
    "us-w": ("US W", "US WOMEN", "US WOMEN'S", "W", "WMNS", "WMN", "WOMEN", "WOMENS", "WOMEN'S"),
    "us-y": ("US Y", "Y", "GS", "YOUTH"),
    "us-c": ("US C", "US K", "C", "K", "TD", "TODDLER"),
    "uk": ("UK",),
    "eu": ("EU", "EUR"),
    "it": ("IT",),
    "fr": ("FR",),
    "cm": ("CM", "JP"),
    "kr": ("KR",),
}
_SYSTEM_OF: Final = {name: system for system, names in _NAMED.items() for name in names}
# `10 M` is a width as often as it is men's.
_NOT_BEHIND: Final = frozenset({"M"})
_NAME: Final = "|".join(sorted(map(re.escape, _SYSTEM_OF), key=len, reverse=True))
_NUMBER: Final = r"\d{1,3}(?:[.,]\d{1,4}| \d/\d)?"
_NUMBERED: Final = rf"(?:(?P<before>{_NAME})[ :]?)? ?(?P<number>{_NUMBER}) ?(?P<behind>{_NAME})?"
_VULGAR: Final = {"½": " 1/2", "⅓": " 1/3", "⅔": " 2/3", "¼": " 1/4", "¾": " 3/4", "\u2044": "/"}
# Third parts of a size, as they are rounded.
_THIRDS: Final = {"33": "1/3", "333": "1/3", "66": "2/3", "67": "2/3", "666": "2/3", "667": "2/3"}
_NAMES: Final = "A-Z0-9 ./+-"
_LETTERED: Final = ("XXXS", "XXS", "XS", "S", "M", "L", "XL", "XXL", "2XL", "XXXL", "3XL", "4XL", "5XL")


class Size(NamedTuple):
    """A size in its normal form. system: one of `SYSTEMS`, or `OWN` or `OWN_US` where none is named."""

    name: str
    system: str

    @property
    def text(self) -> str:
        """As somebody would write it where no size system is given: `10`, `US 10`."""
        return f"US {self.name}" if self.system == OWN_US else self.name

    @property
    def given_system(self) -> str | None:
        """The size system that goes with `text`; None where none is named."""
        return None if self.system in UNNAMED else self.system

    @property
    def shown(self) -> str:
        """As a message calls it: `8 in us-w`, `10`."""
        return self.name if self.system in UNNAMED else f"{self.name} in {self.system}"


def read(text: str, system: str | None = None) -> Size:
    """The size that `text` is. system: the size system that was given with it; None where none was.

    Raises:
        ValueError: it is no size, or names another system than the one given; says why.
    """
    spelt = _spelt(text)
    found = re.fullmatch(_NUMBERED, spelt, re.ASCII)
    if found is None:
        return Size(_name(spelt), system or OWN)
    labels = {_SYSTEM_OF[name] for name in (found["before"], found["behind"]) if name}
    if found["behind"] in _NOT_BEHIND:
        return Size(_name(spelt), system or OWN)
    return Size(_number(found["number"]), _system(labels, system))


def stored(name: str, system: str) -> Size:
    """A size as it was stored, also by an older version, which kept it as it was written."""
    if system in UNNAMED:
        return Size(name, system)
    try:
        return read(name, system)
    except ValueError:
        return Size(name, system)


def names(labels: Iterable[tuple[str, str]]) -> dict[str, str]:
    """The names of one variant by system, from its labels in a marketplace's chart. One that is no size is left out.

    A youth's `5Y` is the small end of men's sizes, so it is named in both where a marketplace calls it men's.
    """
    found: dict[str, str] = {}
    for system, label in labels:
        try:
            size = read(label, system)
        except ValueError:
            continue
        found.setdefault(size.system, size.name)
        if (system, size.system) == ("us", "us-y"):
            found.setdefault("us", size.name)
    return found


def listed(sizes: Iterable[str], most: int = 12) -> str:
    """A short list of sizes for a message, each once, the smallest first."""
    found = sorted(set(sizes), key=order)
    return ", ".join(found[:most]) + (f" and {len(found) - most} more" if len(found) > most else "")


def order(name: str) -> tuple[int, Fraction, str]:
    """What sizes are sorted by: numbers by their value, then S, M, L, then whatever else there is."""
    whole, _, rest = name.partition(" ")
    if re.fullmatch(r"\d+(\.\d+)?", whole) and (not rest or re.fullmatch(r"\d/[1-9]", rest)):
        return 0, Fraction(whole) + (Fraction(rest) if rest else 0), ""
    if name in _LETTERED:
        return 1, Fraction(_LETTERED.index(name)), ""
    return 2, Fraction(0), name


def order_of_system(system: str) -> int:
    """What size systems are sorted by."""
    return SYSTEMS.index(system) if system in SYSTEMS else len(SYSTEMS)


def _spelt(text: str) -> str:
    for sign, written in _VULGAR.items():
        text = text.replace(sign, written)
    size = re.sub(r" +", " ", plain(text))
    if changed := changed_size(size):
        raise ValueError(changed)
    size = size.upper()
    if not size:
        raise ValueError("must not be empty")
    if len(size) > MOST_SIZE_CHARACTERS:
        raise ValueError(f"must have at most {MOST_SIZE_CHARACTERS} characters, not {len(size)}")
    return size


def _name(size: str) -> str:
    if character := odd(size, _NAMES):
        raise ValueError(f"must not hold {character}; it may hold letters, digits, blanks and . / + - only")
    if not re.match(r"[A-Z0-9]", size):
        raise ValueError(f"must begin with a letter or digit, not with {size[0]!r}")
    return size


def _number(text: str) -> str:
    """`10.5`, `42 2/3`: no zeros that say nothing, halves and quarters as decimals, thirds as a fraction."""
    whole, _, fraction = text.replace(",", ".").partition(" ")
    if fraction:
        above, below = int(fraction[0]), int(fraction[2])
        if below not in (2, 3, 4) or not 0 < above < below:
            raise ValueError(f"must not hold the fraction {fraction}; halves, thirds and quarters are known")
        if below == 3:
            return f"{int(whole)} {fraction}"
        whole = str(Decimal(int(whole)) + Decimal(above) / below)
    before, _, behind = whole.partition(".")
    if behind in _THIRDS:
        return f"{int(before)} {_THIRDS[behind]}"
    return f"{Decimal(whole).normalize():f}"


def _system(labels: set[str], given: str | None) -> str:
    """What the size is in, by what is written at it and what is given with it."""
    precise = labels - {OWN_US}
    if len(precise) > 1 or (OWN_US in labels and precise - set(AMERICAN)):
        raise ValueError(f"names several size systems: {', '.join(sorted(labels))}")
    said = next(iter(precise or labels), None)
    if said is None or said == given:
        return given or OWN
    if given is None:
        return said
    if said == OWN_US and given in AMERICAN:
        return given
    if given == "us" and said in AMERICAN:
        return said
    raise ValueError(f"names the size system {said}, and sizeSystem is {given}; give one of them")
