"""The form that changes an item of the portfolio: its units by what they cost, its category, where it is priced."""

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from markupsafe import Markup

from sluice.dashboard import forms, parts, stale
from sluice.dashboard.html import element
from sluice.dashboard.pages import portfolio_prices as prices
from sluice.dashboard.table import Row
from sluice.dashboard.visit import Visit
from sluice.platform.http.auth import Permission

TO: Final = "/dashboard/portfolio/change"
UNITS: Final = {"quantity": "Units", "cost": "Cost of each", "currency": "Its currency"}
ABOUT: Final = (
    "These are all units that you own, by what they cost: leave a lot empty to take its units away, and fill in the "
    "last one for units that cost something else."
)


class Change(NamedTuple):
    """What a form asks for.

    body: of the API's PATCH; empty if it is as it stands. wanted: what stands when it is done, for `stale`.
    names: the fields of the form, by what the API calls them.
    """

    body: Mapping[str, Any]
    wanted: stale.Stands
    names: Mapping[str, str]


def stands(one: Row) -> dict[str, str]:
    """What the form shows of the item, in words."""
    return {
        "units": "; ".join(_unit(lot) for lot in one["lots"]),
        "category": one["category"] or "",
        "priced at": ", ".join(prices.named(price["marketplace"]) for price in one["prices"]),
    }


def read(visit: Visit, one: Row) -> Change:
    """What the form asks for, of the item as it stands."""
    rows = {name.partition(".")[2] for name in visit.form if name.startswith("quantity.")}
    filled = {number: _filled(visit, number) for number in sorted(rows, key=lambda text: text.zfill(4))}
    lots = {number: lot for number, lot in filled.items() if lot}
    places = [name for name in prices.NAMES if name in visit.ticked("marketplace")]
    wanted = {
        "units": "; ".join(_unit(lot | {"currency": lot.get("currency", one["currency"])}) for lot in lots.values()),
        "category": visit.form.get("category", ""),
        "priced at": ", ".join(map(prices.named, places)),
    }
    said = {"units": ("lots", list(lots.values())), "category": ("category", wanted["category"])}
    said["priced at"] = ("marketplaces", places)
    now = stands(one)
    body = {field: value for name, (field, value) in said.items() if wanted[name] != now[name]}
    names = {f"lots[{place}].{field}": f"{field}.{number}" for place, number in enumerate(lots) for field in UNITS}
    return Change(body, wanted, {**names, "lots": "units", "marketplaces": "marketplace"})


def section(visit: Visit, one: Row, wrong: Mapping[str, str]) -> Markup | None:
    """The form."""
    if not visit.may(Permission.INVENTORY_WRITE):
        return None
    sent = "category" in visit.form
    fields: dict[str, Markup] = {}
    for number in range(max(len(one["lots"]), _sent_lots(visit)) + 1):
        lot = one["lots"][number] if number < len(one["lots"]) else {}
        given = {f"{name}.{number}": "" if lot.get(name) is None else str(lot[name]) for name in UNITS}
        labels = {f"{name}.{number}": label for name, label in UNITS.items()}
        found = forms.input_fields(labels, visit.form if sent else given, wrong)
        fields |= dict.fromkeys(found, Markup(""))  # each has its place in the line, and its own error
        legend = element("legend", f"Lot {number + 1}" if lot else "Another lot")
        fields[f"quantity.{number}"] = element("fieldset", legend, found.values(), class_="row")
    category = visit.form.get("category") if sent else one["category"]
    fields["category"] = forms.input_field("category", "Category", category, wrong.get("category"), maxlength=64)
    places = visit.ticked("marketplace") if sent else [price["marketplace"] for price in one["prices"]]
    named = dict(prices.NAMES)
    fields["marketplace"] = forms.ticks("marketplace", "Priced at", named, places, wrong.get("marketplace"))
    hidden, sends = {"id": one["itemId"]}, forms.button("Change it", kind="strong")
    about = element("p", ABOUT, class_="note")
    return stale.section(visit, stands(one), "Change it", TO, fields, sends, wrong, told=about, hidden=hidden)


def _sent_lots(visit: Visit) -> int:
    """How many lots the form that was sent has, with those that were left empty between them."""
    numbers = [name.partition(".")[2] for name in visit.form if name.startswith("quantity.")]
    return max((int(one) + 1 for one in numbers if one.isdecimal() and len(one) < 4 and _filled(visit, one)), default=0)


def _filled(visit: Visit, number: str) -> dict[str, Any]:
    """A line of the form in the API's words; nothing of one that is empty."""
    found: dict[str, Any] = {
        name: visit.form[f"{name}.{number}"].strip() for name in UNITS if visit.form.get(f"{name}.{number}")
    }
    if set(found) <= {"currency"}:
        return {}
    if "cost" not in found:
        found.pop("currency", None)
    if found.get("quantity", "").isdecimal():
        found["quantity"] = int(found["quantity"])
    return found


def _unit(lot: Mapping[str, Any]) -> str:
    """Units in words, the cost as the API writes it."""
    quantity, cost = lot.get("quantity", 1), lot.get("cost")
    if not cost:
        return f"{quantity} of unknown cost"
    return f"{quantity} at {parts.exact(str(cost))} {lot.get('currency') or ''}".strip()
