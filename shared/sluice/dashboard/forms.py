"""Forms that do something, once however often they are sent, and what stands in them."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from markupsafe import Markup

from sluice.dashboard import parts
from sluice.dashboard.html import Child, element
from sluice.dashboard.visit import Visit

MORE: Final = "\N{HORIZONTAL ELLIPSIS}"


def form(
    visit: Visit, path: str, *children: Child, hidden: Mapping[str, str | None] | None = None, **attributes: Any
) -> Markup:
    """A form that does something. It carries the key of the session, and leads back to this page.

    What it asks of the API is asked under a key of this page: sent twice, it is done once (`Visit.do`).
    """
    back = visit.back if visit.form else parts.address(visit.here, visit.query)
    held = {"form_key": visit.session.form_key, "once": visit.once, "back": back, **(hidden or {})}
    inputs = [element("input", type="hidden", name=name, value=value) for name, value in held.items() if value]
    return element("form", inputs, children, method="post", action=path, **attributes)


def section(
    visit: Visit,
    title: str,
    path: str,
    fields: Mapping[str, Markup],
    sends: Markup,
    wrong: Mapping[str, str],
    *,
    told: Child = None,
    hidden: Mapping[str, str | None] | None = None,
    **attributes: Any,
) -> Markup:
    """A part of a page that has a form to fill in, below what is wrong with what the form has no field for.

    fields: by the names under which `wrong` has what is wrong with them. sends: the button. told: what to know first.
    """
    made = form(visit, path, fields.values(), sends, hidden=hidden, class_="filter", **attributes)
    return parts.section(title, told, others(wrong, fields), made)


def button(label: str, *, name: str | None = None, value: str | None = None, kind: str = "") -> Markup:
    """A button that sends its form. kind: `strong` for what one came for, `danger` for what takes something away."""
    return element("button", label, type="submit", name=name, value=value, class_=kind or None)


def sure(visit: Visit, label: str, path: str, told: str, hidden: Mapping[str, str | None]) -> Markup:
    """A button for what cannot be taken back: it opens, says what that means, and has the button that does it."""
    made = form(visit, path, element("p", told), button(label, kind="danger"), hidden=hidden)
    return element("details", element("summary", f"{label}{MORE}"), made, class_="sure")


def input_field(name: str, label: str, value: str | None, wrong: str | None = None, **attributes: Any) -> Markup:
    """A text to fill in, with what is wrong with it."""
    given = element("input", type="text", name=name, value=value or "", **_described(name, wrong), **attributes)
    return _told(element("label", label, given), name, wrong)


def input_fields(
    labels: Mapping[str, str], given: Mapping[str, str | None], wrong: Mapping[str, str]
) -> dict[str, Markup]:
    """Texts to fill in, by name. given: what stands in them. wrong: what is wrong with it."""
    return {name: input_field(name, label, given.get(name), wrong.get(name)) for name, label in labels.items()}


def reason() -> Markup:
    """Why one does something, for the audit log."""
    return input_field("reason", "Reason, for the audit log", None, maxlength=200)


def file_field(name: str, label: str, wrong: str | None = None, **attributes: Any) -> Markup:
    """A file to choose, with what is wrong with it. Its form is one of `enctype="multipart/form-data"`."""
    given = element("input", type="file", name=name, **_described(name, wrong), **attributes)
    return _told(element("label", label, given), name, wrong)


def area(name: str, label: str, value: str, wrong: str | None = None, **attributes: Any) -> Markup:
    """A text of many lines to fill in, with what is wrong with it."""
    # The first line break of a textarea is none of its text.
    given = element("textarea", "\n", value, name=name, spellcheck="false", **_described(name, wrong), **attributes)
    return _told(element("label", label, given, class_="wide"), name, wrong)


def select(
    name: str, label: str, options: Iterable[str], chosen: str | None, *, any_: bool = True, wrong: str | None = None
) -> Markup:
    """A choice, with *any* first."""
    made = [element("option", "any", value="")] if any_ else []
    made += [element("option", one, value=one, selected=one == chosen) for one in options]
    chosen_one = element("select", made, name=name, **_described(name, wrong))
    return _told(element("label", label, chosen_one), name, wrong)


def ticks(
    name: str, label: str, options: Mapping[str, Child], chosen: Iterable[str], wrong: str | None = None
) -> Markup:
    """Things of which several may be chosen: each is a field `name.option` of the form (`Visit.ticked`)."""
    held = set(chosen)
    made = [
        element(
            "label", element("input", type="checkbox", name=f"{name}.{one}", value="yes", checked=one in held), told
        )
        for one, told in options.items()
    ]
    return element("fieldset", element("legend", label), made, _wrong(name, wrong), class_="ticks")


def others(wrong: Mapping[str, str], fields: Iterable[str]) -> Child:
    """What is wrong with what the form has no field for."""
    known = set(fields)
    return [
        element("p", f"{name}: {told}", class_="refused", role="alert")
        for name, told in wrong.items()
        if name not in known
    ]


def _told(labelled: Markup, name: str, wrong: str | None) -> Markup:
    """A field with what is wrong with it: beside the label, which stays the field's name."""
    return element("div", labelled, _wrong(name, wrong), class_="field") if wrong else labelled


def _wrong(name: str, wrong: str | None) -> Markup | None:
    return element("span", wrong, class_="wrong", id=f"wrong-{name}") if wrong else None


def _described(name: str, wrong: str | None) -> dict[str, str]:
    return {"aria_invalid": "true", "aria_describedby": f"wrong-{name}"} if wrong else {}
