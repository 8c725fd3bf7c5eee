"""ministack's DynamoDB in this process, without what it does again and again with the same result.

It reads the text of each expression anew at every request, though a program has a few hundred of them, and that of a
query once for each item of the partition; it copies items with Python's general copier, four times for an update,
though they are plain JSON; it counts the bytes of each item and request, and looks into each of their numbers, though
few come near a limit. Together that was half of the time of a simulation, and a third of that of most tests; on the
local cloud, which serves all calls in one thread, what one call takes all others wait for.
What it answers stays the same (`tests/unit/test_cloud_quick_dynamodb.py`). It hangs on the ministack release that the
lock pins.
"""

import copy
import marshal
import re
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from types import SimpleNamespace
from typing import Any, Final

from ministack.services import dynamodb

# A query of a whole partition.
_HASH_ALONE = r"(#\w+) = (:\w+)"
# More than the implementation counts for any one character of an update expression, besides names and values.
_CHARGE_OF_A_CHARACTER: Final = 60
# Without references: what stands in a value twice stands in its copy twice, not once.
_NO_REFERENCES: Final = 2
# Values that hold no other values.
_PLAIN: Final = frozenset({"S", "N", "B", "BOOL", "NULL"})

Value = dict[str, Any]


def install(put: Callable[[Any, str, Any], None] = setattr) -> None:
    """From now on expressions are read once, items copied as what they are, and limits looked at where near.

    put: puts something in the place of what a module has under a name.
    """
    tokens = lru_cache(maxsize=10_000)(dynamodb._tokenize)
    put(dynamodb, "_tokenize", lambda expression: list(tokens(expression)))
    put(dynamodb, "_condition_syntax_error", lru_cache(maxsize=10_000)(dynamodb._condition_syntax_error))
    put(dynamodb, "copy", SimpleNamespace(deepcopy=copied))
    for numbers in ("_number_error", "_ddb_canonicalize_number", "_number_size_bytes"):
        put(dynamodb, numbers, _remembered(getattr(dynamodb, numbers)))
    put(dynamodb, "_attribute_value_size", _sized(dynamodb._attribute_value_size))
    put(dynamodb, "_item_size_bytes", item_size)
    put(dynamodb, "_update_request_charge", _charged(dynamodb._update_request_charge))
    put(dynamodb, "_key_condition_av", _key_value(dynamodb._key_condition_av))
    put(dynamodb, "_extract_pk_from_condition", _partition(dynamodb._extract_pk_from_condition))
    nested = dynamodb._nesting_level
    put(dynamodb, "_nesting_level", lambda value, depth=1: depth if _plain(value) else nested(value, depth))
    evaluate = dynamodb._evaluate_condition

    def evaluated(
        expression: str, item: Mapping[str, Any], values: Mapping[str, Any], names: Mapping[str, str], **more: Any
    ) -> bool:
        if more.get("slot") == "KeyConditionExpression" and (found := _hash_alone(expression)):
            name, value = names.get(found[0]), values.get(found[1])
            if name and value and name in item:
                return bool(item[name] == value)
        return bool(evaluate(expression, item, values, names, **more))

    put(dynamodb, "_evaluate_condition", evaluated)


@lru_cache(maxsize=10_000)
def _hash_alone(expression: str) -> tuple[str, str] | None:
    """The placeholders of the name and the value of a key condition that says nothing of the sort key."""
    found = re.fullmatch(_HASH_ALONE, expression)
    return (found[1], found[2]) if found else None


def copied(value: Any) -> Any:
    """A deep copy of a value."""
    try:
        return marshal.loads(marshal.dumps(value, _NO_REFERENCES))
    except ValueError:  # it has something in it that no JSON has
        return copy.deepcopy(value)


def item_size(item: Any) -> int:
    """The bytes of an item: of its names and of its values."""
    if not isinstance(item, dict):
        return 0
    size = dynamodb._attribute_value_size
    return sum(_length(name) + size(value) for name, value in item.items())


def _remembered(known: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """`known` of a text, worked out once. What is no text it is asked each time."""
    of_text = lru_cache(maxsize=100_000)(known)
    return lambda text: of_text(text) if type(text) is str else known(text)


def _sized(known: Callable[[Any], int]) -> Callable[[Any], int]:
    """The bytes of a value. Those of texts, numbers, lists and maps are counted here, and the others' as before."""
    number = dynamodb._number_size_bytes

    def size(value: Any) -> int:
        if type(value) is not dict or len(value) != 1:
            return known(value)
        [(kind, held)] = value.items()
        if kind == "S" and type(held) is str:
            return _length(held)
        if kind == "N":
            return int(number(held))
        if kind == "M":
            return 3 + sum(1 + _length(name) + size(one) for name, one in held.items())
        if kind == "L":
            return 3 + sum(1 + size(one) for one in held if isinstance(one, dict))
        return known(value)

    return size


def _charged(known: Callable[..., int]) -> Callable[..., int]:
    """What an update counts as, which only says whether it is too large: 0 where it cannot be."""

    def charge(expression: str, values: Any, names: Any, before: Any) -> int:
        of_names = sum(_length(name) for name in (names or {}).values())
        most = expression.count(":") * item_size(values) + expression.count("#") * of_names
        most += _CHARGE_OF_A_CHARACTER * len(expression)
        return known(expression, values, names, before) if most > dynamodb._DDB_ITEM_MAX_BYTES // 2 else 0

    return charge


def _key_value(known: Callable[..., Any]) -> Callable[..., Any]:
    """The value that a key condition compares a key with. Where it stands is looked for once for each expression."""

    @lru_cache(maxsize=10_000)
    def place(condition: str, placeholders: Sequence[str], names: Sequence[tuple[str, str]], key: str) -> str | None:
        found: str | None = known(condition, None, {one: one for one in placeholders}, dict(names), key)
        return found

    def value(condition: str, conditions: Any, values: Any, names: Any, key: str) -> Any:
        if conditions:
            return known(condition, conditions, values, names, key)
        at = place(condition, tuple(values), tuple(names.items()), key)
        return None if at is None else values[at]

    return value


def _partition(known: Callable[..., Any]) -> Callable[..., Any]:
    """The partition that a key condition names. Where it stands is looked for once for each expression."""

    @lru_cache(maxsize=10_000)
    def place(condition: str, placeholders: Sequence[str], names: Sequence[tuple[str, str]], key: str) -> str | None:
        found: str | None = known(condition, {one: {"S": one} for one in placeholders}, dict(names), key)
        return found

    def partition(condition: str, values: Any, names: Any, key: str) -> Any:
        at = place(condition, tuple(values), tuple(names.items()), key)
        return None if at is None else dynamodb._extract_key_val(values[at])

    return partition


def _plain(value: Any) -> bool:
    return type(value) is dict and len(value) == 1 and next(iter(value)) in _PLAIN


def _length(text: str) -> int:
    """The bytes of a text."""
    return len(text) if text.isascii() else len(text.encode())
