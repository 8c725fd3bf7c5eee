"""What eBay's categories ask of their items: required aspects, allowed conditions. Table `ebay_categories`, for all.

```
 PUT ─► known? ─ yes ─► checked: refused by the name of our field
               └ no ──► taken; category.read is asked for, and the answer says that it was not checked
 publish of a new listing ─► known by then? ─► checked once more, before anything is sent
```
Nobody waits for it, and what is not known refuses nothing: an application may not be allowed to ask.
"""

from collections.abc import Collection
from typing import Any, Final, NamedTuple

from pynamodb.attributes import JSONAttribute, UnicodeAttribute

from sluice.jobs import ask
from sluice.jobs.model import keys
from sluice.jobs.model.outcomes import Failure, HandlerResult, Then
from sluice.jobs.model.run import Run
from sluice.listings.ebay import documents, publishers, rules, sellers, wishes
from sluice.listings.ebay.desired import Desired
from sluice.marketplaces.http.errors import MarketplaceFailure, Rejected
from sluice.platform import tables
from sluice.platform.attributes import IntAttribute
from sluice.platform.clock import DAY, ttl
from sluice.platform.config.document import Config
from sluice.platform.http.errors import FieldError

# eBay changes what a category asks for a few times a year, and tells weeks before. Read anew after:
FRESH_MS: Final = 7 * DAY
KEEP_MS: Final = 30 * DAY
# Who may not ask is not asked to again for so long.
REFUSED_MS: Final = DAY


class Category(tables.Table):
    """A category of a site. Times are epoch ms.

    asks: `{"required", "single", "conditions"}`, each a list of words; `{"why"}` where it takes no items.
    """

    class Meta:
        table_name = tables.name("ebay_categories")

    site = UnicodeAttribute(hash_key=True)
    category = UnicodeAttribute(range_key=True)
    asks = JSONAttribute()
    read_at = IntAttribute()
    expires_at = IntAttribute()


class Unfit(Failure):
    """The record has not what its category asks for. The message begins with our field."""

    action = Then.BUSINESS
    code = "category_unfit"


class KnownCategory(NamedTuple):
    """What is known of a category. asks: as `Category.asks`. read_at: when it was read, epoch ms."""

    asks: dict[str, Any]
    read_at: int

    def problems(self, desired: Desired, given: Collection[str] = ()) -> list[FieldError]:
        """What the record lacks. given: aspects that its group says for it."""
        if why := self.asks.get("why"):
            return [FieldError("category", why)]
        doc = documents.document(desired)
        required = set(self.asks["required"]) - set(given)
        return rules.category_problems(doc, required, self.asks["conditions"], self.asks["single"])


def known(site: str, category: str) -> KnownCategory | None:
    """What is known of a category; None before it was read."""
    try:
        found = Category.get(site, category)
    except Category.DoesNotExist:
        return None
    return KnownCategory(dict(found.asks), found.read_at)


def read_anew(tenant: str, desired: Desired, found: KnownCategory | None, now: int, config: Config) -> None:
    """Have the record's category read, unless that was done lately, or the account may not ask."""
    if found and now - found.read_at < FRESH_MS:
        return
    refused = sellers.categories_refused(keys.account("ebay", tenant))
    if refused is None or now - refused >= REFUSED_MS:
        ask.want(wishes.category(tenant, desired.marketplace, desired.category), now, config)


def unless_unfit(found: KnownCategory | None, desired: Desired, given: Collection[str] = ()) -> None:
    """Do nothing unless it is known that eBay would not publish the record in its category.

    found: what is known of the category. given: as `KnownCategory.problems`.

    Raises:
        Unfit: it would not; says what to change.
    """
    if problems := found.problems(desired, given) if found else []:
        told = "; ".join(f"{one.field} {one.message}" for one in problems)
        raise Unfit(f"{told} (sku {desired.sku})" if desired.group else told)


def read(run: Run) -> HandlerResult:
    """One run of `category.read`. The result is `{"outcome": "read" | "no_leaf" | "not_allowed" | "known"}`."""
    site, category, now = run.payload["site"], run.payload["category"], run.clock.now()
    there = known(site, category)
    if there and now - there.read_at < FRESH_MS:
        return {"outcome": "known"}
    api = publishers.categories_of(run.job.account, run.calls, run.clock)
    try:
        aspects = api.aspects(api.tree(site), category)
        conditions = api.conditions(site, category)
    except MarketplaceFailure as failure:
        if failure.status == 403:
            sellers.refuse_categories(run.job.account, now)
            return {"outcome": "not_allowed"}
        if not isinstance(failure, Rejected):
            raise
        _keep(site, category, {"why": failure.message}, now)
        return {"outcome": "no_leaf"}
    asks = {
        "required": sorted(one.name for one in aspects if one.required),
        "single": sorted(one.name for one in aspects if not one.several),
        "conditions": sorted(conditions),
    }
    _keep(site, category, asks, now)
    return {"outcome": "read"}


def _keep(site: str, category: str, asks: dict[str, Any], now: int) -> None:
    Category(site, category, asks=asks, read_at=now, expires_at=ttl(now + KEEP_MS)).save()
