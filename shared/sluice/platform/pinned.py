"""Connections to hosts that somebody else names: only to what `addresses` allows, whatever a name server says.

```
 host ─► resolve, once ─► every address allowed? ─► connect to that very address ─► TLS for the host ─► request
                                    └─ no: refused            no second look-up that could answer differently
```
The check stands below TLS, so that certificates and SNI are those of the host's name. Whoever follows a redirect checks
its URL too: the scheme is not seen here.
"""

import socket
from collections.abc import Callable, Collection
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as TooLate
from functools import cache

import httpcore

from sluice.platform import addresses, deadline

LOOK_UP_THREADS = 16

# The addresses of a host. Raises OSError if it has none.
LookUp = Callable[[str, int], list[str]]


class NotAllowed(Exception):  # noqa: N818 - passes through httpx as it is
    """The host leads somewhere that may not be called; `str()` says so, and not where."""


def look_up(host: str, port: int) -> list[str]:
    """What the name server says, IPv4 first: a function has no way out over IPv6 by itself."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(address[0]) for _, _, _, _, address in sorted(found, key=lambda entry: entry[0] != socket.AF_INET)]


class Backend(deadline.Backend):
    """For `deadline.Transport`: resolves a host itself, and connects to what it has checked.

    ports, local: as `addresses.may_call` takes them. look_up: stands in for the name server, for tests.
    """

    def __init__(self, ports: Collection[int], *, local: bool, look_up: LookUp = look_up) -> None:
        self._ports = ports
        self._local = local
        self._look_up = look_up

    def address(self, host: str, port: int, timeout: float | None) -> str:
        """The first address of `host`, if all of them are allowed."""
        try:
            # By itself a look-up has no time limit.
            found = _look_ups().submit(self._look_up, host, port).result(timeout)
        except TooLate:
            raise httpcore.ConnectTimeout("the name server has not answered in time") from None
        except (OSError, UnicodeError):
            found = []
        if not found:
            raise httpcore.ConnectError("the host has no address")
        if not all(addresses.may_call(one, port, ports=self._ports, local=self._local) for one in found):
            raise NotAllowed("the host has an address or a port that is not allowed")
        return found[0]


@cache
def _look_ups() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(LOOK_UP_THREADS)
