"""Text as people and spreadsheets write it: odd blanks and dashes made plain, anything else odd named. Pure."""

import re
from typing import Final

# What looks like a blank, a hyphen or an apostrophe and is another character: from web pages, PDF files and phones.
_BLANKS: Final = "\t\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205f\u3000"
_HYPHENS: Final = "\u2010\u2011\u2012\u2013\u2014\u2015\u2043\u2212\ufe58\ufe63\uff0d"
_APOSTROPHES: Final = "\u2018\u2019\u02bc\u2032\uff07\u00b4`"
# Nobody sees these, so nobody meant them.
_INVISIBLE: Final = "\u00ad\u200b\u200c\u200d\u2060\ufeff\u200e\u200f"
_PLAIN: Final = {
    **dict.fromkeys(map(ord, _BLANKS), " "),
    **dict.fromkeys(map(ord, _HYPHENS), "-"),
    **dict.fromkeys(map(ord, _APOSTROPHES), "'"),
    **dict.fromkeys(map(ord, _INVISIBLE), ""),
}
# Letters of other alphabets that no eye tells from these. Nobody knows which was meant, so they are refused.
_CYRILLIC = dict(zip("АВСЕНІЈКМОРЅТХУавсеіјорѕху", "ABCEHIJKMOPSTXYabceijopsxy", strict=True))
_GREEK = dict(zip("ΑΒΕΖΗΙΚΜΝΟΡΤΥΧ", "ABEZHIKMNOPTYX", strict=True))  # noqa: RUF001
_LOOK_ALIKE: Final = {**_CYRILLIC, **_GREEK}


def plain(text: str) -> str:
    """`text` with every kind of blank, hyphen and apostrophe as the plain one, and full-width letters as usual ones."""
    if text.isascii():
        return text.replace("\t", " ").replace("`", "'").strip(" ")
    from unicodedata import normalize

    spelt = text.translate(_PLAIN)
    wide = re.sub("[\uff01-\uff5e]+", lambda found: normalize("NFKC", found[0]), spelt)
    return wide.strip(" ")


def odd(text: str, allowed: str) -> str | None:
    """The first character of `text` that is not of `allowed` (the inside of a regular expression's brackets), named.

    `'\u0410' (U+0410 CYRILLIC CAPITAL LETTER A), which only looks like 'A'`. None if there is none.
    """
    found = re.search(f"[^{allowed}]", text)
    if found is None:
        return None
    from unicodedata import name

    character = found[0]
    shown = repr(character) if character.isprintable() else "a character"
    named = f"{shown} (U+{ord(character):04X} {name(character, 'control character')})"
    alike = _LOOK_ALIKE.get(character)
    return f"{named}, which only looks like {alike!r}" if alike else named
