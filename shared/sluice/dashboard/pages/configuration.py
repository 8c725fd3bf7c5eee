"""The configuration: what holds, changing it after a look at the difference, who changed what, and the way back.

```
 edit ─► check: valid? what would it change? ─► the difference, and a reason ─► PUT of that version ─► it holds
                                                    └─ somebody was faster: 409, what they changed
```
"""

import json
import re
from collections.abc import Mapping
from typing import Any, Final

from markupsafe import Markup

from sluice.dashboard import differences, forms, parts, sent
from sluice.dashboard.ask import ApiRefusal
from sluice.dashboard.html import element, join
from sluice.dashboard.page import Page, Redirect
from sluice.dashboard.table import Column, Row, Table, text, time
from sluice.dashboard.visit import Visit
from sluice.platform.http.auth import Permission

HERE, VERSION = "/dashboard/configuration", "/dashboard/configuration/version"
ROUTE: Final = "/v1/operator/configuration"
STALE: Final = "version_changed"
WHAT: Final = "What differs from the defaults, as JSON; docs/configuration.md has every name"
MEANWHILE: Final = "Somebody else has changed the configuration meanwhile, so nothing was done. What they changed:"
GO_ON: Final = "Below is your text. Take over what they changed, or look at the difference: it is now one from theirs."


def show(visit: Visit) -> Page:
    """The newest document to edit, every number that holds, and who changed what."""
    return _page(visit, visit.get(ROUTE), {}, None, 200)


def check(visit: Visit) -> Page:
    """Whether the edited text is valid, and what it would change. Nothing is changed."""
    document, wrong = _read(visit.form.get("document", ""))
    found: Mapping[str, Any] = {}
    if not wrong:
        try:
            found = visit.do(f"POST {ROUTE}/check", {"document": document})
        except ApiRefusal as refused:
            wrong = refused.named("document")
    if wrong:
        return _page(visit, visit.get(ROUTE), wrong, None, 400)
    changes = differences.table(visit, found["changes"], f"Of version {found['version']}", "It changes nothing.")
    again = _edit(visit, "Edit it further", visit.form.get("document", ""), {})
    back = element("p", parts.link("Back", HERE))
    return Page("What it would change", join([changes.html(), _confirm(visit, found), again, back]))


def change(visit: Visit) -> Page | Redirect:
    """Have the text hold. If somebody was faster, what they changed is shown, and the text stays to be sent again."""
    document, wrong = _read(visit.form.get("document", ""))
    if wrong:
        return _page(visit, visit.get(ROUTE), wrong, None, 400)
    body = {"version": _number(visit, "version"), "document": document, **visit.filled("reason")}
    return _write(visit, f"PUT {ROUTE}", body)


def revert(visit: Visit) -> Page | Redirect:
    """Have the document of an earlier version hold again."""
    body = {"version": _number(visit, "version"), "to": _number(visit, "to")}
    return _write(visit, f"POST {ROUTE}/revert", body | visit.filled("reason"))


def show_version(visit: Visit) -> Page:
    """One version with its document, and the way back to it."""
    number = visit.query.get("number", "")
    one = visit.get(f"{ROUTE}/versions/{{version}}", path={"version": number})
    newest = visit.get(ROUTE)["version"]
    body = [
        parts.facts({"by": one["by"] or "a deployment", "at": parts.moment(one["at"]), "reason": one["reason"]}),
        parts.section("Document", parts.as_json(one["document"])),
        _go_back(visit, number, newest) if one["version"] != newest else element("p", "This is the newest."),
    ]
    return Page(f"Version {number}", join(body))


def _write(visit: Visit, route: str, body: Mapping[str, Any]) -> Page | Redirect:
    try:
        visit.do(route, body)
    except ApiRefusal as refused:
        if refused.code == STALE:
            return _page(visit, visit.get(ROUTE), {}, refused, refused.status)
        return _page(visit, visit.get(ROUTE), refused.named("document"), None, refused.status)
    return Redirect(HERE)


def _number(visit: Visit, name: str) -> int:
    """A version that the form names; what is none is refused by the API like 0."""
    given = visit.form.get(name, "")
    return int(given) if re.fullmatch("[0-9]{1,9}", given) else 0


def _read(written: str) -> tuple[dict[str, Any], dict[str, str]]:
    """The document that somebody wrote, or what is wrong with it."""
    try:
        found = sent.document(written or "{}")
    except ValueError as error:
        return {}, {"document": f"is not JSON: {error}"}
    if not isinstance(found, dict):
        return {}, {"document": 'must be a JSON object, such as {"limits": {"stockx": {"interval_ms": 600}}}'}
    return found, {}


