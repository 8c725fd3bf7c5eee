"""The deployed API at an address of its own on the laptop, as on AWS: `http://127.0.0.1:PORT/dashboard`.

The local cloud serves an API below a long path, where a page's links and cookies would not be what they are on AWS.
"""

import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from types import TracebackType
from typing import Self

import httpx
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

# Of one connection, not of the request; and what is made anew on the way.
HOP_BY_HOP = {"connection", "keep-alive", "transfer-encoding", "upgrade", "content-length", "content-encoding"}
METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]


class Front:
    """A context manager. `url` answers between start and stop, on `port`; 0 for any that is free."""

    def __init__(self, api_url: str, port: int = 0) -> None:
        self._api_url = api_url
        config = uvicorn.Config(self._app(), host="127.0.0.1", port=port, log_level="error", lifespan="on")
        self._socket = config.bind_socket()
        self._socket.listen()  # who comes before the server runs waits, and is not refused
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._server.run, args=([self._socket],), daemon=True)
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}"

    def _app(self) -> Starlette:
        @asynccontextmanager
        async def lifespan(_: Starlette) -> AsyncIterator[None]:
            async with httpx.AsyncClient(timeout=240) as self._client:
                yield

        return Starlette(routes=[Route("/{path:path}", self._pass_on, methods=METHODS)], lifespan=lifespan)

    async def _pass_on(self, request: Request) -> Response:
        path = request.scope["raw_path"].decode("ascii")
        query = request.scope["query_string"].decode("ascii")
        url = f"{self._api_url}{path}{'?' if query else ''}{query}"
        headers = [(name, value) for name, value in request.headers.raw if name.decode() not in HOP_BY_HOP]
        sent = self._client.build_request(request.method, url, headers=headers, content=await request.body())
        answer = await self._client.send(sent)
        response = Response(answer.content, answer.status_code)
        for name, value in answer.headers.multi_items():
            if name.lower() not in HOP_BY_HOP:
                response.headers.append(name, value)
        return response

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        self._server.should_exit = True
        self._thread.join()
        self._socket.close()
