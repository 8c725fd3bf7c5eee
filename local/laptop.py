"""Everything a laptop needs to run the real template: local cloud, marketplace sandbox, token issuer, and a client."""

import os
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import NamedTuple, Self

from local.cloud import LocalCloud, Stack, deploy
from local.issuer import Issuer
from local.sandbox.faults import Latency
from local.sandbox.server import Sandbox
from sluice_command.api import Api, ApiError

__all__ = ["STACK", "Api", "ApiError", "Laptop", "keep_parent_environment_clean"]

# Pages that are being developed: where the usual tools serve them.
ORIGINS = ("http://localhost:3000", "http://localhost:5173")
STACK = "sluice-local"
# So long an answer, or what somebody works on, is waited for: only what never comes takes as long, however busy this
# machine is.
ANSWER_SECONDS = 240
ADMIN = ("user", "operator", "admin")
# What each marketplace's account is connected with.
CREDENTIALS = {
    "stockx": ("api_key", "client_id", "client_secret", "refresh_token"),
    "alias": ("personal_access_token",),
    "ebay": ("client_id", "client_secret", "refresh_token"),
}


class Ports(NamedTuple):
    """Where the parts listen; 0 for any port that is free."""

    cloud: int = 0
    sandbox: int = 0
    issuer: int = 0


ANY = Ports()


class Laptop:
    """A context manager: `with Laptop() as laptop: laptop.api("acme").get("/v1/jobs")`. Leaves nothing running.

    seed: the sandbox's story. latency_ms: how long the sandbox takes for a call. configuration: JSON that overrides
    limits (template parameter `Configuration`). ports: where each part listens. keep: a folder for what the cloud has
    when it stops, which it has again when it is started with it; the marketplaces begin anew. probed: the cloud keeps a
    record of where its time goes. windows: records of streams are gathered, as on AWS (`LocalCloud`).
    """

    def __init__(
        self,
        *,
        seed: int = 7,
        latency_ms: int = 150,
        configuration: str = "{}",
        products: int = 0,
        ports: Ports = ANY,
        keep: Path | None = None,
        probed: bool = False,
        windows: bool = False,
        say: Callable[[str], None] = lambda _: None,
    ) -> None:
        latency = Latency(delay_ms=latency_ms, jitter_ms=latency_ms // 3)
        self.sandbox = Sandbox(seed, port=ports.sandbox, latency=latency, products=products)
        self.issuer = Issuer(port=ports.issuer)
        self.cloud = LocalCloud(ports.cloud, keep, probed=probed, windows=windows)
        self._configuration = configuration
        self._say = say
        self._open = ExitStack()
        self._stack: Stack | None = None

    @property
    def parameters(self) -> dict[str, str]:
        """The parameters of a stack that uses this laptop's sandbox and issuer."""
        return {
            "Configuration": self._configuration,
            "JwtIssuer": self.issuer.url,
            "JwtAudience": self.issuer.audience,
            "DashboardClientId": self.issuer.client_id,
            "JwksUrl": self.issuer.jwks_url,
            "CorsOrigins": ",".join(ORIGINS),
            "Stage": "local",
            "StockxApiUrl": f"{self.sandbox.url}/v2",
            "StockxAuthUrl": self.sandbox.url,
            "AliasApiUrl": f"{self.sandbox.url}/api/v1",
            "EbayApiUrl": self.sandbox.url,
        }

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
            self._stack = deploy(self.cloud, STACK, self.parameters)
            self._say(f"{'Sluice API':<20} {self._stack.api_url}")
            self._open = opening.pop_all()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        self._open.close()

    def restart_cloud(self) -> None:
        """Stop the local cloud, all functions with it, and start it with what it has kept, stack and all (`keep`)."""
        self.cloud.stop()
        self.cloud.start()

    def token(self, tenant: str, *roles: str) -> str:
        """A token for a person of `tenant`."""
        return self.issuer.token(tenant, roles or ADMIN)

    def api(self, tenant: str, *roles: str) -> Api:
        """A client that calls the API as a person of `tenant`. It is closed with the laptop."""
        api = Api(self.stack.api_url, self.token(tenant, *roles), seconds=ANSWER_SECONDS)
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


def keep_parent_environment_clean() -> None:
    """Take AWS settings of the person's shell out of this process: nothing local may reach a real account."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        del os.environ[name]