def _page(
    visit: Visit, holds: Mapping[str, Any], wrong: Mapping[str, str], stale: ApiRefusal | None, status: int
) -> Page:
    past = visit.get(f"{ROUTE}/versions")["versions"]
    values = Table(visit, VALUES, _flat(holds["values"]), "Every number that holds", "None.", "values")
    versions = Table(visit, VERSIONS, past, "The last 100, newest first", "None.", "versions")
    by = [" by ", holds["by"]] if holds["by"] else " by a deployment"
    told = [f"Version {holds['version']}", by, ", ", parts.moment(holds["at"]), ".", _reason(holds["reason"])]
    body = [
        _stale(stale) if stale else element("p", told, class_="told"),
        _refused(holds["refused"]),
        _change(visit, holds, wrong),
        element("p", parts.link("What if a limit were another?", "/dashboard/what-if")),
        parts.section("Who changed what", versions.html()),
        parts.section("What holds", values.html()),
    ]
    return Page("Configuration", join(body), status, tables=(values, versions))


VALUES: Final = {
    "section": text("Section", "section"),
    "name": text("Name", "name"),
    "value": Column("Value", lambda row: row["value"]),
}
VERSIONS: Final = {
    "version": Column(
        "Version",
        lambda row: row["version"],
        lambda row: parts.link(str(row["version"]), VERSION, {"number": str(row["version"])}),
    ),
    "by": Column("By", lambda row: row["by"] or "a deployment"),
    "at": time("When", "at"),
    "reason": text("Reason", "reason"),
    "changes": Column("What it changed", lambda row: _changes(row)),
}


def _changes(row: Row) -> str | None:
    if row["changes"] is None:
        return None
    told = [f"{place}: {_brief(one)}" for place, one in row["changes"].items()]
    return "; ".join(told) or "nothing"


def _brief(one: Mapping[str, Any]) -> str:
    if "added" in one:
        return "another list"
    before, after = (json.dumps(one[name]) if name in one else "not set" for name in ("from", "to"))
    return f"{before} \N{RIGHTWARDS ARROW} {after}"


def _flat(values: Mapping[str, Any]) -> list[Row]:
    """Every number, by section; a section's own names have points where they are nested."""
    return [
        {"section": section, "name": name, "value": value if isinstance(value, int | float) else json.dumps(value)}
        for section, found in values.items()
        for name, value in _names(found, "")
    ]


def _names(found: Mapping[str, Any], above: str) -> list[tuple[str, Any]]:
    rows = list[tuple[str, Any]]()
    for name, value in found.items():
        inside = isinstance(value, dict) and value
        rows += _names(value, f"{above}{name}.") if inside else [(f"{above}{name}", value)]
    return rows


def _change(visit: Visit, holds: Mapping[str, Any], wrong: Mapping[str, str]) -> Markup | None:
    if not visit.may(Permission.DEPLOYMENT_ACT):
        return None
    written = visit.form.get("document") or json.dumps(holds["document"], indent=2, ensure_ascii=False)
    return _edit(visit, "Change it", written, wrong, kind="strong")


def _edit(visit: Visit, title: str, written: str, wrong: Mapping[str, str], *, kind: str = "") -> Markup:
    fields = {"document": forms.area("document", WHAT, written, wrong.get("document"), rows=18)}
    look = forms.button("Look at the difference", kind=kind)
    return forms.section(visit, title, f"{HERE}/check", fields, look, wrong)


def _confirm(visit: Visit, found: Mapping[str, Any]) -> Markup | None:
    if not found["changes"] or not visit.may(Permission.DEPLOYMENT_ACT):
        return None
    hidden = {"version": str(found["version"]), "document": visit.form.get("document", "")}
    sends = forms.button("Have it hold", kind="strong")
    return forms.form(visit, HERE, forms.reason(), sends, hidden=hidden, class_="filter")


def _go_back(visit: Visit, number: str, newest: int) -> Markup | None:
    if not visit.may(Permission.DEPLOYMENT_ACT):
        return None
    fields, sends = {"reason": forms.reason()}, forms.button(f"Go back to version {number}", kind="danger")
    hidden = {"version": str(newest), "to": number}
    return forms.section(visit, "Have it hold again", f"{HERE}/revert", fields, sends, {}, hidden=hidden)


def _stale(refused: ApiRefusal) -> Markup:
    changed = [element("li", element("strong", place), f": {told}") for place, told in refused.fields.items()]
    return element(
        "div",
        element("p", MEANWHILE),
        element("ul", changed) if changed else None,
        element("p", refused.message),
        element("p", GO_ON),
        class_="refused",
        role="alert",
    )


def _refused(refused: Mapping[str, Any] | None) -> Markup | None:
    if refused is None:
        return None
    told = f"Version {refused['version']} is not valid, so the one before it holds: {refused['reason']}"
    return element("p", told, class_="refused", role="alert")


def _reason(reason: str | None) -> str | None:
    return f" {reason}" if reason else None
