"""The dashboard as a browser sees it: a server on this machine that gives each request to the real handler.

What its pages ask the API goes to the real handlers of the API, in the same process.
"""

import base64
import gzip
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self

import pytest
from aws_lambda_powertools.event_handler.api_gateway import BaseRouter

from functions.dashboard.handler import handler
from local.issuer import Issuer
from sluice.platform import settings
from sluice.platform.http import jwt
from tests.support.http import Context, route_functions, send

HOST = "sluice.localhost"


@dataclass(frozen=True)
class Shown:
    """What came back. cookies: as they were set, by name, with their attributes."""

    status: int
    headers: dict[str, str]
    text: str
    cookies: dict[str, str] = field(default_factory=dict)

    @property
    def to(self) -> str:
        """Where a redirect leads."""
        return self.headers["Location"]


def request(
    method: str,
    path: str,
    *,
    query: str = "",
    cookies: dict[str, str] | None = None,
    headers: dict[str, str] | None = None,
    body: str | None = None,
) -> Shown:
    """One request to the dashboard's handler, as an HTTP API hands it over (payload format 2.0)."""
    given = {"host": HOST, **{name.lower(): value for name, value in (headers or {}).items()}}
    event: dict[str, Any] = {
        "version": "2.0",
        "routeKey": f"{method} /dashboard" + ("/{page+}" if path != "/dashboard" else ""),
        "rawPath": path,
        "rawQueryString": query,
        "cookies": [f"{name}={value}" for name, value in (cookies or {}).items()],
        "headers": given,
        "requestContext": {
            "domainName": given["host"],
            "http": {"method": method, "path": path},
            "requestId": "JKJaXmPLvHcESHA=",
            "stage": "$default",
        },
        "body": body,
        "isBase64Encoded": False,
    }
    answer = handler(event, Context())  # type: ignore[arg-type]
    raw = base64.b64decode(answer["body"]) if answer["isBase64Encoded"] else answer["body"].encode()
    if answer["headers"].get("Content-Encoding") == "gzip":
        raw = gzip.decompress(raw)
    set_ = dict(one.partition("=")[::2] for one in answer.get("cookies", ()))
    return Shown(answer["statusCode"], answer["headers"], raw.decode(), set_)


def api(function: str, event: dict[str, Any]) -> dict[str, Any]:
    """Stands for `aws.invoke`: the function's real handler, in this process. It is the one that serves the route."""
    name = function.removeprefix(f"{settings.settings().stack}-").replace("-", "_")
    assert route_functions()[event["routeKey"]] == f"functions/{name}"
    before = BaseRouter.current_event  # of this process: a function has one of its own
    answer = send(event)
    BaseRouter.current_event = before
    return {"statusCode": answer.status, "headers": dict(answer.headers), "body": answer.text}


@contextmanager
def issuer() -> Iterator[Issuer]:
    """An issuer at which people sign in, and the dashboard deployed with it."""
    with pytest.MonkeyPatch.context() as patch, Issuer() as made:
        for name, value in {
            "SLUICE_STAGE": "local",
            "JWT_ISSUER": made.url,
            "JWKS_URL": made.jwks_url,
            "JWT_AUDIENCE": made.audience,
            "DASHBOARD_CLIENT_ID": made.client_id,
        }.items():
            patch.setenv(name, value)
        _read_anew()
        yield made
    _read_anew()


def _read_anew() -> None:
    settings.settings.cache_clear()
    jwt.keys.cache_clear()


class Server:
    """A context manager: the dashboard at `url`, for a browser. `asked` has every path that was asked for.

    one_at_a_time: held while a request is answered. A browser asks for a page's style and script at once, and the
    handlers' framework knows one request for each process, as Lambda gives it to it.
    """

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.one_at_a_time = threading.RLock()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _serve(self))
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)
        self.is_open = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
        with self.one_at_a_time:  # what was being answered is answered
            self.is_open = False


def _serve(site: Server) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self._answer("GET")

        def do_POST(self) -> None:
            self._answer("POST")

        def _answer(self, method: str) -> None:
            path, _, query = self.path.partition("?")
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
            pairs = (one.strip().partition("=") for one in self.headers.get("Cookie", "").split(";") if one.strip())
            headers = {name: value for name, value in self.headers.items() if name.lower() != "accept-encoding"}
            cookies = {name: value for name, _, value in pairs}
            with site.one_at_a_time:
                if not site.is_open:
                    return
                site.asked.append(self.path)
                shown = request(method, path, query=query, cookies=cookies, headers=headers, body=body)
            text = shown.text.encode()
            self.send_response(shown.status)
            for name, value in shown.headers.items():
                self.send_header(name, value)
            for name, value in shown.cookies.items():
                self.send_header("Set-Cookie", f"{name}={value}")
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name that http.server gives it
            """Say nothing."""

    return Handler
