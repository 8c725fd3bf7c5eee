"""The pages, each a function from a visit to what it shows. None of them reads a table: they ask the API.

This is the one place where a page is entered: those that stand in the navigation in `GROUPS`, the others in `MORE`.
"""

from collections.abc import Callable, Mapping
from typing import Final, NamedTuple

from sluice.dashboard.page import Page, Redirect
from sluice.dashboard.pages import (
    actions,
    budgets,
    checks,
    configuration,
    deployment,
    ebay_groups,
    ebay_listings,
    ebay_snapshots,
    jobs,
    letters,
    listings,
    notifications,
    overview,
    pauses,
    portfolio,
    portfolio_imports,
    product_pages,
    promotions,
    webhooks,
    what_if,
)
from sluice.dashboard.visit import Visit
from sluice.platform.http.auth import Permission

Show = Callable[[Visit], Page | Redirect]


class Place(NamedTuple):
    """A page that stands in the navigation.

    needs: without it nobody is shown the way there; the API would refuse it. own: it shows what belongs to the caller's
    own tenant, whichever tenant whoever runs the deployment looks at.
    """

    path: str
    name: str
    show: Show
    needs: Permission
    own: bool = False

    def lists(self, path: str) -> bool:
        """Whether the page at `path` shows one thing of this place, as `/dashboard/job` does of `/dashboard/jobs`."""
        one = self.path.removesuffix("s")
        return self.path != "/dashboard" and (path in (one, self.path) or path.startswith((f"{one}/", f"{self.path}/")))


def home(visit: Visit) -> Page | Redirect:
    """The overview; for who may not see it, the first page that they may."""
    if visit.may(Permission.OPERATE_READ):
        return overview.show(visit)
    places = [place for group in GROUPS for place in offered(visit, group)]
    return Redirect(places[0].path) if places else overview.show(visit)


