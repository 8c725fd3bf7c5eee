"""Tenants want prices at three marketplaces."""

from typing import Any, Final

from local.sandbox.catalog.golden import GOLDEN
from tests.soak.town import TENANTS, Trade

STYLES: Final = tuple(str(one.style_id) for one in GOLDEN[:4])
SIZES: Final = ("8", "9", "9.5", "10", "11")
MARKETPLACES: Final = ("stockx", "alias", "ebay")


class Prices(Trade):
    """They ask, and take it back; that they are answered is looked at for all jobs."""

    def act(self) -> None:
        if self._chance.random() < 0.1:
            self._take_back()
            return
        tenant = self._chance.choice(TENANTS)
        items = [self._wanted() for _ in range(self._chance.randint(1, 3))]
        answer = self._town.ask("POST", "/v1/market/refresh", {"items": items}, tenant=tenant)
        if answer.status == 202:
            for one in answer.json["items"]:
                if "jobId" in one:
                    self._town.owe(tenant, one["jobId"])

    def _take_back(self) -> None:
        owed = [one for one in self._town.asked[-20:] if one.job_id.startswith("market.")]
        if owed:
            one = self._chance.choice(owed)
            answer = self._town.ask("DELETE", f"/v1/jobs/{one.job_id}", tenant=one.tenant)
            if answer.status < 300:
                self._town.forgive(one.tenant, one.job_id)

    def _wanted(self) -> dict[str, Any]:
        return {
            "sku": self._chance.choice(STYLES),
            "size": self._chance.choice(SIZES),
            "sizeSystem": "us",
            "marketplace": self._chance.choice(MARKETPLACES),
            "priority": self._chance.choice(("manual", "hot", "background")),
        }
