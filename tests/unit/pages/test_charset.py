"""The text of a page, whatever it says of its encoding."""

import codecs

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sluice.pages.charset import decode

HTML = "<html><head><title>Größe \u2013 5 €</title></head><body><p>naïve café</p></body></html>"


def meta(name: str) -> str:
    return HTML.replace("<head>", f'<head><meta charset="{name}">')


@pytest.mark.parametrize(
    ("body", "header"),
    [
        (HTML.encode(), "text/html; charset=utf-8"),
        (HTML.encode(), "text/html"),
        (HTML.encode("cp1252"), "text/html; charset=ISO-8859-1"),
        (HTML.encode("cp1252"), "text/html"),
        (codecs.BOM_UTF8 + HTML.encode(), "text/html; charset=iso-8859-1"),
        (codecs.BOM_UTF16_LE + HTML.encode("utf-16-le"), ""),
        (codecs.BOM_UTF16_BE + HTML.encode("utf-16-be"), "text/html; charset=utf-8"),
        (HTML.encode("utf-16-le"), ""),
        (HTML.encode("utf-16-be"), "text/html"),
        (HTML.encode(), "text/html; charset=no-such-thing"),
        (HTML.encode(), 'text/html; charset="UTF-8"'),
    ],
)
def test_a_page_is_read_as_it_was_written(body: bytes, header: str) -> None:
    assert decode(body, header) == HTML


def test_meta_counts_where_the_header_is_silent() -> None:
    page = meta("windows-1250").replace("naïve", "Žižkov")
    page = page.replace("café", "kavárna").replace("Größe \u2013 5 €", "cena")
    assert decode(page.encode("cp1250"), "text/html") == page
    assert decode(meta("utf-16").encode(), "") == meta("utf-16")
    assert decode(meta("hex").encode(), "") == meta("hex")


@given(st.binary(max_size=200), st.text(max_size=30))
def test_any_bytes_are_some_text(body: bytes, header: str) -> None:
    assert isinstance(decode(body, header), str)
    assert isinstance(decode(body, f"text/html; charset={header}"), str)
