"""A marketplace call and its answer as plain values: a marketplace is a function and needs no server to be tested."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol
from urllib.parse import parse_qsl

from starlette.routing import compile_path

from local.sandbox.limits import Limits


@dataclass(frozen=True)
class Call:
    """One request. `headers` are lower-case; `at_ms` is when it arrived (epoch ms); `base_url` is the sandbox's own."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes
    at_ms: int
    base_url: str = ""

    def bearer(self) -> str:
        """The token of the header `authorization`, empty if it has none."""
        scheme, _, token = self.headers.get("authorization", "").partition(" ")
        return token if scheme.lower() == "bearer" else ""

    def form(self) -> dict[str, str]:
        """The body read as `application/x-www-form-urlencoded`."""
        return dict(parse_qsl(self.body.decode("utf-8", "replace"), keep_blank_values=True))


@dataclass(frozen=True)
class Answer:
    """A status, a body that will be sent as JSON, extra headers, and the faults that the marketplace itself applied."""

    status: int
    body: Any
    headers: Mapping[str, str] = field(default_factory=dict)
    faults: tuple[str, ...] = ()

    def raw(self) -> bytes:
        """The body as it travels; None is none, and bytes are a file."""
        if isinstance(self.body, bytes):
            return self.body
        return b"" if self.body is None else json.dumps(self.body, separators=(",", ":"), ensure_ascii=False).encode()


class Marketplace(Protocol):
    """What the front needs of a marketplace. Adding one is a folder with this and a word in `world.py`."""

    name: str
    prefixes: tuple[str, ...]
    """The paths it owns, for example `/v2/`."""
    limits: Limits
    """What it allows an account, unless the sandbox is told otherwise."""

    def account(self, call: Call) -> str:
        """The label under which the marketplace counts the caller. Never a key or a token."""

    def payer(self, call: Call) -> str:
        """The label whose quota the call is charged to: the caller's account, or its application."""

    def counted(self, path: str) -> bool:
        """Whether a call to `path` is charged against the caller's quota."""

    def cacheable(self, call: Call) -> bool:
        """Whether asking again within minutes is a waste: a read of what changes slowly."""

    def route(self, call: Call) -> str:
        """The path with its parameters unfilled, for grouping; the path itself when nothing is there."""

    def answer(self, call: Call) -> Answer:
        """What the marketplace says. Runs on the event loop, so it must not wait for anything."""

    def error(self, status: int, message: str, headers: Mapping[str, str] | None = None) -> Answer:
        """An error in the marketplace's own shape."""

    def expire_token(self, call: Call, *, for_good: bool) -> Answer:
        """Answer as if the call's token were out of date; `for_good` makes it so for every later call too."""

    def refuse_refresh(self, call: Call) -> Answer | None:
        """Refuse the token call. None when `call` is none: the fault does not concern it."""


Handler = Callable[..., Answer]


class Routes:
    """Method and path template to handler. The template's `{names}` become keyword arguments."""

    def __init__(self, *routes: tuple[str, str, Handler]) -> None:
        self._routes = [(method, path, compile_path(path)[0], handler) for method, path, handler in routes]

    def template(self, path: str) -> str | None:
        return next((template for _, template, pattern, _ in self._routes if pattern.match(path)), None)

    def find(self, call: Call) -> tuple[Handler, dict[str, str]] | None:
        for method, _, pattern, handler in self._routes:
            if method == call.method and (match := pattern.match(call.path)):
                return handler, match.groupdict()
        return None
