"""A seller's day: listings that come, change and go, and what the marketplace makes of it."""

from typing import Any

from local.laptop import Laptop
from local.sandbox.faults import Disconnect, ExpiredToken, Fault, RefuseRefresh, RevokedToken
from local.sandbox.outcomes import AtOnce, FailOperation, ListLate, StayPending, Vocabulary
from sluice.listings.stockx.changes import Action, Change
from tests.integration.day import LIMIT
from tests.integration.levers import forget_lanes, has_called, hasten, leave, lose, spend
from tests.support.stack import SECONDS, until

VARIANT = "729dc9e9-c6d9-5706-9f57-000000010005"
# An operation is over when it is looked at for the second time, however long that takes.
SOON = StayPending(looks=1)
FINAL = {"COMPLETED", "FAILED", "PARTIAL"}


class ListingDay:
    """What a seller, and StockX, do to the listings of a stack."""

    def __init__(self, laptop: Laptop) -> None:
        self.laptop = laptop
        self.api = laptop.api("seller")

    def live(self) -> None:
        """Everything, in an order in which each step leaves the stack fit for the next."""
        self.laptop.connect_stockx("seller")
        self.behave()
        self.a_listing_lives()
        self.an_operation_fails()
        self.the_marketplace_speaks_in_tongues()
        self.an_operation_is_over_at_once()
        self.an_answer_is_lost()
        self.many_change_at_once()
        self.operations_are_too_many_for_one_run()
        self.the_account_breaks_while_an_operation_is_followed()
        self.a_lane_is_forgotten()

    def behave(self, *faults: Fault) -> None:
        """StockX, from now on: with these faults and no others."""
        self.laptop.sandbox.faults.set(SOON, *faults)

    def settle(self, accepted: Any) -> str:
        """Follow the change to its end, without the waits between two checks; returns how it ended."""
        operation: dict[str, Any] = {}

        def over() -> bool:
            operation.update(self.api.get(f"/v1/operations/{accepted['jobId']}"))
            if operation["status"] in FINAL:
                return True
            hasten(self.laptop, accepted["jobId"])
            for name in ("scheduler", "operation-poller"):
                self.laptop.cloud.invoke(self.laptop.stack.function(name), {})
            return False

        until(over, "the operation is over")
        return str(operation["status"])

    def create(self, **terms: Any) -> Any:
        return self.api.post("/v1/stockx/listings", {"variantId": VARIANT, "amount": "150", "currency": "USD"} | terms)

    def a_listing_lives(self) -> None:
        created = self.create(reference="shelf 4")
        path = f"/v1/stockx/listings/{created['listingId']}"
        assert self.settle(created) == "COMPLETED"
        assert self.create(reference="shelf 4")["listingId"] == created["listingId"]
        self.a_change_is_cancelled(path)
        self.a_change_has_lost_its_job(created["listingId"])
        assert self.settle(self.api.call("PATCH", path, {"amount": "145"})) == "COMPLETED"
        assert self.settle(self.api.post(f"{path}/deactivate", {}, key="off")) == "COMPLETED"
        assert self.settle(self.api.post(f"{path}/activate", {})) == "COMPLETED"
        assert self.settle(self.api.delete(path)) == "COMPLETED"
        assert self.api.get(path)["status"] == "DELETED"
        assert self.api.get("/v1/stockx/listings")["listings"]
        assert len(self.api.get(f"{path}/history")["history"]) == 7
        self.a_worker_is_lost_after_its_work(created)

    def a_change_is_cancelled(self, path: str) -> None:
        """Before it was sent, for want of calls. It is settled when its end is told."""
        spend(self.laptop, "seller", LIMIT)
        asked = self.api.call("PATCH", path, {"amount": "140"})
        self.api.delete(f"/v1/jobs/{asked['jobId']}")
        self.api.wait(lambda: not self.api.get(path)["changes"], SECONDS, "the cancelled change is settled")
        spend(self.laptop, "seller", 0)

    def a_change_has_lost_its_job(self, listing_id: str) -> None:
        """Nothing tells of a job that is gone: whoever changes the listing next settles what it has left."""
        leave(self.laptop, "seller", Change(3, Action.DEACTIVATE, "gone", 0, "ann"), listing_id)

    def a_worker_is_lost_after_its_work(self, accepted: Any) -> None:
        lose(self.laptop, accepted["jobId"], attempts=1)
        assert self.settle(accepted) == "COMPLETED"

    def an_operation_fails(self) -> None:
        self.behave(FailOperation())
        assert self.settle(self.create()) == "FAILED"

    def the_marketplace_speaks_in_tongues(self) -> None:
        """In a word that nobody has documented; and the poller's token is refused once."""
        words = Vocabulary(words={"queued": "dreaming", "running": "dreaming"})
        self.behave(words, ExpiredToken(path="*/operations/*", last=1))
        assert self.settle(self.create()) == "COMPLETED"

    def an_operation_is_over_at_once(self) -> None:
        """Then the worker writes what became of it. The style is known, so it stands for the variant."""
        self.behave(AtOnce())
        body = {"sku": "DD1391-100", "size": "10", "sizeSystem": "us", "amount": "150", "currency": "USD"}
        assert self.settle(self.api.post("/v1/stockx/listings", body)) == "COMPLETED"

    def an_answer_is_lost(self) -> None:
        """The listing is there, and nobody knows its id."""
        self.behave(Disconnect(method="POST", path="/v2/selling/listings", last=1), ListLate(seconds=1))
        assert self.settle(self.create()) == "COMPLETED"
        self.behave()

    def many_change_at_once(self) -> None:
        wanted = [{"variantId": VARIANT, "amount": str(amount)} for amount in (160, 161, 162)]
        created = self.api.post("/v1/stockx/listings/bulk", {"action": "create", "items": wanted})["items"]
        assert {self.settle(row) for row in created} == {"COMPLETED"}
        edits = [{"listingId": row["listingId"], "amount": "170"} for row in created]
        edited = self.api.post("/v1/stockx/listings/bulk", {"action": "update", "items": edits})["items"]
        assert {self.settle(row) for row in edited} == {"COMPLETED"}

    def operations_are_too_many_for_one_run(self) -> None:
        """Two accounts have one each, and a run checks one: it hands on the other's, unless another is at it."""
        self.laptop.sandbox.faults.set(StayPending(looks=5))
        self.laptop.connect_stockx("second")
        others = self.laptop.api("second")
        body = {"variantId": VARIANT, "amount": "150", "currency": "USD"}
        asked = [(api, api.post("/v1/stockx/listings", body)["jobId"]) for api in (self.api, others)]
        for api, job_id in asked:
            until(lambda api=api, job_id=job_id: self.is_submitted(api, job_id), "the create is submitted")  # type: ignore[misc]
        self.behave()

        def look() -> None:
            for _, job_id in asked:
                hasten(self.laptop, job_id)
            self.laptop.cloud.invoke(self.laptop.stack.function("operation-poller"), {})

        def handed_on() -> bool:
            look()
            return has_called(self.laptop, "operation-poller", "sqs:SendMessage")

        def over() -> bool:
            look()
            return all(api.get(f"/v1/operations/{job_id}")["status"] in FINAL for api, job_id in asked)

        until(handed_on, "the poller hands on what it does not check")
        until(over, "both operations are over")

    @staticmethod
    def is_submitted(api: Any, job_id: str) -> bool:
        return api.get(f"/v1/operations/{job_id}")["operationId"] is not None

    def the_account_breaks_while_an_operation_is_followed(self) -> None:
        """Once it is submitted, so that nobody but the poller can be the first to see it."""
        self.laptop.sandbox.faults.set(StayPending(seconds=2 * SECONDS))
        created = self.create()
        operation = f"/v1/operations/{created['jobId']}"
        until(lambda: self.api.get(operation)["operationId"] is not None, "the create is submitted")
        self.laptop.sandbox.faults.set(RevokedToken(path="*/operations/*"), RefuseRefresh())
        assert self.settle(created) == "FAILED"
        assert self.api.get("/v1/accounts/stockx")["status"] != "ACTIVE"
        self.laptop.sandbox.faults.clear()

    def a_lane_is_forgotten(self) -> None:
        """No operation is under way, and none has been for long. Who marked the lane relies on that for a minute."""
        forget_lanes(self.laptop, "#poll#")
        self.laptop.cloud.invoke(self.laptop.stack.function("operation-poller"), {})
