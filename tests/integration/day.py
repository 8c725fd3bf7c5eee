"""One eventful day of a stack: what a tenant, its operator and bad luck do to it."""

from collections.abc import Callable
from typing import Any

import pytest

from local.laptop import Api, Laptop
from local.sandbox.faults import ExpiredToken, Latency, RefuseRefresh, RevokedToken, ServerError, Throttle
from local.sandbox.limits import Limits
from sluice.prices.ask import calls_unknown
from sluice_command.api import ApiError
from sluice_command.golden_set import items
from tests.integration.levers import hasten, lose, reopen, rest, spell_as_before, spend
from tests.support.stack import until

LIMIT = 100_000
LONG_MS = 15_000  # for an answer; a worker that gives up waits longer
# Calls need no slots: where those lie closer together than the write that takes one lasts, each is missed.
FAST = {
    "ebay": {"snapshots_kept": 1},
    "limits": {
        "stockx": {
            "interval_ms": 0,
            "margin_ms": 0,
            "windows": [{"calls": LIMIT, "per": "hour"}, {"calls": LIMIT, "per": "day"}],
        },
        "ebay-inventory": {"interval_ms": 0},
        "pages": {"interval_ms": 0},
    },
    "pages": {"min_check_interval_minutes": 0, "confirm_minutes": 0},
    "promotions": {"stagger_ms": 0},
    "engine": {"timetables": {"promotion.create": [0] * 5}, "poll_batch": 1},
    "tenants": {"overrides": {"crowded": {"unfinished_jobs": 0}}},
}


