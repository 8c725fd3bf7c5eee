"""The file of a report, as eBay makes it (Merchant Data XML, `ActiveInventoryReport`), and what can be wrong with one.

What it says: of each live listing its id, sku, price and quantity; of one in several sizes these of each. Not: titles,
pictures, policies, whether it is on hold.
"""

import gzip
import io
import zipfile
from typing import NamedTuple
from xml.sax.saxutils import escape

from local.sandbox.ebay.feed.faults import OddReport
from local.sandbox.ebay.inventory.book import Offer, Shop

SPACE = "urn:ebay:apis:eBLBaseComponents"
BOMB_BYTES = 80 * 1024 * 1024


class Row(NamedTuple):
    """One sku of a live listing."""

    listing_id: str
    sku: str
    price: str
    currency: str
    quantity: int
    grouped: bool


def rows(shop: Shop, odd: OddReport) -> list[Row]:
    """What is live now."""
    found = [offer for offer in shop.offers.values() if offer.listing and offer.listing.live]
    grouped = {sku for group in shop.groups.values() for sku in group.get("variantSKUs", ())}
    return [_row(shop, offer, odd, offer.sku in grouped) for offer in found if not (odd.without_held and _held(offer))]


def packed(found: list[Row], odd: OddReport) -> bytes:
    """The file."""
    whole = text(found).encode()
    match odd.file:
        case "gzip":
            return gzip.compress(whole)
        case "plain":
            return whole
        case "cut":
            data = _zip(whole)
            return data[: int(len(data) * odd.kept)]
        case "cut_inside":
            return _zip(whole[: int(len(whole) * odd.kept)])
        case "bomb":
            return _zip(b" " * BOMB_BYTES + whole)
        case "doctype":
            return _zip(b'<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa">]>' + whole.partition(b"?>")[2])
        case "csv":
            return _zip(
                b"Item ID,Custom label (SKU),Price\n" + b"".join(b"1,%s,1\n" % one.sku.encode() for one in found)
            )
        case "empty":
            return b""
        case "failure":
            return _zip(text([], ack="Failure").encode())
    return _zip(whole)


def text(found: list[Row], ack: str = "") -> str:
    """The document."""
    listings: dict[str, list[Row]] = {}
    for row in found:
        listings.setdefault(row.listing_id, []).append(row)
    inside = "\n".join(_listing(some) for some in listings.values())
    said = f"<Ack>{ack}</Ack>" if ack else ""
    return (
        f'<?xml version="1.0" encoding="UTF-8"?>\n<BulkDataExchangeResponses xmlns="{SPACE}"><ActiveInventoryReport>\n'
        f"{said}{inside}\n</ActiveInventoryReport></BulkDataExchangeResponses>"
    )


def _listing(some: list[Row]) -> str:
    first = some[0]
    if not first.grouped:
        return f"<SKUDetails>{_values(first)}<ItemID>{first.listing_id}</ItemID></SKUDetails>"
    variations = "".join(f"<Variation>{_values(one)}</Variation>" for one in some)
    return f"<SKUDetails><ItemID>{first.listing_id}</ItemID><Variations>{variations}</Variations></SKUDetails>"


def _values(row: Row) -> str:
    price = f'<Price currencyID="{row.currency}">{row.price}</Price>'
    return f"<SKU>{escape(row.sku)}</SKU>{price}<Quantity>{row.quantity}</Quantity>"


def _row(shop: Shop, offer: Offer, odd: OddReport, grouped: bool) -> Row:
    price = (offer.body.get("pricingSummary") or {}).get("price") or {}
    value = str(float(price.get("value") or 0))  # eBay's way: 245.0
    sold = offer.sold if odd.wrong_quantity else 0
    listing_id = offer.listing.listing_id if offer.listing else ""
    return Row(listing_id, offer.sku, value, price.get("currency", "USD"), shop.quantity(offer) + sold, grouped)


def _held(offer: Offer) -> bool:
    return bool(offer.listing and offer.listing.on_hold)


def _zip(whole: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("activeinventory-report.xml", whole)
    return buffer.getvalue()
