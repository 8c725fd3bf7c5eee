"""Promotions: how they fared, each one, asking for one, and taking one back."""

from collections.abc import Mapping
from typing import Any, Final

from markupsafe import Markup

from sluice.dashboard import forms, parts
from sluice.dashboard.ask import ApiRefusal
from sluice.dashboard.html import Child, element, join
from sluice.dashboard.page import Page, Redirect
from sluice.dashboard.pages import work
from sluice.dashboard.search import Filter, listing, search
from sluice.dashboard.table import Column, Row, Table, state, text, time
from sluice.dashboard.visit import Visit
from sluice.platform.http.auth import Permission

HERE, ONE = "/dashboard/promotions", "/dashboard/promotion"
ALL: Final = "/v1/promotions"
STATUSES: Final = ("pending", "ready", "succeeded", "failed", "cancelled")
FILTER: Final = Filter({"listingId": "Listing at eBay"}, {"status": ("Status", STATUSES)})
FIELDS: Final = {
    "listingId": "Listing at eBay",
    "adRate": "Rate, in percent of the sale: 2.0 to 100.0",
    "campaignId": "Campaign; your running one if empty",
}
NONE_ENDED: Final = "No promotion ended in these hours."
NONE_YET: Final = "No promotion matches. Ask for one below."


def show_work(visit: Visit) -> Page:
    """How promotions fared."""
    way = parts.link("Your promotions", HERE) if visit.may(Permission.PROMOTIONS_READ) else None
    return work.show(visit, "Promotion results", "/v1/operator/promotions", NONE_ENDED, way)


def show_all(visit: Visit) -> Page:
    """Promotions that match the filter in the address, newest first, with how many there are of each status."""
    return _all(visit, {}, 200)


def ask(visit: Visit) -> Page | Redirect:
    """Ask for an ad."""
    try:
        done = visit.do(f"POST {ALL}", visit.filled(*FIELDS))
    except ApiRefusal as refused:
        return _all(visit, refused.named("listingId"), refused.status)
    return Redirect(parts.address(ONE, {"id": done["jobId"]}))


def show_one(visit: Visit) -> Page:
    """One promotion."""
    one = visit.get(f"{ALL}/{{promotion_id}}", path={"promotion_id": visit.query.get("id", "")})["job"]
    error = one["lastError"]
    facts = {
        "listing at eBay": one["listingId"],
        "rate": f"{one['adRate']} % of the sale",
        "campaign": one["campaignId"] or parts.NONE,
        "ad": one["adId"] or parts.NONE,
        "attempts": f"{one['attempts']} of {one['maxAttempts']}",
        "next attempt": parts.moment(one["nextRetryAt"]),
        "asked for": [parts.moment(one["createdAt"]), f" by {one['userId']}"],
    }
    told = f"{error['code']}: {error['message']}" if error else None
    body = [element("p", parts.word(one["status"]), " ", told, class_="told"), _cancel(visit, one), parts.facts(facts)]
    return Page(f"Promotion {one['id']}", join(body), refreshes=one["status"] in ("pending", "ready"))


def cancel(visit: Visit) -> Redirect:
    """Take it back. Of one that is over already its page tells what became of it."""
    promotion_id = visit.form.get("id", "")
    try:
        visit.do(f"DELETE {ALL}/{{promotion_id}}", path={"promotion_id": promotion_id})
    except ApiRefusal as refused:
        if refused.code != "final":
            raise
    return Redirect(parts.address(ONE, {"id": promotion_id}))


def _all(visit: Visit, wrong: Mapping[str, str], status: int) -> Page:
    found = search(visit, ALL, FILTER.asked(visit))
    columns = {
        "id": Column("Promotion", lambda row: row["id"], _to),
        "status": state("Status", "status"),
        "listing": text("Listing", "listingId"),
        "rate": text("Rate, %", "adRate"),
        "ad": text("Ad", "adId"),
        "attempts": text("Attempts", "attempts"),
        "next": time("Next attempt", "nextRetryAt"),
        "error": Column("Last error", lambda row: row["lastError"]["message"] if row["lastError"] else None),
        "asked": time("Asked for", "createdAt"),
    }
    table = Table(visit, columns, found.rows("promotions"), "Newest first", NONE_YET)
    counts, form = _counts(found.answer.get("stats", {})), _form(visit, wrong)
    return listing("Promotions", found, table, filter_=FILTER, before=counts, form=form, status=status)


def _counts(stats: Mapping[str, int]) -> Markup:
    tiles = [
        parts.tile(name, number, to=parts.address(HERE, {"status": name}) if name in STATUSES else HERE)
        for name, number in stats.items()
    ]
    return element("div", tiles, class_="tiles")


def _form(visit: Visit, wrong: Mapping[str, str]) -> Child:
    if not visit.may(Permission.PROMOTIONS_WRITE):
        return None
    fields = forms.input_fields(FIELDS, visit.form, wrong)
    return forms.section(visit, "Promote a listing", HERE, fields, forms.button("Promote it", kind="strong"), wrong)


def _cancel(visit: Visit, one: Mapping[str, Any]) -> Child:
    if not visit.may(Permission.PROMOTIONS_WRITE) or one["status"] not in ("pending", "ready"):
        return None
    button = forms.button("Take it back", kind="danger")
    return forms.form(visit, f"{ONE}/cancel", button, hidden={"id": one["id"]}, class_="buttons")


def _to(row: Row) -> Markup:
    return parts.link(row["id"], ONE, {"id": row["id"]})
