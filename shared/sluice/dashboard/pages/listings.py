"""Listings at StockX and the operations that change them: what happened to a listing, and changing it."""

from collections.abc import Mapping
from typing import Any, Final

from markupsafe import Markup

from sluice.dashboard import forms, parts, stale
from sluice.dashboard.ask import ApiRefusal
from sluice.dashboard.html import Child, element, join
from sluice.dashboard.page import Page, Redirect
from sluice.dashboard.pages import work
from sluice.dashboard.search import Filter, listing, search
from sluice.dashboard.table import Column, Row, Table, amount, state, text, time
from sluice.dashboard.visit import Visit
from sluice.platform.http.auth import Permission

HERE, ONE, OPERATION = "/dashboard/listings", "/dashboard/listing", "/dashboard/operation"
ALL: Final = "/v1/stockx/listings"
ROUTE: Final = f"{ALL}/{{listing_id}}"
STATUSES: Final = ("PENDING", "ACTIVE", "INACTIVE", "DELETED", "SOLD", "CANCELED", "FAILED", "UNCONFIRMED")
FILTER: Final = Filter({"sku": "SKU", "variantId": "Variant id"}, {"status": ("Status", STATUSES)})
NONE_YET: Final = "No listing. Offer something with POST /v1/stockx/listings, and follow it here."
NO_CHANGES: Final = "No listing was changed in these hours."
# What a listing in this state can be asked to do: the button, and the API's request.
DOES: Final[Mapping[str, tuple[tuple[str, str], ...]]] = {
    "ACTIVE": (("Take off the market", "deactivate"),),
    "INACTIVE": (("Put on the market", "activate"),),
}
TERMS: Final = {"amount": "Price", "currency": "Currency, as it is if empty", "expiresAt": "Until, as it is if empty"}


def show_operations(visit: Visit) -> Page:
    """How changes of listings fared: asynchronous operations, followed until the marketplace confirms them."""
    label = "Your listings and what is being changed of them"
    way = parts.link(label, HERE) if visit.may(Permission.LISTINGS_READ) else None
    return work.show(visit, "Operations", "/v1/operator/operations", NO_CHANGES, way)


def show_all(visit: Visit) -> Page:
    """Listings with the changes that are under way."""
    found = search(visit, ALL, FILTER.asked(visit))
    columns = {
        "id": Column("Listing", lambda row: row["listingId"], lambda row: _to(row["listingId"])),
        "status": state("Status", "status"),
        "sku": Column("SKU", lambda row: row["sku"] or row["variantId"]),
        "size": Column("Size", lambda row: _size(row)),
        "price": amount("Price", "amount"),
        "reference": text("Reference", "reference"),
        "open": Column("Under way", lambda row: ", ".join(one["action"] for one in row["changes"]) or None),
        "updated": time("Changed", "updatedAt"),
    }
    table = Table(visit, columns, found.rows("listings"), "By id", NONE_YET)
    return listing("StockX listings", found, table, filter_=FILTER)


def show_one(visit: Visit) -> Page:
    """One listing: what is known of it, what is under way, and what became of each change."""
    return _one(visit, visit.query.get("id", ""), {}, 200)


def change(visit: Visit) -> Page | Redirect:
    """Ask for another price, or another end."""
    listing_id, body = visit.form.get("id", ""), visit.filled(*TERMS)
    one = visit.get(ROUTE, path={"listing_id": listing_id})
    stands, wanted = _stands(one), _stands({**one, **body})
    if stale.is_done(visit, stands, wanted):
        return Redirect(_address(listing_id))
    if stale.changes(visit, stands):
        return _one(visit, listing_id, {}, stale.CONFLICT)
    try:
        visit.do(f"PATCH {ROUTE}", body, path={"listing_id": listing_id})
    except ApiRefusal as refused:
        return _one(visit, listing_id, refused.named("amount"), refused.status)
    return Redirect(_address(listing_id))


def activate(visit: Visit) -> Redirect:
    """Put it on the market."""
    return _done(visit, f"POST {ROUTE}/activate", {})


def deactivate(visit: Visit) -> Redirect:
    """Take it off the market."""
    return _done(visit, f"POST {ROUTE}/deactivate", None)


def delete(visit: Visit) -> Redirect:
    """Take it away for good."""
    return _done(visit, f"DELETE {ROUTE}", None)


def show_operation(visit: Visit) -> Page:
    """One operation: how far it is, and what came of it."""
    found = visit.get("/v1/operations/{job_id}", path={"job_id": visit.query.get("id", "")})
    error = found["error"]
    facts = {
        "action": found["action"].lower(),
        "listings": [[_to(one), " "] for one in found["listingIds"]] or parts.NONE,
        "operation at StockX": found["operationId"] or parts.NONE,
        "sent": parts.moment(found["startedAt"]),
        "next check": parts.moment(found["nextCheckAt"]),
        "items of the batch": ", ".join(f"{n} {name.lower()}" for name, n in (found["counts"] or {}).items()) or None,
    }
    body = [
        element("p", parts.word(found["status"].lower()), " ", error and error["message"], class_="told"),
        parts.facts({name: told for name, told in facts.items() if told is not None}),
        parts.section("What came of it", parts.as_json(found["result"])) if found["result"] else None,
    ]
    return Page(f"Operation {found['jobId']}", join(body), refreshes=found["status"] == "IN_PROGRESS")


