"""The catalog: table `catalog`. What a marketplace calls a SKU and its sizes, looked up and reused until it is old."""

from collections.abc import Iterable
from typing import Final

from pynamodb.attributes import JSONAttribute, UnicodeAttribute
from pynamodb.indexes import GlobalSecondaryIndex, IncludeProjection
from typing_extensions import TypedDict

from sluice.catalog import charts
from sluice.catalog.charts import ChartVariant
from sluice.marketplaces import registry, skus
from sluice.platform import tables
from sluice.platform.attributes import IntAttribute
from sluice.platform.clock import DAY, iso, ttl

# The spelling of `variants`. What was stored before has labels as the marketplace writes them.
SPELLING: Final = 2
# How long an answer without a product is remembered, and for how many spellings of a SKU, the newest ones.
PROBLEM_MS: Final = DAY
MOST_PROBLEMS: Final = 20
# How long it is remembered what system a size is in that names none. What is for sale may show another by then.
OWN_SYSTEM_MS: Final = 7 * DAY


class NothingFound(TypedDict):
    """Why a look-up found nothing to price: a word for machines, a message for people, and when (epoch ms).

    style: the spelling of the SKU that the marketplace was asked for; of another, nobody knows.
    """

    style: str
    code: str
    message: str
    at: int


class CheckedIndex(GlobalSecondaryIndex["Product"]):  # type: ignore[no-untyped-call]
    """A marketplace's products, longest unchecked first: whoever looks for what is old reads that and no more."""

    class Meta:
        index_name = "checked"
        projection = IncludeProjection(["name", "image", "updated_at"])

    marketplace = UnicodeAttribute(hash_key=True)
    checked_at = IntAttribute(range_key=True)


class Product(tables.Table):
    """What is known of a SKU at a marketplace: `stockx:DD1391-100`, see `key`.

    style: how the marketplace spells the SKU; none where its style is another one, or not known.
    rivals: the styles of its other products that have the same key.
    variants: `[[variant_id, size_system, sizes], …]`.
    image: a path of ours (`/v1/images/…`) stands in where no marketplace has given a picture.
    updated_at: when it was looked up; 0 where the product was found and its sizes are still to be asked for.
    found_at: when a search found it whose sizes are still to be asked for again; none where they were.
    checked_at: since when nothing is known to be missing that somebody could still be asked for; 0 where something is.
    spelling: of `variants`, see `SPELLING`.
    own_system: the system of a size that names none, where there is no chart to tell (eBay); own_system_at: as of when.
    problems: what look-ups found instead of a product, `NothingFound`, newest first. A row may hold nothing else.
    expires_at: for a row that holds nothing else. All times are epoch ms, but for this one, in seconds.
    """

    class Meta:
        table_name = tables.name("catalog")

    product = UnicodeAttribute(hash_key=True)
    checked = CheckedIndex()
    marketplace = UnicodeAttribute()
    product_id = UnicodeAttribute()
    name = UnicodeAttribute()
    brand = UnicodeAttribute(null=True)
    category = UnicodeAttribute(null=True)
    url_key = UnicodeAttribute(null=True)
    style = UnicodeAttribute(null=True)
    rivals = JSONAttribute(null=True)
    image = UnicodeAttribute(null=True)
    variants = JSONAttribute()
    updated_at = IntAttribute()
    checked_at = IntAttribute()
    found_at = IntAttribute(null=True)
    spelling = IntAttribute(null=True)
    own_system = UnicodeAttribute(null=True)
    own_system_at = IntAttribute(null=True)
    problems = JSONAttribute(null=True)
    expires_at = IntAttribute(null=True)

    @property
    def sku(self) -> str:
        """The SKU, as the marketplace spells it where that is known."""
        return self.style or self.product.partition(":")[2]

    @property
    def is_found(self) -> bool:
        """Whether the marketplace has such a product, as far as anybody has asked."""
        return self.product_id is not None

    @property
    def is_charted(self) -> bool:
        """Whether its sizes are known."""
        return self.is_found and self.updated_at > 0

    def chart(self) -> list[ChartVariant]:
        """The product's sizes: its size chart."""
        if self.spelling != SPELLING:
            return charts.of_older_spelling(self.variants)
        return [ChartVariant(key, sizes.get(system, ""), system, sizes) for key, system, sizes in self.variants]


def is_old(product: Product, now: int, age_ms: int) -> bool:
    """Whether the product was looked up so long ago that the marketplace may know more of it by now."""
    return product.updated_at <= now - age_ms


def is_searched_for(product: Product, now: int) -> bool:
    """Whether a look-up begins with the search: where the last one has found it, only its sizes are lacking."""
    return product.is_charted and (product.found_at is None or now - product.found_at >= PROBLEM_MS)


