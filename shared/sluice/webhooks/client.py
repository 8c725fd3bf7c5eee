"""The one place that sends a webhook. It goes where `targets` allows, and only there, whatever a name server says.

```
 host ─► resolve, once ─► every address allowed? ─► connect to that very address ─► TLS for the host ─► POST
                                    └─ no: refused            no second look-up that could answer differently
```
Only the status counts: the body of the answer is not read, and a redirect is not followed.
"""

import logging
import socket
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as TooLate
from functools import cache

import httpcore
import httpx

from sluice.marketplaces import deadline
from sluice.platform.settings import settings
from sluice.webhooks import targets

TOTAL_SECONDS = 10.0
CONNECT_SECONDS = 5.0
LOOK_UP_THREADS = 16

# Who sends a delivery logs it; httpx's own line would show the whole URL, which may hold a key.
for _name in ("httpx", "httpcore"):
    logging.getLogger(_name).setLevel(logging.WARNING)

# The addresses of a host. Raises OSError if it has none.
LookUp = Callable[[str, int], list[str]]


class Undelivered(Exception):  # noqa: N818 - what happened
    """No answer came. code: a word for machines; `str()`: for the tenant, whose own address it is."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class _Refused(Exception):  # noqa: N818 - passes through httpx as it is
    pass


def look_up(host: str, port: int) -> list[str]:
    """What the name server says, IPv4 first: a function has no way out over IPv6 by itself."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(address[0]) for _, _, _, _, address in sorted(found, key=lambda entry: entry[0] != socket.AF_INET)]


class Client:
    """Sends webhooks. Safe to share between threads. local: on a laptop, receivers on it are allowed."""

    def __init__(self, *, local: bool, look_up: LookUp = look_up, seconds: float = TOTAL_SECONDS) -> None:
        """`look_up` stands in for the name server, for tests. `seconds`: of a whole delivery."""
        self._seconds = seconds
        self._client = httpx.Client(
            transport=deadline.Transport(_Checked(local, look_up)),
            timeout=httpx.Timeout(seconds, connect=min(CONNECT_SECONDS, seconds)),
            trust_env=False,
            follow_redirects=False,
        )

    def post(self, url: str, headers: Mapping[str, str], body: bytes) -> int:
        """POST `body` once; the status of the answer.

        Raises:
            Undelivered: there is none.
        """
        sent = {"content-type": "application/json", "user-agent": "sluice-webhooks/1", **headers}
        try:
            with deadline.within(self._seconds), self._client.stream("POST", url, headers=sent, content=body) as answer:
                return answer.status_code
        except _Refused as refused:
            raise Undelivered("target_refused", str(refused)) from None
        except httpx.TimeoutException:
            raise Undelivered("timed_out", f"no answer within {self._seconds:g} seconds") from None
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise Undelivered("unreachable", f"no answer: {type(error).__name__}") from None

    def close(self) -> None:
        """Let go of the connections."""
        self._client.close()


class _Checked(deadline.Backend):
    """Resolves a host itself, and connects to what it has checked."""

    def __init__(self, local: bool, look_up: LookUp) -> None:
        self._local = local
        self._look_up = look_up

    def address(self, host: str, port: int, timeout: float | None) -> str:
        """The first address of `host`, if all of them are allowed."""
        try:
            # By itself a look-up has no time limit.
            addresses = _look_ups().submit(self._look_up, host, port).result(timeout)
        except TooLate:
            raise httpcore.ConnectTimeout("the name server has not answered in time") from None
        except (OSError, UnicodeError):
            addresses = []
        if not addresses:
            raise httpcore.ConnectError("the host has no address")
        if not all(targets.is_allowed(address, local=self._local) for address in addresses):
            raise _Refused("the host has an address that is not public")
        return addresses[0]


@cache
def _look_ups() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(LOOK_UP_THREADS)


@cache
def shared() -> Client:
    """The client of this process."""
    return Client(local=settings().on_a_laptop)
