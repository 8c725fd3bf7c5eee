"""Finding what a refresh is about: the product and the variant, as far as they are known, else by asking."""

from typing import NamedTuple, cast

from sluice.catalog import charts, lookup, meaning
from sluice.catalog import table as catalog
from sluice.catalog.charts import ChartVariant, NoVariant
from sluice.catalog.meaning import WantedSize
from sluice.catalog.table import Product
from sluice.jobs.model.outcomes import CannotSucceed
from sluice.jobs.model.run import Run
from sluice.marketplaces import sizes, skus
from sluice.marketplaces.http.errors import AmbiguousStyle, NotFound
from sluice.marketplaces.products import Adapter, Uncharted
from sluice.marketplaces.registry import Marketplace
from sluice.marketplaces.sizes import Size


class AskedAt(NamedTuple):
    """Where the price is asked for. style: the SKU as the marketplace spells it, or as it was asked for.

    just_found: this job has looked it up itself. apart: see `meaning.apart`.
    """

    product_id: str
    variant: ChartVariant
    style: str
    just_found: bool = False
    apart: str = ""


class Remembered(Exception):  # noqa: N818 - an answer
    """Another job has found out, since this one was asked for, that there is nothing to price."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code, self.message = code, message


def size_of(payload: dict[str, str]) -> Size:
    """The size in a job's payload."""
    return sizes.stored(payload["size"], payload["size_system"])


class Finder:
    """Finds the product and the variant of one job."""

    def __init__(self, run: Run, marketplace: Marketplace, adapter: Adapter) -> None:
        self._run, self._marketplace, self._adapter = run, marketplace, adapter
        self._sku: str = run.payload["sku"]
        self._size = size_of(run.payload)

    def find(self) -> AskedAt:
        """As the request or another job has found them, else as the marketplace says.

        Raises:
            CannotSucceed: there is no such product or size.
            Remembered: another job has found that out.
            Failure: what the marketplace answered.
        """
        payload = self._run.payload
        if "variant_id" in payload:
            variant = ChartVariant(payload["variant_id"], payload["size"], payload["size_system"], payload["sizes"])
            style = payload.get("style", self._sku)
            return AskedAt(payload["product_id"], variant, style, apart=self._apart())
        with self._run.turn(skus.key(self._sku)):
            wanted = WantedSize(self._marketplace.name, self._sku, self._size)
            known = meaning.known([wanted], consistent=True)
            self._remember(known.get((self._marketplace.name, self._sku)))
            if not self._marketplace.lookup_calls:
                style, apart = self._style(known), meaning.apart(self._marketplace.name, self._sku, known)
                return AskedAt(style, self._by_other_charts(known), style, apart=apart)
            return self._by_chart(known)

    def find_again(self, place: AskedAt) -> AskedAt:
        """The same, of a product that was not found where it was before.

        Raises:
            CannotSucceed, Failure: as `find`.
        """
        with self._run.turn(f"{skus.key(self._sku)} moved"):
            known = catalog.row(self._marketplace.name, self._sku, consistent=True)
            self._remember(known)
            known = known if known and known.is_found else None
            if known is None or not known.is_charted or known.product_id == place.product_id:
                known = self._look_up(known, moved=True)
        if known.product_id == place.product_id:
            raise NotFound(f"{self._marketplace.name} has no prices for the product that its search finds", status=404)
        wanted = Size(place.variant.size, place.variant.size_system)
        return AskedAt(known.product_id, self._of(known, wanted, {}), known.style or self._sku, just_found=True)

    def _apart(self) -> str:
        """As the request says it; as is known now, where it was made when all spellings of a SKU shared one price."""
        payload = self._run.payload
        if self._marketplace.lookup_calls or "apart" in payload:
            return str(payload.get("apart", ""))
        known = meaning.known([WantedSize(self._marketplace.name, self._sku, self._size)])
        return meaning.apart(self._marketplace.name, self._sku, known)

    def _remember(self, row: Product | None) -> None:
        if told := catalog.rivalry(row, self._sku):
            raise CannotSucceed(told, code=AmbiguousStyle.code)
        problem = catalog.problem(row, self._sku, self._run.clock.now())
        if problem and problem["at"] >= self._run.job.created_at:
            raise Remembered(problem["code"], problem["message"])

    def _by_chart(self, known: meaning.Known) -> AskedAt:
        product = known.get((self._marketplace.name, self._sku))
        product = product if product and product.is_found else None
        now, age_ms = self._run.clock.now(), self._run.config.prices.catalog_age_ms
        if product and product.is_charted:
            variant = self._in(product, known)
            if variant:
                return AskedAt(product.product_id, variant, product.style or self._sku)
            if not catalog.is_old(product, now, age_ms):
                raise _refused(meaning.missing(self._sku, self._size, product))
        found = self._look_up(product)
        return AskedAt(found.product_id, self._of(found, self._size, known), found.style or self._sku, just_found=True)

    def _look_up(self, known: Product | None, *, moved: bool = False) -> Product:
        now = self._run.clock.now()
        found = lookup.look_up(self._adapter, self._marketplace, self._sku, now, known, moved=moved)
        if found is None:
            raise CannotSucceed(lookup.no_such_product(self._marketplace.name, self._sku), code=lookup.UNKNOWN)
        return found

    def _style(self, known: meaning.Known) -> str:
        return meaning.style(self._marketplace.name, self._sku, known)

    def _in(self, product: Product, known: meaning.Known) -> ChartVariant | None:
        try:
            return meaning.in_chart(product, self._marketplace.name, self._sku, self._size, known)
        except NoVariant as none:
            raise _refused(none) from None

    def _of(self, product: Product, size: Size, known: meaning.Known) -> ChartVariant:
        try:
            variant = meaning.in_chart(product, self._marketplace.name, self._sku, size, known)
        except NoVariant as none:
            raise _refused(none) from None
        if variant is None:
            raise _refused(meaning.missing(self._sku, size, product))
        return variant

    def _by_other_charts(self, known: meaning.Known) -> ChartVariant:
        """The size at a marketplace without charts: as another's chart has it, else as what is for sale there shows."""
        name, run = self._marketplace.name, self._run
        try:
            variant = meaning.variant(
                name, self._sku, self._size, known, run.clock.now(), run.config.prices.catalog_age_ms
            )
        except NoVariant as none:
            raise _refused(none) from None
        if variant:
            return variant
        system = cast("Uncharted", self._adapter).own_system(self._style(known), run.payload["currency"])
        if system is None:
            why = (
                f"nobody knows yet which size system {self._sku} has: {name} has no size charts, and no other "
                "marketplace has been asked for it; give sizeSystem"
            )
            catalog.note_problem(name, self._sku, "size_system_unknown", why, run.clock.now())
            raise CannotSucceed(why, code="size_system_unknown")
        catalog.note_own_system(name, self._sku, system, run.clock.now())
        return charts.uncharted(self._size.name, system)


def _refused(none: NoVariant) -> CannotSucceed:
    return CannotSucceed(none.message, code=none.code)
