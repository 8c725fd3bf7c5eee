"""A seller's day: listings that come, change and go, and what the marketplace makes of it."""

import time
from typing import Any

import pytest

from local.laptop import Laptop
from local.sandbox.faults import ExpiredToken
from local.sandbox.outcomes import FailOperation, Vocabulary

VARIANT = "729dc9e9-c6d9-5706-9f57-000000010005"
SECONDS = 60
FINAL = {"COMPLETED", "FAILED", "PARTIAL"}


class ListingDay:
    """What a seller, and StockX, do to the listings of a stack."""

    def __init__(self, laptop: Laptop) -> None:
        self.laptop = laptop
        self.api = laptop.api("seller")

    def live(self) -> None:
        """Everything, in an order in which each step leaves the stack fit for the next."""
        self.laptop.connect_stockx("seller")
        self.a_listing_lives()
        self.an_operation_fails()
        self.the_marketplace_speaks_in_tongues()
        self.many_are_created_at_once()

    def settle(self, accepted: Any) -> str:
        """Follow the change to its end, without the waits between two looks; returns how it ended."""
        deadline = time.monotonic() + SECONDS
        while (operation := self.api.get(f"/v1/operations/{accepted['jobId']}"))["status"] not in FINAL:
            if time.monotonic() > deadline:
                pytest.fail(f"no end within {SECONDS} s: {operation}")
            self._hasten(accepted["jobId"])
            for name in ("scheduler", "operation-poller"):
                self.laptop.cloud.invoke(self.laptop.stack.function(name), {})
        status: str = operation["status"]
        return status

    def _hasten(self, job: str) -> None:
        """Make the job due, if nobody has it."""
        dynamodb = self.laptop.cloud.client("dynamodb")
        try:
            dynamodb.update_item(
                TableName=f"{self.laptop.stack.name}-jobs",
                Key={"job_id": {"S": job}},
                UpdateExpression="SET due_at = :long_ago",
                ConditionExpression="#state = :waiting",
                ExpressionAttributeNames={"#state": "state"},
                ExpressionAttributeValues={":long_ago": {"N": "1"}, ":waiting": {"S": "waiting"}},
            )
        except dynamodb.exceptions.ConditionalCheckFailedException:
            return

    def create(self, **terms: Any) -> Any:
        return self.api.post("/v1/listings", {"variantId": VARIANT, "amount": "150", "currency": "USD"} | terms)

    def a_listing_lives(self) -> None:
        created = self.create(reference="shelf 4")
        path = f"/v1/listings/{created['listingId']}"
        assert self.settle(created) == "COMPLETED"
        assert self.settle(self.api.call("PATCH", path, {"amount": "145"})) == "COMPLETED"
        assert self.settle(self.api.post(f"{path}/deactivate", {})) == "COMPLETED"
        assert self.settle(self.api.post(f"{path}/activate", {})) == "COMPLETED"
        assert self.settle(self.api.delete(path)) == "COMPLETED"
        assert self.api.get(path)["status"] == "DELETED"
        assert self.api.get("/v1/listings")["listings"]
        assert len(self.api.get(f"{path}/history")["history"]) == 5

    def an_operation_fails(self) -> None:
        self.laptop.sandbox.faults.set(FailOperation())
        assert self.settle(self.create()) == "FAILED"

    def the_marketplace_speaks_in_tongues(self) -> None:
        """In a word that nobody has documented; and the poller's token is refused once."""
        words = Vocabulary(words={"queued": "dreaming", "running": "dreaming"})
        self.laptop.sandbox.faults.set(words, ExpiredToken(path="*/operations/*", last=1))
        assert self.settle(self.create()) == "COMPLETED"
        self.laptop.sandbox.faults.clear()

    def many_are_created_at_once(self) -> None:
        wanted = [{"variantId": VARIANT, "amount": str(amount)} for amount in (160, 161, 162)]
        answer = self.api.post("/v1/listings/bulk", {"action": "create", "items": wanted})
        assert {self.settle(row) for row in answer["items"]} == {"COMPLETED"}
