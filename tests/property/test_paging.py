"""Cursors, with whatever somebody may hand back: one leads to its own place of its own tenant, or nowhere."""

import base64
import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sluice.platform.http.errors import Invalid
from sluice.platform.http.paging import MOST_CHARACTERS, Page, Place, encode, start
from sluice.platform.http.public_ids import MOST_KEY_BYTES

KEYS = r"(?s:.*)"
TENANTS = st.from_regex(r"[a-z0-9-]{1,64}", fullmatch=True)
PLACES = st.builds(Place, st.text(max_size=200), st.integers(0, 500))


@given(PLACES, TENANTS)
def test_a_cursor_leads_back_to_its_place(place: Place, tenant: str) -> None:
    cursor = encode(place, tenant)
    assert re.fullmatch(r"[A-Za-z0-9_-]+", cursor)
    assert start(cursor, tenant, KEYS, most_index=500) == place


@given(PLACES, TENANTS, TENANTS)
def test_a_cursor_of_another_tenant_leads_nowhere(place: Place, tenant: str, other: str) -> None:
    if tenant != other:
        with pytest.raises(Invalid):
            start(encode(place, tenant), other, KEYS, most_index=500)


@given(PLACES)
def test_a_cursor_of_a_list_with_other_keys_or_fewer_things_in_an_item_leads_nowhere(place: Place) -> None:
    with pytest.raises(Invalid):
        start(encode(place, "acme"), "acme", "no such key", most_index=500)
    if place.index:
        with pytest.raises(Invalid):
            start(encode(place, "acme"), "acme", KEYS, most_index=place.index - 1)


@given(st.text(max_size=100) | st.binary(max_size=100).map(lambda raw: base64.urlsafe_b64encode(raw).decode()))
def test_any_text_is_a_place_or_is_refused_by_its_field(text: str) -> None:
    try:
        place = start(text, "acme", KEYS)
    except Invalid as invalid:
        named = [field for field, _ in invalid.fields]
    else:
        named = ["cursor"] if place else []
    assert named == ["cursor"]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=6,
)


@given(st.lists(JSON, max_size=4) | JSON)
def test_any_json_is_a_place_or_is_refused(value: object) -> None:
    text = base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")
    try:
        place = start(text, "acme", KEYS)
    except Invalid:
        return
    assert place
    assert value == ["acme", place.key, place.index]


@pytest.mark.parametrize("key", ["A" * (MOST_KEY_BYTES + 1), "é" * 513])
def test_a_key_that_the_table_cannot_have_leads_nowhere(key: str) -> None:
    with pytest.raises(Invalid):
        start(encode(Place(key), "acme"), "acme", KEYS)


def test_a_lone_surrogate_leads_nowhere() -> None:
    text = base64.urlsafe_b64encode(b'["acme","\\ud800",0]').decode().rstrip("=")
    with pytest.raises(Invalid):
        start(text, "acme", KEYS)


def test_the_longest_cursor_fits() -> None:
    assert len(encode(Place('"' * MOST_KEY_BYTES, 500), "a" * 64)) <= MOST_CHARACTERS


def test_the_beginning_and_the_end_of_a_list_have_no_cursor() -> None:
    assert start(None, "acme", KEYS) is None
    assert Page([1]).cursor("acme") is None
