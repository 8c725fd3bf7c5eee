"""HTML that would stall a parser is refused, and that of shops' pages is not."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from selectolax.lexbor import LexborHTMLParser, LexborNode

from sluice.platform import html_guard as guard
from sluice.platform.html_guard import TooComplex
from tests.support.pages import FOLDER, read

N = 10_000

# Each nests or piles up what it repeats, though it may not look so.
ATTACKS = {
    "nested": "<div>" * N,
    "with end tags of others": "<div></x>" * N,
    "with end tags that meet a wall": "<span><div></span>" * N,
    "closed as in XML": "<div/>" * N,
    "after a comment that ends at once": "<!-->" + "<div>" * N,
    "after a quote in a name": '<div a">' + "<div>" * N,
    "behind raw text that is none": "<select><iframe></select>" + "<div>" * N + "</iframe>",
    "in noscript": "<noscript>" + "<div>" * N,
    "ruby without ruby": "<rb>" * N,
    "void elements in a drawing": "<svg>" + "<input>" * N,
    "a title in a drawing": "<svg><title>" + "<g>" * N,
    "out of a drawing": "<svg><p>" + "<div/>" * N,
    "a script in a drawing": "<svg><script>" + "<g>" * N,
    "attributes": "<div " + " ".join(f"a{number}" for number in range(N)) + ">",
    "attributes with values": "<div " + " ".join(f"a{number}='>'" for number in range(N)) + ">",
    "attributes of an end tag": "</div " + " ".join(f"a{number}" for number in range(N)) + ">",
    "elements": "<b></b>" * (guard.MOST_ELEMENTS + 1),
}


@pytest.mark.parametrize("attack", ATTACKS)
def test_a_page_that_would_stall_the_parser_is_refused(attack: str) -> None:
    with pytest.raises(TooComplex):
        guard.check(ATTACKS[attack])


@pytest.mark.parametrize(
    "page",
    [
        "<p>" * N,
        "<ul>" + "<li>x" * N + "</ul>",
        "<table>" + "<tr><td>x" * N + "</table>",
        "<br>" * N,
        "<svg>" + '<path d="M0 0"/>' * N + "</svg>",
        "<script>" + "<div>" * N + "</script>",
        "<!-- " + "<div>" * N + " -->",
        "<div><p>a<br/><span>b</span></div>" * N,
        '<div title="' + "<div>" * N + '">',
        "",
        "<",
    ],
)
def test_what_does_not_nest_is_allowed(page: str) -> None:
    guard.check(page)


@pytest.mark.parametrize("page", sorted(FOLDER.glob("*.html")), ids=lambda path: path.stem)
def test_pages_of_shops_are_allowed(page: object) -> None:
    guard.check(page.read_text(encoding="utf-8"))  # type: ignore[attr-defined]


def test_ten_thousand_nested_elements_are_an_answer_and_no_stall() -> None:
    with pytest.raises(TooComplex, match="more than 500 elements inside"):
        read("<div>" * 10_000)


def depth(node: LexborNode | None) -> int:
    """How deep the parser has nested below `node`."""
    deepest, level = 0, [node] if node else []
    while level:
        deepest += 1
        level = [child for one in level for child in one.iter(include_text=False)]
    return deepest


NAMES = [
    "div",
    "span",
    "p",
    "li",
    "ul",
    "table",
    "td",
    "svg",
    "g",
    "title",
    "select",
    "iframe",
    "b",
    "a",
    "rb",
    "button",
]
TAGS = st.sampled_from([form.format(name) for name in NAMES for form in ("<{}>", "</{}>", "<{}/>", '<{} x=">">', "x")])


@given(st.lists(TAGS, max_size=12), st.integers(10, 40))
def test_nothing_that_passes_is_nested_much_deeper_than_counted(tags: list[str], times: int) -> None:
    page = "".join(tags) * times
    scan = guard._Scan(page)
    deepest = 0
    push = scan._push

    def counted(name: str) -> None:
        nonlocal deepest
        push(name)
        deepest = max(deepest, len(scan._open))

    scan._push = counted  # type: ignore[method-assign]
    try:
        scan.run()
    except TooComplex:
        return
    # Elements that end by themselves, between two that are counted, are of a fixed number.
    assert depth(LexborHTMLParser(page).root) <= 8 * (deepest + 2)
