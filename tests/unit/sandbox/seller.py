"""What a seller does at StockX, in a line each, and what it then sees."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import httpx

from local.sandbox.catalog.golden import NAMED
from local.sandbox.stockx import bodies
from tests.unit.sandbox.client import Client

LISTINGS = "/v2/selling/listings"
BATCH = "/v2/selling/batch"
PANDA_10, BLUE_10 = (
    bodies.variant_id(next(variant for variant in product.variants if variant.size.value == "10"))
    for product in NAMED[:2]
)
NOTHING = "00000000-0000-0000-0000-000000000000"


@dataclass
class Seller:
    client: Client

    def post(self, **body: object) -> httpx.Response:
        return self.client.send("POST", LISTINGS, {"amount": "150", "variantId": PANDA_10, **body})

    def create(self, **body: object) -> Any:
        """The operation."""
        answer = self.post(**body)
        assert answer.status_code == 201, answer.text
        return answer.json()

    def change(self, method: str, path: str, body: object = None) -> Any:
        """The operation; `path` is what comes after `/listings/`."""
        answer = self.client.send(method, f"{LISTINGS}/{path}", body)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def look(self, operation: Any) -> Any:
        path = f"{LISTINGS}/{operation['listingId']}/operations/{operation['operationId']}"
        return self.client.get(path).json()

    def status(self, operation: Any) -> str:
        status: str = self.look(operation)["operationStatus"]
        return status

    def listing(self, listing_id: str) -> Any:
        return self.client.get(f"{LISTINGS}/{listing_id}").json()

    def listed(self, **query: str | int) -> list[str]:
        """The ids that the list of listings shows."""
        answer = self.client.get(LISTINGS, **{"pageSize": 100, **query})
        assert answer.status_code == 200, answer.text
        return [row["listingId"] for row in answer.json()["listings"]]

    def batch(self, kind: str, *items: Mapping[str, object]) -> Any:
        answer = self.client.send("POST", f"{BATCH}/{kind}-listing", {"items": items})
        assert answer.status_code == 200, answer.text
        return answer.json()

    def batch_now(self, kind: str, batch: Any) -> Any:
        return self.client.get(f"{BATCH}/{kind}-listing/{batch['batchId']}").json()

    def items(self, kind: str, batch: Any, **query: str) -> Any:
        return self.client.get(f"{BATCH}/{kind}-listing/{batch['batchId']}/items", **query).json()["items"]
