"""The HTTP API as a WSGI application, for clients that are programs. The gateway's part is played here.

It is played as AWS's HTTP APIs do it: the path is decoded and matched, what is no text becomes base64, a path that
nobody serves is a 404 of the gateway, and the authorizer's word stands in the event.
"""

from collections.abc import Callable, Iterable
from http import HTTPStatus
from typing import Any

from tests.support.http import Answer, event, send

Environ = dict[str, Any]
Start = Callable[[str, list[tuple[str, str]]], object]
# What the gateway itself answers.
NOWHERE = '{"message":"Not Found"}'
UNKNOWN = '{"message":"Unauthorized"}'
_TEXT = ("application/json", "text/")


class Gateway:
    """The API for one caller. tenant, roles: what the authorizer says of whoever asks."""

    def __init__(self, tenant: str = "acme", roles: str = "admin") -> None:
        self.tenant, self.roles = tenant, roles

    def __call__(self, environ: Environ, start: Start) -> Iterable[bytes]:
        answer = self.answer(environ)
        start(f"{answer.status} {HTTPStatus(answer.status).phrase}", list(answer.headers.items()))
        return [answer.text.encode()]

    def answer(self, environ: Environ) -> Answer:
        """One request as its handler answers it."""
        made = event(
            environ["REQUEST_METHOD"],
            environ["REQUEST_URI"].partition("?")[0],
            query=environ.get("QUERY_STRING", ""),
            body=_body(environ),
            content_type=environ.get("CONTENT_TYPE", ""),
            tenant=self.tenant,
            roles=self.roles,
        )
        made["headers"] |= {
            name.removeprefix("HTTP_").replace("_", "-").lower(): value
            for name, value in environ.items()
            if name.startswith("HTTP_")
        }
        if made["routeKey"] == "$default":
            return Answer(404, {"Content-Type": "application/json"}, NOWHERE)
        return send(made)


class Guarded(Gateway):
    """The API behind its authorizer: nothing is let in without a token."""

    def answer(self, environ: Environ) -> Answer:
        """One request as its handler answers it, or as the gateway refuses it."""
        if not environ.get("HTTP_AUTHORIZATION", "").startswith("Bearer "):
            return Answer(401, {"Content-Type": "application/json"}, UNKNOWN)
        return super().answer(environ)


def _body(environ: Environ) -> str | bytes | None:
    raw: bytes = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
    if not raw:
        return None
    if environ.get("CONTENT_TYPE", "").startswith(_TEXT):
        return raw.decode("utf-8", "replace")
    return raw
