"""The one place that fetches from shops. Their addresses come from strangers, and so do their answers.

```
 URL ─► robots ─► resolve once, connect to that very address (see `pinned`) ─► answer
   ▲                                                                            │ redirect: at most five, each so
   └────────────────────────────────────────────────────────────────────────────┘
 a whole fetch, with its redirects, ends after 20 seconds; a body ends at 10 MB, unpacked too
```
"""

import logging
import zlib
from collections.abc import Callable, Mapping
from functools import cache
from typing import NamedTuple

import httpx

from sluice.pages import urls
from sluice.pages.urls import BadUrl
from sluice.platform import addresses, deadline, pinned
from sluice.platform.pinned import LookUp, NotAllowed
from sluice.platform.settings import settings

AGENT = "Sluice"
TOTAL_SECONDS = 20.0
CONNECT_SECONDS = 5.0
MOST_BYTES = 10 * 1024 * 1024
MOST_REDIRECTS = 5
_REDIRECTS = (301, 302, 303, 307, 308)
# What a request says of itself. `br` is not asked for: a bomb in it could not be unpacked in steps.
_HEADERS = {
    "accept": "text/html,application/xhtml+xml,application/json;q=0.9,*/*;q=0.1",
    "accept-encoding": "gzip, deflate",
    "accept-language": "en;q=0.8, *;q=0.5",
}

for _name in ("httpx", "httpcore"):
    logging.getLogger(_name).setLevel(logging.WARNING)


class ShopAnswer(NamedTuple):
    """What a shop answered. url: where it came from in the end. headers: by name in lower case. redirects: URLs gone
    through, the first included. packed: bytes as they were sent."""

    url: str
    status: int
    headers: Mapping[str, str]
    body: bytes
    redirects: tuple[str, ...]
    packed: int


class Unfetched(Exception):  # noqa: N818 - what happened
    """There is no answer that can be used. code: a word for machines. passing: another try may succeed."""

    def __init__(self, code: str, message: str, *, passing: bool) -> None:
        super().__init__(message)
        self.code = code
        self.passing = passing


# Called with each URL before it is fetched; raises what must stop the fetch.
Permit = Callable[[str], None]


class PageClient:
    """Fetches pages. Safe to share between threads. local: on a laptop, shops on it are allowed, at any port."""

    def __init__(
        self, *, local: bool, look_up: LookUp = pinned.look_up, seconds: float = TOTAL_SECONDS, contact: str = ""
    ) -> None:
        """`look_up` stands in for the name server, for tests. `seconds`: of a whole fetch. `contact`: who asks."""
        self._local = local
        self._seconds = seconds
        self._agent = f"{AGENT}/1 (product page watcher{f'; +{contact}' if contact else ''})"
        ports = frozenset(urls.PORTS.values())
        backend = pinned.Backend(ports, local=local, look_up=_with_own_names(look_up) if local else look_up)
        self._client = httpx.Client(
            transport=deadline.Transport(backend),
            timeout=httpx.Timeout(seconds, connect=min(CONNECT_SECONDS, seconds)),
            trust_env=False,
            follow_redirects=False,
        )

    def get(
        self, url: str, headers: Mapping[str, str], permit: Permit, *, most: int = MOST_BYTES, cut: bool = False
    ) -> ShopAnswer:
        """Fetch `url` (in normal form) and where it sends to. most: bytes of the body, packed and unpacked. cut: what
        is longer is cut off, instead of refused.

        Raises:
            Unfetched: there is no answer that can be used; or whatever `permit` raises.
        """
        gone = list[str]()
        sent = {**_HEADERS, "user-agent": self._agent, **headers}
        try:
            with deadline.within(self._seconds):
                while True:
                    permit(url)
                    answer = self._one(url, sent, tuple(gone), most, cut)
                    target = answer.headers.get("location")
                    if answer.status not in _REDIRECTS or not target:
                        return answer
                    gone.append(url)
                    if len(gone) > MOST_REDIRECTS:
                        raise Unfetched("redirects", f"it redirects more than {MOST_REDIRECTS} times", passing=False)
                    url = self._next(url, target)
        except NotAllowed as refused:
            raise Unfetched("address_refused", str(refused), passing=False) from None
        except httpx.TimeoutException:
            raise Unfetched("timed_out", f"no whole answer within {self._seconds:g} seconds", passing=True) from None
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise Unfetched("unreachable", f"no answer: {type(error).__name__}", passing=True) from None

    def close(self) -> None:
        """Let go of the connections."""
        self._client.close()

    def _next(self, url: str, target: str) -> str:
        try:
            return urls.redirected(url, target, local=self._local)
        except BadUrl as bad:
            raise Unfetched("redirect_refused", f"it redirects to a URL that {bad}", passing=False) from None

    def _one(self, url: str, headers: Mapping[str, str], gone: tuple[str, ...], most: int, cut: bool) -> ShopAnswer:
        with self._client.stream("GET", url, headers=headers) as answer:
            known = {name.lower(): value for name, value in answer.headers.items()}
            if answer.status_code in _REDIRECTS:
                return ShopAnswer(url, answer.status_code, known, b"", gone, 0)
            body = _Body(known.get("content-encoding", ""), most, cut)
            for part in answer.iter_raw():
                if body.add(part):
                    break
            return ShopAnswer(url, answer.status_code, known, body.whole(), gone, body.packed)


