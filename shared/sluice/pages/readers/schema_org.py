"""schema.org products, as JSON-LD has them: Product, ProductGroup, offers in all their forms."""

import re
from decimal import Decimal
from itertools import islice
from typing import Any

from sluice.pages import money_text, reading
from sluice.pages.readers.page import PageSource, gtin, identity, mapping, sequence, squeeze
from sluice.pages.reading import Availability, Money, Reading, ReadOutcome, ReadVariant

SOURCE = "json-ld"
MOST_NODES = 5_000

_AVAILABILITY = {
    **dict.fromkeys(("instock", "limitedavailability", "onlineonly"), Availability.IN),
    **dict.fromkeys(("outofstock", "soldout", "discontinued", "instoreonly", "reserved"), Availability.OUT),
    **dict.fromkeys(("preorder", "presale"), Availability.PREORDER),
    **dict.fromkeys(("backorder", "madetoorder"), Availability.BACKORDER),
}
# Kinds of a price that are not what is paid.
_NOT_THE_PRICE = ("listprice", "strikethroughprice", "msrp", "srp", "minimumadvertisedprice", "regularprice")
_OPTIONS = ("size", "color", "colour", "material", "pattern")
# Where nodes are that stand by themselves.
_INSIDE = ("@graph", "mainEntity", "mainEntityOfPage")
# Of a product's further properties so many are looked at. No more variants than may be known are read, nor offers.
_MOST_PROPERTIES = 100
_MOST_READ = reading.MOST_VARIANTS + 1


def availability(value: Any) -> Availability:
    """What `https://schema.org/InStock`, `schema:InStock` or `in stock` says."""
    if isinstance(value, dict):
        value = value.get("@id") or value.get("name")
    if not isinstance(value, str):
        return Availability.UNKNOWN
    word = re.split(r"[/:#]", value.strip())[-1]
    return _AVAILABILITY.get(re.sub(r"[\s_-]", "", word).lower(), Availability.UNKNOWN)


def read(page: PageSource) -> Reading | None:
    """The product of the page's JSON-LD; None where it has none."""
    nodes = _nodes(page.json_ld)
    found = [node for node in nodes if _is(node, "ProductGroup")] or [node for node in nodes if _is(node, "Product")]
    roots = _roots(found)
    if len(roots) > 1:
        roots = _main(roots, page) or roots
    if not roots:
        return None
    if len(roots) == 1 and _is_another(roots[0], page):
        name = squeeze(roots[0].get("name"))[:80]
        return Reading(ReadOutcome.UNCLEAR, SOURCE, f"the page's only product is another one: {name}")
    titles = {squeeze(node.get("name")) for node in roots}
    if len(roots) > 1 and not _one_product(roots):
        return Reading(
            ReadOutcome.UNCLEAR, SOURCE, f"the page has {len(roots)} products: {', '.join(sorted(titles))[:150]}"
        )
    by_id = {str(node["@id"]): node for node in nodes if isinstance(node.get("@id"), str) and len(node) > 1}
    variants = list(islice((variant for node in roots for variant in _product(node, by_id)), _MOST_READ))
    title = squeeze(roots[0].get("name")) or page.title
    several = len(variants) > 1
    return reading.product(SOURCE, title, variants, "JSON-LD of the page", complete=several)


def currencies(page: PageSource) -> set[str]:
    """Every currency that the page's JSON-LD names, wherever it stands."""
    found, waiting = set[str](), list(page.json_ld)
    for _ in range(MOST_NODES):
        if not waiting:
            break
        value = waiting.pop()
        if isinstance(value, list):
            waiting += value
        elif isinstance(value, dict):
            waiting += value.values()
            if code := money_text.currency(value.get("priceCurrency")):
                found.add(code)
    return found


def _nodes(values: list[Any]) -> list[dict[str, Any]]:
    """Every object that stands by itself, in a list or in a `@graph`, or is what a page is mainly about."""
    # The next one is the last of those that wait: each is taken once, however many there are.
    found, waiting = list[dict[str, Any]](), values[::-1]
    while waiting and len(found) < MOST_NODES:
        value = waiting.pop()
        if isinstance(value, list):
            waiting += reversed(value)
        elif isinstance(value, dict):
            found.append(value)
            waiting += [value[name] for name in reversed(_INSIDE) if isinstance(value.get(name), list | dict)]
    return found


