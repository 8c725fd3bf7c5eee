"""A product and its variants, before any marketplace has put its own names on them."""

from dataclasses import dataclass

from local.sandbox.catalog.sizes import Size


@dataclass(frozen=True)
class Product:
    """One thing that is sold. `number` is its place in the catalog for ever: ids and GTINs are made from it.

    `retail_price` is in whole US dollars. What a marketplace may leave out is None here too. moves: how often it has
    gone over to another id; its variants keep theirs.
    """

    number: int
    style_id: str | None
    title: str
    brand: str
    product_type: str
    url_key: str
    sizes: tuple[Size, ...]
    gender: str | None = None
    colorway: str | None = None
    release_date: str | None = None
    retail_price: int | None = None
    season: str | None = None
    moves: int = 0

    @property
    def variants(self) -> tuple["Variant", ...]:
        return tuple(Variant(self, index) for index in range(len(self.sizes)))


@dataclass(frozen=True)
class Variant:
    """One size of a product."""

    product: Product
    index: int

    @property
    def size(self) -> Size:
        return self.product.sizes[self.index]

    @property
    def gtins(self) -> tuple[tuple[str, str], ...]:
        """Pairs of kind and identifier. Some variants have none, as on the real marketplaces.

        The numbers are ours: UPCs that begin with 2 are reserved for use inside a shop and belong to nobody's product.
        """
        if self.index % 5 == 3:
            return ()
        upc = upc_of(self.product.number, self.index)
        return (("UPC", upc), ("EAN-13", f"0{upc}"))


def upc_of(number: int, index: int) -> str:
    """The 12-digit UPC of a variant: 2, the product's number, the variant's, and the check digit."""
    body = f"2{number:08d}{index:02d}"
    total = sum(int(digit) * (3 if place % 2 == 0 else 1) for place, digit in enumerate(body))
    return body + str(-total % 10)


def read_gtin(gtin: str) -> tuple[int, int] | None:
    """The product number and the variant index in one of our GTINs (8 to 14 digits), None when it is not ours."""
    upc = gtin[-12:]
    if len(upc) != 12 or gtin[:-12].strip("0") or not upc.startswith("2"):
        return None
    number, index = int(upc[1:9]), int(upc[9:11])
    return (number, index) if upc_of(number, index) == upc else None
