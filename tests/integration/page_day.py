"""A day of product pages: shops that lower prices, refuse and go away, and a worker that is lost."""

from itertools import count
from typing import Any

import httpx

from local.laptop import Laptop
from sluice.pages import kinds, urls
from tests.integration.levers import forget_lanes, lose
from tests.support.stack import SECONDS, until

TENANT = "watcher"
PAGES = "/v1/pages"
CHECKS = "/v1/operator/checks"
GOOD, BAD, SLOW = "ridgeline", "atticroom", "northpier"


class PageDay:
    """What a tenant and web shops do to the pages of a stack."""

    def __init__(self, laptop: Laptop) -> None:
        self.laptop = laptop
        self.api = laptop.api(TENANT)

    def live(self) -> None:
        """Everything, in an order in which each step leaves the stack fit for the next."""
        self.the_scheduler_has_had_its_hour()
        self.pages_are_tracked()
        self.a_price_drops()
        self.a_shop_refuses()
        self.a_page_cannot_be_read()
        self.a_shop_is_in_trouble()
        self.a_worker_is_lost()
        self.a_look_fails_for_good()
        self.checks_are_looked_at()
        self.the_clock_runs_the_scheduler()
        self.pages_are_tracked_no_longer()

    def the_scheduler_has_had_its_hour(self) -> None:
        """So that it does not come between the runs that are asked for: it refuses them while it is at it."""

        def over() -> bool:
            self.laptop.cloud.invoke(self.laptop.stack.function("page-scheduler"), {})
            known = self.api.get(f"{CHECKS}/recent")["scheduler"]
            return known["lastRunAt"] is not None and not known["running"]

        until(over, "the scheduler of pages has run")

    def pages_are_tracked(self) -> None:
        self.ids = {}
        for name in (GOOD, BAD, SLOW):
            self.laptop.sandbox.set_shop(name, price=10_000, available=False)
            body = {"url": self.laptop.sandbox.shop_url(name), "dropPercent": 10}
            self.ids[name] = self.api.post(PAGES, body)["page"]["pageId"]
        assert len(self.api.get(PAGES)["pages"]) == len(self.ids)
        self.api.call("PATCH", f"{PAGES}/{self.ids[GOOD]}", {"dropPercent": 5})

    def a_price_drops(self) -> None:
        self.looked(2)
        self.laptop.sandbox.set_shop(GOOD, price=8_000, available=True)
        self.looked(2)
        kinds_told = {alert["kind"] for alert in self.show(GOOD)["lastAlerts"]}
        assert kinds_told == {"price_dropped", "back_in_stock"}
        variant = self.show(GOOD)["variants"][0]["variantId"]
        assert self.api.get(f"{PAGES}/{self.ids[GOOD]}/prices", variant=variant)["points"]

    def a_shop_refuses(self) -> None:
        """Its host is left alone, and the scheduler asks for the others meanwhile."""
        self.laptop.sandbox.set_shop(SLOW, trouble="throttled", retry_after_s=3_600)
        self.until(SLOW, "blocked")
        assert self.show(SLOW)["variants"], "what was known of it is known still"

    def a_page_cannot_be_read(self) -> None:
        self.laptop.sandbox.set_shop(BAD, trouble="shell")
        self.until(BAD, "no_product")
        assert self.show(BAD)["seen"]
        headers = {"authorization": f"Bearer {self.laptop.token(TENANT)}"}
        path = f"{PAGES}/{self.ids[BAD]}/saved"

        def saved() -> bool:
            answer = httpx.get(f"{self.laptop.stack.api_url}{path}", headers=headers, timeout=SECONDS)
            return (answer.status_code, "root" in answer.text) == (200, True)

        until(saved, "the page is kept, which is done after its status is known")

    def a_shop_is_in_trouble(self) -> None:
        """The check is put back into its lane, to be tried again."""
        self.laptop.sandbox.set_shop(BAD, trouble="error")
        self.until(BAD, "failed")

    def a_worker_is_lost(self) -> None:
        """Its job is rescued, and given up when it has killed too many workers."""
        job = kinds.job_id(urls.product_id(self.laptop.sandbox.shop_url(GOOD)))
        for attempts in (1, 100):
            lose(self.laptop, job, attempts=attempts)
            self.laptop.cloud.invoke(self.laptop.stack.function("scheduler"), {})
            self.work()
        self.laptop.sandbox.set_shop(GOOD, price=8_000, available=True)
        self.until(GOOD, "unchanged")

    def a_look_fails_for_good(self) -> None:
        """What is known of the product cannot be read, whoever tries: its job becomes a dead letter."""
        database, own = self.laptop.cloud.client("dynamodb"), self.ids[GOOD]
        pages, jobs = f"{self.laptop.stack.name}-pages", f"{self.laptop.stack.name}-jobs"
        key, job = {"product": {"S": own}}, {"job_id": {"S": kinds.job_id(own)}}
        known = database.get_item(TableName=pages, Key=key)["Item"]["known"]
        self.laptop.sandbox.set_shop(GOOD, price=9_000, available=True)
        keys = (f"now-{number}" for number in count(1))

        def dead() -> bool:
            found = database.get_item(TableName=jobs, Key=job)["Item"]
            state = found["state"]["S"]
            if state == "queued":
                self._set(jobs, job, "attempts", {"N": "100"})
                self._set(jobs, job, "due_at", {"N": "1"})
                self.work()
            if state == "dead" and "handler_error" in found["error"]["S"]:
                return True
            if state in ("dead", "succeeded"):  # by what was before; a check that had begun then has kept what it read
                self._set(pages, key, "known", {"B": b"no facts"})
                self.api.post(f"{CHECKS}/run-now", {}, key=next(keys))
            return False

        until(dead, "the job is dead")
        self._set(pages, key, "known", known)

    def _set(self, table: str, key: dict[str, Any], name: str, value: dict[str, Any]) -> None:
        self.laptop.cloud.client("dynamodb").update_item(
            TableName=table,
            Key=key,
            UpdateExpression="SET #name = :value",
            ExpressionAttributeNames={"#name": name},
            ExpressionAttributeValues={":value": value},
        )

    def checks_are_looked_at(self) -> None:
        assert self.api.get(f"{CHECKS}/recent", limit=5)["checks"]
        assert self.api.get(f"{CHECKS}/recent", product=self.ids[BAD])["checks"]
        assert self.api.get(f"{CHECKS}/stats")["overall"]["checks"] > 0
        assert self.api.get(f"{CHECKS}/slow")["checks"]

    def the_clock_runs_the_scheduler(self) -> None:
        """Its hour has come: it is as if it had never run. A page of a shop that refuses is put off."""
        twin = f"{self.laptop.sandbox.shop_url(SLOW)}?variant=2"
        self.ids["twin"] = self.api.post(PAGES, {"url": twin})["page"]["pageId"]
        database, table = self.laptop.cloud.client("dynamodb"), f"{self.laptop.stack.name}-page-schedule"

        def ran() -> bool:
            database.delete_item(TableName=table, Key={"name": {"S": "scheduler"}})
            answer = self.laptop.cloud.invoke(self.laptop.stack.function("page-scheduler"), {})
            return bool(answer["ran"])

        until(ran, "the scheduler of pages runs, and is not just running by its schedule")
        self.work()
        forget_lanes(self.laptop, "pages:")
        self.work()

    def pages_are_tracked_no_longer(self) -> None:
        for own in self.ids.values():
            self.api.delete(f"{PAGES}/{own}")
        assert self.api.get(PAGES)["pages"] == []

    def looked(self, times: int) -> None:
        """Every page has been checked, so many times."""
        for _ in range(times):
            before = {name: self.show(name)["checkedAt"] for name in self.ids}
            self.api.post(f"{CHECKS}/run-now", {})

            def done(before: dict[str, Any] = before) -> bool:
                return all(self.show(name)["checkedAt"] != before[name] for name in self.ids)

            until(done, "every page is checked")

    def until(self, name: str, status: str) -> None:
        """Runs, until a page was checked with this outcome."""

        def done() -> bool:
            if self.show(name)["status"] == status:
                return True
            self.api.post(f"{CHECKS}/run-now", {})
            self.work()
            return False

        until(done, f"{name} is {status}")

    def work(self) -> None:
        self.laptop.cloud.invoke(self.laptop.stack.function("page-worker"), {})

    def show(self, name: str) -> Any:
        return self.api.get(f"{PAGES}/{self.ids[name]}")["page"]
