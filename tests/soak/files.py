"""Tenants say in files how eBay listings are to be. Nobody else says it of those: each is in one file."""

import json
from collections.abc import Iterator
from typing import Final

from sluice.listings.ebay import table as records
from sluice.listings.ebay.desired import Desired
from sluice.listings.ebay.documents import document
from tests.soak.town import TENANTS, Town, Trade
from tests.support.ebay_wanted import record

ALL: Final = "/v1/ebay/listings/import"
MOST: Final = 6


class Files(Trade):
    """What was said in files, by tenant and sku; and the files that were taken."""

    def __init__(self, town: Town) -> None:
        super().__init__(town)
        self._wanted: dict[tuple[str, str], Desired] = {}
        self._files: list[tuple[str, str]] = []

    def act(self) -> None:
        if len(self._files) >= MOST:
            return
        tenant, number = self._chance.choice(TENANTS), len(self._files)
        wanted = [record(f"F{number}-{place}", str(self._chance.randint(190, 260))) for place in (1, 2)]
        file = json.dumps({"items": [document(one) for one in wanted]})
        answer = self._town.ask("POST", ALL, file, tenant=tenant, content_type="application/json")
        if answer.status == 202:
            self._files.append((tenant, answer.json["importId"]))
            self._wanted.update({(tenant, one.sku): one for one in wanted})
            self._town.wanted_listings[tenant] += len(wanted)

    def mend(self) -> None:
        """Whose publish has died has it asked for again."""
        for (tenant, sku), want in self._wanted.items():
            self._say(tenant, f"/v1/ebay/listings/{sku}", document(want))

    def wrong(self) -> Iterator[str]:
        for tenant, import_id in self._files:
            shown = self._town.ask("GET", f"/v1/ebay/imports/{import_id}", tenant=tenant).json
            taken = sum(shown.get(name, 0) for name in ("queued", "stored", "unchanged", "kept"))
            if shown.get("status") != "done" or taken != 2:
                yield f"the import {import_id} of {tenant} is {shown}"
        for (tenant, sku), want in self._wanted.items():
            found, shop = records.find(tenant, sku), self._town.sandbox.ebay.shop(tenant)
            if not found or not found.is_published:
                yield f"{sku} of {tenant} was in a file, and is not published"
            prices = [one.body["pricingSummary"]["price"] for one in shop.offers_of(sku) if one.status == "PUBLISHED"]
            if prices != [want.price.at_ebay]:
                yield f"{sku} of {tenant} is for sale at {prices}, and {want.price.at_ebay} was in the file"
