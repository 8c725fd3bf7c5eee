"""Everything a laptop needs to run the real template: local cloud, marketplace sandbox, token issuer, and a client."""

import os
import time
from collections.abc import Callable
from contextlib import ExitStack
from types import TracebackType
from typing import Any, Self
from urllib.parse import quote

import httpx

from local.cloud import LocalCloud, Stack, deploy
from local.issuer import Issuer
from local.sandbox.faults import Latency
from local.sandbox.server import Sandbox

STACK = "sluice-local"
ADMIN = ("user", "operator", "admin")
# What each marketplace's account is connected with.
CREDENTIALS = {
    "stockx": ("api_key", "client_id", "client_secret", "refresh_token"),
    "alias": ("personal_access_token",),
    "ebay": ("client_id", "client_secret"),
}


class Laptop:
    """A context manager: `with Laptop() as laptop: laptop.api("acme").get("/v1/jobs")`. Leaves nothing running.

    seed: the sandbox's story. latency_ms: how long the sandbox takes for a call. configuration: JSON that overrides
    limits (template parameter `Configuration`).
    """

    def __init__(
        self,
        *,
        seed: int = 7,
        latency_ms: int = 150,
        configuration: str = "{}",
        products: int = 0,
        say: Callable[[str], None] = lambda _: None,
    ) -> None:
        self.sandbox = Sandbox(seed, latency=Latency(delay_ms=latency_ms, jitter_ms=latency_ms // 3), products=products)
        self.issuer = Issuer()
        self.cloud = LocalCloud()
        self._configuration = configuration
        self._say = say
        self._open = ExitStack()
        self._stack: Stack | None = None

    @property
    def stack(self) -> Stack:
        """The deployed stack."""
        if self._stack is None:
            raise RuntimeError("nothing is deployed: use it as `with Laptop() as laptop:`")
        return self._stack

    def __enter__(self) -> Self:
        with ExitStack() as opening:
            for name, part in (("marketplace sandbox", self.sandbox), ("token issuer", self.issuer)):
                opening.enter_context(part)
                self._say(f"{name:<20} {part.url}")
            opening.enter_context(self.cloud)
            self._say(f"{'local cloud':<20} {self.cloud.endpoint_url}")
            self._stack = deploy(
                self.cloud,
                STACK,
                {
                    "Configuration": self._configuration,
                    "JwtIssuer": self.issuer.url,
                    "JwtAudience": self.issuer.audience,
                    "JwksUrl": self.issuer.jwks_url,
                    "Stage": "local",
                    "StockxApiUrl": f"{self.sandbox.url}/v2",
                    "StockxAuthUrl": self.sandbox.url,
                    "AliasApiUrl": f"{self.sandbox.url}/api/v1",
                    "EbayApiUrl": self.sandbox.url,
                },
            )
            self._say(f"{'Sluice API':<20} {self._stack.api_url}")
            self._open = opening.pop_all()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        self._open.close()

    def token(self, tenant: str, *roles: str) -> str:
        """A token for a person of `tenant`."""
        return self.issuer.token(tenant, roles or ADMIN)

    def api(self, tenant: str, *roles: str) -> "Api":
        """A client that calls the API as a person of `tenant`. It is closed with the laptop."""
        api = Api(self.stack.api_url, self.token(tenant, *roles))
        self._open.callback(api.close)
        return api

    def connect(self, tenant: str, *marketplaces: str) -> None:
        """Connect `tenant` to `marketplaces`, by default to all, as if a person had logged in there."""
        given = self.sandbox.connect(tenant)
        for marketplace in marketplaces or CREDENTIALS:
            body = {name: getattr(given, name) for name in CREDENTIALS[marketplace]}
            self.api(tenant).put(f"/v1/accounts/{marketplace}", body)

    def connect_stockx(self, tenant: str) -> None:
        """Connect `tenant`'s StockX account alone."""
        self.connect(tenant, "stockx")


class ApiError(Exception):
    """The API did not answer with success; carries its status and what it said."""


class Api:
    """The HTTP API, as a tenant's program calls it. Every call returns the JSON of a successful answer."""

    def __init__(self, url: str, token: str) -> None:
        self._client = httpx.Client(base_url=url, headers={"authorization": f"Bearer {token}"}, timeout=30)

    def close(self) -> None:
        """Let go of the connections."""
        self._client.close()

    def get(self, path: str, **query: Any) -> Any:
        return self._call("GET", path, params=query)

    def post(self, path: str, body: object) -> Any:
        return self._call("POST", path, json=body)

    def put(self, path: str, body: object) -> Any:
        return self._call("PUT", path, json=body)

    def delete(self, path: str) -> Any:
        return self._call("DELETE", path)

    def call(self, method: str, path: str, body: object) -> Any:
        """Any other method."""
        return self._call(method, path, json=body)

    def job(self, job_id: str) -> Any:
        """The job called `job_id`."""
        return self.get(f"/v1/jobs/{quote(job_id, safe=':')}")

    def wait(self, done: Callable[[], bool], seconds: float, what: str) -> None:
        """Look every 200 ms until `done()`.

        Raises:
            TimeoutError: not done after `seconds`; names `what` was awaited.
        """
        deadline = time.monotonic() + seconds
        while not done():
            if time.monotonic() > deadline:
                raise TimeoutError(f"{what}: not within {seconds:g} s")
            time.sleep(0.2)

    def _call(self, method: str, path: str, **arguments: Any) -> Any:
        answer = self._client.request(method, path, **arguments)
        if answer.is_error:
            raise ApiError(f"{method} {path} answered {answer.status_code}: {answer.text[:500]}")
        return answer.json()


def keep_parent_environment_clean() -> None:
    """Take AWS settings of the person's shell out of this process: nothing local may reach a real account."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        del os.environ[name]
