"""Records of eBay listings for tests, as values."""

from dataclasses import replace
from typing import Any

from sluice.listings.ebay.desired import Desired, Group, Policies, PolicyIds, PolicyRef, Price, Product

IDS = PolicyIds("6196932000", "6196947000", "6196944000")

SHOES = Group(
    key="shoes",
    marketplace="EBAY_US",
    language="en-US",
    title="Air Jordan 1 in several sizes",
    description="<p>New in box.</p>",
    images=("https://shop.example/a.jpg",),
    varies_by=("US Shoe Size",),
)


def record(sku: str = "DZ5485-612-10", amount: str = "245", quantity: int = 1, **more: Any) -> Desired:
    """A pair of shoes as its seller wants it."""
    made = Desired(
        sku=sku,
        marketplace="EBAY_US",
        language="en-US",
        title="Air Jordan 1 Retro High OG",
        condition="NEW",
        category="15709",
        images=("https://shop.example/a.jpg", "https://shop.example/b.jpg"),
        price=Price(amount, "USD"),
        quantity=quantity,
        policies=Policies(*(PolicyRef(id=one) for one in IDS)),
        location="home",
        description="<p>New in box.</p>\n<p>Ships   today.</p>",
        aspects={"Color": ("Red",), "Department": ("Men",), "US Shoe Size": ("10",)},
        product=Product(brand="Jordan", mpn="DZ5485-612", ean=("1234567890128",)),
    )
    return replace(made, **more)


def size(number: str, amount: str = "245", quantity: int = 1, **more: Any) -> Desired:
    """One size of the group `SHOES`."""
    aspects = {"Color": ("Red",), "Department": ("Men",), "US Shoe Size": (number,)}
    made = record(f"J1-{number}", amount, quantity, description=None, aspects=aspects, group="shoes")
    return replace(made, **more)
