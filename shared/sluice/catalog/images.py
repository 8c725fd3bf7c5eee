"""Pictures for products whose marketplace gives none: four drawings of ours, in `images/`, one for each category."""

from functools import cache
from importlib.resources import files

NAMES = ("sneakers", "trading-cards", "collectibles", "default")
PATH = "/v1/images/"


def fallback(category: str | None) -> str:
    """The path of the picture that stands for `category`, as a marketplace words it (`sneakers`, `Trading Cards`)."""
    words = (category or "").lower().replace("_", "-").replace(" ", "-")
    name = next((name for name in NAMES if name.rstrip("s") in words), "default")
    if any(word in words for word in ("shoe", "footwear")):
        name = "sneakers"
    return f"{PATH}{name}.svg"


@cache
def svg(name: str) -> str | None:
    """The picture called `name`, as SVG; None when there is no such picture."""
    if name not in NAMES:
        return None
    return files("sluice.catalog").joinpath("images", f"{name}.svg").read_text(encoding="utf-8")
