"""The products with a name: the golden set of ten real sneakers, what lies close to it, and one of each odd kind."""

from local.sandbox.catalog import sizes
from local.sandbox.catalog.products import Product

_CHARTS = {
    "nike men": ("men", sizes.nike_men()),
    "nike women": ("women", sizes.nike_women()),
    "nike youth": ("child", sizes.nike_youth()),
    "adidas": ("men", sizes.adidas()),
    "new balance": ("men", sizes.new_balance()),
}

# number | style id | brand | size chart | retail USD | released | colorway | title. A dash is a field left empty.
_GOLDEN = """
1  | DD1391-100 | Nike        | nike men    | 115 | 2021-03-10 | White/Black       | Nike Dunk Low Retro White Black Panda
2  | DZ5485-410 | Jordan      | nike men    | 180 | 2023-01-25 | True Blue/White-Cement Grey | Jordan 1 Retro High OG True Blue
3  | DZ5485-612 | Jordan      | nike men    | 180 | 2022-11-19 | Varsity Red/Black-Sail-Muslin | Jordan 1 Retro High OG Chicago Lost and Found
4  | FV5029-006 | Jordan      | nike men    | 215 | 2024-02-17 | Black/Fire Red-Cement Grey-Summit White | Jordan 4 Retro Bred Reimagined
5  | DM7866-162 | Jordan      | nike men    | 150 | 2022-07-21 | Sail/University Red-Ridgerock | Jordan 1 Retro Low OG SP Travis Scott Reverse Mocha
6  | CP9654     | adidas      | adidas      | 220 | 2017-02-25 | White/Core Black/Red | adidas Yeezy Boost 350 V2 Zebra
7  | M2002RDA   | New Balance | new balance | 150 | 2021-08-20 | Rain Cloud/Phantom | New Balance 2002R Protection Pack Rain Cloud
8  | DD1503-101 | Nike        | nike women  | 100 | 2021-03-10 | White/Black       | Nike Dunk Low White Black (Women's)
9  | AQ9129-170 | Jordan      | nike women  | -   | -          | -                 | Jordan 4 Retro Metallic Gold (Women's)
10 | CW1590-100 | Nike        | nike youth  | 85  | 2021-03-10 | White/Black       | Nike Dunk Low Retro White Black (GS)
"""  # noqa: E501

# Real neighbours, which a fuzzy search for a golden style shows too. The last has two styles in one field, as StockX
# writes a shoe that was released twice.
_NEIGHBOURS = """
11 | DD1391-101 | Nike   | nike men   | 115 | 2024-05-10 | White/Team Green/White   | Nike Dunk Low Michigan State
12 | DD1399-100 | Nike   | nike men   | 120 | 2021-02-25 | White/Vast Grey          | Nike Dunk High Retro White Vast Grey
13 | DD1399-105 | Nike   | nike men   | 110 | 2022-01-27 | White/Black-Total Orange | Nike Dunk High Panda Black White
14 | DZ5485-400 | Jordan | nike men   | 180 | 2023-07-22 | University Blue/Black/White | Jordan 1 Retro High OG UNC Toe
15 | CQ4277-001 | Jordan | nike men   | 130 | 2019-07-20 | Sail/University Red-Black-Dark Mocha | Jordan 1 Retro Low OG SP Travis Scott
16 | 315115-112/DD8959-100 | Nike | nike women | 115 | - | White/White-White | Nike Air Force 1 Low '07 White (Women's)
21 | 315122-111/CW2288-111 | Nike | nike men | 115 | - | White/White | Nike Air Force 1 Low '07 White
"""  # noqa: E501


def _shoes(table: str) -> tuple[Product, ...]:
    return tuple(_shoe(*(cell.strip() for cell in line.split("|"))) for line in table.strip().splitlines())


def _shoe(
    number: str, style_id: str, brand: str, chart: str, retail: str, released: str, colorway: str, title: str
) -> Product:
    gender, sizes_ = _CHARTS[chart]
    plain = "".join(letter if letter.isalnum() else " " for letter in title.lower().replace("'", ""))
    return Product(
        int(number),
        style_id,
        title,
        brand,
        "sneakers",
        "-".join(plain.split()),
        sizes_,
        gender=gender,
        colorway=None if colorway == "-" else colorway,
        release_date=None if released == "-" else released,
        retail_price=None if retail == "-" else int(retail),
    )


GOLDEN = _shoes(_GOLDEN)
NEIGHBOURS = _shoes(_NEIGHBOURS)

# What Alias calls a shoe that was released twice, where it has one of its styles only.
ONE_STYLE = {"315122-111/CW2288-111": "CW2288-111"}

_ONE_SIZE = (sizes.NO_SIZE,)
CARD = Product(
    17, "SLUICE-CARD-1", "Sluice Trading Card Rookie #1", "Sluice", "trading-cards", "sluice-rookie-1", _ONE_SIZE
)
FIGURE = Product(
    18, "SLUICE-TOY-1", "Sluice Vinyl Figure Gatekeeper", "Sluice", "collectibles", "sluice-gatekeeper", _ONE_SIZE
)
TEE = Product(
    19, "SLUICE-TEE-1", "Sluice Logo Tee", "Sluice", "apparel", "sluice-logo-tee", sizes.named("S", "M", "L", "XL")
)
STICKERS = Product(
    20, None, "Sluice Sticker Pack", "Sluice", "accessories", "sluice-sticker-pack", _ONE_SIZE, season="SS26"
)

NAMED = (*GOLDEN, *NEIGHBOURS, CARD, FIGURE, TEE, STICKERS)
