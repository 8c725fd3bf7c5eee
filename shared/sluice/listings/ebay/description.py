"""Descriptions as HTML: what eBay's buyers may be shown, by an allow-list. Pure. Loads the cleaner when it is asked.

eBay stores a description as it is given, scripts too. So whatever is not on the list is refused by name, and what is
taken is written anew by a parser that reads as browsers do: what another reader overlooked is not in it.
"""

import re
from collections.abc import Mapping
from html.parser import HTMLParser
from typing import Final

from sluice.platform import html_guard
from sluice.platform.unicode_text import is_blank

_TEXT: Final = """
a abbr b bdi bdo blockquote br center cite code dd del div dl dt em font h1 h2 h3 h4 h5 h6 hr i img ins kbd li mark ol p
pre q s small span strike strong sub sup u ul wbr
"""
_TABLE: Final = "caption col colgroup table tbody td tfoot th thead tr"
TAGS: Final = frozenset((_TEXT + _TABLE).split())
_EVERYWHERE: Final = frozenset({"align", "dir", "lang", "title"})
ATTRIBUTES: Final[Mapping[str, frozenset[str]]] = {
    "a": frozenset({"href"}),
    "blockquote": frozenset({"cite"}),
    "col": frozenset({"span", "width"}),
    "colgroup": frozenset({"span", "width"}),
    "font": frozenset({"color", "face", "size"}),
    "hr": frozenset({"size", "width"}),
    "img": frozenset({"alt", "height", "src", "width"}),
    "ol": frozenset({"start", "type"}),
    "q": frozenset({"cite"}),
    "table": frozenset({"bgcolor", "border", "cellpadding", "cellspacing", "height", "width"}),
    "td": frozenset({"bgcolor", "colspan", "height", "rowspan", "valign", "width"}),
    "th": frozenset({"bgcolor", "colspan", "height", "rowspan", "scope", "valign", "width"}),
    "tr": frozenset({"bgcolor", "valign"}),
    "ul": frozenset({"type"}),
}
_URLS: Final = frozenset({"href", "src", "cite"})
SCHEMES: Final = frozenset({"https"})
# Of one description, so many mistakes are told.
MOST_PROBLEMS: Final = 5
# Tags and comments of one description that begin and do not end, as the `<` of "sizes < 10". For each of them Python's
# parser looks through all that follows: 480 KB of them took it a minute.
MOST_UNENDED: Final = 100
# Characters that are read at once in search of the first that is seen.
PIECE: Final = 4_096
# XML's mark around a whole description, as exports of eBay's older API have it. A browser would swallow its beginning.
_WRAPPED: Final = r"(?s)\s*<!\[CDATA\[(.*)\]\]>\s*"
# Marks for Outlook, which template tools leave behind. To everybody else they are comments.
_FOR_OUTLOOK: Final = r"(?i)<!\[\s*(?:if|endif)\b"


def problems(html: str) -> list[str]:
    """What in `html` eBay's buyers may not be shown, in words; nothing where it is good."""
    html = _unwrapped(html)
    if too_much := _too_much(html):
        return [f"must not have {too_much}"]
    reader = _Reader()
    reader.feed(html)
    reader.close()
    return list(dict.fromkeys(reader.found))[:MOST_PROBLEMS]


def clean(html: str) -> str:
    """`html` as it is sent: its allowed tags and attributes, as browsers read them. Doing it twice changes nothing."""
    import nh3

    attributes = {"*": set(_EVERYWHERE), **{tag: set(names) for tag, names in ATTRIBUTES.items()}}
    return nh3.clean(_unwrapped(html), tags=set(TAGS), attributes=attributes, url_schemes=set(SCHEMES), link_rel=None)


def shows_something(html: str) -> bool:
    """Whether buyers see anything of a description: a word, or a picture."""
    reader = _Reader()
    for start in range(0, len(html), PIECE):
        reader.feed(html[start : start + PIECE])
        if reader.seen:
            return True
    reader.close()
    return reader.seen


def _unwrapped(html: str) -> str:
    """`html` without an XML mark around the whole of it."""
    found = re.fullmatch(_WRAPPED, html)
    return found[1] if found else html


def _too_much(html: str) -> str | None:
    """What `html` has so much of that reading it would take a time that grows with the square of its length."""
    try:
        html_guard.check(html)
    except html_guard.TooComplex as complex_:
        return str(complex_)
    tags = html.count("<", html.rfind(">") + 1)
    comments = html.count("<!--", html.rfind("-->") + 1)
    return f"more than {MOST_UNENDED} tags or comments without an end" if max(tags, comments) > MOST_UNENDED else None


class _Reader(HTMLParser):
    """Notes what is not allowed, so that its author is told; and whether there is anything to see."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.found: list[str] = []
        self.seen = False

    def handle_data(self, data: str) -> None:
        self.seen = self.seen or not is_blank(data)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen = self.seen or tag == "img"
        if tag not in TAGS:
            self.found.append(f"must not hold the tag <{tag[:32]}>")
            return
        allowed = _EVERYWHERE | ATTRIBUTES.get(tag, frozenset())
        for name, value in attrs:
            if name not in allowed:
                self.found.append(f"must not hold the attribute {name[:32]} in <{tag}>")
            elif name in _URLS and not (value or "").strip().lower().startswith("https://"):
                self.found.append(f"must have an https address in the attribute {name} of <{tag}>")

    def handle_decl(self, _: str) -> None:
        self.found.append("must not hold a document declaration")

    def unknown_decl(self, _: str) -> None:
        self.found.append("must not hold a document declaration")

    def parse_html_declaration(self, i: int) -> int:
        """What begins with `<![` is none of HTML's declarations: it ends with its `>`, as browsers read it."""
        if not self.rawdata.startswith("<![", i):
            return super().parse_html_declaration(i)
        if not re.compile(_FOR_OUTLOOK).match(self.rawdata, i):
            self.found.append("must not hold a document declaration")
        return self.parse_bogus_comment(i)

    def handle_pi(self, _: str) -> None:
        self.found.append("must not hold a processing instruction")
