"""Notifications: what one wants to be told by mail, and where; a test mail; what was mailed."""

from collections.abc import Mapping
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
from sluice.platform.http.auth import Permission

HERE: Final = "/dashboard/notifications"
ROUTE: Final = "/v1/notifications"
# Of what mail tells. A test compares it with what the API takes.
TELLS: Final = tuple(one for one in EVENTS if one not in ("job.succeeded", "job.cancelled"))
ADDRESS: Final = "One address; for several people use a mailing list. It is asked first whether it wants this mail"
# Fields of the form, by what the API calls them.
OURS: Final = {"mail.address": "address", "mail.eventTypes": "event"}
NONE_YET: Final = "Nothing was mailed yet. Say below where mail goes, and try it."
STANDS: Final[Mapping[str, str]] = {
    "PENDING": "Somebody must open the link in the mail that AWS has sent there. Nothing is mailed before.",
    "GONE": "The address is not confirmed any more. Change it below, also to the same one, to have it asked again.",
}


def show(visit: Visit) -> Page:
    """What mail tells, and where it goes; and what was mailed."""
    return _page(visit, {}, 200)


def save(visit: Visit) -> Page | Redirect:
    """Say what one wants to be told."""
    mail = {"address": visit.form.get("address", ""), "eventTypes": visit.ticked("event")}
    stands = _stands(visit.get(ROUTE)["mail"])
    if stale.is_done(visit, stands, _stands(mail)):
        return Redirect(HERE)
    if stale.changes(visit, stands):
        return _page(visit, {}, stale.CONFLICT)
    return _put(visit, {"mail": mail})


def stop(visit: Visit) -> Page | Redirect:
    """Have nothing mailed any more."""
    return _put(visit, {"mail": None})


def test(visit: Visit) -> Page | Redirect:
    """Send a test mail."""
    try:
        visit.do(f"POST {ROUTE}/test", {})
    except ApiRefusal as refused:
        return _page(visit, refused.named("test"), refused.status)
    return Redirect(HERE)


def _put(visit: Visit, body: Mapping[str, Any]) -> Page | Redirect:
    try:
        visit.do(f"PUT {ROUTE}", body)
    except ApiRefusal as refused:
        return _page(visit, refused.named("address", OURS), refused.status)
    return Redirect(HERE)


def _page(visit: Visit, wrong: Mapping[str, str], status: int) -> Page:
    wanted, found = visit.get(ROUTE), search(visit, f"{ROUTE}/mails", {})
    mails = Table(visit, MAILS, found.rows("mails"), "What was mailed, newest first, for 30 days", NONE_YET)
    may = visit.may(Permission.NOTIFICATIONS_WRITE)
    before = [_standing(wanted), _buttons(visit, wanted["mail"]) if may else None]
    form = _form(visit, wanted["mail"], wrong) if may else None
    return listing("Notifications", found, mails, before=before, form=form, status=status, refreshes=not wrong)


def _mail(row: Row) -> Child:
    return element("details", element("summary", row["subject"]), element("pre", row["text"], tabindex="0"))


MAILS: Final = {
    "at": time("When", "at"),
    "subject": Column("Mail", lambda row: row["subject"], _mail),
    "events": text("Tells of", "events"),
    "state": state("State", "state"),
    "reason": text("Why not", "reason"),
}


def _standing(wanted: Mapping[str, Any]) -> Markup:
    mail = wanted["mail"]
    if mail is None:
        return element("p", "Nobody is told anything by mail.", class_="told")
    told = element("p", parts.word(mail["status"].lower()), " ", STANDS.get(mail["status"]), class_="told")
    facts = {
        "goes to": mail["address"],
        "tells of": ", ".join(mail["eventTypes"]),
        "last mail": parts.moment(wanted["mailedAt"]),
        "what waits is mailed": parts.moment(wanted["nextMailAt"]),
    }
    return join([told, parts.facts(facts)])


def _buttons(visit: Visit, mail: Mapping[str, Any] | None) -> Markup | None:
    if mail is None:
        return None
    test_it = forms.form(visit, f"{HERE}/test", forms.button("Send a test", kind="strong"))
    stop_it = forms.sure(visit, "Stop all mail", f"{HERE}/stop", "Nothing is mailed any more, to anybody of yours.", {})
    return element("div", test_it, stop_it, class_="buttons")


def _form(visit: Visit, mail: Mapping[str, Any] | None, wrong: Mapping[str, str]) -> Markup:
    stands = mail or {"address": "", "eventTypes": ["job.dead", "account.broken"]}
    is_filled = "address" in visit.form
    address = visit.form["address"] if is_filled else stands["address"]
    chosen = visit.ticked("event") if is_filled else stands["eventTypes"]
    fields = {
        "address": forms.input_field("address", ADDRESS, address, wrong.get("address"), maxlength=254),
        "event": forms.ticks("event", "Tell of", {one: one for one in TELLS}, chosen, wrong.get("event")),
    }
    sends = forms.button("Have it so", kind="strong")
    return stale.section(visit, _stands(mail), "What you want to be told", HERE, fields, sends, wrong)


def _stands(mail: Mapping[str, Any] | None) -> dict[str, str]:
    """What the form says, in words."""
    if mail is None:
        return {"address": "", "events": ""}
    return {"address": mail["address"], "events": ", ".join(sorted(mail["eventTypes"]))}
