"""The quicker ways of the DynamoDB in this process come to what the slower ones come to."""

import copy
import json
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ministack.services import dynamodb

from local.cloud import quick_dynamodb

# As they are before anything is quicker.
SLOW = {
    name: getattr(dynamodb, name)
    for name in (
        *("_number_error", "_ddb_canonicalize_number", "_number_size_bytes"),
        *("_attribute_value_size", "_item_size_bytes", "_update_request_charge", "_nesting_level"),
        *("_key_condition_av", "_extract_pk_from_condition"),
    )
}
NUMBERS = st.one_of(
    st.decimals(allow_nan=False, allow_infinity=False).map(str),
    st.integers().map(str),
    st.from_regex(r"[+-]?[0-9]{0,45}\.?[0-9]{0,45}(e[+-]?[0-9]{1,4})?", fullmatch=True),
    st.text(max_size=5),
)
SCALARS = st.one_of(
    st.builds(lambda text: {"S": text}, st.text(max_size=20)),
    st.builds(lambda number: {"N": number}, NUMBERS),
    st.builds(lambda raw: {"B": raw}, st.sampled_from(["", "aGk=", "no base64"])),
    st.sampled_from([{"BOOL": True}, {"NULL": True}, {}, {"S": "a", "N": "1"}]),
    st.builds(lambda texts: {"SS": texts}, st.lists(st.text(max_size=5), max_size=3)),
    st.builds(lambda numbers: {"NS": numbers}, st.lists(st.integers().map(str), max_size=3)),
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(
        st.builds(lambda held: {"L": held}, st.lists(inner, max_size=3)),
        st.builds(lambda held: {"M": held}, st.dictionaries(st.text(max_size=5), inner, max_size=3)),
    ),
    max_leaves=8,
)


@pytest.fixture(scope="module")
def quick() -> Any:
    """The functions that are quicker, by name."""
    with pytest.MonkeyPatch.context() as patch:
        quick_dynamodb.install(patch.setattr)
        yield {name: getattr(dynamodb, name) for name in SLOW}


def told(function: Callable[..., Any], *given: Any) -> Any:
    """What it returns, or which error it raises."""
    try:
        return function(*given)
    except (ValueError, TypeError, AttributeError) as error:
        return type(error)


@given(number=st.one_of(NUMBERS, st.none(), st.integers(), st.just(Decimal(3))))
def test_numbers_are_what_they_were(quick: dict[str, Any], number: Any) -> None:
    for name in ("_number_error", "_ddb_canonicalize_number", "_number_size_bytes"):
        assert told(quick[name], number) == told(SLOW[name], number)
        assert told(quick[name], number) == told(SLOW[name], number), "the second time"


@given(item=st.dictionaries(st.text(max_size=8), VALUES, max_size=4))
def test_sizes_and_levels_are_what_they_were(quick: dict[str, Any], item: dict[str, Any]) -> None:
    assert quick["_item_size_bytes"](item) == SLOW["_item_size_bytes"](item)
    for value in item.values():
        assert quick["_attribute_value_size"](value) == SLOW["_attribute_value_size"](value)
        assert quick["_nesting_level"](value) == SLOW["_nesting_level"](value)


@given(item=st.dictionaries(st.text(max_size=8), VALUES, max_size=4))
def test_a_copy_is_equal_and_shares_nothing(item: dict[str, Any]) -> None:
    twice = {"one": item, "other": item}
    made = quick_dynamodb.copied(twice)
    assert made == twice
    assert json.dumps(made) == json.dumps(twice)
    assert made["one"] is not item
    assert made["one"] is not made["other"]


def test_what_no_json_has_is_copied_too() -> None:
    odd = {"at": Decimal("1.50"), "in": {"more": {Decimal(2)}}}
    assert quick_dynamodb.copied(odd) == copy.deepcopy(odd)


@pytest.mark.parametrize("size", [0, 1_000, 150_000, 204_000, 409_000, 410_000, 500_000])
@pytest.mark.parametrize(
    "expression",
    ["SET #a = :v", "SET #a.#b[3] = if_not_exists(#a, :v) REMOVE #b", "ADD #a :v", "SET #a = list_append(:v, :v)"],
)
def test_an_update_is_too_large_when_it_was(quick: dict[str, Any], expression: str, size: int) -> None:
    given: tuple[Any, ...] = (expression, {":v": {"S": "ü" * (size // 2)}}, {"#a": "attribute", "#b": "other"}, {})
    most = dynamodb._DDB_ITEM_MAX_BYTES
    assert (quick["_update_request_charge"](*given) > most) == (SLOW["_update_request_charge"](*given) > most)


@pytest.mark.parametrize(
    "condition",
    [
        *("", "#p = :p", ":p = #p", "p = :p", "(#p = :p) AND #s > :s", "#p = :p AND begins_with (#s, :s)"),
        *("#p = :p AND #s BETWEEN :s AND :t", "#s = :s", "#p = :gone", "#p = :p AND :s >= #s"),
    ],
)
@pytest.mark.parametrize("values", [{":p": {"S": "a"}, ":s": {"N": "1"}, ":t": {"N": "2"}}, {":p": {"B": "aGk="}}, {}])
def test_what_a_query_asks_for_is_found_where_it_was(quick: dict[str, Any], condition: str, values: Any) -> None:
    names = {"#p": "p", "#s": "s"}
    for key in ("p", "s", "other"):
        given: tuple[Any, ...] = (condition, None, values, names, key)
        assert quick["_key_condition_av"](*given) == SLOW["_key_condition_av"](*given)
        given = (condition, values, names, key)
        assert quick["_extract_pk_from_condition"](*given) == SLOW["_extract_pk_from_condition"](*given)


def test_a_key_condition_of_the_old_form_is_read_too(quick: dict[str, Any]) -> None:
    given: tuple[Any, ...] = ("", {"p": {"AttributeValueList": [{"S": "a"}]}}, {}, {}, "p")
    assert quick["_key_condition_av"](*given) == SLOW["_key_condition_av"](*given) == {"S": "a"}
