"""The real handlers behind HTTP, for clients that know nothing of Lambda: in this process, or at an address."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from urllib.parse import urlsplit

import httpx

from tests.support.http import Answer, call


class Handlers(httpx.BaseTransport):
    """A transport of httpx that gives each request to the handler of its route."""

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """The handler's answer. As the gateway does, it lets nothing in without a token."""
        answer = _answer(request.method, str(request.url), request.headers, request.read())
        return httpx.Response(answer.status, headers=dict(answer.headers), text=answer.text)


@contextmanager
def serve() -> Iterator[str]:
    """The handlers at an address, for clients in other processes."""

    class Handler(BaseHTTPRequestHandler):
        def _serve(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            answer = _answer(self.command, self.path, dict(self.headers), body)
            self.send_response(answer.status)
            for name, value in answer.headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(answer.text.encode())

        do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _serve  # noqa: N815 - the names that http.server looks for

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name that http.server gives it
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _answer(method: str, url: str, headers: Mapping[str, str], body: bytes) -> Answer:
    parts, given = urlsplit(url), {name.lower(): value for name, value in headers.items()}
    if not given.get("authorization", "").startswith("Bearer "):
        return Answer(401, {"Content-Type": "application/json"}, '{"message": "Unauthorized"}')
    return call(method, parts.path, query=parts.query, body=body.decode() or None, headers=given)
