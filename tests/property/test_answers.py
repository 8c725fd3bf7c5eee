"""What Lambda can return: the limit is of bytes of JSON, whatever letters others' words are of."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sluice.platform.http import answers

TEXTS = st.text(st.characters(), max_size=200)
# The kinds of characters that take 1, 2, 3, 4 and 6 bytes there.
KINDS = ("a", '"', "\N{EURO SIGN}", "\N{PILE OF POO}", "\x01")


def returned(body: str) -> int:
    """The bytes of Lambda's answer: its runtime writes letters as they are."""
    return len(json.dumps({"body": body}, ensure_ascii=False).encode()) - len('{"body": }')


@given(TEXTS)
def test_a_body_has_the_size_that_it_takes(text: str) -> None:
    assert answers.size(text) == returned(text)
    assert answers.size(text) <= len(text) * answers._MOST_OF_ONE + 2


@given(st.recursive(TEXTS | st.integers() | st.none(), lambda inner: st.lists(inner) | st.dictionaries(TEXTS, inner)))
def test_what_is_written_is_json_of_the_same(value: object) -> None:
    assert json.loads(answers.written(value)) == value
    assert answers.written(value).encode()


def test_half_of_a_surrogate_pair_can_be_written() -> None:
    assert answers.written({"a": "\ud800"}).encode() == b'{"a":"\\ud800"}'


@pytest.mark.parametrize("kind", KINDS)
def test_as_much_is_cut_as_has_to_be(kind: str) -> None:
    each = answers.size(kind) - 2
    most = (answers.MOST_BYTES - 2) // each
    whole = kind * most
    assert answers.fits(whole)
    assert answers.cut(whole) == whole
    shown = answers.cut(kind * (most + 1_000))
    assert answers.fits(shown)
    assert most - 2 <= len(shown) <= most


def test_a_long_text_of_many_kinds_fits_when_it_is_cut() -> None:
    text = "a" * 3_000_000 + "\x01" * 3_000_000 + "\N{PILE OF POO}" * 4_000_000
    shown = answers.cut(text)
    assert text.startswith(shown)
    assert returned(shown) <= answers.MOST_BYTES
