"""Records as JSON documents: what the API takes and shows, what is stored, hashed and compared. Pure.

What `of_document` makes is in one normal form, so that two documents that mean the same are equal: texts in Unicode's
composed form (NFC), amounts as Sluice writes them, aspects and product ids in order. A document holds strings, whole
numbers, booleans, lists and objects; what is not said is left out.
"""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final

from sluice.listings.ebay.desired import (
    HEAL_ALL,
    BestOffer,
    Desired,
    FieldGroup,
    Group,
    Json,
    OnDrift,
    Policies,
    PolicyRef,
    Price,
    Product,
    Status,
)
from sluice.platform import money
from sluice.platform.unicode_text import composed

POLICY_NAMES: Final = ("fulfillment", "payment", "return")


def of_document(raw: Mapping[str, Any]) -> Desired:
    """The record that a checked document describes, in normal form. Fields that are null count as left out.

    Raises:
        KeyError, ValueError: the document was not checked.
    """
    doc = _composed(raw)
    price = doc["price"]
    policies = doc["policies"]
    offer = doc.get("bestOffer")
    currency = price["currency"]
    return Desired(
        sku=doc["sku"],
        marketplace=doc["marketplace"],
        language=doc["language"],
        title=doc["title"],
        condition=doc["condition"],
        category=doc["category"],
        images=tuple(doc["images"]),
        price=Price(money.amount(price["amount"], currency), currency),
        quantity=doc["quantity"],
        policies=Policies(*(PolicyRef(**policies[name]) for name in POLICY_NAMES)),
        location=doc["location"],
        status=Status(doc.get("status", Status.ACTIVE)),
        subtitle=doc.get("subtitle"),
        description=doc.get("description"),
        condition_description=doc.get("conditionDescription"),
        aspects=_aspects(doc.get("aspects", {})),
        product=_product(doc.get("product", {})),
        best_offer=None if offer is None else _best_offer(offer, currency),
        auto_promote=doc.get("autoPromote", False),
        ad_rate=f"{Decimal(str(doc['adRate'])):.1f}" if "adRate" in doc else None,
        on_drift=_on_drift(doc.get("onDrift", {})),
        group=doc.get("group"),
    )


def document(desired: Desired) -> Json:
    """The record as the API shows it: strings, whole numbers and booleans; what is not said is left out."""
    product = {name: list(value) if isinstance(value, tuple) else value for name, value in _given(desired.product)}
    shown: Json = {
        "sku": desired.sku,
        "marketplace": desired.marketplace,
        "language": desired.language,
        "status": str(desired.status),
        "title": desired.title,
        "subtitle": desired.subtitle,
        "description": desired.description,
        "condition": desired.condition,
        "conditionDescription": desired.condition_description,
        "category": desired.category,
        "aspects": _listed(desired.aspects),
        "images": list(desired.images),
        "product": product or None,
        "price": desired.price._asdict(),
        "quantity": desired.quantity,
        "policies": policies_document(desired.policies),
        "location": desired.location,
        "bestOffer": None if desired.best_offer is None else dict(_given(desired.best_offer)),
        "autoPromote": desired.auto_promote,
        "adRate": desired.ad_rate,
        "onDrift": {str(group): str(desired.on_drift[group]) for group in FieldGroup},
        "group": desired.group,
    }
    return {name: value for name, value in shown.items() if value is not None}


def policies_document(policies: Policies) -> Json:
    """Policies as a document."""
    return {name: dict(_given(ref)) for name, ref in zip(POLICY_NAMES, policies, strict=True)}


def group_of_document(raw: Mapping[str, Any]) -> Group:
    """As `of_document`, of a group."""
    doc = _composed(raw)
    return Group(
        key=doc["key"],
        marketplace=doc["marketplace"],
        language=doc["language"],
        title=doc["title"],
        description=doc["description"],
        images=tuple(doc["images"]),
        varies_by=tuple(doc["variesBy"]),
        images_vary_by=tuple(doc.get("imagesVaryBy", ())),
        subtitle=doc.get("subtitle"),
        aspects=_aspects(doc.get("aspects", {})),
        status=Status(doc.get("status", Status.ACTIVE)),
    )


def group_document(group: Group) -> Json:
    """As `document`, of a group."""
    shown: Json = {
        "key": group.key,
        "marketplace": group.marketplace,
        "language": group.language,
        "status": str(group.status),
        "title": group.title,
        "subtitle": group.subtitle,
        "description": group.description,
        "images": list(group.images),
        "aspects": _listed(group.aspects),
        "variesBy": list(group.varies_by),
        "imagesVaryBy": list(group.images_vary_by),
    }
    return {name: value for name, value in shown.items() if value is not None}


def _composed(value: Any) -> Any:
    """`value` with every text, names of aspects too, in Unicode's composed form; nulls of objects left out."""
    if isinstance(value, str):
        return composed(value)
    if isinstance(value, Mapping):
        return {_composed(name): _composed(one) for name, one in value.items() if one is not None}
    if isinstance(value, list | tuple):
        return [_composed(one) for one in value]
    return value


def _aspects(said: Mapping[str, list[str]]) -> Mapping[str, tuple[str, ...]]:
    return {name: tuple(sorted(set(values))) for name, values in sorted(said.items())}


def _listed(aspects: Mapping[str, tuple[str, ...]]) -> Json | None:
    return {name: list(values) for name, values in aspects.items()} or None


def _on_drift(said: Mapping[str, str]) -> Mapping[FieldGroup, OnDrift]:
    return {**HEAL_ALL, **{FieldGroup(name): OnDrift(word) for name, word in said.items()}}


def _product(said: Json) -> Product:
    values: Json = {name: tuple(sorted(set(one))) if isinstance(one, list) else one for name, one in said.items()}
    return Product(**values)


def _best_offer(said: Mapping[str, Any], currency: str) -> BestOffer:
    return BestOffer(**{name: money.amount(value, currency) for name, value in said.items()})


def _given(value: Any) -> list[tuple[str, Any]]:
    """The fields of a named tuple that say something."""
    return [(name, one) for name, one in value._asdict().items() if one is not None and one != ()]