class Day:
    """What a tenant, its operator and bad luck do to a stack."""

    def __init__(self, laptop: Laptop) -> None:
        self.laptop = laptop
        self.api = laptop.api("acme")
        laptop.sandbox.set_limits(Limits())

    def live(self) -> None:
        """Everything, in an order in which each step leaves the stack fit for the next."""
        self.laptop.connect_stockx("acme")
        self.api.get("/v1/accounts/stockx")
        self.the_budget_runs_out_during_a_run()
        job = self.prices_are_fetched_and_read()
        self.the_catalog_is_enriched()
        self.a_known_variant_is_fetched_again()
        self.somebody_asks_again_while_it_runs()
        self.a_tenant_asks_for_too_much()
        self.a_job_is_cancelled()
        self.an_account_is_connected_without_a_call_left_and_goes()
        self.a_job_dies()
        self.the_marketplace_refuses_for_a_moment()
        self.messages_and_workers_are_lost(job)
        self.the_account_breaks()

    def refresh(self, *skus: str, api: Api | None = None, priority: str = "manual", **item: Any) -> list[str]:
        wanted = [one | {"priority": priority} | item for one in items() if one["sku"] in skus]
        answer = (api or self.api).post("/v1/market/refresh", {"items": wanted})
        return [row["jobId"] for row in answer["items"]]

    def until(self, state: str, *job_ids: str, hasty: bool = False) -> None:
        """The schedule's minute is long for a test, so each look is a tick of its own. hasty: so is their backoff."""
        scheduler = self.laptop.stack.function("scheduler")

        def done() -> bool:
            if all(self.api.job(job_id)["state"] == state for job_id in job_ids):
                return True
            for job_id in job_ids if hasty else ():
                hasten(self.laptop, job_id, "queued")
            self.laptop.cloud.invoke(scheduler, {})
            return False

        self.wait(done, state, *job_ids)

    def wait(self, done: Callable[[], bool], what: str, *job_ids: str) -> None:
        """Wait without ticks; if it is in vain, show the jobs as they are."""
        try:
            until(done, what)
        except TimeoutError as error:
            pytest.fail(f"{error}: {[self.api.job(job_id) for job_id in job_ids]}")

    def the_budget_runs_out_during_a_run(self) -> None:
        """A 401 costs one call more than was reserved, on the day's last calls."""
        spend(self.laptop, "acme", LIMIT - calls_unknown("stockx"))
        self.laptop.sandbox.faults.set(ExpiredToken(path="/v2/*", last=1))
        [job] = self.refresh("M2002RDA")
        until(lambda: self.api.job(job)["wait"]["reason"] == "no_budget", "the job is put off")
        self.laptop.sandbox.faults.clear()
        spend(self.laptop, "acme", 0)

    def prices_are_fetched_and_read(self) -> str:
        [job, _] = job_ids = self.refresh("DD1391-100", "CP9654")
        self.until("succeeded", *job_ids)
        before = self.api.get("/v1/market/prices", sku="DD1391-100")["prices"]
        assert before
        spell_as_before(self.laptop, "DD1391-100")
        page: dict[str, Any] = {"next": None}
        shown = list[dict[str, Any]]()
        while not shown or page["next"]:
            more = {"cursor": page["next"]} if page["next"] else {}
            page = self.api.get("/v1/market/prices", sku="DD1391-100", limit=1, **more)
            shown += page["prices"]
        assert sorted(map(str, shown)) == sorted(map(str, before)), "on other pages too, the newer one alone is shown"
        assert self.api.get("/v1/jobs")["jobs"]
        assert self.api.get("/health")["status"] == "ok"
        assert self.api.get("/v1/accounts")["accounts"]
        return job

    def the_catalog_is_enriched(self) -> None:
        """StockX has no pictures; Alias is asked for those of the products that are known by now."""
        self.laptop.connect("acme", "alias")
        path, scheduler = "/v1/catalog/enrichment", self.laptop.stack.function("scheduler")
        began = self.api.post(path, {}, key="first-enrichment")
        assert self.api.post(path, {}, key="first-enrichment") == began
        assert (began["state"], began["products"]) == ("running", 3)

        def finished() -> bool:
            self.laptop.cloud.invoke(scheduler, {})
            return bool(self.api.get(path)["state"] == "ready" and self.api.post(path, {})["state"] == "finished")

        self.wait(finished, "the catalog is enriched")

    def a_known_variant_is_fetched_again(self) -> None:
        self.until("succeeded", *self.refresh("DD1391-100", force=True))
        [job] = self.refresh("DD1391-100")
        self.until("succeeded", job)
        assert self.api.job(job)["result"]["skipped"] == "fresh"

    def somebody_asks_again_while_it_runs(self) -> None:
        """Who waits for the run that follows is told of at once: the worker asks for a tick."""
        self.laptop.sandbox.faults.set(Latency(path="/v2/*", delay_ms=LONG_MS))
        [job] = self.refresh("DZ5485-612", force=True)

        def is_asked_for_while_it_runs() -> bool:
            """On a busy machine a run may be over before somebody has asked again, and is so asked for anew."""
            if self.api.job(job)["state"] != "queued":
                self.refresh("DZ5485-612", force=True)
            return bool(self.api.job(job)["rerunRequested"])

        self.wait(is_asked_for_while_it_runs, "somebody asks again while it runs", job)
        rest(self.laptop)
        self.laptop.sandbox.faults.clear()
        self.wait(lambda: self.api.job(job)["state"] == "succeeded", "it has run twice", job)

    def a_tenant_asks_for_too_much(self) -> None:
        """Its jobs are counted one by one by the next tick, in case they were counted wrong."""
        with pytest.raises(ApiError, match="unfinished_jobs") as refused:
            self.refresh("DD1391-100", api=self.laptop.api("crowded"))
        assert refused.value.status == 429
        self.laptop.cloud.invoke(self.laptop.stack.function("scheduler"), {})

    def a_job_is_cancelled(self) -> None:
        spend(self.laptop, "acme", LIMIT)
        [job] = self.refresh("DZ5485-410", priority="background")
        self.api.delete(f"/v1/jobs/{job}")
        assert self.api.job(job)["state"] == "cancelled"
        spend(self.laptop, "acme", 0)

    def an_account_is_connected_without_a_call_left_and_goes(self) -> None:
        """It cannot be asked then whether it is any good."""
        spend(self.laptop, "leaver", LIMIT)
        self.laptop.connect_stockx("leaver")
        api = self.laptop.api("leaver")
        assert api.get("/v1/accounts/stockx")["status"] == "UNVERIFIED"
        api.delete("/v1/accounts/stockx")
        assert api.get("/v1/accounts")["accounts"] == []

    def a_job_dies(self) -> None:
        body = {"items": [items()[0] | {"sku": "NO-SUCH-STYLE"}]}
        [row] = self.api.post("/v1/market/refresh", body)["items"]
        self.until("dead", row["jobId"])

    def the_marketplace_refuses_for_a_moment(self) -> None:
        """A 429 for so long that the worker asks for a run after it, which nobody waits for here; then a 503."""
        self.laptop.sandbox.faults.set(Throttle(retry_after_s=60, last=1))
        [job] = self.refresh("FV5029-006")
        self.wait(lambda: self.api.job(job)["wait"]["reason"] == "closed", "the marketplace takes no calls", job)
        reopen(self.laptop, "stockx:acme", job)
        self.until("succeeded", job)
        self.laptop.sandbox.faults.set(ServerError(last=1))
        [job] = self.refresh("DZ5485-612", force=True)
        self.until("succeeded", job, hasty=True)
        assert self.api.job(job)["attempts"] == 2

    def messages_and_workers_are_lost(self, job: str) -> None:
        """A message that nobody can read, and two jobs whose workers never came back: one has attempts left."""
        sqs, dead = self.laptop.cloud.client("sqs"), self.laptop.stack.outputs["DeadLetterQueueUrl"]
        sqs.send_message(QueueUrl=self.laptop.stack.outputs["WorkQueueUrl"], MessageBody="not a batch")
        self.wait(lambda: bool(sqs.receive_message(QueueUrl=dead).get("Messages")), "the message is set aside")
        lose(self.laptop, job, attempts=1)
        self.until("succeeded", job)
        lose(self.laptop, job, attempts=100)
        self.until("dead", job)

    def the_account_breaks(self) -> None:
        """Its jobs wait; another tenant that asks for the same price takes the work over."""
        self.laptop.sandbox.faults.set(RevokedToken(path="/v2/*"), RefuseRefresh())
        [job] = self.refresh("DM7866-162")
        self.wait(lambda: self.api.get("/v1/accounts/stockx")["status"] != "ACTIVE", "the account is broken", job)
        self.wait(lambda: self.api.job(job)["state"] == "queued", "the job waits", job)
        self.laptop.sandbox.faults.clear()
        self.laptop.connect_stockx("other")
        self.refresh("DM7866-162", api=self.laptop.api("other"))
        self.until("succeeded", job)
