"""What differs between two JSON documents, as a document that says how to make one of the other. Pure.

Paths are JSON Pointers (RFC 6901): `/aspects/US Shoe Size`. A value is compared with its type: `true` is not 1.

```
 {"/price/amount": {"from": "245", "to": "250"}}        another value
 {"/subtitle": {"to": "Ships today"}}                   it is new; with `from` alone, it is gone
 {"/images": {"removed": ["a"], "added": {"2": "c"}}}   a list, by what stands in it; `added` says at which place
 {"/images": {"removed": [], "added": {}, "order": […]}}   what is in both stands in another order
 {}                                                     they are equal
```
"""

from collections.abc import Sequence
from typing import Any

Json = dict[str, Any]


def diff(before: Json, after: Json) -> Json:
    """What makes `after` of `before`."""
    found: Json = {}
    _compare(before, after, "", found)
    return found


def apply(changes: Json, before: Json) -> Json:
    """The document that `changes` make of `before`, of which they are a difference. Leaves `before` as it is."""
    result: Json = _copy(before)
    for path, change in changes.items():
        *inside, name = [_unescaped(part) for part in path.split("/")[1:]]
        parent = result
        for part in inside:
            parent = parent[part]
        if "added" in change:
            parent[name] = _relisted(parent[name], change)
        elif "to" in change:
            parent[name] = _copy(change["to"])
        else:
            del parent[name]
    return result


def same(one: Any, other: Any) -> bool:
    """Whether two values are the same JSON."""
    if type(one) is not type(other):
        return False
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(same(one[name], other[name]) for name in one)
    if isinstance(one, list):
        return len(one) == len(other) and all(map(same, one, other))
    return bool(one == other)


def _compare(before: Json, after: Json, path: str, found: Json) -> None:
    for name in sorted(before.keys() | after.keys()):
        place = f"{path}/{_escaped(name)}"
        if name not in after:
            found[place] = {"from": before[name]}
        elif name not in before:
            found[place] = {"to": after[name]}
        elif same(before[name], after[name]):
            continue
        elif isinstance(before[name], dict) and isinstance(after[name], dict):
            _compare(before[name], after[name], place, found)
        elif _is_set(before[name]) and _is_set(after[name]):
            found[place] = _listed(before[name], after[name])
        else:
            found[place] = {"from": before[name], "to": after[name]}


def _is_set(value: Any) -> bool:
    """Whether `value` is a list of texts that are all different: each is known by what it says."""
    return isinstance(value, list) and all(isinstance(one, str) for one in value) and len(set(value)) == len(value)


def _listed(before: Sequence[str], after: Sequence[str]) -> Json:
    new, old = set(after) - set(before), set(before) - set(after)
    change: Json = {
        "removed": [one for one in before if one in old],
        "added": {str(place): one for place, one in enumerate(after) if one in new},
    }
    if [one for one in before if one not in old] != [one for one in after if one not in new]:
        change["order"] = list(after)
    return change


def _relisted(before: list[str], change: Json) -> list[str]:
    if "order" in change:
        return list(change["order"])
    gone = set(change["removed"])
    result = [one for one in before if one not in gone]
    for place, one in sorted(change["added"].items(), key=lambda item: int(item[0])):
        result.insert(int(place), one)
    return result


def _copy(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _copy(one) for name, one in value.items()}
    return [_copy(one) for one in value] if isinstance(value, list) else value


def _escaped(name: str) -> str:
    return name.replace("~", "~0").replace("/", "~1")


def _unescaped(part: str) -> str:
    return part.replace("~1", "/").replace("~0", "~")
