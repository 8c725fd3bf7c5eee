"""Whose an item is: what there is of one tenant in each table. Pure.

Prices, the catalog, categories and what is known of pages are common knowledge: they name nobody, and stay.
"""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Final, NamedTuple

from operate import Item
from sluice.jobs.model import keys
from sluice.jobs.model.job import FORCE
from sluice.jobs.model.states import FINAL

# The attribute that says whose an item is: `acme`, `stockx:acme`, `acme/…`, `acme#…`.
OWNER: Final = {
    **dict.fromkeys(("requests", "dead_letters", "listings", "inventory", "imports", "idempotency"), "tenant"),
    **dict.fromkeys(
        ("ebay_listings", "ebay_sync_log", "enrichments", "webhooks", "trackers", "sessions", "events"), "tenant"
    ),
    **dict.fromkeys(("listing_history", "ebay_history", "ebay_snapshots"), "listing"),
    "deliveries": "webhook",
    "budgets": "budget",
    "pauses": "name",
}
# The sets of a job that name who may see it, or waits for it.
SETS: Final = ("tenants", "for", "rerun_askers")


class Found(NamedTuple):
    """What is to be done with an item; one that is `GONE` is deleted.

    without: set attributes, and the names that are taken from them.
    instead: the whole of it as it is to be.
    """

    without: Mapping[str, list[str]] = {}
    instead: Item | None = None


GONE: Final = Found()


def of_tenant(table: str, item: Item, tenant: str) -> Found | None:
    """What is to be done with `item` where nothing of `tenant` is to be left; None: it is not the tenant's."""
    if table == "jobs":
        return _job(item, tenant)
    if table == "accounts" and "accounts" in item:  # a user of a marketplace, with the accounts in its name
        return _member(item, "accounts", [one for one in item["accounts"]["SS"] if _is(one, tenant)])
    if table == "pages":
        return _member(item, "tenants", [one for one in _set(item, "tenants") if one == tenant], keep=True)
    return GONE if any(_is(owner, tenant) for owner in _owners(table, item)) else None


def is_under_way(table: str, item: Item, tenant: str) -> str | None:
    """Why the tenant cannot be removed yet: what of it is at work; None where this is nothing of the kind."""
    if table == "jobs" and _text(item, "state") not in FINAL and tenant in _named(item):
        return "jobs that are not over"
    if table == "notifications" and "topic" in item and _text(item, "entry") == tenant:
        return "addresses that get mail"
    if table == "accounts" and "credentials" in item and _is(_text(item, "account"), tenant):
        return "connected accounts"
    return None


def _owners(table: str, item: Item) -> Iterator[str]:
    match table:
        case "accounts":
            yield _text(item, "account")
        case "lanes":
            yield keys.lane_account(_text(item, "lane")) if "#" in _text(item, "lane") else ""
        case "ebay_sellers":
            yield _text(item, "part" if _text(item, "account").startswith("#") else "account")
        case "notifications":
            yield _text(item, "entry" if _text(item, "tenant").startswith("#") else "tenant")
        case "usage":
            yield _text(item, "period" if _text(item, "tenant").startswith("#") else "tenant")
        case "counts":
            yield _text(item, "period" if _text(item, "owner") == "#tenants" else "owner")
        case "actions":
            yield _text(item, "owner")
            yield _text(item, "of")
            yield _text(item, "whose")
        case _ if table in OWNER:
            yield _text(item, OWNER[table])


def _is(owner: str, tenant: str) -> bool:
    return re.fullmatch(rf"(?:[a-z-]+:)?{re.escape(tenant)}(?:[/#].*)?", owner, re.DOTALL) is not None


def _job(item: Item, tenant: str) -> Found | None:
    """A job that several asked for stays for the others: as that of one of them, if the tenant paid for it."""
    # One that is not over is counted where it began until it ends.
    counted = {_text(item, "counted")} if _text(item, "state") in FINAL else set()
    if tenant not in _named(item) | counted:
        return None
    others = _named(item) - {tenant}
    if not others:
        return GONE
    texts = [name for name in ("tenant", "counted") if _text(item, name) == tenant]
    kept = {name: value for name, value in item.items() if name not in (*SETS, *texts)}
    kept |= {name: {"SS": names} for name in SETS if (names := [one for one in _set(item, name) if one != tenant])}
    if "tenant" not in kept:
        heir = min(others & set(_set(item, "for")) or others)
        account, budget = _text(item, "account"), _text(item, "budget")
        kept["tenant"] = {"S": heir}
        kept["account"] = {"S": keys.account(keys.marketplace_of(account), heir)}
        kept["budget"] = {"S": keys.budget_of_another(budget, heir)}
    payload = json.loads(_text(item, "payload") or "{}")
    if payload.get("forced_by") == tenant:
        kept["payload"] = {"S": json.dumps({name: value for name, value in payload.items() if name not in FORCE})}
    return Found(instead=kept)


def _named(item: Item) -> set[str]:
    return {_text(item, "tenant"), *(one for name in SETS for one in _set(item, name))}


def _member(item: Item, name: str, theirs: list[str], *, keep: bool = False) -> Found | None:
    if not theirs:
        return None
    alone = len(theirs) == len(_set(item, name)) and not keep
    return GONE if alone else Found({name: theirs})


def _set(item: Item, name: str) -> list[str]:
    return list(item.get(name, {}).get("SS", []))


def _text(item: Item, name: str) -> str:
    return str(item.get(name, {}).get("S", ""))
