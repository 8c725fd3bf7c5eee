"""The pictures that stand in for a product's own."""

import pytest

from sluice.catalog import images
from tests.support.http import call


@pytest.mark.parametrize(
    ("category", "picture"),
    [
        ("sneakers", "sneakers"),
        ("Sneakers", "sneakers"),
        ("SHOES", "sneakers"),
        ("trading-cards", "trading-cards"),
        ("Trading Cards", "trading-cards"),
        ("trading_cards", "trading-cards"),
        ("collectibles", "collectibles"),
        ("apparel", "default"),
        ("", "default"),
        (None, "default"),
    ],
)
def test_each_category_has_a_picture(category: str | None, picture: str) -> None:
    assert images.fallback(category) == f"/v1/images/{picture}.svg"


@pytest.mark.parametrize("path", ["nothing.svg", "sneakers.png", "sneakers", "..%2Fkinds.svg", ".svg"])
def test_no_other_file_is_served(path: str) -> None:
    answer = call("GET", f"/v1/images/{path}", tenant=None)
    assert (answer.status, answer.json["error"]["code"]) == (404, "not_found")