class _Body:
    """A body that is unpacked in steps, so that what is small when packed and huge unpacked ends at the limit too."""

    def __init__(self, encoding: str, most: int, cut: bool) -> None:
        self.packed = 0
        self._most = most
        self._cut = cut
        self._parts: list[bytes] = []
        self._size = 0
        self._full = False
        self._first, self._deflate = True, encoding.strip().lower() == "deflate"
        self._zip = self._decoder(encoding.strip().lower())

    def add(self, part: bytes) -> bool:
        """Take the next part; True when nothing more is wanted."""
        self.packed += len(part)
        if self.packed > self._most:
            part = part[: len(part) - (self.packed - self._most)]
            self._full = True
        try:
            self._keep(self._unpacked(part))
        except zlib.error:
            raise Unfetched("broken", "its body is not compressed as its header says", passing=True) from None
        if self._full and not self._cut:
            raise Unfetched("too_large", f"it is larger than {self._most // 1024} KB", passing=False)
        return self._full

    def whole(self) -> bytes:
        """All of it."""
        if self._zip is not None and not self._zip.eof and not self._full and self.packed:
            raise Unfetched("broken", "its body ends too early", passing=True)
        return b"".join(self._parts)

    def _unpacked(self, part: bytes) -> bytes:
        if self._zip is None:
            return part
        room = self._most - self._size + 1
        if self._first and self._deflate:
            self._first = False
            try:
                return self._zip.decompress(part, room)
            except zlib.error:
                self._zip = zlib.decompressobj(-zlib.MAX_WBITS)  # some servers send it without its header
        return self._zip.decompress(part, room)

    def _keep(self, part: bytes) -> None:
        if self._size + len(part) > self._most:
            part, self._full = part[: self._most - self._size], True
        self._size += len(part)
        self._parts.append(part)

    def _decoder(self, encoding: str) -> "zlib._Decompress | None":
        if encoding in ("", "identity"):
            return None
        if encoding in ("gzip", "x-gzip"):
            return zlib.decompressobj(zlib.MAX_WBITS | 16)
        if encoding == "deflate":
            return zlib.decompressobj()
        raise Unfetched(
            "encoding", f"its body is compressed as {encoding[:20]!r}, which was not asked for", passing=False
        )


def _with_own_names(look_up: LookUp) -> LookUp:
    """On a laptop, names below `localhost` are this machine, whatever its resolver thinks of them (RFC 6761)."""

    def own(host: str, port: int) -> list[str]:
        return ["127.0.0.1"] if addresses.is_this_machine(host) and ":" not in host else look_up(host, port)

    return own


@cache
def shared() -> PageClient:
    """The client of this process."""
    here = settings()
    return PageClient(local=here.on_a_laptop, contact=here.pages_contact)