def _done(visit: Visit, route: str, body: Mapping[str, Any] | None) -> Redirect:
    listing_id = visit.form.get("id", "")
    visit.do(route, body, path={"listing_id": listing_id})
    return Redirect(_address(listing_id))


def _one(visit: Visit, listing_id: str, wrong: Mapping[str, str], status: int) -> Page:
    path = {"listing_id": listing_id}
    one, past = visit.get(ROUTE, path=path), search(visit, f"{ROUTE}/history", {}, path=path)
    under_way = Table(visit, UNDER_WAY, one["changes"], "Under way, oldest first", "Nothing is under way.", "open")
    history = Table(visit, PAST, past.rows("history"), "Oldest first", "No change of it is final yet.", "history")
    happened = listing("", past, history)
    body = [
        element("p", parts.word(one["status"].lower()), " ", _known(one), class_="told"),
        _buttons(visit, one),
        parts.section("What it is", parts.facts(_facts(one))),
        parts.section("Not known", [_unconfirmed(each) for each in one["unconfirmed"]]) if one["unconfirmed"] else None,
        parts.section("What is being changed", under_way.html()),
        parts.section("What happened", happened.body),
        _terms(visit, one, wrong),
    ]
    return Page(
        f"Listing {listing_id}",
        join(body),
        max(status, happened.status),
        refreshes=bool(one["changes"]) and not wrong,
        tables=(under_way, history),
    )


UNDER_WAY: Final = {
    "what": Column("What", lambda row: row["action"].lower()),
    "price": amount("Price", "amount"),
    "running": Column("The marketplace has it", lambda row: "yes" if row["running"] else "no"),
    "who": text("Asked by", "requestedBy"),
    "asked": time("Asked", "requestedAt"),
    "operation": Column("Operation", lambda row: row["jobId"], lambda row: _to_operation(row["jobId"])),
}
PAST: Final = {
    "at": time("When", "changedAt"),
    "what": Column("What", lambda row: row["action"].lower()),
    "status": state("Became", "status"),
    "who": text("Asked by", "changedBy"),
    "error": Column("Error", lambda row: _error(row["metadata"])),
    "operation": Column(
        "Operation", lambda row: row["metadata"].get("jobId"), lambda row: _to_operation(row["metadata"].get("jobId"))
    ),
}


def _error(metadata: Mapping[str, Any]) -> str | None:
    error = metadata.get("error")
    if not isinstance(error, Mapping):
        return str(error) if error else None
    return ": ".join(str(error[name]) for name in ("code", "message") if error.get(name))


def _facts(one: Mapping[str, Any]) -> dict[str, Child]:
    return {
        "at StockX": one["marketplaceId"] or parts.NONE,
        "SKU": one["sku"] or parts.NONE,
        "variant": one["variantId"],
        "size": _size(one) or parts.NONE,
        "price": parts.money(one, "amount") or parts.NONE,
        "until": parts.moment(one["expiresAt"]),
        "reference": one["reference"] or parts.NONE,
        "made": parts.moment(one["createdAt"]),
        "changed": parts.moment(one["updatedAt"]),
    }


def _known(one: Mapping[str, Any]) -> str | None:
    if one["status"] != "UNCONFIRMED":
        return None
    return f"Nobody knows yet what became of a change; it was {one['lastStatus'].lower()} before."


def _unconfirmed(one: Mapping[str, Any]) -> Markup:
    return element(
        "p",
        f"{one['action'].lower()}, sent ",
        parts.moment(one["sentAt"]),
        f": {one['message']} It is checked by itself: ",
        _to_operation(one["checkJobId"]),
    )


def _buttons(visit: Visit, one: Mapping[str, Any]) -> Markup | None:
    if not visit.may(Permission.LISTINGS_WRITE) or one["status"] in ("DELETED", "SOLD", "CANCELED", "FAILED"):
        return None
    hidden = {"id": one["listingId"]}
    made: list[Child] = [
        forms.form(visit, f"{ONE}/{word}", forms.button(label), hidden=hidden)
        for label, word in DOES.get(one["status"], ())
    ]
    made.append(forms.sure(visit, "Delete", f"{ONE}/delete", "It is taken away at StockX for good.", hidden))
    return element("div", made, class_="buttons")


def _terms(visit: Visit, one: Mapping[str, Any], wrong: Mapping[str, str]) -> Markup | None:
    if not visit.may(Permission.LISTINGS_WRITE) or one["status"] not in ("ACTIVE", "INACTIVE", "PENDING"):
        return None
    fields, hidden = forms.input_fields(TERMS, visit.form, wrong), {"id": one["listingId"]}
    stands, sends = _stands(one), forms.button("Change it")
    return stale.section(visit, stands, "Another price", f"{ONE}/change", fields, sends, wrong, hidden=hidden)


def _stands(one: Mapping[str, Any]) -> dict[str, str]:
    """What holds of a listing's terms, in words."""
    price = f"{parts.exact(one['amount'])} {one['currency'] or ''}".strip() if one["amount"] else ""
    return {"price": price, "until": one["expiresAt"] or ""}


def _size(row: Row) -> str | None:
    return f"{row['sizeSystem'] or ''} {row['size']}".strip() if row["size"] else None


def _to(listing_id: str) -> Markup:
    return parts.link(listing_id, ONE, {"id": listing_id})


def _to_operation(job_id: str | None) -> Markup | None:
    return parts.link(parts.breakable(job_id), OPERATION, {"id": job_id}) if job_id else None


def _address(listing_id: str) -> str:
    return parts.address(ONE, {"id": listing_id})
