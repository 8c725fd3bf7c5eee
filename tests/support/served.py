"""The HTTP API on a loopback port, for clients in a process of their own: its handlers run in this one."""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Thread
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, make_server

from tests.support.wsgi import Gateway


class _Handler(WSGIRequestHandler):
    def get_environ(self) -> dict[str, Any]:
        """With the path as it was asked for, which the gateway's part needs."""
        return {**super().get_environ(), "REQUEST_URI": self.path}

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name that http.server gives it
        """Say nothing."""


@contextmanager
def serve(application: Any = None) -> Iterator[str]:
    """The URL of the API, as one caller sees it, or of another WSGI application."""
    with make_server("127.0.0.1", 0, application or Gateway(roles="operator"), handler_class=_Handler) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()
