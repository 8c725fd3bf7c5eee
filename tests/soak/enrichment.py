"""Tenants have the catalog enriched: what is old, or lacks a name or a picture, is looked up again."""

from collections.abc import Iterator
from typing import Any, Final

from sluice.catalog.table import Product
from sluice.platform.clock import from_iso, iso
from tests.soak.town import AGE_MS, TENANTS, Town, Trade

PATH: Final = "/v1/catalog/enrichment"


class Enrichers(Trade):
    """They begin enrichments, and go on with them; in the end each is finished."""

    def __init__(self, town: Town) -> None:
        super().__init__(town)
        self._finished: set[str] = set()

    def act(self) -> None:
        self._advance(self._chance.choice(TENANTS))

    def _advance(self, tenant: str) -> dict[str, Any]:
        answer = self._town.ask("POST", PATH, tenant=tenant, roles="admin")
        assert answer.status == 200, answer.text
        shown: dict[str, Any] = answer.json
        assert 0 <= shown["done"] <= shown["products"], shown
        return shown

    def later(self) -> None:
        """Each tenant goes on until its last one is finished."""
        for tenant in sorted({*TENANTS} - self._finished):
            if self._advance(tenant)["state"] == "finished":
                self._finished.add(tenant)

    def wrong(self) -> Iterator[str]:
        for tenant in TENANTS:
            shown = self._town.ask("GET", PATH, tenant=tenant, roles="admin").json
            if shown["state"] != "finished":
                yield f"the enrichment of {tenant} is not over: {shown}"
            elif not shown["failed"] and not shown["noAccount"]:
                yield from self._old(from_iso(shown["startedAt"]) - AGE_MS, tenant)

    @staticmethod
    def _old(before: int, tenant: str) -> Iterator[str]:
        """What was there when an enrichment began that nothing was wrong with, and was not looked up."""
        for product in Product.scan():
            if product.updated_at and product.updated_at <= before:
                yield f"{product.product} was looked up {iso(product.updated_at)}, before {iso(before)} of {tenant}"
