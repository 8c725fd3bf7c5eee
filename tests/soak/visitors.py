"""Tenants look at what there is, whatever goes wrong meanwhile: each answer is what the document of the API says."""

import re
from itertools import islice
from typing import Final
from urllib.parse import quote

from local.sandbox.catalog.golden import GOLDEN
from tests.soak.town import TENANTS, Trade
from tests.support.http import Answer, route_functions
from tests.unit.api.document import conforms

# In which list, and under which name, what stands for a parameter of a path is found.
PARAMETERS: Final = {
    "job_id": ("/v1/jobs", "jobId"),
    "listing_id": ("/v1/stockx/listings", "listingId"),
    "sku": ("/v1/ebay/listings", "sku"),
    "key": ("/v1/ebay/groups", "key"),
    "item_id": ("/v1/inventory", "itemId"),
    "promotion_id": ("/v1/promotions", "id"),
    "page_id": ("/v1/pages", "pageId"),
    "webhook_id": ("/v1/webhooks", "webhookId"),
    "letter_id": ("/v1/dead-letters", "id"),
    "action_id": ("/v1/operator/actions", "actionId"),
    "version": ("/v1/operator/configuration/versions", "version"),
    "budget": ("/v1/operator/budgets", "budget"),
}
QUERIES: Final = {"/v1/market/prices": {"sku": str(GOLDEN[0].style_id)}}
# It shows examples, of a tenant that is called as one here.
PUBLIC: Final = "/v1/openapi.json"
# Pages of a list that are turned at most.
PAGES: Final = 3


def readable() -> list[str]:
    """The paths that can be read, but those whose parameters nothing tells."""
    paths = [key.removeprefix("GET ") for key in route_functions() if key.startswith("GET ")]
    return [path for path in paths if path != PUBLIC and {*re.findall(r"\{(\w+)\}", path)} <= {*PARAMETERS}]


class Visitors(Trade):
    """They read each route of the API, page by page, or one of the things that a list has told of."""

    _roles = "admin"

    def act(self) -> None:
        path, tenant = self._chance.choice(readable()), self._chance.choice(TENANTS)
        self._roles = self._chance.choice(("admin", "admin", "admin platform"))
        found = re.search(r"\{(\w+)\}", path)
        if found is None:
            self._read(path, path, tenant, PAGES)
            return
        parent, name = PARAMETERS[found[1]]
        shown = self._read(parent, parent, tenant, 1)
        rows = next((one for one in shown.json.values() if isinstance(one, list) and one), [])  # none of a refusal
        if rows:
            value = quote(str(self._chance.choice(rows)[name]), safe=":")
            self._read(path, path.replace(found[0], value), tenant, 1)

    def _read(self, route: str, path: str, tenant: str, pages: int) -> Answer:
        """What is answered, which the document allows, and which says nothing of anybody else."""
        query = QUERIES.get(route, {})
        for answer in islice(self._pages(path, query, tenant=tenant, roles=self._roles), pages):
            conforms(f"GET {route}", answer)
            assert answer.status in (200, 400, 403, 404), answer.text
            others = [one for one in TENANTS if one != tenant and one in answer.text]
            assert not others or "platform" in self._roles, f"{tenant} reads of {others} at {path}: {answer.text}"
        return answer
