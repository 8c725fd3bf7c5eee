"""JSON as shops write it: what can be read is read rightly, and what is broken off gives nothing."""

import json
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sluice.pages.readers import loose_json

DEFECTS = {
    "trailing commas": ('{"a": [1, 2,], "b": 3,}', {"a": [1, 2], "b": 3}),
    "raw newlines": ('{"a": "one\ntwo\tthree", "b": 1,}', {"a": "one\ntwo\tthree", "b": 1}),
    "control characters": ('{"a": "x\x07y"}', {"a": "x\x07y"}),
    "an HTML comment": ('<!-- {"a": 1} -->', {"a": 1}),
    "CDATA": ('<![CDATA[ {"a": 1} ]]>', {"a": 1}),
    "CDATA in comments": ('//<![CDATA[\n{"a": 1}\n//]]>', {"a": 1}),
    "CDATA in block comments": ('/*<![CDATA[*/ {"a": 1} /*]]>*/', {"a": 1}),
    "a semicolon": ('{"a": 1};', {"a": 1}),
    "a missing comma": ('{"a": "x" "b": 2}', {"a": "x", "b": 2}),
    "a missing comma over lines": ('{"a": "x"\n "b": 2}', {"a": "x", "b": 2}),
    "quotes in a description": (
        '{"d": "the "best" boot, really", "p": "5"}',
        {"d": 'the "best" boot, really', "p": "5"},
    ),
    "a quote before a comma": ('{"d": "size 5", wide", "p": "5"}', {"d": 'size 5", wide', "p": "5"}),
    "line comments": ('{"a": 1, // the first\n "b": 2}', {"a": 1, "b": 2}),
    "single quotes": ("{'a': 'it is', 'b': ['x']}", {"a": "it is", "b": ["x"]}),
    "unquoted keys": ("{a: 1, b_2: true}", {"a": 1, "b_2": True}),
    "entities": ("{&quot;a&quot;: &quot;x&quot;}", {"a": "x"}),
    "NaN": ('{"a": NaN, "b": 1}', {"a": None, "b": 1}),
    "NaN and more": ('{"a": NaN, "b": 1,}', {"a": None, "b": 1}),
    "a byte order mark": ('\ufeff{"a": 1}', {"a": 1}),
    "hexadecimal escapes": (r'{"a": "caf\xe9"}', {"a": "café"}),
    "an escaped emoji": (r'{"a": "\ud83d\udc5f shoe",}', {"a": "\U0001f45f shoe"}),
    "half an emoji": (r'{"a": "a shoe \ud83d", "b": 1}', {"a": "a shoe \ufffd", "b": 1}),
    "half an emoji and a comma too many": (r'{"\uDC5F": ["\uD83D"],}', {"\ufffd": ["\ufffd"]}),
    "an escaped slash": (r'{"a": "x\/y",}', {"a": "x/y"}),
    "fractions": ('{"price": 19.90,}', {"price": Decimal("19.90")}),
}


@pytest.mark.parametrize("defect", DEFECTS)
def test_a_known_defect_is_read_rightly(defect: str) -> None:
    text, value = DEFECTS[defect]
    assert loose_json.values(text) == [value]


def test_half_an_emoji_in_a_value_that_begins_in_a_script() -> None:
    script = r'var BCData = {"a": "\ud83d"}; more'
    assert loose_json.value_at(script, script.index("{")) == {"a": "\ufffd"}


def test_several_objects_in_one_script() -> None:
    assert loose_json.values('{"a": 1}\n{"b": 2,};[3]') == [{"a": 1}, {"b": 2}, [3]]


def test_exact_fractions_in_what_is_right() -> None:
    [value] = loose_json.values('{"price": 2879.2}')
    assert value == {"price": Decimal("2879.2")}


@pytest.mark.parametrize(
    "text",
    [
        "",
        "   ",
        "<!-- -->",
        "hello",
        '{"a": ',
        '{"a": "x',
        '{"a": 1',
        "[1, 2",
        '{"a" 1}',
        "{a: b}",
        "function() {}",
        "{" * 5_000,
    ],
)
def test_what_is_empty_broken_off_or_something_else_gives_nothing(text: str) -> None:
    assert loose_json.values(text) == []


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**12), 10**12) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=15,
)


@given(st.dictionaries(st.text(max_size=8), json_values, max_size=4))
def test_json_is_read_as_it_is(value: dict[str, object]) -> None:
    assert loose_json.values(json.dumps(value)) == [value]


@given(st.dictionaries(st.text(min_size=1, max_size=8), json_values, min_size=1, max_size=4), st.data())
def test_whatever_is_cut_off_gives_nothing(value: dict[str, object], data: st.DataObject) -> None:
    text = json.dumps(value)
    cut = data.draw(st.integers(1, len(text) - 1))
    assert loose_json.values(text[:cut]) == []


@given(st.text(alphabet="{}[]\",:'\\ax1/*<!->& \n", max_size=60))
def test_nothing_raises(text: str) -> None:
    assert isinstance(loose_json.values(text), list)
