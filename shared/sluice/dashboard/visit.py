"""One request for a page: who asks, what for, and how the page asks the API."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from markupsafe import Markup

from sluice.dashboard import ask
from sluice.dashboard.sessions import Session


@dataclass(frozen=True)
class Visit:
    """What a page is made from.

    here: the page's path. request_id: of the gateway. query, form: parameters, each once. now: epoch ms.
    """

    session: Session
    here: str
    request_id: str
    now: int
    query: Mapping[str, str] = field(default_factory=dict)
    form: Mapping[str, str] = field(default_factory=dict)

    @property
    def is_platform(self) -> bool:
        """Whether they run the whole deployment."""
        return "platform" in self.session.caller.roles

    def of_tenant(self) -> dict[str, str]:
        """The tenant that they look at, as a query: only whoever runs the deployment chooses one."""
        chosen = self.query.get("tenant") or self.form.get("tenant")
        return {"tenant": chosen} if chosen and self.is_platform else {}

    def asked(self, *names: str) -> dict[str, str]:
        """What the page's address says of these names; what it leaves out, or empty, is not among it."""
        return {name: self.query[name] for name in names if self.query.get(name)}

    def get(self, route: str, *, path: Mapping[str, str] | None = None, query: Mapping[str, str] | None = None) -> Any:
        """What the API answers to a GET. See `ask.ask`."""
        return ask.ask(self.session.caller, f"GET {route}", request_id=self.request_id, path=path, query=query)

    def post(
        self,
        route: str,
        body: Mapping[str, Any],
        *,
        path: Mapping[str, str] | None = None,
        key: str | None = None,
    ) -> Any:
        """What the API answers to a POST. See `ask.ask`."""
        caller = self.session.caller
        return ask.ask(caller, f"POST {route}", request_id=self.request_id, path=path, body=body, key=key)

    def delete(self, route: str, *, path: Mapping[str, str]) -> Any:
        """What the API answers to a DELETE. See `ask.ask`."""
        return ask.ask(self.session.caller, f"DELETE {route}", request_id=self.request_id, path=path)


@dataclass(frozen=True)
class Page:
    """What a page shows. refreshes: it is worth looking at again by itself. csv: makes what it offers as CSV."""

    title: str
    body: Markup
    status: int = 200
    refreshes: bool = False
    csv: Callable[[], str] | None = None


@dataclass(frozen=True)
class Redirect:
    """Where to go on, within the dashboard."""

    to: str
