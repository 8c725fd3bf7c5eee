"""What the title of an offer says: whether it is the product at all, and whose sizes it has. Pure.

eBay finds what has the words of a search anywhere. A price is of the shoe that was asked for only where its style
stands in the title, and where the title is not one of its box, its laces, or of a copy.
"""

import re
from functools import cache, lru_cache
from typing import Final

from sluice.marketplaces.skus import compact, styles
from sluice.marketplaces.spelling import plain

# eBay's titles have 80 characters. What is far longer is none, and to look through it would take seconds.
MOST_CHARACTERS: Final = 200
# What a shoe comes in: told apart from a shoe by what stands around it. In English, German, French, Spanish, Italian.
_BOXES: Final = (
    r"(?:(?:shoe|sneaker|replacement|empty|original|og)[ -]?)*box(?:es)?|lid|receipt|hang ?tags?|stickers?|decals?|"
    r"tissue paper|(?:schuh|leer)?[ -]?karton|schuh ?schachtel|bo[iî]te(?: vide)?|caja(?: vac[ií]a)?|scatola(?: vuota)?"
)
# What belongs to a shoe, and is no shoe unless the title says that the shoe comes with it.
_PARTS: Final = (
    r"(?:(?:shoe|rope|flat|oval|round|replacement)[ -]?)*laces?|shoe ?strings?|in ?soles?|inner ?soles?|sock ?liners?|"
    r"foot ?beds?|dust ?bags?|shoe ?trees?|crease (?:protector|guard|shield)s?|lace ?locks?|key ?(?:chain|ring)s?|"
    r"poster|schn[uü]rsenkel|schuhb[aä]nder|einlege ?sohlen?|lacets|semelles?|cordones|plantillas?|lacci|solette"
)
_WITH: Final = (
    r"w/?|with|without|w/o|no|in|incl\.?|includes?|including|plus|and|both|all|extra|spare|additional|mit|ohne|inkl\.?|"
    r"samt|avec|sans|con|sin|senza|&|\+"
)
_COPIES: Final = (
    r"replicas?|reps?|r[eé]pliques?|replik(?:a|en)?|repliche|fakes?|f[aä]lschung|knock[ -]?offs?|counterfeits?|"
    r"bootlegs?|unauthori[sz]ed|unauthentic|not authentic|mirror quality|aaa\+?|1:1|look ?alikes?|dupes?"
)
_SHOES: Final = r"(?:shoes?|sneakers?|trainers?|schuhe?|chaussures?|zapatos|scarpe)"
# Words that say whose sizes a shoe has.
_WHOSE: Final = {
    "us-y": r"\d{1,2}(?:\.5)?y|gs|grade school|big kids?'?|youth",
    "us-c": r"\d{1,2}(?:\.5)?[ck]|td|toddlers?'?|little kids?'?|infants?'?",
    "us-w": r"women'?s?|wmns|ladies|damen|femmes?|mujer|donna",
    "us": r"men'?s?|herren|hommes?|hombre|uomo",
}


def words(sku: str) -> str:
    """What is searched for: the SKU, or any of its styles where it has several (Browse API, `q`: `(this, that)`)."""
    whole, *parts = styles(sku)
    return f"({', '.join(parts)})" if len(parts) > 1 else whole


def is_offer(title: str, sku: str, *, shoe: bool = True) -> bool:
    """Whether an item with this title is the product itself, and no copy of it.

    shoe: it has sizes, so that laces and boxes are none. What has no sizes may be a pair of laces.
    """
    said = " ".join(plain(title[:MOST_CHARACTERS]).lower().split())
    if not _style(sku).search(said) or _word(_COPIES).search(said):
        return False
    return not (shoe and _is_part(said))


def system(title: str) -> str | None:
    """The US size system that the title shows; None where it shows none, or several."""
    said = plain(title[:MOST_CHARACTERS]).lower()
    found = [name for name, spellings in _WHOSE.items() if _word(spellings).search(said)]
    return found[0] if len(found) == 1 else None


def _is_part(said: str) -> bool:
    """Whether the title is of something that belongs to the shoe, and not of the shoe with it."""
    if _alone().search(said):
        return True
    return any(not _comes_with(said, found) for found in _word(_PARTS).finditer(said))


def _comes_with(said: str, part: re.Match[str]) -> bool:
    """Whether the shoe comes with the part: "with extra laces", "+ laces", "laces included"."""
    before, behind = said[: part.start()], said[part.end() :]
    accompanied = re.search(rf"(?:^|[\s(\[,/-])(?:{_WITH})(?: ?[\w/+&-]+){{0,3}} ?$", before)
    return bool(accompanied or re.match(r" (?:are |is )?(?:incl|inkl)", behind))


@cache
def _alone() -> re.Pattern[str]:
    """Finds what says that there is no shoe: "box only", "laces for …", "no shoes", "shirt to match"."""
    thing = rf"(?:{_BOXES}|{_PARTS})"
    return re.compile(
        rf"^(?:{_BOXES})\b(?! fresh)|\b{thing}\b[ ,:(-]*(?:only|alone|nur)\b|"
        rf"\b(?:only|just|nur|solo|seulement|empty|leere?r?s?) (?:the |der |die )?{thing}\b|"
        rf"\b(?:replacement|ersatz\w*) (?:{_PARTS})\b|"
        rf"\b{thing} (?:for|f[uü]r|fits?|to fit|pour|para|per|from)\b|"
        rf"\b(?:no|not|without|ohne|sans|sin|senza) (?:the )?{_SHOES}\b|"
        r"\b(?:to match|matching|inspired by) |\b(?:shirt|tee|hoodie|socks|hat) (?:to|for|that)\b"
    )


@cache
def _word(spellings: str) -> re.Pattern[str]:
    return re.compile(rf"(?<!\w)(?:{spellings})(?!\w)")


@lru_cache(maxsize=1_000)
def _style(sku: str) -> re.Pattern[str]:
    """Finds any style of the SKU in a title, with or without what separates its parts: `DD1391-100`, `dd1391 100`."""
    patterns = [r"[\s_-]?".join(map(re.escape, compact(style).lower())) for style in styles(sku)]
    return re.compile(rf"(?<![a-z0-9])(?:{'|'.join(patterns)})(?![a-z0-9])")
