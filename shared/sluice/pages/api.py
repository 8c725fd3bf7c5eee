"""The routes of tracked pages. Nothing is fetched while a request waits: the first check comes with the next run."""

import re
from collections.abc import Iterable
from typing import Any, NotRequired

from aws_lambda_powertools.event_handler import Response
from typing_extensions import TypedDict

from sluice.pages import request as requests
from sluice.pages import table, urls, views
from sluice.pages.alerts import Watch
from sluice.pages.bodies import NewPage, PageChange, PagePricesQuery
from sluice.pages.table import PageCheck, PricePoint, Product, SavedPage, Tracker
from sluice.pages.urls import BadUrl
from sluice.platform.config import live
from sluice.platform.http import answers, paging
from sluice.platform.http.auth import Permission
from sluice.platform.http.errors import Conflict, Invalid, NotFound
from sluice.platform.http.models import PageQuery
from sluice.platform.http.routing import PRIVATE, HttpRequest, Route
from sluice.platform.settings import settings

LAST_CHECKS = 10
# Pages of the tenant among which those with the same canonical link are looked for.
MOST_COMPARED = 200
# A saved page is a stranger's: no browser may take it for a page of ours.
_PLAIN = "text/plain; charset=utf-8"
_AS_TEXT = {**PRIVATE, "X-Content-Type-Options": "nosniff", "Content-Security-Policy": "sandbox; default-src 'none'"}
# What is not found where there is none.
PAGE = ("page", "pageId")


class TrackedPage(TypedDict):
    """The page is tracked."""

    page: views.PageSummary


class PageAnswer(TypedDict):
    """A tracked page."""

    page: views.PageView


class TrackedPages(TypedDict):
    """Your tracked pages, in the order of their ids. `next`: null on the last page."""

    pages: list[views.PageSummary]
    next: str | None


class UntrackedPage(TypedDict):
    """The page is tracked no longer."""

    pageId: str


class PriceHistory(TypedDict):
    """The confirmed prices and stock of a variant, newest first, each from its time on."""

    variantId: str
    points: list[views.PointView]
    message: NotRequired[str]


def track_page(request: HttpRequest[NewPage, None]) -> TrackedPage:
    """Track a page. It is checked by the next run of the scheduler."""
    body = request.body
    watch = body.watch()
    try:
        url = urls.normal(body.url, local=settings().on_a_laptop)
    except BadUrl as bad:
        raise Invalid.field("url", str(bad)) from None
    found = table.find(urls.product_id(url))
    _check_currency(watch, found)
    tracker = requests.begun_by(request.seed, url, request.tenant)
    if tracker is None:
        requests.TRACKED.require_room(request.tenant, 1, request.now, live.current())
        try:
            tracker = requests.track(url, body.label, watch, request.tenant, request.now, request.seed)
        except requests.TrackedAlready:
            more = {"pageId": urls.product_id(url)}
            raise Conflict("you track this page already; change it with PATCH", code="tracked", more=more) from None
    product = table.find(tracker.product)
    if product is None:
        raise NotFound.of(*PAGE)  # tracked and forgotten again meanwhile, by another request of the same tenant
    return {"page": views.summary(tracker, product, (), request.now)}


def list_pages(request: HttpRequest[None, PageQuery]) -> TrackedPages:
    """Your tracked pages."""
    after = paging.start(request.query.cursor, request.tenant, urls.PRODUCT_ID)
    trackers = table.trackers(request.tenant, request.query.limit, after)
    products = table.products([one.product for one in trackers])
    same = _same(trackers)
    shown = [
        views.summary(one, products[one.product], same.get(one.product, ()), request.now)
        for one in trackers
        if one.product in products
    ]
    return {"pages": shown, "next": trackers.cursor(request.tenant)}


def get_page(request: HttpRequest[None, None]) -> PageAnswer:
    """One of your tracked pages: what is known, how old that is, and what read it."""
    tracker, product = _find(request)
    same = _same([tracker, *Tracker.query(request.tenant, limit=MOST_COMPARED)])
    checks = list(PageCheck.query(product.product, scan_index_forward=False, limit=LAST_CHECKS))
    return {"page": views.page(tracker, product, same.get(product.product, ()), checks, request.now)}