GROUPS: Final[Mapping[str, tuple[Place, ...]]] = {
    "Work": (
        Place("/dashboard", "Overview", home, Permission.OPERATE_READ),
        Place("/dashboard/jobs", "Jobs", jobs.show_all, Permission.OPERATE_READ),
        Place("/dashboard/dead-letters", "Dead letters", letters.show_all, Permission.OPERATE_READ),
        Place("/dashboard/pauses", "Pauses", pauses.show_all, Permission.OPERATE_READ),
        Place("/dashboard/actions", "Audit log", actions.show_all, Permission.OPERATE_READ),
    ),
    "Marketplaces": (
        Place("/dashboard/accounts", "Accounts", budgets.show_accounts, Permission.OPERATE_READ),
        Place("/dashboard/budgets", "Budgets", budgets.show_all, Permission.OPERATE_READ),
        Place("/dashboard/operations", "Operations", listings.show_operations, Permission.OPERATE_READ),
        Place("/dashboard/ads", "Promotion results", promotions.show_work, Permission.OPERATE_READ),
        Place("/dashboard/checks", "Page checks", checks.show_recent, Permission.CHECKS_READ),
    ),
    "Yours": (
        Place("/dashboard/portfolio", "Portfolio", portfolio.show_all, Permission.INVENTORY_READ, own=True),
        Place("/dashboard/listings", "StockX listings", listings.show_all, Permission.LISTINGS_READ, own=True),
        Place(ebay_listings.HERE, "eBay listings", ebay_listings.show_all, Permission.LISTINGS_READ, own=True),
        Place(ebay_groups.HERE, "eBay groups", ebay_groups.show_all, Permission.LISTINGS_READ, own=True),
        Place("/dashboard/promotions", "Promotions", promotions.show_all, Permission.PROMOTIONS_READ, own=True),
        Place("/dashboard/product-pages", "Product pages", product_pages.show_all, Permission.PAGES_READ, own=True),
        Place("/dashboard/webhooks", "Webhooks", webhooks.show_all, Permission.WEBHOOKS_READ, own=True),
        Place(notifications.HERE, "Notifications", notifications.show, Permission.NOTIFICATIONS_READ, own=True),
    ),
    "Deployment": (
        Place("/dashboard/calls", "Calls", deployment.show_calls, Permission.DEPLOYMENT_READ),
        Place("/dashboard/runs", "Runs", deployment.show_runs, Permission.DEPLOYMENT_READ),
        Place("/dashboard/configuration", "Configuration", configuration.show, Permission.DEPLOYMENT_READ),
        Place("/dashboard/what-if", "What if", what_if.show, Permission.DEPLOYMENT_READ),
        Place("/dashboard/tenants", "Tenants", deployment.show_tenants, Permission.DEPLOYMENT_READ),
    ),
}
# Pages of one thing, and what forms lead to. Ids stand in the query: some hold a `/`, which a gateway decodes in paths.
MORE: Final[Mapping[str, Show]] = {
    "GET /dashboard/job": jobs.show_one,
    "GET /dashboard/budget": budgets.show_one,
    "GET /dashboard/action": actions.show_one,
    "POST /dashboard/actions": actions.do,
    "POST /dashboard/actions/count": actions.count,
    "POST /dashboard/action/stop": actions.stop,
    "GET /dashboard/checks/slow": checks.show_slow,
    "POST /dashboard/checks/run": checks.run,
    "POST /dashboard/configuration": configuration.change,
    "POST /dashboard/configuration/check": configuration.check,
    "POST /dashboard/configuration/revert": configuration.revert,
    "GET /dashboard/configuration/version": configuration.show_version,
    "GET /dashboard/ebay-listing": ebay_listings.show_one,
    "GET /dashboard/ebay-listing/difference": ebay_snapshots.show_difference,
    "GET /dashboard/ebay-listing/snapshot": ebay_snapshots.show_one,
    "POST /dashboard/ebay-listing/answer": ebay_listings.answer,
    "POST /dashboard/ebay-listing/check": ebay_listings.check,
    "GET /dashboard/ebay-group": ebay_groups.show_one,
    "GET /dashboard/ebay-group/difference": ebay_snapshots.show_difference_of_group,
    "GET /dashboard/ebay-group/snapshot": ebay_snapshots.show_one_of_group,
    "POST /dashboard/ebay-group/check": ebay_groups.check,
    "GET /dashboard/listing": listings.show_one,
    "POST /dashboard/listing/activate": listings.activate,
    "POST /dashboard/listing/change": listings.change,
    "POST /dashboard/listing/deactivate": listings.deactivate,
    "POST /dashboard/listing/delete": listings.delete,
    "GET /dashboard/operation": listings.show_operation,
    "POST /dashboard/notifications": notifications.save,
    "POST /dashboard/notifications/stop": notifications.stop,
    "POST /dashboard/notifications/test": notifications.test,
    "POST /dashboard/pauses": pauses.pause,
    "POST /dashboard/pauses/resume": pauses.resume,
    "POST /dashboard/portfolio": portfolio.add,
    "POST /dashboard/portfolio/change": portfolio.change,
    "GET /dashboard/portfolio/import": portfolio_imports.show,
    "POST /dashboard/portfolio/import": portfolio_imports.send,
    "GET /dashboard/portfolio/item": portfolio.show_one,
    "POST /dashboard/portfolio/refresh": portfolio.refresh,
    "POST /dashboard/portfolio/remove": portfolio.remove,
    "GET /dashboard/product-page": product_pages.show_one,
    "POST /dashboard/product-pages": product_pages.track,
    "POST /dashboard/product-page/change": product_pages.change,
    "POST /dashboard/product-page/untrack": product_pages.untrack,
    "GET /dashboard/promotion": promotions.show_one,
    "POST /dashboard/promotions": promotions.ask,
    "POST /dashboard/promotion/cancel": promotions.cancel,
    "GET /dashboard/webhook": webhooks.show_one,
    "POST /dashboard/webhooks": webhooks.save,
    "POST /dashboard/webhook/delete": webhooks.delete,
    "POST /dashboard/webhook/resend": webhooks.resend,
    "POST /dashboard/webhook/secret": webhooks.renew_secret,
    "POST /dashboard/webhook/test": webhooks.test,
}
PLACES: Final = {place.path: place for group in GROUPS.values() for place in group}
# Every page, by method and path.
PAGES: Final[Mapping[str, Show]] = {**{f"GET {path}": place.show for path, place in PLACES.items()}, **MORE}


def offered(visit: Visit, group: str) -> list[Place]:
    """The places of a group that the caller may see."""
    return [place for place in GROUPS[group] if visit.may(place.needs)]


def is_own(path: str) -> bool:
    """Whether the page at `path` shows what the caller's own tenant has: a list, or one thing of it."""
    return any(place.own and place.lists(path) for place in PLACES.values())
