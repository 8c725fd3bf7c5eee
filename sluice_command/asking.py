"""Asking for prices and following each to its end."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from sluice_command.api import Api
from sluice_command.errors import ApiError
from sluice_command.lists import MOST_PRICES, rows

Json = dict[str, Any]
# What a job is when nothing more becomes of it; and an account when it may be used.
OVER = {"succeeded", "dead", "cancelled"}
WORKING = ("ACTIVE", "UNVERIFIED")
_NAMED = ("sku", "marketplace", "size", "sizeSystem", "currency")


@dataclass
class Asked:
    """One price at one marketplace.

    item: as it is sent to `POST /v1/market/refresh`. job_id, state: its job, as it was last seen. price: as it is
    stored. waits: why its job waits. why: what keeps it from having a price. fresh: the stored one was young enough,
    so that no call was made.
    """

    item: Json
    job_id: str | None = None
    state: str = "refused"
    price: Json = field(default_factory=dict)
    waits: str = ""
    why: str = ""
    fresh: bool = False

    @property
    def over(self) -> bool:
        """Whether nothing more is to come."""
        return self.job_id is None or self.state in OVER

    @property
    def passed(self) -> bool:
        """Whether its job has succeeded, and left a price."""
        return self.state == "succeeded" and not self.why


def ask(api: Api, items: Iterable[Json]) -> list[Asked]:
    """Ask for the prices of `items`. A refused one says why."""
    asked = [Asked(item) for item in items]
    for one, answer in zip(asked, _answers(api, [one.item for one in asked]), strict=True):
        one.job_id, one.why = answer.get("jobId"), _why(answer.get("error", {}))
        one.state = answer.get("state", "refused")
        if one.job_id:
            for name in ("size", "sizeSystem"):
                if answer.get(name):
                    one.item = {**one.item, name: answer[name]}
    return asked


def look(api: Api, asked: Iterable[Asked]) -> None:
    """See how far those are that are not over."""
    for one in asked:
        if not one.over and one.job_id:
            _look(api, one.job_id, one)


def connected(api: Api) -> list[str]:
    """The marketplaces with a working account.

    Raises:
        ApiError: there is none.
    """
    found = [one["marketplace"] for one in api.get("/v1/accounts")["accounts"] if one["status"] in WORKING]
    if not found:
        raise ApiError("no working marketplace account is connected: `sluice connect stockx|alias|ebay`")
    return found


def stored(api: Api, item: Json) -> list[Json]:
    """The prices that are stored for `item`."""
    wanted = {name: item.get(name) for name in _NAMED}
    return list(rows(api, "/v1/market/prices", "prices", None, MOST_PRICES, **wanted))


def _answers(api: Api, wanted: list[Json]) -> list[Json]:
    """The answer for each of `wanted`, also where all of them are refused and the API answers with an error."""
    try:
        answer = api.post("/v1/market/refresh", {"items": wanted})
    except ApiError as error:
        if "items" not in error.body:
            raise
        answer = error.body
    answers: list[Json] = answer["items"]
    return answers


def _why(error: Json) -> str:
    return "; ".join(one["message"] for one in error.get("fields", [])) or str(error.get("message", ""))


def _look(api: Api, job_id: str, one: Asked) -> None:
    job = api.job(job_id)
    one.state, error = job["state"], job.get("error") or {}
    if one.state == "succeeded":
        one.why, one.fresh = "", (job.get("result") or {}).get("skipped") == "fresh"
        _find_price(api, one)
    elif one.state in OVER:
        one.why = error.get("message", "somebody has cancelled it")
    else:
        one.waits = job["wait"]["message"]
        one.why = f"not done in time: {one.waits}"


def _find_price(api: Api, one: Asked) -> None:
    found = stored(api, one.item)
    if not found:
        one.why = "its job has succeeded, and no price is stored"
    elif not (found[0]["ask"] or found[0]["bid"]):
        one.why = "the marketplace names neither an ask nor a bid"
    one.price = found[0] if found else {}
