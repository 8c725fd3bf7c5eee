"""The web application: the control plane under `/_sandbox/`, and the marketplaces at their own paths."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from starlette.applications import Starlette
from starlette.routing import Mount, Route

from local.sandbox import control
from local.sandbox.world import World

METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"]


def application(world: World, on_start: Callable[[], None] = lambda: None) -> Starlette:
    """`on_start` is called on the event loop once the application can answer."""

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        on_start()
        yield

    return Starlette(
        routes=[
            Mount("/_sandbox", routes=control.routes(world)),
            Route("/{path:path}", world.front.endpoint, methods=METHODS),
        ],
        lifespan=lifespan,
    )
