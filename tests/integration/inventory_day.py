"""A seller's inventory, from a file to a portfolio with prices."""

import json
from typing import Any

from local.laptop import Api, Laptop
from sluice.platform.http.public_ids import decode
from tests.integration.day import LIMIT
from tests.integration.levers import has_called, is_empty, rest, set_aside, spend
from tests.support.stack import until

SHOE = {"sku": "DD1391-100", "size": "9", "sizeSystem": "us", "marketplaces": ["stockx"], "cost": "110"}
# As urgent as an import is: from who asks more urgently it would take nothing over.
WANTED = {"sku": "DZ5485-410", "size": "9.5", "marketplace": "stockx", "currency": "USD", "priority": "background"}
# The shoe once more, another size of it, what a neighbour waits for, and a row that a spreadsheet would compute.
FILE = """sku,size,marketplaces,cost,currency
dd1391 100,9.0,stockx,99.50,EUR
DD1391-100,11,stockx,,
DZ5485-410,9.5,stockx,,
=HYPERLINK("http://sluice.test"),9,,,
"""


class InventoryDay:
    """What a seller does with an inventory; a neighbour, whose calls are used up, wants some of the same."""

    def __init__(self, laptop: Laptop) -> None:
        self.laptop = laptop
        self.api = laptop.api("collector")
        self.neighbour = laptop.api("neighbour")

    def live(self) -> None:
        """Everything, in an order in which each step leaves the stack fit for the next."""
        for tenant in ("collector", "neighbour"):
            self.laptop.connect_stockx(tenant)
        spend(self.laptop, "neighbour", LIMIT)
        self.items_are_added()
        self.a_file_is_imported()
        self.prices_arrive()
        self.an_item_changes_and_goes()
        self.a_message_that_is_none_is_set_aside()

    def add(self, api: Api, *items: Any) -> list[Any]:
        answers: list[Any] = api.post("/v1/inventory", {"items": items})["items"]
        return answers

    def items_are_added(self) -> None:
        """The neighbour asked first and cannot go on; the collector's account takes the work over."""
        [first] = self.add(self.neighbour, SHOE)
        [own] = self.add(self.api, SHOE)
        assert (own["itemId"], own["outcome"]) == (first["itemId"], "created")
        assert own["refreshes"][0]["jobId"] == first["refreshes"][0]["jobId"]
        [again] = self.add(self.api, SHOE)
        assert (again["itemId"], again["outcome"]) == (own["itemId"], "exists")

    def a_file_is_imported(self) -> None:
        """The collector's account takes over from the neighbour's what the file has too."""
        self.neighbour.post("/v1/market/refresh", {"items": [WANTED]})
        taken = self.api.upload("/v1/inventory/import", FILE.encode(), "text/csv")
        assert [row["line"] for row in taken["refused"]] == [5]
        path = f"/v1/inventory/imports/{taken['importId']}"
        until(lambda: self.api.get(path)["status"] == "done", "the import is done")
        done = self.api.get(path)
        assert (done["created"], done["existing"], done["refreshesRefused"]) == (2, 1, 0)

    def a_long_inventory_is_refreshed(self) -> None:
        """Of a tenant without an account, so that nothing is fetched: the worker hands on what it cannot do at once."""
        hoarder = self.laptop.api("hoarder")
        rows = "".join(f"HOARD-{number},9\n" for number in range(101))
        taken = hoarder.upload("/v1/inventory/import", f"sku,size\n{rows}".encode(), "text/csv")
        path = f"/v1/inventory/imports/{taken['importId']}"
        until(lambda: hoarder.get(path)["status"] == "done", "the import is done")
        assert hoarder.post("/v1/inventory/refresh", {}, key="all")["accepted"] == 101
        worker = "inventory-worker"
        until(lambda: has_called(self.laptop, worker, "sqs:SendMessage"), "the worker hands on what is left")

    def _idle(self) -> bool:
        """No message waits that would ask for a price, and then no job that would fetch one."""
        self.laptop.cloud.invoke(self.laptop.stack.function("scheduler"), {})
        return is_empty(self.laptop, "InventoryQueueUrl") and not any(
            self.api.get("/v1/jobs", state=state)["jobs"] for state in ("queued", "leased")
        )

    def prices_arrive(self) -> None:
        """At once when asked for, and old ones by looking at them."""
        shown = self.api.get("/v1/inventory")["items"]
        assert [(item["sku"], item["size"]) for item in shown] == [
            ("DD1391-100", "9"),
            ("DD1391-100", "11"),
            ("DZ5485-410", "9.5"),
        ]
        assert (shown[0]["cost"], shown[0]["currency"]) == ("99.50", "EUR")
        until(lambda: self._waited_for([item["itemId"] for item in shown]), "a request has woken the scheduler")
        assert self.api.post("/v1/inventory/refresh", {})["accepted"] > 0
        self.a_long_inventory_is_refreshed()
        until(self._priced, "every item has a price")
        until(self._nudged, "the worker has woken the scheduler")
        until(self._idle, "nothing is under way that would renew a price")
        table, stale = f"{self.laptop.stack.name}-inventory", shown[1]
        key = {"tenant": {"S": "collector"}, "item": {"S": decode(stale["itemId"], ".*")}}
        dynamodb = self.laptop.cloud.client("dynamodb")
        price = {"sku": {"S": "DD1391-100"}, "price": {"S": "stockx:us-11:USD"}}
        for name, item, attribute, value in (
            (table, key, "asked", {"S": "{}"}),
            (f"{self.laptop.stack.name}-prices", price, "observed_at", {"N": "1"}),
        ):
            dynamodb.update_item(
                TableName=name,
                Key=item,
                UpdateExpression="SET #a = :old",
                ExpressionAttributeNames={"#a": attribute},
                ExpressionAttributeValues={":old": value},
            )
        path = f"/v1/inventory/{stale['itemId']}"
        assert self.api.get(path)["prices"][0]["stale"]

        def asked_again() -> bool:
            asked: str = dynamodb.get_item(TableName=table, Key=key, ConsistentRead=True)["Item"]["asked"]["S"]
            return "stockx" in asked

        until(asked_again, "what was looked at is asked for")

    def _waited_for(self, items: list[str]) -> bool:
        """Whether prices were asked for that nobody was at: what runs already is told of when it has run."""
        rest(self.laptop)
        assert self.api.post("/v1/inventory/refresh", {"items": items})["refreshes"] == len(items)
        return has_called(self.laptop, "inventory", "lambda:InvokeFunction")

    def _nudged(self) -> bool:
        """Whether the worker, which asks for a whole inventory's prices, has found new work for the scheduler."""
        self.api.post("/v1/inventory/refresh", {})
        self.laptop.cloud.invoke(self.laptop.stack.function("scheduler"), {})
        return has_called(self.laptop, "inventory-worker", "lambda:InvokeFunction")

    def _priced(self) -> bool:
        self.laptop.cloud.invoke(self.laptop.stack.function("scheduler"), {})
        return all(item["prices"][0]["ask"] for item in self.api.get("/v1/inventory")["items"])

    def an_item_changes_and_goes(self) -> None:
        [item, *_] = self.api.get("/v1/inventory", limit=1)["items"]
        path = f"/v1/inventory/{item['itemId']}"
        assert self.api.call("PATCH", path, {"cost": "120.50"})["item"]["cost"] == "120.50"
        assert item["image"] == self.api.get(path)["image"]
        self.api.delete(path)
        assert len(self.api.get("/v1/inventory")["items"]) == 2

    def a_message_that_is_none_is_set_aside(self) -> None:
        set_aside(self.laptop, "InventoryQueueUrl", json.dumps({"version": 99}))
