"""HTML as values. Text that comes from anywhere is escaped by `element`, so no page can forget it."""

from collections.abc import Iterable
from typing import Any, Final

from markupsafe import Markup, escape

# What a place in a page may hold: text is escaped, None is nothing.
Child = str | int | float | Markup | None | Iterable["Child"]

_VOID: Final = frozenset({"input", "meta", "link", "br", "hr", "img", "col"})


def element(tag: str, *children: Child, **attributes: Any) -> Markup:
    """An element. Attributes: `class_` for `class`, `data_x` for `data-x`; None and False are left out.

    Tags and the names of attributes are written in the code of pages; everything else is escaped.
    """
    given = Markup("").join(_attribute(name, value) for name, value in attributes.items())
    if tag in _VOID:
        return Markup("<%s{}>" % tag).format(given)  # noqa: S704, UP031
    return Markup("<%s{}>{}</%s>" % (tag, tag)).format(given, join(children))  # noqa: S704, UP031


def join(children: Child) -> Markup:
    """Several things one after the other."""
    if children is None:
        return Markup("")
    if isinstance(children, str | int | float):
        return escape(children)
    return Markup("").join(join(child) for child in children)


def _attribute(name: str, value: Any) -> Markup:
    name = name.rstrip("_").replace("_", "-")
    if value is None or value is False:
        return Markup("")
    return Markup(" {}").format(name) if value is True else Markup(' {}="{}"').format(name, value)
