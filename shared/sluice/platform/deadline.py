"""Connections on which a whole call ends in time.

httpx gives each read its own timeout, so that a body which drips a byte now and then never ends:

```
 connect   send   headers  . byte . byte . byte . byte        each read in time, the call never
 ├─────────────────── seconds ───────────────────┤            here no read outlasts the call
```
Every wait on a connection is cut to what is left of the call that this thread is making.
"""

import math
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from ssl import SSLContext
from typing import Any

import httpcore
import httpx

_ends: ContextVar[float] = ContextVar("ends", default=math.inf)

# Idle connections are kept this long: longer than a budget's slots are apart, shorter than marketplaces keep them.
KEEP_SECONDS = 30.0
MOST_CONNECTIONS = 128


@contextmanager
def within(seconds: float) -> Iterator[None]:
    """What this thread reads or writes on a connection inside the block ends `seconds` from now.

    Raises:
        httpx.TimeoutException: it did not.
    """
    token = _ends.set(time.monotonic() + seconds)
    try:
        yield
    finally:
        _ends.reset(token)


def _left(timeout: float | None, over: type[Exception]) -> float | None:
    left = _ends.get() - time.monotonic()
    if left <= 0:
        raise over("the time of the whole call is over")
    if timeout is None:
        return left if math.isfinite(left) else None
    return min(left, timeout)


class Transport(httpx.HTTPTransport):
    """httpx's own transport over connections that keep the deadline."""

    def __init__(self, backend: "Backend | None" = None) -> None:
        """backend: makes the connections."""
        # httpx has no argument for the network backend of its pool, so the pool is made here instead of by it.
        self._pool = httpcore.ConnectionPool(
            ssl_context=httpx.create_ssl_context(),
            max_connections=MOST_CONNECTIONS,
            max_keepalive_connections=MOST_CONNECTIONS,
            keepalive_expiry=KEEP_SECONDS,
            network_backend=backend or Backend(),
        )


class Backend(httpcore.SyncBackend):
    """Connects, and waits no longer than the call."""

    def address(self, host: str, port: int, timeout: float | None) -> str:  # noqa: ARG002 - for who looks it up itself
        """What to connect to for `host`; by itself the host, which the system then looks up."""
        return host

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        address = self.address(host, port, _left(timeout, httpcore.ConnectTimeout))
        timeout = _left(timeout, httpcore.ConnectTimeout)
        return Stream(super().connect_tcp(address, port, timeout, local_address, socket_options))


class Stream(httpcore.NetworkStream):
    """A connection that waits no longer than the call."""

    def __init__(self, stream: httpcore.NetworkStream) -> None:
        self._stream = stream

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._stream.read(max_bytes, _left(timeout, httpcore.ReadTimeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._stream.write(buffer, _left(timeout, httpcore.WriteTimeout))

    def start_tls(
        self, ssl_context: SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        timeout = _left(timeout, httpcore.ConnectTimeout)
        return Stream(self._stream.start_tls(ssl_context, server_hostname, timeout))

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)

    def close(self) -> None:
        self._stream.close()
