"""What operators did, and doing it: counted and shown first, then confirmed, then followed to its end."""

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final
from uuid import uuid4

from markupsafe import Markup

from sluice.dashboard import parts
from sluice.dashboard.html import Child, element, join
from sluice.dashboard.parts import Column
from sluice.dashboard.visit import Page, Redirect, Visit

DOES: Final = {
    "cancel": "Cancel",
    "retry": "Try now",
    "raise": "Raise",
    "replay": "Replay",
    "acknowledge": "Acknowledge",
}


def show_all(visit: Visit) -> Page:
    """The audit log."""
    found = visit.get("/v1/operator/actions", query=visit.asked("cursor"))
    columns = {
        "at": Column("When", lambda row: row["createdAt"], lambda row: _to_action(row["actionId"], row["createdAt"])),
        "action": Column("What", lambda row: row["action"]),
        "state": Column("State", lambda row: row["state"], lambda row: parts.word(row["state"])),
        "who": Column("Who", lambda row: row["subject"]),
        "roles": Column("As", lambda row: row["roles"]),
        "whose": Column("Whose work", lambda row: row["whose"] or "everybody's"),
        "outcomes": Column("What came of it", lambda row: _outcomes(row["outcomes"])),
        "reason": Column("Reason", lambda row: row["reason"]),
    }
    table = parts.Table(visit, columns, found["actions"], "Newest first", "No operator has done anything yet.")
    body = [
        table.html(),
        parts.next_page(visit, found["next"]),
    ]
    return Page("Audit log", join(body), csv=table.csv)


def show_one(visit: Visit) -> Page:
    """One action: how far it is, and what changed."""
    path = {"action_id": visit.query.get("id", "")}
    found = visit.get("/v1/operator/actions/{action_id}", path=path)
    running = found["state"] == "running"
    hidden = {"id": found["actionId"]}
    stop = parts.form(visit, "/dashboard/action/stop", parts.button("Stop", kind="danger"), hidden=hidden)
    body = [
        element(
            "p", parts.word(found["state"]), " ", _outcomes(found["outcomes"]) or "Nothing done yet.", class_="told"
        ),
        stop if running else None,
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
        parts.section("On what", element("pre", json.dumps(found["target"], indent=2, ensure_ascii=False))),
        parts.section(
            "What changed, of the first", element("pre", json.dumps(found["changes"], indent=2, ensure_ascii=False))
        ),
    ]
    return Page(DOES.get(found["action"], found["action"]), join(body), refreshes=running)


def on_all(visit: Visit, title: str, named: Mapping[str, str], words: Sequence[str], unnamed: str) -> Markup:
    """Buttons to act on everything that the filter `named` finds: what that is, is counted and shown first.

    unnamed: what to say where the filter names nothing.
    """
    if not named:
        return element("p", unnamed, class_="note")
    buttons = [
        parts.button(f"{DOES[one]}\N{HORIZONTAL ELLIPSIS}", name="action", value=one, kind=_kind(one)) for one in words
    ]
    hidden = {**{f"filter.{name}": value for name, value in named.items()}, **visit.of_tenant()}
    made = parts.form(visit, "/dashboard/actions/count", buttons, hidden=hidden, class_="buttons")
    return parts.section(title, made)


def on_one(visit: Visit, words: Sequence[str], **thing: str) -> Markup | None:
    """Buttons to act on one thing, by its `job_id` or `letter_id`; each does it once, however often it is pressed."""
    forms = [
        parts.form(
            visit,
            "/dashboard/actions",
            parts.button(DOES[one], kind=_kind(one)),
            hidden={**visit.of_tenant(), **thing, "action": one, "once": uuid4().hex},
        )
        for one in words
    ]
    return element("div", forms, class_="buttons") if forms else None


def _kind(word: str) -> str:
    return "danger" if word == "cancel" else ""


def count(visit: Visit) -> Page:
    """What an action would be done to: how many things, and the first ten. Nothing is done yet."""
    word = visit.form.get("action", "")
    answer = visit.post("/v1/operator/actions", {**_body(visit), "dryRun": True})["counted"]
    number = f"{'at least ' if answer['atLeast'] else ''}{answer['matched']}"
    if not answer["matched"]:
        return Page("Nothing matches", element("p", "Nothing was done. ", _back(visit)))
    named = {name: value for name, value in visit.form.items() if name.startswith("filter.")}
    hidden = {**named, **visit.of_tenant(), "action": word, "once": uuid4().hex, "back": visit.form.get("back")}
    confirm = parts.form(
        visit,
        "/dashboard/actions",
        parts.field("reason", "Reason, for the audit log", None, maxlength=200),
        parts.button(f"{DOES.get(word, word)} {number}", kind="danger" if word == "cancel" else "strong"),
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
    answer = visit.post("/v1/operator/actions", {**_body(visit), "dryRun": False}, key=visit.form.get("once") or None)
    return Redirect(_address(answer["action"]["actionId"]))


def stop(visit: Visit) -> Redirect:
    """Stop it before its next page."""
    action_id = visit.form.get("id", "")
    visit.post("/v1/operator/actions/{action_id}/stop", {}, path={"action_id": action_id})
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
    return parts.link("Back", visit.form.get("back") or "/dashboard")
