"""The shops over HTTP: a request goes to the shop that its host names."""

import json
from collections.abc import Callable
from hashlib import sha256

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from local.sandbox.shops import pages
from local.sandbox.shops.shops import Shelves, Shop, ShopState

CHALLENGE = "<html><title>Just a moment...</title><script>window._cf_chl_opt={}</script></html>"
LOGIN = "<html><title>Trade prices</title><body><h1>{product}</h1><p>Sign in to see prices.</p></body></html>"
SHELL = (
    '<html><title>{product}</title><body><div id="root"></div><script src="/app.js"></script><script>1</script></html>'
)


def answer(shop: Shop, shelves: Shelves, request: Request, clock: Callable[[], int]) -> Response:
    """What the shop answers."""
    path, state = request.url.path, shelves.states[shop.name]
    shelves.visits[shop.name].append(path)
    if path == "/robots.txt":
        return Response(shop.robots, 200, media_type="text/plain") if shop.robots else Response("", 404)
    if path == "/":
        return Response(f"<html><title>{shop.name}</title></html>", 200, media_type="text/html")
    if state.trouble:
        return _trouble(shop, state)
    variants = shelves.variants(shop, clock())
    if path == shop.path:
        return _cached(pages.page(shop, variants), "text/html", request)
    if shop.system == "shopify" and path == f"{shop.path}.js":
        return _cached(json.dumps(pages.data(shop, variants)), "application/json", request)
    if shop.system == "shopify" and path == "/cart.js":
        return _cached(json.dumps({"currency": shop.currency, "item_count": 0}), "application/json", request)
    return Response("<html><title>Page not found</title></html>", 404, media_type="text/html")


def _trouble(shop: Shop, state: ShopState) -> Response:
    wait = {} if state.retry_after_s is None else {"Retry-After": str(state.retry_after_s)}
    match state.trouble:
        case "challenge":
            return Response(CHALLENGE, 403, {"cf-mitigated": "challenge"}, "text/html")
        case "moved":
            return RedirectResponse("/", 301)
        case "not_found":
            return Response("<html><title>404: not found</title></html>", 200, media_type="text/html")
        case "login" | "shell":
            text = LOGIN if state.trouble == "login" else SHELL
            return Response(text.format(product=shop.product), 200, media_type="text/html")
    status = {"forbidden": 403, "throttled": 429, "error": 503, "gone": 410}[state.trouble or "error"]
    return Response("", status, wait)


def _cached(body: str, kind: str, request: Request) -> Response:
    tag = f'"{sha256(body.encode()).hexdigest()[:16]}"'
    if request.headers.get("if-none-match") == tag:
        return Response(status_code=304, headers={"ETag": tag})
    return Response(body, 200, {"ETag": tag}, kind)
