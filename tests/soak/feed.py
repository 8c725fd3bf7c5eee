"""Tenants read what has happened to them: in the end each event once, and nobody else's."""

from collections import Counter
from collections.abc import Iterator
from itertools import islice
from typing import Any, Final

from sluice import capabilities
from tests.soak.town import TENANTS, Trade

ALL: Final = "/v1/events"
TYPES: Final = (None, "job", "listing", "job.succeeded", "page")


class Readers(Trade):
    """They read the feed page by page; in the end it is compared with what was put on the bus."""

    def act(self) -> None:
        tenant, kind = self._chance.choice(TENANTS), self._chance.choice(TYPES)
        found = self._read(tenant, kind, self._chance.randint(1, 100), pages=3)
        times = [one["at"] for one in found]
        assert times == sorted(times, reverse=True), times
        assert kind is None or all(f"{one['type']}.".startswith(f"{kind}.") for one in found), kind

    def _read(self, tenant: str, kind: str | None, limit: int, pages: int) -> list[dict[str, Any]]:
        query = {"limit": limit, **({"type": kind} if kind else {})}
        found: list[dict[str, Any]] = []
        for answer in islice(self._pages(ALL, query, tenant=tenant), pages):
            assert answer.status == 200, answer.text
            found += answer.json["events"]
        return found

    def wrong(self) -> Iterator[str]:
        for tenant in TENANTS:
            shown = self._read(tenant, None, 100, pages=10_000)
            yield from (f"{tenant}: {what}" for what in self._differs(tenant, shown))

    def _differs(self, tenant: str, shown: list[dict[str, Any]]) -> Iterator[str]:
        own = {one.event_id: one for one in self._town.told if tenant in one.tenants}
        times = Counter(one["eventId"] for one in shown)
        yield from (f"{event_id} is told {number} times" for event_id, number in times.items() if number > 1)
        for one in shown:
            if one["eventId"] not in own:
                yield f"it is told of what did not happen to it: {one}"
        for event_id, event in own.items():
            if event_id not in times and not self._is_routine(event.kind, event.detail):
                yield f"it is not told of {event.kind} {event_id} at {event.at}"

    @staticmethod
    def _is_routine(kind: str, detail: dict[str, Any]) -> bool:
        """What the feed leaves out (ADR 118): success, and cancelling, of work in thousands that nobody waits for."""
        routine = detail.get("kind") in capabilities.ROUTINE and detail.get("priority") != "manual"
        return kind in ("job.succeeded", "job.cancelled") and routine
