"""The part of the demo that watches pages: two shops, of which one lowers its price and one gets its product back."""

from typing import Any, Final

from rich.console import Console
from rich.table import Table

from local.laptop import ANSWER_SECONDS, Api, Laptop

# Checks are as close together as the demo wants them; else a page is left alone for half an hour.
PAGES: Final = {"min_check_interval_minutes": 0, "confirm_minutes": 0}
PACE: Final = {"interval_ms": 100}
DROP, RESTOCK = "pinewood", "ridgeline"


class PagesFailed(Exception):  # noqa: N818 - what happened
    """A page was not told of as it should be; the text says which."""


def watch_pages(laptop: Laptop, api: Api, console: Console) -> None:
    """Track two pages; a drop and a restock are told, each after a second check has confirmed it."""
    laptop.sandbox.set_shop(DROP, price=2_000, available=True)
    laptop.sandbox.set_shop(RESTOCK, price=18_950, available=False)
    for name, wish in ((DROP, {"targetPrice": {"amount": "15", "currency": "GBP"}}), (RESTOCK, {})):
        page = api.post("/v1/pages", {"url": laptop.sandbox.shop_url(name), "label": name, **wish})["page"]
        console.print(f"POST /v1/pages → {page['url']}")
    _check(api, times=2)
    laptop.sandbox.set_shop(DROP, price=1_450, available=True)
    laptop.sandbox.set_shop(RESTOCK, price=18_950, available=True)
    console.print(f"{DROP} lowers its price, {RESTOCK} has its product again; two checks confirm it")
    _check(api, times=2)
    told = [alert for page in _pages(api) for alert in page["lastAlerts"]]
    kinds = sorted(alert["kind"] for alert in told)
    if kinds != ["back_in_stock", "price_dropped"]:
        raise PagesFailed(f"a drop and a restock should have been told, each once, and it was {kinds or 'nothing'}")
    _show(api, console)


def _check(api: Api, times: int) -> None:
    """Have every page checked, so many times."""
    for _ in range(times):
        before = {page["pageId"]: page["checkedAt"] for page in _pages(api)}

        def checked(before: dict[str, Any] = before) -> bool:
            return all(page["checkedAt"] != before[page["pageId"]] for page in _pages(api))

        api.post("/v1/operator/checks/run-now", {})
        api.wait(checked, ANSWER_SECONDS, "both pages are checked")


def _pages(api: Api) -> list[dict[str, Any]]:
    return [api.get(f"/v1/pages/{one['pageId']}")["page"] for one in api.get("/v1/pages")["pages"]]


def _show(api: Api, console: Console) -> None:
    table = Table("page", "read by", "told", "before", "after", title="GET /v1/pages/{page_id}")
    for page in _pages(api):
        for alert in page["lastAlerts"]:
            one = alert["variants"][0]
            values = [_text(one[name]) for name in ("before", "after")]
            table.add_row(page["label"], page["source"], alert["kind"].replace("_", " "), *values)
    console.print(table)


def _text(value: Any) -> str:
    return f"{value['amount']} {value['currency']}" if isinstance(value, dict) else str(value)
