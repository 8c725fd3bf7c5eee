"""What whoever operates a stack looks at and does, at the end of an eventful day."""

from typing import Any

from local.laptop import Laptop

SECONDS = 240  # only what never comes takes as long, however busy the machine
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

    def see(self, path: str, **query: Any) -> Any:
        return self.all.get(f"{BASE}/{path}", **query)

    def everything_is_looked_at(self) -> None:
        self.own.wait(lambda: self.see("jobs/counts")["jobs"] > 0, SECONDS, "the jobs are counted")
        for path in ("overview", "jobs/counts", "work", "operations", "promotions", "lanes", "budgets", "accounts"):
            assert self.own.get(f"{BASE}/{path}")
            assert self.see(path)
        [job, *_] = self.own.get(f"{BASE}/jobs")["jobs"]
        assert self.see(f"jobs/{job['jobId']}")["tenant"] == "acme"
        assert self.own.get(f"{BASE}/dead-letters")["deadLetters"]
        [budget, *_] = self.own.get(f"{BASE}/budgets")["budgets"]
        assert self.own.get(f"{BASE}/budgets/{budget['budget']}/history")["days"]
        assert "acme" in [row["tenant"] for row in self.see("tenants")["tenants"]]
        assert self.see("runs")["runs"]
        assert sum(row["calls"] for row in self.see("calls")["marketplaces"])
