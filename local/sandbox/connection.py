"""uvicorn's HTTP/1.1 connection, with a way to hang up on the caller that ASGI does not have."""

from collections.abc import Callable, MutableMapping
from typing import Any

from uvicorn.protocols.http.h11_impl import H11Protocol

_HANG_UP = "sandbox.hang_up"


class Connection(H11Protocol):
    def __init__(self, *args: Any, **named: Any) -> None:
        super().__init__(*args, **named)
        application = self.app

        async def with_hang_up(scope: Any, receive: Any, send: Any) -> None:
            # uvicorn lets go of the transport when the connection ends, so it is looked up when it is needed.
            scope[_HANG_UP] = lambda: self.transport.close()
            await application(scope, receive, send)

        self.app = with_hang_up


def hang_up(scope: MutableMapping[str, Any]) -> None:
    """Close the caller's connection. What has not been sent by then never will be."""
    close: Callable[[], None] = scope[_HANG_UP]
    close()
