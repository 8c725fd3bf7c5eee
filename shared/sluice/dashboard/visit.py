"""One request for a page: who asks, what for, and how the page asks the API."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from sluice.dashboard import ask
from sluice.dashboard.sessions import Session
from sluice.platform.http.auth import PLATFORM, Permission


@dataclass(frozen=True)
class Visit:
    """What a page is made from.

    here: the page's path. request_id: of the gateway. query, form: parameters, each once. now: epoch ms.
    once: of the forms of the page that is made, by which the API knows one that is sent twice. files: of the form.
    """

    session: Session
    here: str
    request_id: str
    now: int
    query: Mapping[str, str] = field(default_factory=dict)
    form: Mapping[str, str] = field(default_factory=dict)
    once: str = ""
    files: Mapping[str, bytes] = field(default_factory=dict)

    @property
    def is_platform(self) -> bool:
        """Whether they run the whole deployment."""
        return PLATFORM in self.session.caller.roles

    def may(self, permission: Permission) -> bool:
        """Whether the API lets them: a page offers nobody what it would refuse."""
        return self.session.caller.may(permission)

    @property
    def back(self) -> str:
        """The page that the form stood on."""
        given = self.form.get("back")
        return given if given and is_ours(given) else "/dashboard"

    def of_tenant(self) -> dict[str, str]:
        """The tenant that they look at, as a query: only whoever runs the deployment chooses one."""
        chosen = self.query.get("tenant") or self.form.get("tenant")
        return {"tenant": chosen} if chosen and self.is_platform else {}

    def asked(self, *names: str) -> dict[str, str]:
        """What the page's address says of these names; what it leaves out, or empty, is not among it."""
        return {name: self.query[name] for name in names if self.query.get(name)}

    def filled(self, *names: str) -> dict[str, str]:
        """What the form says under these names; what is left empty is not among it."""
        return {name: self.form[name] for name in names if self.form.get(name)}

    def ticked(self, name: str) -> list[str]:
        """Which of the things called `name` are ticked in the form (`forms.ticks`)."""
        return [one.removeprefix(f"{name}.") for one in self.form if one.startswith(f"{name}.")]

    def get(self, route: str, *, path: Mapping[str, str] | None = None, query: Mapping[str, str] | None = None) -> Any:
        """What the API answers to a GET. See `ask.ask`."""
        return ask.ask(self.session.caller, f"GET {route}", request_id=self.request_id, path=path, query=query)

    def do(
        self,
        route: str,
        body: Mapping[str, Any] | bytes | None = None,
        *,
        path: Mapping[str, str] | None = None,
        query: Mapping[str, str] | None = None,
    ) -> Any:
        """What the API answers to what a form asks for. route: with its method, as `POST /v1/jobs/{job_id}/retry`.
        body: bytes are a CSV file.

        A POST has an `Idempotency-Key`: the same form of the same page, sent twice, is done once. Another button of
        that page, or the same form filled in otherwise, is another request.
        """
        caller, once = self.session.caller, self.form.get("once")
        said = hashlib.sha256(body).hexdigest() if isinstance(body, bytes) else body
        asked = json.dumps([once, route, path, said], sort_keys=True)
        key = hashlib.sha256(asked.encode()).hexdigest()[:40] if once and route.startswith("POST ") else None
        return ask.ask(caller, route, request_id=self.request_id, path=path, query=query, body=body, key=key)

    def remove(self, route: str, *, path: Mapping[str, str]) -> None:
        """Have something be no more. What is gone already, by the same form sent twice, is as it was to be."""
        try:
            self.do(f"DELETE {route}", path=path)
        except ask.ApiRefusal as refused:
            if refused.status != ask.NOT_FOUND:
                raise


def is_ours(path: str | None) -> bool:
    """Whether `path` is a page of the dashboard, and nothing that a browser would take for another site."""
    if not path or "\\" in path or any(ord(character) <= 32 for character in path):
        return False
    try:
        parsed = urlsplit(path)
    except ValueError:  # such as `//[`, which looks like half an address of IPv6
        return False
    return not parsed.scheme and not parsed.netloc and (parsed.path + "/").startswith("/dashboard/")
