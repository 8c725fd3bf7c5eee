"""Tenants connect their accounts, lose them, and connect them again; and they say where they want to be told."""

from collections.abc import Iterator
from typing import Final

from sluice import capabilities
from sluice.platform.clock import MINUTE
from tests.crash.plant import CREDENTIALS
from tests.soak.storm import CALM
from tests.soak.town import TENANTS, Town, Trade

# How long a seller needs to see that an account is broken.
SLOW_MS: Final = 20 * MINUTE


class Accounts(Trade):
    """Each tenant has one at each marketplace."""

    def __init__(self, town: Town) -> None:
        super().__init__(town)
        self._broken: dict[str, int] = {}

    def open(self) -> None:
        for tenant in TENANTS:
            self._connect(tenant)
            for path, body in self._wishes(tenant).items():
                answer = self._town.ask("PUT", path, body, tenant=tenant, roles="admin")
                assert answer.status in (200, 201), answer.text

    def act(self) -> None:
        """A tenant's log-in ends at all marketplaces, or the seller logs in again."""
        now = self._town.clock.time
        for tenant, since in list(self._broken.items()):
            if since < now - SLOW_MS:
                self._connect(tenant)
        if self._chance.random() < 0.2:
            tenant = self._chance.choice(TENANTS)
            self._town.sandbox.accounts.revoke(tenant)
            self._broken.setdefault(tenant, now)

    def mend(self) -> None:
        for tenant in TENANTS:
            self._connect(tenant)
            for path, body in self._wishes(tenant).items():
                self._town.ask("PUT", path, body, tenant=tenant, roles="admin")

    def wrong(self) -> Iterator[str]:
        for item in self._town.store.items("accounts"):
            if "status" in item and item["status"]["S"] != "ACTIVE":
                yield f"account {item['account']['S']} is {item['status']['S']}"

    def _connect(self, tenant: str) -> None:
        """Log in everywhere. Where a marketplace refuses it at a bad moment, the seller tries again in a while."""
        given = self._town.sandbox.accounts.connect(tenant)
        for marketplace, names in CREDENTIALS.items():
            body = {name: getattr(given, name) for name in names}
            answer = self._town.ask("PUT", f"/v1/accounts/{marketplace}", body, tenant=tenant)
            if answer.status not in (200, 201):
                assert answer.json["error"]["code"] == "credentials_refused", answer.text
                assert self._town.storm.weather is not CALM, answer.text
                self._broken.setdefault(tenant, self._town.clock.time)
                return
        self._broken.pop(tenant, None)

    @staticmethod
    def _wishes(tenant: str) -> dict[str, object]:
        types = [one for one in capabilities.EVENTS if one != "webhook.disabled"]
        mail = {"address": f"ops@{tenant}.example", "eventTypes": ["job.dead", "account.broken"]}
        return {
            "/v1/webhooks/main": {"url": f"https://hooks.example.com/{tenant}", "eventTypes": types},
            "/v1/notifications": {"mail": mail, "summary": {"hour": 8}},
        }
