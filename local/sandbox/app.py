"""The web application: the control plane under `/_sandbox/`, shops at their hosts, marketplaces at their paths."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Mount, Route

from local.sandbox import control, log_in
from local.sandbox.shops import door, shops
from local.sandbox.world import World

METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"]


def application(world: World, on_start: Callable[[], None] = lambda: None) -> Starlette:
    """`on_start` is called on the event loop once the application can answer."""

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        on_start()
        yield

    async def endpoint(request: Request) -> Response:
        shop = shops.find(request.headers.get("host", ""))
        return door.answer(shop, world.shelves, request, world.clock) if shop else await world.front.endpoint(request)

    async def log_in_page(request: Request) -> Response:
        return log_in.answer(world.accounts, request)

    return Starlette(
        routes=[
            Mount("/_sandbox", routes=control.routes(world)),
            *(Route(path, log_in_page) for path in log_in.PATHS),
            Route("/{path:path}", endpoint, methods=METHODS),
        ],
        lifespan=lifespan,
    )