def change_page(request: HttpRequest[PageChange, None]) -> TrackedPage:
    """Change what you want of a page."""
    _, product = _find(request)
    body = request.body

    def watch(before: Watch) -> Watch:
        after = body.watch(before)
        _check_currency(after, product)
        return after

    def relabel(before: str | None) -> str | None:
        return body.label if body.relabels else before

    tracker = requests.change(request.tenant, product.product, relabel, watch, request.now)
    if tracker is None:
        raise NotFound.of(*PAGE)
    return {"page": views.summary(tracker, product, (), request.now)}


def untrack_page(request: HttpRequest[None, None]) -> UntrackedPage:
    """Track a page no longer."""
    own = request.path["page_id"]
    if not _is_id(own) or not requests.untrack(request.tenant, own, request.now):
        raise NotFound.of(*PAGE)
    return {"pageId": own}


def page_prices(request: HttpRequest[None, PagePricesQuery]) -> PriceHistory:
    """The history of a variant's price and stock, for a chart."""
    _, product = _find(request)
    variant = request.query.variant
    key = table.variant_key(product.product, variant)
    points = list(PricePoint.query(key, scan_index_forward=False, limit=request.query.limit))
    answer: PriceHistory = {"variantId": variant, "points": [views.point(one) for one in points]}
    if not points and variant not in product.facts.variants:
        known = ", ".join(repr(one) for one in sorted(product.facts.variants)[:10]) or "none yet"
        answer["message"] = f"this page has no such variant; it has {known}"
    return answer


def saved_page(request: HttpRequest[None, None]) -> Response[str]:
    """The page of the last check that could not read it, as text; kept for a week."""
    _, product = _find(request)
    try:
        saved = SavedPage.get(product.product)
    except SavedPage.DoesNotExist:
        raise NotFound("no page is saved: the last checks could read it, or were more than a week ago") from None
    text = table.unpack_text(saved.page)
    shown = answers.cut(text)
    whole = saved.whole and len(shown) == len(text)
    return Response(200, _PLAIN, shown, {**_AS_TEXT, "X-Saved-Whole": str(whole).lower()})


def _check_currency(watch: Watch, product: Product | None) -> None:
    """Do nothing if the target price can be compared with the page's, as far as that is known.

    Raises:
        Invalid: the page has other currencies.
    """
    why = views.problem(Watch(target=watch.target), product.facts) if product else None
    if why:
        raise Invalid.field("targetPrice.currency", why)


def _same(trackers: Iterable[Tracker]) -> dict[str, list[str]]:
    """By page: the others of these with the same canonical link."""
    by_link: dict[str, list[str]] = {}
    for one in {one.product: one for one in trackers}.values():
        by_link.setdefault(one.canonical or one.url, []).append(one.product)
    return {own: [one for one in group if one != own] for group in by_link.values() for own in group}


def _find(request: HttpRequest[Any, Any]) -> tuple[Tracker, Product]:
    own = request.path["page_id"]
    tracker = table.find_tracker(request.tenant, own) if _is_id(own) else None
    product = table.find(own) if tracker else None
    if tracker is None or product is None:
        raise NotFound.of(*PAGE)
    return tracker, product


def _is_id(text: str) -> bool:
    return re.fullmatch(urls.PRODUCT_ID, text) is not None


_READ, _WRITE = Permission.PAGES_READ, Permission.PAGES_WRITE
_ONE = "/v1/pages/{page_id}"

ROUTES = (
    Route(
        "POST",
        "/v1/pages",
        "Track a product page",
        track_page,
        TrackedPage,
        _WRITE,
        body=NewPage,
        status=201,
        errors=(Conflict,),
        asks=lambda _: 1,
    ),
    Route("GET", "/v1/pages", "List your tracked pages", list_pages, TrackedPages, _READ, query=PageQuery),
    Route("GET", _ONE, "Show a tracked page", get_page, PageAnswer, _READ),
    Route("PATCH", _ONE, "Change what you want of a page", change_page, TrackedPage, _WRITE, body=PageChange),
    Route("DELETE", _ONE, "Track a page no longer", untrack_page, UntrackedPage, _WRITE),
    Route("GET", f"{_ONE}/prices", "Show a variant's history", page_prices, PriceHistory, _READ, query=PagePricesQuery),
    Route("GET", f"{_ONE}/saved", "Show the page that could not be read", saved_page, _PLAIN, _READ),
)