def _is(node: dict[str, Any], kind: str) -> bool:
    names = [str(name).rsplit("/", 1)[-1].rsplit(":", 1)[-1] for name in sequence(node.get("@type"))]
    return kind in names or (kind == "Product" and any(name in ("IndividualProduct", "ProductModel") for name in names))


def _roots(nodes: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Those that can be bought, each once: a page repeats its product, and mentions others without an offer."""
    with_offers = [node for node in nodes if node.get("offers") or node.get("hasVariant")]
    distinct = {repr(sorted(_own(node).items())): node for node in with_offers or nodes[:1]}
    return list(distinct.values())


def _own(node: dict[str, Any]) -> dict[str, Any]:
    """What a node says but for those inside of it, which stand by themselves, as text."""
    return {name: repr(value) for name, value in node.items() if name not in _INSIDE}


def _main(roots: list[dict[str, Any]], page: PageSource) -> list[dict[str, Any]]:
    """That which names the page's own address, if one does."""
    own = {_path(page.url), _path(page.canonical)} - {""}
    return [node for node in roots if {_path(node.get("url")), _path(node.get("@id"))} & own]


def _is_another(node: dict[str, Any], page: PageSource) -> bool:
    """Whether a product is one that the page only recommends: it has another address, and not the page's name.

    A page that is no more, and says so to people alone, shows such a one.
    """
    own = {_last(page.url), _last(page.canonical)} - {""}
    address, name = _last(node.get("url")), squeeze(node.get("name")).lower()
    return bool(address and own and address not in own and name and name not in page.title.lower())


def _last(url: Any) -> str:
    """The last part of a URL's path; empty for a start page."""
    return _path(url).partition("/")[2].rpartition("/")[2].lower()


def _path(url: Any) -> str:
    if not isinstance(url, str):
        return ""
    # A dot takes line breaks too: where it stopped at one, each `?` before that was tried, and a long text took hours.
    return re.sub(r"(?s)^https?://(www\.)?|[?#].*|/$", "", url.strip())


def _one_product(roots: list[dict[str, Any]]) -> bool:
    """Whether these are variants of one product: they name one group, or have one name and ids that differ."""
    groups = {identity(node.get("inProductGroupWithID")) for node in roots}
    if len(groups) == 1 and "" not in groups:
        return True
    skus = [_id(node) for node in roots]
    return len({squeeze(node.get("name")) for node in roots}) == 1 and "" not in skus and len(set(skus)) == len(skus)


def _product(node: dict[str, Any], by_id: dict[str, dict[str, Any]]) -> list[ReadVariant]:
    parts = [by_id.get(str(part.get("@id")), part) for part in map(mapping, sequence(node.get("hasVariant")))]
    if parts:
        return list(islice((variant for part in parts for variant in _offers(part)), _MOST_READ))
    return _offers(node)


def _offers(node: dict[str, Any]) -> list[ReadVariant]:
    """One variant for each offer; offers stand alone, in lists, and inside of an AggregateOffer."""
    offers = list[dict[str, Any]]()
    for offer in map(mapping, sequence(node.get("offers"))):
        inner = [mapping(one) for one in sequence(offer.get("offers"))]
        offers += [{"priceCurrency": offer.get("priceCurrency"), **one} for one in inner if one] or [offer]
    if not offers:
        return [_variant(node, {}, _id(node))]
    if len(offers) == 1:
        return [_variant(node, offers[0], _id(node) or _id(offers[0]))]
    known = offers[:_MOST_READ]
    ids = [_id(offer) for offer in known]
    if "" in ids or len(set(ids)) < len(ids):
        return _sellers(node, known, len(offers))
    return [_variant(node, offer, own) for offer, own in zip(known, ids, strict=True)]


def _sellers(node: dict[str, Any], offers: list[dict[str, Any]], there: int) -> list[ReadVariant]:
    """Offers that cannot be told apart are one variant, known as far as they all agree, and all of them are read.

    there: how many the page has, of which `offers` are the first.
    """
    read = [_variant(node, offer, _id(node)) for offer in offers]
    first, whole = read[0], len(read) < _MOST_READ
    price = first.price if whole and all(one.price == first.price for one in read) else None
    agree = whole and all(one.availability == first.availability for one in read)
    stock = first.availability if agree else Availability.UNKNOWN
    text = f"{there} offers without ids"
    return [ReadVariant(first.id, first.options, price, stock, first.sku, first.gtin, text)]


def _variant(node: dict[str, Any], offer: dict[str, Any], own: str) -> ReadVariant:
    item = {**node, **{key: value for key, value in mapping(offer.get("itemOffered")).items() if value}}
    money = _price(offer)
    stock = availability(offer.get("availability"))
    if offer.get("price") == "" and stock is Availability.OUT:
        stock = Availability.UNKNOWN  # shops that show prices to customers alone say this of everything
    said = f"price {_said(offer)}, availability {str(offer.get('availability'))[:60]}"
    return ReadVariant(
        id=own,
        options=_options(item),
        price=money,
        availability=stock,
        sku=identity(offer.get("sku")) or identity(item.get("sku")),
        gtin=_gtin(offer) or _gtin(item),
        text=said[: reading.TEXT_CHARACTERS],
    )


def _id(node: dict[str, Any]) -> str:
    """What tells this variant from others: its sku, GTIN or number."""
    item = mapping(node.get("itemOffered"))
    own = (identity(part.get(name)) for part in (node, item) for name in ("sku", "productID", "mpn"))
    return next((one for one in own if one), "") or _gtin(node) or _gtin(item)


def _gtin(node: dict[str, Any]) -> str:
    return next(
        (found for name in ("gtin13", "gtin", "gtin12", "gtin14", "gtin8") if (found := gtin(node.get(name)))), ""
    )


def _options(node: dict[str, Any]) -> dict[str, str]:
    found = {name: squeeze(mapping(node.get(name)).get("name") or node.get(name)) for name in _OPTIONS}
    for more in map(mapping, sequence(node.get("additionalProperty"))[:_MOST_PROPERTIES]):
        found[squeeze(more.get("name"))] = squeeze(more.get("value"))
    return {name[:40]: value[:60] for name, value in found.items() if name and value}


def _price(offer: dict[str, Any]) -> Money | None:
    """What is paid. An AggregateOffer has a price only where its lowest and highest are the same."""
    low, high = (money_text.machine(offer.get(name)) for name in ("lowPrice", "highPrice"))
    amount = money_text.machine(offer.get("price"))
    code = money_text.currency(offer.get("priceCurrency"))
    if amount is None and offer.get("price") in (None, "") and low is not None and low == high:
        amount = low
    if amount is None and offer.get("price") is None and low is None:
        return _specified(offer, code)
    return Money(amount, code) if amount is not None and code else None


def _specified(offer: dict[str, Any], code: str | None) -> Money | None:
    """The price of `priceSpecification`, where exactly one of them is what everybody pays."""
    paid = set[tuple[Decimal, str]]()
    for one in map(mapping, sequence(offer.get("priceSpecification"))):
        kind = re.split(r"[/:#]", str(one.get("priceType", "")))[-1].lower()
        per_unit = one.get("referenceQuantity") and not _is_one(one["referenceQuantity"])
        if kind in _NOT_THE_PRICE or per_unit or one.get("validForMemberTier") or one.get("eligibleQuantity"):
            continue
        amount, own = money_text.machine(one.get("price")), money_text.currency(one.get("priceCurrency")) or code
        if amount is None or own is None:
            return None
        paid.add((amount, own))
    return Money(*paid.pop()) if len(paid) == 1 else None


def _is_one(quantity: Any) -> bool:
    return str(mapping(quantity).get("value")) == "1" and not mapping(quantity).get("unitCode")


def _said(offer: dict[str, Any]) -> str:
    low, high = offer.get("lowPrice"), offer.get("highPrice")
    value = offer.get("price") if offer.get("price") is not None else f"{low} to {high}" if low else "none"
    return f"{str(value)[:40]} {str(offer.get('priceCurrency') or '')[:5]}".strip()
