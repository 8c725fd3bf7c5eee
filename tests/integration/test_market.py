"""Prices on the deployed stack: real functions, queues and schedules between the API and the marketplace."""

from typing import Any

import pytest

from local.cloud import template as templates
from local.laptop import Api, Laptop
from local.sandbox.faults import ExpiredToken, Latency, Throttle
from sluice_command.golden_set import items
from tests.integration.day import LONG_MS
from tests.integration.levers import reopen
from tests.support.stack import until

MANUAL = {"priority": "manual", "currency": "USD"}


class Seller:
    """One tenant with a StockX account, and what the marketplace saw of it."""

    def __init__(self, laptop: Laptop, tenant: str) -> None:
        self.laptop, self.tenant = laptop, tenant
        self.api: Api = laptop.api(tenant)
        self.before = 0
        laptop.connect_stockx(tenant)
        self.before = len(self.calls())  # the credentials were tried out

    def refresh(self, sku: str, size: str = "10", **more: Any) -> str:
        body = {"items": [{"sku": sku, "size": size, **MANUAL, **more}]}
        job_id: str = self.api.post("/v1/market/refresh", body)["items"][0]["jobId"]
        return job_id

    def until(self, job_id: str, *reasons: str) -> Any:
        """The job, when it waits for one of `reasons` (`final`: when it is over)."""
        seen: dict[str, Any] = {}

        def there() -> bool:
            seen.update(self.api.job(job_id))
            return seen["wait"]["reason"] in reasons

        try:
            until(there, f"{job_id} is {' or '.join(reasons)}")
        except TimeoutError as late:
            raise TimeoutError(f"{late}; it is {seen}") from None
        return seen

    def calls(self) -> list[str]:
        """The last part of the path of each call that was counted since the account was connected."""
        seen = self.laptop.sandbox.requests(account=self.tenant)
        return [entry.path.rpartition("/")[2] for entry in seen if entry.counted][self.before :]


@pytest.fixture
def seller(laptop: Laptop, request: pytest.FixtureRequest) -> Seller:
    """A tenant of this test's own."""
    laptop.sandbox.faults.clear()
    return Seller(laptop, request.node.name.replace("_", "-")[5:60].strip("-"))


def test_a_manual_request_is_a_stored_price_without_waiting_for_the_minute(seller: Seller) -> None:
    # A shoe that nobody else asks for: what another tenant of the stack has looked up or fetched costs no call.
    job = seller.until(seller.refresh("DD1399-105", "44", sizeSystem="eu"), "final")
    assert (job["state"], job["attempts"]) == ("succeeded", 1)
    [price] = seller.api.get("/v1/market/prices", sku="DD1399-105", size="10")["prices"]
    assert (price["ask"], price["sizes"]["eu"]) == (job["result"]["ask"], "44")
    assert seller.calls() == ["search", "variants", "market-data"]
    again = seller.until(seller.refresh("DD1399-105", force=True), "final")
    assert again["result"]["observedAt"] > price["observedAt"]
    assert seller.calls() == ["search", "variants", "market-data", "market-data"]


def test_a_429_closes_the_account_until_its_time_and_no_attempt_is_lost(seller: Seller) -> None:
    hour = Throttle(path="/v2/*", account=seller.tenant, last=1, retry_after_s=3_600)
    seller.laptop.sandbox.faults.set(hour)
    job_id = seller.refresh("CP9654")
    closed = seller.until(job_id, "closed")
    assert (closed["state"], closed["attempts"]) == ("queued", 0)
    assert closed["wait"]["until"] >= closed["updatedAt"]
    reopen(seller.laptop, f"stockx:{seller.tenant}", job_id)
    seller.until(job_id, "ready", "final")  # the minute may have come by
    other = seller.refresh("DM7866-162", "9")  # the run that it starts finds the first one due as well
    assert [seller.until(one, "final")["attempts"] for one in (job_id, other)] == [1, 1]
    assert len(seller.calls()) == 1 + 3 + 3


def test_a_broken_account_holds_its_job_until_it_is_connected_again(seller: Seller) -> None:
    seller.laptop.sandbox.faults.set(ExpiredToken(path="/v2/*", account=seller.tenant))
    job_id = seller.refresh("M2002RDA", "9", force=True)  # others may have asked for it just now
    held = seller.until(job_id, "account")
    assert (held["state"], held["attempts"]) == ("queued", 0)
    assert seller.api.get("/v1/accounts/stockx")["status"] == "BROKEN"
    seller.laptop.sandbox.faults.clear()
    seller.laptop.connect_stockx(seller.tenant)
    assert seller.until(job_id, "final")["state"] == "succeeded"


def test_a_message_that_is_none_of_ours_lies_in_the_dead_letter_queue_with_its_reason(seller: Seller) -> None:
    sqs, stack = seller.laptop.cloud.client("sqs"), seller.laptop.stack
    sqs.send_message(QueueUrl=stack.outputs["WorkQueueUrl"], MessageBody='{"version": 99}')
    found: list[Any] = []

    def look() -> bool:
        answer = sqs.receive_message(QueueUrl=stack.outputs["DeadLetterQueueUrl"], MessageAttributeNames=["All"])
        found.extend(one for one in answer.get("Messages", []) if one["Body"] == '{"version": 99}')
        return bool(found)

    until(look, "the message is set aside")
    assert found[0]["MessageAttributes"]["reason"]["StringValue"] == "message version 99; this worker reads 1"


def test_a_manual_request_does_not_wait_for_workers_that_are_busy_with_background_work(seller: Seller) -> None:
    laptop, skus = seller.laptop, [one["sku"] for one in items()]
    workers = templates.load()["Mappings"]["Stages"]["local"]["Workers"]
    busy = [Seller(laptop, f"busy-{number}") for number in range(workers)]

    def is_done_while_all_are_busy(size: str) -> bool:
        before = [len(one.calls()) for one in busy]
        laptop.sandbox.faults.set(Latency(path="/v2/*", account="busy-*", delay_ms=LONG_MS))
        batches = [one.refresh(sku, size, priority="background") for one, sku in zip(busy, skus[1:], strict=False)]
        laptop.cloud.invoke(laptop.stack.function("scheduler"), {})
        until(
            lambda: all(len(one.calls()) > had for one, had in zip(busy, before, strict=True)),
            "every worker waits for an answer",
        )
        assert seller.until(seller.refresh("M2002RDA", force=True), "final")["state"] == "succeeded"
        during = {one.api.job(job_id)["state"] for one, job_id in zip(busy, batches, strict=True)}
        laptop.sandbox.faults.clear()
        assert {one.until(job_id, "final")["state"] for one, job_id in zip(busy, batches, strict=True)} == {"succeeded"}
        return during == {"leased"}

    # No answer can be held back longer than a worker waits for it. A machine on which the manual request takes as long
    # shows nothing, and tries once more; a request that has to wait for the workers is never done while they are busy.
    # No other test asks for these sizes: what is fresh is not fetched.
    assert any(map(is_done_while_all_are_busy, ("6.5", "7", "7.5", "8.5", "11.5")))
