"""A client as StockX's users write it, and a clock that stands still until a test moves it."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import httpx

from local.sandbox.accounts import Credentials
from local.sandbox.server import Sandbox
from tests.support.patience import SECONDS

NOON = 1_795_435_200_000
"""2026-11-23 12:00 UTC."""


@dataclass
class Clock:
    """Epoch ms, moved by hand."""

    now: int = NOON

    def __call__(self) -> int:
        return self.now


@dataclass
class Client:
    """What a StockX client does: it holds credentials, mints a token and sends both headers."""

    http: httpx.Client
    credentials: Credentials
    token: str = ""

    def token_call(self, **form: str) -> httpx.Response:
        known = {"client_id": self.credentials.client_id, "client_secret": self.credentials.client_secret}
        return self.http.post("/oauth/token", data={**known, **form})

    def refresh(self) -> httpx.Response:
        answer = self.token_call(grant_type="refresh_token", refresh_token=self.credentials.refresh_token)
        self.token = answer.json().get("access_token", "")
        return answer

    def get(self, path: str, **query: str | int) -> httpx.Response:
        return self.http.get(path, params=query, headers=self.headers)

    def send(self, method: str, path: str, body: object = None) -> httpx.Response:
        """A call with `body` as JSON; None is no body."""
        return self.http.request(method, path, headers=self.headers, json=body)

    @property
    def headers(self) -> dict[str, str]:
        return {"x-api-key": self.credentials.api_key, "authorization": f"Bearer {self.token}"}


@contextmanager
def connected(sandbox: Sandbox, account: str = "tenant-a") -> Iterator[Client]:
    """A client that has its token. Nothing here is TLS, so no time goes into loading certificates."""
    with httpx.Client(base_url=sandbox.url, timeout=SECONDS, verify=False) as http:
        client = Client(http, sandbox.connect(account))
        client.refresh()
        yield client
