"""JSON bodies: what is good is read as it was written; what would fill the memory is refused before it is built."""

import json
import tracemalloc
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sluice.platform.http import body
from sluice.platform.http.body import MOST_DEPTH, MOST_LISTS_AND_OBJECTS, MOST_UPLOAD_BYTES, MOST_VALUES
from sluice.platform.http.errors import Invalid

# Text of what a scanner could take for structure.
TEXTS = st.text(st.sampled_from('[]{}"\\,:/nü€😀\n'), max_size=12)
NUMBERS = st.one_of(st.integers(-(10**18), 10**18), st.floats(allow_nan=False, allow_infinity=False))
VALUES = st.recursive(
    st.one_of(st.none(), st.booleans(), NUMBERS, TEXTS),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(TEXTS, inner, max_size=3)),
    max_leaves=12,
)


def why(raw: bytes) -> str:
    with pytest.raises(Invalid) as refused:
        body.parse(raw)
    return refused.value.message


def depth(value: Any) -> int:
    inside = value.values() if isinstance(value, dict) else value if isinstance(value, list) else None
    return 0 if inside is None else 1 + max(map(depth, inside), default=0)


@given(VALUES, st.integers(0, 22), st.booleans())
def test_what_is_written_is_read_unless_it_is_too_deep(value: Any, around: int, ascii_only: bool) -> None:
    for _ in range(around):
        value = [value]
    document = {"a": value}
    raw = json.dumps(document, ensure_ascii=ascii_only).encode()
    if depth(document) <= MOST_DEPTH:
        assert body.parse(raw) == document
    else:
        assert why(raw) == f"the body is nested more than {MOST_DEPTH} deep"


@given(st.text(st.sampled_from("\ud800\udbff\udc00\udfff\\ua😀"), max_size=6), st.booleans())
def test_text_is_read_where_it_is_unicode_and_else_refused_where_it_stands(text: str, is_name: bool) -> None:
    document = {"a": [1, {"b": {text: 1} if is_name else text}]}
    raw = json.dumps(document).encode()
    as_read = json.loads(raw)
    try:
        json.dumps(as_read, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        with pytest.raises(Invalid) as refused:
            body.parse(raw)
        assert [one.field for one in refused.value.fields] == ["a[1].b"]
    else:
        assert body.parse(raw) == as_read


def test_so_many_fields_are_told_of_and_no_more() -> None:
    raw = json.dumps({f"n{number}": "\ud800" for number in range(100_000)}).encode()
    with pytest.raises(Invalid) as refused:
        body.parse(raw)
    assert len(refused.value.fields) == body.MOST_TOLD


@given(st.one_of(st.binary(max_size=60), TEXTS.map(str.encode), st.text(max_size=60).map(str.encode)))
def test_whatever_the_bytes_are_they_are_an_object_or_refused(raw: bytes) -> None:
    with suppress(Invalid):
        assert isinstance(body.parse(raw), dict)


FILLS = {
    "lists nested 900 deep": (b"[" * 900 + b"]" * 900, "nested more than 20 deep"),
    "lists that are never closed": (b"[" * 1_800, "nested more than 20 deep"),
    "objects nested 20 deep": (b'{"a":' * 18 + b"1" + b"}" * 18, "lists and objects"),
    "empty lists": (b"[]", "lists and objects"),
    "empty objects": (b"{}", "lists and objects"),
    "numbers": (b"1", "more than 250000 values"),
    "names": (b'"ab"', "more than 250000 values"),
}


@pytest.mark.parametrize("name", FILLS)
def test_what_would_fill_the_memory_is_refused_before_it_is_built(name: str) -> None:
    piece, expected = FILLS[name]
    raw = b'{"items":[' + b",".join([piece] * ((MOST_UPLOAD_BYTES - 20) // (len(piece) + 1))) + b"]}"
    assert MOST_UPLOAD_BYTES - 4_000 < len(raw) <= MOST_UPLOAD_BYTES
    tracemalloc.start()
    try:
        assert expected in why(raw)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 3 * len(raw)


def test_quotes_and_brackets_inside_of_text_are_no_structure() -> None:
    text = '[{"\\' * 50_000 + '\\"' + "," * (MOST_VALUES + 1)
    assert body.parse(json.dumps({"a": text}).encode()) == {"a": text}


def test_what_an_import_may_hold_is_not_too_much() -> None:
    row = {
        "sku": "A",
        "size": "10",
        "sizeSystem": "us",
        "marketplaces": ["a", "b", "c"],
        "cost": "1",
        "currency": "USD",
    }
    assert len(body.parse(json.dumps({"items": [row | {"category": "c"}] * 10_000}).encode())["items"]) == 10_000
    assert MOST_LISTS_AND_OBJECTS > 10_000 * 2


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ("NaN", "NaN is not a JSON value"),
        ("-Infinity", "-Infinity is not a JSON value"),
        ("1e999", "a number that is too large"),
        ("-1e400", "a number that is too large"),
        ("1e-999", "a number that is too large, too small"),
        ("0." + "0" * 90 + "1e-300", "a number that is too large, too small"),
        ("1" * 101, "more than 100 digits"),
        ("0." + "1" * 5_000, "a number that is too large, too small or too long"),
        ("1" * 2_000_000, "more than 100 digits"),
        ("[" * 100_000, "nested more than 20 deep"),
        ("]", "not JSON"),
        ("[1]]", "not JSON"),
        ('"\\', "not JSON"),
        ('{"b":1,"b":1}', "names a field twice"),
    ],
)
def test_a_number_or_a_name_that_can_be_misunderstood_is_refused(raw: str, expected: str) -> None:
    assert expected in why(f'{{"a": {raw}}}'.encode())


@pytest.mark.parametrize("number", ["0", "-0", "0.0", "0e5", "-0.0E-7", "1e3", "1.5e-7", "9" * 100])
def test_a_number_that_can_be_read_is(number: str) -> None:
    assert body.parse(f'{{"a": {number}}}'.encode()) == {"a": json.loads(number)}
