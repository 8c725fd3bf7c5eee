"""Texts as people see them, whatever code points they are written with. Pure."""

import unicodedata
from typing import Any, Final

# Categories of Unicode of which nothing is seen: separators, and controls, formats and what is not assigned.
_UNSEEN: Final = ("Z", "C")
# Blanks that Unicode counts among letters and symbols: fillers of Hangul, and the Braille cell without a dot.
_FILLERS: Final = frozenset("\u115f\u1160\u3164\uffa0\u2800")


def composed(text: str) -> str:
    """`text` in Unicode's composed form (NFC), in which two spellings of one text are equal."""
    return unicodedata.normalize("NFC", text)


def well_formed(value: Any) -> Any:
    """What JSON said, with U+FFFD for each half of a surrogate pair, which no table and no page can hold."""
    if isinstance(value, str):
        return value.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    if isinstance(value, dict):
        return {well_formed(name): well_formed(one) for name, one in value.items()}
    return [well_formed(one) for one in value] if isinstance(value, list) else value


def is_blank(text: str) -> bool:
    """Whether nothing of `text` is seen: it is empty, or all blanks and characters without a width."""
    return all(unicodedata.category(one)[0] in _UNSEEN or one in _FILLERS for one in text)
