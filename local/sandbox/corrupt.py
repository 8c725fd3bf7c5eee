"""What a fault does to a body on its way out. Pure: bytes and a draw in, bytes out."""

import json
from collections.abc import Callable
from typing import Any

from local.sandbox.faults import AddField, Corruption, DropField, MalformedJson, Noise, NullField

HTML_PAGE = b"<html><head><title>502 Bad Gateway</title></head><body><center>502 Bad Gateway</center></body></html>"

# Tells a value that says "leave this field out" from null.
_GONE = object()


def corrupt(raw: bytes, fault: Corruption, draw: float) -> bytes:
    """`raw` is a JSON document. `draw` in [0, 1) picks the field when the fault names none."""
    if isinstance(fault, MalformedJson):
        return HTML_PAGE if fault.html else raw[: len(raw) // 2]
    body = json.loads(raw)
    if isinstance(fault, Noise):
        changed = _noisy(body)
    elif isinstance(fault, AddField):
        changed = _added(body, fault.field, fault.value)
    else:
        change = _CHANGES.get(type(fault), _retyped)
        changed = _changed(body, fault.field or _pick(body, draw), change)
    return json.dumps(changed, separators=(",", ":"), ensure_ascii=False).encode()


def _changed(value: Any, name: str | None, change: Callable[[Any], Any]) -> Any:
    if isinstance(value, list):
        return [_changed(item, name, change) for item in value]
    if not isinstance(value, dict):
        return value
    fields = {key: change(item) if key == name else _changed(item, name, change) for key, item in value.items()}
    return {key: item for key, item in fields.items() if item is not _GONE}


def _added(value: Any, name: str, extra: Any) -> Any:
    if isinstance(value, list):
        return [_added(item, name, extra) for item in value]
    if not isinstance(value, dict):
        return value
    return {**{key: _added(item, name, extra) for key, item in value.items()}, name: extra}


def _noisy(body: Any) -> Any:
    """A search of eBay with what is none of the shoe before its items."""
    items = body.get("itemSummaries") if isinstance(body, dict) else None
    if not items:
        return body
    first = items[0]
    title, cheap = first["title"], {**first, "price": {**first["price"], "value": "1.00"}}
    titles = ("Nike Dunk Low", f"EMPTY BOX {title}", f"Shoe laces for {title}", f"Insoles {title}", f"{title} REPLICA")
    noise = [{**cheap, "title": one} for one in titles]
    unread = ("conditionId", "buyingOptions")
    noise += [{name: value for name, value in cheap.items() if name != gone} for gone in unread]
    noise.append({**cheap, "price": {"value": "1.00", "currency": "PLN"}})
    return {**{name: value for name, value in body.items() if name != "total"}, "itemSummaries": [*noise, *items]}


def _pick(body: Any, draw: float) -> str | None:
    names = sorted(_names(body))
    return names[int(draw * len(names))] if names else None


def _names(value: Any) -> set[str]:
    if isinstance(value, list):
        return set().union(*map(_names, value))
    if isinstance(value, dict):
        return set(value).union(*map(_names, value.values()))
    return set()


def _retyped(value: Any) -> Any:
    """The value as another JSON type: the one a careless client would most likely trip over."""
    match value:
        case str():
            return len(value)
        case bool():
            return "yes" if value else "no"
        case int() | float():
            return str(value)
        case list():
            return {str(place): item for place, item in enumerate(value)}
        case dict():
            return list(value.values())
    return False


_CHANGES: dict[type[Corruption], Callable[[Any], Any]] = {DropField: lambda _: _GONE, NullField: lambda _: None}
