"""A tenant is told by mail what happens, and changes where it goes. On the local cloud nobody's mailbox is reached."""

import json
from typing import Any

from local.laptop import Laptop
from tests.integration.levers import set_aside
from tests.support.stack import until

ADDRESS = "ops@acme.example"
DEAD = {
    "version": 1,
    "id": "of-the-day",
    "jobId": "market.refresh:stockx:DD1391-100:us-10:USD",
    "kind": "market.refresh",
    "state": "dead",
    "account": "stockx:acme",
    "tenants": ["acme"],
    "attempts": 3,
    "result": None,
    "error": {"code": "unavailable", "message": "no answer", "at": 1},
    "at": "2026-11-22T12:00:00.000Z",
}


class NotificationDay:
    """What a tenant does with its mail, and what the notifier does with it."""

    def __init__(self, laptop: Laptop) -> None:
        self.laptop = laptop
        self.api = laptop.api("acme", "operator")

    def live(self) -> None:
        """All of it."""
        self.says_what_it_wants()
        self.is_told()
        self.a_message_that_is_none_is_set_aside()
        self.time_brings_its_own()
        self.goes_elsewhere()

    def says_what_it_wants(self) -> None:
        wanted = {"mail": {"address": ADDRESS, "eventTypes": ["job.dead"]}}
        assert self.api.put("/v1/notifications", wanted)["mail"]["status"] == "CONFIRMED"
        assert self.api.post("/v1/notifications/test", {}, key="does-it-come")["state"] == "SENT"
        assert self.api.get("/v1/notifications")["mail"]["address"] == ADDRESS

    def is_told(self) -> None:
        bus = self.laptop.stack.outputs["EventBusName"]
        event = {"Source": "sluice", "DetailType": "job.dead", "Detail": json.dumps(DEAD), "EventBusName": bus}
        self.laptop.cloud.client("events").put_events(Entries=[event, event])
        until(self.is_mailed, "it is mailed")
        until(lambda: len(self.in_the_feed()) == 1, "the feed has it, once")
        [mail] = self.mails()
        assert (mail["events"], mail["state"], DEAD["jobId"] in mail["text"]) == (1, "SENT", True)

    def in_the_feed(self) -> list[dict[str, Any]]:
        """By its time: the day has made many newer ones."""
        found: list[dict[str, Any]] = self.api.get("/v1/events", type="job.dead", to="2026-11-22T12:00:01Z")["events"]
        return [one for one in found if one["eventId"] == DEAD["id"]]

    def is_mailed(self) -> bool:
        """Whether the notifier's next run has mailed it: somebody's run may be at it."""
        self.laptop.cloud.invoke(self.laptop.stack.function("notifier"), {})
        return bool(self.mails())

    def mails(self) -> list[dict[str, Any]]:
        return [one for one in self.api.get("/v1/notifications/mails")["mails"] if one["events"]]

    def a_message_that_is_none_is_set_aside(self) -> None:
        set_aside(self.laptop, "NotificationQueueUrl", "not news")

    def time_brings_its_own(self) -> None:
        """A rate that is too high, and a summary. Nobody waits for the hour: the last day counts as not told."""
        self.api.post("/v1/inventory", {"items": [{"sku": "DD1391-100", "size": "us 10"}]}, key="something-to-tell-of")
        own: dict[str, Any] = {"mail": {"address": ADDRESS, "eventTypes": ["summary.daily"]}}
        wanted = {**own, "failureRate": {"percent": 1, "jobs": 1}, "summary": {"hour": 0, "zone": "UTC"}}
        assert self.api.put("/v1/notifications", wanted)["summary"]["zone"] == "UTC"
        self.laptop.cloud.client("dynamodb").update_item(
            TableName=f"{self.laptop.stack.name}-notifications",
            Key={"tenant": {"S": "#tenants"}, "entry": {"S": "acme"}},
            UpdateExpression="SET summarised = :day",
            ExpressionAttributeValues={":day": {"S": "2026-01-01"}},
        )

        def is_failing() -> bool:
            """Somebody's run may be at it."""
            self.laptop.cloud.invoke(self.laptop.stack.function("notifier"), {})
            return bool(self.api.get("/v1/notifications")["failureRate"]["failing"])

        until(is_failing, "it is told that jobs of the day have died")

    def goes_elsewhere(self) -> None:
        elsewhere = {"mail": {"address": f"desk-{ADDRESS}", "eventTypes": ["job.dead"]}}
        assert self.api.put("/v1/notifications", elsewhere)["mail"]["address"] == f"desk-{ADDRESS}"
        topics = [one["TopicArn"] for one in self.laptop.cloud.client("sns").list_topics()["Topics"]]
        assert len([arn for arn in topics if "-mail-acme-" in arn]) == 1
