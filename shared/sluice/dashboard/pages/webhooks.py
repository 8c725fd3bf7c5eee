"""Webhooks: where events go, what was sent and what came of it, a test, and sending something again."""

import re
from collections.abc import Iterable, Mapping
from typing import Any, Final

from markupsafe import Markup

from sluice.capabilities import EVENTS
from sluice.dashboard import forms, parts, stale
from sluice.dashboard.ask import ApiRefusal
from sluice.dashboard.html import Child, element, join
from sluice.dashboard.page import Page, Redirect
from sluice.dashboard.search import listing, search
from sluice.dashboard.table import Column, Row, Table, state, text, time
from sluice.dashboard.visit import Visit
from sluice.platform.addresses import MOST_CHARACTERS
from sluice.platform.http.auth import Permission

HERE, ONE = "/dashboard/webhooks", "/dashboard/webhook"
ALL: Final = "/v1/webhooks"
ROUTE: Final = f"{ALL}/{{webhook_id}}"
SENT: Final = f"{ROUTE}/deliveries"
# Fields of the form, by what the API calls them.
OURS: Final = {"webhookId": "id", "eventTypes": "event"}
NONE_YET: Final = "Nothing is sent anywhere yet. Name an address below, and events arrive there, signed."
ID: Final = "Id: 1 to 64 of a-z, 0-9 and -"
WHOLE: Final = "Address (https); it is shown with its secret parts masked, so write it whole"


def show_all(visit: Visit) -> Page:
    """Every endpoint, and a form for another."""
    return _all(visit, {}, 200)


def show_one(visit: Visit) -> Page:
    """One endpoint: how it fares, what was sent there, and what can be done with it."""
    return _one(visit, visit.query.get("id", ""), {}, 200)


def save(visit: Visit) -> Page | Redirect:
    """Make an endpoint, or change one. Of a new one the secret is shown, this once."""
    webhook_id, is_new = visit.form.get("id", ""), not visit.form.get("known")
    body: dict[str, Any] = {
        "url": visit.form.get("url", ""),
        "eventTypes": visit.ticked("event"),
        "enabled": bool(is_new or visit.ticked("enabled")),
    }
    if not is_new:
        stands = _stands(visit.get(ROUTE, path={"webhook_id": webhook_id}))
        shown = stands["address, masked"] if _fits(body["url"], stands["address, masked"]) else body["url"]
        wanted = _stands({**body, "url": shown, "status": "ACTIVE" if body["enabled"] else "DISABLED"})
        if stale.is_done(visit, stands, wanted):
            return Redirect(_address(webhook_id))
        if stale.changes(visit, stands):
            return _one(visit, webhook_id, {}, stale.CONFLICT)
    try:
        saved = visit.do(f"PUT {ROUTE}", body, path={"webhook_id": webhook_id or "!"})
    except ApiRefusal as refused:
        wrong = refused.named("id", OURS)
        return _all(visit, wrong, refused.status) if is_new else _one(visit, webhook_id, wrong, refused.status)
    return _secret(saved) if "secret" in saved else Redirect(_address(webhook_id))


def test(visit: Visit) -> Redirect:
    """Send a test event."""
    return _done(visit, f"POST {ROUTE}/test")


def delete(visit: Visit) -> Redirect:
    """Send nothing there any more."""
    visit.remove(ROUTE, path={"webhook_id": visit.form.get("id", "")})
    return Redirect(HERE)


def renew_secret(visit: Visit) -> Page:
    """Make a new secret, and show it this once."""
    return _secret(visit.do(f"POST {ROUTE}/secret", {}, path={"webhook_id": visit.form.get("id", "")}))


def resend(visit: Visit) -> Redirect:
    """Send one event once more."""
    return _done(visit, f"POST {SENT}/{{delivery_id}}/resend", delivery_id=visit.form.get("delivery", ""))


def _done(visit: Visit, route: str, **path: str) -> Redirect:
    webhook_id = visit.form.get("id", "")
    visit.do(route, {}, path={"webhook_id": webhook_id, **path})
    return Redirect(_address(webhook_id))


def _all(visit: Visit, wrong: Mapping[str, str], status: int) -> Page:
    rows = visit.get(ALL)["webhooks"]
    columns = {
        "id": Column("Webhook", lambda row: row["webhookId"], lambda row: _to(row["webhookId"])),
        "status": state("Status", "status"),
        "url": text("Address, masked", "url"),
        "events": Column("Events", lambda row: ", ".join(row["eventTypes"])),
        "failures": text("Given up in a row", "failures"),
        "reason": text("Why", "reason"),
    }
    table = Table(visit, columns, rows, "By id", NONE_YET)
    return Page("Webhooks", join([table.html(), _new(visit, wrong)]), status, tables=(table,))


def _one(visit: Visit, webhook_id: str, wrong: Mapping[str, str], status: int) -> Page:
    path = {"webhook_id": webhook_id}
    hook, found = visit.get(ROUTE, path=path), search(visit, SENT, {}, path=path)
    table = Table(
        visit, _columns(visit, webhook_id), found.rows("deliveries"), "What was sent, newest first", _unsent()
    )
    before, form = [_standing(hook), _buttons(visit, hook)], _change(visit, hook, wrong)
    title = f"Webhook {webhook_id}"
    return listing(title, found, table, before=before, form=form, status=status, refreshes=not wrong)


def _unsent() -> str:
    return "Nothing was sent in the last 7 days. Send a test to see whether it arrives."


