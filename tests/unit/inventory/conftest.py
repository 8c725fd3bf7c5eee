"""A seller `acme` with an inventory, the API before it and the worker behind it, on tables of one test."""

from collections.abc import Iterator
from typing import Any

import pytest

from sluice.catalog import table as catalog
from sluice.catalog.table import Product
from sluice.inventory import worker
from sluice.jobs.model.job import Job
from sluice.marketplaces import skus
from sluice.marketplaces.accounts import table as accounts
from sluice.platform import aws
from sluice.platform.clock import MINUTE
from sluice.platform.config.document import Config
from sluice.platform.context import Context
from sluice.platform.http import routing
from sluice.platform.observe import metrics
from sluice.prices import table as prices
from sluice.prices.table import Price
from tests.support.clock import VirtualClock
from tests.support.desk import NOON
from tests.support.http import Answer, call
from tests.support.store import Store
from tests.unit.api.conftest import CREDENTIALS, Cloud, cloud, requests, tables

__all__ = ["cloud", "requests", "tables"]

CONNECTED: dict[str, dict[str, str]] = {
    "stockx": CREDENTIALS,
    "alias": {"personal_access_token": "token-of-acme"},
    "ebay": {"client_id": "client-of-acme", "client_secret": "secret-of-acme"},
}
SIZES = [["v-9", "us", {"us": "9", "eu": "42.5"}], ["v-10", "us", {"us": "10", "eu": "44"}]]
DEFAULT = Config()
HEADER = "sku,size,sizeSystem,marketplaces,cost,currency,category"


class Seller:
    """`acme`, connected to every marketplace."""

    def __init__(self, cloud: Cloud, store: Store, clock: VirtualClock) -> None:
        self.cloud, self.store, self.clock = cloud, store, clock

    def connect(self, tenant: str = "acme", *marketplaces: str) -> None:
        for name in marketplaces or CONNECTED:
            accounts.connect(name, tenant, CONNECTED[name], self.clock.time)

    def add(self, *items: Any, **request: Any) -> Answer:
        return call("POST", "/v1/inventory", body={"items": list(items)}, **request)

    def own(self, sku: str, size: str = "10", **item: Any) -> str:
        """Add one item that is good; its id."""
        [answer] = self.add({"sku": sku, "size": size, "sizeSystem": "us", **item}).json["items"]
        return str(answer["itemId"])

    def portfolio(self, **query: Any) -> Any:
        answer = call("GET", "/v1/inventory", query=query)
        assert answer.status == 200, answer.text
        return answer.json

    def upload(self, body: Any, content_type: str = "text/csv", **request: Any) -> Answer:
        return call("POST", "/v1/inventory/import", body=body, content_type=content_type, **request)

    def progress(self, import_id: str) -> Any:
        return call("GET", f"/v1/inventory/imports/{import_id}").json

    def deliver(self, messages: list[str] | None = None, config: Config = DEFAULT) -> list[str]:
        """Give the worker what lies in the queue, or `messages`; returns those that come back."""
        if messages is None:
            messages, self.cloud.queued = self.cloud.queued, []
        found = {str(number): body for number, body in enumerate(messages)}
        failed = worker.work(found, Context(self.clock, config))
        return [messages[int(number)] for number in failed]

    def know(self, marketplace: str, sku: str, **product: Any) -> None:
        """Put a product into the catalog, with sizes us 9 and us 10."""
        known: Any = {"product_id": f"id-{sku}", "name": f"Shoe {sku}", "variants": SIZES, "marketplace": marketplace}
        known |= {"updated_at": self.clock.time, "checked_at": self.clock.time, **product}
        Product(catalog.key(marketplace, sku), **known).save()

    def price(self, marketplace: str, sku: str, age_ms: int = MINUTE, size: str = "10", **price: Any) -> None:
        """Store a price that was observed `age_ms` ago, whatever is there."""
        self._made(marketplace, sku, self.clock.time - age_ms, size, price).save()

    def observe(self, marketplace: str, sku: str, at: int, size: str = "10", **price: Any) -> None:
        """Store a price that was observed then, as a job does."""
        assert prices.store(self._made(marketplace, sku, at, size, price))

    def _made(self, marketplace: str, sku: str, at: int, size: str, price: dict[str, Any]) -> Price:
        currency = price.pop("currency", "USD")
        values = {"ask": "150", "bid": "120.50", "more": {}, "sizes": {"us": size}} | price
        return Price(
            skus.key(sku),
            f"{marketplace}:us-{size}:{currency}",
            marketplace=marketplace,
            size=size,
            size_system="us",
            currency=currency,
            observed_at=at,
            **values,
        )

    def jobs(self) -> dict[str, int]:
        """The priority of each job, by its id without the kind."""
        return {job.job_id.partition(":")[2]: job.priority for job in Job.scan()}

    def items(self, table: str = "inventory") -> list[Any]:
        return self.store.items(table)


@pytest.fixture
def seller(cloud: Cloud, tables: Store, monkeypatch: pytest.MonkeyPatch) -> Iterator[Seller]:
    clock = VirtualClock(NOON)
    monkeypatch.setattr(routing, "clock", clock)
    monkeypatch.setattr(metrics.provider, "namespace", "Sluice/test")
    monkeypatch.setattr(aws, "send_message", lambda queue, body, **_: cloud.sent.append(body))
    made = Seller(cloud, tables, clock)
    made.connect()
    yield made
    metrics.clear_metrics()
