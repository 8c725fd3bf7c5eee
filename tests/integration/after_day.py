"""What is left to do after an eventful day: somebody looks at what died, and programs hear of what became of it."""

from typing import Any

from local.laptop import Laptop
from local.receiver import Receiver
from tests.integration.levers import forget_lanes, rest, set_aside
from tests.support.stack import until


class AfterDay:
    """The evening of `Day`, which has left two dead letters and a broken account."""

    def __init__(self, laptop: Laptop) -> None:
        self.laptop = laptop
        self.api = laptop.api("acme")

    def live(self) -> None:
        """All of it."""
        with Receiver(500) as slow_to_wake, Receiver(410) as gone:
            self.webhook("main", slow_to_wake)
            self.webhook("gone", gone)
            self.the_dead_are_looked_at()
            self.events_arrive(slow_to_wake)
            self.nothing_is_overdue()
        self.lanes_without_work_are_forgotten()
        self.a_message_that_is_none_is_set_aside()

    def lanes_without_work_are_forgotten(self) -> None:
        forget_lanes(self.laptop, "stockx:")
        self.laptop.cloud.invoke(self.laptop.stack.function("scheduler"), {})

    def webhook(self, name: str, receiver: Receiver) -> None:
        path = f"/v1/webhooks/{name}"
        assert "secret" in self.api.put(path, {"url": receiver.url, "eventTypes": ["job.cancelled"]})
        assert "secret" in self.api.post(f"{path}/secret", {})

    def the_dead_are_looked_at(self) -> None:
        """One can be left as it is; the other, a manual job, is asked for once more."""
        letters = self.api.get("/v1/dead-letters", status="open")["deadLetters"]
        [hopeless] = [letter["id"] for letter in letters if letter["error"]["code"] == "product_unknown"]
        [lost] = [letter["id"] for letter in letters if letter["error"]["code"] == "lease_expired"]
        self.api.post(f"/v1/dead-letters/{hopeless}/acknowledge", {}, key="seen")
        assert self.api.post("/v1/dead-letters/replay", {"code": "lease_expired"})["matched"] == 1
        rest(self.laptop)
        answer = self.api.post(f"/v1/dead-letters/{lost}/replay", {})
        assert answer["outcome"] == "created"
        assert self.api.get(f"/v1/dead-letters/{lost}")["status"] == "replayed"
        # The account is broken by now, so the job waits; its owner thinks better of it.
        self.api.delete(f"/v1/jobs/{answer['jobId']}")

    def events_arrive(self, receiver: Receiver) -> None:
        """At one receiver at the second attempt, and once more when asked; the other one is believed to be gone."""
        until(lambda: self.delivery("main")["state"] == "delivered", "the second attempt")
        until(lambda: self.api.get("/v1/webhooks/gone")["status"] == "DISABLED", "it is disabled")
        path = f"/v1/webhooks/main/deliveries/{self.delivery('main')['deliveryId']}/resend"
        for what, asked, key in (
            ("the event once more", path, "once-more"),
            ("the test event", "/v1/webhooks/main/test", "is-it-there"),
        ):
            before = len(receiver.received)
            self.api.post(asked, {}, key=key)
            until(lambda before=before: len(receiver.received) > before, what)  # type: ignore[misc]
        assert [hook["webhookId"] for hook in self.api.get("/v1/webhooks")["webhooks"]] == ["gone", "main"]
        self.api.delete("/v1/webhooks/main")

    def nothing_is_overdue(self) -> None:
        """What each five minutes looks for deliveries that nobody works on finds none."""
        answer = self.laptop.cloud.invoke(self.laptop.stack.function("webhook-sender"), {})
        assert answer == {"overdue": 0}

    def delivery(self, name: str) -> dict[str, Any]:
        """The one delivery of a webhook, if it is there already."""
        found: list[dict[str, Any]] = self.api.get(f"/v1/webhooks/{name}/deliveries")["deliveries"]
        return found[0] if found else {"state": None}

    def a_message_that_is_none_is_set_aside(self) -> None:
        set_aside(self.laptop, "WebhookQueueUrl", "not an event")
