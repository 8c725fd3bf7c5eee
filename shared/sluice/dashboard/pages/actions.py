"""What operators did, and doing it: counted and shown first, then confirmed, then followed to its end."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from markupsafe import Markup

from sluice.dashboard import forms, parts
from sluice.dashboard.html import Child, element, join
from sluice.dashboard.page import Page, Redirect
from sluice.dashboard.search import Filter, listing, search
from sluice.dashboard.table import Column, Table, state, text
from sluice.dashboard.visit import Visit
from sluice.platform.http.auth import Permission

DOES: Final = {
    "cancel": "Cancel",
    "retry": "Try now",
    "raise": "Raise",
    "replay": "Replay",
    "acknowledge": "Acknowledge",
}
FILTER: Final = Filter({"subject": "Who", "action": "What", "from": "Begun then or later", "to": "Begun before"})


def show_all(visit: Visit) -> Page:
    """The audit log."""
    found = search(visit, "/v1/operator/actions", {**FILTER.asked(visit), **visit.of_tenant()})
    columns = {
        "at": Column("When", lambda row: row["createdAt"], lambda row: _to_action(row["actionId"], row["createdAt"])),
        "action": text("What", "action"),
        "state": state("State", "state"),
        "who": text("Who", "subject"),
        "roles": text("As", "roles"),
        "whose": Column("Whose work", lambda row: row["whose"] or "everybody's"),
        "outcomes": Column("What came of it", lambda row: _outcomes(row["outcomes"]) or None),
        "reason": text("Reason", "reason"),
    }
    table = Table(visit, columns, found.rows("actions"), "Newest first", "No operator has done anything yet.")
    return listing("Audit log", found, table, filter_=FILTER)


def show_one(visit: Visit) -> Page:
    """One action: how far it is, and what changed."""
    path = {"action_id": visit.query.get("id", "")}
    found = visit.get("/v1/operator/actions/{action_id}", path=path)
    running, stop_by = found["state"] == "running", found["stoppedBy"]
    hidden = {"id": found["actionId"]}
    stop = forms.form(visit, "/dashboard/action/stop", forms.button("Stop", kind="danger"), hidden=hidden)
    body = [
        element(
            "p", parts.word(found["state"]), " ", _outcomes(found["outcomes"]) or "Nothing done yet.", class_="told"
        ),
        element("p", f"It stops before its next page: {stop_by} wants it so.") if running and stop_by else None,
        stop if running and not stop_by and visit.may(Permission.OPERATE_ACT) else None,
        parts.facts(
            {
                "who": found["subject"],
                "as": found["roles"],
                "whose work": found["whose"] or "everybody's",
                "reason": found["reason"] or parts.NONE,
                "begun": parts.moment(found["createdAt"]),
                "request": found["requestId"],
            }
        ),
        parts.section("On what", parts.as_json(found["target"])),
        parts.section("What changed, of the first", _changed(found["changes"])),
    ]
    return Page(DOES.get(found["action"], found["action"]), join(body), refreshes=running)


def _changed(changes: Sequence[Any]) -> Markup:
    return parts.as_json(changes) if changes else element("p", "Nothing yet.", class_="empty")


def on_all(visit: Visit, title: str, named: Mapping[str, str], words: Sequence[str], unnamed: str) -> Markup | None:
    """Buttons to act on everything that the filter `named` finds: what that is, is counted and shown first.

    unnamed: what to say where the filter names nothing.
    """
    if not visit.may(Permission.OPERATE_ACT):
        return None
    if not named:
        return element("p", unnamed, class_="note")
    buttons = [
        forms.button(f"{DOES[one]}\N{HORIZONTAL ELLIPSIS}", name="action", value=one, kind=_kind(one)) for one in words
    ]
    hidden = {**{f"filter.{name}": value for name, value in named.items()}, **visit.of_tenant()}
    made = forms.form(visit, "/dashboard/actions/count", buttons, hidden=hidden, class_="buttons")
    return parts.section(title, made)


def on_one(visit: Visit, words: Sequence[str], **thing: str) -> Markup | None:
    """Buttons to act on one thing, by its `job_id` or `letter_id`; each does it once, however often it is pressed."""
    if not visit.may(Permission.OPERATE_ACT):
        return None
    made = [
        forms.form(
            visit,
            "/dashboard/actions",
            forms.button(DOES[one], kind=_kind(one)),
            hidden={**visit.of_tenant(), **thing, "action": one},
        )
        for one in words
    ]
    return element("div", made, class_="buttons") if made else None


def _kind(word: str) -> str:
    return "danger" if word == "cancel" else ""


def count(visit: Visit) -> Page:
    """What an action would be done to: how many things, and the first ten. Nothing is done yet."""
    word = visit.form.get("action", "")
    answer = visit.do("POST /v1/operator/actions", {**_body(visit), "dryRun": True})["counted"]
    number = f"{'at least ' if answer['atLeast'] else ''}{answer['matched']}"
    if not answer["matched"]:
        return Page("Nothing matches", element("p", "Nothing was done. ", _back(visit)))
    named = {name: value for name, value in visit.form.items() if name.startswith("filter.")}
    hidden = {**named, **visit.of_tenant(), "action": word}
    confirm = forms.form(
        visit,
        "/dashboard/actions",
        forms.reason(),
        forms.button(f"{DOES.get(word, word)} {number}", kind="danger" if word == "cancel" else "strong"),
        hidden=hidden,
        class_="filter",
    )
    sample = [
        element("li", one.get("jobId", "?"), " ", parts.word(one.get("state") or one.get("status", "")))
        for one in answer["sample"]
    ]
    return Page(
        f"{DOES.get(word, word)} {number}?",
        join([confirm, element("p", _back(visit)), parts.section("The first of them", element("ul", sample))]),
    )


def do(visit: Visit) -> Redirect:
    """Do it, once however often the form is sent, and go to where it can be followed."""
    answer = visit.do("POST /v1/operator/actions", {**_body(visit), "dryRun": False})
    return Redirect(_address(answer["action"]["actionId"]))


def stop(visit: Visit) -> Redirect:
    """Stop it before its next page."""
    action_id = visit.form.get("id", "")
    visit.do("POST /v1/operator/actions/{action_id}/stop", {}, path={"action_id": action_id})
    return Redirect(_address(action_id))


def _body(visit: Visit) -> dict[str, Any]:
    """The request that the form stands for, in the API's words."""
    form = visit.form
    body: dict[str, Any] = {"action": form.get("action", ""), **visit.of_tenant()}
    if form.get("job_id"):
        body["jobIds"] = [form["job_id"]]
    elif form.get("letter_id"):
        body["letterIds"] = [form["letter_id"]]
    else:
        body["filter"] = {name.removeprefix("filter."): form[name] for name in form if name.startswith("filter.")}
    return body | ({"reason": form["reason"]} if form.get("reason") else {})


def _outcomes(found: Mapping[str, int]) -> str:
    return ", ".join(f"{number} {word.replace('_', ' ')}" for word, number in found.items())


def _to_action(action_id: str, at: str) -> Child:
    return parts.link(parts.moment(at), _address(action_id))


def _address(action_id: str) -> str:
    return parts.address("/dashboard/action", {"id": action_id})


def _back(visit: Visit) -> Markup:
    return parts.link("Back", visit.back)
