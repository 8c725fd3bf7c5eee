"""What whoever operates a stack looks at and does, at the end of an eventful day."""

from typing import Any
from urllib.parse import quote

import pytest

from local.laptop import Api, Laptop
from sluice.operator import kinds
from sluice.operator.run_api import FUNCTIONS
from sluice_command.api import ApiError
from tests.integration.levers import forget_lanes, hasten, lose, rest
from tests.support.patience import SECONDS
from tests.support.stack import until

BASE = "/v1/operator"


class OperatorDay:
    """A look at everything, as the operator of a tenant and as whoever runs the deployment."""

    def __init__(self, laptop: Laptop) -> None:
        self.laptop = laptop
        self.own = laptop.api("acme", "operator")
        self.all = laptop.api("operations", "platform")

    def live(self) -> None:
        """All of it."""
        self.everything_is_looked_at()
        self.the_dead_are_replayed_one_and_all()
        self.everybodys_work_is_taken_back()
        self.work_is_paused_and_resumed()
        self.the_configuration_is_changed_and_changed_back()
        self.what_was_done_is_looked_at()

    def see(self, path: str, **query: Any) -> Any:
        return self.all.get(f"{BASE}/{path}", **query)

    def everything_is_looked_at(self) -> None:
        self.own.wait(lambda: self.see("jobs/counts")["jobs"] > 0, SECONDS, "the jobs are counted")
        for path in ("overview", "jobs/counts", "work", "operations", "promotions", "lanes", "budgets", "accounts"):
            assert self.own.get(f"{BASE}/{path}")
            assert self.see(path)
        assert self.see("metrics")["metrics"]
        [job, *_] = self.own.get(f"{BASE}/jobs")["jobs"]
        assert self.see(f"jobs/{job['jobId']}")["tenant"] == "acme"
        assert self.own.get(f"{BASE}/dead-letters")["deadLetters"]
        [budget, *_] = self.own.get(f"{BASE}/budgets")["budgets"]
        assert self.own.get(f"{BASE}/budgets/{budget['budget']}/history")["days"]
        assert "acme" in [row["tenant"] for row in self.see("tenants")["tenants"]]
        until(lambda: self.see("runs")["runs"], "the scheduler runs, in a day that has just begun too")
        assert self.see("drift")["accounts"] is not None
        assert self.own.get(f"{BASE}/drift/cases")["cases"] is not None
        assert sum(row["calls"] for row in self.see("calls")["marketplaces"])

    def act(self, api: Api, key: str | None = None, **body: Any) -> Any:
        action = api.post(f"{BASE}/actions", {"dryRun": False, **body}, key=key)["action"]
        self.own.wait(lambda: self.shown(action)["state"] == "finished", SECONDS, "the action is at its end")
        return self.shown(action)

    def shown(self, action: Any) -> Any:
        return self.see(f"actions/{quote(action['actionId'], safe='')}")

    def the_dead_are_replayed_one_and_all(self) -> None:
        """Two manual jobs are killed once more: one is replayed at once, what is left by the worker."""
        found = self.own.get(f"{BASE}/jobs", state="succeeded", kind="market.refresh")["jobs"]
        for job in [job for job in found if job["priority"] == "manual"][:2]:
            lose(self.laptop, job["jobId"], job["maxAttempts"])
        self.laptop.cloud.invoke(self.laptop.stack.function("scheduler"), {})
        # Another run may have taken one of them, and be at it.
        until(lambda: len(self.lost()) == 2, "both are dead")
        one, _ = self.lost()
        done = self.act(self.own, "one-letter", action="replay", letterIds=[one["id"]])
        assert done["outcomes"] == {"done": 1}
        # What it would have left is done a minute later, and whoever works then waits for that.
        hasten(self.laptop, kinds.job_id("acme", done["actionId"]), "queued")
        rest(self.laptop)
        assert self.act(self.own, action="replay", filter={"code": "lease_expired"})["outcomes"] == {"done": 1}

    def lost(self) -> list[dict[str, Any]]:
        """The dead letters of jobs whose workers never came back."""
        answer = self.own.get(f"{BASE}/dead-letters", status="open", code="lease_expired")
        found: list[dict[str, Any]] = answer["deadLetters"]
        return found

    def everybodys_work_is_taken_back(self) -> None:
        wanted: dict[str, Any] = {"action": "cancel", "filter": {"kind": "market.refresh", "state": "queued"}}
        assert self.all.post(f"{BASE}/actions", wanted)["counted"]["matched"] >= 2
        assert self.act(self.all, **wanted)["outcomes"]["done"] >= 2
        forget_lanes(self.laptop, "operator:")
        self.laptop.cloud.invoke(self.laptop.stack.function("operator-worker"), {})

    def work_is_paused_and_resumed(self) -> None:
        self.own.post(f"{BASE}/pauses", {"name": "alias:acme", "reason": "prices are wrong"})
        assert [one["name"] for one in self.see("pauses")["pauses"]] == ["alias:acme"]
        assert self.own.delete(f"{BASE}/pauses/alias:acme")["before"]["reason"] == "prices are wrong"

    def the_configuration_is_changed_and_changed_back(self) -> None:
        base = f"{BASE}/configuration"
        known = self.see("configuration")
        assert "engine.batch" in known["refused"]["reason"]  # the newest is a mistake, and this mends it
        first = self.see("configuration/versions/1")["document"]
        document = {**first, "prices": {**first.get("prices", {}), "stale_ms": 7_200_000}}
        assert self.all.post(f"{base}/check", {"document": document})["changes"]
        wanted = {"version": known["version"], "document": document, "reason": "prices may be older"}
        version = self.all.put(base, wanted)["version"]
        [row, *_] = self.see("configuration/versions")["versions"]
        assert (row["version"], row["reason"]) == (version, "prices may be older")
        assert self.see(f"configuration/versions/{version}")["document"] == document
        assert self.all.post(f"{base}/revert", {"version": version, "to": 1})["changes"]
        played = self.all.post(
            f"{base}/what-if", {"budget": "stockx:acme", "limits": {"windows": [{"calls": 1, "per": "hour"}]}}
        )
        assert played["proposed"]["waited"]

    def what_was_done_is_looked_at(self) -> None:
        for function in FUNCTIONS:
            assert self.all.post(f"{BASE}/run", {"function": function})["outcomes"] == {"started": 1}
        [last, *_] = self.see("actions")["actions"]
        assert len(self.own.get(f"{BASE}/actions")["actions"]) == 4
        with pytest.raises(ApiError) as refused:
            self.all.post(f"{BASE}/actions/{quote(last['actionId'], safe='')}/stop", {})
        assert refused.value.status == 409
