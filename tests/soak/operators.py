"""Tenants' operators pause work, have dead letters done once more, and act on many jobs at once."""

from collections.abc import Iterator
from typing import Any, Final

from sluice.platform.clock import MINUTE, iso
from tests.soak.town import TENANTS, Town, Trade

ACTIONS: Final = "/v1/operator/actions"
# What they do to all jobs, or dead letters, of a kind. Only prices are taken back (`promises` excuses those): of a
# listing or a promotion that is taken back, nobody could say in the end whether it must be there.
MANY: Final = (
    ("cancel", "market.refresh"),
    ("raise", "market.refresh"),
    ("raise", "listing.update"),
    ("raise", "promotion.create"),
    ("retry", "market.refresh"),
    ("retry", "listing.publish"),
    ("retry", "listing.update"),
    ("reset", "market.refresh"),
    ("replay", "listing.publish"),
    ("replay", "market.refresh"),
    ("acknowledge", "listing.publish"),
    ("acknowledge", "promotion.create"),
)


class Operators(Trade):
    """What they did."""

    def __init__(self, town: Town) -> None:
        super().__init__(town)
        self._paused: set[tuple[str, str]] = set()

    def act(self) -> None:
        tenant = self._chance.choice(TENANTS)
        match self._chance.randint(0, 4):
            case 0:
                self._pause(tenant)
            case 1:
                self._resume()
            case 2:
                self._ask(tenant, "/v1/dead-letters/replay", {"dryRun": False, "limit": 10})
            case 3:
                self._do_many(tenant, "cancel", "market.refresh")
            case _:
                self._do_many(tenant, *self._chance.choice(MANY))

    def _do_many(self, tenant: str, word: str, kind: str) -> None:
        self._ask(tenant, ACTIONS, {"action": word, "filter": {"kind": kind}, "dryRun": False})

    def _pause(self, tenant: str) -> None:
        name = self._chance.choice((f"stockx:{tenant}", f"ebay:{tenant}", f"tenant:{tenant}"))
        until = iso(self._town.clock.time + self._chance.randint(1, 20) * MINUTE)
        self._ask(tenant, "/v1/operator/pauses", {"name": name, "reason": "by chance", "until": until})
        self._paused.add((tenant, name))

    def _resume(self) -> None:
        for tenant, name in sorted(self._paused):
            self._town.ask("DELETE", f"/v1/operator/pauses/{name}", tenant=tenant, roles="admin")
        self._paused.clear()

    def _ask(self, tenant: str, path: str, body: dict[str, Any]) -> None:
        answer = self._town.ask("POST", path, body, tenant=tenant, roles="admin")
        assert answer.status < 400 or answer.status == 409, answer.text

    def mend(self) -> None:
        self._resume()

    def wrong(self) -> Iterator[str]:
        for tenant in TENANTS:
            answer = self._town.ask("GET", ACTIONS, tenant=tenant, roles="admin")
            for one in answer.json["actions"]:
                # Of one that its operator asked for anew, because the request had died, the first is told as failed.
                if one["state"] == "running":
                    yield f"the action {one['action']} of {tenant} is {one['state']}"
