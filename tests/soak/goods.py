"""Tenants say what they own, one by one and in files."""

from collections.abc import Iterator
from typing import Any, Final

from tests.soak.town import TENANTS, Town, Trade

ALL: Final = "/v1/inventory"
# Said one by one, and in files: of what both say, nobody could tell which came last.
STYLE, IN_FILES = "DD1391-100", "DZ5485-410"
SIZES: Final = ("8", "8.5", "9", "9.5", "10", "10.5", "11", "12")


class Goods(Trade):
    """What each tenant owns: the cost of each item, by its id."""

    def __init__(self, town: Town) -> None:
        super().__init__(town)
        self._costs: dict[tuple[str, str], str | None] = {}
        self._files: list[tuple[str, str]] = []
        self._cost = 50

    def act(self) -> None:
        tenant, mine = self._chance.choice(TENANTS), sorted(self._costs)
        match self._chance.randint(0, 5):
            case 0 | 1:
                self._put(tenant)
            case 2 | 3 if mine:
                owner, item_id = self._chance.choice(mine)
                cost = self._next()
                answer = self._town.ask("PATCH", f"{ALL}/{item_id}", {"cost": cost}, tenant=owner)
                if answer.status < 300:
                    self._costs[owner, item_id] = cost
            case 4 if mine:
                owner, item_id = self._chance.choice(mine)
                answer = self._town.ask("DELETE", f"{ALL}/{item_id}", tenant=owner)
                assert answer.status < 300 or answer.status == 404, answer.text
                self._costs[owner, item_id] = None
            case _:
                self._import(tenant)

    def _next(self) -> str:
        self._cost += 1
        return f"{self._cost}.00"

    def _put(self, tenant: str) -> None:
        size, cost = self._chance.choice(SIZES), self._next()
        item = {"sku": STYLE, "size": size, "sizeSystem": "us", "cost": cost, "currency": "USD"}
        for _ in range(20):
            [told] = self._told(tenant, [item])
            if told.get("error", {}).get("code") != "unavailable":
                break
        if "itemId" in told:
            self._costs[tenant, told["itemId"]] = cost
            for refresh in told.get("refreshes", ()):
                if "jobId" in refresh:
                    self._town.owe(tenant, refresh["jobId"])

    def _told(self, tenant: str, items: list[dict[str, Any]]) -> list[dict[str, Any]]:
        answer = self._town.ask("POST", ALL, {"items": items}, tenant=tenant)
        return list(answer.json["items"]) if answer.status < 300 else [{}]

    def _import(self, tenant: str) -> None:
        rows = [f"{IN_FILES},{size},us" for size in self._chance.sample(SIZES, 3)]
        sheet = "\n".join(["sku,size,sizeSystem", *rows])
        answer = self._town.ask("POST", f"{ALL}/import", sheet, tenant=tenant, content_type="text/csv")
        if answer.status == 202:
            self._files.append((tenant, answer.json["importId"]))

    def wrong(self) -> Iterator[str]:
        for (tenant, item_id), cost in self._costs.items():
            answer = self._town.ask("GET", f"{ALL}/{item_id}", tenant=tenant)
            if cost is None and answer.status != 404:
                yield f"item {item_id} of {tenant} was deleted, and is there"
            if cost is not None and (answer.status != 200 or float(answer.json["cost"]) != float(cost)):
                yield f"item {item_id} of {tenant} is to cost {cost}: {answer.text[:300]}"
        for tenant, import_id in self._files:
            answer = self._town.ask("GET", f"{ALL}/imports/{import_id}", tenant=tenant)
            shown = answer.json
            done = shown.get("status") == "done" and shown["created"] + shown["existing"] + shown["kept"] == 3
            if not done:
                yield f"the import {import_id} of {tenant} is {answer.text[:300]}"