def _columns(visit: Visit, webhook_id: str) -> dict[str, Column]:
    columns = {
        "event": text("Event", "eventType"),
        "state": state("State", "state"),
        "created": time("Happened", "createdAt"),
        "attempts": Column("Attempts", lambda row: len(row["attempts"]), _attempts),
        "answer": Column("Last answer", _last),
        "next": time("Next attempt", "nextAttemptAt"),
        "id": text("Message id", "messageId"),
    }
    if visit.may(Permission.WEBHOOKS_WRITE):
        columns["do"] = Column("Act", None, lambda row: _resend(visit, webhook_id, row))
    return columns


def _attempts(row: Row) -> Child:
    if not row["attempts"]:
        return 0
    told = [element("li", parts.moment(one["at"]), f": {_answer(one)}") for one in row["attempts"]]
    return element("details", element("summary", len(told)), element("ol", told))


def _last(row: Row) -> str | None:
    return _answer(row["attempts"][-1]) if row["attempts"] else None


def _answer(one: Mapping[str, Any]) -> str:
    said = " ".join(str(part) for part in (one["status"], one["code"], one["message"]) if part)
    return f"{said or 'arrived'} after {parts.duration(one['ms'])}"


def _resend(visit: Visit, webhook_id: str, row: Row) -> Child:
    hidden = {"id": webhook_id, "delivery": row["deliveryId"]}
    return forms.form(visit, f"{ONE}/resend", forms.button("Send again"), hidden=hidden)


def _standing(hook: Mapping[str, Any]) -> Markup:
    return parts.facts(
        {
            "status": [parts.word(hook["status"].lower()), " ", hook["reason"]],
            "address, masked": hook["url"],
            "events": ", ".join(hook["eventTypes"]),
            "given up in a row": hook["failures"],
            "rests until": parts.moment(hook["restsUntil"]),
            "made": parts.moment(hook["createdAt"]),
            "changed": parts.moment(hook["updatedAt"]),
        }
    )


def _buttons(visit: Visit, hook: Mapping[str, Any]) -> Markup | None:
    if not visit.may(Permission.WEBHOOKS_WRITE):
        return None
    hidden = {"id": hook["webhookId"]}
    test_it = forms.form(visit, f"{ONE}/test", forms.button("Send a test", kind="strong"), hidden=hidden)
    told = "The one before it signs beside it for a day. The new one is shown once."
    return element(
        "div",
        test_it if hook["status"] == "ACTIVE" else None,
        forms.sure(visit, "New secret", f"{ONE}/secret", told, hidden),
        forms.sure(visit, "Delete", f"{ONE}/delete", "What is on its way there is dropped.", hidden),
        class_="buttons",
    )


def _new(visit: Visit, wrong: Mapping[str, str]) -> Markup | None:
    if not visit.may(Permission.WEBHOOKS_WRITE):
        return None
    fields = {**forms.input_fields({"id": ID}, visit.form, wrong), **_fields(visit, wrong, ())}
    return forms.section(visit, "Another webhook", HERE, fields, forms.button("Make it", kind="strong"), wrong)


def _change(visit: Visit, hook: Mapping[str, Any], wrong: Mapping[str, str]) -> Markup | None:
    if not visit.may(Permission.WEBHOOKS_WRITE):
        return None
    ticked = ["yes"] if (visit.ticked("enabled") if visit.form else hook["status"] == "ACTIVE") else []
    enabled = forms.ticks("enabled", "Enabled", {"yes": "sends"}, ticked, wrong.get("enabled"))
    fields = {**_fields(visit, wrong, hook["eventTypes"]), "enabled": enabled}
    hidden, sends = {"id": hook["webhookId"], "known": "yes"}, forms.button("Change it")
    return stale.section(visit, _stands(hook), "Change", HERE, fields, sends, wrong, hidden=hidden)


def _fits(url: str, masked: str) -> bool:
    """Whether an address may be the one that is shown with its secret parts as `***`.

    The API takes none that is longer, and to compare one could take seconds.
    """
    pattern = ".*".join(map(re.escape, masked.split("***")))
    return len(url) <= MOST_CHARACTERS and re.fullmatch(pattern, url) is not None


def _stands(hook: Mapping[str, Any]) -> dict[str, str]:
    """What the form changes of a webhook, in words."""
    sends = "yes" if hook["status"] == "ACTIVE" else "no"
    return {"address, masked": hook["url"], "events": ", ".join(sorted(hook["eventTypes"])), "sends": sends}


def _fields(visit: Visit, wrong: Mapping[str, str], events: Iterable[str]) -> dict[str, Markup]:
    chosen = visit.ticked("event") if visit.form else events
    return {
        **forms.input_fields({"url": WHOLE}, visit.form, wrong),
        "event": forms.ticks("event", "Events", {one: one for one in EVENTS}, chosen, wrong.get("event")),
    }


def _secret(saved: Mapping[str, Any]) -> Page:
    body = [
        element(
            "p", "This is what signs its events. Keep it now: it is shown this once, and never again.", class_="told"
        ),
        element("pre", saved["secret"], tabindex="0"),
        element("p", _to(saved["webhookId"], "To the webhook")),
    ]
    return Page(f"The secret of {saved['webhookId']}", join(body))


def _to(webhook_id: str, label: str | None = None) -> Markup:
    return parts.link(label or webhook_id, ONE, {"id": webhook_id})


def _address(webhook_id: str) -> str:
    return parts.address(ONE, {"id": webhook_id})
