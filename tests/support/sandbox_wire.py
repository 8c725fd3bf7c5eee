"""The marketplace sandbox without its server: a transport for httpx, so that it runs on a test's own clock."""

import asyncio
from collections.abc import Coroutine
from threading import Lock
from typing import Any

import httpx
import pytest
from starlette.requests import Request
from starlette.responses import Response

from local.sandbox.faults import Drip, Hang, Latency
from local.sandbox.server import Sandbox
from local.sandbox.world import World
from sluice.marketplaces.http import transport


class SandboxWire(httpx.BaseTransport):
    """Calls go to `world` within this process. `before` and `after` see each request, and may raise in its place."""

    def __init__(self, world: World) -> None:
        self.world = world
        self._lock = Lock()
        self.before: Any = lambda request: None
        self.after: Any = lambda request, response: None

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        self.before(request)
        hung_up: list[bool] = []
        body = request.read()
        scope = {
            "type": "http",
            "method": request.method,
            "path": request.url.path,
            "raw_path": request.url.raw_path,
            "query_string": request.url.query,
            "headers": [(name.lower(), value) for name, value in request.headers.raw],
            "server": ("sandbox.test", 80),
            "scheme": "http",
            "sandbox.hang_up": lambda: hung_up.append(True),
        }

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": body, "more_body": False}

        with self._lock:  # the server has one thread
            answer = self._answered(self.world.front.endpoint(Request(scope, receive)))
        if hung_up:
            raise httpx.ReadError("the sandbox hung up", request=request)
        response = httpx.Response(
            answer.status_code, headers=dict(answer.headers), stream=httpx.ByteStream(bytes(answer.body))
        )
        self.after(request, response)
        return response

    def _answered(self, work: Coroutine[Any, Any, Response]) -> Response:
        """What the sandbox answers. Where nothing makes it wait, it needs no event loop, which would take most of the
        time of a call."""
        waits = any(isinstance(fault, Latency | Hang | Drip) for fault in self.world.faults.current)
        if waits or self.world.front.latency != Latency():
            return asyncio.run(work)
        try:
            work.send(None)
        except StopIteration as done:
            answer: Response = done.value
            return answer
        raise AssertionError("the sandbox waits for something that nothing told it to")


class WiredSandbox(Sandbox):
    """The sandbox without its server: while it is open, all of this process's calls to marketplaces go to its world.

    It takes a third of the time of one that serves. What the network does it cannot show: no call hangs or drips, and
    two at once are answered one after the other.
    """

    url = "http://sandbox.test"

    def start(self) -> None:
        """Take the place of the network."""
        client = transport._client(SandboxWire(self.world))
        self._patch = pytest.MonkeyPatch()
        self._patch.setattr(transport, "_shared_client", lambda: client)

    def stop(self) -> None:
        """Give it back."""
        self._patch.undo()