def problem(product: Product | None, sku: str, now: int) -> NothingFound | None:
    """What the last look-up of `sku`, in this spelling, found instead of a product, as long as it is remembered."""
    return next((one for one in _remembered(product, now) if one["style"] == skus.spelling(sku)), None)


def note_problem(marketplace: str, sku: str, code: str, message: str, now: int) -> None:
    """Remember for a day what a look-up of `sku`, in this spelling, found instead of a product."""
    style = skus.spelling(sku)
    message = f"{message}; it is asked again after {iso(now + PROBLEM_MS)}"
    told: NothingFound = {"style": style, "code": code, "message": message, "at": now}
    others = [one for one in _remembered(row(marketplace, sku), now) if one["style"] != style]
    expiry = Product.expires_at.set(ttl(now + 2 * PROBLEM_MS))
    actions = [Product.problems.set([told, *others][:MOST_PROBLEMS])]
    try:
        tables.update(Product, (key(marketplace, sku),), [*actions, expiry], Product.product_id.does_not_exist())
    except tables.ConditionFailed:
        tables.update(Product, (key(marketplace, sku),), actions)


def _remembered(product: Product | None, now: int) -> list[NothingFound]:
    """What is remembered of the spellings of which there is no product."""
    noted: list[NothingFound] = (product.problems if product else None) or []
    return [one for one in noted if now - one["at"] < PROBLEM_MS]


def rivalry(product: Product | None, sku: str) -> str | None:
    """Why the product may not be the one that `sku` means: the marketplace has others of the same key."""
    if product is None or not product.rivals:
        return None
    if product.style and skus.spelling(product.style) == skus.spelling(sku):
        return None
    names = ", ".join(sorted({product.sku, *product.rivals}))
    told = f"{product.marketplace}: {sku} may be several products: {names}"
    return f"{told}; they differ in nothing but hyphens, and Sluice keeps {product.sku}"


def note_own_system(marketplace: str, sku: str, system: str, now: int) -> None:
    """Remember for a while the system of a size of the SKU that names none, where there is no chart to tell."""
    actions = [
        Product.own_system.set(system),
        Product.own_system_at.set(now),
        Product.problems.remove(),
        Product.expires_at.set(ttl(now + OWN_SYSTEM_MS)),
    ]
    tables.update(Product, (key(marketplace, sku),), actions)


def own_system(product: Product | None, now: int) -> str | None:
    """The system of a size that names none, as long as that is remembered."""
    if product is None or now - (product.own_system_at or 0) >= OWN_SYSTEM_MS:
        return None
    return product.own_system


def key(marketplace: str, sku: str) -> str:
    """The hash key of a product: however its SKU is written, or in each spelling apart where there is no catalog.

    A catalog says that two spellings are one style. What a search finds for one of them is not known of the other.
    """
    return f"{marketplace}:{own_spelling(marketplace, sku) or skus.key(sku)}"


def own_spelling(marketplace: str, sku: str) -> str:
    """The spelling by which what a marketplace has of `sku` is kept apart; empty where nobody needs to be asked for it.

    That is where its own catalog tells which spellings are one style, or the pattern of Nike's styles does.
    """
    if registry.get(marketplace).lookup_calls or skus.has_one_spelling(sku):
        return ""
    return skus.spelling(sku)


def row(marketplace: str, sku: str, *, consistent: bool = False) -> Product | None:
    """What is known, a problem too. consistent: even if that was found a moment ago."""
    try:
        return Product.get(key(marketplace, sku), consistent_read=consistent)
    except Product.DoesNotExist:
        return None


def spelling(product: str) -> str | None:
    """The SKU of the row with this key, as its marketplace spells it; None where there is no such row."""
    try:
        return Product.get(product).sku
    except Product.DoesNotExist:
        return None


def rows(wanted: Iterable[tuple[str, str]], *, consistent: bool = False) -> dict[tuple[str, str], Product]:
    """What is known of `wanted`, by (marketplace, SKU) as they are given."""
    keys = {(marketplace, sku): key(marketplace, sku) for marketplace, sku in wanted}
    read = Product.batch_get(list(dict.fromkeys(keys.values())), consistent_read=consistent)
    found = {product.product: product for product in read}
    return {name: found[stored] for name, stored in keys.items() if stored in found}


def load(marketplace: str, sku: str, *, consistent: bool = False) -> Product | None:
    """The product, if it has been found before."""
    found = row(marketplace, sku, consistent=consistent)
    return found if found and found.is_found else None


def load_many(wanted: Iterable[tuple[str, str]]) -> dict[tuple[str, str], Product]:
    """The known ones of the products `wanted`, by (marketplace, SKU)."""
    return {name: found for name, found in rows(wanted).items() if found.is_found}
