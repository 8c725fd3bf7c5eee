"""SKUs in one spelling, so that one price has one name; and finding the one that is meant in a search. Pure."""

import re
from collections.abc import Iterable, Iterator
from typing import Final, Generic, TypeVar

from sluice.marketplaces import spreadsheets
from sluice.marketplaces.http.errors import AmbiguousStyle
from sluice.marketplaces.spelling import odd, plain

T = TypeVar("T")

MOST_CHARACTERS: Final = 64
# Style ids of sneakers, cards and collectibles are letters, digits and few marks.
_CHARACTERS: Final = "A-Z0-9.+/&'#:()-"
_ALLOWED: Final = "letters, digits, blanks and . + / & ' # : ( ) -"
# Shorter ones are no style by themselves: `M/L` is one style, `315122-111/CW2288-111` two.
_FEWEST_CHARACTERS: Final = 5
# Nike's and Jordan's styles, old and new, without their hyphen: `DD1391100`, `315122111`.
_NIKE: Final = r"((?:[A-Z]{2}|\d{2})\d{4})(\d{3})"


def normal_sku(text: str) -> str:
    """`text` as Sluice writes a SKU: upper case, blanks and underscores as one hyphen (`dd1391 100` → `DD1391-100`).

    Raises:
        ValueError: it cannot be a SKU; says why.
    """
    spelt = plain(text)
    if changed := spreadsheets.changed_style(spelt):
        raise ValueError(changed)
    sku = re.sub(r"[ _-]+", "-", spelt.upper())
    if not sku:
        raise ValueError("must not be empty")
    if len(sku) > MOST_CHARACTERS:
        raise ValueError(f"must have at most {MOST_CHARACTERS} characters, not {len(sku)}")
    if character := odd(sku, _CHARACTERS):
        raise ValueError(f"must not hold {character}; it may hold {_ALLOWED} only")
    if not re.match(r"[A-Z0-9]", sku):
        raise ValueError(f"must begin with a letter or digit, not with {sku[0]!r}")
    return sku


def normal_style(text: str) -> str:
    """A style in one spelling: `dd1391 100` and `DD1391_100` are `DD1391-100`."""
    return re.sub(r"[\s_-]+", "-", plain(text)).upper()


def compact(text: str) -> str:
    """A style without what separates its parts: `DD1391-100` and `DD1391100` are the same."""
    return re.sub(r"[\s_-]+", "", plain(text)).upper()


def key(sku: str) -> str:
    """The one name of a SKU, however it is written; what jobs, prices, products and items are kept under.

    Without what separates its parts, but for Nike's hyphen, and of several styles the smallest first: `DD1391100` and
    `dd1391 100` are `DD1391-100`, `1201A019-108` is `1201A019108`. Equal exactly where `compact` is, but for the order
    of styles.
    """
    whole = compact(sku)
    parts = whole.split("/")
    if len(parts) > 1 and all(map(_is_style, parts)):
        return "/".join(sorted(map(_hyphenated, parts)))
    return _hyphenated(whole)


def has_one_spelling(sku: str) -> bool:
    """Whether nobody needs to be asked how it is spelt: it is of Nike's styles only, whose hyphen has its place."""
    return all(re.fullmatch(_NIKE, style) for style in compact(sku).split("/"))


def hyphenated(sku: str) -> str:
    """The SKU as a marketplace is asked for it: with the hyphen that Nike's styles have, and else as it is written.

    `DD1391100` is `DD1391-100`, and `CP-9654` stays, for nobody knows that it is `CP9654`. Several styles stay in their
    order, for a marketplace has its own.
    """
    written = [_hyphenated(compact(part)) for part in sku.split("/")]
    return "/".join(new if "-" in new else old for new, old in zip(written, sku.split("/"), strict=True))


def in_order(sku: str) -> str:
    """The SKU, of several styles the smallest first: `CW2288-111/315122-111` is `315122-111/CW2288-111`."""
    parts = sku.split("/")
    if not all(_is_style(compact(part)) for part in parts):
        return normal_style(sku)
    return "/".join(sorted(map(normal_style, parts)))


def spelling(sku: str) -> str:
    """The name of a SKU in this spelling: of all that are `hyphenated` alike, whatever order their styles stand in."""
    return in_order(hyphenated(sku))


def _hyphenated(style: str) -> str:
    found = re.fullmatch(_NIKE, style)
    return f"{found[1]}-{found[2]}" if found else style


def styles(field: str) -> list[str]:
    """The styles that a field names, in one spelling: the whole of it, then its parts.

    A shoe that was released twice has several in one field, `315115-112/DD8959-100`: each of them is its style.
    """
    whole = normal_style(field)
    parts = [normal_style(part) for part in whole.split("/")]
    return list(dict.fromkeys([whole, *(part for part in parts if _is_style(part))]))


def _is_style(text: str) -> bool:
    return len(text) >= _FEWEST_CHARACTERS and any(letter.isdigit() for letter in text)


class StyleSearch(Generic[T]):
    """Finds the product of a SKU among the rows of a search, which shows its neighbours too.

    A row whose style is exactly the SKU is it, of several styles in any order, else one of which a style is exactly one
    of the SKU's. Where there is none, it is the only one that is the same without blanks, `-` and `_`.
    """

    def __init__(self, sku: str) -> None:
        self._exact = styles(hyphenated(sku))
        self._whole = in_order(self._exact[0])
        self._written = styles(sku)
        self._compact = {compact(style) for style in self._exact}
        self._alike: dict[str, tuple[str, T]] = {}

    def queries(self) -> Iterator[str]:
        """What to search for, one after the other until it is found: the SKU, its styles, these as they were written.

        So whoever writes the hyphen of Nike's styles elsewhere is answered as who writes it in its place.
        """
        yield from dict.fromkeys([*self._exact, *map(hyphenated, self._exact), *self._written])

    def found(self, rows: Iterable[tuple[str, str | None, T]]) -> T | None:
        """The row that is it, on a page of (product id, style, row). Those that may be it are kept for `end`."""
        whole, part = list[T](), list[T]()
        for product_id, style, row in rows:
            theirs = styles(style or "")
            if in_order(style or "") == self._whole:
                whole.append(row)
            elif set(theirs) & set(self._exact):
                part.append(row)
            elif {compact(one) for one in theirs} & self._compact:
                self._alike[product_id] = (style or "", row)
        return next(iter([*whole, *part]), None)

    def end(self) -> T | None:
        """The only row that may be it, after all rows were looked at. None if there was none.

        Raises:
            AmbiguousStyle: several may be.
        """
        if len(self._alike) > 1:
            names = ", ".join(sorted(style for style, _ in self._alike.values()))
            raise AmbiguousStyle(f"{self._exact[0]} may be several products: {names}; write one of these")
        return next((row for _, row in self._alike.values()), None)

    def rivals(self, product_id: str) -> tuple[str, ...]:
        """The styles of other products that were seen and have the same `key`."""
        others = {normal_style(style) for one, (style, _) in self._alike.items() if one != product_id}
        return tuple(sorted(style for style in others if key(style) == key(self._exact[0])))
