"""What HTML may look like to be parsed at all. Pure, and linear in its length.

A parser's time grows with the square of what is nested, and of the attributes of one element: 60,000 nested elements
took 20 seconds, 40,000 attributes 9. No page of a shop, and no description, has a hundredth of that.

Tags are read as the HTML standard's tokenizer reads them. Where the standard's tree depends on more than that, elements
are counted as nested that may not be, never the other way round: a page that is made to stall the parser must not pass.
"""

import re
from collections import Counter

MOST_DEPTH = 500
MOST_ATTRIBUTES = 500
MOST_ELEMENTS = 100_000


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


_VOID = _names("area base basefont bgsound br col embed frame hr img input link meta param source track wbr")
# Elements whose end is mostly left out: the next of them ends the last.
_OPEN_ENDED = _names("p li dt dd option tr td th thead tbody tfoot colgroup html head body")
_RAW = _names("script style textarea title xmp iframe noembed noframes plaintext")
# Through these an end tag reaches no element outside.
_WALLS = _names("table td th caption object template applet marquee svg math select button")
_BLOCKS = _WALLS | _names(
    "address article aside blockquote body center details dialog dir div dl dd dt fieldset figcaption figure footer "
    "form h1 h2 h3 h4 h5 h6 head header hgroup hr html iframe li main menu nav ol p pre search section summary tbody "
    "tfoot thead tr ul frameset"
)
_FOREIGN = ("svg", "math")
# Inside of SVG and MathML, the standard's names of elements with HTML in them, and of those that end the drawing.
_HTML_INSIDE = _names("foreignobject desc title mi mo mn ms mtext annotation-xml")
_BREAKS_OUT = _names(
    "b big blockquote body br center code dd div dl dt em embed h1 h2 h3 h4 h5 h6 head hr i img li listing menu meta "
    "nobr ol p pre ruby s small span strong strike sub sup table tt u ul var font"
)
# A tag; its attributes and its end too, where they are few and plain, as nearly all are. Others are read one by one.
_PLAIN = r"\s+[^\s\"'<>/=]+(?:\s*=\s*(?:\"[^\"]*\"|'[^']*'|[^\s\"'=<>`]+))?"
_TAG = rf"<(?:(!--)|(/?)([a-zA-Z][^\s/>]*)((?:{_PLAIN}){{0,40}}\s*(/?)>)?)"
_PART = r"\s+|/|>|([^\s/>][^\s/>=]*)(?:\s*=\s*(?:\"[^\"]*(?:\"|\Z)|'[^']*(?:'|\Z)|[^\s>\"'][^\s>]*)?)?"


class TooComplex(Exception):  # noqa: N818 - what it is
    """It would stall the parser; `str()` says what it has too much of."""


def check(text: str) -> None:
    """Do nothing if `text` can be parsed in a time that grows with its length only.

    Raises:
        TooComplex: it cannot.
    """
    _Scan(text).run()


class _Scan:
    def __init__(self, text: str) -> None:
        self._text = text
        self._open: list[str] = []
        self._names = Counter[str]()
        self._drawings = 0
        self._part = re.compile(_PART)

    def run(self) -> None:
        tag, comment_end = re.compile(_TAG), re.compile(r"--!?>")
        at = elements = 0
        while (found := tag.search(self._text, at)) is not None:
            if found[1]:
                # From within the mark itself: `<!-->` is a whole comment.
                end = comment_end.search(self._text, found.start() + 2)
                at = end.end() if end else len(self._text)
                continue
            name = found[3].lower()
            at, closed = (found.end(), bool(found[5])) if found[4] else self._attributes(found.end())
            if found[2]:
                self._end(name)
                continue
            elements += 1
            if elements > MOST_ELEMENTS:
                raise TooComplex(f"more than {MOST_ELEMENTS} elements")
            at = self._start(name, at, closed)

    def _start(self, name: str, at: int, closed: bool) -> int:
        foreign = self._drawings > 0 and self._in_foreign()
        if foreign and name in _BREAKS_OUT:
            while self._in_foreign():
                self._pop()
            foreign = False
        if foreign:
            if not closed:
                self._push(name)
            return at
        if name in _FOREIGN and closed:
            return at
        if name in _RAW and not self._names["select"]:
            end = re.compile(rf"</{name}[\s/>]", re.IGNORECASE).search(self._text, at)
            return end.start() if end else len(self._text)
        if name not in _VOID | _OPEN_ENDED:
            self._push(name)
        return at

    def _end(self, name: str) -> None:
        """Close what an end tag closes for certain; one that meets a wall closes nothing."""
        if self._open and self._open[-1] == name:
            self._pop()
            return
        if not self._names[name]:
            return
        walls = _WALLS if name in _BLOCKS else _BLOCKS
        for place in range(len(self._open) - 1, -1, -1):
            if self._open[place] == name:
                while len(self._open) > place:
                    self._pop()
                return
            if self._open[place] in walls:
                return

    def _push(self, name: str) -> None:
        self._open.append(name)
        self._names[name] += 1
        self._drawings += name in _FOREIGN
        if len(self._open) > MOST_DEPTH:
            raise TooComplex(f"more than {MOST_DEPTH} elements inside each other")

    def _pop(self) -> None:
        name = self._open.pop()
        self._names[name] -= 1
        self._drawings -= name in _FOREIGN

    def _in_foreign(self) -> bool:
        """Whether what comes next stands in SVG or MathML."""
        for name in reversed(self._open):
            if name in _FOREIGN:
                return True
            if name in _HTML_INSIDE:
                return False
        return False

    def _attributes(self, at: int) -> tuple[int, bool]:
        """Where the tag that goes on at `at` ends, and whether it closes itself."""
        count, closed = 0, False
        while (found := self._part.match(self._text, at)) is not None:
            at = found.end()
            if found[0] == ">":
                return at, closed
            closed = found[0] == "/"
            count += found[1] is not None
            if count > MOST_ATTRIBUTES:
                raise TooComplex(f"more than {MOST_ATTRIBUTES} attributes of one element")
        return len(self._text), False
