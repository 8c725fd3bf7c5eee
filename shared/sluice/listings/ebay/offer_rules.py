"""What eBay takes of an offer: price, policies, best offers; and what an ad may cost. Pure. See `rules`."""

import re
from decimal import Decimal
from typing import Final

from sluice.listings.ebay.item_rules import DIGITS, Doc, Problems, one_line
from sluice.marketplaces import advertising
from sluice.marketplaces.ebay.sites import EBAY_SITES
from sluice.marketplaces.publishing import POLICY_KINDS
from sluice.platform import money
from sluice.platform.http.errors import FieldError

MOST_LOCATION: Final = 36
MOST_POLICY_NAME: Final = 64
# Ours: what no shop has.
MOST_QUANTITY: Final = 1_000_000


def site(doc: Doc) -> Problems:
    """Where it is listed."""
    found = EBAY_SITES.get(doc["marketplace"])
    if found is None:
        yield FieldError("marketplace", f"must be one of {', '.join(EBAY_SITES)}")
    elif doc["language"] not in found.locales:
        yield FieldError("language", f"must be {' or '.join(found.locales)} at {doc['marketplace']}")


def offered(doc: Doc) -> Problems:
    """In which category, from where, and how many."""
    if not re.fullmatch(DIGITS, doc["category"]):
        yield FieldError("category", "must be eBay's id of a leaf category, in digits")
    yield from one_line("location", doc["location"], MOST_LOCATION)
    if not 0 <= doc["quantity"] <= MOST_QUANTITY:
        yield FieldError("quantity", f"must be 0 to {MOST_QUANTITY}")


def price(doc: Doc) -> Problems:
    """The price, and what is taken for it."""
    price, site = doc["price"], EBAY_SITES.get(doc["marketplace"])
    currency = price["currency"]
    if site is not None and currency != site.currency:
        yield FieldError("price.currency", f"must be {site.currency} at {doc['marketplace']}")
        return
    amount, why = _amount(price["amount"], currency)
    if why:
        yield FieldError("price.amount", why)
    if doc.get("bestOffer") is not None:
        yield from _best_offer(doc, amount, currency)


def _best_offer(doc: Doc, price: Decimal | None, currency: str) -> Problems:
    """eBay Inventory API, `bestOfferTerms`: what is declined is below what is accepted, and that below the price."""
    if doc.get("group") is not None:
        yield FieldError("bestOffer", "must be left out of a member of a group: eBay takes none there")
    limits = [("price", price)]
    for name in ("accept", "decline"):
        said = doc["bestOffer"].get(name)
        if said is None:
            continue
        amount, why = _amount(said, currency)
        if why:
            yield FieldError(f"bestOffer.{name}", why)
        elif amount is not None:
            below, most = limits[-1]
            if most is not None and amount >= most:
                yield FieldError(f"bestOffer.{name}", f"must be below {below}")
            limits.append((f"bestOffer.{name}", amount))


def _amount(said: object, currency: str) -> tuple[Decimal | None, str | None]:
    try:
        return Decimal(money.amount(said, currency)), None
    except ValueError as error:
        return None, str(error)


def policies(doc: Doc) -> Problems:
    """The business policies."""
    for kind in POLICY_KINDS:
        field, ref = f"policies.{kind}", doc["policies"][kind]
        said = [name for name in ("id", "name") if ref.get(name) is not None]
        if len(said) != 1:
            yield FieldError(field, "must name the policy by id or by name: one of the two")
        elif said == ["name"]:
            yield from one_line(f"{field}.name", ref["name"], MOST_POLICY_NAME)
        elif not re.fullmatch(DIGITS, ref["id"]):
            yield FieldError(f"{field}.id", "must be eBay's id of the policy, in digits")


def promotion(doc: Doc) -> Problems:
    """The ad."""
    rate = doc.get("adRate")
    if rate is None:
        if doc.get("autoPromote"):
            yield FieldError("adRate", "is required with autoPromote")
        return
    try:
        advertising.rate(str(rate))
    except ValueError as error:
        yield FieldError("adRate", str(error))
