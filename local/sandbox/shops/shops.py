"""What the shops sell and how that moves: by the sandbox's seed and the time, unless somebody sets it."""

from dataclasses import dataclass, field
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from local.sandbox.chance import chance

# Prices and stock stay as they are for so long.
STEP_MS = 10 * 60_000
Trouble = Literal["challenge", "forbidden", "throttled", "error", "gone", "not_found", "moved", "login", "shell"]


@dataclass(frozen=True)
class Variant:
    """One thing to buy. cents: its price in minor units."""

    id: str
    size: str
    cents: int
    available: bool

    @property
    def price(self) -> str:
        return f"{self.cents // 100}.{self.cents % 100:02d}"


@dataclass(frozen=True)
class Shop:
    """An invented shop: its name is its host, `{name}.localhost`. robots: its robots.txt; None where it has none."""

    name: str
    system: str
    product: str
    path: str
    currency: str
    cents: int
    robots: str | None = None

    @property
    def host(self) -> str:
        return f"{self.name}.localhost"


_PLAIN = "User-agent: *\nDisallow: /checkout\n"
SHOPS = (
    Shop("northpier", "shopify", "Harbour Runner", "/products/harbour-runner", "EUR", 12_900, _PLAIN),
    Shop("pinewood", "woocommerce", "Pinewood Mug", "/product/pinewood-mug/", "GBP", 1_450, _PLAIN),
    Shop("fellhouse", "magento", "Fell Jacket", "/fell-jacket.html", "SEK", 149_900),
    Shop("quaylight", "bigcommerce", "Quay Lamp", "/quay-lamp/", "USD", 124_900, "User-agent: *\nCrawl-delay: 3\n"),
    Shop("lumiere", "prestashop", "Vase Lumiere", "/12-vase-lumiere.html", "EUR", 3_591, _PLAIN),
    Shop("brunnen", "shopware", "Brunnen Kanne", "/Brunnen-Kanne/BK-7", "EUR", 5_495, _PLAIN),
    Shop("claywork", "squarespace", "Clay Bowl", "/shop/p/clay-bowl", "USD", 4_800),
    Shop("tideprint", "wix", "Tide Print", "/product-page/tide-print", "EUR", 2_500, _PLAIN),
    Shop("ridgeline", "json-ld", "Ridge Boot", "/boots/ridge-boot", "CHF", 18_950, _PLAIN),
    Shop("atticroom", "opengraph", "Attic Chair", "/chairs/attic-chair", "DKK", 31_000),
)


class ShopState(BaseModel):
    """What somebody has set of a shop; what is not set moves by itself. price: in minor units."""

    model_config = ConfigDict(extra="forbid")

    price: int | None = Field(default=None, ge=1)
    available: bool | None = None
    trouble: Trouble | None = None
    retry_after_s: int | None = Field(default=None, ge=0)
    variants: int = Field(default=2, ge=1, le=2)


@dataclass
class Shelves:
    """Every shop with its state. visits: the paths that were asked for, by shop."""

    seed: int
    states: dict[str, ShopState] = field(default_factory=lambda: {shop.name: ShopState() for shop in SHOPS})
    visits: dict[str, list[str]] = field(default_factory=lambda: {shop.name: [] for shop in SHOPS})

    def set(self, name: str, state: ShopState) -> None:
        """Set a shop's state.

        Raises:
            ValueError: there is no such shop.
        """
        if name not in self.states:
            raise ValueError(f"no shop {name!r}; there are {', '.join(self.states)}")
        self.states[name] = state

    def variants(self, shop: Shop, at_ms: int) -> list[Variant]:
        """What the shop sells at a time."""
        state, step = self.states[shop.name], at_ms // STEP_MS
        found = []
        for number, size in enumerate(("S", "M")[: state.variants]):
            moved = int(shop.cents * (0.8 + 0.4 * chance(self.seed, "shop", shop.name, size, step)))
            there = chance(self.seed, "stock", shop.name, size, step) < 0.8
            found.append(
                Variant(
                    f"{1000 + SHOPS.index(shop)}{number}",
                    size,
                    moved if state.price is None else state.price + 100 * number,
                    there if state.available is None else state.available,
                )
            )
        return found


def find(host: str) -> Shop | None:
    """The shop at the host of a request, with or without a port."""
    name = host.partition(":")[0].lower().removesuffix(".localhost")
    return next((shop for shop in SHOPS if shop.name == name), None)
