"""Descriptions as HTML: what is not allowed is named, and nothing of it is ever sent."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sluice.listings.ebay import description

GOOD = '<h2>Jordan 1</h2><p>New &amp; boxed.<br><a href="https://example.com">more</a></p><ul><li>US 10</li></ul>'


def test_a_plain_description_is_taken_as_it_is() -> None:
    assert description.problems(GOOD) == []
    assert description.clean(GOOD) == GOOD


@pytest.mark.parametrize(
    ("html", "named"),
    [
        ("<script>alert(1)</script>", "<script>"),
        ("<SCRIPT src=https://x.example></SCRIPT>", "<script>"),
        ("<form action='https://x.example'><input></form>", "<form>"),
        ("<iframe src='https://x.example'></iframe>", "<iframe>"),
        ("<p onclick='x()'>a</p>", "onclick"),
        ("<img src=x onerror=alert(1)>", "onerror"),
        ("<p style='background:url(x)'>a</p>", "style"),
        ("<a href='javascript:alert(1)'>a</a>", "href"),
        ("<a href=' java\tscript:alert(1)'>a</a>", "href"),
        ("<img src='http://x.example/1.jpg'>", "src"),
        ("<img src='data:image/png;base64,AA'>", "src"),
        ("<!DOCTYPE html><p>a</p>", "declaration"),
        ("a <![CDATA[<p>b</p>]]>", "declaration"),
        ("<![CDATA[<![CDATA[<p>a</p>]]>]]>", "declaration"),
        ("<![CDATA[<script>x()</script>]]>", "<script>"),
        ("<![if x]><script>x()</script><![endif]>", "<script>"),
        ("<![x>a", "declaration"),
        ("<?php echo 1 ?>", "instruction"),
        ("<svg><a xlink:href='https://x.example'/></svg>", "<svg>"),
    ],
)
def test_what_is_not_allowed_is_named(html: str, named: str) -> None:
    assert any(named in problem for problem in description.problems(html))


@pytest.mark.parametrize(
    "html",
    [
        f"<!--[if mso]><table><tr><td><![endif]-->{GOOD}<!--[if mso]></td></tr></table><![endif]-->",
        f"<!--[if !mso]><!-->{GOOD}<!--<![endif]-->",
        f"<![if !mso]>{GOOD}<![endif]>",
        f"<![IF gte mso 9]>{GOOD}<![ endif ]>",
        f"\n<![CDATA[{GOOD}]]> ",
    ],
)
def test_what_template_tools_leave_behind_is_taken_and_not_sent(html: str) -> None:
    assert description.problems(html) == []
    assert description.clean(html) == GOOD


LONG = 480_000
# What a parser would take a minute for, and more: each is as long as a description may be.
STALLS = {
    "elements inside each other": "<div>" * (LONG // 5) + "x",
    "lists inside each other": "<ul><li>" * (LONG // 8) + "x",
    "many elements": "<i>x</i>" * 200_000,
    "attributes": f"<p {'title=x ' * (LONG // 8)}>x</p>",
    "comments without an end": "<!--x" * (LONG // 5),
    "comments without an end, with tags": "<!--x>" * (LONG // 6),
    "tags without an end": "<a " * (LONG // 3),
    "attributes without an end": "<a b='" * (LONG // 6),
    "end tags without an end": "</a" * (LONG // 3),
    "instructions without an end": "<?" * (LONG // 2),
}


@pytest.mark.parametrize("stall", STALLS)
def test_what_would_stall_the_parser_is_refused_unread(stall: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(description, "_Reader", lambda: pytest.fail("it was read"))
    [problem] = description.problems(STALLS[stall])
    assert problem.startswith("must not have more than")


def test_signs_that_are_no_tags_are_taken() -> None:
    assert description.problems("<p>Sizes < 10, and I <3 them</p> a < b <!-- a comment") == []


@pytest.mark.parametrize(
    "html",
    [
        f"<table>{'<tr><td>US 10<td>EU 44</tr>' * 5_000}</table>",
        f"{'<div>' * 450}<p>a{'</div>' * 450}",
        "<center><font color=red>a</center></font><b><i>b</b></i><br/><p>c" * 5_000,
    ],
)
def test_long_and_careless_html_is_taken(html: str) -> None:
    assert description.problems(html) == []


PIECES = """< > / script img p b onerror = x ' " <!-- --> <![CDATA[ ]]> <![if <![endif]> &lt; javascript: href a svg
style noscript title textarea math ` &#60; form"""
HOSTILE = st.lists(st.sampled_from([*PIECES.split(), " ", "\0"]), max_size=30).map("".join)


@given(HOSTILE | st.text(max_size=60))
def test_what_is_sent_holds_nothing_that_is_not_allowed(html: str) -> None:
    sent = description.clean(html)
    assert description.problems(sent) == []
    assert description.clean(sent) == sent


def test_of_a_description_full_of_mistakes_a_few_are_told() -> None:
    found = description.problems("".join(f"<x{number}></x{number}>" for number in range(1000)))
    assert len(found) == description.MOST_PROBLEMS
