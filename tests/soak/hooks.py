"""Tenants have a second address for their events, which comes and goes; what was sent there is sent once more."""

from collections.abc import Iterator
from typing import Any, Final

from sluice import capabilities
from tests.soak.town import TENANTS, Trade

ONE: Final = "/v1/webhooks/side"


class Hooks(Trade):
    """They change it, have it tested, give it a new secret, and take it away."""

    def act(self) -> None:
        tenant = self._chance.choice(TENANTS)
        match self._chance.randint(0, 6):
            case 0:
                self._ask("DELETE", ONE, tenant)
            case 1:
                self._ask("POST", f"{ONE}/secret", tenant)
            case 2:
                self._ask("POST", f"{ONE}/test", tenant)
            case 3:
                sent = self._town.ask("GET", f"{ONE}/deliveries", tenant=tenant, roles="admin").json.get("deliveries")
                if sent:
                    self._ask("POST", f"{ONE}/deliveries/{self._chance.choice(sent)['deliveryId']}/resend", tenant)
            case _:
                types = self._chance.sample(sorted(capabilities.EVENTS), self._chance.randint(1, 6))
                body = {"url": f"https://hooks.example.com/{tenant}", "eventTypes": types}
                self._ask("PUT", ONE, tenant, {**body, "enabled": self._chance.random() < 0.7})

    def _ask(self, method: str, path: str, tenant: str, body: dict[str, Any] | None = None) -> None:
        answer = self._town.ask(method, path, body, tenant=tenant, roles="admin")
        assert answer.status < 300 or answer.status in (404, 409), answer.text

    def wrong(self) -> Iterator[str]:
        """What is on its way arrives, or is dropped with its address."""
        for item in self._town.store.items("deliveries"):
            if item.get("state", {}).get("S") == "pending":
                yield f"{item['delivery']['S']} is on its way to {item['webhook']['S']} still"
