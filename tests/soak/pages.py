"""Tenants track the pages of shops, whose prices change."""

from collections.abc import Iterator
from typing import Final

from sluice.pages import table
from sluice.pages.table import Tracker
from tests.soak.town import TENANTS, Town, Trade
from tests.support.shop import HOST, page

URLS: Final = tuple(f"https://{HOST}/p/boot-{number}" for number in range(3))


class Pages(Trade):
    """What the shops sell, and who tracks it. prices: by address."""

    def __init__(self, town: Town) -> None:
        super().__init__(town)
        self._prices: dict[str, str] = {}
        self._tracked: dict[tuple[str, str], str] = {}

    def open(self) -> None:
        for url in URLS:
            self._sell(url)

    def act(self) -> None:
        url, tenant = self._chance.choice(URLS), self._chance.choice(TENANTS)
        if self._chance.random() < 0.6:
            self._sell(url)
        elif (tenant, url) not in self._tracked:
            answer = self._town.ask("POST", "/v1/pages", {"url": url}, tenant=tenant)
            if answer.status == 201:
                self._tracked[tenant, url] = answer.json["page"]["pageId"]
        elif self._chance.random() < 0.3:
            page_id = self._tracked.pop((tenant, url))
            self._town.ask("DELETE", f"/v1/pages/{page_id}", tenant=tenant)

    def _sell(self, url: str) -> None:
        self._prices[url] = f"{self._chance.randint(40, 160)}.00"
        self._town.shops.replies[url] = page(self._prices[url])

    def wrong(self) -> Iterator[str]:
        for (tenant, url), page_id in self._tracked.items():
            found = table.find(page_id)
            prices = [one.price.confirmed for one in found.facts.variants.values()] if found else []
            shown = [str(price.amount) for price in prices if price]
            if [float(one) for one in shown] != [float(self._prices[url])]:
                yield f"{url}, tracked by {tenant}, costs {self._prices[url]}, and Sluice has confirmed {shown}"
        got = {
            tenant: {message["data"].get("pageId") for message in received.values()}
            for tenant, received in self._town.mailroom.by_tenant.items()
        }
        for tracker in Tracker.scan():
            if tracker.outbox:
                yield f"{tracker.tenant} was not told all of {tracker.product}"
            if tracker.alerts and tracker.product not in got[tracker.tenant]:
                yield f"{tracker.tenant} has alerts of {tracker.product} and heard of none"
