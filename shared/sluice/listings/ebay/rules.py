"""Every limit that eBay has for a listing, checked before anything is stored, by the name of our own field. Pure.

Sources: eBay Inventory API (createOrReplaceInventoryItem, createOffer, createOrReplaceInventoryItemGroup) and what it
was seen to refuse. Its document has neither lengths nor required fields, so they stand here. What a category asks of
its items (aspects, conditions) is eBay's to say: `category_problems` takes it as a value.
"""

import re
from collections.abc import Collection
from typing import Final

from sluice.listings.ebay import item_rules, offer_rules
from sluice.listings.ebay.item_rules import Doc, Problems
from sluice.platform.http.errors import FieldError
from sluice.platform.packing import pack

MOST_SKU: Final = 50
# What a table's item can hold of a record, which is kept there several times.
MOST_PACKED_BYTES: Final = 90_000
BRANDS: Final = ("Brand", "Marke", "Marque", "Marca", "Merk")
MPNS: Final = ("MPN", "Manufacturer Part Number", "Herstellernummer", "Numéro de pièce fabricant")
NAME: Final = r"[A-Za-z0-9][A-Za-z0-9._-]*"


def sku_problem(sku: str, field: str = "sku") -> FieldError | None:
    """What is wrong with the name of a record, or with the key of a group."""
    if 1 <= len(sku) <= MOST_SKU and re.fullmatch(NAME, sku):
        return None
    return FieldError(field, f"must be 1 to {MOST_SKU} of A-Z, a-z, 0-9, . _ and -, and begin with a letter or digit")


def problems(doc: Doc) -> list[FieldError]:
    """All that is wrong with a record's document, of which the types are right; nothing where it can be stored."""
    checks = (
        _names,
        offer_rules.site,
        offer_rules.offered,
        item_rules.texts,
        item_rules.condition,
        item_rules.product,
        item_rules.aspects,
        item_rules.images,
        offer_rules.price,
        offer_rules.policies,
        offer_rules.promotion,
    )
    return [problem for check in checks for problem in check(doc)]


def group_problems(doc: Doc) -> list[FieldError]:
    """The same of a group's document."""
    checks = (
        _names,
        offer_rules.site,
        item_rules.texts,
        item_rules.aspects,
        item_rules.images,
        item_rules.varying,
    )
    return [problem for check in checks for problem in check(doc)]


def problems_as_sent(doc: Doc) -> list[FieldError]:
    """What is wrong with the document of a record or a group whose texts were put as they are sent."""
    return [problem for check in (item_rules.cleaned, _size) for problem in check(doc)]


def category_problems(
    doc: Doc, required: Collection[str], conditions: Collection[str], single: Collection[str] = ()
) -> list[FieldError]:
    """What the record's category asks for and the record has not.

    required: aspects that the category's items must have. conditions: those that it allows; none where that is not
    known. single: aspects that take one value.
    """
    aspects = doc.get("aspects") or {}
    product = doc.get("product") or {}
    # eBay makes aspects of these, in the site's language.
    said = {*aspects, *(BRANDS if product.get("brand") else ()), *(MPNS if product.get("mpn") else ())}
    found = [
        FieldError(f"aspects.{name}", f"is required in category {doc['category']}")
        for name in sorted(required)
        if name not in said
    ]
    if conditions and doc["condition"] not in conditions:
        allowed = ", ".join(sorted(conditions))
        found.append(FieldError("condition", f"is not allowed in category {doc['category']}; it takes {allowed}"))
    several = [name for name in sorted(single) if len(aspects.get(name) or ()) > 1]
    return [*found, *(FieldError(f"aspects.{name}", "takes one value in this category") for name in several)]


def _names(doc: Doc) -> Problems:
    name = "key" if "key" in doc else "sku"
    if problem := sku_problem(doc[name], name):
        yield problem
    if doc.get("group") is not None and (problem := sku_problem(doc["group"], "group")):
        yield problem


def _size(doc: Doc) -> Problems:
    packed = len(pack(doc))
    if packed > MOST_PACKED_BYTES:
        yield FieldError(
            _largest(doc), f"is too much to be kept: the record packs to {packed} bytes of {MOST_PACKED_BYTES}"
        )


def _largest(doc: Doc) -> str:
    """The field that takes most of what is kept."""
    product = doc.get("product") or {}
    fields = {**doc, **{f"product.{name}": value for name, value in product.items()}}
    fields.pop("product", None)
    return max(fields, key=lambda name: len(pack(fields[name])))
