"""What differs between two documents makes the one of the other, and an oracle that somebody else wrote agrees."""

from typing import Any

import jsonpatch
from hypothesis import given
from hypothesis import strategies as st

from sluice.listings.ebay.documents import document, of_document
from sluice.platform.differences import apply, diff, same
from tests.property.test_ebay_hashes import DOCUMENTS

SCALARS = st.text(max_size=4) | st.integers(-2, 2) | st.booleans() | st.none()
NAMES = st.sampled_from(["a", "b", "", "~", "/", "a/b", "~1", "added", "to", "from", "0"])
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(NAMES, inner, max_size=3), max_leaves=12
)
ANY = st.dictionaries(NAMES, VALUES | st.lists(st.sampled_from("abcdef"), max_size=6), max_size=4)


def as_patch(changes: dict[str, Any]) -> list[dict[str, Any]]:
    """The same as a JSON Patch (RFC 6902)."""
    patch: list[dict[str, Any]] = []
    for path, change in changes.items():
        if "to" in change:
            patch.append({"op": "replace" if "from" in change else "add", "path": path, "value": change["to"]})
        else:
            patch.append({"op": "remove", "path": path})
    return patch


def scalar_changes(changes: dict[str, Any], after: dict[str, Any]) -> dict[str, Any]:
    """`changes` with those of lists said as whole values, which is all that JSON Patch knows of sets."""
    said = {}
    for path, change in changes.items():
        if "added" in change:
            value: Any = after
            for part in path.split("/")[1:]:
                value = value[part.replace("~1", "/").replace("~0", "~")]
            change = {"from": None, "to": value}
        said[path] = change
    return said


@given(ANY, ANY)
def test_a_difference_makes_the_one_of_the_other(before: dict[str, Any], after: dict[str, Any]) -> None:
    changes = diff(before, after)
    assert same(apply(changes, before), after)
    assert (changes == {}) == same(before, after)
    assert same(apply(diff(after, before), after), before)


@given(ANY, ANY)
def test_an_oracle_agrees(before: dict[str, Any], after: dict[str, Any]) -> None:
    ours = as_patch(scalar_changes(diff(before, after), after))
    assert same(jsonpatch.apply_patch(before, ours), after)
    # The oracle takes true for 1; where it sees a difference there is one.
    if jsonpatch.make_patch(before, after).patch:
        assert ours


@given(DOCUMENTS, DOCUMENTS)
def test_records_differ_by_their_own_paths(first: dict[str, Any], second: dict[str, Any]) -> None:
    before, after = document(of_document(first)), document(of_document(second))
    assert same(apply(diff(before, after), before), after)


def test_a_difference_is_read_by_people() -> None:
    before = {"price": {"amount": "245"}, "images": ["a", "b", "c"], "aspects": {"US Shoe Size": ["10"]}, "title": "x"}
    after = {"price": {"amount": "250"}, "images": ["b", "c", "d"], "aspects": {"US Shoe Size": ["10"]}, "best": True}
    assert diff(before, after) == {
        "/best": {"to": True},
        "/images": {"removed": ["a"], "added": {"2": "d"}},
        "/price/amount": {"from": "245", "to": "250"},
        "/title": {"from": "x"},
    }
    assert diff({"images": ["a", "b"]}, {"images": ["b", "a"]}) == {
        "/images": {"removed": [], "added": {}, "order": ["b", "a"]}
    }
    assert diff({"a": 1}, {"a": True}) == {"/a": {"from": 1, "to": True}}
    assert diff(before, before) == {}
